"""What was written in a form that is no longer there: shown again as words, so that nobody types it twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rapid_response.console.forms.actions import ActionField, Kind
from rapid_response.console.forms.correcting import outcome_field
from rapid_response.console.forms.posted import OUTCOME_ROWS, Filled
from rapid_response.console.words import choices
from rapid_response.core.vocabulary import EvidenceGrade, OutcomeCode

#: Ids, which say nothing to a person.
_NOT_WORDS = frozenset({Kind.HIDDEN, Kind.RESPONDER, Kind.OUTCOME})


def written(fields: Iterable[ActionField], filled: Filled) -> tuple[tuple[str, str], ...]:
    """Each field that was filled in, with what was written or chosen there, in the order of the form."""
    pairs = ((asked.label, _said(asked, filled)) for asked in fields if asked.kind not in _NOT_WORDS)
    return tuple((label, said) for label, said in pairs if said)


def _said(asked: ActionField, filled: Filled) -> str:
    if asked.kind is Kind.OUTCOMES:
        return "; ".join(_outcomes(filled))
    if asked.options:
        return "; ".join(text for value, text in asked.options if filled.has(asked.name, value))
    return filled.value(asked.name).strip()


def _outcomes(filled: Filled) -> Iterator[str]:
    """Each row of outcomes: what changed, the sum, how sure it is."""
    words = {"code": dict(choices(OutcomeCode)), "evidence_grade": dict(choices(EvidenceGrade))}
    for row in range(OUTCOME_ROWS):
        code, sum_, grade = (
            filled.value(outcome_field(row, part)).strip()
            for part in ("code", "amount_gbp", "evidence_grade")
        )
        said = [words["code"].get(code, ""), f"£{sum_.removeprefix('£')}" if sum_ else ""]
        said.append(words["evidence_grade"].get(grade, ""))
        if any(said):
            yield ", ".join(filter(None, said))
