"""A call of ours, answered: what is said, and what a key does.

Answered calls are not accepted jobs: voicemail answers too. Nothing about a job is said before a key proves a
person, and only a key counts (delivery.md 11.2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
    #: How many keys were pressed so far: it stands in the address that the next key is posted to.
    pressed: int = 0


def _bye(*sentences: str) -> Said:
    return Said(sentences, asks=False)


def converse(tx: Tx, desk: Desk, token: str, digits: str, pressed: int = 0) -> Said:
    """One turn of the conversation, the `pressed`-th key before it; a repeated request gets the same answer.

    The provider asks again when our answer was slow. The 1 that hears a job must not then take it.
    """
    attempt = tx.first(select(AttemptRow).where(col(AttemptRow.token) == token))
    message = tx.get(MessageRow, attempt.message_id) if attempt else None
    if attempt is None or message is None:
        return _bye(wording.spoken_gone())
    keys = attempt.keys[:pressed]
    is_alarm = rules.is_alarm(keys + digits) and message.recipient.startswith(_RESPONDER)
    her = message.recipient.removeprefix(_RESPONDER)
    # She may be at another job than the call is about: both are locked, in the order of their ids.
    for incident_id in sorted(
        {i for i in (alarms.where(tx, her), message.incident_id) if i} if is_alarm else ()
    ):
        hold(tx, incident_id)
    incident = hold(tx, message.incident_id) if message.incident_id else None
    attempt.keys = keys
    if is_alarm:
        _alarm_raised(tx, desk, her)
    if digits == _NINE:
        _press(attempt, digits)
    if message.purpose is Purpose.ALARM:
        said = _alarm(tx, attempt, message, digits)
    elif message.purpose is Purpose.VERIFY_NUMBER:
        said = _code(attempt, message, digits)
    elif incident is None:
        return _bye(wording.spoken_gone())
    else:
        said = _TURNS.get(message.purpose, _offer)(tx, desk, attempt, message, incident, digits)
    return replace(said, pressed=len(attempt.keys))


def _press(attempt: AttemptRow, digits: str) -> None:
    """Keep the key with the call; the last ones, of a person who presses very many."""
    attempt.keys = (attempt.keys + digits)[-20:]


# Keys that were pressed are kept with the call; this one says nothing of what she has heard.
_NINE = rules.ALARM_KEY
_RESPONDER = "responder:"


def _alarm_raised(tx: Tx, desk: Desk, responder_id: str) -> None:
    """Pressed twice, in whatever call of ours: a silent alarm. The call goes on as with any other key."""
    tx.actor = f"{_RESPONDER}{responder_id}"
    alarms.raise_alarm(tx, service_now(tx, desk.zone), responder_id, "voice")


def _heard(attempt: AttemptRow) -> bool:
    """Whether a key was pressed to hear what it is about."""
    return bool(attempt.keys.replace(_NINE, ""))


def _told(
    _tx: Tx, _desk: Desk, attempt: AttemptRow, message: MessageRow, _incident: IncidentRow, digits: str
) -> Said:
    """Nothing is asked; but nothing is said either before a key proves a person."""
    if not digits and not attempt.keys:
        return Said((wording.spoken_notice_first(),), asks=True)
    if digits != _NINE:
        _press(attempt, digits)
    return _bye(wording.spoken_words(message.body))


def _alarm(tx: Tx, attempt: AttemptRow, message: MessageRow, digits: str) -> Said:
    """Somebody is to send the police: heard after one key, seen after another."""
    alarm = tx.get(AlarmRow, message.notice_id or "", lock=True)
    if alarm is None or alarm.ended_at is not None:
        return _bye(wording.spoken_gone())
    if _heard(attempt) and digits == _YES:
        tx.actor = message.recipient
        alarms.acknowledge(tx, [alarm], "voice")
        return _bye(wording.spoken_seen())
    return _read_out(attempt, digits, wording.spoken_notice(message.body), wording.spoken_alarm_first())


def _code(attempt: AttemptRow, message: MessageRow, digits: str) -> Said:
    """A code, said after a key proves a person; hearing it proves nothing, entering it elsewhere does."""
    return _read_out(attempt, digits, wording.spoken_code(message.body), wording.spoken_code_first())


def _read_out(attempt: AttemptRow, digits: str, words: str, first: str) -> Said:
    """The words once a key proves a person, as often as wanted; until then only who rings."""
    if digits not in (_HEAR, _AGAIN):
        return Said((first,), asks=True)
    _press(attempt, digits)
    return Said((words,), asks=True)


def _check_in(
    tx: Tx, desk: Desk, attempt: AttemptRow, message: MessageRow, incident: IncidentRow, digits: str
) -> Said:
    """Are you safe? One key says so; nothing about the job is said to whoever picked up."""
    if digits != _YES:
        return Said((wording.spoken_check_in(),), asks=True)
    _press(attempt, digits)
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
    if _heard(attempt) and digits == _YES:
        # Nothing that was given while the phone rang: it has not been said.
        notices.acknowledge(tx, incident, "voice", recipients=(message.recipient,), said_at=notice.given_at)
        actions.keep_in_view(tx, service_now(tx, desk.zone), incident)
        return _bye(wording.spoken_seen())
    return _read_out(attempt, digits, wording.spoken_notice(message.body), wording.spoken_notice_first())


def _offer(
    tx: Tx, desk: Desk, attempt: AttemptRow, message: MessageRow, incident: IncidentRow, digits: str
) -> Said:
    offer = tx.get(OfferRow, message.offer_id or "")
    is_taken = incident.owner is not None
    if offer is None or is_taken or offers.answerable(tx, incident, offer.responder_id) is None:
        return _bye(_not_open(incident, offer))
    if not digits and not attempt.keys:
        return Said((wording.spoken_offer(),), asks=True)
    if not attempt.keys:
        _press(attempt, digits)
    elif digits in (_YES, _NO):
        return _answer(tx, desk, incident, offer.responder_id, accepts=digits == _YES)
    return Said((wording.spoken_job(texts.job(incident, tx.now), desk.zone, tx.now),), asks=True)


def _not_open(incident: IncidentRow, offer: OfferRow | None) -> str:
    """It was taken while the phone rang, or is over; nothing of the job itself is said."""
    if offer is None or incident.owner is None:
        return wording.spoken_gone()
    if incident.owner == offer.responder_id:
        return wording.spoken_yours()
    return wording.spoken_taken()


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
        return _bye(_not_open(incident, None))
    if accepts:
        return _bye(wording.spoken_accepted(incident.job_number or 0))
    return _bye(wording.spoken_declined())


_TURNS = {
    Purpose.NOTICE: _notice,
    Purpose.STAND_DOWN: _told,
    Purpose.REMINDER: _told,
    Purpose.CHECK_IN: _check_in,
}
