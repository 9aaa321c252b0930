"""What the handler says first (domain.md 3.3): which lines, in which order, and their words.

The lines and the conditions under which they are given are data, in `triage_rules.yaml`; advice follows
the facts, not the one rule that decided, because two dangers at once need the words for both.
"""

from __future__ import annotations

from datetime import UTC, datetime

from rapid_response.core.facts import Facts, implied
from rapid_response.core.vocabulary import Category, Priority
from rapid_response.intake.reading.port import Matter
from rapid_response.intake.rules import RULEBOOK, TriageCase, holds

CALL_999 = "call_999"
#: Advice asks what is known, never how long ago; everything known to have happened lies before this.
_AT_ANY_TIME = datetime(9000, 1, 1, tzinfo=UTC)

KEYS = tuple(RULEBOOK.script)


def advice(
    facts: Facts,
    category: Category,
    subtype: str,
    priority: Priority,
    matter: Matter,
    *,
    others_come: bool = False,
) -> tuple[str, ...]:
    """The keys of what is said, in order; `call_999` first for P0 and whenever the suspect is there.

    Where the caller cannot speak freely only the covert lines follow (scenario 20). For what is no crime
    the advice is where to go instead (scenario 14). `others_come`: another council's officers, not ours.
    """
    facts = implied(facts)
    case = TriageCase(
        facts=facts,
        category=category,
        subtype=subtype,
        matter=matter,
        received_at=_AT_ANY_TIME,
        now=_AT_ANY_TIME,
    )
    is_covert = facts.safe_to_talk is False
    is_elsewhere = matter is Matter.NOT_CRIME and priority is Priority.P4
    unsaid = _OF_OUR_OFFICERS if others_come else frozenset()
    said = [CALL_999] if priority is Priority.P0 or facts.suspect_on_premises is True else []
    for line in RULEBOOK.advice:
        wanted = line.covert if is_covert else not is_elsewhere or line.key in _FOR_NO_CRIME
        if wanted and line.key not in (*said, *unsaid) and holds(line.when, case):
            said.append(line.key)
    return tuple(said)


_FOR_NO_CRIME = frozenset(("citizens_advice", "not_your_fault"))
#: How our own officers are known: what another council's do is theirs to say.
_OF_OUR_OFFICERS = frozenset(("we_will_not_ask",))


def script(key: str) -> str:
    """The sentence of a key, as it is read out; KeyError for a key that is none."""
    return RULEBOOK.script[key]
