"""What was measured on generated pairs stays reached (bench/matching.py, docs/matching.md)."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from tests.cases import each

ROOT = Path(__file__).parent.parent.parent
#: Kind: keys found, recall and precision where a repeat is flagged, and where a link is suggested.
FLOORS = {
    "victim": (0.97, 0.89, 0.995, 0.92, 0.99),
    "address": (0.97, 0.94, 0.995, 0.97, 0.99),
    "suspect phone": (1.0, 1.0, 1.0, 1.0, 1.0),
    "vehicle registration": (0.97, 0.56, 0.995, 0.87, 0.89),
    "company": (0.88, 0.53, 0.99, 0.81, 0.86),
    "website": (1.0, 1.0, 1.0, 1.0, 1.0),
    "named in the narrative": (0.99, 0.98, 1.0, 0.98, 1.0),
}


@pytest.fixture(scope="module")
def bench() -> Any:
    spec = spec_from_file_location("matching_bench", ROOT / "bench" / "matching.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["matching_bench"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.long
@each("kind", FLOORS)
def test_the_figures_are_no_worse(bench: Any, kind: str) -> None:
    figures = bench.measure(kind)
    below = {
        name: f for name, f, floor in zip(figures._fields, figures, FLOORS[kind], strict=True) if f < floor
    }
    assert not below


@pytest.mark.long
def test_the_docs_have_the_figures(bench: Any) -> None:
    text = (ROOT / "docs" / "matching.md").read_text(encoding="utf-8")
    for kind in FLOORS:
        row = f"| {kind} | " + " | ".join(f"{figure:.3f}" for figure in bench.measure(kind)) + " |"
        assert row in text, f"run bench/matching.py and put its table into docs/matching.md: {row}"
