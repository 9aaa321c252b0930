"""What ends the clock, what takes the end back, and what a closing text may do."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from rapid_response.core.vocabulary import Role
from rapid_response.storage.tables import NoteRow
from tests.builders import PATIENT_OFFER, paid_today, roofers_now, small_town
from tests.harness import ASHA, BEN, DEE, Case, Town
from tests.journeys.browser import browser_of, on_sqlite


async def owned(town: Town) -> Case:
    """A case that asha has."""
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    return case


async def test_s39_nobody_at_the_door_is_no_success_until_a_call_reaches_her_in_time(town: Town) -> None:
    case = await owned(town)
    await town.pass_time(minutes=60)
    await case.hears(ASHA, "HERE {n}")
    assert (await case.clock())["state"] == "met"
    answer = await case.hears(ASHA, "NOBODY {n}")

    assert "clock runs on" in answer
    whole = await case.now()
    assert (whole["status"], whole["responder"]) == ("assigned", "asha")
    assert (whole["clock"]["state"], whole["clock"]["stopped_at"]) == ("running", None)
    assert "call_back" in await case.tasks()
    assert (await town.board("2026-07"))["two_hours"]["met"] == 0

    await town.pass_time(minutes=40)
    await case.act("remote_response", protective_act="bank_told")
    clock = await case.clock()
    assert (clock["state"], clock["stopped_by"]) == ("met", "remote_response")
    assert "call_back" not in await case.tasks()
    figures = (await town.board("2026-07"))["two_hours"]
    assert (figures["met"], figures["by_mode"]["remote_response"]) == (1, 1)
    assert await town.metric("sla_met_corrections_total", category="doorstep_crime", mode="attended") == 1


@on_sqlite
async def test_a_clock_that_has_stopped_counts_no_time_that_is_left(town: Town) -> None:
    case = await owned(town)
    desk = await browser_of(town, "dee", Role.DUTY_OFFICER)
    running = (await desk.get(f"/incidents/{case.reference}")).html
    assert re.search(r"Due by [^.]*, in 2 h", running)
    await case.hears(ASHA, "HERE {n}")
    stopped = (await desk.get(f"/incidents/{case.reference}")).html
    assert re.search(r"Was due by (<[^>]+>)?\d+(:\d\d)?pm", stopped)
    assert not re.search(r"Due by [^.]*, in 2 h", stopped)


@on_sqlite
async def test_a_stop_that_is_taken_back_is_corrected_where_it_was_counted(town: Town) -> None:
    """In the metrics what was met under one category is not taken from another, nor taken twice."""
    case = await owned(town)
    await case.hears(ASHA, "HERE {n}")
    await case.act("reclassify", category="scam")
    earlier = {"received_at": (town.clock.now() - timedelta(minutes=150)).isoformat()}
    told_again = await town.takes(paid_today(**earlier))
    await told_again.act("link", kind="duplicate_of", reference=case.reference)
    await case.hears(ASHA, "NOBODY {n}")
    for name in ("sla_met_total", "sla_met_corrections_total"):
        counted = [
            await town.metric(name, category=category, mode="attended")
            for category in ("doorstep_crime", "scam")
        ]
        assert counted == [1, 0], name


@pytest.mark.long
async def test_no_contact_arms_warnings_and_the_ladder_again(town: Town) -> None:
    case = await owned(town)
    await town.pass_time(minutes=55)
    await case.hears(ASHA, "HERE {n}")
    await case.hears(ASHA, "DONE {n} NOCONTACT")
    assert await case.status() == "assigned"
    assert (await case.happened("no_contact_made"))[0]["took_stop_back"] is True

    await town.pass_time(minutes=66)

    shares = [w["share"] for w in await case.happened("deadline_warned")]
    assert shares == [0.5, 0.75, 0.9]
    rungs = [r["to"] for r in await case.happened("rung_reached")]
    assert rungs == ["duty_officer", "team_leader", "head_of_service"]
    assert (await case.clock())["state"] == "breached"


@pytest.mark.long
async def test_s43_police_at_the_address_leave_a_welfare_check(town: Town) -> None:
    await town.load(small_town(escalation=[PATIENT_OFFER]))
    case = await town.takes(roofers_now())
    await town.pass_time(minutes=20)
    nothing = await case.try_to("police_handover")
    assert nothing.status_code == 422
    done = await case.act("police_handover", cad_reference="CAD 5521/15JUL")

    assert (done["status"], done["clock"]["state"]) == ("scheduled", "met")
    assert done["clock"]["stopped_by"] == "police_handover"
    tomorrow = datetime(2026, 7, 16, 8, 0, tzinfo=UTC)
    assert datetime.fromisoformat((await case.tasks())["welfare_check"]["due_at"]) == tomorrow
    assert "Do not attend" in await town.last_text(ASHA)
    assert "CAD 5521/15JUL" not in str(await town.events(case.reference))
    await town.pass_time(minutes=110)
    assert await case.asked() == ["asha"]
    assert await case.happened("deadline_warned") == await case.happened("deadline_missed") == []


async def test_a_remote_response_to_an_unowned_case_leaves_a_welfare_check(town: Town) -> None:
    case = await town.takes(paid_today())
    assert (await case.try_to("remote_response")).status_code == 422
    done = await case.act("remote_response", protective_act="payment_stopped", responder="ben")
    assert (done["status"], done["clock"]["stopped_by"]) == ("scheduled", "remote_response")
    assert "welfare_check" in await case.tasks()
    assert "Do not attend" in await town.last_text(ASHA)
    assert (await case.happened("response_made_remotely"))[0]["responder"] == "ben"


async def test_s46_a_pause_moves_what_is_due_and_keeps_what_was_promised(town: Town) -> None:
    case = await owned(town)
    first_due = datetime.fromisoformat((await case.clock())["due_at"])
    await town.pass_time(minutes=50)
    path = f"/incidents/{case.reference}"
    pause = f"{path}/actions/pause"
    async with (
        await browser_of(town, "hana", Role.HANDLER) as handler,
        await browser_of(town, "dee", Role.DUTY_OFFICER) as officer,
    ):
        # Not whoever took the call: a supervisor.
        assert pause not in (await handler.get(path)).actions
        paused_by = await officer.fill(path, pause, reason="victim_requested_later_time")
        assert paused_by.status == 303
    await town.pass_time(minutes=100)
    assert (await case.clock())["state"] == "paused"
    assert await case.happened("deadline_warned") == []

    resumed = await case.act("resume")
    clock = resumed["clock"]
    due, started = (datetime.fromisoformat(clock[k]) for k in ("due_at", "started_at"))
    (paused,) = await case.happened("clock_resumed")
    assert due - first_due == timedelta(minutes=100)
    assert due - started - timedelta(seconds=paused["paused_seconds"]) == timedelta(hours=2)
    await town.pass_time(minutes=10)
    assert [w["share"] for w in await case.happened("deadline_warned")] == [0.5]
    await town.pass_time(minutes=60)
    await case.hears(ASHA, "HERE {n}")
    (stopped,) = await case.happened("clock_stopped")
    assert (stopped["gross_seconds"], stopped["paused_seconds"], stopped["met"]) == (220 * 60, 6000, True)


async def test_nobody_at_the_door_of_a_case_that_was_lowered_starts_no_clock(town: Town) -> None:
    case = await owned(town)
    await case.hears(ASHA, "HERE {n}")
    await case.act("set_priority", priority="P3", reason="Nothing is lost, and nobody comes back.")
    await case.hears(ASHA, "NOBODY {n}")
    assert (await case.clock())["state"] == "not_applicable"
    assert await case.status() == "assigned"
    await town.pass_time(minutes=125)
    assert await case.happened("rung_reached") == []
    assert await case.happened("deadline_missed") == []
    two_hours = (await town.board("2026-07"))["two_hours"]
    assert (two_hours["due"], two_hours["met"], two_hours["breached"]) == (0, 0, 0)


async def test_a_pause_moves_the_notices_of_a_visit_where_nobody_answered(town: Town) -> None:
    case = await owned(town)
    await case.hears(ASHA, "HERE {n}")
    await case.hears(ASHA, "NOBODY {n}")
    await town.pass_time(minutes=16)
    assert [r["to"] for r in await case.happened("rung_reached")] == ["duty_officer"]

    await case.act("pause", reason="victim_requested_later_time")
    await town.pass_time(minutes=30)
    await case.act("resume")
    await town.pass_time(minutes=13)
    assert len(await case.happened("rung_reached")) == 1
    await town.pass_time(minutes=1)  # half an hour after nobody answered, and the pause
    assert [r["to"] for r in await case.happened("rung_reached")] == ["duty_officer", "team_leader"]
    assert await case.asked() == ["asha"]


async def test_a_pause_moves_the_notices_of_what_is_held_for_a_joint_visit(town: Town) -> None:
    await town.load(small_town(sla={"joint_attendance": "hold"}))
    case = await town.takes(roofers_now())
    await town.pass_time(minutes=5)
    await case.act("pause", reason="police_requested_hold")
    await town.pass_time(minutes=20)
    await case.act("resume")
    assert await case.happened("rung_reached") == []
    await town.pass_time(minutes=9)  # 34 minutes, of which 20 stood still
    assert await town.texts_with("nobody accepted in time", DEE)
    await town.pass_time(minutes=16)
    assert [r["to"] for r in await case.happened("rung_reached")] == ["duty_officer", "team_leader"]
    assert await case.asked() == []


async def test_who_takes_the_job_in_a_pause_ends_the_notices(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.act("pause", reason="victim_requested_later_time")
    await town.pass_time(minutes=5)
    await case.act("assign", responder="asha")
    await case.act("resume")
    await town.pass_time(minutes=59)
    assert await case.happened("rung_reached") == []


async def test_who_is_expected_back_does_not_wait_for_our_pause(town: Town) -> None:
    back_at = town.clock.now() + timedelta(hours=1)
    returning = {"suspect_returning": True, "suspect_returning_at": back_at.isoformat()}
    case = await town.takes(paid_today(answers=returning))
    needed_by = (await case.clock())["needed_by"]
    assert datetime.fromisoformat(needed_by) == back_at - timedelta(minutes=15)
    await case.act("pause", reason="victim_requested_later_time")
    await town.pass_time(minutes=20)
    await case.act("resume")
    assert (await case.clock())["needed_by"] == needed_by
    assert "On scene by 12:45" in await town.last_text(ASHA)


async def test_a_pause_ends_by_itself_and_the_search_goes_on(town: Town) -> None:
    case = await town.takes(paid_today())
    until = town.clock.now() + timedelta(minutes=45)
    await case.act("pause", reason="police_requested_hold", until=until.isoformat())
    assert "Do not attend" in await town.last_text(ASHA)
    await town.pass_time(minutes=44)
    assert await case.asked() == ["asha"]
    await town.pass_time(minutes=1)
    assert (await case.clock())["state"] == "running"
    assert len(await case.asked()) == 2
    assert (await case.clock())["due_at"] == (until + timedelta(hours=2)).isoformat()


@pytest.mark.parametrize("seconds", [0, 1])
async def test_what_was_late_before_it_was_paused_is_missed_however_it_ends(town: Town, seconds: int) -> None:
    """The worker has not come to it when somebody pauses it, and nobody lets it go on."""
    case = await owned(town)
    town.clock.advance(timedelta(hours=2, seconds=seconds))
    path = f"/api/v1/incidents/{case.reference}/actions/"
    assert (await town.post(f"{path}pause", {"reason": "police_requested_hold"})).status_code == 200
    await town.pass_time(minutes=30)
    await case.act("set_priority", priority="P3", reason="It was a misunderstanding.")
    figures = (await town.board("2026-07"))["two_hours"]
    assert (figures["breached"], "breach_reason" in await case.tasks()) == (seconds, seconds == 1)
    assert (await case.clock())["state"] == ("breached" if seconds else "not_applicable")


async def test_a_clock_pauses_for_two_reasons_only(town: Town) -> None:
    case = await owned(town)
    assert (await case.try_to("pause", reason="we_are_busy")).status_code == 422
    assert (await case.try_to("pause")).status_code == 422
    assert (await case.try_to("resume")).status_code == 409
    assert (await case.clock())["state"] == "running"


async def test_done_helped_means_she_was_there(town: Town) -> None:
    case = await owned(town)
    await town.pass_time(minutes=30)
    answer = await case.hears(ASHA, "DONE {n} HELPED")
    assert "closed as HELPED" in answer
    whole = await case.now()
    assert (whole["status"], whole["disposition"]) == ("closed", "resolved_attended")
    assert (whole["clock"]["state"], whole["clock"]["stopped_by"]) == ("met", "attended")


async def test_done_phone_is_a_remote_response_to_be_confirmed(town: Town) -> None:
    case = await owned(town)
    await case.hears(ASHA, "DONE {n} PHONE")
    whole = await case.now()
    assert (whole["status"], whole["disposition"]) == ("closed", "resolved_remote")
    assert whole["clock"]["stopped_by"] == "remote_response"
    assert whole["unconfirmed"] == ["remote_response"]
    assert (await case.tasks())["confirm_remote"]["owner"] == "duty_officer"
    assert (await case.happened("clock_stopped"))[0]["flagged"] is True
    await case.act("task_done", task=(await case.tasks())["confirm_remote"]["id"])
    assert (await case.now())["unconfirmed"] == []


async def test_what_the_police_or_a_call_achieved_stands_when_nobody_is_found_at_home(town: Town) -> None:
    for stopped_by, how in (
        ("police_handover", {"cad_reference": "CAD 5521/15JUL"}),
        ("remote_response", {"protective_act": "bank_told"}),
    ):
        case = await town.takes(paid_today())
        await case.act("assign", responder="asha")
        await case.act(stopped_by, **how)
        answer = await case.hears(ASHA, "NOBODY {n}")
        assert "stays with you" in answer
        assert "runs on" not in answer
        clock = await case.clock()
        assert (clock["state"], clock["stopped_by"]) == ("met", stopped_by)
        assert "call_back" in await case.tasks()
    assert (await town.board("2026-07"))["two_hours"]["met"] == 2


async def test_a_visit_without_contact_is_closed_only_when_that_is_recorded(town: Town) -> None:
    case = await owned(town)
    await case.hears(ASHA, "HERE {n}")
    for disposition in ("no_contact", "no_trace"):
        refused = await case.try_to("close", disposition=disposition)
        assert refused.status_code == 422
        assert "no_contact first" in refused.json()["detail"]
    assert await case.status() == "on_scene"
    await case.act("no_contact")
    assert (await case.clock())["state"] == "running"
    assert (await town.board("2026-07"))["two_hours"]["met"] == 0


async def test_what_is_cancelled_had_no_response(town: Town) -> None:
    case = await owned(town)
    for disposition in ("resolved_attended", "resolved_remote", "advice_only", "handed_to_police"):
        refused = await case.try_to("cancel", disposition=disposition, reason="It is over.")
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "disposition"
    assert (await case.clock())["state"] == "running"
    await case.act("cancel", disposition="out_of_scope", reason="A parking matter.")
    assert (await case.now())["disposition"] == "out_of_scope"


async def test_done_without_contact_leaves_it_open(town: Town) -> None:
    case = await owned(town)
    for code in ("NOTRACE", "NOCONTACT"):
        assert "nobody reached" in await case.hears(ASHA, f"DONE {{n}} {code}")
        whole = await case.now()
        assert (whole["status"], whole["clock"]["state"], whole["disposition"]) == (
            "assigned",
            "running",
            None,
        )
    assert "call_back" in await case.tasks()


async def test_done_police_asks_for_the_reference(town: Town) -> None:
    case = await owned(town)
    answer = await case.hears(ASHA, "DONE {n} POLICE")
    assert "needs their CAD reference" in answer
    assert (await case.clock())["state"] == "running"
    await case.hears(ASHA, "DONE {n} POLICE CAD 5521/15JUL")
    whole = await case.now()
    assert (whole["status"], whole["disposition"]) == ("closed", "handed_to_police")
    assert whole["clock"]["stopped_by"] == "police_handover"
    assert any("5521/15JUL" in note.body for note in await town.rows(NoteRow))


@pytest.mark.long
async def test_other_closing_words_are_asked_back_while_the_clock_counts(town: Town) -> None:
    case = await owned(town)
    for code in ("", "ADVICE", "DECLINED", "NOCRIME"):
        assert "is still open" in await case.hears(ASHA, f"DONE {{n}} {code}"), code
        assert (await case.now())["clock"]["state"] == "running"
    await case.hears(ASHA, "HERE {n}")
    await case.hears(ASHA, "DONE {n} NOCRIME")
    whole = await case.now()
    assert (whole["status"], whole["disposition"]) == ("closed", "no_offence_consumer_dispute")


async def test_a_response_still_owed_is_not_closed_away(town: Town) -> None:
    case = await owned(town)
    refused = await case.try_to("close", disposition="advice_only")
    assert refused.status_code == 409
    problem = refused.json()
    assert "close" not in problem["allowed_actions"]
    assert {"on_scene", "remote_response", "cancel"} <= set(problem["allowed_actions"])
    assert "on_scene" in problem["detail"]
    assert await case.status() == "assigned"
    assert (await case.try_to("on_scene")).status_code == 200
    assert (await case.act("close", disposition="advice_only"))["status"] == "closed"
    assert await town.texts_with("handed back", DEE) == []


async def test_nobody_is_sent_to_somebody_who_was_helped(town: Town) -> None:
    case = await owned(town)
    await case.act("remote_response", protective_act="bank_told")
    answer = await case.hears(ASHA, "NO {n}")
    assert "handed back" in answer
    assert await case.status() == "scheduled"
    assert set(await case.tasks()) == {"welfare_check"}
    await town.pass_time(minutes=130)
    assert await case.asked() == ["asha"]
    assert await town.texts(BEN) == []
