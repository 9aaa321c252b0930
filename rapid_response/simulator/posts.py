"""The webhooks the network owes us: rows with a real due time, claimed under a lease, told in order.

A node that dies while posting leaves its lease to run out; the webhook is then posted again, as providers do,
and whoever hears it twice must cope.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from sqlalchemy import ColumnElement, Update, and_, exists, insert, or_, select, update
from sqlalchemy.orm import aliased
from sqlmodel import col

from rapid_response.simulator.tables import PostKind, SimPostRow
from rapid_response.storage.once import Filled, once
from rapid_response.storage.tx import Tx

#: The worker's loop that calls :meth:`SimulatedNetwork.pump`.
LOOP = "pump"
#: Longer than one webhook may take, so that a live poster never loses its claim.
LEASE = timedelta(seconds=30)
BATCH = 50

#: A receipt that cannot be told is tried once more, as providers do; a person's own text or call, which
#: nobody would send again, for longer.
_RECEIPT_WAITS = (timedelta(seconds=1),)
_PERSON_WAITS = (timedelta(seconds=1), timedelta(seconds=3), timedelta(seconds=10), timedelta(seconds=30))
_RECEIPTS = {PostKind.TEXT_STATUS, PostKind.CALL_STATUS, PostKind.GIVE_UP}


@dataclass(frozen=True, slots=True)
class Post:
    """A claimed webhook."""

    id: int
    sid: str
    kind: PostKind
    path: str
    form: Mapping[str, str]
    fence: int
    attempts: int


class Settled(Enum):
    """What came of posting."""

    TOLD = auto()
    AGAIN = auto()
    GIVEN_UP = auto()
    #: Another node took it over meanwhile.
    LOST = auto()


def owe(
    tx: Tx,
    sid: str,
    kind: PostKind,
    path: str,
    form: Mapping[str, str],
    *,
    after: timedelta = timedelta(),
    queue: str | None = None,
    held: bool = False,
) -> list[Post]:
    """Write down a webhook for any node's pump.

    One that is `held` is claimed at once and given back: the caller is going to post it herself.
    """
    values = {
        "sid": sid,
        "queue": queue or sid,
        "kind": kind,
        "path": path,
        "form": dict(form),
        "due_at": tx.real + after,
    }
    if not held:
        tx.add(SimPostRow, **values)
        tx.wake(LOOP)
        return []
    values |= {"leased_until": tx.real + LEASE, "fence": 1, "attempts": 1}
    made = tx.execute(insert(SimPostRow).values(values).returning(col(SimPostRow.id))).scalar_one()
    return [Post(made, sid, kind, path, form, fence=1, attempts=1)]


def claim(tx: Tx, *, sid: str | None = None, ignoring_due_times: bool = False) -> list[Post]:
    """Lease what is due, at most the first of each queue; giving up on a call always waits for its time."""
    until = tx.real + LEASE
    claiming = _claims[sid is not None, ignoring_due_times](tx.real, until, sid or "")
    return [
        Post(row.id, row.sid, row.kind, row.path, row.form, row.fence, row.attempts)
        for row in sorted(tx.execute(claiming).all(), key=lambda row: row.id)
    ]


def _claiming(*, of_one: bool, ignoring_due_times: bool) -> Callable[[datetime, datetime, str], Filled[Any]]:
    @once
    def claiming(real: datetime, until: datetime, sid: str) -> Any:
        earlier = aliased(SimPostRow)
        is_due = col(SimPostRow.due_at) <= real
        wanted: list[ColumnElement[bool]] = [
            col(SimPostRow.done_at).is_(None),
            or_(col(SimPostRow.leased_until).is_(None), col(SimPostRow.leased_until) <= real),
            or_(is_due, col(SimPostRow.kind) != PostKind.GIVE_UP) if ignoring_due_times else is_due,
            ~exists().where(
                col(earlier.queue) == col(SimPostRow.queue),
                col(earlier.id) < col(SimPostRow.id),
                col(earlier.done_at).is_(None),
            ),
        ]
        if of_one:
            wanted.append(col(SimPostRow.sid) == sid)
        return _leasing(wanted, until)

    return claiming


def _leasing(wanted: Sequence[ColumnElement[bool]], until: datetime) -> Any:
    chosen = (
        select(col(SimPostRow.id))
        .where(*wanted)
        .order_by(col(SimPostRow.due_at), col(SimPostRow.id))
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    return (
        update(SimPostRow)
        .where(col(SimPostRow.id).in_(chosen.scalar_subquery()))
        .values(
            leased_until=until,
            fence=col(SimPostRow.fence) + 1,
            attempts=col(SimPostRow.attempts) + 1,
        )
        .returning(
            col(SimPostRow.id),
            col(SimPostRow.sid),
            col(SimPostRow.kind),
            col(SimPostRow.path),
            col(SimPostRow.form),
            col(SimPostRow.fence),
            col(SimPostRow.attempts),
        )
    )


_claims = {
    (of_one, ignoring): _claiming(of_one=of_one, ignoring_due_times=ignoring)
    for of_one in (False, True)
    for ignoring in (False, True)
}


def reword(tx: Tx, post: Post, form: Mapping[str, str]) -> Post:
    """Change what a claimed webhook will say; kept, so that a second attempt says the same."""
    tx.execute(_reword(post.id, post.fence, dict(form)))
    return replace(post, form=form)


@once
def _reword(post_id: int, fence: int, form: Mapping[str, str]) -> Update:
    return update(SimPostRow).where(_mine(post_id, fence)).values(form=form)


def keep_silent(tx: Tx, post: Post) -> None:
    """There is nothing to tell after all."""
    tx.execute(_done(post.id, post.fence, tx.real, None))


def settle(tx: Tx, post: Post, answer: int | None) -> Settled:
    """Say what our webhook answered; None when it could not be reached."""
    failed = answer is None or answer == 429 or answer >= 500
    wait = _wait(post) if failed else None
    written = (
        _done(post.id, post.fence, tx.real, answer)
        if wait is None
        else _again(post.id, post.fence, tx.real + wait, answer)
    )
    if tx.execute(written).rowcount == 0:
        return Settled.LOST
    if wait is not None:
        return Settled.AGAIN
    return Settled.GIVEN_UP if failed else Settled.TOLD


@once
def _done(post_id: int, fence: int, at: datetime, answer: int | None) -> Update:
    return (
        update(SimPostRow).where(_mine(post_id, fence)).values(done_at=at, leased_until=None, answer=answer)
    )


@once
def _again(post_id: int, fence: int, at: datetime, answer: int | None) -> Update:
    return update(SimPostRow).where(_mine(post_id, fence)).values(due_at=at, leased_until=None, answer=answer)


def release(tx: Tx, held: Iterable[Post]) -> None:
    """Leave claimed webhooks to whoever pumps next; this did not count as an attempt."""
    for post in held:
        tx.execute(
            update(SimPostRow)
            .where(_mine(post.id, post.fence))
            .values(leased_until=None, fence=col(SimPostRow.fence) + 1, attempts=post.attempts - 1)
        )
        tx.wake(LOOP)


def drop(tx: Tx, sid: str, kind: PostKind) -> None:
    """What of that kind is still owed will never be told."""
    tx.execute(
        update(SimPostRow)
        .where(col(SimPostRow.sid) == sid, col(SimPostRow.kind) == kind, col(SimPostRow.done_at).is_(None))
        .values(done_at=tx.real, leased_until=None, fence=col(SimPostRow.fence) + 1)
    )


def _wait(post: Post) -> timedelta | None:
    waits = _RECEIPT_WAITS if post.kind in _RECEIPTS else _PERSON_WAITS
    return waits[post.attempts - 1] if post.attempts <= len(waits) else None


def _mine(post_id: int, fence: int) -> ColumnElement[bool]:
    return and_(
        col(SimPostRow.id) == post_id,
        col(SimPostRow.fence) == fence,
        col(SimPostRow.done_at).is_(None),
    )
