"""What we already know: repeats raise, links are suggested, nothing is merged, and nothing leaks."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from rapid_response.steps import knowing
from rapid_response.storage.tables import IdentifierRow, IncidentRow, SuggestedLinkRow
from tests.builders import long_ago, paid_today, roofers_now
from tests.harness import ASHA, Town

JOAN = {"name": "Joan Whitfield", "phone": "+447700900300"}
HOME = {"address": "14 Elm Road", "postcode": "BR1 3UH", "ward": "Bromley Town"}
NEXT_STREET = {"address": "3 Oak Close", "postcode": "BR1 3XA", "ward": "Bromley Town"}


async def links(town: Town, reference: str) -> list[tuple[str, str, str]]:
    """Kind, reference and state of the links of a case."""
    shown = (await town.incident(reference))["links"]
    return [(link["kind"], link["reference"], link["state"]) for link in shown]


async def test_s09_one_white_van_in_adjoining_streets_is_a_suggested_series(town: Town) -> None:
    first = await town.takes(
        paid_today(
            narrative="Two men in a white van, reg GK16 XYZ, did her gutters and took 300 pounds.",
            victim=JOAN,
            location=HOME,
            caller={"role": "neighbour", "phone": "+447700900501"},
        )
    )
    before = await first.now()
    second = await town.takes(
        paid_today(
            narrative="White van, golf kilo one six x-ray yankee zulu, they said my roof was loose.",
            victim={"name": "Amit Sharma"},
            location=NEXT_STREET,
            caller={"role": "victim", "phone": "+447700900502"},
        )
    )
    assert second.reference != first.reference
    assert await links(town, second.reference) == [("same_suspect", first.reference, "suggested")]
    shown = (await second.now())["links"][0]
    assert shown["confidence"] >= 0.9
    assert "same vehicle registration" in shown["reasons"]
    assert set(shown) == {"kind", "reference", "state", "confidence", "reasons"}
    # The first case is what it was, but for the pointer that both ends show.
    after = await first.now()
    assert after.pop("links") == [{**shown, "reference": second.reference}]
    before.pop("links")
    assert after == before
    assert await town.count_incidents() == 2
    assert (await town.board("2026-07"))["incidents"]["total"] == 2


async def test_s09_without_a_registration_near_in_place_and_time_is_enough_to_suggest(town: Town) -> None:
    said = "Two men in a white transit van going on about roof tiles."
    first = await town.reports(said, location=HOME)
    second = await town.reports(said, location=NEXT_STREET, victim={"name": "Amit Sharma"})
    assert await links(town, second["reference"]) == [("same_suspect", first["reference"], "suggested")]
    assert "repeat_suspect" not in str(await town.events(second["reference"]))


@pytest.mark.long
async def test_s10_two_neighbours_tell_of_one_house(town: Town) -> None:
    first = await town.takes(
        roofers_now(location=HOME, caller={"role": "neighbour", "phone": "+447700900501"})
    )
    started = (await first.clock())["started_at"]
    await town.pass_time(minutes=3)
    second = await town.takes(
        roofers_now(
            narrative="There are men on the roof at number 14 shouting at the old lady for money.",
            location={"address": "14 elm rd", "postcode": "br13uh"},
            caller={"role": "neighbour", "phone": "+447700900502"},
        )
    )
    assert await links(town, second.reference) == [("same_incident", first.reference, "suggested")]
    assert (await second.now())["links"][0]["reasons"] == ["same house and postcode"]
    # A person joins them; until then each keeps its own clock, and both contacts count.
    assert (await first.clock())["started_at"] == started
    board = await town.board("2026-07")
    assert board["contacts"]["total"] == 2
    assert board["victims"]["repeat"] == 0


async def test_a_repeat_victim_is_p2_by_r13(town: Town) -> None:
    then = town.clock.now() - timedelta(days=40)
    alone = await town.reports(**long_ago(then, victim=JOAN, location=HOME, received_at=then.isoformat()))
    assert alone["rule_id"] != "R13"
    await town.act(alone["reference"], "close", disposition="resolved_remote")

    again = await town.takes(
        long_ago(
            town.clock.now(),
            victim={"name": "Mrs J. Whitfeld", "vulnerabilities": ["none"]},
            location={"address": "14 Elm Rd", "postcode": "br13uh"},
        )
    )
    whole = await again.now()
    assert (whole["priority"], whole["rule_id"]) == ("P2", "R13")
    decided = (await again.happened("priority_decided"))[0]
    assert {"repeat_victim", "repeat_address"} <= set(decided["facts_used"])
    classified = (await again.happened("incident_classified"))[0]
    assert classified["repeat_victim"] is True
    assert classified["repeat_within_28_days"] is True
    assert await links(town, again.reference) == [("same_victim", alone["reference"], "suggested")]
    board = await town.board("2026-07")
    assert (board["victims"]["repeat"], board["victims"]["repeat_28_days"]) == (1, 1)
    assert await town.metric("repeat_victims_total") == 1


async def test_a_repeat_victim_counts_once_when_her_name_is_known(town: Town) -> None:
    first = await town.takes(paid_today(victim=JOAN, location=HOME))
    await first.hears(ASHA, "OK {n}")
    await first.hears(ASHA, "HERE {n}")
    await first.act("close", disposition="resolved_attended")
    again = await town.takes(paid_today(location=NEXT_STREET))
    assert await town.metric("repeat_victims_total") == 0
    await again.act("amend", victim=JOAN)
    await again.act("amend", victim={"age": 84}, answers={"suspect_on_premises": True})
    await again.act("set_priority", priority="P0", reason="He is back.")
    assert (await town.board("2026-07"))["victims"]["repeat"] == 1
    assert await town.metric("repeat_victims_total") == 1


async def test_a_second_contact_within_a_day_raises_one_step(town: Town) -> None:
    caller = {"role": "daughter", "phone": "+447700900505"}
    first = await town.reports(**long_ago(town.clock.now(), caller=caller))
    await town.pass_time(minutes=20)
    second = await town.takes(
        long_ago(town.clock.now(), caller={"role": "daughter", "phone": "07700 900 505"})
    )
    decided = (await second.happened("priority_decided"))[0]
    assert decided["escalators"] == ["E04"]
    ranks = {"P3": "P2", "P2": "P1"}
    assert (await second.now())["priority"] == ranks[first["priority"]]
    assert await links(town, second.reference) == [("same_incident", first["reference"], "suggested")]


async def test_s49_he_is_back_after_the_case_was_closed(town: Town) -> None:
    first = await town.takes(paid_today(victim=JOAN, location=HOME))
    await first.hears(ASHA, "OK {n}")
    await first.hears(ASHA, "HERE {n}")
    await first.act("close", disposition="resolved_attended")
    await town.pass_time(minutes=90)
    back = await town.takes(roofers_now(victim={"phone": "07700 900300"}, caller={"role": "victim"}))
    assert await links(town, back.reference) == [("same_victim", first.reference, "suggested")]
    assert (await back.happened("incident_classified"))[0]["repeat_victim"] is True
    assert await first.status() == "closed"


async def test_a_voicemails_words_are_known_too(town: Town) -> None:
    first = await town.takes(paid_today(location=HOME, suspect={"vehicle_registration": "GK16 XYZ"}))
    await town.pass_time(minutes=1)
    await town.rings_hotline(
        "+447700900560",
        "A man took 200 pounds off me for the drive, his van was golf kilo one six x-ray yankee zulu.",
    )
    message = await town.newest()
    assert message.reference != first.reference
    assert await links(town, message.reference) == [("same_suspect", first.reference, "suggested")]


async def test_what_a_person_rejects_is_not_shown_and_not_suggested_again(town: Town) -> None:
    suspect = {"suspect": {"vehicle_registration": "GK16 XYZ"}}
    one = await town.takes(paid_today(location=HOME, **suspect))
    other = await town.takes(paid_today(location=NEXT_STREET, **suspect))
    third = await town.takes(paid_today(location={"address": "9 Ash Way", "postcode": "BR2 1AA"}, **suspect))
    assert len(await links(town, third.reference)) == 2
    ids = {row.reference: row.id for row in await town.rows(IncidentRow)}

    assert await town.app.database.run(
        lambda tx: knowing.decide(tx, ids[one.reference], ids[third.reference], accepted=False)
    )
    assert await town.app.database.run(
        lambda tx: knowing.decide(tx, ids[third.reference], ids[other.reference], accepted=True),
        actor="user:dee",
    )
    assert await links(town, third.reference) == [("same_suspect", other.reference, "accepted")]
    assert not await town.app.database.run(
        lambda tx: knowing.decide(tx, ids[one.reference], ids[third.reference], accepted=True)
    )
    decided = {row.state: row.decided_by for row in await town.rows(SuggestedLinkRow)}
    assert decided["accepted"] == "user:dee"


async def test_forgetting_leaves_nothing_to_recognise_anybody_by(town: Town) -> None:
    suspect = {"suspect": {"vehicle_registration": "GK16 XYZ"}}
    old = await town.takes(paid_today(victim=JOAN, location=HOME, **suspect))
    new = await town.takes(paid_today(location=NEXT_STREET, **suspect))
    ids = {row.reference: row.id for row in await town.rows(IncidentRow)}
    await town.app.database.run(lambda tx: knowing.forget(tx, ids[old.reference]))
    assert {row.incident_id for row in await town.rows(IdentifierRow)} == {ids[new.reference]}
    assert await links(town, new.reference) == []


CANARIES = (
    "zebedee",
    "quuxbridge",
    "900319",
    "gk16xyz",
    "gk16 xyz",
    "br1 3uh",
    "br13uh",
    "snarkroofs",
    "foxglade",
)


@pytest.mark.long
async def test_identifiers_stand_in_no_event_text_or_metric_and_in_no_answer(town: Town) -> None:
    report: dict[str, Any] = paid_today(
        victim={"name": "Zebedee Quuxbridge", "phone": "+447700900319"},
        location={"address": "14 Foxglade Road", "postcode": "BR1 3UH", "ward": "Bromley Town"},
        suspect={
            "vehicle_registration": "GK16 XYZ",
            "website": "snarkroofs.co.uk",
            "company": "Snarkroofs Ltd",
        },
    )
    fresh = await town.post("/api/v1/reports", report)
    await town.pass_time(minutes=16)
    again = await town.post("/api/v1/reports", report)
    await town.settle()
    assert again.json().keys() == fresh.json().keys()
    assert fresh.json()["reference"] not in again.text
    await town.pass_time(minutes=16)

    assert (await town.incident(again.json()["reference"]))["links"]
    seen = [
        again.text,
        (await town.http.get("/metrics")).text,
        (await town.http.get("/simulator/messages")).text,
        (await town.http.get("/api/v1/incidents")).text,
        json.dumps(await town.events(fresh.json()["reference"])),
        json.dumps(await town.events(again.json()["reference"])),
        json.dumps((await town.incident(again.json()["reference"]))["links"]),
    ]
    said = " ".join(seen).lower()
    assert [canary for canary in CANARIES if canary in said] == []
    assert await town.texts(ASHA)


async def test_one_read_and_two_writes_however_much_is_known(town: Town) -> None:
    """The intake's commit is the promise's first step: what we know must stay cheap (design.md 1)."""
    same = {"victim": JOAN, "location": HOME, "suspect": {"vehicle_registration": "GK16 XYZ"}}
    for _ in range(12):
        await town.post("/api/v1/reports", paid_today(**same))
    statements: list[str] = []
    heard = event.listens_for(town.app.database.engine(), "before_cursor_execute")
    heard(lambda _connection, _cursor, sql, *_: statements.append(sql))
    last = await town.post("/api/v1/reports", paid_today(**same))
    ours = [
        sql.split(maxsplit=1)[0] for sql in statements if "identifiers" in sql or "suggested_links" in sql
    ]
    assert sorted(ours) == ["INSERT", "INSERT", "SELECT"]
    assert len((await town.incident(last.json()["reference"]))["links"]) == 10
