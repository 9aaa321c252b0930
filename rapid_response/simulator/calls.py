"""Calls: a phone that rings until someone answers, and a resident who rings the hotline.

A call is driven by its row alone. Each time the service answers what to say next, :func:`follow` decides from
the document and the row what the caller does, so that any node can carry the call on after a crash.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import update
from sqlmodel import col
from sqlmodel import select as typed_select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.simulator import document, faults, forms, posts
from rapid_response.simulator.document import Fetch, HangUp, Move, NotADocument, Speak, Wait
from rapid_response.simulator.faults import Faults
from rapid_response.simulator.posts import Post
from rapid_response.simulator.tables import Direction, PostKind, SimCallRow, SimPostRow
from rapid_response.storage.once import once
from rapid_response.storage.tx import Tx

#: Someone who answered and then presses nothing hangs up after this much real time.
LONGEST_SILENCE = timedelta(minutes=2)
#: A menu that sends the caller round and round is left at some point.
_MOST_TURNS = 20
_RINGING = {"queued", "initiated", "ringing"}
_ORDER = {"initiated": "0", "ringing": "1", "in-progress": "2", "no-answer": "2", "busy": "2"}
_CANNED = "An application error has occurred."


def place(
    tx: Tx,
    sid: str,
    token: str,
    from_number: str,
    to_number: str,
    ring_for: timedelta,
    rings_after: timedelta,
) -> None:
    """The service rings a phone."""
    failing = faults.refuse_in_outage(tx)
    row = _new(
        tx,
        sid=sid,
        direction=Direction.OUTBOUND,
        from_number=from_number,
        to_number=to_number,
        status="queued",
        token=token,
    )
    _owe_status(tx, row, "initiated")
    if failing.phone_off(to_number):
        _owe_status(tx, row, "no-answer", after=rings_after)
    else:
        _owe_status(tx, row, "ringing", after=rings_after)
        _owe_status(tx, row, "no-answer", after=ring_for, kind=PostKind.GIVE_UP)


def ring_service(
    tx: Tx,
    sid: str,
    from_number: str,
    to_number: str,
    transcript: str,
    recording_sid: str,
    *,
    keys: str,
    hang_up_after: str,
) -> list[Post]:
    """A resident rings the service; what she does is in the row from the start."""
    row = _new(
        tx,
        sid=sid,
        direction=Direction.INBOUND,
        from_number=from_number,
        to_number=to_number,
        status="ringing",
        transcript=transcript,
        recording_sid=recording_sid,
        keys=keys,
        hang_up_after=hang_up_after,
    )
    return _ask(tx, row, Fetch(forms.VOICE, keys=keys), held=True)


def live(tx: Tx, to_number: str) -> SimCallRow | None:
    """The newest call that rings at, or is held with, that phone; locked."""
    return tx.first(
        typed_select(SimCallRow)
        .where(
            col(SimCallRow.to_number) == to_number,
            col(SimCallRow.direction) == Direction.OUTBOUND,
            col(SimCallRow.ended_at).is_(None),
        )
        .order_by(col(SimCallRow.id).desc())
        .limit(1)
        .with_for_update()
    )


def answer(tx: Tx, row: SimCallRow, keys: str, *, attended: bool) -> list[Post]:
    """Someone (or a machine) answers a ringing call, or presses keys in one that is under way."""
    if row.status in _RINGING:
        row.status, row.answered_at, row.attended, row.keys = "in-progress", tx.now, attended, keys
        posts.drop(tx, row.sid, PostKind.GIVE_UP)
        _owe_status(tx, row, "in-progress")
        _owe_status(tx, row, "completed", after=LONGEST_SILENCE, kind=PostKind.GIVE_UP)
        return _ask(tx, row, Fetch(forms.offer_path(row.token), keys=keys), held=True)
    row.keys = (row.keys + keys)[:40]
    if not (row.waiting and row.keys):
        return []
    # The silence is counted from the last key.
    tx.execute(
        update(SimPostRow)
        .where(
            col(SimPostRow.sid) == row.sid,
            col(SimPostRow.kind) == PostKind.GIVE_UP,
            col(SimPostRow.done_at).is_(None),
        )
        .values(due_at=tx.real + LONGEST_SILENCE)
    )
    _, move = document.next_move(
        document.read(row.document, row.document_path), keys=row.keys, attended=row.attended
    )
    return _ask(tx, row, move, held=True) if isinstance(move, Fetch) else []


def hang_up(tx: Tx, row: SimCallRow) -> None:
    """The person at the phone hangs up; before answering, that is a busy tone for the service."""
    _end(tx, row, "busy" if row.status in _RINGING else "completed")


def advance(tx: Tx, post: Post, failing: Faults) -> Post | None:
    """Move a call to the status that is now due; gives the webhook if there is anything to tell."""
    row = _locked(tx, post.sid)
    status = post.form["CallStatus"]
    if post.kind is PostKind.GIVE_UP and post.attempts == 1:
        expected = _RINGING if status == "no-answer" else {"in-progress"}
        if row.status not in expected:
            posts.keep_silent(tx, post)
            return None
    # A call that has gone on (answered at the first ring) keeps the status it has; the webhook is told late.
    if row.status in _RINGING or post.kind is PostKind.GIVE_UP:
        row.status = status
    if status not in _RINGING and status != "in-progress" and row.ended_at is None:
        row.ended_at, row.waiting = tx.now, False
    if failing.no_receipts(row.to_number):
        posts.keep_silent(tx, post)
        return None
    return post


def follow(tx: Tx, post: Post, said: str | None, *, held: bool) -> list[Post]:
    """The service answered what to say next (None: it never did); gives what the caller does then.

    `held` webhooks are the caller's to post; the others wait for any node's pump.
    """
    row = _locked(tx, post.sid)
    if row.ended_at is not None:
        return []
    try:
        if said is None:
            raise NotADocument("the service could not be reached")
        heard, move = document.next_move(document.read(said, post.path), keys=row.keys, attended=row.attended)
    except NotADocument:
        heard, move = _CANNED, HangUp()
    row.prompt, row.document, row.document_path = heard, said or "", post.path
    return _act(tx, row, _wilful(row, move), held=held)


def _wilful(row: SimCallRow, move: Move) -> Move:
    """What a caller does who hangs up early, or who has had enough."""
    left = row.hang_up_after
    if left == "answer" or (left == "menu" and isinstance(move, Speak)) or row.turns >= _MOST_TURNS:
        return HangUp()
    if isinstance(move, Speak) and row.transcript is None:
        return HangUp()
    return move


def _act(tx: Tx, row: SimCallRow, move: Move, *, held: bool) -> list[Post]:
    match move:
        case Fetch():
            return _ask(tx, row, move, held=held)
        case Wait():
            row.waiting = True
            return []
        case Speak():
            return _leave_message(tx, row, move, held=held)
        case HangUp():
            return _end(tx, row, "completed", held=held)


def _ask(tx: Tx, row: SimCallRow, move: Fetch, *, held: bool) -> list[Post]:
    """Ask the service what to say next."""
    row.waiting, row.keys, row.turns = False, move.keys, row.turns + 1
    row.digits = (row.digits + move.fields.get("Digits", ""))[:200]
    status = "in-progress" if row.turns > 1 or row.answered_at else "ringing"
    if row.status == "ringing" and status == "in-progress":
        row.status, row.answered_at = status, tx.now
    return posts.owe(
        tx,
        row.sid,
        PostKind.TALK,
        move.path,
        forms.call(row, status, move.fields),
        queue=_talk(row),
        held=held,
    )


def _leave_message(tx: Tx, row: SimCallRow, move: Speak, *, held: bool) -> list[Post]:
    """The caller speaks and hangs up; what the service says to that is not heard any more."""
    record, transcript = move.record, row.transcript or ""
    row.status = "completed"
    saying = [
        (
            PostKind.TALK,
            record.action,
            forms.call(row, "completed", forms.recording(row.recording_sid, transcript, record.longest)),
        )
    ]
    if record.transcribe_to is not None:
        legible = "" if row.hang_up_after == "voicemail" else transcript
        sid = "TR" + row.recording_sid[2:]
        saying.append(
            (
                PostKind.TRANSCRIPTION,
                record.transcribe_to,
                forms.call(row, "completed", forms.transcription(sid, row.recording_sid, legible)),
            )
        )
    told = [
        post
        for kind, path, form in saying
        for post in posts.owe(tx, row.sid, kind, path, form, queue=_talk(row), held=held)
    ]
    return [*told, *_end(tx, row, "completed", held=held)]


def _end(tx: Tx, row: SimCallRow, status: str, *, held: bool = False) -> list[Post]:
    posts.drop(tx, row.sid, PostKind.GIVE_UP)
    row.status, row.ended_at, row.waiting, row.keys = status, tx.now, False, ""
    if row.direction is Direction.INBOUND:
        # In the queue of what was said, so that a hotline call ends after its message.
        return _owe_status(tx, row, status, queue=_talk(row), held=held)
    return _owe_status(tx, row, status)


def _talk(row: SimCallRow) -> str:
    """The queue of the conversation; statuses go beside it, and may overtake it as they do in life."""
    return f"{row.sid}:talk"


def _new(tx: Tx, sid: str, **values: Any) -> SimCallRow:
    tx.add(SimCallRow, sid=sid, at=tx.now, **values)
    return _locked(tx, sid)


def _locked(tx: Tx, sid: str) -> SimCallRow:
    row = tx.first(_lock(sid))
    if row is None:
        raise LookupError(f"no call {sid}")
    return row


@once
def _lock(sid: str) -> SelectOfScalar[SimCallRow]:
    return typed_select(SimCallRow).where(col(SimCallRow.sid) == sid).with_for_update()


def _owe_status(
    tx: Tx,
    row: SimCallRow,
    status: str,
    *,
    after: timedelta = timedelta(),
    kind: PostKind = PostKind.CALL_STATUS,
    queue: str | None = None,
    held: bool = False,
) -> list[Post]:
    more: Mapping[str, str] = {
        "SequenceNumber": _ORDER.get(status, "3"),
        "CallbackSource": "call-progress-events",
    }
    return posts.owe(
        tx,
        row.sid,
        kind,
        forms.voice_status_path(row.token),
        forms.call(row, status, more),
        after=after,
        queue=queue,
        held=held,
    )
