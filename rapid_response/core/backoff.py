"""How long to wait before something that failed is tried again: longer each time, and never all at once."""

from __future__ import annotations

from datetime import timedelta

_FIRST = timedelta(seconds=0.5)
LONGEST = timedelta(seconds=10)
_STEPS = 10_000


def wait(failures: int, chance: int, longest: timedelta = LONGEST) -> timedelta:
    """The wait after so many failures in a row; `chance`, from 0 to 9,999, spreads it between half and whole.

    Without the spread, all nodes would come back to a database in the same instant, and again fell it.
    """
    whole = min(_FIRST * (1 << min(failures - 1, 16)), longest)
    return whole * (0.5 + chance / (2 * _STEPS))


#: What to draw `chance` below.
CHANCES = _STEPS
