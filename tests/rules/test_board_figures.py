"""From events to the board's figures: the clock, outcomes, money, wards, reconciliation, as-at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rapid_response.core import events as happened
from rapid_response.core.events import Event, event_data
from rapid_response.core.vocabulary import AgeTargeting, Category, Channel, ClockState, OutcomeCode
from rapid_response.hatecrime.rules import headline_class
from rapid_response.reporting.period import month
from rapid_response.reporting.record import HEARD, CaseRecord, StoredEvent, fold, fold_each
from rapid_response.reporting.rules import figures, ward_rows
from tests.cases import each

OCTOBER = month("2026-10")
NOON = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
AFTER = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
TWO_HOURS = timedelta(hours=2)


def mins(n: float) -> timedelta:
    return timedelta(minutes=n)


NO_PAUSE, HALF_AN_HOUR = mins(0), mins(30)


class Story:
    """One incident's log, told as it happened; each event is recorded at its own moment."""

    def __init__(self, reference: str = "RR-1", received_at: datetime = NOON) -> None:
        self.reference, self.received_at = reference, received_at
        self.events: list[StoredEvent] = []
        self.due_at = received_at + TWO_HOURS

    def record(self, event: Event, at: datetime) -> Story:
        # Through JSON, as the log keeps it.
        data = json.loads(json.dumps(event_data(event)))
        self.events.append(StoredEvent(self.reference, len(self.events) + 1, event.type, at, data))
        return self

    def reported(
        self, channel: Channel = Channel.PHONE, at: datetime | None = None, report_id: str | None = None
    ) -> Story:
        at = at or self.received_at
        report_id = report_id or f"{self.reference}-{len(self.events)}"
        return self.record(happened.ReportReceived(report_id, channel, at), at)

    def classified(
        self, category: Category = Category.DOORSTEP_CRIME, at: datetime | None = None, **known: Any
    ) -> Story:
        event = happened.IncidentClassified(category, "rogue_trader", "recent", **known)
        return self.record(event, at or self.received_at)

    def decided(self, priority: str = "P1", rule_id: str = "R08", at: datetime | None = None) -> Story:
        return self.record(happened.PriorityDecided(priority, rule_id, "1", ()), at or self.received_at)

    def clocked(self, at: datetime | None = None, episode: int = 1) -> Story:
        start = at or self.received_at
        self.due_at = start + TWO_HOURS
        return self.record(happened.ClockStarted(start, self.due_at, self.due_at, 4821, episode), start)

    def taken_in(self, ward: str | None = "Bromley Town", **known: Any) -> Story:
        """As every urgent report begins."""
        return self.reported().classified(ward=ward, **known).decided().clocked()

    def stopped(
        self, after: timedelta, by: str = "attended", paused: timedelta = NO_PAUSE, flagged: bool = False
    ) -> Story:
        at = self.received_at + after
        met = at <= self.due_at + paused
        event = happened.ClockStopped(
            by, at, int(after.total_seconds()), int(paused.total_seconds()), met, flagged
        )
        return self.record(event, at)

    def missed(self) -> Story:
        return self.record(happened.DeadlineMissed(self.due_at, 1.0), self.due_at + timedelta(seconds=1))

    def nobody_in(self, after: timedelta) -> Story:
        return self.record(happened.NoContactMade("asha", "sms", True), self.received_at + after)

    def outcome(
        self, code: str, pence: int | None = None, grade: str | None = "A", id_: str | None = None,
        at: datetime | None = None,
    ) -> Story:  # fmt: skip
        id_ = id_ or f"o{len(self.events)}"
        return self.record(
            happened.OutcomeRecorded(id_, code, pence, grade), at or self.received_at + mins(90)
        )

    def targeted(self, state: str) -> Story:
        return self.record(happened.TargetingAssessed(state), self.received_at)

    def assessed(self, state: str, after: timedelta, **said: Any) -> Story:
        return self.record(happened.TargetingAssessed(state, **said), self.received_at + after)

    def closed(self, disposition: str = "resolved_attended") -> Story:
        return self.record(happened.IncidentClosed(disposition, 1), self.received_at + mins(180))

    def cancelled(self, disposition: str, after: timedelta = HALF_AN_HOUR) -> Story:
        return self.record(happened.IncidentCancelled(disposition, 1), self.received_at + after)

    def folded(self, as_at: datetime | None = None) -> CaseRecord:
        return fold(self.events, as_at)


