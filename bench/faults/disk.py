"""The disk under the SQLite file is full, and then has room again."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from bench.faults.outcome import ALARM_WITHIN, Outcome
from bench.faults.site import Site, ledger
from bench.torture.towns import SOON
from tests.nodes.running import Node

#: The write-ahead log alone takes some ten, between two checkpoints.
_MEGABYTES = 128
_ROOM_FOR_LOG = 256 * 1024
_BEFORE, _FULL, _AFTER = 10.0, 25.0, 15.0
_TOLD = "disk is almost full|cannot be written"


class Disk(Protocol):
    """Where a database lies, and what can be done to it."""

    name: str
    folder: Path

    def fill(self, node: Node) -> None:
        """No byte of room is left."""

    def make_room(self, node: Node) -> None:
        """There is room again."""


class SmallDisk:
    """A file system of its own, filled by a file beside the database."""

    name = "disk full"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self, node: Node) -> None:
        with self._filler.open("wb", buffering=0) as file:
            for size in (65536, 512, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue

    def make_room(self, node: Node) -> None:
        self._filler.unlink()


class FilesOfOneSize:
    """Where none can be mounted: from now on no file of the process may be larger than its log will be.

    The write-ahead log is, or is soon: it is written from its begin to its end again and again.
    """

    name = "files of a size"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, node: Node) -> None:
        logs = [file.stat().st_size for file in self.folder.parent.glob("node-*.log")]
        most = max(logs, default=0) + _ROOM_FOR_LOG
        resource.prlimit(node.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    def make_room(self, node: Node) -> None:
        resource.prlimit(node.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@contextmanager
def a_disk(folder: Path, *, may_mount: bool = True) -> Iterator[Disk]:
    """A small one where this user may mount one."""
    folder.mkdir()
    options = f"size={_MEGABYTES}m,mode=0755"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if (
        not may_mount
        or os.geteuid() != 0
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        yield FilesOfOneSize(folder)
        return
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


async def fill(site: Site, kind: str, disk: Disk) -> Outcome:
    """Reports come in before, while no byte of room is left, and after."""
    outcome, (node,) = Outcome(disk.name, kind), site.council.nodes
    async with site.watched():
        await site.report(_BEFORE)
        full = time.monotonic()
        disk.fill(node)
        await site.report(_FULL)
        room = time.monotonic()
        disk.make_room(node)
        await site.report(_AFTER)
        await asyncio.sleep(SOON.total_seconds() + 3.0)
        await site.settle_doubts()
        await asyncio.sleep(1.0)
    told_of_fault(outcome, site, full, room, _TOLD)
    outcome.within("page Service status says so after, s", site.first("page", _TOLD, full), ALARM_WITHIN)
    recovered(outcome, site, room)
    outcome.count_reports(site, full, room)
    count_stored(outcome, site)
    outcome.count_deadlines(site, (full, room))
    return outcome


def told_of_fault(outcome: Outcome, site: Site, began: float, lifted: float, words: str) -> None:
    """Where a fault of the database was said, and how soon."""
    refused = site.answered(503, began, lifted)
    first = min((one.at + one.took for one in refused), default=None)
    outcome.within("`/health/ready` says so after, s", site.first("ready", words, began), ALARM_WITHIN)
    outcome.within("first report refused after, s", None if first is None else first - began, ALARM_WITHIN)
    outcome.show("slowest refusal, s", max((one.took for one in refused), default=0.0))
    outcome.show("refusals without the number to ring", 0 if site.refusals_say(began) else "some")
    outcome.promise(site.refusals_say(began), "somebody was refused and not told what number to ring")
    logged = site.first("log", "database_unavailable|loop_failed|tick_failed", began)
    outcome.within("log says so after, s", logged, ALARM_WITHIN)


def recovered(outcome: Outcome, site: Site, lifted: float) -> None:
    """How soon all was well again, and nobody had done anything for it."""
    first = min((one.at + one.took for one in site.answered(201, lifted)), default=None)
    outcome.within(
        "first report taken again after, s", None if first is None else first - lifted, ALARM_WITHIN
    )
    again = site.good_again("ready", lifted)
    outcome.within("`/health/ready` ready again after, s", again, ALARM_WITHIN)
    if again is None:
        outcome.broken.append(
            f"not ready at the end: {[one.words for one in site.seen if one.where == 'ready'][-1]}"
        )


def count_stored(outcome: Outcome, site: Site) -> None:
    """The ledger against the rows."""
    faults = list(ledger(site))
    outcome.show("acknowledged and not stored once, or refused and stored", len(faults))
    outcome.broken += faults
