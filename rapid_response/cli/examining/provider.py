"""The provider, asked over the network: credentials, numbers, region, and where it sends what comes in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from rapid_response.assembly import twilio_gateway
from rapid_response.cli.examining import Finding, fail, ok
from rapid_response.core.clock import SystemClock
from rapid_response.settings import Settings


def examine(settings: Settings) -> Iterator[Finding]:
    """What Twilio says of itself and of us; nothing is asked while messages are simulated."""
    if not settings.has_real_provider:
        return
    host, numbers, found = asyncio.run(_ask(settings))
    for sentence in found:
        yield fail(sentence)
    if not found:
        yield ok(f"{host} knows the account, and passes on to this service what comes in on {numbers}.")


async def _ask(settings: Settings) -> tuple[str, str, list[str]]:
    # Against real time: how a fast clock of the service stands is another finding.
    gateway = twilio_gateway(settings, SystemClock(), is_logged=False)
    try:
        found = await gateway.check()
        return gateway.host, " and ".join(gateway.our_numbers), found
    finally:
        await gateway.aclose()
