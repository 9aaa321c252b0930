"""The provider's webhooks: signed, stored, committed, answered; what follows is done by the worker.

Paths and fields are Twilio's, and the simulator's, which speaks the same. Only a bad signature is refused
(403, without a word); everything genuine is answered, also twice, late and in the wrong order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from rapid_response.core.text import storable
from rapid_response.core.vocabulary import Channel
from rapid_response.intake.reading.port import Reading
from rapid_response.messaging import hotline as words
from rapid_response.messaging import wording
from rapid_response.steps import hotline, inbound, receipts, spoken
from rapid_response.steps.desk import Desk
from rapid_response.storage.database import Database
from rapid_response.storage.failures import DatabaseUnavailable
from rapid_response.storage.jobs import looks_itself
from rapid_response.webhooks import twiml
from rapid_response.webhooks.signature import Verifier, WebhookRefused

logger = structlog.get_logger("webhooks")

BASE = "/webhooks/twilio"
#: Somebody is on the line and hears nothing meanwhile.
_ANSWER_WITHIN_SECONDS = 2.0
_MOST_HOLDS = 2
router = APIRouter(prefix=BASE, include_in_schema=False)


class Hooks:
    """What the webhooks work on; put into the application's state by the composition root."""

    def __init__(self, database: Database, desk: Desk, verifier: Verifier, fragment: str = "") -> None:
        self.database = database
        self.desk = desk
        self._verifier = verifier
        self._fragment = f"#{fragment}" if fragment else ""

    async def form(self, request: Request) -> Mapping[str, str]:
        """The genuine form of a request; raises :class:`WebhookRefused`."""
        return dict(await self._verifier.read(request))

    def address(self, path: str, **query: str | int) -> str:
        """The public address of one of these webhooks, for a document: BASE_URL may have a path of its own.

        The fragment tells the provider how often to try: a voicemail is asked about once, and must not be
        lost to a restart.
        """
        asked = urlencode({name: value for name, value in query.items() if value})
        return f"{self.desk.base_url}{BASE}{path}{'?' if asked else ''}{asked}{self._fragment}"

    def read(self, text: str) -> Reading:
        """What words left on the hotline say."""
        now = self.database.clock.now()
        return self.desk.reader.read(text, channel=Channel.VOICEMAIL, received_at=now, zone=self.desk.zone)


class Genuine:
    """One signed request: its form, and the service it came to."""

    def __init__(self, hooks: Hooks, form: Mapping[str, str]) -> None:
        self.hooks = hooks
        self.form = form

    def field(self, name: str) -> str:
        """A field, or nothing."""
        return self.form.get(name, "")

    async def run(self, step: Any, together: str | None = None) -> Any:
        """Run a step as the provider; each finds by the provider's own id what it did before."""
        return await self.hooks.database.run(step, actor="provider", stored=looks_itself, together=together)

    async def run_or_hold(self, step: Any, again: Callable[..., str], *, held: int) -> Any:
        """The same where somebody listens to silence meanwhile; raises :class:`Hold` if it takes long.

        `again` makes the address at which the same is asked once more.
        """
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_SECONDS):
                return await self.run(step)
        except (TimeoutError, DatabaseUnavailable) as error:
            if isinstance(error, DatabaseUnavailable):
                logger.error("database_unavailable", error=type(error).__name__, **error.for_log())
            if held >= _MOST_HOLDS:  # the provider's fallback document takes the call
                raise
            raise Hold(again(held=held + 1)) from error


class Hold(Exception):
    """There is no answer yet: the caller is asked to wait, and the same is asked again."""

    def __init__(self, ask_again_at: str) -> None:
        super().__init__(ask_again_at)
        self.ask_again_at = ask_again_at


def please_hold(_request: Request, error: Exception) -> Response:
    """What a caller hears while the database is slow."""
    if not isinstance(error, Hold):
        return Response(status_code=503)
    return _spoken(twiml.say_and_ask_again(words.PLEASE_HOLD, at=error.ask_again_at))


