"""Paper entered after an outage, job numbers, second episodes, and what the board is told at the end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rapid_response.storage.tables import JobNumberRow
from rapid_response.storage.tx import Tx
from tests.builders import kettle, long_ago, paid_today, roofers_now
from tests.harness import ASHA, BEN, DEE, Case, Town


def on_paper(town: Town, minutes_ago: float) -> dict[str, object]:
    """A form that was filled in during an outage."""
    return {
        "back_entry": True,
        "received_at": (town.clock.now() - timedelta(minutes=minutes_ago)).isoformat(),
    }


async def test_paper_sends_nothing_until_a_person_releases_it(town: Town) -> None:
    case = await town.takes(roofers_now(**on_paper(town, 30)))
    assert await case.status() == "awaiting_review"
    await town.pass_time(minutes=65)
    assert await town.texts_with("") == []
    assert await case.asked() == []
    assert [w["share"] for w in await case.happened("deadline_warned")] == [0.5, 0.75]
    assert (await case.tasks())["release_held"]["owner"] == "duty_officer"

    await case.act("release")
    assert await case.asked() == ["asha"]
    assert "joint, do not enter alone" in await town.last_text(ASHA)
    assert "Arrange police or 2nd officer" in await town.last_text(DEE)
    assert await case.happened("back_entry_released") != []
    assert (await case.clock())["started_at"] == (town.clock.now() - timedelta(minutes=95)).isoformat()
    await town.pass_time(minutes=5)
    assert await case.asked() == ["asha", "ben"]


async def test_paper_that_was_long_over_is_a_breach_nobody_is_woken_for(town: Town) -> None:
    case = await town.takes(paid_today(**on_paper(town, 300)))
    assert (await case.clock())["state"] == "breached"
    assert await town.texts_with("") == []
    assert (await town.board("2026-07"))["two_hours"]["breached"] == 1
    assert "breach_reason" in await case.tasks()


async def test_paper_without_a_clock_is_cared_for_like_any_other(town: Town) -> None:
    case = await town.takes(long_ago(town.clock.now(), **on_paper(town, 60)))
    assert await case.status() == "scheduled"
    assert await town.texts_with("") == []
    await case.act("set_priority", priority="P2", reason="He rang again.")
    await town.pass_time(minutes=16)
    assert (await case.asked())[:2] == ["asha", "ben"]
    assert await town.texts_with("nobody accepted in time", DEE)
    shop = await town.takes(kettle(**on_paper(town, 60)))
    assert "release" not in (await shop.now())["allowed_actions"]


# --- job numbers ------------------------------------------------------------------------------------------


async def busy_but(town: Town, free: set[int]) -> None:
    """Every other four-digit number is some live job's."""
    now = town.clock.now()

    def fill(tx: Tx) -> None:
        for number in range(2400, 10_000):
            if number not in free:
                tx.add(JobNumberRow, number=number, incident_id="another", issued_at=now, free_from=None)

    await town.app.database.run(fill)


async def test_numbers_are_four_digits_that_cannot_be_a_time_or_a_year(town: Town) -> None:
    cases = [await town.takes(paid_today()) for _ in range(5)]
    numbers = [case.number or 0 for case in cases]
    assert all(2400 <= number <= 9999 for number in numbers)
    assert len(set(numbers)) == 5
    assert (await town.takes(long_ago(town.clock.now()))).number is None


@pytest.mark.long
async def test_with_fewer_than_fifty_free_a_number_has_five_digits(town: Town) -> None:
    await busy_but(town, free=set(range(5000, 5050)))
    last_of_four = await town.takes(paid_today())
    assert last_of_four.number in range(5000, 5050)
    five = await town.takes(paid_today())
    assert five.number in range(10_000, 100_000)
    await five.hears(BEN, "ok {n}")
    assert (await five.now())["responder"] == "ben"
    assert await last_of_four.status() == "dispatching"


