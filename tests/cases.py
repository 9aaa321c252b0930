"""A table of cases as one test, which names every case that fails and why.

`@each(("text", "word"), [("YES", Word.YES), …])` is read like `pytest.mark.parametrize`, but a table of three
hundred cases is one test: of so many tests more time goes into starting and ending each than into asking
what it asks. Fixtures are made once for the whole table, so this is for rules, not for what changes things.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., None])
#: `pytest.fail` and a `pytest.raises` that saw nothing do not end in an `Exception`.
_FAILURES: tuple[type[BaseException], ...] = (Exception, pytest.fail.Exception)
#: As much of one case as helps to find it in its table.
_SHOWN = 160


def each(names: str | tuple[str, ...], cases: Iterable[Any]) -> Callable[[Test], Callable[..., None]]:
    """Call the test for each case: a value of the one parameter that is named, or of all that are."""
    argnames = (names,) if isinstance(names, str) else names
    table = [{names: case} if isinstance(names, str) else _arguments(names, case) for case in cases]
    if not table:
        raise ValueError(f"no case for {names}: nothing would be tried")

    def walking(test: Test) -> Callable[..., None]:
        @wraps(test)
        def walk(**fixtures: Any) -> None:
            __tracebackhide__ = True  # what pytest shows is the test's own lines
            failed: list[BaseException] = []
            said: list[str] = []
            for number, arguments in enumerate(table, 1):
                try:
                    test(**fixtures, **arguments)
                except _FAILURES as error:
                    failed.append(error)
                    said.append(f"{number}. {_shown(arguments)}\n{_why(error)}")
            if failed:
                report = "\n".join([f"{len(failed)} of {len(table)} cases failed", *said])
                raise AssertionError(report) from failed[0]

        walk.__signature__ = _without(argnames, test)  # type: ignore[attr-defined]
        return walk

    return walking


def _arguments(names: tuple[str, ...], case: Iterable[Any]) -> dict[str, Any]:
    return dict(zip(names, case, strict=True))


def _without(argnames: tuple[str, ...], test: Callable[..., None]) -> inspect.Signature:
    """The signature that pytest reads fixtures from."""
    signature = inspect.signature(test)
    if missing := set(argnames) - signature.parameters.keys():
        raise TypeError(f"{test.__qualname__} has no parameter {', '.join(sorted(missing))}")
    return signature.replace(
        parameters=[p for name, p in signature.parameters.items() if name not in argnames]
    )


def _shown(arguments: dict[str, Any]) -> str:
    said = ", ".join(f"{name}={_named(value)}" for name, value in arguments.items())
    return said if len(said) <= _SHOWN else f"{said[:_SHOWN]}…"


def _named(value: Any) -> str:
    return value.__qualname__ if inspect.isroutine(value) or inspect.isclass(value) else repr(value)


def _why(error: BaseException) -> str:
    """The line of the test that failed, and what was found there."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    at = f"line {frames[0].lineno}: " if frames else ""
    what = str(error) or "no message"
    kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
    return "\n".join(f"   {line}" for line in f"{at}{kind}{what}".splitlines())
