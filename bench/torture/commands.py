"""`python -m bench.torture.commands`: kill `backup`, `restore`, `migrate` and `retention --erase`, and judge.

Each is killed (`kill -9`) at its named moments by turns, and every third time at some moment of its run. What
it leaves is judged at once, as a person would find it; then the command is run again, in peace, and judged.
A seed repeats the moments; when a kill "at some moment" strikes is up to the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection, inspect, select, update
from sqlmodel import SQLModel, col

from bench.__main__ import machine_line
from bench.torture.hand import Hand
from bench.torture.nodes import Nursery
from bench.torture.towns import TOWN
from rapid_response.core.clock import SystemClock
from rapid_response.core.events import PersonalDataErased
from rapid_response.core.ids import SystemIds
from rapid_response.reporting.cases import board_figures
from rapid_response.reporting.period import parse
from rapid_response.steps.retention import standing
from rapid_response.storage import copies, holds, log, schema
from rapid_response.storage.database import Database
from rapid_response.storage.tables import EventRow, IncidentRow
from rapid_response.storage.tx import Tx
from tests.databases import TestDatabases, quick_folder
from tests.harness import Town
from tests.nodes.running import Council, free_port, settings_of

_LONG_AGO = timedelta(days=8 * 366)


@contextmanager
def _looked_at(url: str) -> Iterator[Database]:
    database = Database(url, clock=SystemClock(), ids=SystemIds())
    try:
        yield database
    finally:
        database.close_now()


def _path(url: str) -> Path:
    return Path(url.removeprefix("sqlite+aiosqlite:///"))


def _references(path: Path) -> set[str]:
    """The incidents in a file and its log, read from a copy of both: looking changes nothing there."""
    if not path.exists():
        return set()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        for ending in ("", "-wal"):
            if (part := Path(f"{path}{ending}")).exists():
                shutil.copyfile(part, f"{copy}{ending}")
        with closing(sqlite3.connect(copy)) as connection:
            return {row[0] for row in connection.execute("SELECT reference FROM incidents")}


# --- backup: beside a service that takes reports --------------------------------------------------------


@asynccontextmanager
async def _served(hand: Hand) -> AsyncIterator[tuple[Council, set[str]]]:
    """A council whose one node takes reports all the time; and those it acknowledged so far."""
    council = Council.found(hand.databases.fresh("sqlite"), hand.folder, TOWN)
    acknowledged: set[str] = set()
    port = free_port()
    settings = settings_of(council.url, BASE_URL=f"http://127.0.0.1:{port}", LOG_LEVEL="warning")
    node = await hand.nursery.start(port, hand.folder, settings)
    posting = asyncio.create_task(_post(council, port, acknowledged))
    try:
        while len(acknowledged) < 5:
            if posting.done():
                await posting
            await asyncio.sleep(0.05)
        yield council, acknowledged
    finally:
        posting.cancel()
        with suppress(asyncio.CancelledError):
            await posting
        # Before the node dies: whoever closes a file last folds its log into it.
        council.database.close_now()
        node.kill()
        await node.gone.wait()


async def _post(council: Council, port: int, acknowledged: set[str]) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        for number in range(1_000_000):
            answer = None
            while answer is None:
                with suppress(httpx.TransportError):
                    answer = await client.post("/api/v1/reports", **council.numbered_report(number))
                await asyncio.sleep(0.03)
            if answer.status_code == 201:
                acknowledged.add(answer.json()["reference"])


async def backups(hand: Hand, kills: int) -> None:
    """A copy that was broken off is none; one that has its manifest is whole, and holds what was there."""
    async with _served(hand) as (council, acknowledged):
        for number in range(kills):
            done, broken = hand.folder / f"done-{number}.db", hand.folder / f"broken-{number}.db"
            known = set(acknowledged)
            await hand.runs(council.url, "backup", str(done))
            _judge_copy(hand, done, known)
            known = set(acknowledged)
            await hand.kills(council.url, number, 1, "backup", str(broken))
            if copies.manifest_of(broken).exists():
                _judge_copy(hand, broken, known)
            elif broken.exists():
                with suppress(copies.CopyProblem):
                    copies.check(broken)
                    hand.finds(False, "a copy without its manifest was taken for one")
            for left in hand.folder.glob("*.db*"):
                left.unlink()
    _judge_log(hand, council.url, acknowledged)


def _judge_copy(hand: Hand, copy: Path, known: set[str]) -> None:
    try:
        copies.check(copy)
    except copies.CopyProblem as problem:
        hand.finds(False, f"not a whole copy: {problem}")
        return
    lost = known - _references(copy)
    hand.finds(not lost, f"not in the copy, and known before it began: {len(lost)}")


def _judge_log(hand: Hand, url: str, acknowledged: set[str]) -> None:
    lost = acknowledged - _references(_path(url))
    hand.finds(not lost, f"acknowledged and lost: {len(lost)}")
    with _looked_at(url) as database:
        broken = database.look_now(log.verify).broken
    hand.finds(broken is None, f"the log does not hold: {broken}")


# --- restore ----------------------------------------------------------------------------------------------


async def restores(hand: Hand, kills: int) -> None:
    """In its place is the old database, whole, or the copy, held; never neither. Then it is done again."""
    async with _served(hand) as (council, acknowledged):
        copy = hand.folder / "copy.db"
        await hand.runs(council.url, "backup", str(copy))
        while len(acknowledged) < len(_references(copy)) + 5:  # noqa: ASYNC110 - the other task counts
            await asyncio.sleep(0.05)
    target = _path(council.url)
    old, new = _references(target), _references(copy)
    hand.finds(len(old) > len(new) >= 5, f"nothing to tell by: {len(old)}, {len(new)}")
    pristine = _files(target)
    hand.finds(len(pristine["-wal"]) > 0, "the old database has nothing in its log")
    await hand.runs(council.url, "restore", str(copy))
    for number in range(kills):
        _lay_out(target, pristine)
        await hand.kills(council.url, number, 1, "restore", str(copy))
        found = _references(target)
        hand.finds(found in (old, new), f"neither the old one nor the copy: {len(found)} incidents")
        if found == new:
            _judge_held(hand, council.url)
        await hand.runs(council.url, "restore", str(copy))
        hand.finds(_references(target) == new, "done again, it is not the copy")
        _judge_held(hand, council.url)
        _judge_kept(hand, target, old)
    _judge_log(hand, council.url, new)


def _files(target: Path) -> dict[str, bytes]:
    """A database as a killed process left it: its file, and its log beside it."""
    return {ending: Path(f"{target}{ending}").read_bytes() for ending in ("", "-wal")}


def _lay_out(target: Path, files: dict[str, bytes]) -> None:
    for left in target.parent.glob(f"{target.name}*"):
        left.unlink()
    for ending, content in files.items():
        Path(f"{target}{ending}").write_bytes(content)


def _judge_kept(hand: Hand, target: Path, old: set[str]) -> None:
    kept = [p for p in target.parent.glob(f"{target.name}.before-restore-*") if p.suffix.endswith("Z")]
    hand.finds(any(_references(p) == old for p in kept), "the old database was not kept whole")
    hand.finds(target.stat().st_nlink == 1, "the database has a second name")
    left = [path.name for path in target.parent.glob(f"{target.name}.*.restoring*")]
    hand.finds(not left, f"left behind: {left}")


def _judge_held(hand: Hand, url: str) -> None:
    with _looked_at(url) as database:
        hold = database.look_now(holds.standing)
    hand.finds(hold is not None and hold.is_restored, "the copy is not held")


# --- migrate ----------------------------------------------------------------------------------------------


async def migrations(hand: Hand, kills: int, kind: str) -> None:
    """All of the schema, or none of it; then it is done again, and there is nothing left to do."""
    await hand.runs(_empty(hand, kind, "first"), "migrate")
    for number in range(kills):
        url = _empty(hand, kind, str(number))
        await hand.kills(url, number, 1, "migrate")
        if kind == "postgresql" or _path(url).exists():
            with _looked_at(url) as database:
                at, tables = database.look_now(_standing_schema)
            whole = at == schema.newest() if tables else at is None
            hand.finds(whole, f"half of a schema: at {at}, with {tables} tables")
        await hand.runs(url, "migrate")
        with _looked_at(url) as database:
            schema.check_schema(database)
        hand.databases.drop(url)


def _empty(hand: Hand, kind: str, name: str) -> str:
    if kind == "sqlite":
        return f"sqlite+aiosqlite:///{hand.folder}/empty-{name}.db"
    return hand.databases.server.create_database()


def _standing_schema(connection: Connection) -> tuple[str | None, int]:
    return schema.current(connection), len(inspect(connection).get_table_names())


# --- retention --erase ------------------------------------------------------------------------------------

_ENDED = 40


async def erasures(hand: Hand, kills: int, kind: str) -> None:
    """Of each case all words are gone and the log says so, or none are and it does not; no count changes."""
    spare = hand.databases.fresh(kind)
    await hand.runs(spare, "retention", "--erase")
    hand.databases.drop(spare)
    url = ""
    for number in range(kills):
        if not url:
            url = hand.databases.fresh(kind)
            await _end_cases(url)
            before = _figures(url)
        await hand.kills(url, number, 4, "retention", "--erase")
        left = _judge_erased(hand, url)
        _judge_figures(hand, before, _figures(url))
        if left < 8 or number == kills - 1:
            await hand.runs(url, "retention", "--erase")
            hand.finds(_judge_erased(hand, url) == 0, "not all was erased in the end")
            _judge_figures(hand, before, _figures(url))
            hand.databases.drop(url)
            url = ""


def _canary(number: int) -> str:
    return f"Quuxley{number:03}"


async def _end_cases(url: str) -> None:
    """Cases that ended long ago, each with a word that stands nowhere else."""
    async with Town(url, datetime.now(UTC)) as town:
        for number in range(_ENDED):
            word = _canary(number)
            case = await town.takes(
                {
                    "narrative": f"{word} was told by a man at the door that her roof needs work.",
                    "caller": {"name": f"Ann {word}", "phone": f"+4477009{number:05}"},
                    "victim": {"name": f"Vera {word}", "age": 81},
                    "location": {"address": f"{number} {word} Road", "ward": "Bromley Town"},
                    "suspect": {"name": f"Dan {word}", "company": f"{word} Roofs"},
                }
            )
            await case.act("note", text=f"{word} rang again.")
            await case.act("cancel", disposition="hoax_or_test", reason="Nobody was there.")
        await town.app.database.run(_backdate)


def _backdate(tx: Tx) -> None:
    tx.execute(update(IncidentRow).values(closed_at=tx.now - _LONG_AGO))


def _figures(url: str) -> dict[str, Any]:
    """Of the year, as if it were over: whenever they are asked for, they must be the same."""
    period = parse(f"{datetime.now(UTC):%Y}")
    with _looked_at(url) as database:
        return database.look_now(lambda c: board_figures(c, period, period.to_utc))


def _judge_figures(hand: Hand, before: dict[str, Any], now: dict[str, Any]) -> None:
    changed = {name: (before[name], part) for name, part in now.items() if part != before[name]}
    hand.finds(not changed, f"figures of the board changed: {changed}")


def _judge_erased(hand: Hand, url: str) -> int:
    """Whether each case is erased wholly or not at all; returns how many are still due."""
    with _looked_at(url) as database:
        cases, said, words = database.look_now(_erased)
        broken = database.look_now(log.verify).broken
        due = database.look_now(lambda c: sum(standing(c, database.clock.now()).cases.values()))
    hand.finds(broken is None, f"the log does not hold: {broken}")
    for number, (incident_id, is_erased) in enumerate(sorted(cases.items())):
        hand.finds(said[incident_id] == is_erased, f"erased: {is_erased}, and said {said[incident_id]} times")
        hand.finds(
            (_canary(number) in words) != is_erased, f"erased: {is_erased}, but its words say otherwise"
        )
    return due


def _erased(connection: Connection) -> tuple[dict[str, bool], Counter[str], str]:
    """The cases and whether they are erased, how often the log says so, and every word that is stored."""
    rows = connection.execute(select(col(IncidentRow.id), col(IncidentRow.erased_at)))
    cases = {row.id: row.erased_at is not None for row in rows}
    events = select(col(EventRow.stream)).where(col(EventRow.type) == PersonalDataErased.type)
    return cases, Counter(connection.execute(events).scalars()), "\n".join(_words(connection))


def _words(connection: Connection) -> Iterator[str]:
    for table in SQLModel.metadata.sorted_tables:
        for row in connection.execute(table.select()):
            yield repr(tuple(row))


# --- all of it --------------------------------------------------------------------------------------------

#: By name: the round, and the databases on which it can be.
ROUNDS: dict[str, Callable[[Hand, int], Any]] = {
    "backup on sqlite": backups,
    "restore on sqlite": restores,
    "migrate on sqlite": partial(migrations, kind="sqlite"),
    "migrate on postgresql": partial(migrations, kind="postgresql"),
    "retention --erase on sqlite": partial(erasures, kind="sqlite"),
    "retention --erase on postgresql": partial(erasures, kind="postgresql"),
}


async def torture(
    databases: TestDatabases, nursery: Nursery, folder: Path, *, name: str, seed: int, kills: int
) -> Hand:
    """One round, in a folder of its own."""
    hand = Hand(nursery, databases, folder, seed)
    await ROUNDS[name](hand, kills)
    return hand


async def _run(arguments: argparse.Namespace, folder: Path) -> int:
    databases = TestDatabases(quick_folder() or folder)
    faults = 0
    try:
        async with Nursery(databases.fresh("sqlite")) as nursery:
            for number, name in enumerate(n for n in ROUNDS if arguments.only in n):
                place = folder / str(number)
                place.mkdir()
                hand = await torture(
                    databases, nursery, place, name=name, seed=arguments.seed, kills=arguments.kills
                )
                print(f"{name}: {hand.killed.total()} kills, {len(hand.faults)} faults", flush=True)
                for where, count in sorted(hand.killed.items()):
                    print(f"  {where}: {count}")
                for fault in sorted(set(hand.faults)):
                    print(f"  FAULT {hand.faults.count(fault)} x {fault}")
                faults += len(hand.faults)
    finally:
        databases.close()
    return faults


def main() -> int:
    """Run, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.torture.commands", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=30, help="tries of each command on each database")
    parser.add_argument("--only", default="", help="rounds whose name has this in it")
    arguments = parser.parse_args()
    print(machine_line())
    with tempfile.TemporaryDirectory(prefix="rr-torture-") as folder:
        faults = asyncio.run(_run(arguments, Path(folder)))
    print(f"Faults: {faults}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
