"""Whether everything is held: nothing is sent and no deadline rings until a person lets go.

So begins a database that was restored: what it says is hours old, and its texts were sent long ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select
from sqlmodel import col

from rapid_response.storage.once import Filled
from rapid_response.storage.tables import HoldRow
from rapid_response.storage.tx import Tx, read_from

#: The key of the one row.
ONLY = 1
#: Why, as the row says it.
RESTORED, BY_HAND = "restored", "by_hand"


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold that stands; times are real. Once `released_at` is set, deadlines ring and texts still wait."""

    why: str
    since: datetime
    backup_made_at: datetime | None
    released_at: datetime | None

    @property
    def is_restored(self) -> bool:
        """Whether it was put on by a restore."""
        return self.why == RESTORED


_STANDING = Filled(
    select(col(HoldRow.why), col(HoldRow.since), col(HoldRow.backup_made_at), col(HoldRow.released_at)).where(
        col(HoldRow.id) == ONLY
    )
)


def standing(connection: Connection | Tx) -> Hold | None:
    """The hold that stands, if any."""
    row = read_from(connection, _STANDING).first()
    return Hold(row.why, row.since, row.backup_made_at, row.released_at) if row else None
