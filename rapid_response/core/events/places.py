"""Where it is, and whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rapid_response.core.events.base import Event


@dataclass(frozen=True, slots=True)
class AreaFound(Event):
    """Whose the victim's home is, by its postcode, which is not here: `inside`, `outside` or `unknown`."""

    type: ClassVar[str] = "area_found"
    area: str
    authority: str | None
    source: str


@dataclass(frozen=True, slots=True)
class TransferMoved(Event):
    """A case was handed over to another service (`sent`), and they took it, or did not.

    `digest` is of the very words that were handed over; `neighbour` is an id of the service definition.
    """

    type: ClassVar[str] = "transfer_moved"
    transfer_id: str
    neighbour: str
    state: str
    means: str
    digest: str
    reason_given: bool = False


@dataclass(frozen=True, slots=True)
class TransferChased(Event):
    """Nobody across the border has it yet, so somebody else here is told."""

    type: ClassVar[str] = "transfer_chased"
    role: str
    is_sent: bool
    late_seconds: float
