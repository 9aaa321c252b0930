"""What can go wrong with texts and calls has tests by its ids, on both databases where rows are used."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from tests.cases import each

TESTS = Path(__file__).parents[1]
#: The list: signatures, order, once only, refusals, ladder, replies, texts, voice, contract, regions, floods.
IDS = (
    *("s1", "s2", "s3", "s4", "s5", "o1", "o2", "o3", "u1", "u2", "u3", "u4"),
    *("r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "w1", "w2", "q1", "q2", "q3", "q4"),
    *("t1", "t2", "v1", "v2", "c1", "c2", "x1", "x2", "z1"),
)
#: These are decided before any row is read or written: a signature, a word, an alphabet, a request's shape.
WITHOUT_ROWS = frozenset({"s1", "s2", "s3", "s4", "s5", "o1", "r5", "q1", "t2", "c1", "c2", "x1", "x2"})
#: Fixtures that come once for SQLite and once for PostgreSQL, unless a module has its own of that name.
ON_BOTH = frozenset({"town", "database_url"})
#: What kills real processes goes round both databases by itself.
GO_ROUND_BOTH = ("nodes/test_killed_between.py",)
_NAME = re.compile(r"test_((?:[a-z]\d{1,2}_)+)")


@cache
def named_by_id(folder: Path = TESTS) -> dict[str, dict[str, bool]]:
    """For each id the tests of a folder, and whether each runs on both databases."""
    found: dict[str, dict[str, bool]] = defaultdict(dict)
    for path in sorted(folder.rglob("test_*.py")):
        functions = [f for f in ast.walk(ast.parse(path.read_text())) if isinstance(f, _FUNCTIONS)]
        own = {f.name for f in functions if not f.name.startswith("test_") and not _made_of_both(f)}
        both = (ON_BOTH - own) if not _overridden_beside(path) else frozenset()
        for function in functions:
            named = _NAME.match(function.name)
            if named is None:
                continue
            names = {argument.arg for argument in function.args.args}
            is_on_both = bool(names & both) or str(path.relative_to(TESTS)) in GO_ROUND_BOTH
            for id_ in named[1].strip("_").split("_"):
                found[id_][f"{path.name}::{function.name}"] = is_on_both and not _only_one(function)
    return found


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _made_of_both(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a fixture of a module's own is made from the common ones, and so comes twice as well."""
    return bool({argument.arg for argument in function.args.args} & ON_BOTH)


def _overridden_beside(path: Path) -> bool:
    """Whether the folder of a test makes its own databases."""
    beside = path.parent / "conftest.py"
    return beside.exists() and "def database_url" in beside.read_text()


def _only_one(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a test leaves PostgreSQL out."""
    return any("on_sqlite" in ast.unparse(decorator) for decorator in function.decorator_list)


@pytest.mark.long
@each("id_", IDS)
def test_each_id_of_the_list_is_tried(id_: str) -> None:
    found = named_by_id()[id_]
    assert found, f"no test is named test_{id_}_…"
    assert id_ in WITHOUT_ROWS or any(found.values()), f"{id_} is tried on one database alone"
