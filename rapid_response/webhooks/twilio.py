"""The provider's webhooks: signed, stored, committed, answered; what follows is done by the worker.

Paths and fields are Twilio's, and the simulator's, which speaks the same. Only a bad signature is refused
(403, without a word); everything genuine is answered, also twice, late and in the wrong order.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from rapid_response.core.text import clean_text
from rapid_response.core.vocabulary import Channel
from rapid_response.intake.reading.port import Reading
from rapid_response.messaging import hotline as words
from rapid_response.steps import hotline, inbound, sending, spoken
from rapid_response.steps.desk import Desk
from rapid_response.storage.database import Database, looks_itself
from rapid_response.webhooks import twiml
from rapid_response.webhooks.signature import Verifier, WebhookRefused

BASE = "/webhooks/twilio"
router = APIRouter(prefix=BASE, include_in_schema=False)


class Hooks:
    """What the webhooks work on; put into the application's state by the composition root."""

    def __init__(self, database: Database, desk: Desk, verifier: Verifier) -> None:
        self.database = database
        self.desk = desk
        self._verifier = verifier

    async def form(self, request: Request) -> Mapping[str, str]:
        """The genuine form of a request; raises :class:`WebhookRefused`."""
        return dict(await self._verifier.read(request))

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

    async def run(self, step: Any) -> Any:
        """Run a step as the provider; each finds by the provider's own id what it did before."""
        return await self.hooks.database.run(step, actor="provider", stored=looks_itself)


async def _genuine(request: Request) -> Genuine:
    hooks: Hooks = request.app.state.hooks
    return Genuine(hooks, await hooks.form(request))


Signed = Annotated[Genuine, Depends(_genuine)]
Token = Annotated[str, Query(alias="a", max_length=64)]


def refused(_request: Request, error: Exception) -> Response:
    """A webhook that is not genuine gets its status and no word."""
    return Response(status_code=error.status if isinstance(error, WebhookRefused) else 403)


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
        )
    )
    return _spoken(twiml.nothing())


@router.post("/sms/status")
async def text_status(hook: Signed, token: Token = "") -> Response:
    """What became of a text of ours."""
    await _receipt(hook, token, hook.field("MessageSid"), hook.field("MessageStatus"))
    return Response(status_code=204)


@router.post("/voice/status")
async def call_status(hook: Signed, token: Token = "") -> Response:
    """What became of a call, ours or to us."""
    sid, status = hook.field("CallSid"), hook.field("CallStatus")
    if token:
        await _receipt(hook, token, sid, status)
    else:
        await hook.run(partial(hotline.ended, desk=hook.hooks.desk, sid=sid, status=status))
    return Response(status_code=204)


async def _receipt(hook: Genuine, token: str, sid: str, status: str) -> None:
    number = hook.field("SequenceNumber")
    await hook.run(
        partial(
            sending.record_receipt,
            desk=hook.hooks.desk,
            token=token,
            sid=sid[:64],
            status=status[:30],
            error_code=hook.field("ErrorCode")[:20],
            sequence_no=int(number) if number.isdigit() and len(number) < 9 else -1,
        )
    )


@router.post("/voice")
async def ring_in(hook: Signed) -> Response:
    """Somebody rings the hotline: a row first, then the greeting with 999 in it."""
    await hook.run(
        partial(
            hotline.answer,
            desk=hook.hooks.desk,
            sid=hook.field("CallSid"),
            from_number=hook.field("From"),
            to_number=hook.field("To"),
        )
    )
    return _spoken(
        twiml.hotline_greeting(
            words.GREETING,
            keys_to=f"{BASE}/voice/keys",
            before_tone=words.BEFORE_TONE,
            message_to=f"{BASE}/voice/voicemail",
            transcription_to=f"{BASE}/voice/transcription",
        )
    )


@router.post("/voice/keys")
async def key_pressed(hook: Signed) -> Response:
    """A key at the menu; any leads to the message."""
    await hook.run(
        partial(hotline.press, desk=hook.hooks.desk, sid=hook.field("CallSid"), digits=hook.field("Digits"))
    )
    return _spoken(
        twiml.leave_message(
            words.BEFORE_TONE,
            message_to=f"{BASE}/voice/voicemail",
            transcription_to=f"{BASE}/voice/transcription",
        )
    )


@router.post("/voice/voicemail")
async def message_left(hook: Signed) -> Response:
    """A message was left: a report is raised at once, whatever becomes of the transcript."""
    blank = hook.hooks.read(words.NO_WORDS_YET)
    await hook.run(
        partial(hotline.message_left, desk=hook.hooks.desk, sid=hook.field("CallSid"), reading=blank)
    )
    return _spoken(twiml.say_and_hang_up(words.THANKS))


@router.post("/voice/transcription")
async def words_known(hook: Signed) -> Response:
    """The words of a message; none, or unreadable ones, change nothing."""
    try:
        text = clean_text(hook.field("TranscriptionText"))[:20_000]
    except ValueError:
        return Response(status_code=204)
    await hook.run(
        partial(
            hotline.words_known,
            desk=hook.hooks.desk,
            sid=hook.field("CallSid"),
            words=text,
            reading=hook.hooks.read(text),
            blank=hook.hooks.read(words.NO_WORDS_YET),
        )
    )
    return Response(status_code=204)


@router.post("/voice/offer")
async def speak(hook: Signed, token: Token = "") -> Response:
    """A call of ours was answered, or a key was pressed in it."""
    said = await hook.run(
        partial(spoken.converse, desk=hook.hooks.desk, token=token, digits=hook.field("Digits"))
    )
    here = f"{BASE}/voice/offer?a={token}"
    if said.asks:
        return _spoken(twiml.ask_for_key(said.sentences, keys_to=here))
    return _spoken(twiml.say_and_hang_up(said.sentences))
