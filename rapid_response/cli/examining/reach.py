"""Whether people can be reached: numbers that stopped our texts, fail, or were never confirmed."""

from __future__ import annotations

from collections.abc import Iterator

from rapid_response.cli.examining import Finding, fail, ok, warn
from rapid_response.settings import Settings
from rapid_response.steps import readiness
from rapid_response.steps.readiness import Trouble
from rapid_response.steps.service import stored_definition
from rapid_response.storage.database import Database


def examine(database: Database, settings: Settings) -> Iterator[Finding]:
    """What is known against the numbers of the service in force, and against the ways out."""
    now, zone = database.clock.now(), settings.time_zone
    for alarm in database.look_now(lambda c: list(readiness.alarms(c, now, zone))):
        yield fail(alarm)
    definition = database.look_now(lambda c: stored_definition(c, zone))
    if definition is None:
        return
    found = database.look_now(lambda c: readiness.findings(c, definition))
    known = [f for f in found if f.trouble is not Trouble.NEVER_CONFIRMED]
    for finding in known:
        yield warn(finding.sentence)
    if not known:
        yield ok("No number is known to refuse our texts or calls.")
    new = sorted({f.responder_id for f in found if f.trouble is Trouble.NEVER_CONFIRMED})
    if new and settings.has_real_provider:
        yield warn(
            f"No text of ours has ever arrived at: {', '.join(new)}. Text them once before they are needed."
        )
