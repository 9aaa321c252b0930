"""A call of ours, answered: what is said, and what a key does.

Answered calls are not accepted jobs: voicemail answers too. Nothing about a job is said before a key proves a
person, and only a key counts (delivery.md 11.2).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import col, select

from rapid_response.core.incident import Action, NotAllowed
from rapid_response.core.states import Purpose
from rapid_response.messaging import wording
from rapid_response.safety import rules
from rapid_response.steps import actions, alarms, notices, offers, texts
from rapid_response.steps.case import hold
from rapid_response.steps.commands import ByResponder, CheckIn
from rapid_response.steps.desk import Desk, Who
from rapid_response.steps.errors import Refusal
from rapid_response.steps.service import service_now
from rapid_response.storage.tables import AlarmRow, AttemptRow, IncidentRow, MessageRow, NoticeRow, OfferRow
from rapid_response.storage.tx import Tx

_HEAR, _YES, _NO, _AGAIN = "1", "1", "2", "*"


@dataclass(frozen=True, slots=True)
class Said:
    """What is spoken now; `asks` when a key is awaited."""

    sentences: tuple[str, ...]
    asks: bool


def _bye(*sentences: str) -> Said:
    return Said(sentences, asks=False)


def converse(tx: Tx, desk: Desk, token: str, digits: str) -> Said:
    """One turn of the conversation; made from stored state, so a repeated request gets the same answer."""
    attempt = tx.first(select(AttemptRow).where(col(AttemptRow.token) == token))
    message = tx.get(MessageRow, attempt.message_id) if attempt else None
    if attempt is None or message is None:
        return _bye(wording.spoken_gone())
    _listen_for_alarm(tx, desk, attempt, message, digits)
    if message.purpose is Purpose.ALARM:
        return _alarm(tx, attempt, message, digits)
    if message.incident_id is None:
        return _bye(wording.spoken_gone())
    incident = hold(tx, message.incident_id)
    if message.purpose is Purpose.CHECK_IN:
        return _check_in(tx, desk, message, incident, digits)
    if message.purpose is Purpose.NOTICE:
        return _notice(tx, desk, attempt, message, incident, digits)
    return _offer(tx, desk, attempt, message, incident, digits)


# Keys that were pressed are kept with the call; these say nothing of what she has heard.
_NINE = rules.ALARM_KEY


def _listen_for_alarm(tx: Tx, desk: Desk, attempt: AttemptRow, message: MessageRow, digits: str) -> None:
    """Pressed twice, in whatever call of ours: a silent alarm. The call goes on as with any other key."""
    if digits != _NINE:
        return
    kind, _, responder_id = message.recipient.partition(":")
    if rules.is_alarm(attempt.keys + digits) and kind == "responder":
        # She may be at another job than the call is about: both are locked, in the order of their ids.
        concerned = (alarms.where(tx, responder_id), message.incident_id)
        for incident_id in sorted({i for i in concerned if i is not None}):
            hold(tx, incident_id)
        tx.actor = message.recipient
        alarms.raise_alarm(tx, service_now(tx, desk.zone), responder_id, "voice")
    attempt.keys = (attempt.keys + digits)[-20:]


def _heard(attempt: AttemptRow) -> bool:
    """Whether a key was pressed to hear what it is about."""
    return bool(attempt.keys.replace(_NINE, ""))


def _alarm(tx: Tx, attempt: AttemptRow, message: MessageRow, digits: str) -> Said:
    """Somebody is to send the police: heard after one key, seen after another."""
    if message.incident_id is not None:
        hold(tx, message.incident_id)
    alarm = tx.get(AlarmRow, message.notice_id or "", lock=True)
    if alarm is None or alarm.ended_at is not None:
        return _bye(wording.spoken_gone())
    if _heard(attempt) and digits == _YES:
        tx.actor = message.recipient
        alarms.acknowledge(tx, [alarm], "voice")
        return _bye(wording.spoken_seen())
    if digits in (_HEAR, _AGAIN):
        attempt.keys = (attempt.keys + digits)[-20:]
        return Said((wording.spoken_notice(message.body),), asks=True)
    return Said((wording.spoken_alarm_first(),), asks=True)


def _check_in(tx: Tx, desk: Desk, message: MessageRow, incident: IncidentRow, digits: str) -> Said:
    """Are you safe? One key says so; nothing about the job is said to whoever picked up."""
    if digits != _YES:
        return Said((wording.spoken_check_in(),), asks=True)
    responder_id = message.recipient.partition(":")[2]
    who = Who(message.recipient, "voice", responder=responder_id)
    tx.actor = message.recipient
    service = service_now(tx, desk.zone)
    try:
        command = CheckIn(responder=responder_id)
        actions.perform(tx, desk, service, incident, Action.CHECK_IN, command, who)
    except (NotAllowed, Refusal):
        pass  # the job is over, or another's: she is safe all the same
    return _bye(wording.spoken_safe())


def _notice(
    tx: Tx, desk: Desk, attempt: AttemptRow, message: MessageRow, incident: IncidentRow, digits: str
) -> Said:
    notice = tx.get(NoticeRow, message.notice_id or "")
    if notice is None:
        return _bye(wording.spoken_gone())
    if not digits and not attempt.keys:
        return Said((wording.spoken_notice_first(),), asks=True)
    if _heard(attempt) and digits == _YES:
        notices.acknowledge(tx, incident, "voice", recipients=(message.recipient,))
        actions.keep_in_view(tx, service_now(tx, desk.zone), incident)
        return _bye(wording.spoken_seen())
    if digits in (_HEAR, _AGAIN):
        attempt.keys = (attempt.keys + digits)[:20]
        return Said((wording.spoken_notice(message.body),), asks=True)
    return Said((wording.spoken_notice_first(),), asks=True)


def _offer(
    tx: Tx, desk: Desk, attempt: AttemptRow, message: MessageRow, incident: IncidentRow, digits: str
) -> Said:
    offer = tx.get(OfferRow, message.offer_id or "")
    if offer is None or offers.answerable(tx, incident, offer.responder_id) is None:
        return _bye(wording.spoken_gone())
    if not digits and not attempt.keys:
        return Said((wording.spoken_offer(),), asks=True)
    if not attempt.keys:
        attempt.keys = (attempt.keys + digits)[:20]
    elif digits in (_YES, _NO):
        return _answer(tx, desk, incident, offer.responder_id, accepts=digits == _YES)
    return Said((wording.spoken_job(texts.job(incident), desk.zone, tx.now),), asks=True)


def _answer(tx: Tx, desk: Desk, incident: IncidentRow, responder_id: str, *, accepts: bool) -> Said:
    who = Who(f"responder:{responder_id}", "voice", responder=responder_id)
    action = Action.ACCEPT if accepts else Action.DECLINE
    try:
        actions.perform(
            tx,
            desk,
            service_now(tx, desk.zone),
            incident,
            action,
            ByResponder(responder=responder_id),
            who,
        )
    except (NotAllowed, Refusal):
        return _bye(wording.spoken_gone())
    if accepts:
        return _bye(wording.spoken_accepted(incident.job_number or 0))
    return _bye(wording.spoken_declined())
