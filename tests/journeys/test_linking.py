"""Cases that belong together: one told twice, a series, a new episode. A person says so; nothing is lost."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from rapid_response.core.vocabulary import Role
from rapid_response.storage.tables import IdentifierRow, ReportRow
from tests.builders import long_ago, paid_today, roofers_now, scam_paid, unclear
from tests.harness import ASHA, BEN, CAT, Case, Town
from tests.journeys.browser import browser_of, on_sqlite

JOAN = {"name": "Joan Whitfield", "phone": "+447700900300"}
HOME = {"address": "14 Elm Road", "postcode": "BR1 3UH", "ward": "Bromley Town"}
NEXT_STREET = {"address": "3 Oak Close", "postcode": "BR1 3XA", "ward": "Bromley Town"}
VAN = {"suspect": {"vehicle_registration": "GK16 XYZ"}}


async def test_a_running_clock_is_not_ended_as_a_duplicate_of_nothing(town: Town) -> None:
    case = await town.takes(paid_today())
    refused = await case.try_to("cancel", disposition="duplicate_of", reason="Told twice.")
    assert refused.status_code == 422
    (fault,) = refused.json()["errors"]
    assert fault["field"] == "disposition"
    assert "use link with kind duplicate_of" in fault["message"]
    assert (await case.clock())["state"] == "running"


async def links(case: Case) -> list[tuple[str, str, str]]:
    """Kind, reference and state of the links of a case."""
    return [(link["kind"], link["reference"], link["state"]) for link in (await case.now())["links"]]


async def two_neighbours(town: Town, **second: Any) -> tuple[Case, Case]:
    """The same house, told of twice."""
    first = await town.takes(
        roofers_now(location=HOME, caller={"role": "neighbour", "phone": "+447700900501"})
    )
    await town.pass_time(minutes=3)
    again = {"narrative": "There are men on the roof at number 14.", "location": HOME, **second}
    return first, await town.takes(roofers_now(caller={"role": "neighbour"}, **again))


# --- scenario 10: one incident told twice -----------------------------------------------------------------


async def test_s10_the_second_report_joins_the_first_and_the_first_clock_stays(town: Town) -> None:
    first, second = await two_neighbours(town)
    before = await first.clock()
    assert await links(second) == [("same_incident", first.reference, "suggested")]
    asked = await second.asked()
    whole = await second.act("link", kind="duplicate_of", reference=first.reference)

    assert (whole["status"], whole["disposition"]) == ("cancelled", "duplicate_of")
    assert whole["duplicate_of"] == first.reference
    assert whole["reports"] == []
    assert whole["clock"]["state"] == "not_applicable"
    assert await links(second) == [("duplicate_of", first.reference, "accepted")]
    kept = await first.now()
    assert len(kept["reports"]) == 2
    assert kept["clock"] == before
    assert await links(first) == [("duplicated_by", second.reference, "accepted")]
    assert asked
    assert len(await town.rows(ReportRow)) == 2

    board = await town.board("2026-07")
    assert (board["contacts"]["total"], board["incidents"]["total"]) == (2, 1)
    assert board["reconciliation"]["joined_incidents"] == 1
    assert board["reconciliation"]["became_incidents"] == 1
    assert (board["two_hours"]["open"], board["dispositions"]["duplicate_of"]) == (1, 1)
    # The board as it was known before is what it was.
    as_at = (town.clock.now() - timedelta(minutes=1)).isoformat()
    assert (await town.board("2026-07", as_at=as_at))["incidents"]["total"] == 1
    first_call = (await town.board("2026-07", as_at=as_at))["contacts"]["total"]
    assert first_call == 1


@pytest.mark.long
async def test_s10_as_it_was_known_before_the_board_still_shows_two(town: Town) -> None:
    first, second = await two_neighbours(town)
    await town.pass_time(minutes=5)
    then = town.clock.now().isoformat()
    await town.pass_time(minutes=5)
    await second.act("link", kind="duplicate_of", reference=first.reference)
    assert (await town.board("2026-07", as_at=then))["incidents"]["total"] == 2
    assert (await town.board("2026-07"))["incidents"]["total"] == 1


async def test_s10_a_handler_confirms_on_the_page_which_then_leads_to_the_other(town: Town) -> None:
    first, second = await two_neighbours(town)
    action = f"/incidents/{second.reference}/actions/link"
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        page = await handler.get(f"/incidents/{second.reference}")
        assert "May be the same incident as" in page.html
        confirm = next(f for f in page.forms(action) if "duplicate_of" in f.fields.get("kind", []))
        done = await handler.send(confirm)
        assert (done.status, done.to) == (303, f"/incidents/{second.reference}?done=link")
        shown = await handler.get(done.to)
        assert "This report was joined to" in shown.html
        assert f'href="/incidents/{first.reference}"' in shown.html
        kept = await handler.get(f"/incidents/{first.reference}")
        assert "What was reported (2 reports)" in kept.html
        assert "Joined to this one:" in kept.html
    assert await second.status() == "cancelled"


async def test_joining_twice_is_joining_once(town: Town) -> None:
    first, second = await two_neighbours(town)
    await second.act("link", kind="duplicate_of", reference=first.reference)
    before = (await town.events(first.reference), await town.events(second.reference))
    await second.act("link", kind="duplicate_of", reference=first.reference.lower())
    assert (await town.events(first.reference), await town.events(second.reference)) == before


@pytest.mark.long
async def test_who_was_asked_twice_is_not_called_off(town: Town) -> None:
    first = await town.takes(paid_today(location=HOME))
    await first.hears(ASHA, "OK {n}")
    second = await town.takes(
        paid_today(location=HOME, narrative="The neighbour paid a man for her gutters.")
    )
    asked = (await second.asked())[-1]
    assert asked == "ben"
    await town.pass_time(minutes=6)
    assert await second.asked() == ["ben", "asha"]
    await second.act("link", kind="duplicate_of", reference=first.reference)
    to_asha, to_ben = await town.last_text(ASHA), await town.last_text(BEN)
    assert f"Job {second.number} is now part of job {first.number}" in to_asha
    assert "Do not attend" not in to_asha
    assert "joined to another job" in to_ben or "now part of" not in to_ben
    assert (await first.now())["responder"] == "asha"
    assert await first.status() == "assigned"


@pytest.mark.parametrize("has_it", [True, False], ids=["has the joined one", "is asked about it"])
async def test_who_goes_along_to_the_other_one_is_not_called_off(town: Town, has_it: bool) -> None:
    first = await town.takes(roofers_now())
    await first.hears(ASHA, "OK {n}")
    await first.act("assign", responder="ben", companion=True)
    second = await town.takes(paid_today())
    assert await second.asked() == ["ben"]
    if has_it:
        await second.hears(BEN, "OK {n}")

    await second.act("link", kind="duplicate_of", reference=first.reference)

    assert f"Job {second.number} is now part of job {first.number}" in await town.last_text(BEN)
    assert not await town.texts_with("Do not attend", BEN)
    assert (await first.now())["companion"] == "ben"


async def test_whoever_is_on_her_way_goes_on_with_the_other_number(town: Town) -> None:
    first = await town.takes(paid_today(location=HOME))
    await first.hears(ASHA, "NO {n}")
    await first.hears(BEN, "NO {n}")
    assert await first.status() == "unassigned"
    second = await town.takes(paid_today(location=HOME, narrative="A man took 300 pounds for her gutters."))
    assert (await second.asked())[0] == "asha"
    await second.hears(ASHA, "GO {n}")
    await second.act("link", kind="duplicate_of", reference=first.reference)
    whole = await first.now()
    assert (whole["status"], whole["responder"]) == ("en_route", "asha")
    assert await town.texts_with(f"Job {second.number} is now part of job {whole['job_number']}", ASHA)
    await first.hears(ASHA, "HERE {n}")
    assert (await first.clock())["stopped_by"] == "attended"


async def test_where_somebody_has_arrived_the_other_one_is_joined_to_it(town: Town) -> None:
    first, second = await two_neighbours(town)
    await second.act("assign", responder="ben")
    await second.hears(BEN, "HERE {n}")
    refused = await second.try_to("link", kind="duplicate_of", reference=first.reference)
    assert refused.status_code == 422
    assert "Join the other one to it" in refused.json()["detail"]
    assert await second.status() == "on_scene"
    started = (await first.clock())["started_at"]
    await first.act("link", kind="duplicate_of", reference=second.reference)
    clock = await second.clock()
    # The promise was given with the first report, and was kept from there too.
    assert clock["started_at"] == started
    assert (clock["state"], clock["stopped_by"]) == ("met", "attended")
    board = await town.board("2026-07")
    assert (board["two_hours"]["met"], board["two_hours"]["breached"]) == (1, 0)


async def test_whoever_is_there_is_there_by_the_other_number_and_watched_on(town: Town) -> None:
    helped = await town.takes(paid_today())
    await helped.act("remote_response", protective_act="bank_told")
    there = await town.takes(paid_today())
    await there.hears(ASHA, "OK {n}")
    await there.hears(ASHA, "HERE {n}")
    await there.act("link", kind="duplicate_of", reference=helped.reference)
    now = await helped.now()
    assert (now["status"], now["responder"]) == ("on_scene", "asha")
    await town.pass_time(minutes=30)
    assert f"Job {helped.number}: are you safe?" in await town.last_text(ASHA)
    await helped.hears(ASHA, "DONE {n} HELPED")
    assert await helped.status() == "closed"


@pytest.mark.long
async def test_a_response_that_was_late_from_the_first_report_on_is_late(town: Town) -> None:
    first = await town.takes(paid_today(location=HOME))
    await town.pass_time(minutes=50)
    second = await town.takes(paid_today(location=HOME, narrative="A man took 300 pounds for her gutters."))
    await second.act("assign", responder="ben")
    await town.pass_time(minutes=65)
    await second.hears(BEN, "HERE {n}")
    assert (await second.clock())["state"] == "met"
    await town.pass_time(minutes=10)
    await first.act("link", kind="duplicate_of", reference=second.reference)
    clock = await second.clock()
    assert (clock["state"], clock["stopped_by"]) == ("met", "attended")

    third = await town.takes(
        paid_today(
            location=HOME,
            narrative="Her son saw the man take the money.",
            received_at=(town.clock.now() - timedelta(minutes=150)).isoformat(),
        )
    )
    await third.act("link", kind="duplicate_of", reference=second.reference)
    clock = await second.clock()
    assert clock["state"] == "breached"
    assert datetime.fromisoformat(clock["breached_at"]) == datetime.fromisoformat(clock["due_at"])
    assert "breach_reason" in await second.tasks()
    board = await town.board("2026-07")
    assert (board["two_hours"]["met"], board["two_hours"]["breached"]) == (0, 1)
    assert await town.metric("sla_met_corrections_total", category="doorstep_crime", mode="attended") == 1


@pytest.mark.long
async def test_an_earlier_start_brings_warnings_and_the_deadline_forward(town: Town) -> None:
    first = await town.takes(paid_today(location=HOME))
    await town.pass_time(minutes=40)
    second = await town.takes(paid_today(location=HOME, narrative="A man took 300 pounds for her gutters."))
    await second.act("assign", responder="ben")
    await first.act("link", kind="duplicate_of", reference=second.reference)
    (moved,) = await second.happened("clock_moved_back")
    assert moved["no_longer_met"] is False
    await town.pass_time(minutes=81)
    clock = await second.clock()
    assert clock["state"] == "breached"
    (missed,) = await second.happened("deadline_missed")
    assert missed["late_seconds"] < 1
    assert [w["share"] for w in await second.happened("deadline_warned")] == [0.5, 0.75, 0.9]


async def test_what_the_second_one_knew_is_known_of_the_first(town: Town) -> None:
    first = await town.takes(paid_today(location={"address": "14 Elm Road"}, victim={"name": "Joan"}))
    assert (await first.now())["priority"] == "P1"
    second = await town.takes(
        roofers_now(
            narrative="Men on the roof at number 14, shouting at old Joan, she is 84.",
            location=HOME,
            victim={**JOAN, "age": 84, "vulnerabilities": ["memory"]},
            answers={"threat_or_fear": True},
            suspect={"description": "two men"},
        )
    )
    await second.act("add_outcomes", outcomes=[{"code": "trader_left"}])
    await second.act("link", kind="duplicate_of", reference=first.reference)
    whole = await first.now()
    assert (whole["priority"], whole["joint"]) == ("P0", True)
    assert whole["facts"]["threat_or_fear"] is True
    assert whole["facts"]["paid_within_24h"] is True
    assert whole["victim"] == {**JOAN, "name": "Joan", "age": 84, "vulnerabilities": ["memory"]}
    assert whole["location"]["postcode"] == "BR1 3UH"
    assert whole["suspect"]["description"] == "two men"
    assert [o["code"] for o in whole["outcomes"]] == ["trader_left"]
    assert (await town.board("2026-07"))["outcomes"]["trader_left"] == 1
    filled = {c["field"]: c for c in whole["corrections"]}
    assert (filled["victim.age"]["new"], filled["victim.age"]["source"]) == (84, "joined")
    assert {row.incident_id for row in await town.rows(IdentifierRow)} == {
        row.incident_id for row in await town.rows(ReportRow)
    }
    # What was joined is no suggestion to a third report any more; what it was joined to is.
    third = await town.takes(roofers_now(narrative="Roofers at number 14.", location=HOME))
    assert await links(third) == [("same_incident", first.reference, "suggested")]


async def test_joining_is_no_way_to_lower(town: Town) -> None:
    first = await town.takes(long_ago(town.clock.now(), location=HOME))
    assert (await first.now())["priority"] in ("P3", "P4")
    second = await town.takes(unclear(location=HOME))
    started = (await second.clock())["started_at"]
    await town.pass_time(minutes=5)
    await second.act("link", kind="duplicate_of", reference=first.reference)
    whole = await first.now()
    assert whole["priority"] == "P2"
    assert (whole["clock"]["state"], whole["clock"]["started_at"]) == ("running", started)
    assert await first.asked() == ["asha"]


async def test_an_unclear_report_that_another_makes_clear_goes_out(town: Town) -> None:
    first = await town.takes(unclear(location=HOME))
    assert await first.status() == "awaiting_review"
    second = await town.takes(paid_today(location=HOME))
    await second.act("link", kind="duplicate_of", reference=first.reference)
    assert await first.status() == "dispatching"
    assert (await first.now())["priority"] == "P0"  # he has just left, and now it is known to be a crime


@pytest.mark.long
async def test_into_what_is_over_nothing_is_joined(town: Town) -> None:
    first, second = await two_neighbours(town)
    await first.act("cancel", disposition="withdrawn", reason="She rang off.")
    refused = await second.try_to("link", kind="duplicate_of", reference=first.reference)
    assert refused.status_code == 422
    assert "Open it again with this report" in refused.json()["detail"]
    assert await second.status() != "cancelled"
    third = await town.takes(roofers_now(location=HOME))
    await third.act("link", kind="duplicate_of", reference=second.reference)
    chained = await first.try_to("reopen", reference=third.reference)
    assert chained.status_code == 409
    again = await second.try_to("link", kind="duplicate_of", reference=third.reference)
    assert again.status_code == 422
    assert "was joined to another" in again.json()["detail"]


async def test_what_cannot_be_linked_is_said_beside_its_field(town: Town) -> None:
    case = await town.takes(paid_today())
    for body, field in (
        ({"kind": "duplicate_of", "reference": "RR-0000000"}, "reference"),
        ({"kind": "duplicate_of", "reference": case.reference}, "reference"),
        ({"kind": "same_thing", "reference": "RR-0000000"}, "kind"),
        ({"kind": "related"}, "reference"),
        ({"reference": "RR-0000000"}, "body"),
        ({"dismiss": True, "reference": "RR-0000000"}, "reference"),
    ):
        refused = await case.try_to("link", **body)
        assert refused.status_code == 422, body
        problem = refused.json()
        assert field in [e["field"] for e in problem.get("errors", [])], problem


@pytest.mark.long
async def test_joined_by_mistake_is_taken_apart_and_keeps_its_first_start(town: Town) -> None:
    first, second = await two_neighbours(town)
    started = (await second.clock())["started_at"]
    await second.act("link", kind="duplicate_of", reference=first.reference)
    await town.pass_time(minutes=20)
    whole = await second.act("reopen", reason="It is number 41, not 14.")
    assert (whole["status"], whole["duplicate_of"], whole["episode"]) == ("dispatching", None, 2)
    assert len(whole["reports"]) == len((await first.now())["reports"]) == 1
    assert whole["clock"]["started_at"] == started
    assert whole["links"] == (await first.now())["links"] == []
    board = await town.board("2026-07")
    assert (board["incidents"]["total"], board["contacts"]["total"]) == (2, 2)
    assert board["reconciliation"]["joined_incidents"] == 0


async def test_what_came_of_a_case_joined_by_mistake_counts_once_and_with_it(town: Town) -> None:
    first, second = await two_neighbours(town)
    saved = {"code": "money_prevented", "amount_gbp": 300, "evidence_grade": "A"}
    await second.act("add_outcomes", outcomes=[saved])
    await second.act("link", kind="duplicate_of", reference=first.reference)
    (known,) = (await first.now())["outcomes"]
    bank_says = {**saved, "amount_gbp": 200}
    await first.act("add_outcomes", outcomes=[bank_says], corrects=known["id"], reason="The bank says 200.")
    await second.act("reopen", reason="It is number 41, not 14.")
    assert (await first.now())["outcomes"] == []
    assert [o["amount_gbp"] for o in (await second.now())["outcomes"]] == [200]
    board = await town.board("2026-07")
    assert board["money_gbp"]["prevented"] == {"A": 200, "B": 0, "C": 0}
    assert board["outcomes"]["money_prevented"] == 1


@pytest.mark.long
async def test_a_chain_comes_apart_where_it_was_joined(town: Town) -> None:
    one, two = await two_neighbours(town)
    three = await town.takes(roofers_now(location=HOME))
    await three.act("link", kind="duplicate_of", reference=two.reference)
    await two.act("link", kind="duplicate_of", reference=one.reference)
    assert len((await one.now())["reports"]) == 3
    await two.act("reopen")
    assert (len((await one.now())["reports"]), len((await two.now())["reports"])) == (1, 2)
    assert await three.status() == "cancelled"


async def test_both_are_locked_in_the_order_of_their_ids(town: Town) -> None:
    if town.app.database.is_sqlite:
        return
    first, second = await two_neighbours(town)
    locked: list[Any] = []

    def heard(_connection: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        if "FOR UPDATE" in sql and "incidents" in sql:
            locked.append(next(iter(values.values())))

    event.listens_for(town.app.database.engine(), "before_cursor_execute")(heard)
    for case, other in ((second, first), (first, second)):
        locked.clear()
        await case.try_to("link", kind="related", reference=other.reference, reason="x")
        in_order = list(dict.fromkeys(locked))
        assert len(in_order) == 2
        assert in_order == sorted(in_order)


# --- scenario 9: a series ---------------------------------------------------------------------------------


async def test_s09_a_person_makes_the_series_that_was_suggested(town: Town) -> None:
    one = await town.takes(paid_today(location=HOME, **VAN))
    two = await town.takes(paid_today(location=NEXT_STREET, victim={"name": "Amit"}, **VAN))
    assert await links(two) == [("same_suspect", one.reference, "suggested")]
    assert (await two.now())["series"] == []
    await two.act("link", kind="same_suspect", reference=one.reference)
    (shown,) = (await one.now())["links"]
    assert (shown["state"], shown["kind"]) == ("accepted", "same_suspect")
    assert shown["decided_by"].startswith("key:")
    three = await town.takes(scam_paid())
    refused = await three.try_to("link", kind="same_suspect", reference=two.reference)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "reason"
    await three.act("link", kind="same_suspect", reference=two.reference, reason="The same voice, she says.")
    everybody = sorted(case.reference for case in (one, two, three))
    for case in (one, two, three):
        assert (await case.now())["series"] == everybody
    assert "voice" not in json.dumps(await town.events(three.reference))
    assert (await town.board("2026-07"))["incidents"]["total"] == 3


async def test_s09_a_duty_officer_sees_a_suspect_across_cases_and_a_handler_does_not(town: Town) -> None:
    one = await town.takes(paid_today(location=HOME, **VAN))
    two = await town.takes(paid_today(location=NEXT_STREET, victim={"name": "Amit"}, **VAN))
    path = f"/incidents/{two.reference}"
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        assert one.reference not in (await handler.get(path)).html
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        page = await officer.get(path)
        assert "May be the same suspect as in" in page.html
        forms = page.forms(f"{path}/actions/link")
        dismiss = next(f for f in forms if f.fields.get("dismiss") == ["yes"])
        await officer.send(dismiss)
        assert one.reference not in (await officer.get(path)).html


async def test_what_is_dismissed_stays_dismissed(town: Town) -> None:
    one = await town.takes(paid_today(location=HOME, **VAN))
    two = await town.takes(paid_today(location=NEXT_STREET, victim={"name": "Amit"}, **VAN))
    await two.act("link", dismiss=True, reference=one.reference, reason="The registration was misread.")
    assert await links(one) == await links(two) == []
    await two.act("amend", suspect={"vehicle_registration": "GK16 XYZ", "company": "Roofs Ltd"})
    assert await links(two) == []
    # A person may think again.
    await one.act("link", kind="same_suspect", reference=two.reference, reason="It was not misread.")
    assert await links(two) == [("same_suspect", one.reference, "accepted")]
    await one.act("link", dismiss=True, reference=two.reference)
    assert await links(two) == []


async def test_links_may_be_made_of_what_is_over(town: Town) -> None:
    one = await town.takes(paid_today(location=HOME))
    await one.act("cancel", disposition="withdrawn")
    two = await town.takes(paid_today(location=NEXT_STREET, victim={"name": "Amit"}))
    await one.act("link", kind="related", reference=two.reference, reason="Neighbours.")
    assert await links(two) == [("related", one.reference, "accepted")]
    refused = await one.try_to("link", kind="duplicate_of", reference=two.reference)
    assert refused.status_code == 409


# --- scenario 49: he is back ------------------------------------------------------------------------------


async def closed_case(town: Town) -> Case:
    """A case of Joan's that is over."""
    first = await town.takes(paid_today(victim=JOAN, location=HOME, safe_contact={"voice": True}))
    await first.hears(ASHA, "OK {n}")
    await first.hears(ASHA, "HERE {n}")
    await first.act("close", disposition="resolved_attended")
    await town.pass_time(minutes=90)
    return first


