"""`retention`: what is kept for longer than its time, as a dry run, or erased now."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rapid_response.storage.database import Database


def retention(
    dry_run: Annotated[
        bool, typer.Option("--dry-run/--erase", help="Count only (as by default), or erase now.")
    ] = True,
) -> None:
    """Say what is kept for longer than its time; with --erase, erase it. Legal holds are never touched."""
    from rapid_response.cli.opening import opened
    from rapid_response.console.words import plain
    from rapid_response.definition.durations import in_words, months_in_words
    from rapid_response.settings import read_settings
    from rapid_response.steps.retention import standing

    with opened(read_settings()) as database:
        if not dry_run:
            print(f"Erased: {_erase(database)}.")
        now = database.clock.now()
        found = database.look_now(lambda c: standing(c, now))
    for kind, count in found.cases.items():
        print(f"{plain(kind)}, kept {months_in_words(found.kept.cases[kind])}: {count}")
    told = months_in_words(found.kept.notifications)
    print(f"What partners only told us, kept {told}: {found.notifications}")
    print(f"Words of texts to us, kept {in_words(found.kept.texts)}: {found.texts}")
    print(f"Stay, although their time is over: {found.held} held, {found.owed} with an open task")


def _erase(database: Database) -> int:
    from rapid_response.steps.retention import due, erase, erase_the_rest

    now, erased = database.clock.now(), 0
    while some := database.look_now(lambda c: due(c, now)):
        done = [database.run_now(partial(erase, incident_id=one.incident_id)) for one in some]
        if not any(done):
            break
        erased += sum(kind is not None for kind in done)
    while more := database.run_now(erase_the_rest):
        erased += more
    return erased
