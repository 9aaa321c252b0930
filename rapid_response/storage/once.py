"""Statements made once: making one, and the key SQLAlchemy knows it by, costs more than running it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, wraps
from inspect import Parameter, signature
from typing import Any, Generic, ParamSpec, TypeVar

from sqlalchemy import Executable, bindparam

P = ParamSpec("P")
S = TypeVar("S", bound=Executable)

_AT_A_PLACE = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(slots=True, eq=False)
class Filled(Generic[S]):
    """A statement that is made once, and the values of its parameters. Not frozen: a step makes dozens."""

    statement: S
    values: Mapping[str, Any] = field(default_factory=dict)
    #: How each database runs it, for `storage.prepared`: all fillings of one statement share it.
    ways: dict[str, Any] = field(default_factory=dict, repr=False)

    def given(self, values: Mapping[str, Any]) -> Filled[S]:
        """The same statement with other values, always of the same names."""
        return Filled(self.statement, values, self.ways)


def once(make: Callable[P, S]) -> Callable[P, Filled[S]]:
    """Have a statement made at the first call only: each argument becomes one of its bound parameters.

    The function is called with parameters in the place of values, so it can compare a column with them, or
    set one to them, and nothing else: to ask for a value's truth raises TypeError, and what is reckoned from
    values (a moment plus a lease) is reckoned by the caller. Arguments are given by their places.
    """
    if any(parameter.kind not in _AT_A_PLACE for parameter in signature(make).parameters.values()):
        raise TypeError(f"{make.__qualname__}: arguments of a statement have places")
    # An UPDATE keeps the names of its columns for itself.
    names = tuple(f"given_{name}" for name in signature(make).parameters)

    @cache
    def made() -> S:
        parameters: Any = [bindparam(name) for name in names]
        build: Callable[..., S] = make
        return build(*parameters)

    ways: dict[str, Any] = {}

    @wraps(make)
    def filled(*values: Any) -> Filled[S]:
        return Filled(made(), dict(zip(names, values, strict=True)), ways)

    return filled  # type: ignore[return-value]
