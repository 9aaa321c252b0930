"""`python -m bench.faults`: what it sees, that its judge can say no, and one fault of it in a hurry."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest

from bench.faults import clocks
from bench.faults.__main__ import FAULTS, KINDS, Runner, runs
from bench.faults.clock import NoCompiler, SettableClock
from bench.faults.disk import FilesOfOneSize, a_disk
from bench.faults.outcome import Outcome, tables
from bench.faults.site import Deadline, Seen, Sent, Site, ledger
from tests.nodes.running import Council

_ASK = "import time, datetime; print(time.time(), datetime.datetime.now().timestamp(), time.monotonic())"


@pytest.fixture
def clock(tmp_path: Path) -> SettableClock:
    try:
        return SettableClock.built(tmp_path)
    except NoCompiler as error:
        pytest.skip(f"{error}")


def test_a_clock_jumps_for_the_processes_that_are_started_under_it_alone(clock: SettableClock) -> None:
    clock.jumps_to(timedelta(days=730))
    with clock.for_children():
        said = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, check=True)
    wall, of_datetime, steady = map(float, said.stdout.split())
    real = time.clock_gettime(time.CLOCK_REALTIME)
    assert wall - real == pytest.approx(730 * 86400, abs=60)
    assert of_datetime == pytest.approx(wall, abs=60)
    assert steady == pytest.approx(time.clock_gettime(time.CLOCK_MONOTONIC), abs=60)


def a_site(*sent: Sent, stored: tuple[str, ...] = ()) -> Site:
    council = Mock(spec=Council)
    council.database = Mock()
    council.database.look_now.return_value = dict.fromkeys(stored, 1)
    site = Site(council)
    site.sent += sent
    return site


TAKEN = Sent(1, 10.0, 0.1, 201, "RR-1")
REFUSED = Sent(2, 11.0, 0.1, 503, said="Nothing was stored. Try again. In urgent cases ring +442079460001.")


def test_the_ledger_says_what_is_lost_and_what_was_stored_though_it_was_refused() -> None:
    assert list(ledger(a_site(TAKEN, REFUSED, stored=("RR-1",)))) == []
    assert list(ledger(a_site(TAKEN))) == ["1 acknowledged reports are not stored"]
    assert list(ledger(a_site(TAKEN, REFUSED, stored=("RR-1", "RR-2")))) == [
        "1 reports are stored whose senders were told that they are not"
    ]
    assert a_site(REFUSED).refusals_say(0.0)
    assert not a_site(Sent(3, 12.0, 0.1, 503, said="Nothing was stored.")).refusals_say(0.0)


@pytest.mark.parametrize(
    ("rang", "down", "broken"),
    [
        (101.0, None, ""),
        (130.0, None, "the latest, s after its time: 30.0, at most 5"),
        (None, None, "1 deadlines were missed"),
        (190.0, (90.0, 180.0), ""),
        (260.0, (90.0, 180.0), "and done so long after it could, s: 80.0, at most 60"),
        (190.0, (101.0, 180.0), ""),  # due just before
    ],
)
def test_a_deadline_that_is_late_or_missed_breaks_a_promise(
    rang: float | None, down: tuple[float, float] | None, broken: str
) -> None:
    site, outcome = a_site(), Outcome("a fault", "sqlite")
    site.deadlines[1] = Deadline("breach", 100.0, rang)
    site.deadlines[2] = Deadline("warn", 50.0, 50.1)
    outcome.count_deadlines(site, down)
    assert outcome.broken == ([broken] if broken else [])


def test_a_deadline_of_a_report_that_was_taken_in_late_may_have_been_held_up_too() -> None:
    for or_later, broken in ((5.0, 0), (1.0, 1)):
        site, outcome = a_site(), Outcome("a fault", "postgresql")
        site.deadlines[1] = Deadline("warn", 82.0, 190.0, or_later)
        outcome.count_deadlines(site, (90.0, 180.0))
        assert len(outcome.broken) == broken


def test_an_alarm_that_nobody_saw_breaks_a_promise_and_stands_in_the_table() -> None:
    site, outcome = a_site(), Outcome("a fault", "sqlite")
    site.seen.append(Seen(20.0, "ready", "The clock has jumped", False))
    outcome.within("said after", site.first("ready", "has jumped", 15.0), 60)
    outcome.within("texted after", site.first("text", "has jumped", 15.0), 60)
    assert outcome.broken == ["texted after: never, at most 60"]
    assert [line.split("|")[2].strip() for line in tables([outcome]).splitlines()[2:]] == [
        "5.0",
        "never",
        "1",
    ]


def test_each_fault_has_its_runs() -> None:
    runner = Runner(argparse.Namespace(), Path())
    found = {(fault, kind): len(runs(runner, fault, kind)) for fault in FAULTS for kind in KINDS}
    assert {key: count for key, count in found.items() if count} == {
        ("clock", "sqlite"): 3,
        ("clock", "postgresql"): 3,
        ("disk", "sqlite"): 1,
        ("page", "sqlite"): 2,
        ("second", "sqlite"): 1,
        ("server", "postgresql"): 1,
    }


def test_without_a_file_system_of_its_own_no_file_becomes_large(tmp_path: Path) -> None:
    script = "import sys; sys.stdin.read(1); open('wal', 'ab').write(b'x' * 300_000)"
    with a_disk(tmp_path / "disk", may_mount=False) as disk:
        assert isinstance(disk, FilesOfOneSize)
        for harm, status in ((disk.fill, 1), (disk.make_room, 0)):
            process = subprocess.Popen(
                [sys.executable, "-c", script], cwd=disk.folder, stdin=subprocess.PIPE, stderr=subprocess.PIPE
            )
            harm(Mock(pid=process.pid))
            process.communicate(b"x", timeout=20)
            assert process.returncode == status


@pytest.mark.long
async def test_g8_two_hours_back_under_a_serving_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clock: SettableClock
) -> None:
    monkeypatch.setattr(clocks, "_BEFORE", 2.0)
    monkeypatch.setattr(clocks, "_AFTER", 3.0)
    monkeypatch.setattr(clocks, "_AGAIN", 1.0)
    await asyncio.to_thread(tmp_path.chmod, 0o755)
    runner = Runner(argparse.Namespace(rate=2.0), tmp_path)
    outcome = await asyncio.wait_for(runner.clock("sqlite", "−2 h"), 240)
    assert outcome.broken == []
