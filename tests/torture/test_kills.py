"""A small part of the campaign of `make torture`, with fixed seeds; and failpoints that arm nowhere else."""

from __future__ import annotations

import asyncio
import json
from argparse import Namespace
from collections import Counter
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from unittest.mock import Mock

import pytest

import bench.torture.__main__ as program
from bench.torture import commands, points
from bench.torture.campaign import lives, torture
from bench.torture.nodes import Nursery
from bench.torture.points import Blow
from rapid_response.core import failpoints
from rapid_response.core.incident import Action
from rapid_response.steps import holding, sending
from rapid_response.steps.actions import act
from rapid_response.steps.receive import receive
from rapid_response.storage import work
from tests.databases import TestDatabases

#: Each once, in lives that end soon. test_moments.py plays the others, on both databases, and `make torture`
#: has every point on both, many times, with a provider in a bad mood.
_POINTS = ("intake.committed", "msg.before_http", "msg.after_http", "timer.committed")


@pytest.mark.long
async def test_r7_killed_at_each_point_nothing_is_lost_and_nothing_comes_twice_unmarked(
    databases: TestDatabases, tmp_path: Path
) -> None:
    async with Nursery(databases.fresh("sqlite")) as nursery:
        verdict = await torture(
            databases, nursery, tmp_path, kind="sqlite", seed=155, kills=4, points_=_POINTS, is_calm=True
        )
    assert verdict.faults == []
    assert verdict.kills == dict.fromkeys(_POINTS, 1)
    assert verdict.counts["reports acknowledged"] > 0
    assert verdict.counts["texts the provider took"] >= verdict.counts["reports acknowledged"]


@pytest.mark.long
async def test_g17_a_command_that_is_killed_leaves_all_or_nothing_and_can_be_run_again(
    databases: TestDatabases, tmp_path: Path
) -> None:
    async with Nursery(databases.fresh("sqlite")) as nursery:
        for name in commands.ROUNDS:
            place = tmp_path / name
            place.mkdir()
            hand = await commands.torture(databases, nursery, place, name=name, seed=11, kills=2)
            assert hand.faults == []
            assert hand.killed.total() == 2


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
    arguments = Namespace(
        kills=25, points=failpoints.MSG_CLAIMED, nodes="1", blows="kill", restarts=0, keep=None
    )
    with suppress(asyncio.CancelledError):
        await program.one(arguments, Mock(), Mock(), tmp_path, "sqlite", 7)
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert (told["seed"], told["on"], told["ended"]) == (7, "sqlite", ended)
    assert (told["kills"], told["faults"]) == ({"msg.claimed": 2}, faults)


def test_a_seed_gives_one_plan_in_which_each_point_comes_as_often() -> None:
    plan = lives(7, points.NAMES, 2 * len(points.NAMES))
    assert plan == lives(7, points.NAMES, len(plan)) != lives(8, points.NAMES, len(plan))
    assert Counter(life.point for life in plan) == dict.fromkeys(points.NAMES, 2)


def test_each_named_point_is_a_moment_of_a_step_or_a_path_that_there_is() -> None:
    all_points = {**points.POINTS, **points.OF_COMMANDS}
    assert len(all_points) == len(points.POINTS) + len(points.OF_COMMANDS)
    assert {at for at, _ in all_points.values()} == set(failpoints.NAMES)
    for _, of in all_points.values():
        if of and not of.startswith("/"):
            module, _, name = of.partition(" ")[0].partition(".")
            where = "storage" if module in ("log", "work") else "steps"
            assert callable(getattr(import_module(f"rapid_response.{where}.{module}"), name))


def test_only_what_can_happen_there_is_done_to_a_point() -> None:
    plan = lives(3, points.NAMES, 400, "sqlite", tuple(Blow))
    assert {life.blow for life in plan} == set(Blow) - {Blow.DROP}
    assert not [life for life in plan if life.blow is Blow.RAISE and life.point.endswith("committed")]
    assert Blow.DROP in {life.blow for life in lives(3, points.NAMES, 400, "postgresql", tuple(Blow))}


def test_a_step_is_known_by_its_function_and_what_it_is_for() -> None:
    assert points.name_of(partial(receive, report_id="1")) == "receive.receive"
    assert points.name_of(partial(work.deliver, waiting=[])) == "work.deliver"
    look = partial(sending.look_for_work, limit=8)
    assert points.name_of(partial(holding.unless_held, look=look, nothing=None)) == "sending.look_for_work"
    assert points.name_of(partial(act, action=Action.CLOSE)) == "actions.act close"
    assert points.name_of("/api/v1/reports") == "/api/v1/reports"
    assert points.name_of(None) == ""


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
    failpoints.arm(lambda name, _: heard.append(name))
    try:
        failpoints.reach(failpoints.MSG_CLAIMED)
        failpoints.reach(failpoints.MSG_RECORDED)
    finally:
        failpoints.disarm()
    failpoints.reach(failpoints.MSG_CLAIMED)
    assert heard == ["msg.claimed", "msg.recorded"]
