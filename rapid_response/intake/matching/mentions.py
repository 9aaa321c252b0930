"""Something that a narrative names, and where it stands in it."""

from __future__ import annotations

from dataclasses import dataclass

#: Candidates of a kind that are looked at: nobody names more, and a hostile text must not cost more.
MOST_TRIED = 40


@dataclass(frozen=True, slots=True)
class Mention:
    """`text[start:end]` names something; `weight` below 1 where it may not be the suspect's."""

    kind: str
    start: int
    end: int
    value: str
    weight: float = 1.0
