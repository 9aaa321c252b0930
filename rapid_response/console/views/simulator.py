"""The simulated phones."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from rapid_response.console.forms.posted import Filled
from rapid_response.console.views.frame import View


@dataclass(frozen=True, slots=True)
class PhoneMessage:
    """A text on a simulated phone; `from_us` are those the service sent."""

    body: str
    at: datetime
    from_us: bool
    segments: int = 1
    status: str = ""


@dataclass(frozen=True, slots=True)
class PhoneCall:
    """A call that rings on a simulated phone; answered, it speaks and waits for a key."""

    call_id: str
    at: datetime
    spoken: str = ""
    is_answered: bool = False


@dataclass(frozen=True, slots=True)
class Phone:
    """One simulated phone."""

    number: str
    owner: str
    messages: tuple[PhoneMessage, ...] = ()
    #: Replies to send with one tap, from the open jobs: "OK 4821".
    suggestions: tuple[str, ...] = ()
    call: PhoneCall | None = None


@dataclass(frozen=True, slots=True)
class SimulatorView(View):
    """`GET /simulator`. Posts `from`+`body` to `/simulator/reply`, `from`+`transcript` to `/simulator/call`,
    `to`+`call_id`+`digits` to `/simulator/answer-call` (`digits` empty: pick up; `hang-up`: hang up)."""

    template: ClassVar[str] = "simulator.html"
    phones: tuple[Phone, ...] = ()
    done: str = ""
    filled: Filled = field(default_factory=Filled)
