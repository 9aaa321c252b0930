"""Vehicles without a registration: “a white van”. Weak by itself; it counts near in place and time only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from rapid_response.intake.matching.words import words


@dataclass(frozen=True, slots=True)
class Vehicle:
    """Colour, body and, where it was said, make; and the work its crew offered."""

    colour: str
    body: str
    make: str = ""
    work: str = ""

    def to_value(self) -> str:
        """As it is stored."""
        return "|".join((self.colour, self.body, self.make, self.work))

    @classmethod
    def from_value(cls, value: str) -> Vehicle:
        """The inverse of :meth:`to_value`."""
        return cls(*(value.split("|") + [""] * 4)[:4])

    def key(self, area: str, day: str) -> str:
        """Where and on which day it was about."""
        return f"{self.colour} {self.body} {area} {day}"


@cache
def _pattern() -> re.Pattern[str]:
    colours = "|".join(map(re.escape, words().colours))
    bodies = "|".join(map(re.escape, words().bodies))
    return re.compile(rf"\b({colours})\s+(?:coloured\s+)?(?:([a-z]+)\s+){{0,2}}?({bodies})\b")


@cache
def _work_pattern() -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(words().work)})")


def find_vehicle(text: str) -> Vehicle | None:
    """The first coloured vehicle that a text speaks of."""
    lowered = text.lower()
    found = _pattern().search(lowered)
    if found is None:
        return None
    body = words().bodies[found[3]]
    make = found[3] if found[3] != body else (found[2] or "")
    work = _work_pattern().search(lowered)
    return Vehicle(words().colours[found[1]], body, make[:20], words().work[work[1]] if work else "")


def compare_vehicles(one: Vehicle, other: Vehicle) -> float:
    """Two vehicles seen in one district within days: never enough to be sure, so never over 0.7."""
    if (one.colour, one.body) != (other.colour, other.body):
        return 0.0
    if one.work and other.work and one.work != other.work:
        return 0.35
    makes = one.make and other.make and one.make != other.make
    if makes:
        return 0.35
    same_make = bool(one.make) and one.make == other.make
    same_work = bool(one.work) and one.work == other.work
    return 0.5 + 0.1 * same_work + 0.1 * same_make
