"""The network itself: what the service, the phones and the worker ask of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, TypeVar

from sqlalchemy.exc import IntegrityError

from rapid_response.core.ids import Ids
from rapid_response.simulator import calls, faults, posts, texts, views
from rapid_response.simulator.forms import ACCOUNT_SID
from rapid_response.simulator.posts import Post, Settled
from rapid_response.simulator.tables import PostKind
from rapid_response.simulator.views import Come, Sent, Thread
from rapid_response.storage.database import Database
from rapid_response.storage.tx import Tx

T = TypeVar("T")

#: Posts a signed form to our webhooks at this path and query; gives status and body, or raises.
PostForm = Callable[[str, Mapping[str, str]], Awaitable[tuple[int, str]]]
HangUpAfter = Literal["answer", "menu", "voicemail"]

#: A provider waits this long for a webhook, all told.
WEBHOOK_SECONDS = 15
_RING_FOR = timedelta(seconds=25)


class NoSuchCall(LookupError):
    """No call to that phone rings or is under way."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A webhook and what it answered; None when nobody did."""

    post: Post
    answer: int | None
    body: str


@dataclass(frozen=True, slots=True)
class _Carried:
    settled: Settled
    next_posts: list[Post]


class SimulatedNetwork:
    """A telephone network whose phones are rows.

    Everything a phone does is durable before our webhook hears of it; :meth:`pump` tells what is due, and any
    number of nodes may pump.
    """

    account_sid = ACCOUNT_SID
    #: What is told of a text that arrives. A network may leave out `sent`: nothing waits for it.
    receipts: Sequence[str] = ("sent", "delivered")

    def __init__(self, database: Database, ids: Ids, service_number: str, post: PostForm) -> None:
        self._database = database
        self._ids = ids
        self._post = post
        self.service_number = service_number

    # the service's side

    async def accept_text(self, token: str, to_number: str, body: str) -> str:
        """Take a text for a phone; receipts follow by themselves. Raises ConnectionError in an outage."""
        sid = self._sid("SM")
        after, receipts = timedelta(), {}
        for status in self.receipts:
            after += self._milliseconds(50, 150)
            receipts[status] = after
        # Its own party: what waits in the service's queues does not wait here.
        await self._database.run(
            lambda tx: texts.take(tx, sid, token, self.service_number, to_number, body, receipts),
            actor="simulator",
            urgent=True,
            together="network",
        )
        return sid

    async def place_call(self, token: str, to_number: str, ring_for: timedelta = _RING_FOR) -> str:
        """Ring a phone; statuses follow by themselves. Raises ConnectionError in an outage."""
        sid = self._sid("CA")
        rings_after = self._milliseconds(50, 150)
        await self._run(
            lambda tx: calls.place(tx, sid, token, self.service_number, to_number, ring_for, rings_after)
        )
        return sid

    async def sent_since(self, to_number: str, since: datetime) -> list[Sent]:
        """What was taken for a phone, newest first."""
        return await self._database.look(lambda connection: views.sent_since(connection, to_number, since))

    async def sent(self, sid: str) -> Sent | None:
        """One text or call that was taken from the service."""
        return await self._database.look(lambda connection: views.sent(connection, sid))

    async def come_since(self, to_number: str, since: datetime) -> list[Come]:
        """What phones sent to a number of the service, newest first; also what its webhook never heard of."""
        return await self._database.look(lambda connection: views.come_since(connection, to_number, since))

    async def is_down(self) -> bool:
        """Whether the network takes nothing."""
        return (await self._database.look(faults.current)).outage

    # the phones' side

    async def reply(self, from_number: str, body: str) -> str:
        """Text the service from a phone. When our webhook fails it is posted again later."""
        sid = self._sid("SM")
        held = await self._run(lambda tx: texts.send(tx, sid, from_number, self.service_number, body))
        await self._carry_on(held)
        return sid

    async def call_hotline(
        self,
        from_number: str,
        transcript: str,
        *,
        keys: str = "",
        hang_up_after: HangUpAfter | None = None,
    ) -> str:
        """Ring the service and leave that voicemail.

        `keys` are pressed at the menus as they come. `hang_up_after`: `answer` at the first word, `menu`
        instead of leaving a message, `voicemail` in the middle of it, so that it cannot be read.
        """
        sid, recording = self._sid("CA"), self._sid("RE")
        held = await self._run(
            lambda tx: calls.ring_service(
                tx,
                sid,
                from_number,
                self.service_number,
                transcript,
                recording,
                keys=keys,
                hang_up_after=hang_up_after or "",
            )
        )
        await self._carry_on(held)
        return sid

    async def answer_call(self, to_number: str, digits: str = "", *, voicemail: bool = False) -> str:
        """Answer the call that rings at a phone and press keys, or press keys in the one under way.

        With `voicemail` a machine answers and presses none. Raises :class:`NoSuchCall`.
        """

        def step(tx: Tx) -> tuple[str, list[Post]]:
            row = calls.live(tx, to_number)
            if row is None:
                raise NoSuchCall("no call to that number rings or is under way")
            keys = "" if voicemail else digits
            return row.sid, calls.answer(tx, row, keys, attended=not voicemail)

        sid, held = await self._run(step)
        await self._tell_all(sid)
        await self._carry_on(held)
        await self._tell_all(sid)
        return sid

    async def hang_up(self, to_number: str) -> str:
        """Hang up, or decline to answer. Raises :class:`NoSuchCall`."""

        def step(tx: Tx) -> str:
            row = calls.live(tx, to_number)
            if row is None:
                raise NoSuchCall("no call to that number rings or is under way")
            calls.hang_up(tx, row)
            return row.sid

        sid = await self._run(step)
        await self._tell_all(sid)
        return sid

    async def redeliver(self, sid: str) -> tuple[int, ...]:
        """Post once more whatever was posted about a text or a call; gives the answers."""
        told = await self._database.look(lambda connection: views.told(connection, sid))
        return tuple([(await self._post(path, form))[0] for path, form in told])

    async def set_faults(
        self,
        number: str | None = None,
        *,
        phone_off: bool | None = None,
        no_receipts: bool | None = None,
        outage: bool | None = None,
    ) -> None:
        """Turn faults on or off for one number, or everywhere; None leaves one as it is."""
        step = partial(
            faults.change,
            number=number or faults.EVERYWHERE,
            phone_off=phone_off,
            no_receipts=no_receipts,
            outage=outage,
        )
        try:
            await self._run(step)
        except IntegrityError:  # another node made the row in the same moment
            await self._run(step)

    # the onlookers' side

    async def messages(self, to_number: str | None = None) -> list[dict[str, str]]:
        """What the service sent (`id`, `to`, `body`, `at`, `status`), oldest first."""
        return await self._database.look(lambda connection: views.messages(connection, to_number))

    async def calls(self, number: str | None = None) -> list[dict[str, Any]]:
        """All calls both ways, oldest first."""
        return await self._database.look(lambda connection: views.calls(connection, number))

    async def threads(self) -> list[Thread]:
        """The phones, the most recently used first."""
        return await self._database.look(views.threads)

    async def faults(self) -> dict[str, dict[str, bool]]:
        """Every number with a fault (`*` is everywhere), and its faults."""
        return await self._database.look(faults.listed)

    # the worker's side

    async def pump(self) -> int:
        """Post every webhook that is due; gives how many rows moved."""
        return await self._pump()

    async def settle(self) -> int:
        """As :meth:`pump`, without waiting for due times; but a phone rings for as long as it rings."""
        return await self._pump(ignoring_due_times=True)

    async def next_due(self) -> datetime | None:
        """When, in real time, :meth:`pump` has something to do."""
        return await self._database.look(views.next_due)

    async def _pump(self, *, sid: str | None = None, ignoring_due_times: bool = False) -> int:
        moved = 0
        told: list[_Told] = []
        while True:
            go_on = partial(_go_on, told=told, sid=sid, ignoring_due_times=ignoring_due_times)
            claimed, telling = await self._run(go_on)
            if not claimed:
                return moved
            moved += claimed
            told = await asyncio.gather(*(self._tell(post) for post in telling))

    async def _tell_all(self, sid: str) -> None:
        """The statuses of one call, at once and in their order: it has gone on since."""
        await self._pump(sid=sid, ignoring_due_times=True)

    async def _carry_on(self, held: Sequence[Post]) -> None:
        """Post held webhooks and those that follow from them; the rest is left to the pump when one fails."""
        waiting = list(held)
        while waiting:
            carried = await self._carry(waiting.pop(0), held=True)
            waiting += carried.next_posts
            if carried.settled is Settled.AGAIN:
                await self._run(partial(posts.release, held=waiting))
                return

    async def _carry(self, post: Post, *, held: bool) -> _Carried:
        told = await self._tell(post)
        return await self._run(partial(_record, told=told, held=held))

    async def _tell(self, post: Post) -> _Told:
        try:
            async with asyncio.timeout(WEBHOOK_SECONDS):
                return _Told(post, *await self._post(post.path, post.form))
        except Exception:  # whatever our webhook did, the other end sees only that nobody answered
            return _Told(post, None, "")

    async def _run(self, step: Callable[[Tx], T]) -> T:
        return await self._database.run(step, actor="simulator")

    def _sid(self, prefix: str) -> str:
        return prefix + self._ids.uuid().replace("-", "")

    def _milliseconds(self, least: int, most: int) -> timedelta:
        return timedelta(milliseconds=least + self._ids.below(most - least + 1))


