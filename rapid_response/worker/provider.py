"""Asking the provider something, which may take its time, and fail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import structlog

from rapid_response.messaging.gateway import CannotAsk

logger = structlog.get_logger("worker")

T = TypeVar("T")

#: What the provider does not answer in this time is unknown (its own time-outs are shorter).
ANSWERS_WITHIN_SECONDS = 20.0


async def ask(question: Awaitable[T]) -> T | None:
    """The provider's answer; None when it could not be asked, which is not "there is none"."""
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
            return await question
    except Exception as error:  # it is asked again
        logger.warning("provider_not_asked", why=why(error))
        return None


def why(error: Exception) -> str:
    """What is said of an error in the log: never its words."""
    return error.error_class if isinstance(error, CannotAsk) else type(error).__name__
