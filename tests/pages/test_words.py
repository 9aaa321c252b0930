"""Times, clocks, events and lists in words."""

from __future__ import annotations

import inspect
import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import pytest

from rapid_response.console import timeline, words
from rapid_response.console.moments import ago_words, at_words, clock_time, moment_words
from rapid_response.console.views.pieces import Clock, Place, SafeContact, Shade
from rapid_response.console.when import NotATime, Side, read_when
from rapid_response.core import states, vocabulary
from rapid_response.core.events import EVENT_TYPES
from rapid_response.core.facts import BOOLEAN_FACTS, TIME_FACTS
from rapid_response.core.vocabulary import Category, ClockState, Priority
from tests.cases import each
from tests.pages.samples import LONDON, MET, MINUTE, NO_CLOCK, NOW, OVERDUE, running


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


# --- lists ------------------------------------------------------------------------------------------------


def test_every_listed_value_has_words_and_no_two_the_same() -> None:
    for enum, said in words.ENUM_WORDS.items():
        assert set(said) == set(enum)
        assert len(set(said.values())) == len(said), enum


def test_no_list_that_people_meet_is_forgotten() -> None:
    # A number is told of in whole sentences (steps.readiness), never by its state alone.
    unsaid = {vocabulary.Skill, vocabulary.Scope, states.AvailabilityKind, states.EndpointState}
    met = {
        c
        for module in (vocabulary, states)
        for c in vars(module).values()
        if inspect.isclass(c) and issubclass(c, StrEnum) and c is not StrEnum
    }
    assert met - unsaid <= set(words.ENUM_WORDS)


def test_every_fact_has_its_question() -> None:
    assert set(words.QUESTIONS) == {*BOOLEAN_FACTS, *TIME_FACTS, "amount_gbp", "payment_method"}


def test_each_look_that_the_access_log_keeps_has_words() -> None:
    source = Path(words.__file__).parent.parent
    call = re.compile(r'(?:record_view\(tx, |what=|open_case\(.*, |seen\(tx, reference, )"(\w+)"')
    kept = {what for file in source.rglob("*.py") for what in call.findall(file.read_text())}
    assert {"api", "api_events", "page", "page_sent", "open_sheet", "reason_given"} <= kept
    assert kept <= set(words.LOOKED_AT)


def test_codes_without_words_stay_readable() -> None:
    assert words.plain("rogue_trader") == "Rogue trader"
    assert words.plain("remote_access") == "Someone in the computer"
    assert words.plain(None) == ""
    assert words.plain(Category.SCAM) == "Scam"
    assert words.plain("") == ""


# --- times ------------------------------------------------------------------------------------------------


def test_times_read_as_people_say_them() -> None:
    assert moment_words(NOW - 6 * MINUTE, NOW, LONDON) == "2:14pm, 6 minutes ago"
    assert moment_words(NOW + 61 * MINUTE, NOW, LONDON) == "3:21pm, in 1 h 1 min"
    # Never more than is left.
    assert ago_words(NOW + 120 * MINUTE - timedelta(seconds=1), NOW) == "in 1 h 59 min"
    assert ago_words(NOW + 120 * MINUTE, NOW) == "in 2 hours"
    assert ago_words(NOW + 60 * MINUTE - timedelta(seconds=1), NOW) == "in 59 minutes"
    assert ago_words(NOW - 60 * MINUTE, NOW) == "1 hour ago"
    assert ago_words(NOW - 119 * MINUTE, NOW) == "1 h 59 min ago"
    assert moment_words(NOW, NOW, LONDON) == "2:20pm, just now"
    assert ago_words(NOW + timedelta(seconds=30), NOW) == "in less than a minute"
    assert at_words(NOW - timedelta(days=1), NOW, LONDON) == "2:20pm yesterday"
    assert at_words(NOW - timedelta(days=51), NOW, LONDON) == "3:20pm on 3 October"
    assert at_words(NOW - timedelta(days=400), NOW, LONDON) == "2:20pm on 19 October 2025".replace(
        "2:20", "3:20"
    )
    assert moment_words(NOW - timedelta(days=3), NOW, LONDON) == "2:20pm on 20 November"


def test_the_hour_that_comes_twice_says_which() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert clock_time(first, LONDON) == "1:30am BST"
    assert clock_time(first + timedelta(hours=1), LONDON) == "1:30am GMT"
    assert clock_time(first + timedelta(days=1), LONDON) == "12:30am"