async def test_s49_the_new_report_opens_the_old_case_again_as_a_new_episode(town: Town) -> None:
    first = await closed_case(town)
    back = await town.takes(roofers_now(victim={"phone": "07700 900300"}, caller={"role": "victim"}))
    (link,) = (await back.now())["links"]
    assert (link["kind"], link["reference"], link["suggests"]) == ("same_victim", first.reference, "reopen")
    started = (await back.clock())["started_at"]
    await town.pass_time(minutes=4)
    whole = await first.act("reopen", reason="He is back.", reference=back.reference)
    assert (whole["episode"], whole["disposition"]) == (2, None)
    assert (whole["priority"], whole["rule_id"]) == ("P0", "R05")
    assert whole["clock"]["started_at"] == started
    assert whole["clock"]["state"] == "running"
    assert len(whole["reports"]) == 2
    # Of the episode before nothing is taken for true now; it stays among the corrections.
    assert "paid_within_24h" not in whole["facts"]
    assert ("answers.paid_within_24h", "new_episode") in [
        (c["field"], c["source"]) for c in whole["corrections"]
    ]
    classified = (await first.happened("incident_classified"))[-1]
    assert (classified["repeat_victim"], classified["repeat_within_28_days"]) == (True, True)
    assert (await back.now())["duplicate_of"] == first.reference
    assert await town.texts_with(f"OK {whole['job_number']}")
    board = await town.board("2026-07")
    assert (board["incidents"]["total"], board["contacts"]["total"]) == (1, 2)
    assert (board["victims"]["repeat"], board["victims"]["repeat_28_days"]) == (1, 1)
    # Two episodes are two promises.
    assert (board["two_hours"]["met"], board["two_hours"]["open"]) == (1, 1)


