"""`doctor`: what stands between this installation and its promise, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rapid_response.cli.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rapid_response.cli.examining import Finding
    from rapid_response.settings import Settings


def doctor() -> int:
    """Say what stands between this service and its promise; exit 1 if it could not keep it."""
    from rapid_response.cli.examining import Level
    from rapid_response.settings import read_settings

    failed = False
    for finding in _findings(read_settings()):
        print(f"{finding.level}: {finding.sentence}", flush=True)
        failed = failed or finding.level is Level.FAIL
    return Refused.NOT_SO if failed else 0


def _findings(settings: Settings) -> Iterator[Finding]:
    """From the ground up; what stands on something broken is not looked at."""
    from rapid_response.cli.examining import Level, database, installation, provider, reach, service, work
    from rapid_response.cli.opening import raw

    yield from installation.examine(settings)
    yield from provider.examine(settings)
    missing = database.examine_file(settings)
    if missing is not None:
        yield missing
        return
    with raw(settings) as found:
        usable = True
        for finding in database.examine(found):
            usable = usable and finding.level is not Level.FAIL
            yield finding
        if not usable:
            return
        yield from database.examine_clock(found)
        yield from service.examine(found, settings)
        yield from reach.examine(found, settings)
        yield from work.examine(found)