def board(*stories: Story, as_at: datetime = AFTER) -> dict[str, Any]:
    return figures([(s.reference, s.folded(as_at)) for s in stories], OCTOBER, as_at)


def only_clock(story: Story, as_at: datetime = AFTER) -> ClockState:
    (clock,) = story.folded(as_at).clocks
    return clock.state(as_at)


# ---- the shape that the contract promises


def test_the_report_has_the_contracts_keys_even_when_nothing_happened() -> None:
    empty = board()
    assert {key: sorted(value) if isinstance(value, dict) else value for key, value in empty.items()} == {
        "period": ["as_at", "closed", "from", "kind", "label", "to"],
        "contacts": ["by_channel", "total"],
        "incidents": ["by_category", "by_headline_class", "by_priority", "total"],
        "two_hours": [
            "breached", "breaches", "by_mode", "due", "median_seconds", "met", "open", "p90_seconds", "share",
        ],
        "outcomes": sorted(OutcomeCode),
        "dispositions": sorted(empty["dispositions"]),
        "money_gbp": ["prevented", "recovered"],
        "victims": ["aged_60_plus", "living_alone", "repeat", "repeat_28_days", "total"],
        "age_targeting": [
            "early", "potential", "recognised_local", "referred_partner", "referred_police", "ruled_out",
            "under_review",
        ],
        "referrals": [],
        "wards": [],
        "reconciliation": [
            "became_incidents", "contacts", "information_only", "joined_incidents", "spam_or_test",
        ],
        "notes": [],
    }  # fmt: skip
    assert empty["two_hours"]["share"] is None
    assert empty["two_hours"]["median_seconds"] is None
    assert empty["money_gbp"]["prevented"] == {"A": 0, "B": 0, "C": 0}
    json.dumps(empty)


def test_the_period_is_given_in_local_time() -> None:
    assert board()["period"] == {
        "kind": "month",
        "label": "2026-10",
        "from": "2026-10-01T00:00:00+01:00",
        "to": "2026-11-01T00:00:00+00:00",
        "as_at": "2026-11-01T09:00:00+00:00",
        "closed": True,
    }


# ---- the two hours


@each(
    ("after", "state"),
    [
        (mins(118), ClockState.MET),
        (mins(120), ClockState.MET),
        (mins(120) + timedelta(seconds=1), ClockState.BREACHED),
        (mins(121), ClockState.BREACHED),
    ],
)
def test_scenario_41_two_hours_to_the_second(after: timedelta, state: ClockState) -> None:
    assert only_clock(Story().taken_in().stopped(after)) is state


def test_scenario_42_without_a_response_it_breaches_even_if_no_alarm_was_recorded() -> None:
    story = Story().taken_in()
    assert only_clock(story, story.due_at) is ClockState.RUNNING
    assert only_clock(story, story.due_at + timedelta(seconds=1)) is ClockState.BREACHED


def test_a_breach_is_not_erased_by_a_later_response() -> None:
    report = board(Story().taken_in().missed().stopped(mins(150)))
    assert report["two_hours"]["breached"] == 1
    assert report["two_hours"]["breaches"] == [{"reference": "RR-1", "late_seconds": 1800, "reason": None}]
    assert "Breaches without a recorded reason: 1." in report["notes"]


