"""The hotline: a row at the first ring, a report when a message was left, its words when they are known."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import col, select

from rapid_response.core.events import SERVICE_STREAM, CallerRangOff, MessageFoundLate, ReportLeft
from rapid_response.core.vocabulary import Channel
from rapid_response.intake.reading.port import Matter, Reading
from rapid_response.intake.report_in import Answers, Caller, ReportIn
from rapid_response.messaging.hotline import NO_WORDS_YET, SOMEBODY_IS_HERE
from rapid_response.messaging.hotline import RANG_OFF as RANG_OFF_WORDS
from rapid_response.messaging.numbers import normalise_number
from rapid_response.sla.rules import Deadline, Kind
from rapid_response.steps import readiness
from rapid_response.steps.case import hold, reports_of
from rapid_response.steps.desk import Desk
from rapid_response.steps.receive import reading_in_brief, reading_json, receive
from rapid_response.steps.retriage import read_again
from rapid_response.steps.service import service_now, stored_definition
from rapid_response.storage import work
from rapid_response.storage.tables import RANG_OFF, CallRow, ReportRow
from rapid_response.storage.tx import Tx
from rapid_response.storage.work import Due

SOURCE = "hotline"
#: The provider's words for a dialled phone that somebody answered.
_SPOKE = ("completed", "answered")
_OVER = ("completed", "busy", "failed", "no-answer", "canceled")
#: The end of a call and its voicemail are told in any order.
_MESSAGE_MAY_FOLLOW = timedelta(seconds=20)
_ENDED = ":ended"
#: Longer than menu and message, and than nearly every talk with the desk.
_LONGEST_MESSAGE, _LONGEST_AT_THE_DESK = timedelta(minutes=10), timedelta(hours=1)


def call_of(tx: Tx, desk: Desk, sid: str) -> CallRow | None:
    """The call of that provider's id, locked: a message that is told twice at once is one report."""
    return tx.first(
        select(CallRow)
        .where(col(CallRow.provider) == desk.provider, col(CallRow.provider_sid) == sid)
        .with_for_update()
    )


def answer(tx: Tx, desk: Desk, sid: str, from_number: str, to_number: str) -> str | None:
    """A call reached us: it has its row before a word is spoken; the same call again is the same row.

    Gives the desk's phone, where callers are put through to one.
    """
    number = desk_phone(tx, desk)
    if call_of(tx, desk, sid) is None:
        _came_in(tx, desk, sid, from_number, to_number, number)
    return number


def _came_in(
    tx: Tx, desk: Desk, sid: str, from_number: str, to_number: str, desk_number: str | None
) -> CallRow:
    call = tx.new(
        CallRow,
        id=tx.ids.uuid(),
        provider=desk.provider,
        provider_sid=sid,
        inbound=True,
        from_number=from_number[:32],
        to_number=to_number[:32],
        status="in-progress",
        created_at=tx.now,
    )
    # Nobody may ever tell us that it is over: then it counts as over by itself.
    _look_after(tx, call.id, _LONGEST_AT_THE_DESK if desk_number is not None else _LONGEST_MESSAGE)
    return call


def _look_after(tx: Tx, subject: str, after: timedelta) -> None:
    if not work.stands(tx, "", Kind.RANG_OFF, subject):
        work.arm(tx, "", 1, 0, [Deadline(Kind.RANG_OFF, tx.now + after, subject)])


def desk_phone(tx: Tx, desk: Desk) -> str | None:
    """Where callers are put through to; never the hotline itself, which would ring for ever."""
    definition = stored_definition(tx, desk.zone)
    if definition is None or definition.desk_rings in (definition.hotline, *desk.our_numbers):
        return None
    return definition.desk_rings


def press(tx: Tx, desk: Desk, sid: str, digits: str) -> str | None:
    """A caller pressed a key at the menu; gives the desk's phone, where there is one."""
    call = call_of(tx, desk, sid)
    if call is not None:
        call.digits = digits[:20]
    return desk_phone(tx, desk)


def put_through(tx: Tx, desk: Desk, sid: str, how_it_ended: str) -> bool:
    """The desk's phone was rung for a caller; whether somebody spoke to her."""
    spoke = how_it_ended in _SPOKE
    call = call_of(tx, desk, sid)
    if spoke and call is not None and call.outcome in (None, RANG_OFF):
        call.outcome, call.needs_person = "desk", False
    return spoke


def ended(tx: Tx, desk: Desk, sid: str, status: str) -> None:
    """The call is over; without a message of hers, somebody looks after it in a moment."""
    call = call_of(tx, desk, sid)
    if call is None:
        return
    call.status = status[:20]
    if status in _OVER and call.inbound and call.outcome is None:
        _look_after(tx, f"{call.id}{_ENDED}", _MESSAGE_MAY_FOLLOW)


