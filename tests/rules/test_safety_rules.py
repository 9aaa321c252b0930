"""When a silent responder is asked and who is told; how long a visit takes; how long a marker stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rapid_response.core.definition import JointAttendance, LoneWorker
from rapid_response.core.vocabulary import ContactRole
from rapid_response.safety import rules
from rapid_response.safety.rules import Ask, Watch
from tests.cases import each

NOW = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DUTY, LEADER, HEAD = ContactRole.DUTY_OFFICER, ContactRole.TEAM_LEADER, ContactRole.HEAD_OF_SERVICE


@each(
    ("then", "told"),
    [
        ((DUTY, LEADER), [(15, DUTY, False), (20, LEADER, True)]),
        ((DUTY,), [(15, DUTY, False), (20, DUTY, True)]),
        ((DUTY, LEADER, HEAD), [(15, DUTY, False), (20, LEADER, True), (25, HEAD, True)]),
    ],
)
def test_a_missed_check_in_climbs(
    then: tuple[ContactRole, ...], told: list[tuple[int, ContactRole, bool]]
) -> None:
    steps = rules.check_in_steps(LoneWorker(30 * MINUTE, then))
    assert [(s.after / MINUTE, s.ask) for s in steps[:2]] == [(0, Ask.TEXT), (10, Ask.CALL)]
    assert [(s.after / MINUTE, s.role, s.police) for s in steps[2:]] == told
    assert all(s.ask is Ask.TELL for s in steps[2:])


@given(st.lists(st.sampled_from(ContactRole), min_size=1, max_size=6, unique=True))
def test_whoever_is_named_somebody_hears_of_the_police(then: list[ContactRole]) -> None:
    steps = rules.check_in_steps(LoneWorker(MINUTE, tuple(then)))
    times = [s.after for s in steps]
    assert times == sorted(set(times))
    assert {s.role for s in steps if s.role} == set(then)
    assert any(s.police for s in steps)


@each(
    ("eta", "expected", "overdue"), [(20, 20, 40), (None, 30, 60), (0, 5, 10), (3, 5, 10), (600, 600, 1200)]
)
def test_a_plan_goes_by_her_own_estimate(eta: int | None, expected: int, overdue: int) -> None:
    plan = rules.visit_plan(NOW, eta)
    assert plan.expected_at == NOW + expected * MINUTE
    assert plan.overdue_at == NOW + overdue * MINUTE
    assert plan.finish_at == plan.expected_at + 45 * MINUTE


@each(
    ("minutes", "stands"),
    [(-1, Watch.IN_TIME), (0, Watch.ASKED), (9, Watch.ASKED), (10, Watch.OVERDUE), (600, Watch.OVERDUE)],
)
def test_a_screen_turns_red_when_the_phone_rings(minutes: int, stands: Watch) -> None:
    assert rules.watch(NOW, NOW + minutes * MINUTE) is stands


@each(
    ("policy", "joint", "companion", "held"),
    [
        (JointAttendance.HOLD, True, False, True),
        (JointAttendance.HOLD, True, True, False),
        (JointAttendance.HOLD, False, False, False),
        (JointAttendance.OFFER, True, False, False),
    ],
)
def test_what_is_held_until_somebody_goes_along(
    policy: JointAttendance, joint: bool, companion: bool, held: bool
) -> None:
    assert rules.must_be_arranged(policy, joint=joint, has_companion=companion) is held


@each(
    ("day", "months", "ends"),
    [
        ("2026-07-15", 12, "2027-07-15"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2027-12-31", 2, "2028-02-29"),
        ("2026-12-01", 1, "2027-01-01"),
        ("2026-07-15", 36, "2029-07-15"),
    ],
)
def test_a_marker_stands_for_calendar_months(day: str, months: int, ends: str) -> None:
    assert rules.expiry(datetime.fromisoformat(day), months) == datetime.fromisoformat(ends)


@given(st.integers(0, 20 * 365 * 24), st.integers(1, 36))
def test_a_review_always_comes_before_the_end(hours: int, months: int) -> None:
    set_at = NOW + timedelta(hours=hours)
    ends = rules.expiry(set_at, months)
    assert set_at < rules.review_at(set_at, ends) < ends
    if months > 2:
        assert ends - rules.review_at(set_at, ends) == timedelta(days=30)


@each(
    ("keys", "alarm"),
    [("9", False), ("99", True), ("199", True), ("91", False), ("9919", False), ("", False)],
)
def test_nine_twice_is_the_alarm(keys: str, alarm: bool) -> None:
    assert rules.is_alarm(keys) is alarm
