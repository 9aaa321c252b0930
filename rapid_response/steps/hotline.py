"""The hotline: a row at the first ring, a report when a message was left, its words when they are known."""

from __future__ import annotations

from dataclasses import replace

from sqlmodel import col, select

from rapid_response.core.vocabulary import Channel
from rapid_response.intake.reading.port import Matter, Reading
from rapid_response.intake.report_in import Answers, Caller, ReportIn
from rapid_response.messaging.hotline import NO_WORDS_YET, SOMEBODY_IS_HERE
from rapid_response.steps.case import hold, reports_of
from rapid_response.steps.desk import Desk
from rapid_response.steps.receive import reading_json, receive
from rapid_response.steps.retriage import read_again
from rapid_response.steps.service import service_now
from rapid_response.storage.tables import CallRow, ReportRow
from rapid_response.storage.tx import Tx

SOURCE = "hotline"


def call_of(tx: Tx, desk: Desk, sid: str) -> CallRow | None:
    """The call of that provider's id."""
    return tx.first(
        select(CallRow).where(col(CallRow.provider) == desk.provider, col(CallRow.provider_sid) == sid)
    )


def answer(tx: Tx, desk: Desk, sid: str, from_number: str, to_number: str) -> None:
    """A call reached us: it has its row before a word is spoken; the same call again is the same row."""
    if call_of(tx, desk, sid) is not None:
        return
    tx.add(
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


def press(tx: Tx, desk: Desk, sid: str, digits: str) -> None:
    """A caller pressed a key at the menu."""
    call = call_of(tx, desk, sid)
    if call is not None:
        call.digits = digits[:20]


def ended(tx: Tx, desk: Desk, sid: str, status: str) -> None:
    """The call is over."""
    call = call_of(tx, desk, sid)
    if call is not None:
        call.status = status[:20]


def placeholder(call_digits: str, from_number: str) -> ReportIn:
    """The report of a message whose words are not known yet: unclear, and treated as urgent."""
    here = call_digits.startswith(SOMEBODY_IS_HERE)
    return ReportIn(
        channel=Channel.VOICEMAIL,
        narrative=NO_WORDS_YET,
        caller=Caller(phone=from_number or None),
        answers=Answers.model_validate({"suspect_on_premises": True} if here else {}),
    )


def message_left(tx: Tx, desk: Desk, sid: str, reading: Reading) -> str | None:
    """A voicemail was left: a report is raised before any transcript exists. Returns its incident's id."""
    call = call_of(tx, desk, sid)
    if call is None or call.incident_id is not None:
        return call.incident_id if call else None
    report = placeholder(call.digits, call.from_number)
    # Whatever a model makes of our own placeholder: words nobody knows yet rule nothing out.
    received = receive(tx, desk, report, replace(reading, matter=Matter.UNCLEAR), SOURCE)
    call.incident_id, call.outcome = received.incident_id, "voicemail"
    return received.incident_id


def words_known(tx: Tx, desk: Desk, sid: str, words: str, reading: Reading, blank: Reading) -> None:
    """The voicemail's words: they complete its report, and may raise the case at once.

    They may also come before the message itself: then the report is raised here (`blank` reads its
    placeholder).
    """
    incident_id = message_left(tx, desk, sid, blank)
    if incident_id is None:
        return
    mine = select(ReportRow).where(col(ReportRow.first_incident_id) == incident_id)
    report = tx.first(mine)
    if report is None or report.narrative != NO_WORDS_YET:
        return
    # The report may have been joined to another incident since: then its words are that one's.
    incident = hold(tx, report.incident_id)
    report.narrative, report.reading = words, reading_json(reading)
    if report.incident_id == incident_id:
        incident.reading = report.reading
    service = service_now(tx, desk.zone)
    read_again(tx, desk, service, incident, reading, report, reports_of(tx, incident))
