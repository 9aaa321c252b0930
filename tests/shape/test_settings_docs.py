"""docs/settings.md lists every setting, with its default, and no other."""

import re
from pathlib import Path

from rapid_response.settings import SECRETS, Settings

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
ROWS = {
    row[0].strip("`").lower(): (row[1].strip("`"), row[2])
    for row in (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.splitlines()
        if line.startswith("| `")
    )
}
#: Defaults that are said in words, because they depend on where the program runs.
IN_WORDS = {"secret_key": "made at first run", "log_format": "console` on a terminal, else `json"}


def test_every_setting_is_documented_in_the_order_of_the_class() -> None:
    assert list(ROWS) == list(Settings.model_fields)


def test_the_defaults_are_those_of_the_class() -> None:
    for name, field in Settings.model_fields.items():
        expected = IN_WORDS.get(name) or _said(field.default, name)
        assert ROWS[name][0] == expected, name


def test_which_may_stand_in_a_file() -> None:
    assert {name for name, (_, in_file) in ROWS.items() if in_file == "yes"} == set(SECRETS)


def test_the_docs_name_no_setting_that_is_not() -> None:
    for name in re.findall(r"`([A-Z][A-Z_]{3,})`", PAGE):
        if not name.startswith("RAPID_RESPONSE_") and name != "NAME":
            assert name.lower() in Settings.model_fields, name


def _said(default: object, name: str) -> str:
    match default:
        case None:
            return "none"
        case bool():
            return ("on" if default else "off") if name == "sms_links" else str(int(default))
        case float():
            return f"{default:g}"
        case _:
            return str(default)
