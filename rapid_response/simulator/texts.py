"""Texts: taken from the service with receipts to follow, or sent to it by a phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import update
from sqlmodel import col
from sqlmodel import select as typed_select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.simulator import faults, forms, posts
from rapid_response.simulator.faults import Faults
from rapid_response.simulator.posts import Post
from rapid_response.simulator.tables import Direction, PostKind, SimTextRow
from rapid_response.storage.once import once
from rapid_response.storage.tx import Tx

#: The handset is off or out of reach, in the provider's words.
UNREACHABLE = "30003"
_SETTLED = {"delivered", "undelivered", "failed"}


def take(
    tx: Tx,
    sid: str,
    token: str,
    from_number: str,
    to_number: str,
    body: str,
    receipts: Mapping[str, timedelta],
) -> None:
    """Take one text for a phone; `receipts` are the statuses of which is told, and after how long."""
    faults.refuse_in_outage(tx)
    tx.add(
        SimTextRow,
        sid=sid,
        direction=Direction.OUTBOUND,
        from_number=from_number,
        to_number=to_number,
        body=body,
        at=tx.now,
        status="queued",
        token=token,
    )
    # The first status is in our answer; the provider sends no webhook for it.
    for status, wait in receipts.items():
        form = forms.text_status(sid, from_number, to_number, status)
        posts.owe(tx, sid, PostKind.TEXT_STATUS, forms.sms_status_path(token), form, after=wait)


def advance(tx: Tx, claimed: Sequence[Post], failing: Faults) -> list[Post]:
    """Move texts to the status whose receipt is now due; gives the receipts that are to be posted."""
    due = {post.sid: post for post in claimed}
    telling: list[Post] = []
    for text in tx.all(_texts(list(due))):
        post = due[text.sid]
        status = post.form["MessageStatus"]
        if text.status not in _SETTLED:
            if status == "delivered":
                status = "undelivered" if failing.phone_off(text.to_number) else status
                text.error_code = UNREACHABLE if status == "undelivered" else ""
                form = forms.text_status(
                    text.sid, text.from_number, text.to_number, status, text.error_code, tx.now
                )
                post = posts.reword(tx, post, form)
            text.status = status
        if failing.no_receipts(text.to_number):
            posts.keep_silent(tx, post)
        else:
            telling.append(post)
    return telling


@once
def _texts(sids: Sequence[str]) -> SelectOfScalar[SimTextRow]:
    return typed_select(SimTextRow).where(col(SimTextRow.sid).in_(sids))


def send(tx: Tx, sid: str, from_number: str, to_number: str, body: str) -> list[Post]:
    """A phone texts the service: the text first, then its webhook, held for the caller to post."""
    tx.add(
        SimTextRow,
        sid=sid,
        direction=Direction.INBOUND,
        from_number=from_number,
        to_number=to_number,
        body=body,
        at=tx.now,
        status="queued",
    )
    form = forms.inbound_text(sid, from_number, to_number, body)
    return posts.owe(tx, sid, PostKind.INBOUND_TEXT, forms.SMS, form, held=True)


def heard(tx: Tx, sid: str, answer: int | None) -> None:
    """The service answered the webhook of a phone's text, or never will."""
    taken = answer is not None and 200 <= answer < 300
    tx.execute(
        update(SimTextRow).where(col(SimTextRow.sid) == sid).values(status="received" if taken else "failed")
    )
