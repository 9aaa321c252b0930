"""`verify-log`."""

from __future__ import annotations

from rapid_response.cli.refusals import Refused


def verify_log() -> None:
    """Check the tamper-evident event chains and seals; exit 1 and the first broken link if one fails."""
    from rapid_response.cli.opening import opened
    from rapid_response.settings import read_settings
    from rapid_response.storage.log import verify

    with opened(read_settings()) as database:
        verdict = database.look_now(verify)
    if verdict.broken is not None:
        raise Refused(
            f"The log does not hold: the first broken link is {verdict.broken}. "
            "Keep the database as it is, and compare it with a backup and the anchored seals."
        )
    found = [(verdict.events, "event"), (verdict.streams, "chain"), (verdict.seals, "seal")]
    events, chains, seals = (f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in found)
    print(f"The log holds: {events} in {chains}, {seals}.")
    if verdict.last_root is not None:
        print(f"Last seal: {verdict.seals} {verdict.last_root}")