async def _genuine(request: Request) -> Genuine:
    hooks: Hooks = request.app.state.hooks
    return Genuine(hooks, await hooks.form(request))


Signed = Annotated[Genuine, Depends(_genuine)]
Token = Annotated[str, Query(alias="a", max_length=64)]
_LONGEST_KEPT = 20
#: How many keys were pressed before; how often she was asked to hold, and what waits meanwhile: a key, or how
#: a call to the desk ended.
Pressed = Annotated[int, Query(alias="k", ge=0, le=99)]
Held = Annotated[int, Query(ge=0, le=9)]
Kept = Annotated[str, Query(alias="d", max_length=_LONGEST_KEPT)]


def refused(_request: Request, error: Exception) -> Response:
    """A webhook that is not genuine gets its status and no word; why, is for our own log."""
    status = error.status if isinstance(error, WebhookRefused) else 403
    logger.warning("webhook_refused", status=status, reason=str(error))
    return Response(status_code=status)


def _spoken(document: str) -> Response:
    return Response(document, media_type=twiml.MEDIA_TYPE)


@router.post("/sms")
async def text_in(hook: Signed) -> Response:
    """A text reached one of our numbers."""
    await hook.run(
        partial(
            inbound.take_text,
            desk=hook.hooks.desk,
            sid=hook.field("MessageSid") or hook.field("SmsSid"),
            from_number=hook.field("From"),
            to_number=hook.field("To"),
            body=hook.field("Body"),
            opt_out_type=hook.field("OptOutType"),
            has_media=hook.field("NumMedia") not in ("", "0"),
        )
    )
    return _spoken(twiml.nothing())


@router.post("/sms/status")
async def text_status(hook: Signed, token: Token = "") -> Response:
    """What became of a text of ours."""
    await _receipt(hook, "text", token, hook.field("MessageSid"), hook.field("MessageStatus"))
    return Response(status_code=204)


@router.post("/voice/status")
async def call_status(hook: Signed, token: Token = "") -> Response:
    """What became of a call, ours or to us."""
    sid, status = hook.field("CallSid"), hook.field("CallStatus")
    if token:
        await _receipt(hook, "call", token, sid, status)
    else:
        await hook.run(partial(hotline.ended, desk=hook.hooks.desk, sid=sid, status=status))
    return Response(status_code=204)


async def _receipt(hook: Genuine, kind: str, token: str, sid: str, status: str) -> None:
    number = hook.field("SequenceNumber")
    told = receipts.Told(
        token=token,
        sid=sid[:64],
        status=status[:30],
        error_code=hook.field("ErrorCode")[:20],
        sequence_no=int(number) if number.isdigit() and len(number) < 9 else -1,
        kind=kind,
    )
    await hook.run(partial(receipts.record, desk=hook.hooks.desk, told=told), together="receipts")


@router.post("/voice")
async def ring_in(hook: Signed, held: Held = 0) -> Response:
    """Somebody rings the hotline: a row first, then the greeting with 999 in it."""
    answer = partial(
        hotline.answer,
        desk=hook.hooks.desk,
        sid=hook.field("CallSid"),
        from_number=hook.field("From"),
        to_number=hook.field("To"),
    )
    number = await hook.run_or_hold(answer, partial(hook.hooks.address, "/voice"), held=held)
    return _spoken(
        twiml.hotline_greeting(
            words.GREETING,
            keys_to=hook.hooks.address("/voice/keys"),
            before_tone=words.BEFORE_TONE,
            message_to=hook.hooks.address("/voice/voicemail"),
            transcription_to=hook.hooks.address("/voice/transcription"),
            desk=_desk(hook, number),
        )
    )


def _desk(hook: Genuine, number: str | None) -> twiml.Desk | None:
    if number is None:
        return None
    return twiml.Desk(number, words.PUTTING_THROUGH, hook.hooks.address("/voice/desk"))


