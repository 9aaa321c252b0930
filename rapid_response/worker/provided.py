"""What the provider has of ours: texts whose webhook was lost, and words that it need not keep."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

import structlog

from rapid_response.messaging import breaker
from rapid_response.messaging.breaker import Heard
from rapid_response.messaging.gateway import CannotAsk, Gateway
from rapid_response.steps import blanking, catch_up, holding
from rapid_response.steps.blanking import Where, Words
from rapid_response.steps.catch_up import Listing
from rapid_response.steps.desk import Desk
from rapid_response.storage.database import Database
from rapid_response.worker.provider import ANSWERS_WITHIN_SECONDS, ask, why

logger = structlog.get_logger("worker")

#: So long a minute may be spent on words that the provider need not keep.
_BLANKING_SECONDS = 20.0
#: What a refusal may say of the provider, whatever it was asked to let go.
_OF_ALL = (Heard.BUSY, Heard.DOWN, Heard.ACCOUNT)


class Provided:
    """Fetches what we missed, and has the rest deleted.

    `blank_after` so long the provider keeps no words of texts, `erase_after` so long no voicemails.
    """

    def __init__(
        self,
        database: Database,
        desk: Desk,
        gateway: Gateway,
        *,
        blank_after: timedelta | None,
        erase_after: timedelta | None,
    ) -> None:
        self.gateway = gateway
        self._database = database
        self._desk = desk
        self._blank_after, self._erase_after = blank_after, erase_after

    async def catch_up(self) -> int:
        """Look for texts whose webhook was lost; gives how many were found."""
        numbers = self.gateway.our_numbers
        due = await self._database.run(partial(catch_up.claim, desk=self._desk, numbers=numbers))
        found = await asyncio.gather(*(self._list(listing) for listing in due))
        return sum(found)

    async def _list(self, listing: Listing) -> int:
        texts = await ask(self.gateway.list_inbound(listing.number, listing.since))
        new = await self._database.run(
            partial(catch_up.record, desk=self._desk, listing=listing, found=texts)
        )
        if new:
            logger.warning("lost_webhooks", texts=new)
        return new

    async def blank_old_words(self) -> int:
        """See that the provider keeps no old words; gives of how many texts and voicemails.

        The rest goes next time; what the provider does not let go, a while later.
        """
        if self._blank_after is None and self._erase_after is None:
            return 0
        look = partial(
            blanking.due, desk=self._desk, blank_after=self._blank_after, erase_after=self._erase_after
        )
        gone: list[Words] = []
        refused: list[Words] = []
        nothing: list[Words] = []
        began = asyncio.get_running_loop().time()
        for words in await self._database.run(partial(holding.unless_held, look=look, nothing=nothing)):
            if asyncio.get_running_loop().time() - began > _BLANKING_SECONDS:
                break
            try:
                async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
                    await self._let_go(words)
            except Exception as error:  # it is tried again
                logger.warning("words_not_blanked", why=why(error))
                if _is_of_all(error):
                    break
                refused.append(words)
            else:
                gone.append(words)
        await self._database.run(partial(blanking.done, gone=gone, refused=refused))
        return len(gone)

    async def _let_go(self, words: Words) -> None:
        for sid in words.sids:
            if words.where is Where.VOICEMAIL:
                await self.gateway.erase(sid)
            else:
                await self.gateway.blank(sid)


def _is_of_all(error: Exception) -> bool:
    """Whether the next would be refused as well: it says nothing of this one."""
    return isinstance(error, CannotAsk) and breaker.of_class(error.error_class) in _OF_ALL
