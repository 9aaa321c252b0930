"""Whether a home is ours to come to, decided by its postcode; a slip of O for 0 is asked about.

Jurisdiction follows the victim's home, never the caller's. A postcode that nobody knows proves nothing: a
miss is `unknown`, and an unknown place is served like one of ours (domain.md 9).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from rapid_response.core.definition import Neighbour, ServiceDefinition
from rapid_response.core.vocabulary import Area, ContactRole, Priority

_WHOLE = re.compile(r"([A-Z]{1,2}[0-9][0-9A-Z]?) ?([0-9][A-Z]{2})")
#: The six shapes of a postcode: A a letter, 9 a figure.
_SHAPES = ("A99AA", "A999AA", "A9A9AA", "AA99AA", "AA999AA", "AA9A9AA")
_TO_LETTER = str.maketrans("01", "OI")
_TO_FIGURE = str.maketrans("OI", "01")


def whole(text: str | None) -> str | None:
    """A whole postcode as it is written, `BR1 3UH`; None for what has not the shape of one."""
    found = _WHOLE.fullmatch(" ".join((text or "").upper().split()))
    return f"{found[1]} {found[2]}" if found else None


def did_you_mean(text: str | None, is_known: Callable[[str], bool]) -> tuple[str, ...]:
    """Postcodes that exist and differ from what was typed only by O for 0 or I for 1; most often one."""
    squeezed = "".join((text or "").upper().split())
    typed = whole(text)
    if len(squeezed) not in (5, 6, 7) or not squeezed.isalnum() or (typed and is_known(typed)):
        return ()
    return tuple(dict.fromkeys(c for c in _put_right(squeezed) if c != typed and is_known(c)))


def _put_right(squeezed: str) -> Iterator[str]:
    for shape in _SHAPES:
        if len(shape) == len(squeezed):
            letters = (
                c.translate(_TO_LETTER if kind == "A" else _TO_FIGURE)
                for c, kind in zip(squeezed, shape, strict=True)
            )
            found = whole("".join(letters))
            if found is not None:
                yield found


def area_of(ours: str | None, authority: str | None) -> Area:
    """Inside, outside, or not known: where we do not know which authority we are, nothing is outside."""
    if ours is None or authority is None:
        return Area.UNKNOWN
    return Area.INSIDE if authority == ours else Area.OUTSIDE


def neighbour_of(definition: ServiceDefinition, authority: str | None) -> Neighbour | None:
    """The service that comes to homes in that authority, where the service definition names it."""
    return next((n for n in definition.neighbours if authority in n.authorities), None)


def neighbour_called(definition: ServiceDefinition, said: str) -> Neighbour | None:
    """The neighbour of that id or name, however it was typed."""
    folded = " ".join(said.split()).casefold()
    return next((n for n in definition.neighbours if folded in (n.id.casefold(), n.name.casefold())), None)


# ---- a hand-over to a neighbour is watched until somebody there says that they have it


@dataclass(frozen=True, slots=True)
class Watched:
    """One rung: who hears, and how long after the hand-over was due, or sent."""

    after: timedelta
    role: ContactRole


_SOON = timedelta(minutes=10)
#: While a clock would run: within the hour it has reached whoever speaks for the service across the border.
LADDER = (
    Watched(_SOON, ContactRole.DUTY_OFFICER),
    Watched(timedelta(minutes=20), ContactRole.TEAM_LEADER),
    Watched(timedelta(minutes=40), ContactRole.HEAD_OF_SERVICE),
)


def hand_over_within(priority: Priority) -> timedelta | None:
    """How soon a case from outside is handed over; None: in the course of the next working day."""
    return _SOON if priority.has_clock else None
