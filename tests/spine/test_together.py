"""What falls due together is done in few steps; no two entries of one case in the same one."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from rapid_response.steps.ring import together
from rapid_response.storage.work import Due

NOON = datetime(2026, 7, 15, 11, 0, tzinfo=UTC)


def due(row_id: int, incident_id: str) -> Due:
    return Due(row_id, incident_id, "warn", "0", 1, NOON, 1, 1)


@given(cases=st.lists(st.sampled_from(["", "a", "b", "c", "d"]), max_size=30), most=st.integers(1, 5))
def test_each_is_done_once_and_of_one_case_one_after_the_other(cases: list[str], most: int) -> None:
    entries = [due(n, case) for n, case in enumerate(cases)]
    parts = together(entries, most)
    assert sorted(one.id for part in parts for one in part) == [one.id for one in entries]
    for part in parts:
        assert 0 < len(part) <= most
        assert [one.id for one in part] == sorted(one.id for one in part)
        of_cases = [one.incident_id for one in part]
        assert len(set(of_cases)) == len(of_cases)
        # What belongs to no case has its own locks.
        assert "" not in of_cases or of_cases == [""]
    for case in {"a", "b", "c", "d"}:
        of_case = [one.id for part in parts for one in part if one.incident_id == case]
        assert of_case == sorted(of_case)


def test_many_cases_fill_their_steps() -> None:
    parts = together([due(n, f"case {n}") for n in range(25)], 10)
    assert [len(part) for part in parts] == [10, 10, 5]
