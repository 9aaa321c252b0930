"""The service definition as rules see it: one borough's promise, people, rota and ladder (contract.md 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from rapid_response.core.vocabulary import ContactRole, RetentionClass, Skill


class RungAction(StrEnum):
    """What a step of the ladder does."""

    OFFER = "offer"
    NOTIFY = "notify"


class Means(StrEnum):
    """How a notice travels."""

    SMS = "sms"
    VOICE = "voice"


class JointAttendance(StrEnum):
    """What happens when a suspect is present or expected (design.md 5)."""

    OFFER = "offer"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder; `after` is its latest time, counted from the start of the clock.

    `to` is `best_responder` or `next_responder` for an offer, a :class:`ContactRole` for a notice.
    """

    after: timedelta
    action: RungAction
    to: str
    answer_within: timedelta | None = None
    by: tuple[Means, ...] = (Means.SMS,)


@dataclass(frozen=True, slots=True)
class Responder:
    """A person who can be sent, or who holds a role on the rota; no wards means all of them."""

    id: str
    name: str
    sms: str | None
    voice: str | None
    skills: frozenset[Skill] = frozenset()
    wards: frozenset[str] = frozenset()
    roles: frozenset[ContactRole] = frozenset()
    second_sms: str | None = None
    second_voice: str | None = None

    @property
    def numbers(self) -> tuple[str, ...]:
        """All her numbers, each once."""
        given = (self.sms, self.second_sms, self.voice, self.second_voice)
        return tuple(dict.fromkeys(number for number in given if number))


class OnHolidays(StrEnum):
    """What a weekly shift does on a bank holiday of the service."""

    AS_USUAL = "as_usual"
    OFF = "off"
    #: It is worked then, and at no other time.
    ONLY = "only"


@dataclass(frozen=True, slots=True)
class WeeklyShift:
    """A shift that comes back each week, in local time; `days` are 0 (Monday) to 6.

    It ends on the next day when `end` is not after `start`; `end` None means 24:00.
    """

    responder: str
    days: frozenset[int]
    start: time
    end: time | None
    on_holidays: OnHolidays = OnHolidays.AS_USUAL

    def begins_on(self, *, holiday: bool) -> bool:
        """Whether it begins on a day of its own that is, or is not, a bank holiday."""
        match self.on_holidays:
            case OnHolidays.AS_USUAL:
                return True
            case OnHolidays.OFF:
                return not holiday
            case OnHolidays.ONLY:
                return holiday


@dataclass(frozen=True, slots=True)
class DatedShift:
    """One shift in local wall-clock time (naive on purpose); `off` takes time out instead."""

    responder: str
    start: datetime
    end: datetime
    off: bool = False


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """Hours of one weekday, local; `end` None means 24:00."""

    start: time
    end: time | None


@dataclass(frozen=True, slots=True)
class SlaPolicy:
    """The promise. `warn_at` are shares of `respond_within`, rising; `coverage` None means always."""

    respond_within: timedelta
    accept_within: timedelta
    warn_at: tuple[float, ...]
    coverage: Mapping[int, tuple[OpeningHours, ...]] | None = None
    holidays: frozenset[date] = frozenset()
    joint_attendance: JointAttendance = JointAttendance.OFFER


@dataclass(frozen=True, slots=True)
class LoneWorker:
    """Check-ins while on scene, and who hears when one is missed.

    `duress_word` raises a silent alarm; it is never shown, so that no log line can hold it.
    """

    check_in_every: timedelta
    then: tuple[ContactRole, ...]
    duress_word: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another authority's service, and the ONS codes of the authorities that it comes to."""

    id: str
    name: str
    authorities: frozenset[str]
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """How long people's data is kept. The figures are a proposal, until a council puts in its own schedule.

    `cases`: months from the end of a case, by its class. `notifications`: months from the receipt of what a
    partner only told us. `texts`: from the receipt of what somebody texted.
    """

    cases: Mapping[RetentionClass, int] = field(default_factory=lambda: dict(KEPT_MONTHS))
    notifications: int = 12
    texts: timedelta = timedelta(days=90)


#: Months, as proposed (domain.md 6).
KEPT_MONTHS: Mapping[RetentionClass, int] = {
    RetentionClass.HOAX: 6,
    RetentionClass.NO_OFFENCE: 12,
    RetentionClass.ADVICE_ONLY: 24,
    RetentionClass.INCIDENT: 72,
    RetentionClass.SAFEGUARDING: 72,
}


@dataclass(frozen=True, slots=True)
class ServiceDefinition:
    """One borough's service, whole and frozen; `version` counts loads."""

    version: int
    name: str
    hotline: str
    zone: ZoneInfo
    wards: tuple[str, ...]
    postcode_districts: tuple[str, ...]
    sla: SlaPolicy
    responders: tuple[Responder, ...]
    rota: tuple[WeeklyShift | DatedShift, ...]
    escalation: tuple[Rung, ...]
    on_call: tuple[str, ...]
    contacts: Mapping[ContactRole, str]
    lone_worker: LoneWorker | None = None
    #: Who is rung first when somebody rings the hotline; None where all leave a message.
    desk_rings: str | None = None
    #: At the start of each shift a text says that texts arrive: whoever does not get it knows in time.
    test_at_shift_start: bool = False
    #: The ONS code of the authority whose homes are ours; without it no place is ever outside.
    authority: str | None = None
    neighbours: tuple[Neighbour, ...] = ()
    retention: Retention = field(default_factory=Retention)

    def responder(self, responder_id: str) -> Responder | None:
        """The responder of that id, or None."""
        return next((r for r in self.responders if r.id == responder_id), None)
