"""Which open case is looked at first, on the board and on paper alike."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum

from rapid_response.core.vocabulary import Priority


class Attention(IntEnum):
    """What kind of care an open case wants; a lower one never hides behind a higher one."""

    #: The two-hour promise covers it, and nobody has been reached yet. Its clock may run, be paused, or be
    #: somebody else's: outside our area there is none, and the danger is the same.
    PRESSING = 0
    #: Somebody has the job, and may be at the door.
    IN_HAND = 1
    OTHER = 2


def attention(priority: Priority, *, is_stopped: bool, has_owner: bool) -> Attention:
    """What kind of care a case wants."""
    if priority.has_clock and not is_stopped:
        return Attention.PRESSING
    return Attention.IN_HAND if has_owner else Attention.OTHER


SortKey = tuple[Attention, bool, float, int, str]


def place_in_list(care: Attention, at: datetime | None, priority: Priority, reference: str) -> SortKey:
    """To sort by: by care, then by when help is needed or the next step is due; without a time last."""
    return care, at is None, at.timestamp() if at else 0.0, priority.rank, reference
