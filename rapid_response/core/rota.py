"""Who is on duty when, and when the service is open: local wall-clock rules in, UTC instants out.

The rota and the opening hours are written in local time; everything else in the product counts in
UTC. On the two nights of the year when these differ, one rule holds: no cover is lost. A start that
the clocks skip moves forward with them (01:30 becomes 02:30), a start that comes twice means the first
time, an end that comes twice means the second. So 00:00 to 08:00 lasts 7 hours in spring, 9 in autumn.

All `at`, `start`, `end` and `after` are aware datetimes; all answers are in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from rapid_response.core.definition import (
    DatedShift,
    Responder,
    ServiceDefinition,
    SlaPolicy,
    WeeklyShift,
)
from rapid_response.core.vocabulary import ContactRole, Skill

HORIZON = timedelta(days=14)
"""How far ahead the ends and starts of duty are looked for; duty longer than this counts as always on."""

WORKING_DAY_STARTS = time(9)
"""When follow-ups fall due, unless the opening hours of that weekday say otherwise."""

Span = tuple[datetime, datetime]
OpenSpan = tuple[datetime, datetime | None]
Away = Mapping[str, Sequence[OpenSpan]]
"""Per responder id, from when to when (None: until further notice)."""

_DAY = timedelta(days=1)
_FOR_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ShiftSpan:
    """One shift, or what `off` left of it."""

    responder: str
    start_utc: datetime
    end_utc: datetime


# ---------------------------------------------------------------- people


def shifts_between(definition: ServiceDefinition, start: datetime, end: datetime) -> list[ShiftSpan]:
    """Every shift that touches [start, end), whole (not cut at the edges), by start and responder."""
    rota = _rota_of(definition)
    days = _days(rota.local_date(start), rota.local_date(end))
    found = {s for day in days for s in rota.of_day(day) if s.start_utc < end and s.end_utc > start}
    return sorted(found, key=lambda s: (s.start_utc, s.responder, s.end_utc))


def on_duty(
    definition: ServiceDefinition, at: datetime, absent: Away | None = None, extra: Away | None = None
) -> frozenset[str]:
    """Ids of those on duty at that moment: the rota, plus `extra`, minus `absent` (which wins)."""
    rota = _rota_of(definition)
    on = {s.responder for s in rota.of_day(rota.local_date(at)) if s.start_utc <= at < s.end_utc}
    if extra:
        on |= {r.id for r in definition.responders if _covers(extra.get(r.id, ()), at)}
    if absent:
        on -= {responder for responder in on if _covers(absent.get(responder, ()), at)}
    return frozenset(on)


def holders(
    definition: ServiceDefinition,
    role: ContactRole,
    at: datetime,
    absent: Away | None = None,
    extra: Away | None = None,
) -> tuple[Responder, ...]:
    """Those on duty who hold the role, as listed; when empty, callers fall back to `contacts`."""
    holding = tuple(r for r in definition.responders if role in r.roles)
    if not holding:
        return ()
    on = on_duty(definition, at, absent, extra)
    return tuple(r for r in holding if r.id in on)


def shift_end(
    definition: ServiceDefinition,
    responder_id: str,
    at: datetime,
    absent: Away | None = None,
    extra: Away | None = None,
) -> datetime | None:
    """When the duty around `at` ends, adjoining shifts taken as one; None if off duty or always on."""
    for spans in _duties(definition, [responder_id], at, at + HORIZON, absent, extra):
        for start, end in spans:
            if start <= at < end:
                return None if end > at + HORIZON else end
    return None


def next_shift_start(
    definition: ServiceDefinition, after: datetime, absent: Away | None = None, extra: Away | None = None
) -> datetime | None:
    """The next moment, later than `after`, at which anybody comes on duty; None if not within 14 days."""
    everybody = [responder.id for responder in definition.responders]
    duties = _duties(definition, everybody, after, after + HORIZON, absent, extra)
    starts = (start for spans in duties for start, _ in spans if after < start <= after + HORIZON)
    return min(starts, default=None)


def gaps(
    definition: ServiceDefinition,
    skill: Skill,
    start: datetime,
    end: datetime,
    absent: Away | None = None,
    extra: Away | None = None,
) -> list[Span]:
    """When, in [start, end), the service is open and nobody with that skill is on duty."""
    skilled = [responder.id for responder in definition.responders if skill in responder.skills]
    duties = _duties(definition, skilled, start, end, absent, extra)
    cover = _merged(span for spans in duties for span in spans)
    return _minus(open_between(definition.sla, definition.zone, start, end), cover)


# ---------------------------------------------------------------- opening hours


def is_open(policy: SlaPolicy, zone: ZoneInfo, at: datetime) -> bool:
    """Whether the service covers that moment; holidays close opening hours, never `always`."""
    if policy.coverage is None:
        return True
    return any(start <= at < end for start, end in _opening(policy, zone, at.astimezone(zone).date()))


def clock_start(policy: SlaPolicy, zone: ZoneInfo, received_at: datetime) -> datetime:
    """When the clock starts: at once while open (even one minute before closing), else at the next opening.

    Should no opening come within 400 days, at once: a promise that never starts would hide everything.
    """
    received = received_at.astimezone(UTC)
    if policy.coverage is None:
        return received
    first = received.astimezone(zone).date()
    for day in _days(first, first + timedelta(days=400)):
        for start, end in _opening(policy, zone, day):
            if received < end:
                return max(start, received)
    return received


def open_between(policy: SlaPolicy, zone: ZoneInfo, start: datetime, end: datetime) -> list[Span]:
    """The covered time in [start, end), cut at its edges, adjoining hours taken as one."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if policy.coverage is None:
        return [(start, end)] if start < end else []
    days = _days(start.astimezone(zone).date(), end.astimezone(zone).date())
    spans = (span for day in days for span in _opening(policy, zone, day))
    return _merged((max(a, start), min(b, end)) for a, b in spans if a < end and b > start)