def rang_off(tx: Tx, desk: Desk, due: Due) -> None:
    """She left no message: who pressed that somebody is there is a report, all others are rung back."""
    call = tx.get(CallRow, due.subject.removesuffix(_ENDED), lock=True)
    if call is None or call.outcome is not None:
        return
    if call.digits.startswith(SOMEBODY_IS_HERE):
        report = placeholder(call.digits, call.from_number, RANG_OFF_WORDS)
        reading = desk.reader.read(
            RANG_OFF_WORDS, channel=Channel.VOICEMAIL, received_at=tx.now, zone=desk.zone
        )
        received = receive(tx, desk, report, replace(reading, matter=Matter.UNCLEAR), SOURCE)
        call.incident_id, call.outcome = received.incident_id, "rang_off_in_need"
        return
    call.outcome, call.needs_person = RANG_OFF, normalise_number(call.from_number) is not None
    tx.record(SERVICE_STREAM, CallerRangOff(call.id, call.needs_person, call.created_at))
    if call.needs_person:
        readiness.caller_rang_off(tx, desk, service_now(tx, desk.zone))


def placeholder(
    call_digits: str, from_number: str, words: str = NO_WORDS_YET, received_at: datetime | None = None
) -> ReportIn:
    """The report of a message whose words are not known yet: unclear, and treated as urgent."""
    here = call_digits.startswith(SOMEBODY_IS_HERE)
    return ReportIn(
        channel=Channel.VOICEMAIL,
        narrative=words,
        received_at=received_at,
        caller=Caller(phone=from_number or None),
        answers=Answers.model_validate({"suspect_on_premises": True} if here else {}),
    )


def _with_message(tx: Tx, desk: Desk, sid: str, from_number: str, to_number: str) -> CallRow | None:
    """The call of a message; one that we do not know, as after a restore, is known from now on."""
    call = call_of(tx, desk, sid)
    return _came_in(tx, desk, sid, from_number, to_number, None) if call is None and sid else call


def message_left(
    tx: Tx,
    desk: Desk,
    sid: str,
    reading: Reading,
    recording: str = "",
    *,
    from_number: str = "",
    to_number: str = "",
) -> str | None:
    """A voicemail was left: a report is raised before any transcript exists. Returns its incident's id.

    `recording` is what the provider calls its sound, which can be deleted there by that name.
    """
    call = _with_message(tx, desk, sid, from_number, to_number)
    return None if call is None else _message_left(tx, desk, call, reading, recording)


def _message_left(tx: Tx, desk: Desk, call: CallRow, reading: Reading, recording: str) -> str | None:
    if recording:
        call.recording_sid = recording[:34]
    # What seemed to end without a message may be of a case already, which is of other words of its caller.
    if call.incident_id is not None and call.outcome != RANG_OFF:
        return call.incident_id
    seemed_over, joined_to = call.outcome == RANG_OFF, call.incident_id
    call.outcome, call.needs_person = "voicemail", False
    # Who seemed to ring off spoke when she rang, not when we heard of it: late word of it buys us no time.
    report = placeholder(call.digits, call.from_number, received_at=call.created_at if seemed_over else None)
    # Whatever a model makes of our own placeholder: words nobody knows yet rule nothing out.
    unclear = replace(reading, matter=Matter.UNCLEAR)
    counted_as = call.id if seemed_over else None
    received = receive(tx, desk, report, unclear, SOURCE, raised_from=counted_as)
    call.incident_id = received.incident_id
    if seemed_over:
        tx.record(SERVICE_STREAM, MessageFoundLate(call.id))
        if joined_to is not None and received.incident_id is not None:
            hold(tx, joined_to)
            tx.record(joined_to, ReportLeft(call.id, received.incident_id))
    return received.incident_id


def words_known(
    tx: Tx,
    desk: Desk,
    sid: str,
    words: str,
    reading: Reading,
    blank: Reading,
    *,
    recording: str = "",
    transcription: str = "",
    from_number: str = "",
    to_number: str = "",
) -> None:
    """The voicemail's words: they complete its report, and may raise the case at once.

    They may also come before the message itself, or without it: then the report is raised here (`blank` reads
    its placeholder), even where the provider could read none.
    """
    call = _with_message(tx, desk, sid, from_number, to_number)
    incident_id = None if call is None else _message_left(tx, desk, call, blank, recording)
    if call is None or incident_id is None:
        return
    mine = select(ReportRow).where(col(ReportRow.first_incident_id) == incident_id)
    report = tx.first(mine)
    if not words or report is None or report.narrative not in (NO_WORDS_YET, RANG_OFF_WORDS):
        return
    # From now on the provider need not keep them for us.
    call.transcription_sid, call.words_at = transcription[:34], tx.now
    # The report may have been joined to another incident since: then its words are that one's.
    incident = hold(tx, report.incident_id)
    report.narrative, report.reading = words, reading_json(reading)
    if report.incident_id == incident_id:
        incident.reading = reading_in_brief(reading)
    service = service_now(tx, desk.zone)
    read_again(tx, desk, service, incident, reading, report, reports_of(tx, incident))
