"""Whether people can be reached: numbers that stopped our texts, fail, or were never confirmed."""

from __future__ import annotations

from collections.abc import Iterator

from rapid_response.cli.examining import Finding, fail, ok, warn
from rapid_response.core.definition import ServiceDefinition
from rapid_response.messaging.proof import Proof
from rapid_response.settings import Settings
from rapid_response.steps import proving, readiness
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
    yield from _whose(database, definition, settings)


def _whose(database: Database, definition: ServiceDefinition, settings: Settings) -> Iterator[Finding]:
    """Numbers that may be somebody else's; with real phones also those that nobody has confirmed yet."""
    now = database.clock.now()
    proofs = database.look_now(lambda c: proving.to_confirm(proving.standings(c, definition, now)))
    for standing in proofs:
        if standing.proof is not Proof.NEVER:
            yield warn(standing.sentence)
    never = sorted({s.responder_id for s in proofs if s.proof is Proof.NEVER})
    if never and settings.has_real_provider:
        yield warn(
            f"Not confirmed by a code that the numbers are theirs: {', '.join(never)}. "
            "Send them one on the page Phone numbers."
        )