def test_a_response_told_in_time_and_found_late_takes_the_breach_back_and_is_named() -> None:
    story = Story().taken_in().missed()
    stopped = happened.ClockStopped("attended", NOON + mins(118), 7080, 0, True, breach_taken_back=True)
    report = board(story.record(stopped, NOON + mins(123)))
    assert (report["two_hours"]["met"], report["two_hours"]["breached"]) == (1, 0)
    assert "Breaches taken back, because word of the response had been sent in time: 1." in report["notes"]
    # Whoever asks as at a moment before it was found sees what was known then.
    assert only_clock(story, NOON + mins(121)) is ClockState.BREACHED


def test_scenario_39_nobody_in_takes_the_stop_back_and_a_call_in_time_converts_it() -> None:
    nobody = Story().taken_in().stopped(mins(60)).nobody_in(mins(61))
    assert only_clock(nobody, NOON + mins(90)) is ClockState.RUNNING
    assert only_clock(nobody) is ClockState.BREACHED
    called = nobody.stopped(mins(100), by="remote_response")
    assert only_clock(called) is ClockState.MET
    report = board(called)
    assert report["two_hours"]["by_mode"] == {"attended": 0, "remote_response": 1, "police_handover": 0}
    assert "Times a responder came and nobody answered, which is no response: 1." in report["notes"]


def test_scenario_43_the_police_stop_the_clock() -> None:
    assert board(Story().taken_in().stopped(mins(20), by="police_handover"))["two_hours"]["by_mode"][
        "police_handover"
    ] == 1  # fmt: skip


def test_scenario_44_the_autumn_night_is_counted_in_elapsed_time() -> None:
    night = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)  # 00:30 BST; attended 01:20 GMT
    report = board(Story(received_at=night).taken_in().stopped(mins(110)))
    assert (report["two_hours"]["met"], report["two_hours"]["median_seconds"]) == (1, 110 * 60)


def test_scenario_46_a_pause_moves_the_due_time_and_response_is_net() -> None:
    story = Story().taken_in()
    story.record(happened.ClockPaused("victim_requested_later_time"), NOON + mins(30))
    assert only_clock(story) is ClockState.PAUSED
    assert board(story)["two_hours"]["open"] == 1
    story.record(happened.ClockResumed(3600, story.due_at + mins(60)), NOON + mins(90))
    report = board(story.stopped(mins(170), paused=mins(60)))
    assert (report["two_hours"]["met"], report["two_hours"]["median_seconds"]) == (1, 110 * 60)


def test_a_clock_stopped_while_paused_is_late_only_by_what_is_left() -> None:
    story = Story().taken_in().record(happened.ClockPaused("police_requested_hold"), NOON + mins(30))
    report = board(story.stopped(mins(185), paused=mins(60)))
    assert report["two_hours"]["breaches"][0]["late_seconds"] == 5 * 60


def test_the_share_counts_what_was_due_and_null_means_nothing_was() -> None:
    met = [Story(f"RR-M{n}").taken_in().stopped(mins(30 * n)) for n in (1, 2, 3)]
    late = Story("RR-L").taken_in().stopped(mins(130))
    still = Story("RR-O", AFTER - mins(10)).taken_in()
    in_october = Story("RR-P", OCTOBER.to_utc - mins(5)).taken_in()
    as_at = OCTOBER.to_utc + mins(1)
    report = board(*met, late, still, in_october, as_at=as_at)["two_hours"]
    assert (report["due"], report["met"], report["breached"], report["open"]) == (4, 3, 1, 1)
    assert report["share"] == 3 / 4
    assert (report["median_seconds"], report["p90_seconds"]) == (75 * 60, 130 * 60)
    assert board(in_october, as_at=as_at)["two_hours"]["share"] is None


