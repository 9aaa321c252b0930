"""Phones, registrations, companies and websites that only the narrative names, with where they stand in it.

Proposed, not known: they stand in for a part of `suspect` that was left empty. A number that the text calls
the caller's or the victim's own is nobody's mark, and one without any such word counts for less.
"""

from __future__ import annotations

from rapid_response.intake.matching.mentions import Mention
from rapid_response.intake.matching.mined_names import mine_companies, mine_websites
from rapid_response.intake.matching.mined_phones import mine_phones
from rapid_response.intake.matching.mined_plates import mine_plates

#: As much as intake takes (contract.md 4).
_READ = 20_000
#: Of each kind, so that a hostile text cannot fill the index.
_MOST = 4


def mine(text: str) -> tuple[Mention, ...]:
    """What a narrative names, each value once, in order of kind."""
    text = text[:_READ]
    found: list[Mention] = []
    for read in (mine_phones, mine_plates, mine_websites, mine_companies):
        values: set[str] = set()
        for mention in read(text):
            if mention.value not in values:
                values.add(mention.value)
                found.append(mention)
            if len(values) == _MOST:
                break
    return tuple(found)