# --- times that people type -------------------------------------------------------------------------------

AT = local("2026-11-23T14:20:30")


@each(
    ("typed", "side", "meant"),
    [
        ("3pm", Side.FUTURE, "2026-11-23T15:00"),
        ("3.15 PM", Side.FUTURE, "2026-11-23T15:15"),
        ("15:30", Side.FUTURE, "2026-11-23T15:30"),
        ("at 15.30", Side.FUTURE, "2026-11-23T15:30"),
        ("2pm", Side.FUTURE, "2026-11-23T14:00"),
        ("in 40 minutes", Side.FUTURE, "2026-11-23T15:00:30"),
        ("40 min", Side.FUTURE, "2026-11-23T15:00:30"),
        ("half an hour", Side.FUTURE, "2026-11-23T14:50:30"),
        ("an hour", Side.PAST, "2026-11-23T13:20:30"),
        ("2 hours ago", Side.PAST, "2026-11-23T12:20:30"),
        ("2 hours ago", Side.FUTURE, "2026-11-23T12:20:30"),
        ("tomorrow 9am", Side.FUTURE, "2026-11-24T09:00"),
        ("9am tomorrow", Side.FUTURE, "2026-11-24T09:00"),
        ("tomorrow noon", Side.FUTURE, "2026-11-24T12:00"),
        ("yesterday 16:30", Side.PAST, "2026-11-22T16:30"),
        ("23:50", Side.PAST, "2026-11-22T23:50"),
        ("11am", Side.PAST, "2026-11-23T11:00"),
        ("22/11 9am", Side.PAST, "2026-11-22T09:00"),
        ("24/12 9am", Side.PAST, "2025-12-24T09:00"),
        ("2/1 9am", Side.FUTURE, "2027-01-02T09:00"),
        ("1/7/26 9:00", Side.PAST, "2026-07-01T09:00"),
        ("2026-11-23T13:05", Side.PAST, "2026-11-23T13:05"),
        ("now", Side.PAST, "2026-11-23T14:20:30"),
        # The second half of a night has the next day's date.
        ("midnight", Side.FUTURE, "2026-11-24T00:00"),
        ("midnight tonight", Side.FUTURE, "2026-11-24T00:00"),
        ("tonight 12:30am", Side.FUTURE, "2026-11-24T00:30"),
        ("tonight at 8pm", Side.FUTURE, "2026-11-23T20:00"),
        ("last night 2am", Side.PAST, "2026-11-23T02:00"),
        ("2am last night", Side.PAST, "2026-11-23T02:00"),
        ("last night 11pm", Side.PAST, "2026-11-22T23:00"),
    ],
)
def test_typed_times(typed: str, side: Side, meant: str) -> None:
    assert read_when(typed, now=AT, zone=LONDON, side=side) == local(meant)


@each(
    ("typed", "side", "meant"),
    [
        ("tonight 1am", Side.FUTURE, "2026-11-24T01:00"),
        ("tonight 4am", Side.FUTURE, "2026-11-24T04:00"),
        ("tonight 1am", Side.PAST, "2026-11-24T01:00"),
        ("last night 2am", Side.PAST, "2026-11-23T02:00"),
        ("last night 11pm", Side.PAST, "2026-11-23T23:00"),
        ("midnight", Side.PAST, "2026-11-24T00:00"),
    ],
)
def test_times_that_people_type_in_the_middle_of_the_night(typed: str, side: Side, meant: str) -> None:
    now = local("2026-11-24T01:40")
    assert read_when(typed, now=now, zone=LONDON, side=side) == local(meant)


@each(
    "typed",
    ["", "3", "sometime", "25:00", "13pm", "0am", "9am", "31/2 9am", "99/99 9am", "tomorrow", "3pm 4pm"],
)
def test_what_is_no_time_is_asked_again(typed: str) -> None:
    with pytest.raises(NotATime):
        read_when(typed, now=AT, zone=LONDON, side=Side.FUTURE)


def test_forty_minutes_are_forty_minutes_on_the_night_the_clocks_change() -> None:
    before = datetime(2026, 10, 25, 0, 40, tzinfo=UTC)  # 1:40am BST
    meant = read_when("in 40 minutes", now=before, zone=LONDON, side=Side.FUTURE)
    assert meant.timestamp() - before.timestamp() == 2400


