"""What `make test` leaves to CI and `make test-full`: repetitions, and what takes long."""

from __future__ import annotations

from tests.cases import each
from tests.selection import KINDS, is_left_out


@each("rest", ["", "-paused", "-RR 1-x"])
def test_of_a_test_on_each_database_one_is_left_out(rest: str) -> None:
    names = [f"tests/journeys/test_stops.py::test_number_{n}_of_many" for n in range(40)]
    kept = [
        [kind for kind in KINDS if not is_left_out(f"{name}[{kind}{rest}]", kind, is_long=False)]
        for name in names
    ]
    assert all(len(kinds) == 1 for kinds in kept)
    # By turns: neither database is left to the other.
    assert {kinds[0] for kinds in kept} == set(KINDS)


def test_what_needs_no_database_stays_and_what_takes_long_goes() -> None:
    assert not is_left_out("tests/rules/test_sla.py::test_a_rule[postgresql]", None, is_long=False)
    assert is_left_out("tests/journeys/test_clock.py::test_s41_x[sqlite]", "sqlite", is_long=True)