@on_sqlite
async def test_s49_who_she_is_is_still_known_where_the_new_report_says_nothing_of_it(town: Town) -> None:
    """She lives alone, with dementia: that is not over because nobody said it again."""
    first = await town.takes(paid_today(victim={**JOAN, "lives_alone": True}, location=HOME))
    await first.act("amend", answers={"cognitive_impairment": True, "disability": True})
    await first.act("remote_response", protective_act="bank_told")
    await first.act("close", disposition="resolved_remote", safeguarding="referred")
    await town.pass_time(minutes=90)
    before = await town.board("2026-07")
    back = await town.takes(paid_today(victim=JOAN, location=HOME, answers={"disability": False}))
    whole = await first.act("reopen", reference=back.reference)
    assert (whole["facts"]["lives_alone"], whole["facts"]["cognitive_impairment"]) == (True, True)
    assert whole["facts"]["disability"] is False
    assert whole["safeguarding"]["indicated_by"] == ["cognitive_impairment"]
    after = await town.board("2026-07")
    assert after["victims"]["living_alone"] == before["victims"]["living_alone"] == 1


async def test_s49_whoever_took_the_new_job_has_the_new_episode(town: Town) -> None:
    first = await closed_case(town)
    back = await town.takes(paid_today(victim=JOAN, location=HOME, narrative="He took another 200 from her."))
    phone = {"asha": ASHA, "ben": BEN, "cat": CAT}[(await back.asked())[-1]]
    await back.hears(phone, "OK {n}")
    owner = (await back.now())["responder"]
    whole = await first.act("reopen", reference=back.reference)
    assert (whole["status"], whole["responder"]) == ("assigned", owner)
    assert await town.texts_with(f"now part of job {whole['job_number']}", phone)