def _go_on(
    tx: Tx, *, told: Sequence[_Told], sid: str | None, ignoring_due_times: bool
) -> tuple[int, list[Post]]:
    """Write down what was told, and take what is due then, in one commit."""
    for one in told:
        _record(tx, told=one, held=False)
    return _take(tx, sid=sid, ignoring_due_times=ignoring_due_times)


def _take(tx: Tx, *, sid: str | None, ignoring_due_times: bool) -> tuple[int, list[Post]]:
    """Claim what is due and move texts and calls on; gives how many, and which are to be posted."""
    claimed = posts.claim(tx, sid=sid, ignoring_due_times=ignoring_due_times)
    if not claimed:
        return 0, []
    failing = faults.current(tx)
    receipts = [post for post in claimed if post.kind is PostKind.TEXT_STATUS]
    telling = texts.advance(tx, receipts, failing) if receipts else []
    for post in claimed:
        if post.kind in (PostKind.CALL_STATUS, PostKind.GIVE_UP):
            status = calls.advance(tx, post, failing)
            telling += [status] if status else []
        elif post.kind is not PostKind.TEXT_STATUS:
            telling.append(post)
    return len(claimed), telling


def _record(tx: Tx, *, told: _Told, held: bool) -> _Carried:
    """Settle a webhook, and decide what its answer leads to in the same commit."""
    post, answer, body = told.post, told.answer, told.body
    settled = posts.settle(tx, post, answer)
    followed: list[Post] = []
    if settled in (Settled.TOLD, Settled.GIVEN_UP):
        if post.kind is PostKind.INBOUND_TEXT:
            texts.heard(tx, post.sid, answer)
        elif post.kind is PostKind.TALK:
            said = body if answer is not None and 200 <= answer < 300 else None
            followed = calls.follow(tx, post, said, held=held)
    return _Carried(settled, followed)