def test_p3_and_p4_never_dilute_the_share() -> None:
    kettle = Story("RR-K").reported().classified(Category.OTHER).decided("P4", "R17")
    kettle.record(happened.ClockNotApplicable("priority"), NOON)
    report = board(kettle, Story().taken_in().stopped(mins(130)))
    assert (report["two_hours"]["due"], report["two_hours"]["share"]) == (1, 0)
    assert report["incidents"]["by_priority"] == {"P0": 0, "P1": 1, "P2": 0, "P3": 0, "P4": 1}
    assert report["victims"]["total"] == 1


def test_scenario_26_a_raised_p3_is_judged_by_its_own_clock() -> None:
    raised = Story().reported().classified().decided("P3", "R15")
    raised.record(happened.ClockNotApplicable("priority"), NOON)
    raised.decided("P2", "R12", NOON + mins(300)).clocked(NOON + mins(300))
    raised.record(happened.ClockStopped("attended", NOON + mins(360), 3600, 0, True), NOON + mins(360))
    assert only_clock(raised) is ClockState.MET
    assert raised.folded().no_clock_why is None
    assert (raised.folded().priority_first, raised.folded().priority) == ("P3", "P2")


def test_lowering_ends_a_running_clock_but_no_breach() -> None:
    lowered = Story().taken_in().record(happened.ClockNotApplicable("lowered"), NOON + mins(30))
    assert only_clock(lowered) is ClockState.NOT_APPLICABLE
    too_late = Story().taken_in().missed().record(happened.ClockNotApplicable("lowered"), NOON + mins(150))
    assert only_clock(too_late) is ClockState.BREACHED
    unseen = Story().taken_in().record(happened.ClockNotApplicable("lowered"), NOON + mins(150))
    assert only_clock(unseen) is ClockState.BREACHED


def test_scenario_49_a_second_episode_is_a_second_promise() -> None:
    story = Story().taken_in().stopped(mins(30)).closed()
    story.record(happened.IncidentReopened(2), NOON + mins(300))
    assert story.folded().disposition is None
    story.clocked(NOON + mins(300), episode=2)
    report = board(story)
    assert (report["incidents"]["total"], report["two_hours"]["met"], report["two_hours"]["breached"]) == (
        1,
        1,
        1,
    )


def test_a_breach_keeps_its_own_reason() -> None:
    story = Story().taken_in().missed().stopped(mins(150))
    story.clocked(NOON + mins(300), episode=2)
    story.record(happened.BreachExplained("nobody_free"), NOON + mins(310))
    assert [clock.breach_reason for clock in story.folded().clocks] == ["nobody_free", None]


def test_a_flagged_response_is_named() -> None:
    assert "Responses flagged for a person to confirm: 1." in board(
        Story().taken_in().stopped(mins(30), by="remote_response", flagged=True)
    )["notes"]  # fmt: skip


# ---- money (each pound once)


def test_scenario_53_prevented_and_recovered_are_different_pounds() -> None:
    story = Story().taken_in().outcome("money_prevented", 300_000).outcome("money_recovered", 50_000, "B")
    money = board(story)["money_gbp"]
    assert money["prevented"] == {"A": 3000, "B": 0, "C": 0}
    assert money["recovered"] == {"A": 0, "B": 500, "C": 0}


def test_scenario_53_a_cancelled_contract_is_money_prevented_once() -> None:
    once = Story("RR-1").taken_in().outcome("contract_cancelled", 300_000).outcome("money_recovered", 50_000)
    twice = (
        Story("RR-2").taken_in().outcome("contract_cancelled", 300_000).outcome("money_prevented", 300_000)
    )
    assert board(once)["money_gbp"]["prevented"]["A"] == 3000
    assert board(twice)["money_gbp"]["prevented"]["A"] == 3000


def test_a_stopped_payment_that_came_back_is_recovered_not_prevented() -> None:
    story = Story().taken_in().outcome("payment_stopped", 50_000)
    assert board(story)["money_gbp"]["prevented"]["A"] == 500
    story.outcome("money_recovered", 50_000)
    assert board(story)["money_gbp"]["prevented"]["A"] == 0
    assert board(story)["money_gbp"]["recovered"]["A"] == 500


