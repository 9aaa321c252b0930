"""From rows to views: what of a case its page shows, and to whom.

What the viewer may not see is left out here, so that no template has to know who looks.
"""

from __future__ import annotations

from rapid_response.console.filling.case import incident_view
from rapid_response.console.filling.looking import Looking
from rapid_response.console.filling.names import Names, read, read_names
from rapid_response.console.filling.pieces import (
    alarm,
    area,
    check_in,
    clock,
    heard,
    markers,
    next_step,
    place,
    rule_title,
    safe_contact,
    step_words,
    suspect,
    victim,
    visit,
)
from rapid_response.console.filling.sharing import BECAUSE, transfer
from rapid_response.console.filling.targeting import disclosure, proposal, words_of

__all__ = [
    "BECAUSE",
    "Looking",
    "Names",
    "alarm",
    "area",
    "check_in",
    "clock",
    "disclosure",
    "heard",
    "incident_view",
    "markers",
    "next_step",
    "place",
    "proposal",
    "read",
    "read_names",
    "rule_title",
    "safe_contact",
    "step_words",
    "suspect",
    "transfer",
    "victim",
    "visit",
    "words_of",
]