def working_day_after(policy: SlaPolicy, zone: ZoneInfo, at: datetime, days: int = 1) -> datetime:
    """The start of the `days`-th working day after the local date of `at` (Monday to Friday, no holiday).

    That is opening time where opening hours are given for the weekday, else 09:00 local.
    """
    day = at.astimezone(zone).date()
    for _ in range(days):
        day += _DAY
        while day.weekday() > 4 or day in policy.holidays:
            day += _DAY
    hours = policy.coverage.get(day.weekday(), ()) if policy.coverage is not None else ()
    opens = min((h.start for h in hours), default=WORKING_DAY_STARTS)
    return _start(datetime.combine(day, opens), zone)


def _opening(policy: SlaPolicy, zone: ZoneInfo, day: date) -> list[Span]:
    if policy.coverage is None or day in policy.holidays:
        return []
    hours = policy.coverage.get(day.weekday(), ())
    return sorted(_day_span(day, h.start, h.end, zone) for h in hours)


# ---------------------------------------------------------------- from the wall clock to UTC


def _start(local: datetime, zone: ZoneInfo) -> datetime:
    """The first instant of that wall-clock time; one that the clocks skip is taken forward."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _end(local: datetime, zone: ZoneInfo) -> datetime:
    """The last instant of that wall-clock time; one that the clocks skip is taken forward."""
    return max(local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))


def _span(local_start: datetime, local_end: datetime, zone: ZoneInfo) -> Span:
    start, end = _start(local_start, zone), _end(local_end, zone)
    if end <= start:  # 01:30 to 02:15 in spring: only the start was skipped. Keep the length of the shift.
        end = start + (local_end - local_start)
    return start, end


def _day_span(day: date, start: time, end: time | None, zone: ZoneInfo) -> Span:
    """From `start` to the next `end` after it; None is 24:00."""
    overnight = end is None or end <= start
    last = datetime.combine(day + _DAY if overnight else day, end or time())
    return _span(datetime.combine(day, start), last, zone)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


# ---------------------------------------------------------------- a rota made ready for questions


class _Rota:
    """The rota of one definition; what it works out for a local day is kept, as the days around now recur."""

    def __init__(
        self, lines: Sequence[WeeklyShift | DatedShift], zone: ZoneInfo, holidays: frozenset[date]
    ) -> None:
        self._zone, self._holidays = zone, holidays
        weekly = [line for line in lines if isinstance(line, WeeklyShift)]
        self._weekly = [[w for w in weekly if day in w.days] for day in range(7)]
        self._dated: list[ShiftSpan] = []
        self._off: dict[str, list[Span]] = {}
        for line in lines:
            if isinstance(line, DatedShift):
                span = _span(line.start, line.end, zone)
                if line.off:
                    self._off.setdefault(line.responder, []).append(span)
                else:
                    self._dated.append(ShiftSpan(line.responder, *span))
        self._off = {responder: _merged(spans) for responder, spans in self._off.items()}
        self.of_day = lru_cache(maxsize=64)(self._of_day)

    def local_date(self, at: datetime) -> date:
        return at.astimezone(self._zone).date()

    def _of_day(self, day: date) -> tuple[ShiftSpan, ...]:
        """What touches that local day: no weekly shift lasts past the day after it began."""
        begins, ends = _day_span(day, time(), None, self._zone)
        shifts = [
            ShiftSpan(w.responder, *_day_span(first, w.start, w.end, self._zone))
            for first in (day - _DAY, day)
            for w in self._weekly[first.weekday()]
            if w.begins_on(holiday=first in self._holidays)
        ]
        return tuple(
            ShiftSpan(shift.responder, start, end)
            for shift in (*shifts, *self._dated)
            if shift.start_utc < ends and shift.end_utc > begins
            for start, end in _minus([(shift.start_utc, shift.end_utc)], self._off.get(shift.responder, ()))
            if start < ends and end > begins
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """A rota and its zone, told apart by identity: comparing thousands of shifts would cost milliseconds.

    It holds on to the rota, so the identity cannot pass to another one while it is remembered.
    """

    lines: tuple[WeeklyShift | DatedShift, ...]
    zone: ZoneInfo
    holidays: frozenset[date]

    def __hash__(self) -> int:
        return hash((id(self.lines), id(self.zone), self.holidays))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Same):
            return False
        is_same_rota = self.lines is other.lines and self.zone is other.zone
        return is_same_rota and self.holidays == other.holidays


@lru_cache(maxsize=16)
def _ready(same: _Same) -> _Rota:
    return _Rota(same.lines, same.zone, same.holidays)


def _rota_of(definition: ServiceDefinition) -> _Rota:
    return _ready(_Same(definition.rota, definition.zone, definition.sla.holidays))


def _duties(
    definition: ServiceDefinition,
    responders: Iterable[str],
    start: datetime,
    end: datetime,
    absent: Away | None,
    extra: Away | None,
) -> Iterator[list[Span]]:
    """For each of the responders, continuous duty around [start, end]: rota plus extra, minus absent."""
    rota = _rota_of(definition)
    rostered: dict[str, list[Span]] = {responder: [] for responder in responders}
    for day in _days(rota.local_date(start), rota.local_date(end)):
        for shift in rota.of_day(day):
            if shift.responder in rostered:
                rostered[shift.responder].append((shift.start_utc, shift.end_utc))
    for responder, spans in rostered.items():
        came = _closed(extra.get(responder, ())) if extra else []
        away = _closed(absent.get(responder, ())) if absent else []
        yield _minus(_merged([*spans, *came]), _merged(away))


# ---------------------------------------------------------------- spans


def _covers(spans: Iterable[OpenSpan], at: datetime) -> bool:
    return any(start <= at and (end is None or at < end) for start, end in spans)


def _closed(spans: Iterable[OpenSpan]) -> list[Span]:
    return [(start, _FOR_EVER if end is None else end) for start, end in spans]


def _merged(spans: Iterable[Span]) -> list[Span]:
    """In order, with overlapping and adjoining ones made one, empty ones dropped."""
    merged: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _minus(spans: Iterable[Span], holes: Sequence[Span]) -> list[Span]:
    """What the holes (merged) leave of the spans."""
    left: list[Span] = []
    for start, end in spans:
        for hole_start, hole_end in holes:
            if hole_end <= start or hole_start >= end:
                continue
            if hole_start > start:
                left.append((start, hole_start))
            start = hole_end
        if start < end:
            left.append((start, end))
    return left
