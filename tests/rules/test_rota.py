"""Who is on duty: tables for what people would say, and a slow second opinion for three years."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapid_response.core import rota
from rapid_response.core.definition import (
    DatedShift,
    OpeningHours,
    Responder,
    Rung,
    RungAction,
    ServiceDefinition,
    SlaPolicy,
    WeeklyShift,
)
from rapid_response.core.rota import ShiftSpan
from rapid_response.core.vocabulary import ContactRole, Skill
from tests.cases import each

LONDON = ZoneInfo("Europe/London")
PEOPLE = ("asha", "ben", "dee")
DAILY = frozenset(range(7))
WEEKDAYS = frozenset(range(5))
HOUR = timedelta(hours=1)

SPRING = date(2026, 3, 29)
AUTUMN = date(2026, 10, 25)

Shift = WeeklyShift | DatedShift


def a_service(*shifts: Shift, sla: SlaPolicy | None = None) -> ServiceDefinition:
    """A service with these shifts; asha and ben can be sent, dee is duty officer."""
    return ServiceDefinition(
        version=1,
        name="Testborough",
        hotline="+442079460100",
        zone=LONDON,
        wards=("Town",),
        postcode_districts=(),
        sla=sla or SlaPolicy(timedelta(hours=2), timedelta(minutes=15), (0.5,)),
        responders=(
            Responder("asha", "Asha", "+447700900101", None, frozenset(Skill)),
            Responder("ben", "Ben", "+447700900102", None, frozenset({Skill.SCAM})),
            Responder("dee", "Dee", "+447700900109", None, roles=frozenset({ContactRole.DUTY_OFFICER})),
        ),
        rota=shifts,
        escalation=(Rung(timedelta(), RungAction.OFFER, "best_responder", timedelta(minutes=5)),),
        on_call=(),
        contacts={},
    )


def weekly(start: str, end: str, who: str = "asha", days: frozenset[int] = DAILY) -> WeeklyShift:
    """A weekly shift; "24:00" ends with the day."""
    ends = None if end == "24:00" else time.fromisoformat(end)
    return WeeklyShift(who, days, time.fromisoformat(start), ends)


def dated(start: str, end: str, who: str = "asha", off: bool = False) -> DatedShift:
    """One shift, from and to a local time."""
    return DatedShift(who, datetime.fromisoformat(start), datetime.fromisoformat(end), off)


def utc(text: str) -> datetime:
    """An instant, written in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# ---------------------------------------------------------------- the slow second opinion


def last_sunday(year: int, month: int) -> date:
    """The day on which British clocks change."""
    return max(
        d for n in range(31) if (d := date(year, month, 1) + timedelta(n)).month == month and d.weekday() == 6
    )


CHANGES = {
    year: tuple(datetime.combine(last_sunday(year, month), time(1)) for month in (3, 10))
    for year in range(2025, 2030)
}


def wall(moment: datetime) -> datetime:
    """What the clock on the wall shows at a (naive) UTC moment, by the law and not by a time zone library."""
    to_summer, to_winter = CHANGES[moment.year]
    return moment + HOUR if to_summer <= moment < to_winter else moment


def moments(local: datetime) -> list[datetime]:
    """All UTC moments at which the wall shows that time; a skipped time is taken an hour on."""
    return [m for m in (local - HOUR, local) if wall(m) == local] or [local]


