"""Every command there is, in the order of `--help`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from rapid_response import __version__
from rapid_response.cli import (
    classify,
    clock,
    copies,
    doctor,
    evaluate,
    holding,
    keys,
    migrate,
    open_sheet,
    report,
    retention,
    serve,
    service,
    users,
    verify_log,
    wards,
)

commands = typer.Typer(
    name="rapid-response",
    help="Rapid-response dispatcher for doorstep crime and scams.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"rapid-response {__version__}")
        raise typer.Exit


@commands.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Say which release this is."
    ),
) -> None:
    """Rapid-response dispatcher for doorstep crime and scams."""


def _add(name: str, command: Callable[..., Any], short: str) -> None:
    commands.command(name, short_help=short)(command)


_add("serve", serve.serve, "Serve the web app and webhooks, and keep the promise.")
_add("migrate", migrate.migrate, "Bring the database to the newest schema.")
_add("load", service.load, "Create or update the service definition.")
_add("load-wards", wards.load_wards, "Load the ward of each postcode from a CSV.")
_add("export-service", service.export_service, "Print the service definition.")
commands.add_typer(
    users.commands,
    name="users",
    short_help="Local accounts: add, list, role, password, disable.",
)
commands.add_typer(keys.commands, name="keys", short_help="API keys: add, list, revoke.")
_add("classify", classify.classify, "Read reports as JSON lines, and say what they are.")
_add("evaluate", evaluate.evaluate, "How well the reader reads a file of labelled reports.")
_add("report", report.report, "The board report of a month, quarter or year.")
_add("open-sheet", open_sheet.open_sheet, "Print the sheet of open incidents.")
_add("retention", retention.retention, "What is kept for too long; erase it.")
_add("backup", copies.backup, "Copy the database while it is served.")
_add("restore", copies.restore, "Put a copy back, with messages held.")
_add("hold", holding.hold, "Hold all messages and deadlines.")
_add("release", holding.release, "Let messages and deadlines go.")
_add("clock", clock.clock, "Show the clock's jumps, or confirm it.")
_add("verify-log", verify_log.verify_log, "Check the tamper-evident log.")
_add("doctor", doctor.doctor, "Say what could break the promise.")
