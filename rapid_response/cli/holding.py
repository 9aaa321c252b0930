"""`hold` and `release`: nothing leaves the service, until somebody lets go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import timedelta

    from rapid_response.steps.holding import Letting, Waiting


def hold() -> None:
    """Hold all messages and deadlines until `release`: after pg_restore, before any node is started."""
    from rapid_response.cli.opening import opened
    from rapid_response.settings import read_settings
    from rapid_response.steps import holding

    with opened(read_settings()) as database:
        database.run_now(holding.hold)
    print("Messages and deadlines are HELD until `rapid-response release`. Ring people yourself meanwhile.")


def release(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; let nothing go.")] = False,
) -> None:
    """Let messages go: what is stale is dropped, and what is overdue is done before anything is sent."""
    from functools import partial

    from rapid_response.cli.opening import opened
    from rapid_response.settings import read_settings
    from rapid_response.steps import holding

    with opened(read_settings()) as database:
        letting = database.run_now(partial(holding.release, dry_run=dry_run))
    for line in _lines(letting, dry_run):
        print(line)


def _lines(letting: Letting, dry_run: bool) -> list[str]:
    said = [
        f"{'Would go' if dry_run else 'Go'}: {_waiting(letting.will_go)}.",
        f"Looked up with the provider first: {_waiting(letting.looked_up)}.",
        f"{'Would be dropped' if dry_run else 'Dropped'} as stale: {_waiting(letting.stale)}.",
        f"Overdue deadlines that ring before anything is sent, most dangerous first: {letting.overdue}.",
    ]
    said.append(
        "Nothing was released." if dry_run else "Released: a node that serves does it now, or when it starts."
    )
    return said


def _waiting(waiting: Waiting) -> str:
    if not waiting.count:
        return "no message"
    noun = "message" if waiting.count == 1 else "messages"
    newest, oldest = _age(waiting.newest), _age(waiting.oldest)
    return (
        f"{waiting.count} {noun}, {oldest} old"
        if newest == oldest
        else f"{waiting.count} {noun}, {newest} to {oldest} old"
    )


def _age(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