def expected_span(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """From the first time that `start` is shown to the last time that `end` is."""
    first, last = min(moments(start)), max(moments(end))
    return (first, last) if first < last else (first, first + (end - start))


def expected_on_duty(shifts: Sequence[Shift], at: datetime) -> set[str]:
    """Membership, shift by shift and day by day."""
    moment = at.replace(tzinfo=None)
    on: set[str] = set()
    off: set[str] = set()
    for shift in shifts:
        if isinstance(shift, DatedShift):
            start, end = expected_span(shift.start, shift.end)
            if start <= moment < end:
                (off if shift.off else on).add(shift.responder)
            continue
        for back in range(-2, 4):
            day = wall(moment).date() - timedelta(days=back)
            if day.weekday() in shift.days:
                local_start = datetime.combine(day, shift.start)
                local_end = datetime.combine(day, shift.end or time())
                if local_end <= local_start:
                    local_end += timedelta(days=1)
                start, end = expected_span(local_start, local_end)
                if start <= moment < end:
                    on.add(shift.responder)
    return on - off


# ---------------------------------------------------------------- strategies

halves = st.integers(0, 47)
who = st.sampled_from(PEOPLE)
clock_changes = [
    datetime.combine(d, time(1)) for y in (2026, 2027, 2028) for d in (last_sunday(y, 3), last_sunday(y, 10))
]
near_a_change = st.builds(
    lambda change, minutes: change + timedelta(minutes=minutes),
    st.sampled_from(clock_changes),
    st.integers(-1500, 1500),
)
any_time = st.datetimes(datetime(2026, 1, 3), datetime(2028, 12, 28))  # noqa: DTZ001
naive_instants = st.one_of(any_time, near_a_change)
instants = naive_instants.map(lambda moment: moment.replace(tzinfo=UTC))


def at_half(n: int) -> time:
    """The n-th half hour of a day."""
    return time(n // 2, n % 2 * 30)


weekly_shifts = st.builds(
    WeeklyShift,
    who,
    st.frozensets(st.integers(0, 6), min_size=1),
    halves.map(at_half),
    st.none() | halves.map(at_half),
)


def to_the_half_hour(moment: datetime) -> datetime:
    """Cut down, as shifts are written."""
    return moment.replace(minute=moment.minute // 30 * 30, second=0, microsecond=0)


dated_shifts = st.builds(
    lambda responder, start, n, off: DatedShift(responder, start, start + timedelta(minutes=30 * n), off),
    who,
    naive_instants.map(to_the_half_hour),
    st.integers(1, 100),
    st.booleans(),
)
rotas = st.lists(weekly_shifts | dated_shifts, max_size=6).map(tuple)


# ---------------------------------------------------------------- on duty


@given(rotas, st.lists(instants, min_size=1, max_size=8))
@settings(max_examples=70, deadline=None)
def test_on_duty_is_membership_by_the_clock_on_the_wall(
    shifts: tuple[Shift, ...], ats: list[datetime]
) -> None:
    service = a_service(*shifts)
    for at in ats:
        assert rota.on_duty(service, at) == expected_on_duty(shifts, at)


@pytest.mark.slow
@each("night", [SPRING, AUTUMN])
def test_every_minute_of_the_nights_when_the_clocks_change(night: date) -> None:
    day = night.isoformat()
    shifts = (
        weekly("00:00", "01:30"),
        weekly("02:00", "08:00"),
        weekly("22:00", "01:15", "ben"),
        weekly("01:30", "02:15", "ben"),
        dated(f"{day}T00:00", f"{day}T08:00", "dee"),
        dated(f"{day}T01:15", f"{day}T01:45", "dee", off=True),
    )
    service = a_service(*shifts)
    midnight = datetime.combine(night, time(), UTC)
    for minute in range(-180, 420):
        at = midnight + timedelta(minutes=minute)
        assert rota.on_duty(service, at) == expected_on_duty(shifts, at), at


@each(
    ("night", "start", "end", "begins", "hours"),
    [
        (SPRING, "00:00", "08:00", "2026-03-29T00:00", 7),
        (AUTUMN, "00:00", "08:00", "2026-10-24T23:00", 9),
        (SPRING, "22:00", "06:00", "2026-03-29T21:00", 8),  # begins after the change
        (SPRING, "01:30", "08:00", "2026-03-29T01:30", 5.5),  # 01:30 is skipped: 02:30 it is
        (SPRING, "00:00", "01:30", "2026-03-29T00:00", 1.5),  # and so for an end
        (SPRING, "01:30", "02:15", "2026-03-29T01:30", 0.75),  # only the start is skipped: no cover is lost
        (AUTUMN, "01:30", "03:00", "2026-10-25T00:30", 2.5),  # a start means the first 01:30
        (AUTUMN, "00:00", "01:30", "2026-10-24T23:00", 2.5),  # an end the second
        (AUTUMN, "00:00", "24:00", "2026-10-24T23:00", 25),
    ],
)
def test_a_shift_on_a_clock_change_day(night: date, start: str, end: str, begins: str, hours: float) -> None:
    service = a_service(weekly(start, end, days=frozenset({6})))
    midnight = datetime.combine(night, time(2), UTC)
    spans = rota.shifts_between(service, midnight - timedelta(hours=3), midnight + timedelta(hours=22))
    assert [(s.start_utc, s.end_utc) for s in spans] == [(utc(begins), utc(begins) + timedelta(hours=hours))]


@each(
    ("at", "on"),
    [
        ("2026-06-05T17:59", {"asha"}),  # Friday 18:59 in summer
        ("2026-06-05T18:00", {"ben"}),
        ("2026-06-06T01:59", {"ben"}),  # Saturday, still Friday's shift
        ("2026-06-06T02:00", set()),
        ("2026-06-08T08:00", {"asha"}),
        ("2026-06-08T07:59", set()),
    ],
)
def test_a_shift_may_end_after_midnight(at: str, on: set[str]) -> None:
    service = a_service(
        weekly("09:00", "19:00", days=WEEKDAYS), weekly("19:00", "03:00", "ben", days=frozenset({4}))
    )
    assert rota.on_duty(service, utc(at)) == on


def test_the_same_time_twice_is_a_whole_day() -> None:
    service = a_service(weekly("09:00", "09:00", days=frozenset({0})))
    assert rota.shift_end(service, "asha", utc("2026-06-09T07:00")) == utc("2026-06-09T08:00")


def test_absence_beats_rota_and_extra() -> None:
    service = a_service(weekly("00:00", "24:00"))
    at = utc("2026-06-05T12:00")
    since, until = at - HOUR, at + HOUR
    assert rota.on_duty(service, at, absent={"asha": [(since, None)]}) == frozenset()
    assert rota.on_duty(service, until, absent={"asha": [(since, until)]}) == {"asha"}
    assert rota.on_duty(service, at, extra={"ben": [(since, None)]}) == {"asha", "ben"}
    assert rota.on_duty(service, at, {"ben": [(since, None)]}, {"ben": [(since, None)]}) == {"asha"}
    assert rota.on_duty(service, at, extra={"left-last-year": [(since, None)]}) == {"asha"}


def test_holders_of_a_role_are_those_on_duty() -> None:
    service = a_service(weekly("09:00", "17:00", "dee"), weekly("00:00", "24:00"))
    noon, night = utc("2026-06-05T12:00"), utc("2026-06-05T22:00")
    assert [r.id for r in rota.holders(service, ContactRole.DUTY_OFFICER, noon)] == ["dee"]
    assert rota.holders(service, ContactRole.DUTY_OFFICER, night) == ()
    assert rota.holders(service, ContactRole.DUTY_OFFICER, night, extra={"dee": [(night, None)]}) != ()
    assert rota.holders(service, ContactRole.TEAM_LEADER, noon) == ()


# ---------------------------------------------------------------- ends and starts


@given(rotas, instants, who)
@settings(max_examples=30, deadline=None)
def test_duty_lasts_until_shift_end_and_no_longer(
    shifts: tuple[Shift, ...], at: datetime, person: str
) -> None:
    service = a_service(*shifts)
    end = rota.shift_end(service, person, at)
    on = person in rota.on_duty(service, at)
    last = end or (at + rota.HORIZON if on else at)
    grid = to_the_half_hour(at) + timedelta(minutes=30)
    while grid < last:
        assert person in rota.on_duty(service, grid)
        grid += timedelta(minutes=30)
    if end is not None:
        assert on
        assert person not in rota.on_duty(service, end)


@given(rotas, instants)
@settings(max_examples=30, deadline=None)
def test_nobody_comes_on_duty_before_the_next_shift_start(shifts: tuple[Shift, ...], after: datetime) -> None:
    service = a_service(*shifts)
    start = rota.next_shift_start(service, after)
    before = rota.on_duty(service, after)
    grid = to_the_half_hour(after) + timedelta(minutes=30)
    while grid < (start or after + rota.HORIZON):
        now = rota.on_duty(service, grid)
        assert now <= before
        before = now
        grid += timedelta(minutes=30)
    if start is not None:
        assert start > after
        assert rota.on_duty(service, start) - before


def test_adjoining_shifts_are_one_duty() -> None:
    service = a_service(weekly("09:00", "13:00"), weekly("13:00", "17:00"), weekly("16:00", "18:00"))
    assert rota.shift_end(service, "asha", utc("2026-12-01T09:30")) == utc("2026-12-01T18:00")
    assert rota.next_shift_start(service, utc("2026-12-01T09:30")) == utc("2026-12-02T09:00")


def test_always_on_has_no_end_and_no_start() -> None:
    service = a_service(weekly("00:00", "24:00"))
    at = utc("2026-03-28T23:00")
    assert rota.shift_end(service, "asha", at) is None
    assert rota.next_shift_start(service, at) is None
    assert rota.shift_end(service, "ben", at) is None


def test_absence_and_extra_move_ends_and_starts() -> None:
    service = a_service(weekly("00:00", "24:00"))
    at, later, latest = utc("2026-06-01T12:00"), utc("2026-06-02T12:00"), utc("2026-06-03T12:00")
    away = {"asha": [(later, latest)]}
    assert rota.shift_end(service, "asha", at, absent=away) == later
    assert rota.next_shift_start(service, at, absent=away) == latest
    assert rota.shift_end(service, "ben", at, extra={"ben": [(at, later)]}) == later
    assert rota.shift_end(service, "ben", at, extra={"ben": [(at, None)]}) is None


def test_shifts_between_are_whole_and_without_what_was_taken_off() -> None:
    service = a_service(
        weekly("09:00", "17:00", days=WEEKDAYS),
        dated("2026-12-24T12:00", "2026-12-24T13:00", off=True),
        dated("2026-12-25T00:00", "2026-12-27T00:00", off=True),
        dated("2026-12-26T10:00", "2026-12-26T12:00", "ben"),
    )
    assert rota.shifts_between(service, utc("2026-12-24T11:00"), utc("2026-12-28T09:00")) == [
        ShiftSpan("asha", utc("2026-12-24T09:00"), utc("2026-12-24T12:00")),
        ShiftSpan("asha", utc("2026-12-24T13:00"), utc("2026-12-24T17:00")),
        ShiftSpan("ben", utc("2026-12-26T10:00"), utc("2026-12-26T12:00")),
    ]


# ---------------------------------------------------------------- gaps


@given(rotas, instants)
@settings(max_examples=25, deadline=None)
def test_a_gap_is_when_we_are_open_and_nobody_has_the_skill(shifts: tuple[Shift, ...], at: datetime) -> None:
    hours = {day: (OpeningHours(time(8), time(12, 30)), OpeningHours(time(22), None)) for day in range(6)}
    policy = SlaPolicy(HOUR, HOUR, (), hours, frozenset({at.date()}))
    service = a_service(*shifts, sla=policy)
    start = to_the_half_hour(at)
    found = rota.gaps(service, Skill.SCAM, start, start + timedelta(days=3))
    for n in range(3 * 48):
        now = start + n * timedelta(minutes=30)
        is_gap = rota.is_open(policy, LONDON, now) and not {"asha", "ben"} & rota.on_duty(service, now)
        assert any(a <= now < b for a, b in found) == is_gap


# ---------------------------------------------------------------- speed


def test_on_duty_is_quick_with_a_year_of_dated_shifts() -> None:
    first = datetime(2026, 1, 1, 9)  # noqa: DTZ001
    year = [first + timedelta(days=n) for n in range(365)]
    service = a_service(*(DatedShift(p, s, s + timedelta(hours=8)) for p in PEOPLE for s in year))
    at = utc("2026-06-05T12:00")
    rota.on_duty(service, at)
    began = perf_counter()
    for _ in range(1000):
        rota.on_duty(service, at)
    assert perf_counter() - began < 0.1 * 5  # 100 µs each, and room for a busy machine
