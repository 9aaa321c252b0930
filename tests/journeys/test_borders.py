"""Over the border: whose the home is, what the caller is told, a hand-over followed until it is taken.

Scenarios 15 and 16; 34 and 48 as far as the caller is told the truth about hours.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from rapid_response.core.vocabulary import Role
from rapid_response.storage.tables import TransferRow
from tests.builders import kettle, long_ago, paid_today, roofers_now, small_town
from tests.conftest import NOON
from tests.harness import ASHA, BEN, DEE, HEAD, LEADER, Case, Town
from tests.journeys.browser import browser_of, on_sqlite

AREA = {
    "wards": ["Bromley Town", "Hayes & Coney Hall"],
    "postcode_districts": ["BR1", "BR2"],
    "authority": "E09000006",
}
NEIGHBOURS = [
    {
        "id": "lewisham",
        "name": "Lewisham Trading Standards",
        "authorities": ["E09000023"],
        "phone": "+442079460201",
    },
]
SERVICE = {"name": "Small town", "area": AREA, "hotline": "+442079460001"}
BORDERED = small_town(service=SERVICE, neighbours=NEIGHBOURS)
LEWISHAM = {"address": "3 Elm Road", "postcode": "SE13 6LG"}
LEEDS = {"address": "3 Elm Road", "postcode": "LS1 4DY"}
_RING_999 = "999 first"
OURS = {"address": "3 Elm Road", "postcode": "BR1 3UH"}


@pytest.fixture
def service() -> str:
    """The small town, knowing whose homes are whose."""
    return BORDERED


@pytest.fixture
async def town(database_url: str, start: datetime, service: str) -> AsyncIterator[Town]:
    async with Town(database_url, start, service) as made:
        yield made


async def outside(town: Town, **more: Any) -> tuple[Case, dict[str, Any]]:
    """Roofers at a door in Lewisham, and what the caller is answered."""
    answer = await town.reports(**roofers_now(location=LEWISHAM, **more))
    return Case(town, answer["reference"], (await town.incident(answer["reference"]))["job_number"]), answer


# --- scenario 15 ------------------------------------------------------------------------------------------


async def test_s15_an_address_in_lewisham_is_out_of_area_and_still_gets_its_advice(town: Town) -> None:
    case, answer = await outside(town)
    assert answer["place"] == {
        "area": "outside",
        "authority": "E09000023",
        "authority_name": "Lewisham",
        "neighbour": "lewisham",
        "did_you_mean": [],
    }
    # P0 advice first of all, then whose it is and the number to ring; nobody is sent away.
    assert (answer["priority"], answer["advice"][0]) == ("P0", "call_999")
    assert "we_will_not_ask" not in answer["advice"]
    said = " ".join(answer["say"])
    for words in ("Lewisham Trading Standards", "020 7946 0201", "we pass it on", "999"):
        assert words in said
    # No clock, with the reason; nobody of ours is asked to go.
    assert answer["clock"]["state"] == "not_applicable"
    (why,) = [e for e in await town.events(case.reference) if e["type"] == "clock_not_applicable"]
    assert why["data"]["why"] == "out_of_area"
    assert await town.texts(ASHA) == [] == await town.texts(BEN)
    # Somebody here owes them the hand-over, now.
    assert "outside our area" in await town.last_text(DEE)
    now = await case.now()
    assert (now["status"], now["next_step"]["what"], now["next_step"]["who"]) == (
        "scheduled",
        "transfer",
        "duty_officer",
    )


@on_sqlite
async def test_s15_the_danger_is_as_plain_to_see_as_that_of_our_own(town: Town) -> None:
    ours = await town.takes(paid_today(location=OURS))
    case, _ = await outside(town)
    waits = await town.takes(kettle())
    page = f"/incidents/{case.reference}"
    async with await browser_of(town, "dot", Role.DUTY_OFFICER) as officer:
        board = (await officer.get("/board")).html
        # The hand-over is due in minutes, the promise to the others in hours.
        places = [board.index(f">{c.reference}</a>") for c in (case, ours, waits)]
        assert places == sorted(places)
        assert _RING_999 in (await officer.get(page)).html
        sheet = (await officer.get("/sheet")).html
        places = [sheet.index(f"<td>{c.reference}</td>") for c in (case, ours, waits)]
        assert places == sorted(places)
        await case.act("assign", responder="ben", reason="By agreement.")
        await case.act("on_scene")
        assert _RING_999 not in (await officer.get(page)).html


async def test_s15_it_is_counted_as_a_contact_and_not_in_the_two_hours(town: Town) -> None:
    await outside(town)
    ours = await town.takes(paid_today(location=OURS))
    await ours.act("remote_response", responder="asha", protective_act="bank_told")
    board = await town.board("2026-07")
    assert board["contacts"]["total"] == 2
    assert board["two_hours"]["due"] == 1


async def test_s16_jurisdiction_follows_the_victims_home_not_the_callers(town: Town) -> None:
    daughter = {"name": "Jo", "phone": "+447700900456", "role": "family"}
    answer = await town.reports(
        **paid_today(
            narrative="I live at BR1 3UH in Bromley. My mother in Leeds paid a man at her door.",
            caller=daughter,
            location=LEEDS,
        )
    )
    assert (answer["place"]["area"], answer["place"]["authority_name"]) == ("outside", "Leeds")
    assert "Leeds" in " ".join(answer["say"])
    # And the other way round: the victim is ours, whoever rings from wherever.
    ours = await town.reports(**paid_today(caller=daughter, location=OURS))
    assert ours["place"]["area"] == "inside"
    assert ours["clock"]["state"] == "running"


@pytest.mark.parametrize("location", [{"postcode": "BR9 9ZZ"}, {"address": "somewhere in Penge"}, {}])
async def test_a_place_that_is_not_known_is_served_like_ours(town: Town, location: dict[str, str]) -> None:
    answer = await town.reports(**paid_today(location=location))
    assert answer["place"]["area"] == "unknown"
    assert answer["clock"]["state"] == "running"
    assert await town.texts(ASHA)


async def test_a_slip_of_the_keyboard_is_asked_about(town: Town) -> None:
    answer = await town.reports(**paid_today(location={"postcode": "BRI 3UH"}))
    assert answer["place"]["area"] == "unknown"
    assert answer["place"]["did_you_mean"] == ["BR1 3UH"]
    assert "Did you mean BR1 3UH?" in answer["say"]
    put_right = await town.act(answer["reference"], "amend", location={"postcode": "BR1 3UH"})
    assert put_right["place"]["area"] == "inside"


async def test_a_complaint_from_elsewhere_is_answered_in_the_same_contact(town: Town) -> None:
    answer = await town.reports(**kettle(location=LEEDS))
    assert answer["priority"] == "P4"
    assert "transfer" not in await Case(town, answer["reference"], None).tasks()


async def test_what_is_less_urgent_is_handed_over_on_the_next_working_day(town: Town) -> None:
    case = await town.takes(long_ago(town.clock.now(), location=LEWISHAM))
    assert (await case.tasks())["transfer"]["due_at"] == "2026-07-16T08:00:00+00:00"
    assert not await town.texts_with("outside our area")


# --- the ladder, and the hand-over ------------------------------------------------------------------------


@pytest.mark.long
async def test_while_nobody_hands_it_over_it_climbs(town: Town) -> None:
    case, _ = await outside(town)
    await town.pass_time(minutes=10)
    assert len(await town.texts_with("outside our area", DEE)) >= 2
    assert not await town.texts_with("outside our area", LEADER)
    await town.pass_time(minutes=10)
    assert await town.texts_with("outside our area", LEADER)
    await town.pass_time(minutes=20)
    assert await town.texts_with("outside our area", HEAD)
    chased = [e["data"]["role"] for e in await town.events(case.reference) if e["type"] == "transfer_chased"]
    assert chased == ["duty_officer", "team_leader", "head_of_service"]


async def test_a_hand_over_is_signed_kept_and_followed_until_it_is_taken(town: Town) -> None:
    case, _ = await outside(town, caller={"name": "Jo Example", "phone": "+447700900456"})
    done = await case.act("transfer", means="phone", handed_to="Sam Lee")
    (sent,) = done["transfers"]
    assert (sent["to"], sent["neighbour"], sent["state"]) == (
        "Lewisham Trading Standards",
        "lewisham",
        "sent",
    )
    # What they were given is kept word for word: the digest in the log is of these words, and we signed it.
    (row,) = await town.rows(TransferRow)
    document = json.loads(row.document)
    assert document["location"] == LEWISHAM
    assert document["reports"][0]["caller"]["name"] == "Jo Example"
    (moved,) = [e for e in await town.events(case.reference) if e["type"] == "transfer_moved"]
    assert moved["data"]["digest"] == sent["digest"]
    assert town.app.desk.signer.holds(sent["signature"], "transfer", sent["id"], sent["digest"])
    assert "Jo Example" not in json.dumps(moved)
    # Only one at a time.
    again = await case.try_to("transfer", to="kent")
    assert again.status_code == 409
    assert "transfer_acknowledged" in again.json()["allowed_actions"]

    await town.pass_time(minutes=20)
    assert await town.texts_with("not acknowledged", DEE)
    assert await town.texts_with("not acknowledged", LEADER)

    over = await case.act("transfer_acknowledged", by="Sam Lee", reference="LEW/77")
    assert (over["status"], over["disposition"]) == ("closed", "transferred_other_authority")
    (taken,) = over["transfers"]
    assert (taken["state"], taken["answered_by"], taken["reference"]) == ("acknowledged", "Sam Lee", "LEW/77")
    # Nobody is told any more.
    before = len(await town.texts_with("not acknowledged"))
    await town.pass_time(minutes=21)
    assert len(await town.texts_with("not acknowledged")) == before


async def test_what_they_decline_is_ours_to_place_again(town: Town) -> None:
    case, _ = await outside(town)
    await case.act("transfer")
    assert (await case.try_to("transfer_declined")).status_code == 422
    await case.act("transfer_declined", reason="She moved to Croydon last year.", by="Sam Lee")
    now = await case.now()
    assert (now["status"], now["next_step"]["what"]) == ("scheduled", "transfer")
    told = len(await town.texts_with("outside our area", DEE))
    await town.pass_time(minutes=10)
    assert len(await town.texts_with("outside our area", DEE)) > told
    # Another service, that is not in the definition, gets it.
    done = await case.act("transfer", to="Croydon Trading Standards", means="secure_email")
    assert [t["state"] for t in done["transfers"]] == ["declined", "sent"]
    assert done["transfers"][1]["neighbour"] is None


async def test_ours_can_go_across_the_border_by_agreement(town: Town) -> None:
    case, _ = await outside(town)
    await case.act("assign", responder="asha")
    await town.pass_time(minutes=21)
    assert not await town.texts_with("outside our area", LEADER)
    assert "transfer" not in await case.tasks()
    assert (await case.clock())["state"] == "not_applicable"


async def test_a_home_of_ours_is_handed_over_only_with_a_reason(town: Town) -> None:
    case = await town.takes(paid_today(location=OURS))
    refused = await case.try_to("transfer", to="lewisham")
    assert refused.json()["errors"][0]["field"] == "reason"
    await case.act("transfer", to="lewisham", reason="She stays with her son in Catford this month.")
    # Until they have it the promise is ours, and so is the search.
    assert (await case.clock())["state"] == "running"
    await case.hears(ASHA, "OK {n}")
    over = await case.act("transfer_acknowledged", by="Sam Lee")
    assert (over["status"], over["clock"]["state"]) == ("closed", "not_applicable")
    assert "handed over" in await town.last_text(ASHA)


@pytest.mark.long
async def test_a_hand_over_after_the_deadline_does_not_hide_the_breach(town: Town) -> None:
    sla = {"respond_within": "PT20M"}
    await town.load(small_town(service=SERVICE, neighbours=NEIGHBOURS, sla=sla))
    case = await town.takes(paid_today(location={"postcode": "BR9 9ZZ"}))
    await case.act("transfer", to="lewisham")
    await town.pass_time(minutes=21)
    over = await case.act("transfer_acknowledged", by="Sam Lee")
    assert over["clock"]["state"] == "breached"
    assert "breach_reason" in await case.tasks()


# --- the address turns out to be another ------------------------------------------------------------------


async def test_found_to_be_outside_later_the_clock_runs_on_until_they_have_it(town: Town) -> None:
    case = await town.takes(paid_today(location={"postcode": "BR9 9ZZ"}))
    await case.act("amend", location=LEWISHAM)
    now = await case.now()
    assert (now["place"]["area"], now["clock"]["state"]) == ("outside", "running")
    assert "transfer" in await case.tasks()
    assert await town.texts_with("outside our area", DEE)
    await case.act("transfer")
    await case.act("transfer_acknowledged", by="Sam Lee")
    assert (await case.clock())["state"] == "not_applicable"


@pytest.mark.long
async def test_found_to_be_ours_it_counts_from_the_report(town: Town) -> None:
    case, _ = await outside(town)
    await town.pass_time(minutes=15)
    await case.act("amend", location=OURS)
    now = await case.now()
    assert (now["place"]["area"], now["status"]) == ("inside", "dispatching")
    assert (now["clock"]["state"], now["clock"]["started_at"]) == ("running", NOON.isoformat())
    assert "transfer" not in await case.tasks()
    assert await town.texts(ASHA)
    told = len(await town.texts_with("outside our area"))
    await town.pass_time(minutes=10)
    assert len(await town.texts_with("outside our area")) == told


async def test_what_they_decline_because_it_is_ours_counts_from_the_report(town: Town) -> None:
    """The address is put right while their answer is awaited: as long as they may have it, it is theirs."""
    case, _ = await outside(town)
    await case.act("transfer")
    await town.pass_time(minutes=15)
    await case.act("amend", location=OURS)
    assert (await case.clock())["state"] == "not_applicable"
    now = await case.act("transfer_declined", reason="That street is yours.")
    assert (now["status"], now["clock"]["state"]) == ("dispatching", "running")
    assert now["clock"]["started_at"] == NOON.isoformat()
    assert await case.asked() == ["asha"]
    assert not {"transfer", "check_back"} & set(await case.tasks())


async def test_what_grows_urgent_elsewhere_grows_urgent_to_hand_over(town: Town) -> None:
    case = await town.takes(long_ago(town.clock.now(), location=LEWISHAM))
    await case.act("amend", answers={"threat_or_fear": True})
    now = await case.now()
    assert (now["priority"], now["clock"]["state"]) == ("P0", "not_applicable")
    assert (await case.tasks())["transfer"]["due_at"] == "2026-07-15T11:10:00+00:00"
    assert await town.texts_with("outside our area", DEE)
    assert not await town.texts(ASHA)


async def test_a_complaint_that_turns_out_to_be_more_is_handed_over_too(town: Town) -> None:
    answer = await town.reports(**kettle(location=LEEDS))
    case = Case(town, answer["reference"], None)
    await case.act("set_priority", priority="P2", reason="He is at her door every day.")
    now = await case.now()
    assert (now["clock"]["state"], now["job_number"] is not None) == ("not_applicable", True)
    assert "transfer" in await case.tasks()
    assert await town.texts_with("outside our area", DEE)
    refused = await case.try_to("transfer")
    assert refused.json()["errors"][0]["field"] == "to"
    await case.act("transfer", to="West Yorkshire Trading Standards")


async def test_opened_again_it_is_still_theirs(town: Town) -> None:
    case, _ = await outside(town)
    await case.act("transfer")
    await case.act("transfer_acknowledged", by="Sam Lee")
    await town.pass_time(minutes=1)
    again = await case.act("reopen", reason="They ask us to go after all.")
    assert (again["status"], again["clock"]["state"]) == ("scheduled", "not_applicable")
    assert (await case.act("transfer"))["transfers"][1]["state"] == "sent"


async def test_a_case_that_ends_otherwise_waits_for_no_answer(town: Town) -> None:
    case, _ = await outside(town)
    await case.act("transfer")
    ended = await case.act("cancel", reason="Rang twice in error.", disposition="withdrawn")
    assert [t["state"] for t in ended["transfers"]] == ["withdrawn"]
    again = await case.act("reopen")
    assert "transfer" in again["allowed_actions"]


@on_sqlite
async def test_the_sheet_of_a_hand_over_prints_and_shows_tampering(town: Town) -> None:
    case, _ = await outside(town, caller={"name": "Jo Example", "phone": "+447700900456"})
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        page = f"/incidents/{case.reference}"
        assert "Outside our area: Lewisham." in (await officer.get(page)).html
        done = await officer.fill(page, f"{page}/actions/transfer", means="phone", handed_to="Sam Lee")
        assert done.status == 303
        (row,) = await town.rows(TransferRow)
        sheet = await officer.get(f"{page}/transfers/{row.id}")
        assert "These are the words that were handed over." in sheet.html
        for words in ("3 Elm Road", "Jo Example", "Sam Lee", "Lewisham Trading Standards"):
            assert words in sheet.html
        forged = row.document.replace("3 Elm Road", "4 Elm Road")
        await town.app.database.run(lambda tx: setattr(tx.need(TransferRow, row.id), "document", forged))
        assert "not the words that were signed" in (await officer.get(f"{page}/transfers/{row.id}")).html
        assert (await officer.get(f"{page}/transfers/none")).status == 404
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        assert (await handler.get(f"{page}/transfers/{row.id}")).status == 403
        sent = await handler.fill(
            "/console",
            "/console",
            **{
                "narrative": "Two men at the door.",
                "location.postcode": "SE13 6LG",
                "answers.threat_or_fear": "yes",
            },
        )
        assert "their officers come, not ours" in sent.html
        assert "choose a password" not in sent.html.partition("<main")[2]


# --- hours ------------------------------------------------------------------------------------------------

CLOSED_AT_NIGHT = small_town(
    service={"name": "Small town", "area": AREA, "hotline": "+442079460001"},
    sla={"coverage": {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}},
)


class TestOutOfHours:
    @pytest.fixture
    def service(self) -> str:
        return CLOSED_AT_NIGHT

    async def test_s48_after_closing_the_caller_is_told_when_it_opens_and_who_helps_until_then(
        self, town: Town
    ) -> None:
        town.clock.set(datetime(2026, 7, 17, 16, 10, tzinfo=UTC))  # a Friday, 17:10 in London
        answer = await town.reports(**paid_today(location=OURS))
        said = " ".join(answer["say"])
        assert "Monday 20 July at 09:00: nobody of ours comes before that" in said
        assert "999" in said
        assert "159" in said
        assert answer["clock"]["started_at"] == "2026-07-20T08:00:00+00:00"

    @on_sqlite
    async def test_s48_while_it_is_closed_no_page_says_that_somebody_is_looked_for(self, town: Town) -> None:
        town.clock.set(datetime(2026, 7, 17, 2, 30, tzinfo=UTC))  # a Friday, 3:30 in London
        case = await town.takes(paid_today(location=OURS))
        async with await browser_of(town, "dot", Role.DUTY_OFFICER) as officer:
            for page in ("/board", f"/incidents/{case.reference}"):
                shown = (await officer.get(page)).html
                assert "Waits for opening, 9:00am" in shown
                assert "Finding a responder" not in shown.split("</details>")[-1], page
                assert " min left" not in shown
            assert "<td>Waits for opening</td>" in (await officer.get("/sheet")).html
            town.clock.set(datetime(2026, 7, 17, 8, 0, tzinfo=UTC))
            await town.settle()
            assert "Waits for opening" not in (await officer.get("/board")).html
        assert await case.asked() == ["asha"]

    async def test_s48_just_before_closing_the_clock_runs_on(self, town: Town) -> None:
        town.clock.set(datetime(2026, 7, 17, 15, 50, tzinfo=UTC))
        answer = await town.reports(**paid_today(location=OURS))
        assert answer["say"] == []
        assert answer["clock"]["state"] == "running"
