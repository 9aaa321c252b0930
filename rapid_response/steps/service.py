"""The service as a step sees it: the definition in force, and who is away or on beyond the rota."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, or_, select
from sqlmodel import col

from rapid_response.core import rota
from rapid_response.core.definition import Responder, ServiceDefinition
from rapid_response.core.states import AvailabilityKind
from rapid_response.core.vocabulary import ContactRole
from rapid_response.definition.stored import from_stored
from rapid_response.steps.errors import Invalid
from rapid_response.storage.once import Filled
from rapid_response.storage.tables import AvailabilityRow, DefinitionRow
from rapid_response.storage.tx import Tx, read_from

_Spans = dict[str, list[tuple[datetime, datetime | None]]]


class NoService(Exception):
    """No service definition is loaded, so nobody can be asked."""

    def __init__(self) -> None:
        super().__init__("no service definition is loaded: run `rapid-response load deploy/bromley.yaml`")


@dataclass(frozen=True, slots=True)
class Service:
    """One borough's service at one moment."""

    definition: ServiceDefinition
    away: _Spans
    extra: _Spans

    def on_duty(self, at: datetime) -> frozenset[str]:
        """Ids of those on duty."""
        return rota.on_duty(self.definition, at, self.away, self.extra)

    def holders(self, role: ContactRole, at: datetime) -> Sequence[Responder]:
        """Who holds the role on the rota at that moment."""
        return rota.holders(self.definition, role, at, self.away, self.extra)

    def shift_end(self, responder: str, at: datetime) -> datetime | None:
        """When the responder's duty ends; None when off duty or always on."""
        return rota.shift_end(self.definition, responder, at, self.away, self.extra)

    def next_shift_start(self, after: datetime) -> datetime | None:
        """When somebody next comes on duty."""
        return rota.next_shift_start(self.definition, after, self.away, self.extra)

    def is_away(self, responder: str, at: datetime) -> bool:
        """Whether the responder is off by exception, whatever the rota says."""
        return any(start <= at and (end is None or at < end) for start, end in self.away.get(responder, ()))

    def next_working_day(self, at: datetime, days: int = 1) -> datetime:
        """When a follow-up of the next working day, or of the `days`-th, falls due."""
        return rota.working_day_after(self.definition.sla, self.definition.zone, at, days)


@dataclass(slots=True)
class LastKnown:
    """The last definition that was read: with the database gone, the number to ring can still be given."""

    definition: ServiceDefinition | None = None

    @property
    def hotline(self) -> str:
        """The number, or nothing where none was ever known."""
        return self.definition.hotline if self.definition else ""

    def read(self, connection: Connection, zone: ZoneInfo) -> ServiceDefinition | None:
        """The definition in force, remembered."""
        self.definition = stored_definition(connection, zone)
        return self.definition


def responder_named(service: Service, responder_id: str) -> Responder:
    """The responder of whom an action speaks. Raises Invalid for nobody's id."""
    responder = service.definition.responder(responder_id)
    if responder is None:
        raise Invalid(
            "There is no responder with this id. Choose one from the service definition.", "responder"
        )
    return responder


# Definitions are frozen and numbered, so one parse a version serves the process.
_parsed: dict[tuple[int, str, str], ServiceDefinition] = {}


_NEWEST = (
    select(col(DefinitionRow.version), col(DefinitionRow.digest))
    .order_by(col(DefinitionRow.version).desc())
    .limit(1)
)
_HEAD = Filled(_NEWEST)
_EXCEPTIONS = Filled(
    select(
        col(AvailabilityRow.responder_id),
        col(AvailabilityRow.kind),
        col(AvailabilityRow.from_at),
        col(AvailabilityRow.until_at),
    ).where(
        col(AvailabilityRow.ended_at).is_(None),
        or_(col(AvailabilityRow.until_at).is_(None), col(AvailabilityRow.until_at) > bindparam("now")),
    )
)


def stored_definition(connection: Connection | Tx, zone: ZoneInfo) -> ServiceDefinition | None:
    """The definition in force, or None when none is loaded."""
    return _parse(connection, read_from(connection, _HEAD).first(), zone)


def definition_before(tx: Tx, version: int, zone: ZoneInfo) -> ServiceDefinition | None:
    """The definition that was in force before that one, or None where it was the first."""
    head = tx.execute(_NEWEST.where(col(DefinitionRow.version) < version)).first()
    return _parse(tx, head, zone)


def _parse(connection: Connection | Tx, head: Any, zone: ZoneInfo) -> ServiceDefinition | None:
    if head is None:
        return None
    key = (head.version, head.digest, zone.key)
    known = _parsed.get(key)
    if known is None:
        body = connection.execute(
            select(col(DefinitionRow.body)).where(col(DefinitionRow.version) == head.version)
        ).scalar_one()
        known = _parsed[key] = from_stored(body).to_definition(head.version, zone)
    return known


def service_now(tx: Tx, zone: ZoneInfo) -> Service:
    """The service in force at the moment of a step; raises :class:`NoService`."""
    return service_for(tx, zone, tx.now)


def service_for(tx: Connection | Tx, zone: ZoneInfo, now: datetime) -> Service:
    """The service in force at a moment; raises :class:`NoService`."""
    definition = stored_definition(tx, zone)
    if definition is None:
        raise NoService
    away: _Spans = {}
    extra: _Spans = {}
    for row in read_from(tx, _EXCEPTIONS.given({"now": now})):
        spans = away if row.kind is AvailabilityKind.OFF else extra
        spans.setdefault(row.responder_id, []).append((row.from_at, row.until_at))
    return Service(definition, away, extra)
