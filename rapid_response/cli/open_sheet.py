"""`open-sheet`: the printable sheet of open incidents, for when the screens are gone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rapid_response.cli.refusals import usage

if TYPE_CHECKING:
    from rapid_response.settings import Settings
    from rapid_response.storage.database import Database


def open_sheet(
    output: Annotated[Path | None, typer.Option(help="Write to this file, not to standard output.")] = None,
    with_addresses: Annotated[
        bool, typer.Option("--with-addresses", help="Victims' addresses, too: only if the screens are gone.")
    ] = False,
) -> None:
    """Print the sheet of open incidents, as HTML that needs nothing beside it."""
    from rapid_response.audit.sheet import save
    from rapid_response.cli.opening import opened
    from rapid_response.settings import read_settings

    settings = read_settings()
    with opened(settings) as database:
        html = made(database, settings, with_addresses=with_addresses)
    if output is None:
        print(html)
    else:
        try:
            save(output, html)
        except OSError as error:
            raise usage(f"{output} could not be written ({error.strerror}): name another file.") from None
        print(f"Written to {output}. Shred what is printed at the end of the shift.", file=sys.stderr)


def made(database: Database, settings: Settings, *, with_addresses: bool = False) -> str:
    """The sheet, as HTML."""
    from rapid_response.audit.sheet import new_serial, read_sheet, to_html

    now, zone = database.clock.now(), settings.time_zone
    serial = new_serial(database.ids, now, zone)
    return to_html(
        database.look_now(lambda c: read_sheet(c, now, zone, serial, with_addresses=with_addresses))
    )