def test_an_amount_without_a_grade_is_the_victims_estimate() -> None:
    report = board(Story().taken_in().outcome("money_prevented", 123_45, grade=None))
    assert report["money_gbp"]["prevented"] == {"A": 0, "B": 0, "C": 123.45}
    assert "Amounts without an evidence grade, counted as grade C: 1." in report["notes"]


def test_scenario_54_a_recoded_outcome_leaves_the_old_report_as_it_was() -> None:
    story = Story().taken_in().outcome("money_prevented", 100_000, "C", id_="o1")
    story.outcome("money_prevented", 40_000, "A", id_="o1", at=datetime(2026, 11, 20, tzinfo=UTC))
    then, now = board(story, as_at=AFTER), board(story, as_at=datetime(2026, 12, 1, tzinfo=UTC))
    assert then["money_gbp"]["prevented"] == {"A": 0, "B": 0, "C": 1000}
    assert then["notes"] == board(Story().taken_in().outcome("money_prevented", 1, "C"))["notes"]
    assert now["money_gbp"]["prevented"] == {"A": 400, "B": 0, "C": 0}
    assert any(note.startswith("Entries corrected after the period ended") for note in now["notes"])
    assert (then["outcomes"]["money_prevented"], now["outcomes"]["money_prevented"]) == (1, 1)


# ---- contacts and reconciliation


def test_scenario_10_two_calls_about_one_house_are_two_contacts_and_one_incident() -> None:
    story = Story().taken_in().reported(Channel.WEB, NOON + mins(20))
    report = board(story)
    assert report["contacts"]["total"] == 2
    assert (report["contacts"]["by_channel"]["phone"], report["contacts"]["by_channel"]["web"]) == (1, 1)
    assert report["incidents"]["total"] == 1
    assert report["reconciliation"]["joined_incidents"] == 1


def test_a_joined_incident_leaves_the_promise_and_its_moved_report_counts_once() -> None:
    kept = Story("RR-1").taken_in().stopped(mins(60))
    joined = Story("RR-2", NOON + mins(5)).taken_in().cancelled("duplicate_of")
    moved = joined.events[0].data["report_id"]
    kept.reported(Channel.PHONE, NOON + mins(5), report_id=moved)
    for stories in ((kept, joined), (joined, kept)):
        report = board(*stories)
        assert (report["contacts"]["total"], report["incidents"]["total"]) == (2, 1)
        assert report["two_hours"]["due"] == 1
        assert report["reconciliation"] == {
            "contacts": 2,
            "became_incidents": 1,
            "joined_incidents": 1,
            "information_only": 0,
            "spam_or_test": 0,
        }


def test_calls_that_were_one_hoax_are_counted_as_that_whichever_was_joined_to_which() -> None:
    hoax, joined = Story("RR-1").taken_in(), Story("RR-2").taken_in().cancelled("duplicate_of")
    hoax.reported(Channel.PHONE, NOON, report_id=joined.events[0].data["report_id"])
    hoax.cancelled("hoax_or_test", mins(40))
    for stories in ((hoax, joined), (joined, hoax)):
        reconciliation = board(*stories)["reconciliation"]
        assert (reconciliation["spam_or_test"], reconciliation["joined_incidents"]) == (2, 0)


def test_a_hoax_is_a_contact_and_its_late_clock_is_not_hidden() -> None:
    report = board(Story().taken_in().missed().cancelled("hoax_or_test", mins(180)))
    assert (report["incidents"]["total"], report["reconciliation"]["spam_or_test"]) == (0, 1)
    assert report["two_hours"]["due"] == 0
    assert report["dispositions"]["hoax_or_test"] == 1
    assert any("joined others or were hoaxes or tests: 1 (1 late)" in note for note in report["notes"])


