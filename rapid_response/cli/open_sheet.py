"""`open-sheet`: the printable sheet of open incidents, for when the screens are gone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rapid_response.cli.refusals import usage

if TYPE_CHECKING:
    from rapid_response.audit.sheet import Sheet
    from rapid_response.settings import Settings
    from rapid_response.storage.database import Database
    from rapid_response.storage.tx import Tx


def open_sheet(
    output: Annotated[Path | None, typer.Option(help="Write to this file, not to standard output.")] = None,
    with_addresses: Annotated[
        bool, typer.Option("--with-addresses", help="Victims' addresses, too: only if the screens are gone.")
    ] = False,
) -> None:
    """Print the sheet of open incidents, as HTML that needs nothing beside it."""
    from rapid_response.audit.sheet import save, to_html
    from rapid_response.cli.opening import opened
    from rapid_response.settings import read_settings

    settings = read_settings()
    with opened(settings) as database:
        sheet = made(database, settings, with_addresses=with_addresses)
        if with_addresses:
            _record_views(database, sheet)
    html = to_html(sheet)
    if output is None:
        print(html)
    else:
        try:
            save(output, html)
        except OSError as error:
            raise usage(f"{output} could not be written ({error.strerror}): name another file.") from None
        print(f"Written to {output}. Shred what is printed at the end of the shift.", file=sys.stderr)


def made(database: Database, settings: Settings, *, with_addresses: bool = False) -> Sheet:
    """The sheet, as it stands now."""
    from rapid_response.audit.sheet import new_serial, read_sheet

    now, zone = database.clock.now(), settings.time_zone
    serial = new_serial(database.ids, now, zone)
    return database.look_now(lambda c: read_sheet(c, now, zone, serial, with_addresses=with_addresses))


def _record_views(database: Database, sheet: Sheet) -> None:
    """Put each case whose address is shown into the access log; where that fails, the sheet comes anyway."""
    from rapid_response.storage.failures import DatabaseUnavailable
    from rapid_response.storage.log import record_view

    def step(tx: Tx) -> None:
        for line in sheet.lines:
            record_view(tx, "open_sheet_addresses", line.incident_id)

    try:
        database.run_now(step, actor="command:open-sheet")
    except DatabaseUnavailable as error:
        print(f"The access log could not be written ({error}): note who printed this.", file=sys.stderr)
