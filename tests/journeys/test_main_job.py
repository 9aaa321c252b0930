"""The main job: a report goes in, somebody is texted, answers, arrives, closes; the board counts it."""

from __future__ import annotations

from tests.harness import ASHA, BEN, DEE, Town

DOORSTEP = "Two men are on my mother's roof now, they want 3000 pounds cash."
NOW = {"suspect_on_premises": True, "demands_money_now": True}


async def test_a_report_becomes_a_kept_promise(town: Town) -> None:
    report = await town.reports(
        DOORSTEP, answers=NOW, location={"ward": "Bromley Town", "postcode": "BR1 3UH"}
    )
    assert (report["status"], report["priority"], report["rule_id"]) == ("dispatching", "P0", "R05")
    assert report["advice"][0] == "call_999"

    offer = (await town.texts(ASHA))[-1]
    number = (await town.incident(report["reference"]))["job_number"]
    assert f"OK {number}" in offer

    await town.texts_reply(ASHA, f"OK {number}")
    assert (await town.incident(report["reference"]))["status"] == "assigned"
    assert (await town.incident(report["reference"]))["responder"] == "asha"

    await town.pass_time(minutes=20)
    await town.texts_reply(ASHA, f"GO {number}")
    await town.pass_time(minutes=20)
    await town.texts_reply(ASHA, f"HERE {number}")
    there = await town.incident(report["reference"])
    assert (there["status"], there["clock"]["state"], there["clock"]["stopped_by"]) == (
        "on_scene",
        "met",
        "attended",
    )

    closed = await town.act(
        report["reference"],
        "close",
        disposition="resolved_attended",
        outcomes=[{"code": "money_prevented", "amount_gbp": 3000, "evidence_grade": "B"}],
    )
    assert closed["status"] == "closed"

    board = await town.board("2026-07")
    assert board["two_hours"]["met"] == 1
    assert board["outcomes"]["money_prevented"] == 1
    assert board["money_gbp"]["prevented"]["B"] == 3000
    assert await town.texts(BEN) == []
    assert any("joint" in text for text in await town.texts(DEE))