async def test_s49_on_the_pages_the_handler_is_told_and_the_duty_officer_does_it(town: Town) -> None:
    first = await closed_case(town)
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        sent = await handler.fill(
            "/console",
            "/console",
            narrative="He is back and wants more.",
            **{
                "victim.name": "Joan Whitfield",
                "location.address": "14 Elm Road",
                "location.postcode": "BR1 3UH",
            },
        )
        assert "We may know of this already" in sent.html
        assert "open it again as a new episode?" in sent.html
        back = await town.newest()
        page = await handler.get(f"/incidents/{back.reference}")
        assert "ask the duty officer to open" in page.html
    reopen = f"/incidents/{first.reference}/actions/reopen"
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        page = await officer.get(f"/incidents/{back.reference}")
        done = await officer.send(page.form(reopen), reason="He is back")
        assert (done.status, done.to) == (303, f"/incidents/{first.reference}?done=reopen")
        assert "Episode 2" in (await officer.get(done.to)).html
    assert (await first.now())["episode"] == 2


async def test_s49_what_cannot_begin_an_episode_is_refused_and_changes_nothing(town: Town) -> None:
    first = await closed_case(town)
    back = await town.takes(roofers_now(victim=JOAN, location=HOME))
    await back.act("assign", responder="ben")
    await back.hears(BEN, "HERE {n}")
    before = await town.events(first.reference)
    reached = await first.try_to("reopen", reference=back.reference)
    assert reached.status_code == 422
    assert "Link the two as related" in reached.json()["detail"]
    unknown = await first.try_to("reopen", reference="RR-0000000")
    assert unknown.json()["errors"][0]["field"] == "reference"
    assert await town.events(first.reference) == before
    assert await first.status() == "closed"


