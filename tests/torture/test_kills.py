"""A small part of the campaign of `make torture`, with fixed seeds; and failpoints that arm nowhere else."""

from __future__ import annotations

import asyncio
import json
from argparse import Namespace
from collections import Counter
from contextlib import suppress
from pathlib import Path
from unittest.mock import Mock

import pytest

import bench.torture.__main__ as program
from bench.torture import points
from bench.torture.campaign import lives, torture
from bench.torture.nodes import Nursery
from rapid_response.core import failpoints
from tests.databases import TestDatabases

#: Each point once, in lives that end soon. PostgreSQL has its kill between request and record in
#: tests/nodes, and `make torture` has every point on both databases, hundreds of times.
_SEED = 155


@pytest.mark.long
async def test_r7_killed_at_each_point_nothing_is_lost_and_nothing_comes_twice_unmarked(
    databases: TestDatabases, tmp_path: Path
) -> None:
    async with Nursery(databases.fresh("sqlite")) as nursery:
        verdict = await torture(databases, nursery, tmp_path, kind="sqlite", seed=_SEED, kills=4)
    assert verdict.faults == []
    assert verdict.kills == dict.fromkeys(failpoints.NAMES, 1)
    assert verdict.counts["reports acknowledged"] > 0
    assert verdict.counts["texts the provider took"] >= verdict.counts["reports acknowledged"]


@pytest.mark.parametrize(
    ("error", "ended", "faults"),
    [(asyncio.CancelledError(), False, []), (RuntimeError("not at rest"), True, ["not at rest"])],
)
async def test_a_round_that_is_broken_off_keeps_what_it_counted(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    error: BaseException,
    ended: bool,
    faults: list[str],
) -> None:
    async def breaks(*_: object, killed: Counter[str], **__: object) -> None:
        killed[failpoints.MSG_CLAIMED] += 2
        raise error

    monkeypatch.setattr(program, "torture", breaks)
    arguments = Namespace(kills=25, points=failpoints.MSG_CLAIMED, nodes=1)
    with suppress(asyncio.CancelledError):
        await program.one(arguments, Mock(), Mock(), tmp_path, "sqlite", 7)
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert (told["seed"], told["on"], told["ended"]) == (7, "sqlite", ended)
    assert (told["kills"], told["faults"]) == ({"msg.claimed": 2}, faults)


def test_a_seed_gives_one_plan_in_which_each_point_comes_as_often() -> None:
    plan = lives(7, failpoints.NAMES, 40)
    assert plan == lives(7, failpoints.NAMES, 40) != lives(8, failpoints.NAMES, 40)
    assert {name: sum(life.point == name for life in plan) for name in failpoints.NAMES} == dict.fromkeys(
        failpoints.NAMES, 10
    )


def test_s14_failpoints_refuse_to_arm_outside_a_test_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    for profile in (None, "", "1", "production"):
        monkeypatch.delenv(failpoints.PROFILE, raising=False)
        if profile is not None:
            monkeypatch.setenv(failpoints.PROFILE, profile)
        with pytest.raises(failpoints.NotForTests):
            failpoints.arm(print)
        # The switch of the campaign alone arms nothing either: it asks in the same way.
        monkeypatch.setenv(points.VARIABLE, "msg.claimed:1")
        with pytest.raises(failpoints.NotForTests):
            points.arm_as_told()
    failpoints.reach(failpoints.MSG_CLAIMED)  # and so this process lives on


def test_a_failpoint_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in points.told("msg.clamied", 1).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(LookupError):
        points.arm_as_told()


def test_an_armed_point_acts_at_its_passing_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(failpoints.PROFILE, failpoints.FOR_FAULTS)
    heard: list[str] = []
    failpoints.arm(heard.append)
    try:
        failpoints.reach(failpoints.MSG_CLAIMED)
        failpoints.reach(failpoints.MSG_RECORDED)
    finally:
        failpoints.disarm()
    failpoints.reach(failpoints.MSG_CLAIMED)
    assert heard == ["msg.claimed", "msg.recorded"]
