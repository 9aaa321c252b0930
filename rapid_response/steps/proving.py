"""Proving whose a number is: a code goes there, and comes back by another way; asked for again in time.

Who may send and enter is for the pages to say. A code that was wrong, or came too late, is counted in the
same step that says so: whoever guesses has five tries, whatever he does between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select
from sqlmodel import col

from rapid_response.core import events as happened
from rapid_response.core.definition import Responder, ServiceDefinition
from rapid_response.core.numbers import is_uk_mobile, masked
from rapid_response.core.states import EndpointState, MessageChannel, Purpose
from rapid_response.messaging import proof, wording
from rapid_response.messaging.proof import Proof, Refused
from rapid_response.steps import endpoints, readiness
from rapid_response.steps.desk import Desk
from rapid_response.steps.errors import NotFound
from rapid_response.steps.outbox import queue
from rapid_response.steps.service import Service, service_now
from rapid_response.storage.tables import NumberProofRow, ResponderRow
from rapid_response.storage.tx import Tx

#: Why a number counts as suspect when somebody says that it is not hers: that a text arrives mends nothing.
DENIED = endpoints.WRONG_NUMBER


@dataclass(frozen=True, slots=True)
class Standing:
    """One number of one person: `position` names it in addresses, which hold no number."""

    responder_id: str
    name: str
    position: int
    number: str
    proof: Proof
    until: datetime | None = None
    #: Until when a code that was sent can be entered.
    code_until: datetime | None = None

    @property
    def channel(self) -> MessageChannel:
        """How a code goes there: landlines are rung."""
        return MessageChannel.SMS if is_uk_mobile(self.number) else MessageChannel.VOICE

    @property
    def sentence(self) -> str:
        """What is known, and what to do; the number is named by its end."""
        return _SAY[self.proof].format(name=self.name, number=masked(self.number))


_SAY = {
    Proof.NEVER: "{name} ({number}): nobody has confirmed yet that this number is theirs.",
    Proof.PROVED: "{name} ({number}): confirmed.",
    Proof.ENDING: "{name} ({number}): to be confirmed again soon.",
    Proof.OVER: "{name} ({number}): not confirmed for half a year; it may be somebody else's now.",
    Proof.DENIED: "{name} ({number}): somebody there says that it is a wrong number. Ring them another way.",
}


def standings(
    source: Connection | Tx, definition: ServiceDefinition, now: datetime, only: str | None = None
) -> list[Standing]:
    """Every number of everybody who may be asked or told, as the service lists them; `only` one person's."""
    rows = source.execute(
        select(
            col(NumberProofRow.number),
            col(NumberProofRow.responder_id),
            col(NumberProofRow.code),
            col(NumberProofRow.sent_at),
            col(NumberProofRow.proved_at),
            col(NumberProofRow.denied_at),
        )
    )
    known = {(row.number, row.responder_id): row for row in rows}
    return [
        _standing(person, position, number, known, now)
        for person in definition.responders
        if only is None or person.id == only
        for position, number in enumerate(person.numbers)
    ]


def _standing(
    person: Responder,
    position: int,
    number: str,
    known: Mapping[tuple[str, str], object],
    now: datetime,
) -> Standing:
    row = known.get((number, person.id))
    proved_at: datetime | None = getattr(row, "proved_at", None)
    sent_at: datetime | None = getattr(row, "sent_at", None)
    waits = getattr(row, "code", None) is not None and sent_at is not None
    code_until = sent_at + proof.CODE_LIVES if waits and sent_at is not None else None
    return Standing(
        person.id,
        person.name,
        position,
        number,
        proof.standing(proved_at, getattr(row, "denied_at", None), now),
        until=proved_at + proof.HOLDS_FOR if proved_at is not None else None,
        code_until=code_until if code_until is not None and code_until > now else None,
    )


def to_confirm(found: Sequence[Standing]) -> list[Standing]:
    """Those that nobody vouches for now; the gravest first."""
    order = (Proof.DENIED, Proof.OVER, Proof.NEVER)
    return sorted((s for s in found if s.proof in order), key=lambda s: order.index(s.proof))


# --- sending and entering --------------------------------------------------------------------------------


