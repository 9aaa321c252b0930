"""The ladder inside one offer: times, second numbers, suspects, compression (delivery.md 7)."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from rapid_response.core.definition import Responder
from rapid_response.messaging import ladder
from rapid_response.messaging.ladder import Address, Way, plan
from tests.cases import each

FIRST, SECOND, LINE, HOME = "+447700900101", "+447700900102", "+442079460101", "+442079460102"
EVERYTHING = Responder("asha", "Asha Patel", FIRST, LINE, second_sms=SECOND, second_voice=HOME)
ALL = ladder.addresses(EVERYTHING)


def seconds(ways: tuple[Address, ...], *, urgent: bool = True, **more: object) -> dict[str, float]:
    rungs = plan(ways, urgent=urgent, **more)  # type: ignore[arg-type]  # named by each test
    return {rung.address.way.value: rung.after.total_seconds() for rung in rungs}


def test_times_for_urgent_and_other_jobs() -> None:
    assert seconds(ALL) == {"sms1": 0, "sms2": 60, "voice1": 90, "voice2": 150}
    assert seconds(ALL, urgent=False) == {"sms1": 0, "sms2": 120, "voice1": 180, "voice2": 240}


def test_a_number_that_is_not_there_is_a_rung_that_is_not_there() -> None:
    assert seconds(ladder.addresses(Responder("ben", "Ben", FIRST, None))) == {"sms1": 0}
    only_voice = ladder.addresses(Responder("cat", "Cat", None, LINE, second_voice=HOME))
    assert seconds(only_voice) == {"voice1": 0, "voice2": 60}
    assert plan((), urgent=True) == ()


def test_a_stand_down_ends_with_one_call() -> None:
    assert seconds(ALL, last=Way.VOICE1) == {"sms1": 0, "sms2": 60, "voice1": 90}


def test_short_answer_times_compress_but_nobody_is_rung_before_45_seconds() -> None:
    assert seconds(ALL, answer_within=timedelta(seconds=300)) == seconds(ALL)
    assert seconds(ALL, answer_within=timedelta(seconds=120)) == {
        "sms1": 0,
        "sms2": 24,
        "voice1": 45,
        "voice2": 70,
    }
    other = seconds(ALL, urgent=False, answer_within=timedelta(seconds=180))
    assert other == {"sms1": 0, "sms2": 72, "voice1": 108, "voice2": 144}
    assert seconds(ALL, answer_within=timedelta(seconds=40)) == {"sms1": 0, "sms2": 8}


def test_slow_texts_let_the_call_come_a_minute_earlier_and_never_before_45_seconds() -> None:
    assert seconds(ALL, slow=True) == {"sms1": 0, "voice1": 45, "sms2": 60, "voice2": 90}
    assert seconds(ALL, urgent=False, slow=True)["voice1"] == 120


def with_state(way: Way, **state: bool) -> tuple[Address, ...]:
    return tuple(Address(a.way, a.number, **(state if a.way is way else {})) for a in ALL)


def test_a_suspect_number_comes_last_and_one_that_opted_out_not_at_all() -> None:
    assert seconds(with_state(Way.SMS1, is_suspect=True)) == {
        "sms2": 0,
        "voice1": 90,
        "voice2": 150,
        "sms1": 150,
    }
    assert seconds(with_state(Way.SMS1, has_opted_out=True)) == {"sms2": 0, "voice1": 90, "voice2": 150}
    one_phone = (Address(Way.SMS1, FIRST, has_opted_out=True), Address(Way.VOICE1, FIRST))
    assert seconds(one_phone) == {"voice1": 0}
    suspect = (Address(Way.SMS1, FIRST, is_suspect=True), Address(Way.VOICE1, FIRST))
    assert seconds(suspect) == {"voice1": 0, "sms1": 150}


def test_the_last_resort_is_tried_all_the_same_so_that_its_failure_is_on_record() -> None:
    assert seconds((Address(Way.SMS1, FIRST, has_opted_out=True),)) == {"sms1": 0}
    assert seconds((Address(Way.SMS1, FIRST, is_suspect=True),)) == {"sms1": 0}


_WAYS = st.sets(st.sampled_from(list(Way)[:4]), min_size=1)


@given(_WAYS, st.sets(st.sampled_from(list(Way)[:4])), st.booleans(), st.booleans(), st.integers(10, 1200))
def test_somebody_is_always_asked_at_once_and_nothing_comes_after_the_answer_is_due(
    ways: set[Way], suspect: set[Way], urgent: bool, slow: bool, answer: int
) -> None:
    found = tuple(Address(way, f"+44770090{n}", way in suspect) for n, way in enumerate(Way) if way in ways)
    within = timedelta(seconds=answer)
    rungs = plan(found, urgent=urgent, answer_within=within, slow=slow)
    assert rungs[0].after == timedelta()
    assert [r.after for r in rungs] == sorted(r.after for r in rungs)
    assert len({r.address.way for r in rungs}) == len(rungs)
    for rung in rungs[1:]:
        assert rung.after < within
        if rung.address.way.is_call and not rungs[0].address.way.is_call:
            assert rung.after >= ladder.EARLIEST_CALL


@each("way", list(Way)[:4])
def test_ways_that_ring(way: Way) -> None:
    assert way.is_call is way.value.startswith("voice")