# --- the clock --------------------------------------------------------------------------------------------


@each(
    ("clock", "said", "shade"),
    [
        (running(72), "1 h 12 min left", None),
        (running(28), "28 min left", Shade.YELLOW),
        (running(25, 78), "25 min left", Shade.YELLOW),
        (running(-4, 61), "Needed 4 min ago", Shade.RED),
        (OVERDUE, "Overdue by 12 min", Shade.RED),
        (running(-12), "Overdue by 12 min", Shade.RED),
        (running(150), "Waits for opening, 2:50pm", None),
        (running(-4, 150), "Needed 4 min ago", Shade.RED),
        (MET, "Responded in time", Shade.GREEN),
        (NO_CLOCK, "No two-hour clock", None),
        (Clock(ClockState.PAUSED, due_at=NOW), "Clock paused", Shade.GREY),
        (Clock(ClockState.BREACHED, due_at=NOW, stopped_at=NOW), "Responded late", Shade.RED),
    ],
)
def test_the_clock_in_words_and_colour(clock: Clock, said: str, shade: Shade | None) -> None:
    assert clock.words(NOW, LONDON) == said
    assert clock.shade(NOW) == shade


def test_exactly_at_the_time_due_is_in_time() -> None:
    assert running(0).words(NOW, LONDON) == "less than 1 min left"
    assert running(0).shade(NOW) == Shade.YELLOW


def test_the_state_may_lag_behind_the_time() -> None:
    """A page shown in the second before the breach is recorded still says that it is overdue."""
    assert running(-1).shade(NOW) == Shade.RED


# --- people and places ------------------------------------------------------------------------------------


def test_what_is_not_said_to_be_safe_is_not_done() -> None:
    assert SafeContact().words == "Do not ring, text or leave a voicemail"
    assert SafeContact(sms=True).words == "Safe to text. Do not ring or leave a voicemail"
    assert SafeContact(True, True, True).words == "Safe to ring and text and leave a voicemail"


def test_the_map_is_the_phones_own() -> None:
    assert Place("1 A St, Bromley", "BR1 3ZZ").geo == "geo:0,0?q=1%20A%20St%2C%20Bromley%2C%20BR1%203ZZ"
    assert Place(latitude=51.4, longitude=0.02).geo == "geo:51.400000,0.020000?q=51.400000,0.020000()"
    assert Place().geo is None


# --- events -----------------------------------------------------------------------------------------------


def test_every_event_can_be_told() -> None:
    assert set(timeline.TELLERS) == set(EVENT_TYPES)


@each("kind", EVENT_TYPES)
def test_an_event_is_told_even_without_its_data(kind: str) -> None:
    told = timeline.entry(kind, {}, at=NOW, by="the service", zone=LONDON, names={}, rules={})
    assert told.title
    assert not told.title[0].islower()
    assert "{" not in told.title + told.description


def test_events_in_words() -> None:
    def tell(kind: str, **data: object) -> tuple[str, str]:
        told = timeline.entry(
            kind,
            data,
            at=NOW,
            by="",
            zone=LONDON,
            names={"asha": "Asha Patel"},
            rules={"R05": "Suspect there"},
        )
        return told.title, told.description

    assert tell("offer_accepted", responder="asha", eta_minutes=25) == (
        "Asha Patel accepted",
        "Expects to be there in 25 minutes.",
    )
    assert tell("offer_lapsed", responder="gone")[0] == "Gone did not answer in time"
    assert (
        tell("priority_decided", priority=Priority.P0.value, rule_id="R05")[1] == "Rule R05: Suspect there."
    )
    assert tell("outcome_recorded", code="money_prevented", amount_pence=260_050) == (
        "Outcome: money not paid because of us",
        "£2,600.50.",
    )
    assert tell("deadline_warned", share=0.75, told=["duty_officer"], late_seconds=190) == (
        "75% of the time is used",
        "Told: duty officer. This was 3 min late.",
    )
    assert tell("clock_stopped", stopped_by="attended", met=True, gross_seconds=7080, paused_seconds=600) == (
        "Clock stopped, in time",
        "After 1 h 58 min: a responder attended. Paused for 10 min of it.",
    )
    assert tell("rung_reached", action="notify", to="team_leader")[0] == "Escalation: team leader is told"
    assert tell("something_new") == ("Something new", "")
