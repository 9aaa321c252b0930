"""The pace towards a provider: one bucket a sender, shared by all nodes, in real time; pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from rapid_response.core.clock import is_reached

#: One text, less what sums of fractions may lack.
ONE = 1.0 - 1e-6


def filled(tokens: float, filled_at: datetime | None, per_second: float, now: datetime) -> float:
    """How many texts may go now: what was left, and what has come in since, at most a second's worth."""
    most = max(1.0, per_second)
    fills_in = timedelta(seconds=most / per_second)
    if filled_at is None or is_reached(filled_at + fills_in, now, fills_in):
        return most
    since = max(0.0, (now - filled_at).total_seconds())
    return min(most, tokens + since * per_second)


def free_at(tokens: float, filled_at: datetime | None, per_second: float, now: datetime) -> datetime:
    """When the next text may go."""
    lacking = ONE - filled(tokens, filled_at, per_second, now)
    # A tick more than computed, lest it be asked for a microsecond early.
    return now if lacking <= 0 else now + timedelta(seconds=lacking / per_second, milliseconds=1)
