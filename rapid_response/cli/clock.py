"""`clock`: the clocks that the promise goes by, and a person's word that they are right."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer


def clock(
    confirm: Annotated[
        bool, typer.Option("--confirm", help="I have looked, and this machine's clock is right now.")
    ] = False,
) -> None:
    """Show this machine's clock and the jumps that nobody has confirmed; with --confirm, confirm them."""
    from rapid_response.cli.opening import opened
    from rapid_response.cli.refusals import Refused
    from rapid_response.settings import read_settings
    from rapid_response.steps import clockwatch

    settings = read_settings()
    with opened(settings) as database:
        steps = database.look_now(clockwatch.open_faults)
        confirmed = database.run_now(clockwatch.confirm) if confirm else 0
        real = database.clock.real()
    print(f"The clock says {_local(real.astimezone(settings.time_zone))}.")
    for seconds in steps:
        print(f"It jumped by {seconds:+,.0f} seconds.")
    if confirm:
        print(f"Confirmed: {confirmed}. Nodes go by the clock again within a minute.")
    elif steps:
        raise Refused(
            "Compare it with another clock, put it right, then run `rapid-response clock --confirm`; until "
            "then nothing is deleted for its age."
        )


def _local(at: datetime) -> str:
    return f"{at:%A %d %B %Y %H:%M:%S %Z}"
