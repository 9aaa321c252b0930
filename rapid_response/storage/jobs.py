"""Steps that wait to be run, and running them on a connection: what both databases have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection

from rapid_response.core import failpoints
from rapid_response.core.clock import Clock
from rapid_response.core.ids import Ids
from rapid_response.storage.tx import Subscriptions, Tx

T = TypeVar("T")
Step = Callable[[Tx], T]
#: What an earlier run of a step left, if it was stored after all; None where it was not.
Stored = Callable[[Tx], T | None]


def looks_itself(_: Tx) -> None:
    """`stored` of a step that begins by looking for its own id: running it again does nothing twice."""


@dataclass(slots=True)
class Job:
    """A step somebody waits for."""

    step: Step[Any]
    actor: str
    future: Future[Any] = field(default_factory=Future)
    stored: Stored[Any] | None = None


@dataclass(slots=True)
class Done:
    """A step that was run, and not committed yet."""

    job: Job
    result: Any
    nudges: set[str]


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs steps in a transaction that somebody else begins and commits."""

    clock: Clock
    ids: Ids
    subscriptions: Subscriptions
    #: Hears which loops of the worker the committed steps woke.
    nudge: Callable[[set[str]], None]

    def run(self, connection: Connection, jobs: Sequence[Job]) -> list[Done]:
        """Every step, and then their logs, of all of them in one order.

        Chains are locked last by everybody: a step that had one while the next asked for a row would wait for
        whoever has that row and asks for the chain.
        """
        results: list[Any] = []
        made: list[Tx] = []
        for job in jobs:
            failpoints.reach(failpoints.STEP_BEGINS, job.step)
            tx = self._tx(connection, job.actor)
            results.append(job.step(tx))
            tx.flush()
            made.append(tx)
        for stream, n in sorted((stream, n) for n, tx in enumerate(made) for stream in tx.streams):
            made[n].extend(stream)
            made[n].flush()  # two of them may be of one stream
        for job, tx in zip(jobs, made, strict=True):
            tx.finish()
            failpoints.reach(failpoints.STEP_WRITTEN, job.step)
        return [Done(job, result, tx.nudges) for job, result, tx in zip(jobs, results, made, strict=True)]

    def tell(self, done: Sequence[Done]) -> None:
        """They are committed: wake whoever has something to do now."""
        nudges = {name for each in done for name in each.nudges}
        if nudges:
            self.nudge(nudges)

    def _tx(self, connection: Connection, actor: str) -> Tx:
        return Tx(
            connection,
            now=self.clock.now(),
            real=self.clock.real(),
            ids=self.ids,
            actor=actor,
            subscriptions=self.subscriptions,
        )
