"""What the board is told: an outcome put right later, and wards too small to be shown.

Scenarios 54 and 55.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rapid_response.core.vocabulary import Role
from rapid_response.reporting import logged
from tests.builders import long_ago, paid_today
from tests.harness import ASHA, Case, Town
from tests.journeys.browser import browser_of, on_sqlite

#: The last day of July: what is put right the day after is put right in another month.
MONTHS_END = datetime(2026, 7, 31, 11, 0, tzinfo=UTC)
OUTCOMES = [{"code": "money_prevented", "amount_gbp": 3000, "evidence_grade": "C"}, {"code": "trader_left"}]


async def helped(town: Town) -> Case:
    """A case that ended with 3,000 pounds kept, as the victim thought."""
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await case.hears(ASHA, "HERE {n}")
    await case.act("close", disposition="resolved_attended", outcomes=OUTCOMES)
    return case


def figures(board: dict[str, Any]) -> dict[str, Any]:
    """Without what says when it was made."""
    return {name: part for name, part in board.items() if name != "period"}


async def test_a_month_read_in_many_parts_is_the_same_month(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        await helped(town)
    now = town.clock.now().isoformat()
    whole = await town.board("2026-07", as_at=now)
    monkeypatch.setattr(logged, "_INCIDENTS_AT_ONCE", 2)
    assert await town.board("2026-07", as_at=now) == whole
    assert whole["contacts"]["total"] == 5
    assert whole["money_gbp"]["prevented"]["C"] == 15_000


@on_sqlite
@pytest.mark.parametrize("start", [datetime(2026, 7, 31, 22, 50, tzinfo=UTC)], ids=["31 July, 23:50 BST"])
async def test_what_was_joined_and_taken_apart_since_was_one_incident_then(town: Town) -> None:
    """By its reports of today the other one is of August: then it was of July, by the report it had."""
    july = await town.takes(paid_today())
    await town.pass_time(minutes=20)
    august = await town.takes(paid_today())
    await july.act("link", kind="duplicate_of", reference=august.reference)
    then = town.clock.now().isoformat()
    before = await town.board("2026-07", as_at=then)
    assert before["incidents"]["total"] == before["reconciliation"]["became_incidents"] == 1
    await town.pass_time(minutes=10)
    await july.act("reopen", reason="Another house.")
    assert await town.board("2026-07", as_at=then) == before
    for month in ("2026-07", "2026-08"):
        assert (await town.board(month))["incidents"]["total"] == 1


@on_sqlite
@pytest.mark.parametrize("start", [datetime(2026, 7, 31, 22, 40, tzinfo=UTC)], ids=["31 July, 23:40 BST"])
async def test_the_call_that_dropped_goes_with_the_reports_of_its_case(town: Town) -> None:
    """Whichever case it is of, that one was received when the call was: in July."""
    caller = "+447700900777"
    await town.rings_hotline(caller, "", hang_up_after="answer")
    await town.pass_time(minutes=30)
    august = {"contacts": 1, "incidents": 0}

    async def counted(month: str, **more: str) -> dict[str, int]:
        board = await town.board(month, **more)
        return {name: board[name]["total"] for name in ("contacts", "incidents")}

    rang_again = await town.takes(paid_today(caller={"phone": caller}))
    assert [await counted("2026-07"), await counted("2026-08")] == [{"contacts": 1, "incidents": 1}, august]
    other = await town.takes(paid_today())
    then = town.clock.now().isoformat()
    before = await town.board("2026-07", as_at=then)
    await town.pass_time(minutes=1)
    await rang_again.act("link", kind="duplicate_of", reference=other.reference)
    assert await counted("2026-07") == {"contacts": 1, "incidents": 1}
    assert await counted("2026-08") == {"contacts": 2, "incidents": 0}
    assert await town.board("2026-07", as_at=then) == before
    await town.pass_time(minutes=1)
    await rang_again.act("reopen", reason="Another house.")
    assert await counted("2026-07") == {"contacts": 1, "incidents": 1}
    assert await counted("2026-08") == {"contacts": 2, "incidents": 1}


# --- scenario 54 ------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("start", [MONTHS_END], ids=["31 July"])
async def test_s54_an_outcome_recoded_later_leaves_the_old_report_as_it_was(town: Town) -> None:
    case = await helped(town)
    await town.pass_time(minutes=13 * 60)
    closed_books = town.clock.now()
    before = await town.board("2026-07", as_at=closed_books.isoformat())
    assert before["money_gbp"]["prevented"]["C"] == 3000
    assert not [note for note in before["notes"] if "corrected" in note]

    await town.pass_time(minutes=24 * 60)
    wrong = next(o for o in (await case.now())["outcomes"] if o["code"] == "money_prevented")
    silent = await case.try_to("add_outcomes", outcomes=[{"code": "no_change"}], corrects=wrong["id"])
    assert silent.json()["errors"][0]["field"] == "reason"
    whole = await case.act(
        "add_outcomes",
        outcomes=[{"code": "money_recovered", "amount_gbp": 500, "evidence_grade": "A"}],
        corrects=wrong["id"],
        reason="The bank’s letter: 500 came back, the rest was never asked for.",
    )
    assert [o["code"] for o in whole["outcomes"]] == ["trader_left", "money_recovered"]
    assert whole["outcomes"][-1]["corrects"]["amount_gbp"] == 3000
    # Put right once: what does not hold any more is not put right again.
    again = await case.try_to("add_outcomes", outcomes=OUTCOMES, corrects=wrong["id"], reason="Again.")
    assert again.status_code == 422

    as_it_was = await town.board("2026-07", as_at=closed_books.isoformat())
    assert figures(as_it_was) == figures(before)
    now = await town.board("2026-07")
    assert now["money_gbp"]["prevented"] == {"A": 0, "B": 0, "C": 0}
    assert now["money_gbp"]["recovered"]["A"] == 500
    assert (now["outcomes"]["money_prevented"], now["outcomes"]["money_recovered"]) == (0, 1)
    assert any("corrected after the period ended" in note and "outcome 1" in note for note in now["notes"])
    # Counters never fall: what was taken back has a series of its own.
    assert await town.metric("money_pounds_total", kind="prevented", grade="C") == 3000
    assert await town.metric("money_pounds_corrections_total", kind="prevented", grade="C") == 3000
    assert "bank" not in str(await town.events(case.reference))


@pytest.mark.long
async def test_s54_on_the_page_it_is_put_right_and_shows_what_it_was(town: Town) -> None:
    case = await helped(town)
    path = f"/incidents/{case.reference}"
    wrong = (await case.now())["outcomes"][0]
    async with await browser_of(town, "dee", Role.DUTY_OFFICER) as officer:
        await officer.fill(path, f"{path}/reason", reason="complaint")
        done = await officer.fill(
            path,
            f"{path}/actions/add_outcomes",
            **{
                "outcomes.0.code": "money_prevented",
                "outcomes.0.amount_gbp": "300",
                "outcomes.0.evidence_grade": "B",
                "corrects": wrong["id"],
                "reason": "A nought too many.",
            },
        )
        assert done.status == 303
        shown = (await officer.get(path)).html
        assert "(put right; was " in shown
        assert ", £3,000)" in shown
        assert "Put right." in shown
    assert [o["amount_gbp"] for o in (await case.now())["outcomes"]] == [None, 300]


# --- scenario 55 ------------------------------------------------------------------------------------------


async def test_s55_a_ward_with_three_incidents_cannot_be_worked_out(town: Town) -> None:
    wards = {"Bromley Town": 3, "Hayes & Coney Hall": 5, None: 6}
    for ward, many in wards.items():
        for number in range(many):
            at = {"ward": ward} if ward else {}
            happened = town.clock.now() - timedelta(days=number)
            await town.reports(**long_ago(happened, location=at))
    board = await town.board("2026-07")
    assert board["incidents"]["total"] == 14
    rows = {row["ward"]: row["incidents"] for row in board["wards"]}
    assert rows == {"Bromley Town": "<5", "Hayes & Coney Hall": ">=5", "unknown": 6}
    # Whoever subtracts what is shown learns only that the two hold eight between them.
    shown = sum(n for n in rows.values() if isinstance(n, int))
    assert board["incidents"]["total"] - shown == 8
    assert any("to protect people" in note for note in board["notes"])
