"""A table that is one test still names each case that fails, and why."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from tests.cases import each


def test_every_case_that_fails_is_named_with_its_line_and_its_reason() -> None:
    @each(("n", "of"), [(1, "one"), (2, "zwei"), (3, "three"), (4, "vier")])
    def names(n: int, of: str) -> None:
        if n == 4:
            raise KeyError(of)
        assert len(of) != 4, f"{of} is no English"

    with pytest.raises(AssertionError) as failed:
        names()
    first, *said = str(failed.value).splitlines()
    assert first == "2 of 4 cases failed"
    assert said[0] == "2. n=2, of='zwei'"
    assert said[1].startswith("   line ")
    assert "zwei is no English" in said[1]
    assert said[-2] == "4. n=4, of='vier'"
    assert said[-1].endswith("KeyError: 'vier'")
    # What pytest then shows in full is the first of them.
    assert isinstance(failed.value.__cause__, AssertionError)


def test_a_refusal_that_did_not_come_is_a_case_that_failed() -> None:
    @each("text", ["1", "one"])
    def refused(text: str) -> None:
        with pytest.raises(ValueError, match="invalid"):
            int(text)

    with pytest.raises(AssertionError, match=r"^1 of 2 cases failed\n1\. text='1'\n.*DID NOT RAISE"):
        refused()


def test_what_a_case_does_not_give_is_a_fixture() -> None:
    tried: list[tuple[int, int]] = []

    @each("inner", [1, 2])
    @each("outer", [10, 20])
    def products(tmp_path: Path, inner: int, outer: int) -> None:
        tried.append((inner, outer))

    assert list(inspect.signature(products).parameters) == ["tmp_path"]
    products(tmp_path=Path())
    assert tried == [(1, 10), (1, 20), (2, 10), (2, 20)]


def test_a_table_that_tries_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="nothing would be tried"):
        each("text", [])
    with pytest.raises(TypeError, match="has no parameter txet"):
        each("txet", ["a"])(_takes_a_text)
    with pytest.raises(ValueError, match="shorter"):
        each(("one", "two"), [("a",)])


def _takes_a_text(text: str) -> None:
    assert text
