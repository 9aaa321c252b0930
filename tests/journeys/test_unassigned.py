"""When nobody is left to ask: who is told, how it is tried again, and how it ends."""

from __future__ import annotations

import pytest

from tests.builders import paid_today, scam_paid, shift, small_town
from tests.harness import ASHA, BEN, CAT, DEE, HEAD, LEADER, Town

NOBODY = small_town(rota=[shift("dee")], on_call=[])
ONLY_ASHA = small_town(rota=[shift("asha"), shift("dee")], on_call=[])


async def test_s34_with_nobody_on_duty_the_on_call_list_is_asked_and_the_alarm_stays(town: Town) -> None:
    await town.load(small_town(rota=[shift("dee", "09:00", "10:00")]))
    case = await town.takes(scam_paid())
    assert await case.asked() == ["cat"]
    assert "on_call" in (await case.happened("offer_made"))[0]["reasons"]

    await case.hears(CAT, "NO {n}")
    assert await case.status() == "unassigned"
    assert "nobody left to ask" in await town.last_text(DEE)  # the contact: dee is off duty
    assert [call["direction"] for call in await town.calls(DEE)] == ["outbound"]

    await town.pass_time(minutes=10)
    assert len(await town.texts_with("Repeat: TS duty: job", DEE)) == 2
    await case.hears(DEE, "OK {n}")
    await town.pass_time(minutes=20)
    assert len(await town.texts_with("nobody left to ask", DEE)) == 3
    assert len(await town.texts_with("still nobody has it", LEADER)) == 1


async def test_a_ladder_that_is_changed_in_mid_climb_is_climbed_on_and_nobody_is_told_twice(
    town: Town,
) -> None:
    """One step more in front, and the last two sooner: what pointed to a notice points to an offer."""
    case = await town.takes(paid_today())
    await town.pass_time(minutes=16)
    assert len(await town.texts_with("still nobody has it", DEE)) == 1
    steps = [
        {"after": "PT0M", "action": "offer", "to": "best_responder", "answer_within": "PT5M"},
        {"after": "PT4M", "action": "offer", "to": "next_responder", "answer_within": "PT5M"},
        {"after": "PT8M", "action": "offer", "to": "next_responder", "answer_within": "PT5M"},
        {"after": "PT10M", "action": "notify", "to": "duty_officer", "by": ["sms"]},
        {"after": "PT20M", "action": "notify", "to": "team_leader", "by": ["sms"]},
        {"after": "PT25M", "action": "notify", "to": "head_of_service", "by": ["sms"]},
    ]
    await town.load(small_town(escalation=steps))
    await town.load(small_town(escalation=steps[1:]))
    await town.load(small_town(escalation=steps))
    await town.pass_time(minutes=3)
    assert await town.texts_with("still nobody has it", LEADER) == []
    await town.pass_time(minutes=1)
    assert len(await town.texts_with("still nobody has it", LEADER)) == 1
    await town.pass_time(minutes=5)
    assert len(await town.texts_with("still nobody has it", HEAD)) == 1
    assert [r["to"] for r in await case.happened("rung_reached") if r["action"] == "notify"] == [
        "duty_officer",
        "team_leader",
        "head_of_service",
    ]


async def test_s34_the_answer_to_the_report_says_that_nobody_could_be_asked(town: Town) -> None:
    await town.load(NOBODY)
    report = await town.reports(**paid_today())
    assert (report["status"], report["clock"]["state"]) == ("unassigned", "running")
    assert "nobody left to ask" in await town.last_text(DEE)


async def test_an_unassigned_job_is_offered_when_a_shift_starts(town: Town) -> None:
    await town.load(small_town(rota=[shift("asha", "12:03", "20:00"), shift("dee")], on_call=[]))
    case = await town.takes(paid_today())
    assert await case.status() == "unassigned"
    await town.pass_time(minutes=2, seconds=59)
    assert await case.asked() == []
    await town.pass_time(seconds=1)
    assert await case.asked() == ["asha"]
    assert await case.status() == "dispatching"


async def test_an_unassigned_job_is_offered_when_somebody_comes_back_or_is_added(town: Town) -> None:
    await town.load(NOBODY)
    first = await town.takes(paid_today())
    back = await town.post("/api/v1/responders/asha/availability", {"state": "on"})
    assert back.status_code == 200
    await town.settle()
    assert await first.asked() == ["asha"]
    await first.hears(ASHA, "OK {n}")

    off = await town.post("/api/v1/responders/asha/availability", {"state": "off", "held_jobs": "keep"})
    assert off.status_code == 200
    assert await first.status() == "assigned"
    second = await town.takes(paid_today())
    assert await second.status() == "unassigned"
    await town.load(small_town())
    await town.settle()
    assert await second.asked() == ["ben"]


async def test_when_its_clock_goes_on_the_duty_officer_hears_again_that_nobody_is_left(town: Town) -> None:
    await town.load(NOBODY)
    case = await town.takes(paid_today())
    await case.act("pause", reason="police_requested_hold")
    await town.pass_time(minutes=30)
    assert len(await town.texts_with("nobody left to ask", DEE)) == 1
    await case.act("resume")
    assert len(await town.texts_with("nobody left to ask", DEE)) == 2
    assert await case.status() == "unassigned"


