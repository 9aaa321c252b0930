"""`load-wards`: which ward each postcode is in, from a council's own extract of the ONS directory."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer

from rapid_response.cli.refusals import usage


def load_wards(
    file: Annotated[Path, typer.Argument(help="A CSV with a column of postcodes and one of wards.")],
    names: Annotated[
        Path | None, typer.Option("--names", help="A CSV of ward codes and names, where FILE has codes only.")
    ] = None,
) -> None:
    """Load the ward of each postcode, in place of what was loaded before."""
    from rapid_response.cli.opening import opened
    from rapid_response.settings import read_settings
    from rapid_response.steps import load_wards as step

    for path in (file, names):
        if path is not None and not path.is_file():
            raise usage(f"There is no file {path}: name a CSV of the ONS Postcode Directory.")
    settings = read_settings()
    try:
        read = step.read(_text(file), _text(names) if names else None)
        with opened(settings) as database:
            loaded = database.run_now(lambda tx: step.load(tx, read, settings.time_zone))
    except csv.Error:
        raise usage(
            f"{file}: It cannot be read as a CSV: save it as one, with commas and in UTF-8."
        ) from None
    except step.NoWards as problem:
        raise usage(f"{file}: {problem}") from None
    print(f"Loaded {loaded.kept:,} postcodes of {loaded.wards} wards.")
    for name in loaded.unknown:
        print(f"Left out: the service definition has no ward {name}.")


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise usage(f"{file}: It is not UTF-8 text: save it as UTF-8.") from None
