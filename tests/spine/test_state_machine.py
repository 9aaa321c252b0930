"""Random days, on each database and on both in lock-step.

`make test` plays the first few of those that CI plays with each change;
`RAPID_RESPONSE_TEST_PROFILE=large` runs many more and longer histories (nightly).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.databases import TestDatabases
from tests.selection import PROFILE
from tests.spine.machine import RandomDays, Towns

#: Small: the same histories each time, so that a red run is the change's own doing.
LARGE = PROFILE == "large"
EXAMPLES = {"quick": 3, "full": 7, "large": 400}[PROFILE]
STEPS = 60 if LARGE else 25


@contextmanager
def _towns(databases: TestDatabases, *kinds: str) -> Iterator[Towns]:
    towns = Towns(databases, *kinds)
    try:
        yield towns
    finally:
        towns.close()


#: The pair sees what each of the two would; PostgreSQL alone is for the longest run.
KINDS = [
    ("sqlite",),
    pytest.param(("sqlite", "postgresql"), marks=pytest.mark.long),
    *([("postgresql",)] if LARGE else []),
]


@pytest.mark.parametrize("kinds", KINDS, ids="-".join)
def test_random_days(databases: TestDatabases, kinds: tuple[str, ...]) -> None:
    with _towns(databases, *kinds) as towns:

        class Days(RandomDays):
            def __init__(self) -> None:
                super().__init__(towns)

        run_state_machine_as_test(
            Days,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                derandomize=not LARGE,
                # What fails the same each time is made smaller by whoever looks into it, not each time.
                phases=list(Phase) if LARGE else [Phase.explicit, Phase.generate],
                print_blob=True,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
