"""The clock and the ladder as arithmetic: two hours are 7,200 seconds, whatever the wall clock does (G7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapid_response.core import rota
from rapid_response.core.definition import OpeningHours, Rung, RungAction, SlaPolicy
from rapid_response.core.incident import Status
from rapid_response.core.vocabulary import ClockState, ContactRole
from rapid_response.sla import rules
from rapid_response.sla.rules import TICK, Deadline, Kind
from tests.cases import each

LONDON = ZoneInfo("Europe/London")
HOURS, MINUTES, SECONDS = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
NOON = datetime(2026, 7, 15, 11, 0, tzinfo=UTC)

POLICY = SlaPolicy(respond_within=2 * HOURS, accept_within=15 * MINUTES, warn_at=(0.5, 0.75, 0.9))


def offer(after: timedelta, answer_within: timedelta | None = 5 * MINUTES) -> Rung:
    return Rung(after, RungAction.OFFER, "next_responder", answer_within)


def notice(after: timedelta, to: ContactRole = ContactRole.DUTY_OFFICER) -> Rung:
    return Rung(after, RungAction.NOTIFY, to.value)


LADDER = (
    offer(timedelta()),
    offer(5 * MINUTES),
    notice(15 * MINUTES),
    notice(30 * MINUTES, ContactRole.TEAM_LEADER),
    offer(40 * MINUTES, 10 * MINUTES),
)


def clock_changes(year: int) -> list[datetime]:
    """The two moments of a year at which London changes its clocks."""
    start = datetime(year, 1, 1, tzinfo=UTC)
    hours = [start + n * HOURS for n in range(366 * 24)]
    moments = [
        after
        for before, after in pairwise(hours)
        if before.astimezone(LONDON).utcoffset() != after.astimezone(LONDON).utcoffset()
    ]
    return [moment for moment in moments if moment.year == year]


#: Every minute from three hours before to three hours after each clock change of three years.
CHANGE_MINUTES = [
    change + n * MINUTES
    for year in (2026, 2027, 2028)
    for change in clock_changes(year)
    for n in range(-180, 181)
]
CALENDAR = [
    datetime(2028, 2, 28, 23, 59, tzinfo=UTC),
    datetime(2028, 2, 29, 23, 1, tzinfo=UTC),
    datetime(2027, 2, 28, 23, 30, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2027, 12, 31, 22, 0, 0, 1, tzinfo=UTC),
]


# --- G7 ---------------------------------------------------------------------------------------------------


def test_there_are_six_clock_changes_to_test() -> None:
    assert len(CHANGE_MINUTES) == 6 * 361
    assert CHANGE_MINUTES[180] == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert CHANGE_MINUTES[-181] == datetime(2028, 10, 29, 1, 0, tzinfo=UTC)


def test_g7_due_is_7200_seconds_after_the_start_in_every_minute_of_every_clock_change() -> None:
    for start in [*CHANGE_MINUTES, *CALENDAR]:
        # As it reaches us: in UTC, or with the offset that then holds in London.
        offset = timezone(start.astimezone(LONDON).utcoffset() or timedelta())
        for given_at in (start, start.astimezone(offset)):
            assert (rules.due_at(given_at, POLICY) - start).total_seconds() == 7200


@pytest.mark.slow
def test_g7_nothing_that_is_armed_moves_in_any_minute_of_a_clock_change() -> None:
    """Warnings, breach and rungs keep their elapsed distances to the start."""
    distances = [entry.due_at - NOON for entry in rules.promise(NOON, NOON + 2 * HOURS, POLICY)]
    climbs = [entry.due_at - NOON for entry in rules.ladder(LADDER, NOON, NOON, POLICY)]
    for start in [*CHANGE_MINUTES, *CALENDAR]:
        due = rules.due_at(start, POLICY)
        assert [entry.due_at - start for entry in rules.promise(start, due, POLICY)] == distances
        assert [entry.due_at - start for entry in rules.ladder(LADDER, start, start, POLICY)] == climbs


def test_g7_a_service_that_is_always_open_starts_its_clock_at_the_report_in_each_of_those_minutes() -> None:
    for received in CHANGE_MINUTES:
        assert rota.clock_start(POLICY, LONDON, received) == received


def test_g7_a_service_with_hours_starts_when_the_local_clock_says_so_and_then_counts_seconds() -> None:
    """Open from 00:30 to 05:00 local time, which on such nights is 3.5 or 5.5 hours long."""
    hours = (OpeningHours(datetime(2026, 1, 1, 0, 30).time(), datetime(2026, 1, 1, 5).time()),)  # noqa: DTZ001
    policy = SlaPolicy(2 * HOURS, 15 * MINUTES, (0.5,), coverage=dict.fromkeys(range(7), hours))
    for received in CHANGE_MINUTES:
        start = rota.clock_start(policy, LONDON, received)
        local = start.astimezone(LONDON)
        assert start >= received
        assert (0, 30) <= (local.hour, local.minute) <= (5, 0)
        # In UTC, because adding two hours to a local time would add one or three on such a night.
        assert start.tzinfo is UTC
        assert (rules.due_at(start, policy) - start).total_seconds() == 7200


# --- the promise ------------------------------------------------------------------------------------------


def test_warnings_come_at_their_shares_and_the_breach_just_after_the_last_moment() -> None:
    coming = rules.promise(NOON, NOON + 2 * HOURS, POLICY)
    assert coming == [
        Deadline(Kind.WARN, NOON + 60 * MINUTES, "0"),
        Deadline(Kind.WARN, NOON + 90 * MINUTES, "1"),
        Deadline(Kind.WARN, NOON + 108 * MINUTES, "2"),
        Deadline(Kind.BREACH, NOON + 120 * MINUTES + TICK),
    ]


@given(paused=st.integers(0, 100_000), respond_within=st.integers(60, 86_400))
def test_time_that_stood_still_moves_everything_by_itself(paused: int, respond_within: int) -> None:
    policy = SlaPolicy(respond_within * SECONDS, 15 * MINUTES, (0.25, 0.9))
    stood = paused * SECONDS
    due = rules.due_at(NOON, policy, stood)
    assert due - NOON - stood == policy.respond_within
    still = rules.promise(NOON, rules.due_at(NOON, policy), policy)
    moved = rules.promise(NOON, due, policy)
    assert [m.due_at - s.due_at for m, s in zip(moved, still, strict=True)] == [stood] * 3


@each(("at", "met"), [(-HOURS, True), (-TICK, True), (timedelta(), True), (TICK, False), (HOURS, False)])
def test_a_response_is_in_time_up_to_and_at_the_due_time(at: timedelta, met: bool) -> None:
    due = NOON + 2 * HOURS
    stopped = rules.stop(NOON, due, timedelta(), due + at)
    assert (stopped.met, stopped.paused_seconds) == (met, 0)
    assert stopped.gross_seconds == int((2 * HOURS + at).total_seconds())


def test_gross_time_counts_pauses_and_net_time_does_not() -> None:
    paused = 40 * MINUTES
    stopped = rules.stop(NOON, NOON + 2 * HOURS + paused, paused, NOON + 150 * MINUTES)
    assert stopped.met
    assert (stopped.gross_seconds, stopped.paused_seconds) == (9000, 2400)
    assert stopped.gross_seconds - stopped.paused_seconds < 7200


def test_a_response_that_is_dated_before_the_clock_began_took_no_time() -> None:
    assert rules.stop(NOON, NOON + 2 * HOURS, timedelta(), NOON - MINUTES).gross_seconds == 0


# --- the ladder -------------------------------------------------------------------------------------------


def test_each_rung_is_climbed_at_its_distance_from_the_start_of_the_clock() -> None:
    assert rules.ladder(LADDER, NOON, NOON, POLICY) == [
        Deadline(Kind.RUNG, NOON, "0"),
        Deadline(Kind.RUNG, NOON + 5 * MINUTES, "1"),
        Deadline(Kind.RUNG, NOON + 15 * MINUTES, "2"),
        Deadline(Kind.RUNG, NOON + 30 * MINUTES, "3"),
        Deadline(Kind.RUNG, NOON + 40 * MINUTES, "4"),
        Deadline(Kind.ACCEPT_WITHIN, NOON + 15 * MINUTES),
    ]


def test_slow_triage_buys_no_time_notices_keep_theirs_and_offers_begin_later() -> None:
    """R18: a person may look for ten minutes before anybody is asked; who is told is told in time."""
    later = {d.subject: d.due_at - NOON for d in rules.ladder(LADDER, NOON, NOON + 10 * MINUTES, POLICY)}
    minutes = {subject: after // MINUTES for subject, after in later.items()}
    assert minutes == {"0": 10, "1": 15, "2": 15, "3": 30, "4": 50, "": 15}


def test_a_backdated_report_makes_one_offer_first_and_each_notice_is_due_once() -> None:
    """Received an hour ago, entered now: nobody is asked three times in the same second."""
    received = NOON - HOURS
    coming = rules.ladder(LADDER, received, NOON, POLICY)
    due = [d for d in coming if d.due_at <= NOON]
    assert [d.subject for d in due if d.kind is Kind.RUNG] == ["0", "2", "3"]
    assert [d.due_at - NOON for d in coming if d.subject in ("0", "1", "4")] == [
        timedelta(),
        5 * MINUTES,
        40 * MINUTES,
    ]
    assert sum(d.kind is Kind.ACCEPT_WITHIN for d in due) == 1


@each(
    ("new", "at", "climbs"),
    [
        # The same steps, further apart: what was climbed is not climbed again.
        ((offer(0 * MINUTES), offer(5 * MINUTES), notice(20 * MINUTES)), 6, {2: 20}),
        # One more step in front: the same numbers mean other things.
        ((notice(1 * MINUTES), *LADDER), 6, {0: 6, 3: 15, 4: 30, 5: 40}),
        # Told already, and one step more above.
        ((*LADDER, notice(60 * MINUTES, ContactRole.HEAD_OF_SERVICE)), 16, {3: 30, 4: 40, 5: 60}),
        # Sooner than before, and the time for it is past: now.
        (
            (offer(0 * MINUTES), notice(15 * MINUTES), notice(16 * MINUTES, ContactRole.TEAM_LEADER)),
            20,
            {2: 20},
        ),
        # An offer that was about to be made is made, by the step that stands there now; only one.
        (
            (offer(0 * MINUTES), offer(2 * MINUTES), offer(4 * MINUTES), notice(15 * MINUTES)),
            5,
            {2: 5, 3: 15},
        ),
        ((notice(15 * MINUTES),), 0, {0: 15}),
    ],
)
def test_who_is_in_mid_climb_goes_on_by_the_ladder_that_takes_the_other_ones_place(
    new: tuple[Rung, ...], at: int, climbs: dict[int, int]
) -> None:
    now = NOON + at * MINUTES
    armed = rules.ladder(LADDER, NOON, NOON, POLICY)
    pending = {int(d.subject): d.due_at for d in armed if d.kind is Kind.RUNG and d.due_at >= now}

    found = rules.climbed_on(LADDER, new, pending, now)

    assert {int(d.subject): (d.due_at - NOON) // MINUTES for d in found} == climbs


def test_a_ladder_that_stays_is_climbed_as_it_was() -> None:
    armed = [d for d in rules.ladder(LADDER, NOON, NOON + 10 * MINUTES, POLICY) if d.kind is Kind.RUNG]
    for minute in range(60):
        now = NOON + minute * MINUTES
        left = [d for d in armed if d.due_at > now]
        assert rules.climbed_on(LADDER, LADDER, {int(d.subject): d.due_at for d in left}, now) == left


def test_a_ladder_whose_first_offer_comes_late_keeps_its_distances() -> None:
    ladder = (notice(timedelta()), offer(10 * MINUTES), offer(25 * MINUTES))
    coming = rules.ladder(ladder, NOON - 3 * HOURS, NOON, POLICY)
    assert [d.due_at - NOON for d in coming[1:3]] == [timedelta(), 15 * MINUTES]
    assert rules.ladder(ladder, NOON, NOON, POLICY)[1].due_at == NOON + 10 * MINUTES


@given(
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 300)), min_size=1, max_size=8),
    counted=st.integers(-600, 600),
    offers=st.integers(-600, 600),
)
def test_no_offer_comes_before_it_may_and_no_notice_moves(
    steps: list[tuple[bool, int]], counted: int, offers: int
) -> None:
    rising = sorted(after for _, after in steps)
    ladder = [
        (offer if asks else notice)(after * MINUTES) for (asks, _), after in zip(steps, rising, strict=True)
    ]
    counted_from, offers_from = NOON + counted * MINUTES, NOON + offers * MINUTES
    coming = rules.ladder(ladder, counted_from, offers_from, POLICY)
    assert [d.subject for d in coming] == [*(f"{n}" for n in range(len(ladder))), ""]
    for rung, entry in zip(ladder, coming, strict=False):
        if rung.action is RungAction.NOTIFY:
            assert entry.due_at == counted_from + rung.after
        else:
            assert entry.due_at >= max(counted_from + rung.after, offers_from)
    asked = [d.due_at for rung, d in zip(ladder, coming, strict=False) if rung.action is RungAction.OFFER]
    assert asked == sorted(asked)
    assert rules.notices_only(ladder, counted_from) == [
        d for rung, d in zip(ladder, coming, strict=False) if rung.action is RungAction.NOTIFY
    ]


def test_for_an_owned_incident_only_the_notices_are_climbed_again() -> None:
    again = rules.notices_only(LADDER, NOON)
    assert again == [
        Deadline(Kind.RUNG, NOON + 15 * MINUTES, "2"),
        Deadline(Kind.RUNG, NOON + 30 * MINUTES, "3"),
    ]


@each(
    ("rung", "minutes"),
    [(0, 5), (1, 5), (2, 10), (4, 10), (5, 10), (99, 10), (-1, 10)],
)
def test_an_offer_waits_as_its_rung_says_and_past_the_ladder_as_the_last_offer(
    rung: int, minutes: int
) -> None:
    assert rules.answer_within(LADDER, rung) == minutes * MINUTES


def test_an_offer_waits_five_minutes_where_nothing_says_how_long() -> None:
    assert rules.answer_within((), 0) == 5 * MINUTES
    assert rules.answer_within((notice(timedelta()), offer(MINUTES, None)), 1) == 5 * MINUTES


# --- who is told ------------------------------------------------------------------------------------------

DUTY, LEADER = ContactRole.DUTY_OFFICER, ContactRole.TEAM_LEADER


@each(
    ("index", "has_owner", "roles", "by_voice"),
    [
        (0, True, (), set()),
        (1, True, (DUTY,), set()),
        (2, True, (DUTY, LEADER), {LEADER}),
        (3, True, (DUTY, LEADER), {LEADER}),
        (0, False, (DUTY,), set()),
        (1, False, (DUTY,), set()),
        (2, False, (DUTY, LEADER), {LEADER}),
    ],
)
def test_each_warning_is_heard_by_more_and_by_somebody_always(
    index: int, has_owner: bool, roles: tuple[ContactRole, ...], by_voice: set[ContactRole]
) -> None:
    warned = rules.who_is_warned(index, has_owner)
    assert (warned.owner, warned.roles, set(warned.by_voice)) == (has_owner, roles, by_voice)
    assert warned.owner or warned.roles


# --- when it was received ---------------------------------------------------------------------------------


@each(
    ("received", "plausible"),
    [
        (timedelta(days=-400), True),
        (timedelta(), True),
        (5 * MINUTES, True),
        (5 * MINUTES + TICK, False),
        (timedelta(days=1), False),
    ],
)
def test_a_report_may_be_dated_back_but_not_ahead(received: timedelta, plausible: bool) -> None:
    assert rules.is_plausible_receipt(NOON + received, NOON) is plausible


@dataclass(frozen=True)
class Case:
    """Where a case stands."""

    is_open: bool
    status: Status
    owner: str | None
    is_held: bool
    clock_state: ClockState
    due_at: datetime | None
    stopped_at: datetime | None


CASES = st.builds(
    Case,
    is_open=st.booleans(),
    status=st.sampled_from(Status),
    owner=st.sampled_from([None, "asha"]),
    is_held=st.booleans(),
    clock_state=st.sampled_from(ClockState),
    due_at=st.sampled_from([None, NOON - TICK, NOON, NOON + TICK]),
    stopped_at=st.sampled_from([None, NOON - HOURS]),
)


@given(case=CASES)
def test_a_deadline_that_matters_is_never_moot(case: Case) -> None:
    """Said the other way round: what the promise needs rings, whatever else is true of the case."""
    moot = {kind for kind in Kind if rules.is_moot(kind, case, NOON)}
    if case.is_open and case.stopped_at is None and case.clock_state is ClockState.RUNNING:
        assert moot.isdisjoint({Kind.RUNG, Kind.WARN, Kind.NOTICE})
        assert (Kind.ACCEPT_WITHIN in moot) == (case.owner is not None)
    if case.clock_state is ClockState.RUNNING and case.due_at == NOON - TICK:
        assert Kind.BREACH not in moot
    if case.due_at in (NOON, NOON + TICK):
        assert Kind.BREACH in moot  # up to and at its time a response is in time
    assert (Kind.RETRY in moot) == (case.status is not Status.UNASSIGNED)
    assert (Kind.RESUME in moot) == (case.clock_state is not ClockState.PAUSED)
    assert (Kind.SHIFT_END in moot) == (case.owner is None)
    if not case.is_open:
        assert {Kind.RUNG, Kind.WARN, Kind.NOTICE, Kind.ACCEPT_WITHIN} <= moot


@given(case=CASES)
def test_what_is_more_than_a_look_at_the_case_is_never_moot(case: Case) -> None:
    for kind in (Kind.ANSWER, Kind.TASK, Kind.ALARM, Kind.CHECK_IN, Kind.TRAVEL, Kind.REACH, Kind.FAIL_OVER):
        assert not rules.is_moot(kind, case, NOON)