def test_scenario_13_a_notification_is_information_only() -> None:
    story = Story().classified().decided("P4", "R16")
    data = event_data(happened.ReportReceived("r1", "partner", NOON)) | {"information_only": True}
    story.events.append(StoredEvent("RR-1", 9, "report_received", NOON, data))
    report = board(story)
    assert (report["incidents"]["total"], report["reconciliation"]["information_only"]) == (0, 1)


def test_a_contact_counts_in_its_own_month_an_incident_in_that_of_its_first() -> None:
    september = Story(received_at=datetime(2026, 9, 30, 22, 59, tzinfo=UTC)).taken_in()
    september.reported(at=NOON)
    report = board(september)
    assert (report["contacts"]["total"], report["incidents"]["total"]) == (1, 0)
    assert report["reconciliation"]["joined_incidents"] == 1
    first_moment = Story(received_at=datetime(2026, 9, 30, 23, 0, tzinfo=UTC)).taken_in()
    assert board(first_moment)["incidents"]["total"] == 1


# ---- victims, age targeting, referrals


def test_victims_are_counted_by_what_was_said_of_them_and_a_correction_forgets_nothing() -> None:
    story = Story().taken_in(victim_aged_60_plus=True, victim_lives_alone=True, repeat_victim=True)
    story.classified(Category.SCAM, NOON + mins(5))
    assert board(story)["victims"] == {
        "total": 1,
        "repeat": 1,
        "repeat_28_days": 0,
        "aged_60_plus": 1,
        "living_alone": 1,
    }
    assert board(story)["incidents"]["by_category"]["scam"] == 1
    assert story.folded().category_first == "doorstep_crime"
    assert story.folded().ward == "Bromley Town"


def test_age_targeting_is_a_funnel_of_states_ever_reached() -> None:
    story = Story().taken_in().targeted("none").targeted("potential").targeted("under_review")
    story.targeted("ruled_out")
    report = board(story, Story("RR-2").taken_in().targeted("recognised_local"))
    report["age_targeting"].pop("early")
    assert report["age_targeting"] == {
        "potential": 2,
        "under_review": 1,
        "referred_police": 0,
        "referred_partner": 0,
        "recognised_local": 1,
        "ruled_out": 1,
    }
    assert report["incidents"]["by_headline_class"]["potential_age_targeted"] == 1
    assert report["incidents"]["by_headline_class"]["doorstep_crime"] == 1


def test_how_early_they_were_seen_and_how_soon_a_person_decided() -> None:
    hours = timedelta(hours=1)
    nobody = Story("RR-0").taken_in().assessed("none", 0 * hours, by_person=True)
    arrival = Story("RR-1").taken_in().assessed("potential", 0 * hours, loss="not_yet")
    arrival.assessed("under_review", 2 * hours, by_person=True).assessed(
        "ruled_out", 3 * hours, by_person=True
    )
    # Looked at once more: what counts is the first decision.
    arrival.assessed("under_review", 50 * hours, by_person=True).assessed(
        "recognised_local", 51 * hours, by_person=True
    )
    reading = Story("RR-2").taken_in().assessed("potential", hours / 4, loss="lost")
    person = (
        Story("RR-3")
        .taken_in()
        .assessed("none", 0 * hours)
        .assessed("potential", 5 * hours, by_person=True, loss="not_known")
    )
    person.assessed("referred_police", 9 * hours, by_person=True)
    stories = (nobody, arrival, reading, person)
    assert board(*stories)["age_targeting"]["early"] == {
        "flagged_at_arrival": 1,
        "flagged_on_reading_again": 1,
        "flagged_by_person": 1,
        "before_loss": 1,
        "after_loss": 1,
        "loss_not_known": 1,
        "decided": 2,
        "median_hours_to_flag": 0.2,
        "median_hours_to_decision": 3.5,
    }
    as_it_stood = board(*stories, as_at=NOON + 4 * hours)["age_targeting"]["early"]
    assert (as_it_stood["flagged_by_person"], as_it_stood["decided"]) == (0, 1)
    assert as_it_stood["median_hours_to_decision"] == 3.0


