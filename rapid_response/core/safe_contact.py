"""How a resident may be reached, and who may be told what: two pure answers for whoever is about to ring.

The suspect may be in the house, be family, or hold the phone (domain.md 6, scenarios 50 and 51). What nobody
has said is no; where several have spoken for the same people, the strictest holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from rapid_response.core.facts import Facts

#: The ways to reach somebody, each allowed only where somebody has said so.
MEANS = ("sms", "voice", "voicemail")


def strictest(*said: Mapping[str, Any]) -> dict[str, Any]:
    """What holds where each of `said` speaks for the same people: a way is open only if nobody closed it.

    One that is empty says nothing: it opens no way and closes none. Notes are kept side by side.
    """
    spoken = [s for s in said if s]
    joined: dict[str, Any] = {way: bool(spoken) and all(s.get(way) is True for s in spoken) for way in MEANS}
    notes = dict.fromkeys(str(s["note"]) for s in spoken if s.get("note"))
    if notes:
        joined["note"] = "\n".join(notes)
    return joined


def reach(own: Mapping[str, Any], linked: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """How a case's people may be reached: as it says itself, and no linked case of the same people forbids.

    Every path to a resident or caller asks this one: pages, API, calls back, and any text there may be.
    """
    together = strictest(own, *linked)
    return {**together, **{way: own.get(way) is True and together[way] for way in MEANS}}


def is_overheard(facts: Facts) -> bool:
    """Whether somebody listens, or the line went dead in fear: a call back could give her away (R07)."""
    return facts.safe_to_talk is False or facts.line_went_dead is True


class MayBeTold(StrEnum):
    """How much of a case somebody may hear."""

    OWN_CASE = "own_case"
    RECEIPT_ONLY = "receipt_only"
    VERIFY_FIRST = "verify_first"


_SELF = frozenset({"self", "victim", "myself", "complainant", "consumer"})
_PARTNERS = frozenset(
    {
        "police",
        "bank",
        "bank_banking_protocol",
        "adult_social_care",
        "social_worker",
        "citizens_advice",
        "trading_standards",
        "council",
        "nhs",
        "gp",
    }
)


def may_be_told(caller_role: str | None) -> MayBeTold:
    """What a caller may hear, by whom she says she is; whoever is not known hears of the receipt alone.

    Being family opens nothing: who takes the money may be family.
    """
    role = "_".join((caller_role or "").lower().replace("-", " ").split())
    if role in _SELF:
        return MayBeTold.OWN_CASE
    return MayBeTold.VERIFY_FIRST if role in _PARTNERS else MayBeTold.RECEIPT_ONLY