# --- scenario 50: what is safe -----------------------------------------------------------------------------


@pytest.mark.long
async def test_s50_the_stricter_safe_contact_holds_on_links_and_joins(town: Town) -> None:
    no_voice = {"sms": False, "voice": False, "note": "He answers her phone."}
    one = await town.takes(paid_today(victim=JOAN, location=HOME, safe_contact={"voice": True, "sms": True}))
    two = await town.takes(paid_today(victim=JOAN, location=HOME, safe_contact=no_voice))
    # Already while it is only suggested that they are the same people.
    assert (await one.now())["safe_contact"] == {
        "sms": False,
        "voice": False,
        "voicemail": False,
        "note": "He answers her phone.",
    }
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        page = await officer.get(f"/incidents/{one.reference}")
        assert f"Stricter than was said here, because of {two.reference}" in page.html
        assert "(do not ring)" in page.html
        assert 'href="tel:+447700900300"' not in page.html
    await two.act("link", dismiss=True, reference=one.reference)
    assert (await one.now())["safe_contact"]["voice"] is True
    await two.act("link", kind="related", reference=one.reference, reason="One household.")
    assert (await one.now())["safe_contact"]["voice"] is False
    await two.act("link", kind="duplicate_of", reference=one.reference)
    whole = await one.now()
    assert whole["safe_contact"]["voice"] is False
    assert ("safe_contact.voice", True, False) in [
        (c["field"], c["old"], c["new"]) for c in whole["corrections"]
    ]
    # Nobody having asked closes no way, and another victim of one suspect is another person.
    three = await town.takes(paid_today(location=NEXT_STREET, safe_contact={"voice": True}))
    four = await town.takes(scam_paid())
    await four.act("link", kind="related", reference=three.reference, reason="x")
    await one.act("link", kind="same_suspect", reference=three.reference, reason="x")
    assert (await three.now())["safe_contact"]["voice"] is True