def test_where_nobody_was_flagged_there_is_no_median() -> None:
    early = board(Story().taken_in())["age_targeting"]["early"]
    assert early.pop("median_hours_to_flag") is early.pop("median_hours_to_decision") is None
    assert set(early.values()) == {0}


@each(("category", "state"), list(product(Category, AgeTargeting)))
def test_the_headline_is_derived_as_the_hate_crime_rules_derive_it(
    category: Category, state: AgeTargeting
) -> None:
    assert CaseRecord(category=category, targeting=state).headline_class == headline_class(category, state)


def test_referrals_by_kind_and_by_every_state_reached() -> None:
    story = Story().taken_in()
    for referral, kind, state in [
        ("f1", "police", "sent"),
        ("f1", "police", "acknowledged"),
        ("f1", "police", "chased"),
        ("f1", "police", "accepted"),
        ("f2", "asc_safeguarding", "sent"),
        ("f2", "asc_safeguarding", "declined"),
    ]:
        story.record(happened.ReferralMoved(referral, kind, state), NOON)
    assert board(story)["referrals"] == {
        "asc_safeguarding": {"sent": 1, "acknowledged": 0, "accepted": 0, "declined": 1},
        "police": {"sent": 1, "acknowledged": 1, "accepted": 1, "declined": 0},
    }


def test_what_was_referred_before_it_was_joined_was_sent_all_the_same() -> None:
    kept = Story("RR-1").taken_in().stopped(mins(60))
    joined = Story("RR-2", NOON + mins(5)).taken_in()
    joined.record(happened.ReferralMoved("f1", "police_hate_crime", "sent"), NOON + mins(10))
    joined.cancelled("duplicate_of")
    joined.record(happened.ReferralMoved("f1", "police_hate_crime", "accepted"), NOON + mins(90))
    assert board(kept, joined)["referrals"] == {
        "police_hate_crime": {"sent": 1, "acknowledged": 0, "accepted": 1, "declined": 0}
    }


# ---- wards and small numbers


def test_scenario_55_small_wards_are_hidden_and_cannot_be_derived() -> None:
    assert ward_rows({"Darwin": 3, "Bickley": 9, "Penge": 12}) == [
        {"ward": "Bickley", "incidents": ">=5"},
        {"ward": "Darwin", "incidents": "<5"},
        {"ward": "Penge", "incidents": 12},
    ]


def test_two_small_wards_hide_each_other() -> None:
    assert ward_rows({"Darwin": 3, "Bickley": 2, "Penge": 12})[2] == {"ward": "Penge", "incidents": 12}


def test_five_is_shown() -> None:
    assert ward_rows({"Darwin": 5}) == [{"ward": "Darwin", "incidents": 5}]


def test_an_incident_without_a_ward_is_in_the_row_unknown_and_the_note_says_no_number() -> None:
    report = board(*(Story(f"RR-{n}").taken_in(ward=None) for n in range(6)))
    assert report["wards"] == [{"ward": "unknown", "incidents": 6}]
    assert "Some incidents have no known ward; they are in the row “unknown”." in report["notes"]


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from("ABCDEF"), st.integers(1, 12), min_size=1, max_size=6))
def test_no_small_ward_follows_from_the_total(counts: dict[str, int]) -> None:
    """From the total and what is shown, a small ward can have two counts at least, if anything can help."""
    rows = {row["ward"]: row["incidents"] for row in ward_rows(counts)}
    assert all(not isinstance(shown, int) or shown >= 5 for shown in rows.values())
    hidden_sum = sum(counts.values()) - sum(shown for shown in rows.values() if isinstance(shown, int))
    ranges = [
        range(1, 5) if shown == "<5" else range(5, 40) for shown in rows.values() if isinstance(shown, str)
    ]
    small = sum(1 for shown in rows.values() if shown == "<5")
    if small and len(ranges) < len(rows):
        possible = _first_values(ranges, hidden_sum, rows)
        assert len(possible) > 1


