"""The service definition file, key by key; `deploy/service.schema.json` is made from these models.

What spans several keys (a shift names a responder that exists) is in `checks.py`. Each model's `to_core`
gives the same thing in the frozen words that the rules read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StrictBool, Tag

from rapid_response.core import definition as core
from rapid_response.core.vocabulary import ContactRole, RetentionClass, Skill
from rapid_response.definition.values import (
    Authority,
    Day,
    DayHours,
    Days,
    District,
    Duration,
    DuressWord,
    EndTime,
    Line,
    Mobile,
    Moment,
    MomentEnd,
    Months,
    Phone,
    Recipient,
    Share,
    Slug,
    SomeTime,
    StartTime,
    Weekday,
)
from rapid_response.definition.wallclock import END_OF_DAY


def _end(ends: time) -> time | None:
    return None if ends == END_OF_DAY else ends


class _Group(BaseModel):
    """A group of keys; any other key in it is a fault."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        serialize_by_alias=True,
        validate_by_alias=True,
        validate_by_name=True,
        use_attribute_docstrings=True,  # they become the descriptions in the JSON Schema
    )


class Area(_Group):
    """Where the service comes to."""

    wards: Annotated[tuple[Line, ...], Field(min_length=1)]
    """As reports and responders spell them."""
    postcode_districts: tuple[District, ...] = ()
    """Such as BR1. They hint at the borough and never prove it."""
    authority: Authority | None = None
    """The ONS code of the council: homes of other authorities are handed over. Left out, all are ours."""


class Service(_Group):
    """Whose service it is."""

    name: Line
    """As screens and reports show it."""
    area: Area
    hotline: Phone
    """The number that residents ring."""
    desk_rings: Phone | None = None
    """The desk's telephone: a caller on the hotline is put through to it first, and leaves a message if
    nobody is there within 30 seconds. Without it every caller leaves a message."""
    test_text_at_shift_start: StrictBool = False
    """Texts each responder when a shift starts, so that a phone that gets no texts is known in time."""


class WeekHours(_Group):
    """Opening hours per weekday in local time; a day that is left out is closed."""

    mon: DayHours | None = None
    tue: DayHours | None = None
    wed: DayHours | None = None
    thu: DayHours | None = None
    fri: DayHours | None = None
    sat: DayHours | None = None
    sun: DayHours | None = None

    def of(self, day: Weekday) -> DayHours:
        """That day's hours; none when closed."""
        hours: DayHours | None = getattr(self, day.value)
        return hours or ()

    def to_core(self) -> dict[int, tuple[core.OpeningHours, ...]]:
        return {
            day.number: tuple(
                core.OpeningHours(opens, _end(closes)) for opens, closes in sorted(self.of(day))
            )
            for day in Weekday
            if self.of(day)
        }


def _kind_of_coverage(value: object) -> str:
    return "hours" if isinstance(value, Mapping | WeekHours) else "always"


Coverage = Annotated[
    Annotated[Literal["always"], Tag("always")] | Annotated[WeekHours, Tag("hours")],
    Discriminator(_kind_of_coverage),
]


class Sla(_Group):
    """The promise, and when it applies."""

    respond_within: SomeTime
    """From the start of the clock until a responder reaches the victim."""
    accept_within: SomeTime = timedelta(minutes=15)
    """From the start of the clock until somebody has taken the job, or the duty officer is told."""
    warn_at: tuple[Share, ...] = (0.5, 0.75, 0.9)
    """Shares of `respond_within`, rising: the owner is told, then also duty officer, then team leader."""
    coverage: Coverage = "always"
    """`always`, or opening hours per weekday."""
    holidays: tuple[Day, ...] = ()
    """No working days; closed where coverage is opening hours."""
    joint_attendance: core.JointAttendance = core.JointAttendance.OFFER
    """When a suspect is or may be there: offer at once, or hold until a second officer is found."""

    def to_core(self) -> core.SlaPolicy:
        return core.SlaPolicy(
            respond_within=self.respond_within,
            accept_within=self.accept_within,
            warn_at=self.warn_at,
            coverage=self.coverage.to_core() if isinstance(self.coverage, WeekHours) else None,
            holidays=frozenset(self.holidays),
            joint_attendance=self.joint_attendance,
        )