@pytest.mark.long
async def test_a_number_rests_for_72_hours_after_its_job(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "HERE {n}")
    await case.hears(ASHA, "DONE {n} HELPED")
    assert case.number is not None
    others = [n for n in range(5000, 5060) if n != case.number][:49]
    await busy_but(town, free={case.number, *others})
    assert "closed as HELPED" in await case.hears(ASHA, "DONE {n} HELPED")
    assert "not yours any more" in await case.hears(ASHA, "OK {n}")

    await town.pass_time(minutes=72 * 60 - 1)
    resting = await town.takes(paid_today())
    assert (resting.number or 0) >= 10_000
    await resting.act("cancel", reason="only to see its number")
    await town.pass_time(minutes=1)
    assert (await town.takes(paid_today())).number in {case.number, *others}


# --- again, and the end -----------------------------------------------------------------------------------


async def helped(town: Town) -> Case:
    """A case that asha attended and closed."""
    case = await town.takes(paid_today())
    await case.hears(ASHA, "HERE {n}")
    await case.act("close", disposition="resolved_attended")
    return case


async def test_reopening_is_a_new_episode_with_a_new_clock_and_number(town: Town) -> None:
    case = await helped(town)
    await town.pass_time(minutes=200)
    again = await case.act("reopen", reason="He has come back.")

    assert (again["episode"], again["status"], again["disposition"]) == (2, "dispatching", None)
    assert again["clock"]["state"] == "running"
    assert again["clock"]["started_at"] == town.clock.now().isoformat()
    assert again["clock"]["due_at"] == (town.clock.now() + timedelta(hours=2)).isoformat()
    assert again["job_number"] not in (None, case.number)
    assert [c["disposition"] for c in await case.happened("incident_closed")] == ["resolved_attended"]
    asked = (await case.asked())[-1]
    phone = {"asha": ASHA, "ben": BEN}[asked]
    assert f"OK {again['job_number']}" in await town.last_text(phone)
    await case.hears(ASHA, "OK {n}")  # the old number takes nothing
    assert await case.status() == "dispatching"

    await town.texts_reply(phone, f"HERE {again['job_number']}")
    await case.act("close", disposition="resolved_attended")
    assert [s["met"] for s in await case.happened("clock_stopped")] == [True, True]


async def test_what_is_closed_is_only_reopened(town: Town) -> None:
    case = await helped(town)
    for action, body in (
        ("accept", {"responder": "ben"}),
        ("assign", {"responder": "ben"}),
        ("close", {"disposition": "no_trace"}),
        ("set_priority", {"priority": "P0"}),
        ("remote_response", {"protective_act": "other"}),
    ):
        refused = await case.try_to(action, **body)
        assert refused.status_code == 409, action
        assert "reopen" in refused.json()["allowed_actions"]
    assert (await case.now())["disposition"] == "resolved_attended"
    await case.act("note", body="She rang to say thank you.")


async def test_s53_money_is_counted_once_and_by_how_sure_it_is(town: Town) -> None:
    case = await town.takes(paid_today(answers={"amount_gbp": 500}))
    await case.hears(ASHA, "HERE {n}")
    closed = await case.act(
        "close",
        disposition="resolved_attended",
        outcomes=[
            {"code": "contract_cancelled"},
            {"code": "money_prevented", "amount_gbp": 3000, "evidence_grade": "B"},
            {"code": "money_recovered", "amount_gbp": "500.00", "evidence_grade": "A"},
        ],
    )
    assert [o["amount_gbp"] for o in closed["outcomes"]] == [None, 3000, 500]
    assert closed["facts"]["amount_pence"] == 50_000  # what she had lost stays what it was
    board = await town.board("2026-07")
    assert board["money_gbp"]["prevented"] == {"A": 0, "B": 3000, "C": 0}
    assert board["money_gbp"]["recovered"] == {"A": 500, "B": 0, "C": 0}
    assert board["outcomes"]["contract_cancelled"] == board["outcomes"]["money_prevented"] == 1
    assert await town.metric("money_pounds_total", kind="prevented", grade="B") == 3000
    assert await town.metric("money_pounds_total", kind="recovered", grade="A") == 500
