"""Handing in what the desk's mailbox is to get."""

from __future__ import annotations

from functools import partial

import structlog

from rapid_response.messaging.mail import Mailer, MailFailed
from rapid_response.steps import holding, mailing
from rapid_response.storage.database import Database

logger = structlog.get_logger("worker")


class Post:
    """Sends mail."""

    def __init__(self, database: Database, mailer: Mailer) -> None:
        self._database = database
        self._mailer = mailer

    async def close(self) -> None:
        """Let go of its connection."""
        await self._mailer.close()

    async def send(self) -> int:
        """Hand in the next one; no other loop waits for it."""
        claimed = await self._database.run(partial(holding.unless_held, look=mailing.claim, nothing=None))
        if claimed is None:
            return 0
        try:
            await self._mailer.send(claimed.mail)
        except MailFailed as error:
            said = str(error)
            logger.warning("mail_failed", error=said)
            if await self._database.run(partial(mailing.failed, claimed=claimed, error=said)):
                logger.error("mail_parked", error=said)
            return 1
        await self._database.run(partial(mailing.sent, claimed=claimed))
        return 1