class LoneWorker(_Group):
    """Check-ins while on scene, and who hears, in turn, when one is missed."""

    check_in_every: SomeTime
    """How long a responder on scene may be silent."""
    then: Annotated[tuple[ContactRole, ...], Field(min_length=1)]
    """Told in turn, five minutes apart, from 15 minutes after a check-in was due."""
    duress_word: Annotated[DuressWord | None, Field(repr=False)] = None
    """A responder who texts it raises a silent alarm. Keep it among those who need it."""

    def to_core(self) -> core.LoneWorker:
        return core.LoneWorker(self.check_in_every, self.then, self.duress_word)


class Phones(_Group):
    """How a responder is reached; at least one number."""

    sms: Mobile | None = None
    """A UK mobile number; offers and replies go by text."""
    second_sms: Mobile | None = None
    """Texted when the text to the first is not delivered."""
    voice: Phone | None = None
    """Rung when a text is not answered."""
    second_voice: Phone | None = None
    """Rung when nobody answers the first."""


class Responder(_Group):
    """A person who can be sent (has skills), is told (has roles), or both."""

    id: Slug
    """Short and lasting: the rota, the record and the logs use it."""
    name: Line
    phones: Phones
    skills: tuple[Skill, ...] = ()
    """What they can be sent to; none means never sent."""
    wards: tuple[Line, ...] = ()
    """Where they are sent first; none means everywhere."""
    roles: tuple[ContactRole, ...] = ()
    """Whose notices they get while on the rota."""

    def to_core(self) -> core.Responder:
        return core.Responder(
            id=self.id,
            name=self.name,
            sms=self.phones.sms,
            voice=self.phones.voice,
            skills=frozenset(self.skills),
            wards=frozenset(self.wards),
            roles=frozenset(self.roles),
            second_sms=self.phones.second_sms,
            second_voice=self.phones.second_voice,
        )


class WeeklyShift(_Group):
    """A shift of every week, in local time; it ends on the next day when `to` is not after `from`."""

    responder: Slug
    days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    starts: StartTime = Field(alias="from")
    ends: EndTime = Field(alias="to")
    on_holidays: core.OnHolidays | None = None
    """On bank holidays (`sla.holidays`): as usual, off, or worked only then."""

    def to_core(self) -> core.WeeklyShift:
        days = frozenset(day.number for day in self.days)
        on_holidays = self.on_holidays or core.OnHolidays.AS_USUAL
        return core.WeeklyShift(self.responder, days, self.starts, _end(self.ends), on_holidays)


class DatedShift(_Group):
    """One shift in local time, or with `off: true` one taken out."""

    responder: Slug
    starts: Moment = Field(alias="from")
    ends: MomentEnd = Field(alias="to")
    off: StrictBool = False
    """Takes this time out of the responder's shifts."""

    def to_core(self) -> core.DatedShift:
        return core.DatedShift(self.responder, self.starts, self.ends, self.off)


def _kind_of_shift(value: object) -> str:
    if isinstance(value, Mapping):
        # A mere time of day is the start of a weekly shift whose days were forgotten.
        return "weekly" if "days" in value or ":" in str(value.get("from"))[:3] else "dated"
    return "weekly" if isinstance(value, WeeklyShift) else "dated"


Shift = Annotated[
    Annotated[WeeklyShift, Tag("weekly")] | Annotated[DatedShift, Tag("dated")],
    Discriminator(_kind_of_shift),
]


class Rung(_Group):
    """One step of the ladder; `after` is its latest time, from the start of the clock."""

    after: Duration
    action: core.RungAction
    to: Recipient
    answer_within: SomeTime | None = None
    """Offers only: how long the answer may take before the next person is asked."""
    by: Annotated[tuple[core.Means, ...], Field(min_length=1)] | None = None
    """Notices only; by text when left out."""

    def to_core(self) -> core.Rung:
        return core.Rung(self.after, self.action, self.to, self.answer_within, self.by or (core.Means.SMS,))


