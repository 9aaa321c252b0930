"""Texts whose webhook was lost: found in the provider's list (delivery.md 8).

A provider gives a webhook some fifteen seconds in all, so an outage of ours loses replies. At the start and
every minute (each quarter while an answer is awaited) what came to each of our numbers is listed, back to
the newest text of the last list that was read whole, less ten minutes: the newest may have come by webhook
while an older one was lost, so a known one never ends the reading.

How far a list was read is told by the provider's times alone: our own clock may be ahead, and a list that is
read back to a time that is still to come finds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select as core_select
from sqlmodel import col, select

from rapid_response.core.clock import is_reached
from rapid_response.core.incident import Status
from rapid_response.messaging.gateway import InboundRecord
from rapid_response.steps.desk import Desk
from rapid_response.steps.inbound import take_text
from rapid_response.storage.tables import InboundMessageRow, IncidentRow, WatermarkRow
from rapid_response.storage.tx import Tx

EVERY, WHILE_ASKED = timedelta(seconds=60), timedelta(seconds=15)
#: Lists lag, and clocks differ.
OVERLAP = timedelta(minutes=10)
_LEASE = timedelta(seconds=60)

SOURCE = "catch_up"


@dataclass(frozen=True, slots=True)
class Listing:
    """One of our numbers, to be listed now, since a time of the provider's."""

    number: str
    fence: int
    since: datetime


def claim(tx: Tx, desk: Desk, numbers: Sequence[str]) -> list[Listing]:
    """Lease the numbers whose list is due; any node may read it, and one does."""
    if not numbers:
        return []
    rows = {
        row.number: row
        for row in tx.all(
            select(WatermarkRow)
            .where(col(WatermarkRow.number).in_(list(numbers)))
            .order_by(col(WatermarkRow.number))
            .with_for_update(skip_locked=True)
        )
    }
    due = [row for row in rows.values() if _is_free(tx, row) and _is_due(tx, row)]
    for number in sorted(set(numbers) - rows.keys()):
        if _is_new(tx, number):
            tx.add(WatermarkRow, number=number[:32], listed_to=tx.now)
            due.append(tx.need(WatermarkRow, number[:32]))
    return [_take(tx, row) for row in due]


def _is_new(tx: Tx, number: str) -> bool:
    """Not there at all; one that another node holds locked is."""
    there = tx.execute(core_select(col(WatermarkRow.number)).where(col(WatermarkRow.number) == number[:32]))
    return there.first() is None


def _is_free(tx: Tx, row: WatermarkRow) -> bool:
    return row.leased_until is None or is_reached(row.leased_until, tx.real, _LEASE)


def _is_due(tx: Tx, row: WatermarkRow) -> bool:
    if row.asked_at is None or is_reached(row.asked_at + EVERY, tx.real, EVERY):
        return True
    return is_reached(row.asked_at + WHILE_ASKED, tx.real, WHILE_ASKED) and _somebody_is_asked(tx)


def _somebody_is_asked(tx: Tx) -> bool:
    found = tx.execute(
        core_select(col(IncidentRow.id))
        .where(col(IncidentRow.is_open), col(IncidentRow.status) == Status.DISPATCHING)
        .limit(1)
    )
    return found.first() is not None


def _take(tx: Tx, row: WatermarkRow) -> Listing:
    row.fence += 1
    row.leased_until = tx.real + _LEASE
    return Listing(row.number, row.fence, row.listed_to - OVERLAP)


def record(tx: Tx, desk: Desk, listing: Listing, found: Sequence[InboundRecord] | None) -> int:
    """Keep what was not known yet, oldest first; the watermark moves only when the list was read whole."""
    row = tx.get(WatermarkRow, listing.number, lock=True)
    if row is None or row.fence != listing.fence:
        return 0
    row.leased_until, row.asked_at = None, tx.real
    if found is None:
        return 0
    new = 0
    known = _known(tx, desk, [text.sid for text in found])
    for text in sorted((t for t in found if t.sid not in known), key=lambda t: (t.sent_at, t.sid)):
        new += take_text(
            tx,
            desk,
            text.sid,
            text.from_number,
            text.to_number,
            text.body,
            has_media=text.has_media,
            source=SOURCE,
            sent_at=text.sent_at,
        )
    row.listed_to = max([row.listed_to, *(text.sent_at for text in found)])
    return new


def _known(tx: Tx, desk: Desk, sids: Sequence[str]) -> set[str]:
    """Those of them that we have; that a list has them still does not mean that they came once more."""
    if not sids:
        return set()
    kept = core_select(col(InboundMessageRow.provider_sid)).where(
        col(InboundMessageRow.provider) == desk.provider, col(InboundMessageRow.provider_sid).in_(sids)
    )
    return set(tx.execute(kept).scalars())
