"""Rules R01 to R18 at their boundaries, the escalators, needed-by; scenarios of domain.md 8 by number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rapid_response.core.facts import VULNERABILITY_FACTS, Facts, merge
from rapid_response.core.vocabulary import Category, Channel, Priority
from rapid_response.intake.reading.port import Matter
from rapid_response.intake.rules import (
    RULEBOOK,
    Decision,
    RulesFileError,
    TriageCase,
    decide,
    either,
    needed_by,
    read_rulebook,
    rows_of,
)
from tests.cases import each

NOON = datetime(2026, 10, 5, 11, 0, tzinfo=UTC)  # a Monday, 12:00 in London
SECOND = timedelta(seconds=1)
LONDON = ZoneInfo("Europe/London")


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def hours(n: float) -> timedelta:
    return timedelta(hours=n)


def a_case(**given: Any) -> TriageCase:
    """A doorstep crime reported at noon, of which nothing else is known; facts and circumstances by name."""
    circumstances = {name: given.pop(name) for name in list(given) if name in TriageCase.__dataclass_fields__}
    defaults: dict[str, Any] = {
        "facts": Facts(**given),
        "category": Category.DOORSTEP_CRIME,
        "subtype": "rogue_trader",
        "matter": Matter.CRIME,
        "received_at": NOON,
        "now": NOON,
    }
    return TriageCase(**(defaults | circumstances))


def ruled(**given: Any) -> tuple[str, str]:
    decision = decide(a_case(**given))
    return decision.rule_id, decision.priority.value


# ---- one rule, one boundary


@each("fact", ["threat_or_fear", "distress_or_self_harm"])
def test_r01_threat_or_self_harm_is_p0(fact: str) -> None:
    assert ruled(**{fact: True}) == ("R01", "P0")


@each("subtype", ["distraction_burglary", "bogus_official"])
def test_r02_a_thief_or_bogus_official_inside_is_p0(subtype: str) -> None:
    assert ruled(subtype=subtype, suspect_on_premises=True) == ("R02", "P0")
    assert ruled(subtype=subtype)[0] == "R18"


@each("taken", [{"property_taken": True}, {"paid_within_24h": True}, {"paid_at": NOON}])
def test_r02_a_suspect_gone_with_money_or_property_counts_for_thirty_minutes(taken: dict[str, Any]) -> None:
    def gone(ago: timedelta) -> str:
        return ruled(suspect_just_left=True, suspect_left_at=NOON - ago, **taken)[0]

    assert gone(minutes(30)) == "R02"
    assert gone(minutes(30) + SECOND) != "R02"


def test_r02_a_suspect_just_left_without_a_time_left_just_now() -> None:
    assert ruled(suspect_just_left=True, property_taken=True) == ("R02", "P0")


def test_r02_needs_something_taken() -> None:
    assert ruled(suspect_just_left=True) == ("R18", "P2")


def test_r02_is_dated_from_the_report_so_that_our_queue_does_not_lower_it() -> None:
    left = NOON - minutes(20)
    assert ruled(suspect_just_left=True, suspect_left_at=left, property_taken=True, now=NOON + hours(1)) == (
        "R02",
        "P0",
    )


def test_r03_being_taken_to_the_bank_is_p0() -> None:
    assert ruled(being_taken_to_bank=True) == ("R03", "P0")


def test_r04_a_courier_counts_for_two_hours() -> None:
    assert ruled(courier_expected=True, courier_expected_at=NOON + hours(2)) == ("R04", "P0")
    assert ruled(courier_expected=True, courier_expected_at=NOON + hours(2) + SECOND) == ("R10", "P1")
    assert ruled(courier_expected=True, courier_expected_at=NOON + hours(24)) == ("R12", "P2")


def test_r04_a_courier_without_a_time_comes_now() -> None:
    assert ruled(courier_expected=True) == ("R04", "P0")


def test_r04_a_courier_at_the_door_is_p0_whenever_he_was_expected() -> None:
    assert ruled(courier_expected=True, courier_expected_at=NOON + hours(30), suspect_on_premises=True) == (
        "R04",
        "P0",
    )


def test_r04_a_courier_whose_time_is_long_past_is_left_to_a_person() -> None:
    assert ruled(courier_expected=True, courier_expected_at=NOON - hours(12)) == ("R04", "P0")
    assert ruled(courier_expected=True, courier_expected_at=NOON - hours(12) - SECOND) == ("R18", "P2")


@each("beside", ["refuses_to_leave", "demands_money_now", *VULNERABILITY_FACTS])
def test_r05_on_the_premises_and_pressing_is_p0(beside: str) -> None:
    assert ruled(suspect_on_premises=True, **{beside: True}) == ("R05", "P0")
    assert ruled(suspect_on_premises=True, **{beside: False}) == ("R08", "P1")


def test_r05_who_refuses_to_leave_is_there() -> None:
    assert ruled(refuses_to_leave=True) == ("R05", "P0")
    assert ruled(refuses_to_leave=True, suspect_on_premises=False) == ("R18", "P2")


def test_r06_coming_back_counts_for_sixty_minutes() -> None:
    assert ruled(suspect_returning=True, suspect_returning_at=NOON + minutes(60)) == ("R06", "P0")
    assert ruled(suspect_returning=True, suspect_returning_at=NOON + minutes(60) + SECOND) == ("R10", "P1")


def test_r06_coming_back_without_a_time_is_now() -> None:
    assert ruled(suspect_returning=True) == ("R06", "P0")


def test_r06_a_time_alone_says_that_he_comes_back_unless_the_fact_says_no() -> None:
    soon = NOON + minutes(30)
    assert ruled(suspect_returning_at=soon) == ("R06", "P0")
    assert ruled(suspect_returning_at=soon, suspect_returning=False) == ("R18", "P2")
    answered = frozenset({"suspect_returning", "suspect_returning_at"})
    assert ruled(suspect_returning_at=soon, suspect_returning=False, answered=answered) == ("R06", "P0")


@each("given", [{"line_went_dead": True}, {"safe_to_talk": False}])
def test_r07_who_cannot_speak_is_p0(given: dict[str, Any]) -> None:
    assert ruled(**given) == ("R07", "P0")


def test_r08_a_calm_trader_on_site_is_p1() -> None:
    assert ruled(suspect_on_premises=True) == ("R08", "P1")


@each("fact", ["remote_access_on", "on_phone_with_suspect"])
def test_r09_a_suspect_on_the_line_is_p1(fact: str) -> None:
    assert ruled(**{fact: True}) == ("R09", "P1")


def test_r10_today_ends_at_local_midnight() -> None:
    midnight = datetime(2026, 10, 6, 0, 0, tzinfo=LONDON)
    assert ruled(suspect_returning=True, suspect_returning_at=midnight - SECOND) == ("R10", "P1")
    assert ruled(suspect_returning=True, suspect_returning_at=midnight) == ("R12", "P2")


def test_r10_a_payment_without_a_time_is_due_today() -> None:
    assert ruled(payment_pending=True) == ("R10", "P1")


def test_r10_a_payment_time_to_come_is_when_it_is_due() -> None:
    midnight = datetime(2026, 10, 6, 0, 0, tzinfo=LONDON)
    assert ruled(payment_pending=True, paid_at=midnight - SECOND) == ("R10", "P1")
    assert ruled(payment_pending=True, paid_at=midnight) == ("R12", "P2")
    assert ruled(paid_at=midnight) == ("R12", "P2")


def test_r10_money_demanded_now_is_a_payment_today() -> None:
    assert ruled(demands_money_now=True) == ("R10", "P1")


def test_r11_paid_counts_for_twenty_four_hours() -> None:
    assert ruled(paid_at=NOON - hours(24)) == ("R11", "P1")
    assert ruled(paid_at=NOON - hours(24) - SECOND)[0] != "R11"


def test_r11_the_fact_says_its_own_window_whatever_the_time_says() -> None:
    assert ruled(paid_within_24h=True, paid_at=NOON - hours(40)) == ("R11", "P1")


@each("fact", VULNERABILITY_FACTS)
@each("time", ["happened_at", "paid_at"])
def test_r12_vulnerable_and_visited_counts_for_seventy_two_hours(fact: str, time: str) -> None:
    vulnerable = {fact: True, "supporter_present": True}
    assert ruled(**vulnerable, **{time: NOON - hours(72)}) == ("R12", "P2")
    assert ruled(**vulnerable, **{time: NOON - hours(72) - SECOND}) == ("R15", "P3")


def test_r12_a_loss_without_its_time_is_recent() -> None:
    assert ruled(disability=True, property_taken=True) == ("R12", "P2")


@each("repeat", ["repeat_victim", "repeat_address", "repeat_suspect"])
def test_r13_a_repeat_is_p2_where_it_is_doorstep_or_scam(repeat: str) -> None:
    long_ago = NOON - timedelta(days=9)
    assert ruled(**{repeat: True}, happened_at=long_ago) == ("R13", "P2")
    assert ruled(**{repeat: True}, happened_at=long_ago, category=Category.SCAM) == ("R13", "P2")
    assert ruled(**{repeat: True}, happened_at=long_ago, category=Category.OTHER) == ("R15", "P3")


def test_r14_an_urgent_visit_asked_for_is_p2_whoever_asks() -> None:
    long_ago = NOON - timedelta(days=9)
    for channel in (Channel.PARTNER, Channel.WEB):
        assert ruled(urgent_visit_requested=True, happened_at=long_ago, channel=channel) == ("R14", "P2")


def test_r15_more_than_seventy_two_hours_ago_is_p3() -> None:
    assert ruled(happened_at=NOON - hours(72) - SECOND) == ("R15", "P3")
    assert ruled(happened_at=NOON - hours(72)) == ("R18", "P2")


def test_r15_after_a_day_needs_vulnerability_ruled_out_not_just_unasked() -> None:
    at = NOON - hours(24) - SECOND
    assert ruled(happened_at=at) == ("R18", "P2")
    assert ruled(happened_at=at, vulnerability_known=True) == ("R15", "P3")
    assert ruled(happened_at=at, lives_alone=False) == ("R15", "P3")
    assert ruled(happened_at=at, lives_alone=True) == ("R12", "P2")
    assert ruled(happened_at=NOON - hours(24), vulnerability_known=True) == ("R18", "P2")


def test_r15_looks_at_the_newest_event() -> None:
    assert ruled(happened_at=NOON - timedelta(days=20), paid_at=NOON - hours(30)) == ("R18", "P2")


@each("contact", ["suspect_just_left", "payment_pending", "on_phone_with_suspect"])
def test_r15_needs_no_contact_with_the_suspect(contact: str) -> None:
    assert decide(a_case(happened_at=NOON - timedelta(days=9), **{contact: True})).priority.rank <= 2


@each("subtype", ["mail_mass_marketing", "mail_scam", "call_blocker_request"])
def test_r16_scam_mail_and_call_blockers_are_p3(subtype: str) -> None:
    assert ruled(subtype=subtype, category=Category.SCAM) == ("R16", "P3")


@each("subtype", ["leaflet_drop", "cold_call_nuisance"])
def test_r16_leaflets_and_nuisance_calls_are_p4(subtype: str) -> None:
    assert ruled(subtype=subtype) == ("R16", "P4")


@each("fact", ["suspect_just_left", "property_taken"])
def test_r16_does_not_hide_a_contact_or_a_loss(fact: str) -> None:
    assert ruled(subtype="leaflet_drop", **{fact: True}) == ("R18", "P2")


def test_r17_no_crime_is_p4() -> None:
    assert ruled(matter=Matter.NOT_CRIME, category=Category.OTHER, subtype="civil_dispute") == ("R17", "P4")


def test_r17_unclear_is_not_taken_for_harmless() -> None:
    assert ruled(matter=Matter.UNCLEAR, category=Category.OTHER, subtype="unclear") == ("R18", "P2")


def test_r17_what_every_purchase_has_counts_only_when_answered() -> None:
    bought = {"paid_within_24h": True, "matter": Matter.NOT_CRIME, "category": Category.OTHER}
    assert ruled(**bought) == ("R17", "P4")
    assert ruled(**bought, answered=frozenset({"paid_within_24h"})) == ("R11", "P1")


@each("danger", ["threat_or_fear", "suspect_on_premises", "being_taken_to_bank"])
def test_r17_never_hides_danger_that_the_text_shows(danger: str) -> None:
    assert decide(a_case(matter=Matter.NOT_CRIME, **{danger: True})).priority.rank <= 1


def test_r18_nothing_known_is_p2_until_a_person_decides() -> None:
    decision = decide(a_case())
    assert (decision.rule_id, decision.priority, decision.provisional) == ("R18", Priority.P2, True)
    assert decision.facts_used == ()


# ---- escalators


@each(
    ("given", "raised_by"),
    [
        ({"lives_alone": True, "cognitive_impairment": True}, ("E01",)),
        ({"communication_need": True}, ("E02",)),
        ({"amount_pence": 500_001}, ("E03",)),
        ({"loss_pence": 500_001}, ("E03",)),
        ({"contact_again_24h": True}, ("E04",)),
        ({"contact_again_24h": True, "loss_pence": 900_000}, ("E03", "E04")),
    ],
)
def test_escalators_raise_by_one_step_together(given: dict[str, Any], raised_by: tuple[str, ...]) -> None:
    decision = decide(a_case(happened_at=NOON - timedelta(days=9), **given))
    assert (decision.rule_id, decision.priority, decision.escalators) == ("R15", Priority.P2, raised_by)


@each(
    "given",
    [
        {"lives_alone": True},
        {"cognitive_impairment": True},
        {"communication_need": True, "supporter_present": True},
        {"amount_pence": 500_000},
    ],
)
def test_escalators_need_all_of_what_they_ask(given: dict[str, Any]) -> None:
    assert decide(a_case(**given)).escalators == ()


def test_escalators_stop_at_p1() -> None:
    assert decide(a_case(payment_pending=True, contact_again_24h=True)).priority is Priority.P1
    assert decide(a_case(urgent_visit_requested=True, contact_again_24h=True)).priority is Priority.P1


def test_escalated_r18_stays_provisional() -> None:
    decision = decide(a_case(contact_again_24h=True))
    assert (decision.rule_id, decision.priority, decision.provisional) == ("R18", Priority.P1, True)


@each("given", [{"category": Category.OTHER}, {"matter": Matter.NOT_CRIME}])
def test_escalators_are_for_doorstep_crime_and_scams(given: dict[str, Any]) -> None:
    assert decide(a_case(contact_again_24h=True, **given)).escalators == ()


def test_the_high_loss_is_the_services_to_set() -> None:
    case = a_case(loss_pence=200_000)
    assert decide(case).escalators == ()
    assert decide(case, high_loss_pence=100_000).escalators == ("E03",)


# ---- what a decision carries


def test_a_decision_names_the_facts_it_rests_on() -> None:
    decision = decide(a_case(suspect_on_premises=True, lives_alone=True, cold_called=True))
    assert decision.facts_used == ("lives_alone", "suspect_on_premises")
    assert decision.rules_version == RULEBOOK.version


def test_p4_from_text_alone_is_marked() -> None:
    assert decide(a_case(subtype="leaflet_drop")).from_text_alone
    assert not decide(
        a_case(subtype="leaflet_drop", answered=frozenset({"suspect_on_premises"}))
    ).from_text_alone
    assert not decide(a_case()).from_text_alone


def test_the_earliest_event_to_come_is_named() -> None:
    decision = decide(
        a_case(
            suspect_returning=True,
            suspect_returning_at=NOON + hours(5),
            courier_expected=True,
            courier_expected_at=NOON + hours(3),
        )
    )
    assert decision.needed_event_at == NOON + hours(3)


# ---- merging (design.md 6)


def test_an_answer_beats_the_text() -> None:
    merged = merge(Facts(suspect_on_premises=True), Facts(suspect_on_premises=False))
    assert decide(a_case(facts=merged)).rule_id == "R18"


def test_two_sources_of_one_fact_are_ored() -> None:
    first = Facts(suspect_on_premises=False, suspect_returning_at=NOON + hours(4), amount_pence=100)
    second = Facts(suspect_on_premises=True, suspect_returning_at=NOON + hours(2), happened_at=NOON)
    both = either(first, second)
    assert both == either(second, first)
    assert both.suspect_on_premises is True
    assert both.suspect_returning_at == NOON + hours(2)
    assert (both.amount_pence, both.happened_at) == (100, NOON)


def test_ored_it_is_unsafe_to_talk_where_one_source_says_so() -> None:
    assert either(Facts(safe_to_talk=True), Facts(safe_to_talk=False)).safe_to_talk is False


# ---- needed by (domain.md 3.4)


def test_needed_by_is_the_due_time_where_nothing_is_expected() -> None:
    assert needed_by(NOON + hours(2), Facts(), NOON) == NOON + hours(2)


def test_needed_by_is_never_after_the_due_time() -> None:
    facts = Facts(courier_expected=True, courier_expected_at=NOON + hours(6))
    assert needed_by(NOON + hours(2), facts, NOON) == NOON + hours(2)


def test_needed_by_is_never_before_the_report() -> None:
    facts = Facts(courier_expected=True, courier_expected_at=NOON + minutes(5))
    assert needed_by(NOON + hours(2), facts, NOON) == NOON


def test_needed_by_takes_the_earliest_and_leaves_what_is_denied() -> None:
    facts = Facts(
        courier_expected=False,
        courier_expected_at=NOON + minutes(30),
        suspect_returning=True,
        suspect_returning_at=NOON + minutes(100),
        payment_pending=True,
        paid_at=NOON + minutes(75),
    )
    assert needed_by(NOON + hours(2), facts, NOON) == NOON + hours(1)


# ---- scenarios of domain.md 8


def test_scenario_1_two_men_on_a_roof_demanding_cash() -> None:
    assert ruled(suspect_on_premises=True, demands_money_now=True) == ("R05", "P0")


def test_scenario_2_a_courier_in_forty_minutes() -> None:
    assert ruled(courier_expected=True, courier_expected_at=NOON + minutes(40), category=Category.SCAM) == (
        "R04",
        "P0",
    )


def test_scenario_3_somebody_in_the_computer() -> None:
    assert ruled(remote_access_on=True, category=Category.SCAM) == ("R09", "P1")


def test_scenario_4_four_thousand_pounds_three_hours_ago() -> None:
    decision = decide(a_case(paid_at=NOON - hours(3), amount_pence=400_000, category=Category.SCAM))
    assert (decision.rule_id, decision.priority) == ("R11", Priority.P1)


def test_scenario_5_the_line_goes_dead() -> None:
    assert ruled(line_went_dead=True, matter=Matter.UNCLEAR) == ("R07", "P0")


def test_scenario_7_coming_back_at_three() -> None:
    received = datetime(2026, 10, 5, 13, 30, tzinfo=LONDON)
    back = datetime(2026, 10, 5, 15, 0, tzinfo=LONDON)
    case = a_case(suspect_returning=True, suspect_returning_at=back, received_at=received, now=received)
    decision = decide(case)
    assert (decision.rule_id, decision.priority) == ("R10", Priority.P1)
    assert needed_by(received + hours(2), case.facts, received) == back - minutes(15)


def test_scenario_14_a_faulty_kettle() -> None:
    case = a_case(
        matter=Matter.NOT_CRIME, category=Category.OTHER, subtype="consumer", paid_at=NOON - hours(20)
    )
    decision = decide(case)
    assert (decision.rule_id, decision.priority, decision.from_text_alone) == ("R17", Priority.P4, True)
    assert not decision.priority.has_clock


def test_scenario_20_he_is_listening() -> None:
    assert ruled(safe_to_talk=False) == ("R07", "P0")


def test_scenario_26_a_second_call_raises_p3_to_p2() -> None:
    old = {"happened_at": NOON - timedelta(days=5)}
    assert decide(a_case(**old)).priority is Priority.P3
    assert decide(a_case(**old, contact_again_24h=True)).priority is Priority.P2


# ---- the data file


def test_every_rule_of_the_domain_is_there_in_its_order() -> None:
    assert list(dict.fromkeys(rule.id for rule in RULEBOOK.rules)) == [f"R{n:02}" for n in range(1, 19)]
    assert [rule.priority.value for rule in rows_of("R16")] == ["P3", "P4"]
    ranks = [rule.priority.rank for rule in RULEBOOK.rules[:-1]]
    assert ranks == sorted(ranks)


def test_the_vulnerable_are_those_of_the_vocabulary() -> None:
    names = {name for part in RULEBOOK.groups["vulnerable"] for name in part.words().strip("`").split()}
    assert names == set(VULNERABILITY_FACTS)


@each(
    ("old", "new"),
    [
        ("when: being_taken_to_bank", "when: being_taken_to_bnak"),
        ("within: 2 h", "within: two hours"),
        ("by: later", "by: soon"),
        ("when: always\n    service", "when: being_taken_to_bank\n    service"),
        ("loss: high", "losses: high"),
        ("when: being_taken_to_bank", "when: []"),
    ],
)
def test_a_slip_in_the_data_is_refused(old: str, new: str) -> None:
    text = files("rapid_response.intake").joinpath("triage_rules.yaml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(RulesFileError):
        read_rulebook(text.replace(old, new))


def test_a_decision_is_a_value() -> None:
    one, other = decide(a_case(payment_pending=True)), decide(a_case(payment_pending=True))
    assert isinstance(one, Decision)
    assert one == other
