"""A responder texts the duress word, presses 9 twice, or Code 9: a silent alarm, and nothing on her phone."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select
from sqlmodel import SQLModel

from rapid_response.access.sessions import ENDS_AFTER, IDLE_AFTER
from rapid_response.core.vocabulary import Role
from rapid_response.simulator.tables import SimPostRow, SimTextRow
from rapid_response.storage.tables import AlarmRow, DefinitionRow, InboundMessageRow, MessageRow
from tests.builders import (
    EVE,
    SMALL_TOWN,
    paid_today,
    roofers_now,
    small_town,
    with_second_duty_officer,
)
from tests.delivery.test_inbound import catches_up, loses, sid_of
from tests.harness import ASHA, BEN, DEE, DESK, LEADER, Case, Town
from tests.journeys.browser import browser_of, on_sqlite
from tests.journeys.test_check_ins import at_the_door, rung

WORD = "heliotrope"
LONE = {"check_in_every": "PT30M", "then": ["duty_officer", "team_leader"], "duress_word": WORD}
WITH_WORD = small_town(lone_worker=LONE)
#: The duty officer takes jobs as well.
DEE_GOES_TOO = SMALL_TOWN.replace(
    "    roles: [duty_officer]", "    roles: [duty_officer]\n    skills: [doorstep_crime, scam]"
).replace("lone_worker: {", f"lone_worker: {{duress_word: {WORD}, ")
FREE_TEXT = "Jean asks for heliotrope paint, back in ten"


async def quiet(town: Town, number: str) -> tuple[list[str], int]:
    """All that a phone has got from us."""
    return await town.texts(number), await rung(town, number)


def of_alarm(case: Case) -> str:
    return (
        f"TS duty: duress: job {case.number}, send police. Ring 999, address on the page. Do not ring or "
        "text the responder. Seen? Text OK and the job number."
    )


@pytest.mark.parametrize("words", ["Heliotrope", "SAFE {n} heliotrope.", FREE_TEXT])
async def test_s37_the_duress_word_raises_a_silent_alarm(town: Town, words: str) -> None:
    await town.load(WITH_WORD)
    case = await at_the_door(town)
    before = await quiet(town, ASHA)

    await case.hears(ASHA, words)

    assert await quiet(town, ASHA) == before
    for phone in (DEE, LEADER):
        assert await town.last_text(phone) == of_alarm(case)
        assert await rung(town, phone) == 1
    assert await case.status() == "on_scene"
    assert await case.happened("checked_in") == []
    (raised,) = await case.happened("duress_raised")
    assert (raised["responder"], raised["source"]) == ("asha", "sms")
    assert "reply_understood" not in (await town.event_types(case.reference))[-1:]


async def test_s37_a_text_that_is_older_than_the_alarm_has_not_seen_it(town: Town) -> None:
    await town.load(WITH_WORD)
    case = await at_the_door(town)
    await loses(town, DEE, f"OK {case.number}", sid_of(1))
    town.clock.advance(timedelta(seconds=20))
    await case.hears(ASHA, WORD)
    assert await catches_up(town) == 1
    assert await case.happened("duress_acknowledged") == []
    await town.pass_time(minutes=5)
    assert len(await town.texts_with("duress", DEE)) == 2
    await loses(town, DEE, f"OK {case.number}", sid_of(2))
    town.clock.advance(timedelta(minutes=1))
    assert await catches_up(town) == 1
    assert len(await case.happened("duress_acknowledged")) == 1


async def test_s37_it_comes_again_each_five_minutes_until_one_person_has_seen_it(town: Town) -> None:
    await town.load(WITH_WORD)
    case = await at_the_door(town)
    await case.hears(ASHA, WORD)
    await town.pass_time(minutes=10)
    assert len(await town.texts_with("duress", DEE)) == 3
    assert (await town.last_text(LEADER)).startswith("Repeat: TS duty: duress")
    assert await case.hears(DEE, "OK {n}") == (
        f"Job {case.number}: noted that you have seen this. It stays open until someone acts."
    )
    assert len(await case.happened("duress_acknowledged")) == 1
    assert await case.status() == "on_scene"
    await town.pass_time(minutes=15)
    assert len(await town.texts_with("duress", DEE)) == len(await town.texts_with("duress", LEADER)) == 3
    await case.hears(ASHA, WORD)  # and she says it again
    assert len(await town.texts_with("duress", DEE)) == 4


async def test_s37_after_a_change_of_shift_whoever_has_come_on_duty_hears_of_it(town: Town) -> None:
    await town.load(with_second_duty_officer("12:03", lone_worker=LONE))  # it is noon
    await town.texts_reply(ASHA, WORD)  # at no job
    await town.pass_time(minutes=2)
    assert len(await town.texts_with("duress", DEE)) == 1
    assert await town.texts_with("duress", EVE) == []

    await town.pass_time(minutes=5)
    assert len(await town.texts_with("duress", DEE)) == 1
    assert (await town.last_text(EVE)).startswith("Repeat: TS duty: duress")
    assert len(await town.texts_with("duress", LEADER)) == 2

    await town.texts_reply(DEE, "OK")  # she was told too
    await town.pass_time(minutes=10)
    assert len(await town.texts_with("duress", EVE)) == 1


async def test_s37_seen_by_telephone(town: Town) -> None:
    await town.load(WITH_WORD)
    case = await at_the_door(town)
    await case.hears(ASHA, WORD)
    assert "with an alarm for you" in await town.answers_call(LEADER, "")
    heard = await town.answers_call(LEADER, "1")
    assert heard.startswith("Duress: job ")
    assert ", ".join(str(case.number)) in heard
    assert "you have seen this" in await town.answers_call(LEADER, "1")
    assert (await case.happened("duress_acknowledged"))[0]["source"] == "voice"


@on_sqlite
async def test_s37_an_alarm_that_a_page_did_not_show_yet_is_not_seen_by_it(town: Town) -> None:
    await town.load(WITH_WORD)
    case = await at_the_door(town)
    await case.hears(ASHA, WORD)
    await case.act("acknowledge", seen=["the one notice that stood there"])
    assert await case.happened("duress_acknowledged") == []
    (raised,) = await case.happened("duress_raised")
    await case.act("acknowledge", seen=[raised["alarm_id"]])
    assert len(await case.happened("duress_acknowledged")) == 1


@pytest.mark.long
async def test_s37_the_clock_and_the_check_ins_go_on_as_if_nothing_were(town: Town) -> None:
    await town.load(WITH_WORD)
    case = await at_the_door(town)
    await case.hears(ASHA, WORD)
    await case.act("acknowledge")  # which is the desk's, for all that was told of it
    assert len(await case.happened("duress_acknowledged")) == 1
    await town.pass_time(minutes=30)
    assert "are you safe?" in await town.last_text(ASHA)
    # She is made to say that it is over: the alarm is not.
    await case.hears(ASHA, "DONE {n} HELPED")
    assert [a.ended_at for a in await town.rows(AlarmRow)] == [None]


@pytest.mark.long
async def test_s37_after_a_forced_done_it_still_comes_again_and_is_seen(town: Town) -> None:
    await town.load(WITH_WORD)
    case = await at_the_door(town)
    await case.hears(ASHA, WORD)
    await case.hears(ASHA, "DONE {n} HELPED")
    await town.pass_time(minutes=5)
    assert len(await town.texts_with("duress", DEE)) == 2
    await case.hears(LEADER, "OK {n}")
    await town.pass_time(minutes=10)
    assert len(await town.texts_with("duress", DEE)) == 2


@pytest.mark.long
async def test_s37_without_a_job_it_is_where_she_was_last_or_nowhere(town: Town) -> None:
    await town.load(WITH_WORD)
    case = await at_the_door(town)
    await case.hears(ASHA, "DONE {n} HELPED")
    await case.hears(ASHA, WORD)
    assert await town.last_text(DEE) == of_alarm(case)
    before = await quiet(town, BEN)
    await town.texts_reply(BEN, WORD)
    assert await quiet(town, BEN) == before
    assert await town.last_text(DEE) == (
        "TS duty: duress: a responder without a job, send police. Sign in for who. Ring 999. Do not ring or "
        "text them. Seen? Text OK."
    )
    await case.hears(DEE, "OK {n}")
    await town.pass_time(minutes=5)
    assert (await town.last_text(LEADER)).startswith("Repeat: TS duty: duress: a responder without a job")
    await town.texts_reply(LEADER, "ok")
    assert "noted that you have seen the alarm".casefold() in (await town.last_text(LEADER)).casefold()
    seen = await town.texts_with("duress")
    await town.pass_time(minutes=10)
    assert await town.texts_with("duress") == seen


@pytest.mark.long
async def test_s37_the_job_she_names_or_else_where_she_is(town: Town) -> None:
    await town.load(WITH_WORD)
    case = await at_the_door(town)
    other = await town.takes(paid_today())
    await other.act("assign", responder="asha")
    await case.hears(ASHA, WORD)
    assert len(await case.happened("duress_raised")) == 1
    await case.act("acknowledge")
    await other.hears(ASHA, f"{WORD} {{n}}")
    assert len(await other.happened("duress_raised")) == 1


async def test_s37_a_duty_officer_under_duress_hears_nothing_of_her_own_alarm(town: Town) -> None:
    definition = small_town(lone_worker=LONE).replace("roles:\n  - duty_officer", "roles: [duty_officer]")
    await town.load(definition)
    before = await quiet(town, DEE)
    await town.texts_reply(DEE, WORD)
    await town.pass_time(minutes=5)
    assert await quiet(town, DEE) == before
    assert len(await town.texts_with("duress", LEADER)) == 2


@pytest.mark.long
async def test_s37_from_a_stranger_or_without_a_word_it_is_a_text_like_any_other(town: Town) -> None:
    case = await at_the_door(town)
    assert "kept as a note" in await case.hears(ASHA, WORD)
    await town.load(WITH_WORD)
    await town.texts_reply("+447700900555", f"my {WORD} has died")
    assert await town.rows(AlarmRow) == []
    assert await town.count_incidents() == 2


@pytest.mark.long
@pytest.mark.parametrize("keys", ["99", "199", "9999"])
async def test_s37_nine_twice_in_any_call_of_ours(town: Town, keys: str) -> None:
    case = await at_the_door(town)
    await town.pass_time(minutes=40)
    said = await town.answers_call(ASHA, keys)
    assert "safe" in said.casefold()
    assert len(await case.happened("duress_raised")) == (0 if keys == "199" else 1)
    if keys != "199":  # the first key ended that call: she was safe
        assert await town.last_text(DEE) == of_alarm(case)
        assert await case.happened("checked_in") == []


@on_sqlite
async def test_s37_nine_once_is_no_alarm_and_nine_is_no_answer(town: Town) -> None:
    case = await town.takes(roofers_now())
    await town.pass_time(minutes=15)
    assert "Press 1 to hear it" in await town.answers_call(DEE, "9")
    assert "Press 1 to hear it" not in await town.answers_call(DEE, "1")
    assert await case.happened("notice_acknowledged") == []
    assert await town.rows(AlarmRow) == []
    await town.answers_call(DEE, "9")
    assert await town.rows(AlarmRow) == []
    await town.answers_call(DEE, "9")
    assert len(await town.rows(AlarmRow)) == 1
    assert await town.texts_with("duress", DEE) == []


async def test_s37_the_word_stands_nowhere(town: Town, capfd: pytest.CaptureFixture[str]) -> None:
    await town.load(WITH_WORD)
    case = await at_the_door(town)
    await case.hears(ASHA, f"SAFE {{n}} {WORD}")
    await town.pass_time(minutes=5)
    (kept,) = [t for t in await town.rows(InboundMessageRow) if t.effect == "alarm"]
    assert (kept.body, kept.verb, kept.needs_person) == ("(withheld)", None, False)
    held = await town.app.database.look(tables_that_hold)
    # Where the council set it, and on the simulated network of which her phone is a part.
    assert held <= {DefinitionRow.__tablename__, SimTextRow.__tablename__, SimPostRow.__tablename__}
    shown = [
        (await town.http.get("/metrics")).text,
        json.dumps(await town.events(case.reference)),
        json.dumps(await case.now()),
        "".join(m.body for m in await town.rows(MessageRow)),
        "".join(capfd.readouterr()),
    ]
    assert not any(WORD in text.casefold() for text in shown)


def tables_that_hold(connection: Connection) -> set[str]:
    """The tables in which the word stands."""
    return {
        table.name
        for table in SQLModel.metadata.sorted_tables
        if any(WORD in str(row).casefold() for row in connection.execute(select(table)))
    }


# --- on screens -------------------------------------------------------------------------------------------


@on_sqlite
async def test_s37_code_9_changes_nothing_on_her_page(town: Town) -> None:
    case = await at_the_door(town)
    page = f"/j/{case.number}"
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        before = await asha.get(page)
        assert "Code 9" in before.html
        pressed = await asha.send(before.form("/j/code-9"))
        await town.settle()
        assert (pressed.status, pressed.to) == (303, page)
        after = await asha.get(page)
        assert without_keys(after.html) == without_keys(before.html)
    assert await town.last_text(DEE) == of_alarm(case)
    assert (await case.happened("duress_raised"))[0]["source"] == "page"
    async with await browser_of(town, "ben", Role.RESPONDER, "ben") as ben:
        jobs = await ben.get("/j")
        assert (await ben.send(jobs.form("/j/code-9"))).to == "/j"
    await town.settle()
    assert len(await town.texts_with("without a job", DEE)) == 1


@on_sqlite
async def test_an_alarm_on_a_page_that_is_older_than_the_session_is_raised_all_the_same(town: Town) -> None:
    """She signed in again elsewhere meanwhile; and no other site can raise one in her name."""
    case = await at_the_door(town)
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        form = (await asha.get(f"/j/{case.number}")).form("/j/code-9")
        stale = {"csrf_token": "of-an-earlier-session"}
        assert (await asha.send(form, {"sec-fetch-site": "cross-site"}, **stale)).status == 403
        assert (await asha.send(form, {}, **stale)).status == 403
        assert await town.rows(AlarmRow) == []
        assert (await asha.send(form, **stale)).to == f"/j/{case.number}"
    assert len(await town.rows(AlarmRow)) == 1


@on_sqlite
async def test_an_alarm_on_a_page_that_lay_open_for_longer_than_a_session_waits_is_raised(town: Town) -> None:
    """At a door nobody touches the page: she is signed out by then, and must neither fail nor be shown it."""
    case = await at_the_door(town)
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        form = (await asha.get(f"/j/{case.number}")).form("/j/code-9")
        town.clock.advance(IDLE_AFTER)
        assert (await asha.get(f"/j/{case.number}")).to.startswith("/sign-in")
        assert (await asha.send(form, {"sec-fetch-site": "cross-site"})).status == 403
        pressed = await asha.send(form)
        assert (pressed.status, pressed.html) == (204, "")  # the browser leaves the page as it is
        assert (await asha.get(f"/j/{case.number}")).to.startswith("/sign-in")
        (alarm,) = await town.rows(AlarmRow)
        assert (alarm.responder_id, alarm.source) == ("asha", "page")
        town.clock.advance(ENDS_AFTER - IDLE_AFTER)
        assert (await asha.send(form)).status == 401
    async with await browser_of(town, "ben", Role.RESPONDER, "ben") as ben:
        jobs = await ben.get("/j")
        await ben.send(jobs.form("/sign-out"))
        assert (await ben.send(jobs.form("/j/code-9"))).status == 401
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        await handler.get("/board")
        town.clock.advance(IDLE_AFTER)
        assert (await handler.send(form)).status == 403  # the page of somebody else
    assert len(await town.rows(AlarmRow)) == 1


def without_keys(html: str) -> list[str]:
    """A page without what is new each time that it is shown."""
    return [line for line in html.splitlines() if "form_key" not in line and "nonce" not in line]


@on_sqlite
async def test_s37_the_board_shows_it_first_and_the_page_where_she_is(town: Town) -> None:
    await town.load(SMALL_TOWN.replace("lone_worker: {", f"lone_worker: {{duress_word: {WORD}, "))
    case = await town.takes(paid_today(location={"address": "14 Larkspur Way", "postcode": "BR1 3UH"}))
    await case.hears(ASHA, "HERE {n}")
    await case.hears(ASHA, WORD)
    (alarm,) = await town.rows(AlarmRow)
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        board = (await handler.get("/board")).html
        assert board.index("Duress: Asha Patel") < board.index("<table")
        assert "Larkspur" not in board
        page = await handler.get(f"/alarms/{alarm.id}")
        assert "14 Larkspur Way" in page.html
        assert f"/alarms/{alarm.id}/end" not in page.actions
        seen = await handler.send(page.form(f"/alarms/{alarm.id}/seen"))
        assert "Seen" in (await handler.get(seen.to)).html
    assert len(await case.happened("duress_acknowledged")) == 1
    async with await browser_of(town, "tess", Role.TEAM_LEADER) as leader:
        page = await leader.get(f"/alarms/{alarm.id}")
        form = page.form(f"/alarms/{alarm.id}/end")
        stale = await leader.send(form, reason="We met.", csrf_token="of another session")
        assert stale.status == 422
        assert stale.form(f"/alarms/{alarm.id}/end").fields["reason"] == ["We met."]
        assert (await leader.send(form, reason="")).status == 422
        await leader.send(form, reason="Police are with her, she is safe.")
        assert "Duress" not in (await leader.get("/board")).html
        assert "Ended" in (await leader.get(f"/alarms/{alarm.id}")).html
    assert "duress_ended" in await town.event_types(case.reference)
    assert "Police are with her" not in json.dumps(await town.events(case.reference))


@pytest.mark.long
@on_sqlite
async def test_s37_her_own_screens_say_nothing_of_it(town: Town) -> None:
    await town.load(DEE_GOES_TOO)
    case = await town.takes(paid_today())
    await case.act("assign", responder="dee")
    async with await browser_of(town, "dee", Role.DUTY_OFFICER, "dee") as dee:
        await town.texts_reply(DEE, WORD)
        (alarm,) = await town.rows(AlarmRow)
        for path in ("/board", f"/incidents/{case.reference}", f"/j/{case.number}", "/texts"):
            page = await dee.get(path)
            assert page.status == 200, path
            shown = page.html.casefold()
            assert "duress" not in shown, path
            assert "silent alarm" not in shown, path
            # Nor that something was sent: "Alarm: handed to the phone network".
            assert "alarm:" not in shown, path
        assert (await dee.get(f"/alarms/{alarm.id}")).status == 404
    assert await town.texts_with("duress", DESK) == []


@on_sqlite
@pytest.mark.parametrize("by", ["page", "text"])
async def test_s37_a_duty_officer_under_duress_does_not_silence_her_own_alarm(town: Town, by: str) -> None:
    """Whoever has her phone or her screen may have her say that she has seen the notices."""
    await town.load(DEE_GOES_TOO)
    case = await town.takes(roofers_now())
    await case.act("assign", responder="dee")
    await town.texts_reply(DEE, WORD)
    (alarm,) = await town.rows(AlarmRow)
    assert alarm.incident_id
    page = f"/incidents/{case.reference}"
    if by == "page":
        async with await browser_of(town, "dee", Role.DUTY_OFFICER, "dee") as dee:
            assert (await dee.fill(page, f"{page}/actions/acknowledge")).status == 303
    else:
        await case.hears(DEE, "OK {n}")
    assert {row["role"] for row in await case.happened("notice_acknowledged")} == {"duty_officer"}
    (alarm,) = await town.rows(AlarmRow)
    assert alarm.acknowledged_at is None
    await town.pass_time(minutes=5)
    assert len(await town.texts_with("duress", LEADER)) == 2
