"""What machines meet at the API's edges: blanks, nulls, pages, refusals, and its own description."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from rapid_response.core.incident import Action
from rapid_response.steps.commands import COMMANDS
from rapid_response.storage.tables import ReportRow
from tests.builders import paid_today
from tests.conftest import NOON
from tests.harness import ASHA, Town
from tests.journeys.test_bad_input import REPORTS, is_a_problem

INCIDENTS = "/api/v1/incidents"


async def test_blank_filters_narrow_nothing_and_unknown_ones_are_refused(town: Town) -> None:
    case = await town.takes(paid_today())
    blank = await town.http.get(f"{INCIDENTS}?status=&category=&ward=&overdue=&cursor=")
    assert [one["reference"] for one in blank.json()["items"]] == [case.reference]
    refused = is_a_problem(await town.http.get(INCIDENTS, params={"priority": "P0"}), 422)
    assert "not known" in refused["errors"][0]["message"]


async def test_a_part_or_a_value_that_is_null_is_not_known(town: Town) -> None:
    nulls: dict[str, Any] = dict.fromkeys(
        ("received_at", "caller", "victim", "safe_contact", "location", "suspect", "answers", "back_entry")
    )
    assert (await town.post(REPORTS, {**paid_today(), **nulls})).status_code == 201
    within = {"victim": {"vulnerabilities": None}, "safe_contact": {"sms": None}}
    assert (await town.post(REPORTS, {**paid_today(), **within})).status_code == 201
    number = is_a_problem(await town.post(REPORTS, {**paid_today(), "received_at": 1780000000}), 422)
    assert number["errors"][0]["field"] == "received_at"
    assert len(await town.rows(ReportRow)) == 2


async def test_a_timeline_comes_a_page_at_a_time(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    url = f"{INCIDENTS}/{case.reference}/events"
    whole = (await town.http.get(url)).json()
    assert whole["next_cursor"] is None
    seen: list[Any] = []
    cursor: Any = "0"
    while cursor is not None:
        page = (await town.http.get(url, params={"limit": 2, "cursor": cursor})).json()
        assert 0 < len(page["items"]) <= 2
        seen += page["items"]
        cursor = page["next_cursor"]
    assert seen == whole["items"]


async def test_the_board_knows_nothing_of_what_is_to_come(town: Town) -> None:
    await town.takes(paid_today())
    board = "/api/v1/reports/board"
    now = town.clock.now()
    ahead = {"month": "2026-07", "as_at": (now + timedelta(days=900)).isoformat()}
    refused = is_a_problem(await town.http.get(board, params=ahead), 422)
    assert refused["errors"][0]["field"] == "as_at"
    # The clocks of two machines are a little apart; and a plus in an address reads as a space.
    soon = (now + timedelta(seconds=30)).isoformat()
    figures = (await town.http.get(f"{board}?month=2026-07&as_at={soon}")).json()
    assert (figures["two_hours"]["breached"], figures["two_hours"]["open"]) == (0, 1)


async def test_an_answer_to_what_was_not_asked_says_what_else_may_be_done(town: Town) -> None:
    case = await town.takes(paid_today())
    for action in ("accept", "decline"):
        refused = is_a_problem(await case.try_to(action, responder="dee"), 409)
        assert "not offered" in refused["detail"]
        assert "assign" in refused["allowed_actions"]
        is_a_problem(await case.try_to(action, responder="zed"), 422)
    await case.act("decline", responder="asha")
    refused = is_a_problem(await case.try_to("accept", responder="asha"), 409)
    assert "has answered" in refused["detail"]


async def test_a_body_that_is_no_object_is_told_how_to_be_sent(town: Town) -> None:
    plain = await town.http.post(REPORTS, content="{}", headers={"content-type": "text/plain"})
    (fault,) = is_a_problem(plain, 422)["errors"]
    assert "Content-Type: application/json" in fault["message"]
    assert "Python" not in plain.text
    lists = await town.post(REPORTS, {**paid_today(), "victim": {"vulnerabilities": "deaf"}})
    assert is_a_problem(lists, 422)["errors"][0]["message"] == "send a list here"


async def test_monitors_may_ask_for_the_head_alone(town: Town) -> None:
    assert (await town.http.head("/health/live")).status_code == 200
    assert (await town.http.head("/health/ready")).content == b""


async def test_the_description_is_true_of_keys_errors_and_actions(town: Town) -> None:
    told: dict[str, Any] = (await town.http.get("/openapi.json")).json()
    problem = {"$ref": "#/components/schemas/Problem"}
    for path, calls in told["paths"].items():
        for call in calls.values() if path.startswith("/api/") else ():
            assert call["security"] == [{"key": []}]
            for status, answer in call["responses"].items():
                if status >= "400":
                    assert answer["content"] == {"application/problem+json": {"schema": problem}}
    described = {path.rpartition("/")[2] for path in told["paths"] if "/actions/" in path}
    assert described == {action.value for action in Action} == {action.value for action in COMMANDS}
    assert resolves(told, told) > 100


def resolves(part: Any, whole: dict[str, Any]) -> int:
    """How many references there are; each leads somewhere."""
    if isinstance(part, list):
        return sum(resolves(one, whole) for one in part)
    if not isinstance(part, dict):
        return 0
    found = 0
    if isinstance(ref := part.get("$ref"), str):
        at: Any = whole
        for step in ref.removeprefix("#/").split("/"):
            at = at[step]
        found = 1
    return found + sum(resolves(one, whole) for one in part.values())


async def test_whoever_asks_for_figures_without_the_token_is_told_of_it(database_url: str) -> None:
    async with Town(database_url, NOON, metrics_token=SecretStr("to-read-figures")) as town:
        refused = is_a_problem(await town.http.get("/metrics"), 401)
        assert "METRICS_TOKEN" in refused["detail"]
        bearer = {"authorization": "Bearer to-read-figures"}
        assert (await town.http.get("/metrics", headers=bearer)).status_code == 200