async def test_s50_the_responder_sees_the_stricter_one_too(town: Town) -> None:
    one = await town.takes(paid_today(victim=JOAN, location=HOME, safe_contact={"voice": True}))
    await one.hears(ASHA, "OK {n}")
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        assert "+447700900300" in (await asha.get(f"/j/{one.number}")).html
        await town.takes(paid_today(victim=JOAN, location=HOME, safe_contact={"voice": False}))
        page = await asha.get(f"/j/{one.number}")
        assert "Do not ring" in page.html
        assert 'href="tel:+447700900300"' not in page.html


@pytest.mark.long
async def test_s50_no_text_or_call_ever_goes_to_a_resident(town: Town) -> None:
    one = await town.takes(
        paid_today(
            victim=JOAN,
            location=HOME,
            caller={"phone": "+447700900501", "role": "family"},
            safe_contact={"voice": True, "sms": True, "voicemail": True},
        )
    )
    await one.hears(ASHA, "OK {n}")
    await one.hears(ASHA, "DONE {n} NOTRACE")
    await one.act("amend", location={"address": "16 Elm Road"})
    await town.pass_time(minutes=100)
    for number in ("+447700900300", "+447700900501"):
        assert await town.texts(number) == []
        assert await town.calls(number) == []


@on_sqlite
async def test_a_joined_job_leads_to_the_one_that_goes_on(town: Town) -> None:
    first = await town.takes(paid_today(location=HOME))
    await first.hears(ASHA, "NO {n}")
    await first.hears(BEN, "NO {n}")
    second = await town.takes(paid_today(location=HOME, narrative="A man took 300 pounds for her gutters."))
    await second.hears(ASHA, "OK {n}")
    await second.act("link", kind="duplicate_of", reference=first.reference)
    number = (await first.now())["job_number"]
    async with await browser_of(town, "asha", Role.RESPONDER, "asha") as asha:
        assert (await asha.get(f"/j/{second.number}")).to == f"/j/{number}"
