"""What can be made to fail: a phone that is off, receipts that never come, a network that takes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select
from sqlmodel import col

from rapid_response.simulator.tables import SimFaultRow
from rapid_response.storage.once import Filled
from rapid_response.storage.tx import Tx, read_from

#: Stands for every number.
EVERYWHERE = "*"


class NetworkDown(ConnectionError):
    """The network takes nothing; what was handed over has certainly not gone."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What fails for one number."""

    phone_off: bool
    no_receipts: bool
    outage: bool


@dataclass(frozen=True, slots=True)
class Faults:
    """What is failing now."""

    by_number: Mapping[str, Fault]

    def phone_off(self, number: str) -> bool:
        """Whether that phone cannot be reached."""
        return any(row.phone_off for row in self._of(number))

    def no_receipts(self, number: str) -> bool:
        """Whether nothing is heard of what goes to that phone."""
        return any(row.no_receipts for row in self._of(number))

    @property
    def outage(self) -> bool:
        """Whether the network takes nothing."""
        return any(row.outage for row in self._of(EVERYWHERE))

    def _of(self, number: str) -> list[Fault]:
        return [fault for key in {EVERYWHERE, number} if (fault := self.by_number.get(key))]


def current(source: Tx | Connection) -> Faults:
    """What is failing, as this step or read sees it."""
    rows = read_from(source, _ALL)
    return Faults({row.number: Fault(row.phone_off, row.no_receipts, row.outage) for row in rows})


_ALL = Filled(
    select(
        col(SimFaultRow.number),
        col(SimFaultRow.phone_off),
        col(SimFaultRow.no_receipts),
        col(SimFaultRow.outage),
    ).order_by(col(SimFaultRow.number))
)


def refuse_in_outage(tx: Tx) -> Faults:
    """As :func:`current`; raises :class:`NetworkDown` in an outage."""
    faults = current(tx)
    if faults.outage:
        raise NetworkDown("the simulated network is down")
    return faults


def change(
    tx: Tx,
    number: str,
    *,
    phone_off: bool | None = None,
    no_receipts: bool | None = None,
    outage: bool | None = None,
) -> None:
    """Turn faults on or off; None leaves one as it is."""
    wanted = {"phone_off": phone_off, "no_receipts": no_receipts, "outage": outage}
    changes = {name: value for name, value in wanted.items() if value is not None}
    row = tx.get(SimFaultRow, number, lock=True)
    if row is None:
        tx.add(SimFaultRow, number=number, **changes)
        return
    for name, value in changes.items():
        setattr(row, name, value)


def listed(connection: Connection) -> dict[str, dict[str, bool]]:
    """Every number with a fault, and its faults."""
    faults = current(connection).by_number
    return {number: asdict(fault) for number, fault in faults.items() if any(asdict(fault).values())}
