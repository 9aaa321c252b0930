"""What runs again and again never goes through a table that grows, whatever the number of cases there were.

Asked of SQLite, which has no statistics and goes by what a query says: it takes an index that holds few rows
only for a query that says the same condition, and prefers any column that is compared for equality, be it
the same in every row (`python -m bench --only growth` shows what that costs).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, make_url

from rapid_response.core.vocabulary import Role
from rapid_response.steps import blanking
from rapid_response.storage.waiting import glance
from tests.builders import paid_today, roofers_now
from tests.conftest import NOON
from tests.databases import TestDatabases
from tests.harness import ASHA, Town
from tests.journeys.browser import browser_of

#: Tables that get rows with each case, and keep them.
_GROWS = frozenset(
    {
        "access_log",
        "agenda",
        "attempts",
        "calls",
        "chains",
        "corrections",
        "events",
        "identifiers",
        "inbound_messages",
        "incidents",
        "mails",
        "messages",
        "notices",
        "offers",
        "outcomes",
        "provider_events",
        "reports",
        "sealed_heads",
        "suggested_links",
        "suggestions",
        "tasks",
        "visits",
    }
)
#: Columns of which few rows have the same value.
_FEW = re.compile(
    r"(?:^|_)(?:incident_id|report_id|message_id|attempt_id|offer_id|notice_id|sid)$|^stream$|^token$"
)
#: Asked for a time as well, or for the newest few; and for what is open alone.
_RECENT = frozenset(
    {
        "ix_attempts_claimed_at",
        "ix_events_type",
        "ix_inbound_messages_from_number",
        "ix_messages_to_number",
        "ix_reports_received_at",
    }
)
_OPEN = frozenset({"ix_tasks_open", "ix_offers_responder_live"})
_STEP = re.compile(
    r"(?:SCAN|SEARCH) (?P<table>\w+)(?: USING (?:COVERING )?(?:INTEGER PRIMARY KEY|INDEX (?P<index>\w+)))?"
    r"(?: \((?P<by>.*)\))?"
)


_MONTH = timedelta(days=30)
#: What somebody has open all day.
_PAGES = ("/console", "/board", "/texts", "/exceptions", "/status", "/reviews", "/rota", "/j")


async def _asked(url: str) -> dict[str, Any]:
    """Every statement of a town that takes reports, texts, hears answers and is idle, with values of it."""
    asked: dict[str, Any] = {}

    def heard(_c: object, _cursor: object, sql: str, values: Any, _context: object, many: bool) -> None:
        asked.setdefault(sql, values[0] if many else values)

    async with Town(url, NOON) as town:
        database, worker = town.app.database, town.app.worker
        for engine in (database.engine(), database.engine(reading=True)):
            event.listen(engine, "before_cursor_execute", heard)
        case = await town.takes(paid_today())
        await town.takes(roofers_now())
        await case.hears(ASHA, "OK {n}")
        await town.pass_time(minutes=3)
        for words in ("GO {n}", "HERE {n}", "DONE {n} HELPED", "OFF", "BACK"):
            await case.hears(ASHA, words)
        for name, role in (("dot", Role.DUTY_OFFICER), ("asha", Role.RESPONDER)):
            browser = await browser_of(town, name, role)
            for path in (*_PAGES, f"/incidents/{case.reference}", f"/j/{case.number}"):
                assert (await browser.get(path)).status in (200, 303, 403, 404), path
        await database.run(lambda tx: blanking.due(tx, town.app.desk, _MONTH, _MONTH))
        await database.run(glance)
        await worker.sweep()
        await worker.seal()
        await worker.settle()
        for path in ("/metrics", "/health/ready"):
            assert (await town.http.get(path)).status_code in (200, 503)  # no loop runs by itself here
        assert (await town.board(f"{NOON:%Y-%m}"))["contacts"]["total"] == 2
    return asked


def _indexes(connection: sqlite3.Connection) -> dict[str, tuple[list[str], bool, bool]]:
    """Columns of each index, whether it is unique, and whether it holds only some rows."""
    found = {}
    for name, table in connection.execute(
        "SELECT name, tbl_name FROM sqlite_master WHERE type = 'index'"
    ).fetchall():
        columns = [row[2] for row in connection.execute(f"PRAGMA index_info({name})")]
        (unique, partial) = next(
            (row[2], row[4]) for row in connection.execute(f"PRAGMA index_list({table})") if row[1] == name
        )
        found[name] = (columns, bool(unique), bool(partial))
    return found


def _goes_through(sql: str, plan: str, indexes: dict[str, tuple[list[str], bool, bool]]) -> bool:
    """Whether a step of a plan may look at a share of all rows of a table that grows."""
    step = _STEP.match(plan)
    if step is None or re.sub(r"_\d+$", "", step["table"]) not in _GROWS:
        return False
    by = re.findall(r"(\w+)=\?", step["by"] or "")
    if "INTEGER PRIMARY KEY" in plan:
        return not step["by"]
    if step["index"] is None:
        return True
    columns, is_unique, is_partial = indexes[step["index"]]
    is_found = (is_unique and by == columns) or any(_FEW.search(column) for column in by)
    is_recent = step["index"] in _RECENT and (">?" in (step["by"] or "") or " LIMIT " in sql)
    return not (is_found or is_partial or is_recent or step["index"] in _OPEN)


def _plans(connection: sqlite3.Connection, sql: str, values: Any) -> Iterator[str]:
    for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values):
        yield row[3]


@pytest.mark.slow
async def test_what_runs_again_and_again_goes_through_no_table_that_grows(databases: TestDatabases) -> None:
    url = databases.fresh("sqlite")
    asked = await _asked(url)
    connection = sqlite3.connect(make_url(url).database or "")
    indexes = _indexes(connection)
    statements = {sql: values for sql, values in asked.items() if re.match("SELECT|UPDATE|DELETE", sql)}
    assert len(statements) > 100
    found = {
        f"{plan}: {sql}"
        for sql, values in statements.items()
        for plan in _plans(connection, sql, values)
        if _goes_through(sql, plan, indexes)
    }
    connection.close()
    databases.drop(url)
    assert not found, "\n\n".join(sorted(found))