def _first_values(ranges: Sequence[range], total: int, rows: dict[str, Any]) -> set[int]:
    """What the first small hidden count could be, given the sum of all that is hidden."""
    index = next(i for i, r in enumerate(ranges) if r.start == 1)
    rest = [r for i, r in enumerate(ranges) if i != index]
    lowest, highest = sum(r.start for r in rest), sum(r[-1] for r in rest)
    return {n for n in ranges[index] if lowest <= total - n <= highest}


# ---- the log as a whole


def test_an_unfinished_period_and_open_clocks_are_said() -> None:
    report = board(Story().taken_in(), as_at=NOON + mins(60))
    assert report["period"]["closed"] is False
    assert report["notes"][0] == "The period is not over: these are its figures up to 5 October 2026, 14:00."
    assert "Clocks still running, not yet due and not in the share: 1." in report["notes"]


def test_events_it_does_not_know_change_nothing() -> None:
    story = Story().taken_in()
    before = story.folded()
    story.events.append(StoredEvent("RR-1", 99, "moon_landed", NOON, {}))
    assert story.folded() == before


def test_every_heard_event_is_written_by_the_core() -> None:
    assert set(HEARD) <= set(happened.EVENT_TYPES)


def test_a_stream_of_several_incidents_folds_one_by_one() -> None:
    one, two = Story("RR-1").taken_in(), Story("RR-2").taken_in().closed()
    assert dict(fold_each([*one.events, *two.events])) == {"RR-1": one.folded(), "RR-2": two.folded()}


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Any sequence of events, sensible or not, in the order of its moments."""
    number = draw(st.integers(0, 10_000))
    received = OCTOBER.from_utc + timedelta(hours=draw(st.integers(-48, 800)))
    story = Story(f"RR-{number}", received).taken_in(ward=draw(st.sampled_from(["A", "B", None])))
    for step in range(draw(st.integers(0, 6))):
        after = mins(30 * (step + 1))
        match draw(st.integers(0, 7)):
            case 0:
                story.stopped(after)
            case 1:
                story.nobody_in(after)
            case 2:
                story.missed()
            case 3:
                story.cancelled(draw(st.sampled_from(["duplicate_of", "hoax_or_test", "withdrawn"])), after)
            case 4:
                story.clocked(received + after, episode=step)
            case 5:
                story.reported(draw(st.sampled_from(Channel)), received + after)
            case 6:
                story.outcome("money_prevented", draw(st.integers(1, 10**6)))
            case _:
                story.record(happened.ClockNotApplicable("lowered"), received + after)
    return story


@settings(max_examples=60, deadline=None)
@given(st.lists(stories(), max_size=4, unique_by=lambda s: s.reference), st.integers(-100, 900))
def test_the_figures_reconcile_whatever_happened(told: list[Story], hours: int) -> None:
    as_at = OCTOBER.from_utc + timedelta(hours=hours)
    report = board(*told, as_at=as_at)
    parts = report["reconciliation"]
    total = report["contacts"]["total"]
    assert total == sum(report["contacts"]["by_channel"].values()) == parts["contacts"]
    assert total == sum(parts.values()) - parts["contacts"]
    incidents = report["incidents"]
    assert incidents["total"] == parts["became_incidents"]
    for split in ("by_category", "by_priority", "by_headline_class"):
        assert sum(incidents[split].values()) == incidents["total"]
    clocks = report["two_hours"]
    assert clocks["due"] == clocks["met"] + clocks["breached"]
    assert sum(clocks["by_mode"].values()) == clocks["met"]
    assert len(clocks["breaches"]) == clocks["breached"]
    assert report == board(*reversed(told), as_at=as_at)
