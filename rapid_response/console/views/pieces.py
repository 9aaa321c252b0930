"""What several pages show: the clock, a place, safe contact, visits, markers and alarms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import quote
from zoneinfo import ZoneInfo

from rapid_response.console.moments import at_words
from rapid_response.core.vocabulary import ClockState, RiskKind, RiskSubject, StoppedBy
from rapid_response.safety import rules as safety
from rapid_response.safety.rules import Watch


class Shade(StrEnum):
    """The colour of a tag; the words beside it always say the same."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"
    GREY = "grey"
    BLUE = "blue"


#: From here on the time left is marked.
SOON = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Clock:
    """The two-hour clock of an incident."""

    state: ClockState
    started_at: datetime | None = None
    due_at: datetime | None = None
    needed_by: datetime | None = None
    accepted_at: datetime | None = None
    stopped_at: datetime | None = None
    stopped_by: StoppedBy | None = None
    breached_at: datetime | None = None

    @property
    def counts(self) -> bool:
        """Whether time is running out."""
        return self.stopped_at is None and self.state in (ClockState.RUNNING, ClockState.BREACHED)

    def waits(self, now: datetime) -> bool:
        """Whether it begins only when the service opens: nobody is asked before that."""
        return self.counts and self.started_at is not None and self.started_at > now

    @property
    def is_needed_sooner(self) -> bool:
        """Whether help is needed before the two hours are up."""
        return self.needed_by is not None and self.due_at is not None and self.needed_by < self.due_at

    @property
    def goal(self) -> datetime | None:
        """What people work towards: the earlier of needed-by and due."""
        return self.needed_by if self.is_needed_sooner else self.due_at

    def words(self, now: datetime, zone: ZoneInfo) -> str:
        """How it stands, in words that need no colour."""
        if self.state is ClockState.NOT_APPLICABLE:
            return "No two-hour clock"
        if self.state is ClockState.PAUSED:
            return "Clock paused"
        if self.state is ClockState.MET:
            return "Responded in time"
        if not self.counts or self.due_at is None:
            return "Responded late"
        if now > self.due_at:
            return f"Overdue by {minutes_words(now - self.due_at)}"
        if self.is_needed_sooner and self.needed_by is not None and now > self.needed_by:
            return f"Needed {minutes_words(now - self.needed_by)} ago"
        if self.started_at is not None and self.waits(now):
            return f"Waits for opening, {at_words(self.started_at, now, zone)}"
        return f"{minutes_words((self.goal or self.due_at) - now)} left"

    def shade(self, now: datetime) -> Shade | None:
        """The tag's colour; None where all is on time and no tag is wanted."""
        if self.state is ClockState.PAUSED:
            return Shade.GREY
        if self.state is ClockState.MET:
            return Shade.GREEN
        if self.state is ClockState.BREACHED:
            return Shade.RED
        if self.goal is None or not self.counts:
            return None
        if now > self.goal:
            return Shade.RED
        return Shade.YELLOW if self.goal - now <= SOON else None


def minutes_words(span: timedelta) -> str:
    """A length of time as people on a desk say it: `12 min`, `1 h 5 min`, `3 days`."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 1:
        return "less than 1 min"
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} days"
    if hours == 0:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a list to choose from."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class NextStep:
    """What happens next, who does it, and by when."""

    what: str
    who: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where it happened."""

    address: str = ""
    postcode: str = ""
    ward: str = ""
    latitude: float | None = None
    longitude: float | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """The address as written on an envelope."""
        parts = [part.strip() for part in self.address.replace(",", "\n").splitlines()]
        return (*(part for part in parts if part), *((self.postcode,) if self.postcode else ()))

    @property
    def geo(self) -> str | None:
        """An address that opens the phone's own map; nobody else is told where the victim lives."""
        label = quote(", ".join(self.lines))
        if self.latitude is not None and self.longitude is not None:
            point = f"{self.latitude:.6f},{self.longitude:.6f}"
            return f"geo:{point}?q={point}({label})"
        return f"geo:0,0?q={label}" if label else None


@dataclass(frozen=True, slots=True)
class SafeContact:
    """Whether and how the person may be contacted; silence means no."""

    sms: bool = False
    voice: bool = False
    voicemail: bool = False
    note: str = ""

    @property
    def words(self) -> str:
        """One sentence for whoever is about to ring."""
        means = (("ring", self.voice), ("text", self.sms), ("leave a voicemail", self.voicemail))
        ways = [word for word, is_safe in means if is_safe]
        never = [word for word, is_safe in means if not is_safe]
        if not ways:
            return "Do not ring, text or leave a voicemail"
        said = "Safe to " + " and ".join(ways)
        return f"{said}. Do not {' or '.join(never)}" if never else said


@dataclass(frozen=True, slots=True)
class CheckIn:
    """When a responder on scene is next to say that they are safe."""

    by: datetime
    heard_at: datetime

    def words(self, now: datetime) -> str:
        """How it stands, without the time of the next, which the page gives beside it."""
        match safety.watch(self.by, now):
            case Watch.IN_TIME:
                return "Safe when last heard"
            case Watch.ASKED:
                return "Asked whether safe, no answer yet"
            case Watch.OVERDUE:
                return f"No check-in for {minutes_words(now - self.heard_at)}"

    def shade(self, now: datetime) -> Shade | None:
        """The tag's colour; none while all is in time."""
        return {Watch.ASKED: Shade.YELLOW, Watch.OVERDUE: Shade.RED}.get(safety.watch(self.by, now))

    def is_due(self, now: datetime) -> bool:
        """Whether an answer is awaited."""
        return safety.watch(self.by, now) is not Watch.IN_TIME


@dataclass(frozen=True, slots=True)
class VisitPart:
    """Where a responder is, when they are expected to be done, and who holds that plan."""

    responder: str
    area: str
    holder: str
    finish_at: datetime
    set_off_at: datetime | None = None
    expected_at: datetime | None = None
    arrived_at: datetime | None = None
    check_in: CheckIn | None = None


@dataclass(frozen=True, slots=True)
class MarkerPart:
    """A warning about the address or the suspect; without a kind it says only that there is one."""

    subject: RiskSubject
    kind: RiskKind | None = None
    reason: str = ""
    #: What agreed with the marker; holds nothing of it.
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlarmPart:
    """A responder's silent alarm; where they are stands on the page that it leads to."""

    alarm_id: str
    responder: str
    raised_at: datetime
    job_number: int | None = None
    reference: str = ""
    repeats: int = 0
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
