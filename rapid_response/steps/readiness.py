"""Whether those who may be asked can be reached: stopped, suspect, never confirmed numbers (delivery.md 2.5).

Known before the night in which it matters: at `load`, each morning, in `doctor` and on the board; a text at
the start of each shift finds out, where the service definition switches it on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select
from sqlmodel import col

from rapid_response.core import rota
from rapid_response.core.definition import Responder, ServiceDefinition
from rapid_response.core.numbers import masked
from rapid_response.core.states import EndpointState, MessageChannel, Purpose
from rapid_response.core.vocabulary import ContactRole
from rapid_response.dispatch.rules import who_hears
from rapid_response.messaging import wording
from rapid_response.messaging.ladder import addresses
from rapid_response.sla.rules import Deadline, Kind
from rapid_response.steps import mailing
from rapid_response.steps.desk import Desk
from rapid_response.steps.outbox import queue
from rapid_response.steps.service import Service, service_now
from rapid_response.storage import work
from rapid_response.storage.tables import CallRow, EndpointRow, LineRow
from rapid_response.storage.tx import Tx


class Trouble(StrEnum):
    """What is wrong with a number, or not known of it; the gravest first."""

    OPTED_OUT = "opted_out"
    SUSPECT = "suspect"
    NEVER_CONFIRMED = "never_confirmed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One number of one person that may not be relied on."""

    responder_id: str
    name: str
    channel: MessageChannel
    number: str
    trouble: Trouble
    since: datetime | None = None

    @property
    def sentence(self) -> str:
        """What is wrong and what to do; the number is named by its end."""
        what = "texts" if self.channel is MessageChannel.SMS else "calls"
        return _SAY[self.trouble].format(name=self.name, number=masked(self.number), what=what)


_SAY = {
    Trouble.OPTED_OUT: "{name} ({number}) has stopped our texts: ask them to text START to us.",
    Trouble.SUSPECT: "{name} ({number}): {what} fail there; check the number, or give another.",
    Trouble.NEVER_CONFIRMED: "{name} ({number}): nothing of ours has ever arrived there by {what}.",
}


def findings(connection: Connection | Tx, definition: ServiceDefinition) -> list[Finding]:
    """Every number of everybody who may be asked or told, that may not be relied on; the gravest first."""
    rows = connection.execute(
        select(
            col(EndpointRow.number),
            col(EndpointRow.channel),
            col(EndpointRow.state),
            col(EndpointRow.since),
            col(EndpointRow.confirmed_at),
        )
    )
    known: dict[tuple[str, MessageChannel], object] = {(row.number, row.channel): row for row in rows}
    found = [
        finding
        for person in definition.responders
        if person.skills or person.roles
        for finding in _of(person, known)
    ]
    order = list(Trouble)
    return sorted(found, key=lambda f: (order.index(f.trouble), f.responder_id, f.channel, f.number))


def _of(person: Responder, known: dict[tuple[str, MessageChannel], object]) -> Iterator[Finding]:
    for address in addresses(person):
        row = known.get((address.number, address.channel))
        trouble = _trouble(row)
        # That a call was never answered says little: only texts are expected to be confirmed.
        if trouble is None or (trouble is Trouble.NEVER_CONFIRMED and address.way.is_call):
            continue
        since = getattr(row, "since", None)
        yield Finding(person.id, person.name, address.channel, address.number, trouble, since)


def _trouble(row: object) -> Trouble | None:
    state = getattr(row, "state", None)
    if state == EndpointState.OPTED_OUT:
        return Trouble.OPTED_OUT
    if state == EndpointState.SUSPECT:
        return Trouble.SUSPECT
    return Trouble.NEVER_CONFIRMED if getattr(row, "confirmed_at", None) is None else None


def unreachable(found: Sequence[Finding]) -> int:
    """How many people have a number that is known not to work."""
    return len({f.responder_id for f in found if f.trouble is not Trouble.NEVER_CONFIRMED})


def alarms(connection: Connection | Tx, now: datetime, zone: ZoneInfo) -> Iterator[str]:
    """What keeps messages from going out, in sentences for the desk; nothing when all is well."""
    today = now.astimezone(zone).date().isoformat()
    rows = connection.execute(
        select(
            col(LineRow.provider),
            col(LineRow.channel),
            col(LineRow.opened_at),
            col(LineRow.why),
            col(LineRow.alarmed_for),
            col(LineRow.sent_today),
        ).order_by(col(LineRow.name))
    ).all()
    for row in rows:
        what = "Texts" if row.channel is MessageChannel.SMS else "Calls"
        if row.opened_at is not None:
            yield f"{what} do not go out: {_LINE_WHY.get(row.why, 'the phone network is down')}. {_INSTEAD}"
    for row in rows:
        if row.alarmed_for == today:
            yield f"{row.sent_today} texts went out today, more than a day should need. None was held back."
    unheard = connection.execute(
        select(func.count()).select_from(CallRow).where(col(CallRow.needs_person))
    ).scalar_one()
    if unheard:
        yield f"{unheard} {'caller' if unheard == 1 else 'callers'} rang off without a message. {_RING_BACK}"


