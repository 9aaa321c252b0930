"""`report`: the board report as a file."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rapid_response.cli.refusals import Refused, usage

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from rapid_response.reporting.period import Period


class Format(StrEnum):
    """What the report is written as."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"
    PDF = "pdf"


def report(
    month: Annotated[str | None, typer.Option(metavar="2026-10", help="A month.")] = None,
    quarter: Annotated[str | None, typer.Option(metavar="2026-Q4", help="A quarter.")] = None,
    year: Annotated[str | None, typer.Option(metavar="2026", help="A year.")] = None,
    as_at: Annotated[
        str | None,
        typer.Option(
            "--as-at", metavar="TIME", help="As it was known then, such as 2026-11-01T09:00:00+00:00."
        ),
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="html and pdf come later.")] = Format.JSON,
    output: Annotated[Path | None, typer.Option(help="Write to this file, not to standard output.")] = None,
) -> None:
    """The board report of a month, a quarter or a year."""
    from rapid_response.cli.opening import opened
    from rapid_response.reporting.board import to_csv, to_json
    from rapid_response.reporting.cases import board_figures
    from rapid_response.reporting.period import PeriodError, known_at
    from rapid_response.settings import read_settings

    if format_ in (Format.HTML, Format.PDF):
        raise usage(f"The report as {format_} comes with a later release: use --format json or --format csv.")
    settings = read_settings()
    period = _period(month, quarter, year, settings.time_zone)
    moment = _moment(as_at)
    with opened(settings) as database:
        try:
            known = known_at(moment, database.clock.now())
        except PeriodError as error:
            raise usage(f"--as-at: {error}") from error
        figures = database.look_now(lambda connection: board_figures(connection, period, known))
    _write(to_csv(figures) if format_ is Format.CSV else to_json(figures), output)


def _period(month: str | None, quarter: str | None, year: str | None, zone: ZoneInfo) -> Period:
    from rapid_response.reporting import period

    match month, quarter, year:
        case str(), None, None:
            return period.month(month, zone)
        case None, str(), None:
            return period.quarter(quarter, zone)
        case None, None, str():
            return period.year(year, zone)
        case _:
            raise usage("Ask for one period: --month 2026-10, --quarter 2026-Q4 or --year 2026.")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise usage("Write --as-at as a time with its offset, such as 2026-11-01T09:00:00+00:00.") from None


def _write(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, "utf-8", newline="")
    except OSError as error:
        raise Refused(f"{output} cannot be written ({error.strerror}): name another file.") from None