def send_code(tx: Tx, desk: Desk, responder_id: str, position: int) -> Refused | None:
    """A new code to that number; an older one is worth nothing any more. None when it is on its way."""
    person, number = _number(tx, desk, responder_id, position)
    row = _row(tx, person, number)
    today = tx.now.astimezone(desk.zone).date().isoformat()
    if row.sent_on != today:
        row.sent_on, row.sent_today = today, 0
    refused = proof.may_send(row.sent_at, row.sent_today, tx.now)
    if refused is not None:
        return refused
    row.code, row.sent_at, row.tries = proof.code_of(tx.ids.below(proof.CODES)), tx.now, 0
    row.sent_today += 1
    channel = MessageChannel.SMS if is_uk_mobile(number) else MessageChannel.VOICE
    queue(
        tx,
        key=f"verify:{tx.ids.uuid()}",
        purpose=Purpose.VERIFY_NUMBER,
        channel=channel,
        to_number=number,
        recipient=f"responder:{person.id}",
        body=wording.number_code(row.code),
        is_new=True,
    )
    tx.record(happened.SERVICE_STREAM, happened.NumberCodeSent(person.id, channel))
    return None


def enter_code(tx: Tx, desk: Desk, responder_id: str, position: int, entered: str) -> Refused | None:
    """What came back by another way; None when it is the code, and the number proved."""
    person, number = _number(tx, desk, responder_id, position)
    row = _row(tx, person, number)
    wrong = proof.judge(row.code, row.sent_at, row.tries, entered, tx.now)
    if wrong is Refused.WRONG:
        row.tries += 1
    if wrong is not None:
        tx.record(happened.SERVICE_STREAM, happened.NumberNotProved(person.id, wrong))
        return wrong
    row.code, row.tries = None, 0
    row.proved_at, row.proved_by, row.asked_at, row.denied_at = tx.now, tx.actor, None, None
    tx.record(happened.SERVICE_STREAM, happened.NumberProved(person.id, tx.now + proof.HOLDS_FOR))
    for channel in MessageChannel:
        known = endpoints.get(tx, number, channel)
        if known is not None and known.state == EndpointState.SUSPECT and known.why == DENIED:
            endpoints.become(tx, number, channel, EndpointState.ACTIVE, "confirmed", f"responder:{person.id}")
    return None


def _number(tx: Tx, desk: Desk, responder_id: str, position: int) -> tuple[Responder, str]:
    """The number in that place of her list; her row is locked, so that two codes cannot cross."""
    person = service_now(tx, desk.zone).definition.responder(responder_id)
    if person is None or not 0 <= position < len(person.numbers):
        raise NotFound("There is no such number.")
    tx.get(ResponderRow, responder_id, lock=True)
    return person, person.numbers[position]


def _row(tx: Tx, person: Responder, number: str) -> NumberProofRow:
    """What is known of a number; all of it is forgotten once the number is somebody else's."""
    row = tx.get(NumberProofRow, number)
    if row is None:
        return tx.new(NumberProofRow, number=number, responder_id=person.id)
    if row.responder_id != person.id:
        row.responder_id, row.code, row.sent_at, row.tries = person.id, None, None, 0
        row.proved_at = row.proved_by = row.asked_at = row.denied_at = None
    return row


# --- by itself -------------------------------------------------------------------------------------------


def ask_again(tx: Tx, service: Service) -> int:
    """Whoever's proof ends soon, or has ended, is texted where to get a new code: once a week. How many were.

    The code itself is sent when she asks for it, and so lives for minutes only.
    """
    asked = 0
    for person in service.definition.responders:
        due = [s for s in standings(tx, service.definition, tx.now, person.id) if s.proof in _TO_RENEW]
        rows = [row for s in due if (row := tx.get(NumberProofRow, s.number)) is not None]
        to = next((n for n in (person.sms, person.second_sms) if n and is_uk_mobile(n)), None)
        if to is None or not any(proof.is_asked_again(row.asked_at, tx.now) for row in rows):
            continue
        for row in rows:
            row.asked_at = tx.now
        queue(
            tx,
            key=f"number_due:{person.id}:{tx.now.date().isoformat()}",
            purpose=Purpose.REMINDER,
            to_number=to,
            recipient=f"responder:{person.id}",
            body=wording.number_due(),
        )
        asked += 1
    return asked


_TO_RENEW = (Proof.ENDING, Proof.OVER)


def deny(tx: Tx, desk: Desk, service: Service, responder_id: str, number: str) -> None:
    """Whoever has that phone says that it is a wrong number: it comes last from now, and the desk looks."""
    person = service.definition.responder(responder_id)
    if person is None:
        return
    tx.get(ResponderRow, responder_id, lock=True)
    row = _row(tx, person, number)
    if row.denied_at is None:
        row.denied_at, row.code = tx.now, None
        tx.record(happened.SERVICE_STREAM, happened.NumberDenied(responder_id))
    whose = f"responder:{responder_id}"
    for channel in MessageChannel:
        known = endpoints.get(tx, number, channel)
        if known is None or known.state != EndpointState.OPTED_OUT:
            endpoints.become(tx, number, channel, EndpointState.SUSPECT, DENIED, whose)
    readiness.wrong_number(tx, desk, service)