class Contacts(_Group):
    """Who is told when nobody on the rota holds the role."""

    duty_officer: Phone | None = None
    team_leader: Phone | None = None
    head_of_service: Phone | None = None
    hate_crime_lead: Phone | None = None
    desk: Phone | None = None

    def numbers(self) -> dict[ContactRole, str]:
        """Those that are given."""
        return {role: number for role in ContactRole if (number := getattr(self, role.value)) is not None}


class Neighbour(_Group):
    """A neighbouring service, to whom cases are handed over."""

    id: Slug
    name: Line
    authorities: Annotated[tuple[Authority, ...], Field(min_length=1)]
    """The ONS codes of the authorities that it comes to: a county's service has several."""
    phone: Phone | None = None
    """Read out to callers, and rung to hand a case over."""

    def to_core(self) -> core.Neighbour:
        return core.Neighbour(self.id, self.name, frozenset(self.authorities), self.phone)


class Retention(_Group):
    """How long people's data is kept, after which it is erased (where that is switched on).

    The figures are a proposal: put in those of the council's own schedule.
    """

    hoax: Months = core.KEPT_MONTHS[RetentionClass.HOAX]
    """Hoaxes and tests, from their end."""
    no_offence: Months = core.KEPT_MONTHS[RetentionClass.NO_OFFENCE]
    """No offence, out of scope, and P4, from their end."""
    advice_only: Months = core.KEPT_MONTHS[RetentionClass.ADVICE_ONLY]
    """What ended with advice, from its end."""
    incident: Months = core.KEPT_MONTHS[RetentionClass.INCIDENT]
    """Any other incident, from its end; a year at least, for so long a victim counts as a repeat one."""
    safeguarding: Months = core.KEPT_MONTHS[RetentionClass.SAFEGUARDING]
    """What adult social care knows of, from its end; never less than `incident`."""
    notifications: Months = 12
    """What partners only told us, from its receipt."""
    texts: Days = timedelta(days=90)
    """The words that people texted to us, and numbers of strangers and of callers of whom no case came."""

    def to_core(self) -> core.Retention:
        cases = {kind: getattr(self, kind.value) for kind in RetentionClass}
        return core.Retention(cases, self.notifications, self.texts)


class ServiceFile(_Group):
    """One borough's service: its promise, people, rota and ladder."""

    service: Service
    sla: Sla
    lone_worker: LoneWorker | None = None
    responders: tuple[Responder, ...]
    rota: tuple[Shift, ...] = ()
    escalation: Annotated[tuple[Rung, ...], Field(min_length=1)]
    on_call: tuple[Slug, ...] = ()
    contacts: Contacts = Contacts()
    neighbours: tuple[Neighbour, ...] = ()
    """Whose homes lie next to ours."""
    retention: Retention = Retention()

    def to_definition(self, version: int, zone: ZoneInfo) -> core.ServiceDefinition:
        """What the rules read; `version` counts loads."""
        return core.ServiceDefinition(
            version=version,
            name=self.service.name,
            hotline=self.service.hotline,
            zone=zone,
            wards=self.service.area.wards,
            postcode_districts=self.service.area.postcode_districts,
            sla=self.sla.to_core(),
            responders=tuple(responder.to_core() for responder in self.responders),
            rota=tuple(shift.to_core() for shift in self.rota),
            escalation=tuple(rung.to_core() for rung in self.escalation),
            on_call=self.on_call,
            contacts=self.contacts.numbers(),
            lone_worker=self.lone_worker.to_core() if self.lone_worker else None,
            desk_rings=self.service.desk_rings,
            test_at_shift_start=self.service.test_text_at_shift_start,
            authority=self.service.area.authority,
            neighbours=tuple(neighbour.to_core() for neighbour in self.neighbours),
            retention=self.retention.to_core(),
        )
