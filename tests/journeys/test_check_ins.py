"""On scene she is asked whether she is safe; silence climbs; any sign of life ends it (scenarios 36, 38)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from rapid_response.storage.tables import AgendaRow, MessageRow, VisitRow
from tests.builders import SMALL_TOWN, paid_today, roofers_now, shift, small_town
from tests.harness import ASHA, BEN, DEE, LEADER, Case, Town
from tests.journeys.browser import on_sqlite

ARE_YOU_SAFE = "are you safe?"
ONE_NAMED = small_town(lone_worker={"check_in_every": "PT30M", "then": ["duty_officer"]})


async def at_the_door(town: Town) -> Case:
    """A case at which asha is now; the duty officer has seen what she was told of it."""
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await case.hears(ASHA, "HERE {n}")
    return case


async def rung(town: Town, number: str) -> int:
    """How often a phone was rung by us."""
    return sum(call["direction"] == "outbound" for call in await town.calls(number))


async def minutes_of(case: Case, event: str) -> list[float]:
    """When events of a type happened, in minutes after the arrival."""
    (there,) = await case.happened("arrived_on_scene")
    return [(e["event_at"] - there["event_at"]).total_seconds() / 60 for e in await case.happened(event)]


async def test_s36_no_check_in_after_half_an_hour_call_duty_officer_police(town: Town) -> None:
    case = await at_the_door(town)
    await town.pass_time(minutes=29)
    assert await town.texts_with(ARE_YOU_SAFE, ASHA) == []

    await town.pass_time(minutes=1)
    assert await town.last_text(ASHA) == (
        f"Job {case.number}: are you safe? Reply SAFE {case.number}. In danger? Ring 999. Without an answer "
        "your phone rings in 10 min."
    )
    assert await rung(town, ASHA) == 0
    await town.pass_time(minutes=10)
    assert await rung(town, ASHA) == 1
    assert await town.texts_with("no check-in", DEE) == []

    await town.pass_time(minutes=5)
    told = await town.last_text(DEE)
    assert "no check-in for 45 min. Ring them; no answer: 999, address on the page." in told
    assert await rung(town, DEE) == 1
    await town.pass_time(minutes=5)
    assert "no check-in for 50 min. Ring 999 now, address on the page." in await town.last_text(LEADER)
    assert await rung(town, LEADER) == 1
    assert await minutes_of(case, "check_in_asked") == [30, 40]
    assert await minutes_of(case, "check_in_missed") == [45, 50]
    assert [m["role"] for m in await case.happened("check_in_missed")] == ["duty_officer", "team_leader"]


async def test_s36_a_check_in_stops_it_and_begins_the_half_hour_anew(town: Town) -> None:
    case = await at_the_door(town)
    await town.pass_time(minutes=33)
    assert "you are safe, noted" in await case.hears(ASHA, "SAFE {n}")
    assert await case.status() == "on_scene"
    (checked,) = await case.happened("checked_in")
    assert datetime.fromisoformat(checked["next_by"]) == town.clock.now() + timedelta(minutes=30)
    await town.pass_time(minutes=29)
    assert len(await town.texts_with(ARE_YOU_SAFE, ASHA)) == 1
    await town.pass_time(minutes=1)
    assert len(await town.texts_with(ARE_YOU_SAFE, ASHA)) == 2
    await case.hears(ASHA, "ok")
    assert len(await case.happened("checked_in")) == 2
    await town.pass_time(minutes=20)
    assert await rung(town, ASHA) == 0
    assert await town.texts_with("no check-in", DEE) == []


@pytest.mark.long
async def test_s36_whoever_was_told_of_a_silence_hears_that_it_is_over(town: Town) -> None:
    case = await at_the_door(town)
    await town.pass_time(minutes=51)
    await case.hears(ASHA, "safe, phone was in the car")
    for phone in (DEE, LEADER):
        assert "the responder has answered and is safe" in await town.last_text(phone)
    before = await town.texts(DEE)
    await town.pass_time(minutes=20)
    assert await town.texts(DEE) == before
    assert await rung(town, DEE) == 2  # at 45 and, not seen by then, at 50


async def test_s36_one_key_says_safe_and_another_does_not(town: Town) -> None:
    case = await at_the_door(town)
    await town.pass_time(minutes=40)
    asked = await town.answers_call(ASHA, "")
    assert asked == "This is Trading Standards duty dispatch. Are you safe? Press 1 if you are."
    assert str(case.number) not in asked
    assert "Are you safe?" in await town.answers_call(ASHA, "3")
    assert await case.happened("checked_in") == []
    assert "you are safe" in await town.answers_call(ASHA, "1")
    (checked,) = await case.happened("checked_in")
    assert checked["source"] == "voice"
    await town.pass_time(minutes=20)
    assert await town.texts_with("no check-in", DEE) == []


@pytest.mark.long
async def test_s36_done_nobody_and_the_desk_end_or_answer_it(town: Town) -> None:
    for words in ("DONE {n} HELPED", "NOBODY {n}"):
        case = await at_the_door(town)
        await town.pass_time(minutes=46)
        assert "no check-in" in await town.last_text(DEE)
        await case.hears(ASHA, words)
        assert "is safe" in await town.last_text(DEE)
        await case.try_to("cancel")
    case = await at_the_door(town)
    await town.pass_time(minutes=46)
    await case.act("check_in", note="She rang the desk.")
    assert (await case.happened("checked_in"))[0] == {
        **(await case.happened("checked_in"))[0],
        "responder": "asha",
        "source": "api",
    }
    assert await waiting(town, "check_in") == 4
    await case.act("close", disposition="resolved_attended")
    assert await waiting(town, "check_in") == 0
    assert (await case.try_to("check_in")).status_code == 409


async def waiting(town: Town, kind: str) -> int:
    """How many entries of a kind are still to come."""
    return sum(row.kind == kind and row.settled_at is None for row in await town.rows(AgendaRow))


@pytest.mark.long
async def test_s36_going_elsewhere_ends_it_here_and_other_signs_begin_it_anew(town: Town) -> None:
    case = await at_the_door(town)
    other = await town.takes(paid_today())
    await other.act("assign", responder="asha")
    await town.pass_time(minutes=46)
    assert "no check-in" in await town.last_text(DEE)
    await case.act("acknowledge")

    await other.hears(ASHA, "GO {n} 10 min")

    assert (await case.happened("visit_ended"))[0]["why"] == "gone_elsewhere"
    assert "is safe" in (await town.texts_with("is safe", DEE))[-1]
    assert await waiting(town, "check_in") == 0
    await other.hears(ASHA, "HERE {n}")
    await case.hears(ASHA, "SAFE {n}")  # back at the first door, and the other is not over
    assert len([v for v in await town.rows(VisitRow) if v.ended_at is None]) == 2
    await town.pass_time(minutes=20)
    third = await town.takes(paid_today())
    await third.act("assign", responder="ben")
    await case.hears(ASHA, "SAFE {n}")
    visits = {v.incident_id: v for v in await town.rows(VisitRow) if v.ended_at is None}
    assert {v.heard_at for v in visits.values()} == {town.clock.now()}


async def test_s36_after_a_standstill_each_overdue_step_happens_once_and_says_how_late(town: Town) -> None:
    case = await at_the_door(town)
    await town.restart(after_minutes=125)
    await town.settle()
    asked, missed = await case.happened("check_in_asked"), await case.happened("check_in_missed")
    assert sorted(a["late_seconds"] / 60 for a in asked) == [85, 95]
    assert sorted(m["late_seconds"] / 60 for m in missed) == [75, 80]
    assert await town.texts_with("no check-in for 125 min", DEE)
    await town.settle()
    assert len(await case.happened("check_in_asked")) == 2
    assert len(await town.texts_with(ARE_YOU_SAFE, ASHA)) == 1


@pytest.mark.long
async def test_s36_over_a_clock_change_half_an_hour_is_half_an_hour(town: Town) -> None:
    # In the small hours of 25 October the clocks in London go back from 2:00 to 1:00.
    await town.until(datetime.fromisoformat("2026-10-25T00:45:00+00:00"))
    case = await at_the_door(town)
    await town.pass_time(minutes=31)
    assert await minutes_of(case, "check_in_asked") == [30]


async def test_s36_where_one_is_named_she_hears_twice_and_then_of_the_police(town: Town) -> None:
    await town.load(ONE_NAMED)
    await at_the_door(town)
    await town.pass_time(minutes=51)
    said = [text for text in await town.texts_with("no check-in", DEE)]
    assert "Ring them; no answer: 999" in said[0]
    assert "Ring 999 now" in said[1]


async def test_s36_the_silent_one_is_not_told_of_herself(town: Town) -> None:
    """The duty officer went out herself: her silence is told to whoever stands next."""
    definition = SMALL_TOWN.replace(
        "    roles: [duty_officer]", "    roles: [duty_officer]\n    skills: [doorstep_crime, scam]"
    )
    await town.load(definition)
    case = await town.takes(paid_today())
    await case.act("assign", responder="dee")
    await case.hears(DEE, "HERE {n}")
    await town.pass_time(minutes=46)
    assert await town.texts_with("no check-in", DEE) == []
    assert await town.texts_with("no check-in", LEADER)


async def test_s36_a_joint_visit_is_watched_too_and_either_may_answer(town: Town) -> None:
    case = await town.takes(roofers_now())
    await case.hears(ASHA, "OK {n}")
    await case.act("assign", responder="ben", companion=True)
    await case.hears(ASHA, "HERE {n}")
    await town.pass_time(minutes=30)
    assert ARE_YOU_SAFE in await town.last_text(ASHA)
    await case.hears(BEN, "SAFE {n}")
    assert (await case.happened("checked_in"))[0]["responder"] == "ben"
    await town.pass_time(minutes=16)
    assert await town.texts_with("no check-in", DEE) == []


@pytest.mark.long
async def test_s38_a_job_taken_over_at_the_door_is_watched_on_for_its_new_owner(town: Town) -> None:
    await town.load(small_town(rota=[shift("asha", "09:00", "12:20"), shift("ben"), shift("dee")]))
    case = await at_the_door(town)
    await town.pass_time(minutes=20)
    assert "shift ends" in await town.last_text(DEE)

    whole = await case.act("assign", responder="ben")

    assert (whole["status"], whole["responder"]) == ("on_scene", "ben")
    assert f"at the address: recent doorstep crime. Text SAFE {case.number} now" in await town.last_text(BEN)
    assert "Do not attend" in await town.last_text(ASHA)
    await town.pass_time(minutes=10)  # at the time that was asha's
    assert ARE_YOU_SAFE in await town.last_text(BEN)
    assert await town.texts_with(ARE_YOU_SAFE, ASHA) == []
    assert "not yours any more" in await case.hears(ASHA, "SAFE {n}")
    await case.hears(BEN, "SAFE {n}")
    assert len(await case.happened("checked_in")) == 1
    assert (await case.clock())["stopped_by"] == "attended"


async def test_s38_given_back_on_the_way_nothing_is_asked_of_anybody(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await case.hears(ASHA, "GO {n}")
    await case.act("assign", responder="ben")
    assert await waiting(town, "travel") == 0
    await case.hears(BEN, "HERE {n}")
    await town.pass_time(minutes=30)
    assert ARE_YOU_SAFE in await town.last_text(BEN)


async def test_without_check_ins_in_the_definition_nobody_is_asked(town: Town) -> None:
    await town.load(small_town(lone_worker=None))
    case = await at_the_door(town)
    await town.pass_time(minutes=70)
    assert await town.texts_with(ARE_YOU_SAFE) == []
    assert "you are safe, noted" in await case.hears(ASHA, "SAFE {n}")


@pytest.mark.long
async def test_at_a_door_not_safe_and_help_reach_the_duty_officer_at_once(town: Town) -> None:
    case = await at_the_door(town)
    for words in ("not safe", "HELP", "he has a knife"):
        assert "the duty officer is told now" in await case.hears(ASHA, words)
        assert "the responder may need help. Ring them" in await town.last_text(DEE)
        await case.act("acknowledge")
    assert await case.happened("checked_in") == []
    assert "Words: OK take it" in await case.hears(ASHA, "?")
    before = await town.texts(DEE)
    away = await town.takes(paid_today())
    assert "Words: OK take it" in await away.hears(BEN, "help")
    assert await town.texts(DEE) == before


# --- the visit plan ---------------------------------------------------------------------------------------


async def test_a_plan_goes_with_every_setting_off(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await case.hears(ASHA, "GO {n} 20 min")
    now = town.clock.now()
    (went,) = await case.happened("set_off")
    assert datetime.fromisoformat(went["expected_at"]) == now + timedelta(minutes=20)
    visit = (await case.now())["visit"]
    assert (visit["responder"], visit["held_by"]) == ("asha", "duty_officer")
    assert datetime.fromisoformat(visit["finish_at"]) == now + timedelta(minutes=65)
    await town.pass_time(minutes=15)
    await case.hears(ASHA, "HERE {n}")
    finish = datetime.fromisoformat((await case.now())["visit"]["finish_at"])
    assert finish == town.clock.now() + timedelta(minutes=45)


async def test_not_there_in_twice_the_time_she_is_asked_then_the_duty_officer_is_told(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n} 15 min")
    await case.hears(ASHA, "GO {n}")
    await town.pass_time(minutes=29)
    assert "no arrival noted" not in await town.last_text(ASHA)
    await town.pass_time(minutes=1)
    assert "you set off at 12:00, no arrival noted" in await town.last_text(ASHA)
    await town.pass_time(minutes=10)
    assert "set off 12:00, not there, no answer. Ring the responder." in await town.last_text(DEE)
    await case.hears(ASHA, "SAFE {n} stuck behind a lorry")
    assert "is safe" in await town.last_text(DEE)
    await town.pass_time(minutes=29)
    assert len(await town.texts_with("no arrival noted", ASHA)) == 1
    await town.pass_time(minutes=1)
    assert len(await town.texts_with("no arrival noted", ASHA)) == 2
    await case.hears(ASHA, "HERE {n}")
    await town.pass_time(minutes=20)
    assert len(await town.texts_with("not there, no answer", DEE)) == 1


@on_sqlite
async def test_a_question_that_is_answered_before_it_left_does_not_leave(town: Town) -> None:
    case = await at_the_door(town)
    await town.fails(outage=True)
    await town.pass_time(minutes=30)
    await case.act("check_in")
    await town.fails(outage=False)
    await town.pass_time(minutes=2)
    assert await town.texts_with(ARE_YOU_SAFE, ASHA) == []
    asked = [m for m in await town.rows(MessageRow) if m.purpose == "check_in"]
    assert [m.state for m in asked] == ["cancelled"]