@pytest.mark.long
async def test_who_never_answered_is_asked_again_after_a_while_and_who_refused_is_not(town: Town) -> None:
    await town.load(ONLY_ASHA)
    silent = await town.takes(paid_today())
    await town.pass_time(minutes=5)
    assert await silent.status() == "unassigned"
    await silent.act("acknowledge")
    await town.pass_time(minutes=9)
    assert await silent.asked() == ["asha"]
    await town.pass_time(minutes=1)
    assert await silent.asked() == ["asha", "asha"]

    await silent.hears(ASHA, "NO {n}")
    await silent.act("acknowledge")
    await town.pass_time(minutes=25)
    assert await silent.asked() == ["asha", "asha"]
    assert await silent.status() == "unassigned"


async def test_who_was_off_duty_meanwhile_has_refused_nothing_and_is_asked_once_back(town: Town) -> None:
    await town.load(ONLY_ASHA)
    asked_about = await town.takes(paid_today())
    in_hand = await town.takes(paid_today())
    await in_hand.hears(ASHA, "OK {n}")
    await _is(town, "asha", "off")
    assert [await asked_about.status(), await in_hand.status()] == ["unassigned", "unassigned"]
    await town.pass_time(minutes=20)
    assert [await asked_about.asked(), await in_hand.asked()] == [["asha"], ["asha"]]

    await _is(town, "asha", "on")

    assert [await asked_about.asked(), await in_hand.asked()] == [["asha", "asha"], ["asha", "asha"]]
    # Her own no is one, though.
    await in_hand.hears(ASHA, "NO {n}")
    await _is(town, "asha", "off")
    await _is(town, "asha", "on")
    await town.pass_time(minutes=20)
    assert await in_hand.asked() == ["asha", "asha"]


async def test_who_comes_back_while_the_next_is_asked_is_asked_when_that_one_says_no(town: Town) -> None:
    case = await town.takes(paid_today())
    await _is(town, "asha", "off")
    await _is(town, "asha", "on")
    await case.hears(BEN, "NO {n}")
    assert await case.asked() == ["asha", "ben", "asha"]
    assert await case.status() == "dispatching"


async def test_who_gives_a_job_back_that_once_passed_on_without_her_is_not_asked_again_at_once(
    town: Town,
) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await _is(town, "asha", "off")
    assert await case.asked() == ["asha", "ben"]
    await _is(town, "asha", "on")
    await case.act("assign", responder="asha")

    await case.hears(ASHA, "NO {n}")

    assert await case.asked() == ["asha", "ben", "ben"]


async def test_whose_job_the_desk_gave_to_another_has_refused_nothing(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await case.act("assign", responder="ben")
    await case.hears(BEN, "NO {n}")
    assert await case.asked() == ["asha", "asha"]
    assert "is yours" in await case.hears(ASHA, "OK {n}")
    # Her own no is one, though.
    await case.act("assign", responder="ben")
    await case.act("assign", responder="asha")
    await case.hears(ASHA, "NO {n}")
    assert await case.asked() == ["asha", "asha", "ben"]
    await case.hears(BEN, "NO {n}")
    await town.pass_time(minutes=20)
    assert await case.asked() == ["asha", "asha", "ben"]


async def _is(town: Town, responder: str, state: str) -> None:
    answer = await town.post(f"/api/v1/responders/{responder}/availability", {"state": state})
    assert answer.status_code == 200, answer.text
    await town.settle()


async def test_a_late_yes_takes_an_unassigned_job(town: Town) -> None:
    await town.load(ONLY_ASHA)
    case = await town.takes(paid_today())
    await town.pass_time(minutes=9)
    assert await case.status() == "unassigned"
    await case.hears(ASHA, "OK {n}")
    assert (await case.now())["responder"] == "asha"
    told = await town.texts(DEE)
    await town.pass_time(minutes=12)
    assert await town.texts(DEE) == told


@pytest.mark.long
async def test_the_desk_ends_it_by_assigning_answering_or_cancelling(town: Town) -> None:
    await town.load(NOBODY)
    cases = [await town.takes(paid_today()) for _ in range(4)]
    await cases[0].act("assign", responder="ben")
    await cases[1].act("remote_response", protective_act="bank_told")
    await cases[2].act("police_handover", cad_reference="CAD 77")
    await cases[3].act("cancel", reason="a test call", disposition="hoax_or_test")

    assert [await case.status() for case in cases] == ["assigned", "scheduled", "scheduled", "cancelled"]
    assert f"job {cases[0].number} is now yours" in await town.last_text(BEN)
    before = await town.texts(DEE)
    await town.pass_time(minutes=16)
    assert await town.texts(DEE) == before
    assert [await case.asked() for case in cases] == [[], [], [], []]


@pytest.mark.long
async def test_a_job_that_ends_or_is_given_back_has_the_others_tried_again_at_once(town: Town) -> None:
    await town.load(ONLY_ASHA)
    held = await town.takes(paid_today())
    await held.act("assign", responder="ben")
    waiting = await town.takes(paid_today())
    await town.pass_time(minutes=7)
    await town.load(small_town(rota=[shift("asha"), shift("dee")], on_call=[], lone_worker=None))
    await town.pass_time(minutes=8, seconds=30)
    assert await waiting.asked() == ["asha"]  # too lately to ask her again; next tried at 17:00

    await held.act("release")

    assert await waiting.asked() == ["asha", "asha"]
    assert (await waiting.happened("offer_made"))[1]["event_at"] == town.clock.now()
