"""How long a loop waits for a database that is gone."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from rapid_response.core.backoff import CHANCES, wait


@given(st.integers(1, 10_000), st.integers(0, CHANCES - 1))
def test_it_waits_longer_each_time_never_too_long_and_never_all_at_once(failures: int, chance: int) -> None:
    longest = timedelta(seconds=10)
    waited = wait(failures, chance)
    assert timedelta(seconds=0.25) <= waited < longest
    assert wait(failures + 1, chance) >= waited
    assert wait(failures, CHANCES - 1) < 2 * wait(failures, 0)
    assert wait(failures, chance, timedelta(seconds=2)) < timedelta(seconds=2)
