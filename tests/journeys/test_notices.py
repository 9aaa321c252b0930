"""Warnings and notices: who hears them, when, how often, and what ends them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rapid_response.core.vocabulary import Role
from rapid_response.storage.tables import NoticeRow
from tests.builders import (
    EVE,
    PATIENT_OFFER,
    SMALL_TOWN,
    paid_today,
    shift,
    small_town,
    with_second_duty_officer,
)
from tests.harness import ASHA, DEE, LEADER, Case, Town
from tests.journeys.browser import browser_of, on_sqlite

TOLD_BY_VOICE = {"after": "PT15M", "action": "notify", "to": "duty_officer", "by": ["sms", "voice"]}
SOON_TOLD = {"after": "PT2M", "action": "notify", "to": "team_leader", "by": ["sms", "voice"]}


async def test_warnings_climb_from_the_owner_to_the_team_leader(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")

    await town.pass_time(minutes=60)
    assert "50% of the time is gone" in await town.last_text(ASHA)
    assert await town.texts(DEE) == await town.texts(LEADER) == []

    await town.pass_time(minutes=30)
    assert "75% of the time is gone" in await town.last_text(ASHA)
    assert "75% of time gone, someone has it" in await town.last_text(DEE)
    assert await town.texts(LEADER) == []
    await case.hears(DEE, "OK {n}")

    await town.pass_time(minutes=18)
    assert "90% of the time is gone" in await town.last_text(ASHA)
    assert "90% of time gone" in await town.last_text(DEE)
    assert "90% of time gone" in await town.last_text(LEADER)
    assert [c["direction"] for c in await town.calls(LEADER)] == ["outbound"]
    assert [w["told"] for w in await case.happened("deadline_warned")] == [
        ["owner"],
        ["duty_officer", "owner"],
        ["duty_officer", "team_leader", "owner"],
    ]


VI = "+442079460777"
VIOLET = {"id": "vi", "name": "Vi Page", "phones": {"voice": VI}, "skills": ["doorstep_crime", "scam"]}
DUTY = {"id": "dee", "name": "Dee Okoro", "phones": {"sms": DEE}, "roles": ["duty_officer"]}


async def test_an_owner_without_a_mobile_is_warned_by_voice(town: Town) -> None:
    await town.load(small_town(responders=[VIOLET, DUTY], rota=[shift("vi"), shift("dee")], on_call=[]))
    case = await town.takes(paid_today())
    await town.answers_call(VI, "11")
    assert await case.status() == "assigned"
    before = await town.texts(DEE)
    await town.pass_time(minutes=60)

    assert "Press 1 to hear it" in await town.answers_call(VI, "")
    said = await town.answers_call(VI, "1")
    assert "50% of the time is gone, needed by 14:00. Ring the duty desk on arrival" in said
    assert str(case.number) not in said  # it is said digit by digit
    assert [w["told"] for w in await case.happened("deadline_warned")] == [["owner"]]
    assert await town.texts(DEE) == before


async def test_of_an_owner_whom_nothing_reaches_the_duty_officer_is_told(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.act("assign", responder="ben")
    responders = [VIOLET, DUTY]
    await town.load(small_town(responders=responders, rota=[shift("vi"), shift("dee")], on_call=[]))
    await town.pass_time(minutes=60)
    assert await town.texts_with("50% of time gone, someone has it", DEE)
    assert [w["told"] for w in await case.happened("deadline_warned")] == [["duty_officer"]]


@pytest.mark.long
async def test_a_response_ends_the_warnings(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "HERE {n}")
    await town.pass_time(minutes=115)
    assert await case.happened("deadline_warned") == []
    assert await town.texts_with("gone") == []


@pytest.mark.parametrize(
    ("minutes", "ends"),
    [(91, "reached"), (121, "reached"), (91, "lowered"), (121, "lowered"), (91, "paused")],
)
async def test_nobody_is_told_again_of_a_promise_that_no_longer_runs(
    town: Town, minutes: int, ends: str
) -> None:
    """That nobody is there yet, or that a response is still owed, would not be true any more."""
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await town.pass_time(minutes=minutes)
    assert await town.texts_with("promise missed" if minutes > 120 else "nobody there yet", DEE)
    if ends == "reached":
        await case.hears(ASHA, "HERE {n}")
    elif ends == "lowered":
        await case.act("set_priority", priority="P3", reason="It was a misunderstanding.")
    else:
        await case.act("pause", reason="police_requested_hold")
    told = [await town.texts(number) for number in (DEE, LEADER)]
    await town.pass_time(minutes=40)
    assert [await town.texts(number) for number in (DEE, LEADER)] == told


async def test_a_clock_that_runs_is_warned_of_as_it_was_when_it_began(town: Town) -> None:
    """Another definition is loaded, which warns once, and later: nothing untrue is said, and nothing lost."""
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await town.load(small_town(sla={"warn_at": ["80%"]}))
    await town.pass_time(minutes=108)
    assert [w["share"] for w in await case.happened("deadline_warned")] == [0.5, 0.75, 0.9]
    assert await town.texts_with("50% of the time is gone", ASHA)
    assert await town.texts_with("90% of time gone", LEADER)
    later = await town.takes(paid_today())
    await later.act("assign", responder="asha")
    await town.pass_time(minutes=96)
    assert [w["share"] for w in await later.happened("deadline_warned")] == [0.8]


async def test_who_hears_of_a_visit_without_contact_is_told_that_somebody_has_the_job(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "HERE {n}")
    await case.hears(ASHA, "NOBODY {n}")
    await town.pass_time(minutes=15)
    assert "someone has it, nobody reached yet. Needed by 14:00. Please act." in await town.last_text(DEE)
    assert await town.texts_with("still nobody has it") == []


async def test_not_accepted_in_time_is_told_whatever_else_happens(town: Town) -> None:
    case = await town.takes(paid_today())
    await town.pass_time(minutes=11, seconds=59)
    assert await town.texts_with("nobody accepted in time") == []
    await town.pass_time(seconds=1)
    (told,) = await town.texts_with("nobody accepted in time", DEE)
    assert f"job {case.number}" in told


async def test_what_falls_due_together_is_told_once_and_no_more_quietly(town: Town) -> None:
    await town.load(small_town(sla={"accept_within": "PT15M"}, escalation=[PATIENT_OFFER, TOLD_BY_VOICE]))
    await town.takes(paid_today())
    await town.pass_time(minutes=15)
    (text,) = await town.texts(DEE)
    assert "nobody" in text
    assert [call["direction"] for call in await town.calls(DEE)] == ["outbound"]


@pytest.mark.long
async def test_the_duty_officer_is_repeated_the_newest_alone(town: Town) -> None:
    await town.takes(paid_today())
    await town.pass_time(minutes=20)
    before = len(await town.texts(DEE))
    await town.pass_time(minutes=20)
    assert 4 <= len(await town.texts(DEE)) - before <= 8


async def test_a_notice_is_repeated_every_five_minutes_until_somebody_has_seen_it(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.act("assign", responder="asha")
    await town.pass_time(minutes=90)
    (first,) = await town.texts_with("75% of time gone", DEE)

    await town.pass_time(minutes=10)
    repeats = (await town.texts_with("75% of time gone", DEE))[1:]
    assert len(repeats) == 2
    assert all(text.startswith("Repeat: TS duty: job") for text in repeats)
    assert not first.startswith("Repeat")

    answer = await case.hears(DEE, "ok {n}")
    assert "noted that you have seen this" in answer
    assert await case.status() == "assigned"
    await town.pass_time(minutes=7)
    assert len(await town.texts_with("75% of time gone", DEE)) == 3
    (seen,) = await case.happened("notice_acknowledged")
    assert (seen["role"], seen["source"]) == ("duty_officer", "sms")


@pytest.mark.long
async def test_a_key_on_the_phone_says_that_the_notice_was_seen(town: Town) -> None:
    await town.load(small_town(escalation=[PATIENT_OFFER, SOON_TOLD]))
    case = await town.takes(paid_today())
    await town.pass_time(minutes=2)
    said = await town.answers_call(LEADER, "1")
    assert "still nobody has it" in said
    assert ", ".join(str(case.number)) in said
    assert await case.happened("notice_acknowledged") == []

    await town.answers_call(LEADER, "1")
    (seen,) = await case.happened("notice_acknowledged")
    assert (seen["role"], seen["source"]) == ("team_leader", "voice")
    assert await case.status() == "dispatching"
    await town.pass_time(minutes=11)
    assert await town.texts_with("Repeat", LEADER) == []


async def test_a_key_has_not_seen_what_was_given_while_the_phone_rang(town: Town) -> None:
    """She hears of a missed check-in, and presses 1; that there is a knife by now she has not heard."""
    case = await town.takes(paid_today())
    await case.hears(ASHA, "HERE {n}")
    await town.pass_time(minutes=45)
    town.clock.advance(timedelta(seconds=5))
    await case.hears(ASHA, "he has a knife, not safe")
    assert "no check-in" in (await town.answers_call(DEE, "1"))
    await town.answers_call(DEE, "1")
    told = {row.kind: row.acknowledged_at for row in await town.rows(NoticeRow)}
    assert told["not_safe"] is None


async def test_the_desk_may_say_for_all_that_it_was_seen(town: Town) -> None:
    await town.load(small_town(escalation=[PATIENT_OFFER, SOON_TOLD]))
    case = await town.takes(paid_today())
    await town.pass_time(minutes=2)
    await case.act("acknowledge")
    await town.pass_time(minutes=11)
    assert len(await town.texts_with("still nobody has it", LEADER)) == 1
    assert [n["source"] for n in await case.happened("notice_acknowledged")] == ["api"]


@on_sqlite
async def test_what_was_told_after_the_page_was_opened_has_not_been_seen_by_it(town: Town) -> None:
    later = {**SOON_TOLD, "after": "PT4M", "to": "head_of_service"}
    await town.load(small_town(escalation=[PATIENT_OFFER, SOON_TOLD, later]))
    case = await town.takes(paid_today())
    page = f"/incidents/{case.reference}"
    await town.pass_time(minutes=2)
    async with await browser_of(town, "lee", Role.TEAM_LEADER) as leader:
        form = (await leader.get(page)).form(f"{page}/actions/acknowledge")
        await town.pass_time(minutes=2)
        done = await leader.send(form)
        after = await leader.get(done.to)
        assert "There is a newer notice" in after.html
        assert [n["role"] for n in await case.happened("notice_acknowledged")] == ["team_leader"]
        # What the page shows now is what it says to be seen now.
        done = await leader.send(after.form(f"{page}/actions/acknowledge"))
        assert "It is recorded that you have seen the notices" in (await leader.get(done.to)).html
    seen = {row.role: row.acknowledged_at for row in await town.rows(NoticeRow)}
    assert seen.keys() == {"team_leader", "head_of_service"}
    assert None not in seen.values()


@on_sqlite
async def test_a_system_may_say_which_notices_were_seen(town: Town) -> None:
    later = {**SOON_TOLD, "after": "PT4M", "to": "head_of_service"}
    await town.load(small_town(escalation=[PATIENT_OFFER, SOON_TOLD, later]))
    case = await town.takes(paid_today())
    await town.pass_time(minutes=4)
    given = {n["role"]: n["notice_id"] for n in await case.happened("notice_given")}
    await case.act("acknowledge", seen=[given["head_of_service"]])
    assert [n["role"] for n in await case.happened("notice_acknowledged")] == ["head_of_service"]
    await case.act("acknowledge")
    assert len(await case.happened("notice_acknowledged")) == 2


async def test_a_no_to_a_notice_is_kept_and_answers_nothing_away(town: Town) -> None:
    await town.load(small_town(escalation=[PATIENT_OFFER, SOON_TOLD]))
    case = await town.takes(paid_today())
    await town.pass_time(minutes=2)
    answer = await case.hears(LEADER, "NO {n}")
    assert "kept as a note" in answer
    await town.pass_time(minutes=5)
    assert await town.texts_with("Repeat", LEADER)
    assert await case.happened("offer_declined") == []


async def three_quarters_gone(town: Town) -> Case:
    """It is half past one: somebody has the job, and the duty officer was warned."""
    case = await town.takes(paid_today())
    await case.act("assign", responder="asha")
    await town.pass_time(minutes=91)
    assert len(await town.texts_with("75% of time gone", DEE)) == 1
    return case


async def test_after_a_change_of_shift_a_notice_is_repeated_to_whoever_is_on_duty(town: Town) -> None:
    await town.load(with_second_duty_officer("13:32"))
    case = await three_quarters_gone(town)
    assert await town.texts(EVE) == []

    await town.pass_time(minutes=5)
    assert len(await town.texts(DEE)) == 1
    (repeat,) = await town.texts(EVE)
    assert repeat.startswith("Repeat: TS duty: job")

    # Who was told first may still say that it was seen: then nobody hears it again.
    assert "noted that you have seen this" in await case.hears(DEE, "OK {n}")
    await town.pass_time(minutes=6)
    assert await town.texts(EVE) == [repeat]


async def test_a_repeat_goes_to_the_number_that_holds_now(town: Town) -> None:
    case = await three_quarters_gone(town)
    await town.load(SMALL_TOWN.replace(DEE, EVE))

    await town.pass_time(minutes=5)
    assert len(await town.texts(DEE)) == 1
    assert (await town.last_text(EVE)).startswith("Repeat: TS duty: job")
    assert "noted that you have seen this" in await case.hears(EVE, "OK {n}")


async def test_a_repeat_that_nobody_else_would_hear_goes_where_the_notice_went(town: Town) -> None:
    await three_quarters_gone(town)
    await town.load(small_town(rota=[shift("asha"), shift("ben")], contacts={}))
    await town.pass_time(minutes=5)
    assert (await town.last_text(DEE)).startswith("Repeat: TS duty: job")


async def test_what_a_newer_notice_replaced_is_not_said_to_have_been_seen(town: Town) -> None:
    case = await town.takes(paid_today())
    await town.pass_time(minutes=16)  # nobody left, not accepted, a step of the ladder: one story
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        page = (await officer.get(f"/incidents/{case.reference}")).html
    assert "No longer needed since" in page
    assert "Seen " not in page
    assert "superseded" not in page
