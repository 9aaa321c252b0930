"""docs/incident-life.md shows the one table of statuses as it is, whole."""

from __future__ import annotations

from pathlib import Path

from rapid_response.core.incident import ALLOWED, Status, When
from rapid_response.core.life_page import CONDITION, MEANING, life_page

PAGE = Path(__file__).parents[2] / "docs" / "incident-life.md"


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == life_page(), (
        "run `python -m rapid_response.core.life_page > docs/incident-life.md`"
    )


def test_every_word_of_the_table_is_explained() -> None:
    assert set(MEANING) == set(Status) == set(ALLOWED)
    assert set(CONDITION) == set(When)


def test_every_legal_step_stands_on_the_page() -> None:
    lines = life_page().splitlines()
    for status, moves in ALLOWED.items():
        for action, step in moves.items():
            own = f"| `{status.value}` | `{action.value}` | `{step.to.value}` |"
            for_all = f"| `{action.value}` | "
            assert any(line.startswith((own, for_all)) for line in lines), own
