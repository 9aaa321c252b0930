"""How long cases are kept, and whose a case is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rapid_response.core.definition import Retention
from rapid_response.core.vocabulary import (
    Disposition,
    Priority,
    RetentionClass,
    Role,
    Safeguarding,
    ViewReason,
)
from rapid_response.privacy.rules import (
    Nearness,
    due_at,
    ended_by,
    is_enough,
    months_later,
    needs_reason,
    retention_class,
)
from tests.cases import each

AT = datetime(2026, 7, 15, 11, tzinfo=UTC)
D, K = Disposition, RetentionClass


@each(
    ("disposition", "priority", "safeguarding", "to_care", "kind"),
    [
        (D.RESOLVED_ATTENDED, Priority.P1, None, False, K.INCIDENT),
        (D.ADVICE_ONLY, Priority.P2, None, False, K.ADVICE_ONLY),
        (D.ADVICE_ONLY, Priority.P4, None, False, K.NO_OFFENCE),
        (D.OUT_OF_SCOPE, Priority.P3, None, False, K.NO_OFFENCE),
        (D.HOAX_OR_TEST, Priority.P0, None, False, K.HOAX),
        # What social care knows of is kept as long as theirs, whatever it was called here.
        (D.HOAX_OR_TEST, Priority.P0, Safeguarding.REFERRED, False, K.SAFEGUARDING),
        (D.ADVICE_ONLY, Priority.P4, None, True, K.SAFEGUARDING),
        (D.ADVICE_ONLY, Priority.P3, Safeguarding.NOT_MET, False, K.ADVICE_ONLY),
    ],
)
def test_the_class_of_a_case(
    disposition: Disposition,
    priority: Priority,
    safeguarding: Safeguarding | None,
    to_care: bool,
    kind: RetentionClass,
) -> None:
    assert retention_class(disposition, priority, safeguarding, to_care) is kind


@given(st.integers(0, 90 * 365), st.integers(-72, 72))
def test_months_count_as_people_count_them(days: int, months: int) -> None:
    moment = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=days)
    later = months_later(moment, months)
    assert (later.year * 12 + later.month) - (moment.year * 12 + moment.month) == months
    assert later.day <= moment.day
    assert later.time() == moment.time()


def test_the_last_of_a_month_stays_the_last() -> None:
    assert months_later(datetime(2026, 8, 31, tzinfo=UTC), 6) == datetime(2027, 2, 28, tzinfo=UTC)
    assert due_at(K.HOAX, AT, Retention()) == datetime(2027, 1, 15, 11, tzinfo=UTC)


@given(st.integers(0, 90 * 365), st.integers(-4, 4), st.integers(1, 360), st.sampled_from(K))
def test_whatever_is_due_is_looked_at(days: int, apart: int, months: int, kind: RetentionClass) -> None:
    kept = Retention(cases={**Retention().cases, kind: months})
    now = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=days)
    ended_at = months_later(now, -months) + timedelta(days=apart)
    if due_at(kind, ended_at, kept) <= now:
        assert ended_at <= ended_by(kind, now, kept)


@each("role", [Role.HANDLER, Role.DUTY_OFFICER, Role.TEAM_LEADER, Role.HEAD_OF_SERVICE])
def test_what_is_open_or_owed_is_the_desks(role: Role) -> None:
    assert not needs_reason(role, Nearness(True, False, False, False))
    assert not needs_reason(role, Nearness(False, True, False, False))
    assert not needs_reason(role, Nearness(False, False, True, False))
    assert needs_reason(role, Nearness(False, False, False, True))


def test_whoever_reviews_sees_what_is_to_review() -> None:
    lead = Role.HATE_CRIME_LEAD
    assert not needs_reason(lead, Nearness(False, False, False, True))
    assert needs_reason(lead, Nearness(True, True, False, False))
    assert needs_reason(None, Nearness(True, True, False, True))


@given(st.sampled_from([*Role, None]), st.builds(Nearness, *[st.booleans()] * 4))
def test_nearer_is_never_asked_more(role: Role | None, near: Nearness) -> None:
    """A look that is let in by what is at hand need not find out the rest."""
    for name in ("is_open", "is_owed", "has_acted", "is_reviewed"):
        assert needs_reason(role, near) or not needs_reason(role, replace(near, **{name: True}))


def test_another_reason_is_said() -> None:
    assert is_enough(ViewReason.COMPLAINT, None)
    assert not is_enough(ViewReason.OTHER, " ")
    assert is_enough(ViewReason.OTHER, "A fire at the address.")