def _leave_message(hook: Genuine, *before: str) -> Response:
    return _spoken(
        twiml.leave_message(
            (*before, *words.BEFORE_TONE),
            message_to=hook.hooks.address("/voice/voicemail"),
            transcription_to=hook.hooks.address("/voice/transcription"),
        )
    )


@router.post("/voice/keys")
async def key_pressed(hook: Signed, held: Held = 0, kept: Kept = "") -> Response:
    """A key at the menu; any leads to the desk, where one is rung, else to the message."""
    digits = hook.field("Digits") or kept
    press = partial(hotline.press, desk=hook.hooks.desk, sid=hook.field("CallSid"), digits=digits)
    again = partial(hook.hooks.address, "/voice/keys", d=digits[:_LONGEST_KEPT])
    number = await hook.run_or_hold(press, again, held=held)
    desk = _desk(hook, number)
    return _spoken(twiml.put_through(desk)) if desk is not None else _leave_message(hook)


@router.post("/voice/desk")
async def desk_rung(hook: Signed, held: Held = 0, kept: Kept = "") -> Response:
    """The desk's phone was rung for a caller: the call is over, or she leaves a message."""
    ended = hook.field("DialCallStatus") or kept
    step = partial(hotline.put_through, desk=hook.hooks.desk, sid=hook.field("CallSid"), how_it_ended=ended)
    again = partial(hook.hooks.address, "/voice/desk", d=ended[:_LONGEST_KEPT])
    spoke = await hook.run_or_hold(step, again, held=held)
    if spoke:
        return _spoken(twiml.say_and_hang_up(()))
    return _leave_message(hook, *words.NOBODY_FREE)


@router.post("/voice/voicemail")
async def message_left(hook: Signed) -> Response:
    """A message was left: a report is raised at once, whatever becomes of the transcript."""
    blank = hook.hooks.read(words.NO_WORDS_YET)
    await hook.run(
        partial(
            hotline.message_left,
            desk=hook.hooks.desk,
            sid=hook.field("CallSid"),
            reading=blank,
            recording=hook.field("RecordingSid"),
            from_number=hook.field("From"),
            to_number=hook.field("To"),
        )
    )
    return _spoken(twiml.say_and_hang_up(words.THANKS))


@router.post("/voice/transcription")
async def words_known(hook: Signed) -> Response:
    """The words of a message; none, or unreadable ones, say that there is one."""
    try:
        text = storable(hook.field("TranscriptionText"))[:20_000]
    except ValueError:
        text = ""
    blank = hook.hooks.read(words.NO_WORDS_YET)
    await hook.run(
        partial(
            hotline.words_known,
            desk=hook.hooks.desk,
            sid=hook.field("CallSid"),
            words=text,
            reading=hook.hooks.read(text) if text else blank,
            blank=blank,
            recording=hook.field("RecordingSid"),
            from_number=hook.field("From"),
            to_number=hook.field("To"),
            transcription=hook.field("TranscriptionSid"),
        )
    )
    return Response(status_code=204)


@router.post("/voice/offer")
async def speak(
    hook: Signed, token: Token = "", pressed: Pressed = 0, held: Held = 0, kept: Kept = ""
) -> Response:
    """A call of ours was answered, or a key was pressed in it."""
    digits = hook.field("Digits") or kept
    turn = partial(spoken.converse, desk=hook.hooks.desk, token=token, digits=digits, pressed=pressed)
    here = partial(hook.hooks.address, "/voice/offer", a=token)
    said = await hook.run_or_hold(turn, partial(here, k=pressed, d=digits), held=held)
    if said.asks:
        return _spoken(
            twiml.ask_for_key(
                said.sentences, keys_to=here(k=said.pressed), goodbye=(wording.spoken_goodbye(),)
            )
        )
    return _spoken(twiml.say_and_hang_up(said.sentences))


@router.post("/{elsewhere:path}")
async def not_here(hook: Signed) -> Response:
    """Another address below ours, a closing slash included: never sent on, which would lose the form."""
    return Response(status_code=404)
