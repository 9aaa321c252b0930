"""`python -m bench.faults`: what serving processes do when the machine round them fails; a table of figures.

Each fault is put to processes started with `rapid-response serve`, under a steady load with a ledger of its
own. Exits 1 when a promise is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bench.__main__ import machine_line, say
from bench.faults import clocks, disk, page, second, server
from bench.faults.clock import SettableClock
from bench.faults.outcome import Outcome, tables
from bench.faults.site import Site
from bench.torture.towns import TOWN
from rapid_response.core.clock import SystemClock
from rapid_response.core.ids import SystemIds
from rapid_response.storage.database import Database
from rapid_response.storage.migrate import migrate
from tests.databases import TestDatabases
from tests.nodes.running import Council
from tests.postgres import private_server

KINDS = ("sqlite", "postgresql")
FAULTS = ("clock", "disk", "page", "second", "server")


class Runner:
    """Runs faults one after another, each in a town of its own."""

    def __init__(self, arguments: argparse.Namespace, folder: Path) -> None:
        self._arguments, self._folder, self._count = arguments, folder, 0

    def place(self) -> Path:
        """A new folder, which PostgreSQL's user may enter."""
        self._count += 1
        place = self._folder / f"{self._count}"
        place.mkdir(mode=0o755)
        return place

    @asynccontextmanager
    async def town(self, url: str, place: Path, nodes: int, **settings: str) -> AsyncIterator[Site]:
        """A town that so many nodes serve."""
        council = await asyncio.to_thread(Council.found, url, place, TOWN)
        try:
            site = Site(council, rate=self._arguments.rate)
            await asyncio.to_thread(site.add_watcher)
            await council.serve(nodes, **settings)
            yield site
        finally:
            council.close()

    async def clock(self, kind: str, name: str) -> Outcome:
        """The clock jumps."""
        place = self.place()
        clock = SettableClock.built(place)
        with clock.for_children(), ExitStack() as held:
            server_ = held.enter_context(private_server()) if kind == "postgresql" else None
            databases = TestDatabases(self.place(), server_.handle if server_ else None)
            nodes = 1 if kind == "sqlite" else 2
            async with self.town(databases.fresh(kind), place, nodes, ERASE_WHEN_DUE="1") as site:
                return await clocks.jump(site, kind, name, clock, place)

    async def disk(self, kind: str) -> Outcome:
        """The disk is full."""
        place = self.place()
        with disk.a_disk(place / "disk", may_mount=not self._arguments.no_mount) as found:
            async with self.town(_new_file(found.folder), place, 1) as site:
                return await disk.fill(site, kind, found)

    async def page(self, kind: str, table: str) -> Outcome:
        """A page of the file is overwritten, under a clock that soon comes to the nightly check."""
        place = self.place()
        clock = SettableClock.built(place)
        clock.jumps_to(page.ahead_of_check(datetime.now(UTC)))
        check_at = time.monotonic() + page.BEFORE_CHECK.total_seconds()
        with clock.for_children():
            async with self.town(_new_file(self.place()), place, 1) as site:
                return await page.overwrite(site, kind, table, place, check_at)

    async def second(self, kind: str) -> Outcome:
        """Somebody starts another `serve`."""
        place = self.place()
        async with self.town(_new_file(self.place()), place, 1) as site:
            return await second.start_another(site, kind, place)

    async def server(self, kind: str) -> Outcome:
        """PostgreSQL dies."""
        place = self.place()
        with private_server(durable=True) as died:
            databases = TestDatabases(self.place(), died.handle)
            async with self.town(databases.fresh(kind), place, 2) as site:
                return await server.die(site, kind, died, self._arguments.minutes)


def _new_file(folder: Path) -> str:
    """A migrated SQLite database in that folder."""
    url = f"sqlite+aiosqlite:///{folder}/town.db"
    database = Database(url, clock=SystemClock(), ids=SystemIds())
    migrate(database)
    database.close_now()
    return url


Run = Callable[[], Coroutine[Any, Any, Outcome]]


def runs(runner: Runner, fault: str, kind: str) -> list[Run]:
    """What there is of a fault on a kind of database."""
    if fault == "clock":
        return [partial(runner.clock, kind, name) for name in clocks.STEPS]
    if fault == "server":
        return [partial(runner.server, kind)] if kind == "postgresql" else []
    if kind != "sqlite":
        return []  # the disk, the files and the processes of PostgreSQL are its own to look after
    if fault == "page":
        return [partial(runner.page, kind, table) for table in (page.IN_USE, page.UNREAD)]
    return [partial(getattr(runner, fault), kind)]


async def run(arguments: argparse.Namespace, folder: Path) -> list[Outcome]:
    """All that were asked for, one after another."""
    runner, outcomes = Runner(arguments, folder), []
    for fault in arguments.only.split(","):
        for kind in arguments.on.split(","):
            for one in runs(runner, fault, kind):
                began = time.monotonic()
                outcome = await one()
                outcomes.append(outcome)
                took = time.monotonic() - began
                say(f"  {outcome.fault}, {kind}: {took:.0f} s, {len(outcome.broken)} broken")
                print(json.dumps(asdict(outcome), ensure_ascii=False), flush=True)
    return outcomes


def main() -> int:
    """Run, and print what came of it."""
    # Ended from outside, it still ends the processes that it started, and leaves no files.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--only", default=",".join(FAULTS), help="which faults")
    parser.add_argument("--on", default=",".join(KINDS), help="which databases")
    parser.add_argument("--rate", type=float, default=2.0, help="reports a second")
    parser.add_argument("--minutes", type=float, default=30.0, help="for which PostgreSQL is dead")
    parser.add_argument("--no-mount", action="store_true", help="no file system of its own for the full disk")
    arguments = parser.parse_args()
    if unknown := set(arguments.only.split(",")) - set(FAULTS):
        parser.error(f"there is no fault {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
    before = machine_line()
    with tempfile.TemporaryDirectory(prefix="rr-faults-") as folder:
        Path(folder).chmod(0o755)
        outcomes = asyncio.run(run(arguments, Path(folder)))
    print(f"\nBefore: {before}\nAfter:  {machine_line()}\n\n{tables(outcomes)}\n")
    broken = [f"{one.fault}, {one.database}: {what}" for one in outcomes for what in one.broken]
    print(f"Promises broken: {len(broken)}")
    for what in broken:
        print(f"  {what}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
