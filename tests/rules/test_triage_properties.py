"""What must hold of triage whatever the facts: knowing of a danger never lowers, not knowing never lowers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapid_response.core.facts import BOOLEAN_FACTS, TIME_FACTS, Facts
from rapid_response.core.vocabulary import Category, Priority
from rapid_response.intake.advice import KEYS, advice
from rapid_response.intake.reading.port import Matter
from rapid_response.intake.rules import TriageCase, decide, either, needed_by

NOON = datetime(2026, 10, 5, 11, 0, tzinfo=UTC)
#: Here "no" is the danger.
SAFE = "safe_to_talk"
#: The facts that have a time of their own, by it.
OF_TIME = {
    "courier_expected_at": "courier_expected",
    "suspect_left_at": "suspect_just_left",
    "suspect_returning_at": "suspect_returning",
    "paid_at": "paid_within_24h",
}
SUBTYPES = ("rogue_trader", "distraction_burglary", "leaflet_drop", "mail_mass_marketing", "unclear")

answers = st.dictionaries(st.sampled_from(BOOLEAN_FACTS), st.booleans(), max_size=5)
times = st.dictionaries(
    st.sampled_from(TIME_FACTS),
    st.integers(-100 * 60, 50 * 60).map(lambda m: NOON + timedelta(minutes=m)),
    max_size=3,
)
facts = st.builds(
    lambda known, at, pence: Facts(**known, **at, amount_pence=pence),
    answers,
    times,
    st.none() | st.integers(0, 2_000_000),
)


@st.composite
def cases(draw: st.DrawFn) -> TriageCase:
    return TriageCase(
        facts=draw(facts),
        category=draw(st.sampled_from(Category)),
        subtype=draw(st.sampled_from(SUBTYPES)),
        matter=draw(st.sampled_from(Matter)),
        received_at=NOON - timedelta(minutes=draw(st.integers(0, 180))),
        now=NOON,
        answered=frozenset(draw(st.sets(st.sampled_from((*BOOLEAN_FACTS, *TIME_FACTS)), max_size=4))),
        vulnerability_known=draw(st.booleans()),
        supporter_present=draw(st.booleans()),
        repeat_victim=draw(st.booleans()),
        contact_again_24h=draw(st.booleans()),
    )


def rank(case: TriageCase, **changed: Any) -> int:
    return decide(replace(case, facts=replace(case.facts, **changed))).priority.rank


def a_random_case(chance: Random) -> TriageCase:
    """Ten times as fast as drawing one; what it finds is then shrunk by hand."""
    known: dict[str, Any] = {
        name: chance.random() < 0.6 for name in chance.sample(BOOLEAN_FACTS, chance.randrange(5))
    }
    known |= {
        name: NOON + timedelta(minutes=chance.randrange(-6000, 3000))
        for name in chance.sample(TIME_FACTS, chance.randrange(4))
    }
    return TriageCase(
        facts=Facts(**known, amount_pence=chance.choice((None, 100, 600_000))),
        category=chance.choice(list(Category)),
        subtype=chance.choice(SUBTYPES),
        matter=chance.choice(list(Matter)),
        received_at=NOON - timedelta(minutes=chance.randrange(180)),
        now=NOON,
        answered=frozenset(chance.sample((*BOOLEAN_FACTS, *TIME_FACTS), 2)),
        vulnerability_known=chance.random() < 0.5,
        supporter_present=chance.random() < 0.5,
        repeat_victim=chance.random() < 0.1,
        contact_again_24h=chance.random() < 0.1,
    )


@pytest.mark.slow
def test_what_is_learnt_of_danger_never_lowers_in_many_cases() -> None:
    chance = Random(2026)
    for _ in range(1200):
        case, name = a_random_case(chance), chance.choice(BOOLEAN_FACTS)
        before = decide(case).priority.rank
        assert rank(case, **{name: name != SAFE}) <= before, (case, name)
        if getattr(case.facts, name) is (name == SAFE):
            assert rank(case, **{name: None}) <= before, (case, name)
        assert decide(replace(case, vulnerability_known=False)).priority.rank <= before, case


@settings(max_examples=40, deadline=None)
@given(cases(), st.sampled_from(BOOLEAN_FACTS))
def test_knowing_that_a_fact_is_true_never_lowers(case: TriageCase, name: str) -> None:
    assert rank(case, **{name: name != SAFE}) <= decide(case).priority.rank


@settings(max_examples=40, deadline=None)
@given(cases(), st.sampled_from(BOOLEAN_FACTS))
def test_forgetting_a_no_never_lowers(case: TriageCase, name: str) -> None:
    denied: dict[str, Any] = {name: name == SAFE}
    no = replace(case, facts=replace(case.facts, **denied))
    assert rank(no, **{name: None}) <= decide(no).priority.rank


@settings(max_examples=25, deadline=None)
@given(cases(), st.sampled_from(sorted(OF_TIME)))
def test_forgetting_the_time_of_a_true_fact_never_lowers(case: TriageCase, time: str) -> None:
    fact = OF_TIME[time]
    true: dict[str, Any] = {fact: True}
    so = replace(case, facts=replace(case.facts, **true), answered=case.answered | {fact})
    assert rank(so, **{time: None}) <= decide(so).priority.rank


@settings(max_examples=25, deadline=None)
@given(cases())
def test_unasked_vulnerability_and_unseen_supporters_never_lower(case: TriageCase) -> None:
    before = decide(case).priority.rank
    assert decide(replace(case, vulnerability_known=False)).priority.rank <= before
    assert decide(replace(case, supporter_present=False)).priority.rank <= before


@settings(max_examples=25, deadline=None)
@given(cases(), st.integers(0, 10 * 60))
def test_being_told_late_never_lowers(case: TriageCase, late: int) -> None:
    """Our own queue: what has happened is dated from the report, what is to come only gets nearer."""
    expected = ("courier_expected_at", "suspect_returning_at", "paid_at")
    ahead = {t: max(at, case.now) for t in expected if (at := getattr(case.facts, t)) is not None}
    case = replace(case, facts=replace(case.facts, **ahead | {"paid_at": None}))
    later = replace(case, now=case.now + timedelta(minutes=late))
    assert decide(later).priority.rank <= decide(case).priority.rank


@settings(max_examples=25, deadline=None)
@given(cases())
def test_a_decision_explains_itself(case: TriageCase) -> None:
    decision = decide(case)
    assert decision == decide(case)
    assert decision.provisional == (decision.rule_id == "R18")
    assert decision.from_text_alone == (decision.priority is Priority.P4 and not case.answered)
    if decision.escalators:
        assert decision.priority.rank <= 1 or decision.rule_id in ("R15", "R16")
    for name in set(decision.facts_used) & set(BOOLEAN_FACTS):
        when = "paid_at" if name == "paid_within_24h" else f"{name}_at"
        assert getattr(case.facts, name) is not False or name == SAFE or when in decision.facts_used


@settings(max_examples=25, deadline=None)
@given(facts, facts)
def test_either_source_is_believed_where_it_sees_danger(one: Facts, other: Facts) -> None:
    both = either(one, other)
    for name in BOOLEAN_FACTS:
        says = {getattr(one, name), getattr(other, name)}
        danger = name != SAFE
        assert getattr(both, name) is (
            danger if danger in says else (not danger if (not danger) in says else None)
        )
    assert either(one, one) == one


@settings(max_examples=25, deadline=None)
@given(facts, st.integers(0, 240))
def test_needed_by_lies_between_the_report_and_the_due_time(known_facts: Facts, due_in: int) -> None:
    due_at = NOON + timedelta(minutes=due_in)
    assert NOON <= needed_by(due_at, known_facts, NOON) <= due_at


@settings(max_examples=25, deadline=None)
@given(cases())
def test_advice_comes_once_in_known_words_and_999_first(case: TriageCase) -> None:
    priority = decide(case).priority
    said = advice(case.facts, case.category, case.subtype, priority, case.matter)
    assert len(said) == len(set(said))
    assert set(said) <= set(KEYS)
    assert "not_your_fault" in said
    wants_999 = priority is Priority.P0 or case.facts.suspect_on_premises is True
    assert ("call_999" in said) == wants_999 == (said[0] == "call_999")
