"""Each acceptance scenario is a journey over HTTP under its number, on both databases."""

from __future__ import annotations

import re

import pytest

from tests.cases import each
from tests.shape.test_delivery_list import TESTS, named_by_id

SCENARIOS = range(1, 60)
#: Some ids of the list of deliveries look alike (`s1`, `s2`); scenarios have two digits, and are journeys.
_NAME = re.compile(r"async def test_s(\d\d)_")


@pytest.fixture(scope="module")
def journeys() -> dict[str, dict[str, bool]]:
    """For each scenario the journeys that play it, and whether each runs on both databases."""
    return named_by_id(TESTS / "journeys")


@pytest.mark.slow
@each("number", SCENARIOS)
def test_each_scenario_is_played_on_both_databases(number: int, journeys: dict[str, dict[str, bool]]) -> None:
    found = journeys[f"s{number:02}"]
    assert found, f"no journey is named test_s{number:02}_…"
    assert any(found.values()), f"scenario {number} is played on one database alone"


def test_no_journey_has_a_number_of_no_scenario() -> None:
    numbers = {int(n) for path in (TESTS / "journeys").glob("*.py") for n in _NAME.findall(path.read_text())}
    assert numbers == set(SCENARIOS)