_RING_BACK = "Open Texts and calls, and ring back."
_INSTEAD = "Ring responders yourself until this line is gone."
_LINE_WHY = {
    "down": "the phone network cannot be reached",
    "account": "our account with the phone network is refused",
    "sender": "our own number is refused as sender",
}


# --- telling the desk ------------------------------------------------------------------------------------


def alert(tx: Tx, desk: Desk, service: Service, state: EndpointState) -> None:
    """A number has failed while nothing hung on it: the desk hears of it once an hour, and sees whose."""
    _tell(tx, desk, service, ContactRole.DESK, f"endpoint:{state}:{_hour(tx)}", wording.numbers_failing(1))


def wrong_number(tx: Tx, desk: Desk, service: Service) -> None:
    """Somebody says that a number is not that person's: the desk hears of it, once an hour."""
    _tell(tx, desk, service, ContactRole.DESK, f"wrong_number:{_hour(tx)}", wording.numbers_failing(1))


def caller_rang_off(tx: Tx, desk: Desk, service: Service) -> None:
    """Somebody rang and left no message: the desk hears of it, once in a quarter of an hour."""
    quarter = f"{_hour(tx)}:{tx.now.minute // 15 * 15:02}"
    _tell(tx, desk, service, ContactRole.DESK, f"rang_off:{quarter}", wording.caller_rang_off())


def _hour(tx: Tx) -> str:
    """This hour, by the clock that has each once: of the one that comes twice the second was never told."""
    return tx.now.strftime("%Y-%m-%dT%HZ")


def morning(tx: Tx, desk: Desk, service: Service, day: str) -> None:
    """With the daily line: how many cannot be reached by a number of theirs."""
    many = unreachable(findings(tx, service.definition))
    if many:
        _tell(tx, desk, service, ContactRole.DUTY_OFFICER, f"readiness:{day}", wording.numbers_failing(many))


def _tell(tx: Tx, desk: Desk, service: Service, role: ContactRole, key: str, body: str) -> None:
    mailing.tell(tx, desk, role, key, body)
    for hears in who_hears(role, service.holders(role, tx.now), service.definition.contacts):
        if hears.sms:
            queue(
                tx,
                key=f"{key}:{hears.id}",
                purpose=Purpose.REMINDER,
                to_number=hears.sms,
                recipient=hears.id,
                body=body,
            )


# --- the text at the start of a shift --------------------------------------------------------------------

#: A shift test that comes so late says nothing about the start of the shift.
_LATEST = timedelta(hours=1)


def arm_shift_test(tx: Tx, desk: Desk) -> None:
    """See that the next start of a shift is on the agenda, where the service wants its texts."""
    service = service_now(tx, desk.zone)
    if not service.definition.test_at_shift_start or work.pending(tx, "", [Kind.SHIFT_TEST.value]):
        return
    begins = service.next_shift_start(tx.now)
    if begins is not None:
        subject = begins.isoformat(timespec="minutes")
        if not work.stands(tx, "", Kind.SHIFT_TEST, subject):
            work.arm(tx, "", 1, 4, [Deadline(Kind.SHIFT_TEST, begins, subject)])


def shift_test(tx: Tx, desk: Desk, due_at: datetime) -> None:
    """Text everybody whose duty begins now, once a shift."""
    service = service_now(tx, desk.zone)
    if service.definition.test_at_shift_start and tx.now - due_at <= _LATEST:
        for person in _beginning(service, due_at):
            if person.sms:
                queue(
                    tx,
                    key=f"test:{person.id}:{due_at.isoformat(timespec='minutes')}",
                    purpose=Purpose.TEST,
                    to_number=person.sms,
                    recipient=f"responder:{person.id}",
                    body=wording.shift_test(),
                )
    arm_shift_test(tx, desk)


def _beginning(service: Service, at: datetime) -> list[Responder]:
    """Those whose duty begins at that moment, and did not last until it."""
    begins = {
        shift.responder
        for shift in rota.shifts_between(service.definition, at, at + timedelta(minutes=1))
        if shift.start_utc == at
    }
    before = service.on_duty(at - timedelta(seconds=1))
    on_duty = service.on_duty(at)
    return [
        r for r in service.definition.responders if r.id in begins and r.id in on_duty and r.id not in before
    ]
