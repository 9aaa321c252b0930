"""What an onlooker reads in the database afterwards: everything once, nothing lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import inf, isclose
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select, text
from sqlmodel import col
from sqlmodel import select as typed_select

from rapid_response.core.states import MessageState, Purpose
from rapid_response.messaging.wording import REPEAT
from rapid_response.reporting import tallies
from rapid_response.simulator.tables import Direction, SimTextRow
from rapid_response.steps.sending import HELD_BY_PERSON
from rapid_response.storage import log
from rapid_response.storage.database import Database
from rapid_response.storage.tables import (
    AgendaRow,
    AttemptRow,
    DeliveryRow,
    EventRow,
    IncidentRow,
    MessageRow,
    OfferRow,
    ReportRow,
    TallyRow,
)
from rapid_response.storage.tx import Tx

_DEADLINES = ("rung", "warn", "breach", "accept_within", "inbound")
_UNSENT = (MessageState.PENDING, MessageState.RETRY_WAIT, MessageState.SENDING, MessageState.UNKNOWN)


def unfinished(connection: Connection, now: datetime) -> dict[str, int]:
    """What is under way: deadlines of the next seconds, messages to send, deliveries to make."""
    agenda = select(func.count()).where(
        col(AgendaRow.settled_at).is_(None),
        or_(
            and_(col(AgendaRow.kind).in_(_DEADLINES), col(AgendaRow.due_at) <= now + timedelta(seconds=20)),
            # It stands for half a minute after a text whose fate was unknown for a moment, and then finds
            # nothing to do: only one that is due is work left undone.
            and_(col(AgendaRow.kind) == "fail_over", col(AgendaRow.due_at) <= now),
        ),
    )
    # A second call to one person waits two minutes for the first: that is no work left undone.
    messages = select(func.count()).where(
        col(MessageRow.state).in_(_UNSENT), col(MessageRow.held).is_distinct_from(HELD_BY_PERSON)
    )
    deliveries = select(func.count()).select_from(DeliveryRow)
    counted = {
        "agenda": connection.execute(agenda).scalar_one(),
        "messages": connection.execute(messages).scalar_one(),
        "deliveries": connection.execute(deliveries).scalar_one(),
    }
    return {name: count for name, count in counted.items() if count}


def parked(connection: Connection) -> Sequence[Any]:
    """Work that failed too often."""
    agenda = select(col(AgendaRow.kind), col(AgendaRow.error)).where(col(AgendaRow.parked_at).is_not(None))
    deliveries = select(col(DeliveryRow.subscription), col(DeliveryRow.error)).where(
        col(DeliveryRow.parked_at).is_not(None)
    )
    return [*connection.execute(agenda).all(), *connection.execute(deliveries).all()]


def stored_reports(connection: Connection) -> list[tuple[str, str]]:
    """The incident and its reference of each report."""
    query = select(col(IncidentRow.id), col(IncidentRow.reference)).join_from(
        ReportRow, IncidentRow, col(ReportRow.incident_id) == col(IncidentRow.id)
    )
    return [(row.id, row.reference) for row in connection.execute(query)]


def offers(connection: Connection, incidents: Sequence[str]) -> Counter[tuple[str, int]]:
    """How often each of the incidents was offered at each rung."""
    rows = connection.execute(
        select(col(OfferRow.incident_id), col(OfferRow.rung)).where(col(OfferRow.incident_id).in_(incidents))
    )
    return Counter((row.incident_id, row.rung) for row in rows)


def texts_of_messages(
    connection: Connection, purpose: Purpose, incidents: Sequence[str] | None = None
) -> dict[str, list[str]]:
    """What reached the simulated phones, for each message of that purpose."""
    query = (
        select(col(MessageRow.id), col(SimTextRow.body))
        .join_from(MessageRow, AttemptRow, col(AttemptRow.message_id) == col(MessageRow.id), isouter=True)
        .join(SimTextRow, col(SimTextRow.token) == col(AttemptRow.token), isouter=True)
        .where(col(MessageRow.purpose) == purpose)
    )
    if incidents is not None:
        query = query.where(col(MessageRow.incident_id).in_(incidents))
    found: dict[str, list[str]] = {}
    for row in connection.execute(query):
        bodies = found.setdefault(row.id, [])
        if row.body is not None:
            bodies.append(row.body)
    return found


def unmarked_duplicates(connection: Connection) -> list[tuple[str, str]]:
    """Texts that a phone got twice from one message, and the second does not say that it is a repeat."""
    query = (
        select(col(AttemptRow.message_id), col(SimTextRow.body))
        .join_from(SimTextRow, AttemptRow, col(AttemptRow.token) == col(SimTextRow.token))
        .where(col(SimTextRow.direction) == Direction.OUTBOUND)
    )
    plain = Counter(
        (row.message_id, row.body) for row in connection.execute(query) if not row.body.startswith(REPEAT)
    )
    return [message for message, count in plain.items() if count > 1]


#: Events of deadlines, and what tells several of one kind apart.
_FIRED = {"deadline_warned": "share", "deadline_missed": "", "rung_reached": "rung"}


def fired(connection: Connection, incidents: Sequence[str]) -> Counter[tuple[str, str, str]]:
    """How often each deadline of the incidents fired."""
    rows = connection.execute(
        select(col(EventRow.stream), col(EventRow.type), col(EventRow.data)).where(
            col(EventRow.stream).in_(incidents), col(EventRow.type).in_(_FIRED)
        )
    )
    return Counter(
        (row.stream, row.type, str(json.loads(row.data).get(_FIRED[row.type], ""))) for row in rows
    )


def unsettled(connection: Connection, incidents: Sequence[str]) -> list[tuple[str, str]]:
    """The deadlines of the incidents that are still to come."""
    rows = connection.execute(
        select(col(AgendaRow.incident_id), col(AgendaRow.kind)).where(
            col(AgendaRow.incident_id).in_(incidents),
            col(AgendaRow.kind).in_(_DEADLINES),
            col(AgendaRow.settled_at).is_(None),
        )
    )
    return [(row.incident_id, row.kind) for row in rows]


def check_log(database: Database) -> None:
    """Everything is sealed, and every chain and seal holds."""
    while database.run_now(log.seal) is not None:
        pass
    verdict = database.look_now(log.verify)
    assert verdict.broken is None, verdict
    assert verdict.events > 0


def check_tallies(database: Database) -> None:
    """The counters say what a recount says of all events that were delivered, at one moment."""
    with database.engine().connect() as connection:
        if not database.is_sqlite:
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin() as transaction:
            kept, counted = _recount(connection, database)
            transaction.rollback()
    # Seconds that are added up in another order differ in their last digits alone.
    compared = {key: (kept.get(key, inf), counted.get(key, inf)) for key in kept.keys() | counted.keys()}
    differing = [(key, *both) for key, both in sorted(compared.items()) if not isclose(*both, abs_tol=1e-6)]
    assert not differing, differing


Tallies = dict[tuple[str, str], float]


def _recount(connection: Connection, database: Database) -> tuple[Tallies, Tallies]:
    """What is kept, and what comes out when all is counted anew."""
    clock = database.clock
    tx = Tx(
        connection,
        now=clock.now(),
        real=clock.real(),
        ids=database.ids,
        actor="audit",
        subscriptions={},
    )
    kept = _tallies(tx)
    waiting = {
        (row.stream, row.seq) for row in tx.execute(select(col(DeliveryRow.stream), col(DeliveryRow.seq)))
    }
    # It stands before the real table, which the nodes go on counting in.
    tx.execute(
        text(
            "CREATE TEMPORARY TABLE tallies (name text, labels text, value float, PRIMARY KEY (name, labels))"
        )
    )
    for row in tx.all(typed_select(EventRow).order_by(col(EventRow.stream), col(EventRow.seq))):
        if (row.stream, row.seq) not in waiting:
            tallies.tally(tx, [row])
    return kept, _tallies(tx)


def _tallies(tx: Tx) -> Tallies:
    rows = tx.execute(select(col(TallyRow.name), col(TallyRow.labels), col(TallyRow.value)))
    # Some are counted from their rows: no event tells of them.
    return {(row.name, row.labels): row.value for row in rows if row.name not in tallies.FROM_ROWS}
