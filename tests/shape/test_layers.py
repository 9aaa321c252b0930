"""Who may import whom, and who may ask the machine for the time: the contracts of pyproject.toml hold."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.slow
def test_imports_point_down_the_page_rules_are_pure_and_settings_stay_at_the_root() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    linted = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout[-3000:] + linted.stderr
    contracts = PYPROJECT["tool"]["importlinter"]["contracts"]
    assert {contract["type"] for contract in contracts} == {"layers", "forbidden", "protected"}
    assert f"Contracts: {len(contracts)} kept, 0 broken." in linted.stdout


def test_nothing_but_the_clock_asks_the_machine_for_the_time() -> None:
    """Ruff refuses the calls; here stands that it is told to, and who is excused."""
    lint = PYPROJECT["tool"]["ruff"]["lint"]
    banned = lint["flake8-tidy-imports"]["banned-api"]
    assert banned.keys() >= {
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "time.time",
        "time.monotonic",
        "uuid.uuid4",
        "asyncio.sleep",
        "fastapi.BackgroundTasks",
    }
    excused = {
        path
        for path, rules in lint["per-file-ignores"].items()
        if path.startswith("rapid_response/") and {"TID", "TID251", "DTZ"} & set(rules)
    }
    assert excused == {"rapid_response/core/clock.py", "rapid_response/core/ids.py"}
    assert [path for path in (ROOT / "rapid_response").rglob("*.py") if _excuses_itself(path)] == []


def _excuses_itself(path: Path) -> bool:
    return any("noqa" in line and "TID" in line for line in path.read_text().splitlines())
