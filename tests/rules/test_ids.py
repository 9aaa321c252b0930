"""Ids and chance: unique over threads and processes, rising, and even."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from rapid_response.core.ids import SystemIds


def test_row_ids_rise_and_are_given_once_whoever_asks() -> None:
    ids = SystemIds()
    mine = [ids.uuid() for _ in range(10_000)]
    assert mine == sorted(set(mine))
    with ThreadPoolExecutor(8) as threads:
        theirs = list(threads.map(lambda _: ids.uuid(), range(10_000)))
    assert len({*mine, *theirs}) == 20_000


def test_two_services_of_one_moment_give_different_ids() -> None:
    one, other = SystemIds(), SystemIds()
    chances = {i.uuid()[19:] for i in (one, other) for _ in range(1000)}
    assert len(chances) == 2000


def test_a_process_that_was_forked_off_has_chances_of_its_own() -> None:
    # In a process of its own: this one has threads, and they are not forked.
    script = """
import os
from rapid_response.core.ids import SystemIds
ids = SystemIds()
ids.below(1000)
child = os.fork()
os.write(1, (ids.reference() + " ").encode())
if child:
    os.waitpid(child, 0)
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stdout
    one, other = said.split()
    assert one != other


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50, 256])
def test_chance_is_below_its_limit_and_even(limit: int) -> None:
    ids = SystemIds()
    counts = Counter(ids.below(limit) for _ in range(200 * limit))
    assert set(counts) == set(range(limit))
    # Six standard deviations: a run that is not even by chance alone comes once in hundreds of millions.
    assert all(abs(count - 200) < 6 * 200**0.5 for count in counts.values())


def test_chance_below_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        SystemIds().below(0)


def test_references_can_be_read_out() -> None:
    ids = SystemIds()
    references = {ids.reference() for _ in range(1000)}
    assert len(references) == 1000
    assert all(re.fullmatch("RR-[0-9A-HJKMNP-TV-Z]{7}", reference) for reference in references)
