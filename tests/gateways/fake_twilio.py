"""A local double of Twilio over real HTTP: its own ledger, its own faults, callbacks signed as it signs.

It stands at the other end of a socket, so that whatever our adapter does happens as it would: connections
refused, dropped before and after a text was taken, answers that come late or are none. It shares no code
with the adapter; what it is sent is held to the published API.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx
from twilio.request_validator import RequestValidator

from rapid_response.core.clock import Clock
from tests.gateways import twilio_api

ACCOUNT = "AC" + "a" * 32
TOKEN = "the account's auth token"
KEY, KEY_SECRET = "SK" + "b" * 32, "the key's secret"
SERVICE = "MG" + "c" * 32
NUMBER = "+447700900000"
_FORM = "application/x-www-form-urlencoded; charset=UTF-8"
#: A client that begins with this wants TLS, which is not spoken here.
_TLS_HELLO = b"\x16"
_MEANINGS = {20003: "Authenticate", 20404: "not found", 20429: "Too Many Requests"}


@dataclass
class Message:
    """One text in the ledger, either way."""

    sid: str
    direction: str
    from_: str
    to: str
    body: str
    status: str
    created_at: datetime
    sent_at: datetime | None = None
    error_code: int | None = None
    callback: str = ""
    validity: int = 36_000
    pictures: int = 0


@dataclass
class Call:
    """One call of ours in the ledger."""

    sid: str
    from_: str
    to: str
    status: str
    created_at: datetime
    url: str
    callback: str
    timeout: int
    sequence: int = 0
    said: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Seen:
    """One request that arrived."""

    method: str
    path: str
    fields: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return dict(self.fields)[name]


@dataclass
class Fault:
    """What goes wrong with the next request. `takes`: the text or call is taken all the same."""

    takes: bool = False
    #: The connection is dropped instead of an answer.
    drops: bool = False
    #: Answer so, instead of as usual.
    status: int | None = None
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Answer only when this is set.
    until: asyncio.Event | None = None
    #: A text that is taken gets this status and code at once.
    text_status: str | None = None
    error_code: int | None = None


def problem(status: int, code: int, **headers: str) -> Fault:
    """A refusal in Twilio's usual words."""
    body = {"code": code, "message": _MEANINGS.get(code, "refused"), "more_info": "", "status": status}
    return Fault(status=status, body=json.dumps(body), headers=headers)


class FakeTwilio:
    """The double. `next` holds what goes wrong with the coming requests, one each."""

    def __init__(self, clock: Clock, numbers: Sequence[str] = (NUMBER,)) -> None:
        self.clock = clock
        self.account_sid, self.auth_token = ACCOUNT, TOKEN
        self.signs_with, self.algorithm = TOKEN, "HMAC_SHA1"
        self.account_status = "active"
        self.numbers: dict[str, dict[str, Any]] = {number: _number(number) for number in numbers}
        self.service: dict[str, Any] | None = None
        self.pool: list[str] = []
        self.messages: list[Message] = []
        self.calls: list[Call] = []
        #: Recordings and transcripts that it keeps, by their ids.
        self.kept: set[str] = set()
        self.seen: list[Seen] = []
        self.next: deque[Fault] = deque()
        #: Requests that were not as published.
        self.faults: list[str] = []
        #: Answers of our webhooks, by the path they were posted to.
        self.answers: list[tuple[str, int]] = []
        self.phone_off: set[str] = set()
        #: Set when the first text was taken.
        self.taken = asyncio.Event()
        self.largest_page = 1000
        self.line: httpx.AsyncClient
        self._ids = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._port = 0

    # life

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeTwilio]:
        """Listen on a free port of this machine."""
        await self.listen()
        try:
            yield self
        finally:
            await self.stop_listening()

    async def listen(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop_listening(self) -> None:
        """From now on connections are refused."""
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.close()
            await self._server.wait_closed()
            self._server = None

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    def connect(self, line: httpx.AsyncClient) -> None:
        """Post webhooks over this line."""
        self.line = line

    # what it was asked

    @property
    def posts(self) -> list[Seen]:
        """What was to be sent or rung."""
        return [seen for seen in self.seen if seen.method == "POST"]

    def texts_to(self, number: str) -> list[str]:
        """What a phone was sent, oldest first."""
        return [one.body for one in self.messages if one.to == number and one.direction == "outbound-api"]

    # what it does by itself

    async def report(self, message: Message, status: str, error_code: int | None = None) -> int:
        """A text has come this far: into the ledger, and to whoever wanted to know."""
        message.status, message.error_code = status, error_code
        if status == "sent":
            message.sent_at = self.clock.real()
        form = {
            "MessageSid": message.sid,
            "MessageStatus": status,
            "SmsSid": message.sid,
            "SmsStatus": status,
            "From": message.from_,
            "To": message.to,
            **self._common(),
        }
        if error_code is not None:
            form["ErrorCode"] = str(error_code)
        return (await self.post(message.callback, form)).status_code

    async def carry(self) -> None:
        """Every text that is on its way arrives, or fails to; every call is reported ringing."""
        for message in [one for one in self.messages if one.status in ("queued", "accepted")]:
            await self.report(message, "sent")
            if message.to in self.phone_off:
                await self.report(message, "undelivered", 30003)
            else:
                await self.report(message, "delivered")
        for call in [one for one in self.calls if one.status == "queued"]:
            await self.progress(call, "initiated")
            await self.progress(call, "ringing")

    async def progress(self, call: Call, status: str) -> int:
        """A call has come this far."""
        call.status = status if status != "initiated" else call.status
        form = self._call_form(call, status) | {"SequenceNumber": str(call.sequence)}
        call.sequence += 1
        return (await self.post(call.callback, form)).status_code

    async def pick_up(self, call: Call) -> str:
        """Somebody answers: the document is fetched."""
        await self.progress(call, "in-progress")
        return await self._talk(call, call.url, {})

    async def press(self, call: Call, key: str, action: str) -> str:
        """A key is pressed: posted to the address that the document named."""
        return await self._talk(call, urljoin(call.url, action), {"Digits": key, "msg": "Gather End"})

    async def text_in(
        self,
        from_: str,
        body: str,
        webhook: str | None,
        to: str = NUMBER,
        opt_out: str = "",
        pictures: int = 0,
    ) -> Message:
        """A phone texts one of the numbers; with `webhook` None nobody hears of it.

        `opt_out` is what Advanced Opt-Out made of it: only then is there such a field.
        """
        message = Message(
            self._id("MM" if pictures else "SM"),
            "inbound",
            from_,
            to,
            body,
            "received",
            self.clock.real(),
            self.clock.real(),
            pictures=pictures,
        )
        self.messages.append(message)
        if webhook is not None:
            opted = {"OptOutType": opt_out} if opt_out else {}
            await self.post(webhook, self.text_form(message) | opted)
        return message

    def text_form(self, message: Message) -> dict[str, str]:
        """The webhook of a text, with the fields that are blank for numbers of ours."""
        blank = {f"{side}{part}": "" for side in ("From", "To") for part in ("City", "State", "Zip")}
        return {
            "ToCountry": "GB",
            "FromCountry": "GB",
            **blank,
            "SmsMessageSid": message.sid,
            "NumMedia": str(message.pictures),
            **{f"MediaUrl{n}": f"http://127.0.0.1:9/{n}" for n in range(message.pictures)},
            **{f"MediaContentType{n}": "image/jpeg" for n in range(message.pictures)},
            "SmsSid": message.sid,
            "SmsStatus": "received",
            "Body": message.body,
            "To": message.to,
            "NumSegments": "1",
            "MessageSid": message.sid,
            "From": message.from_,
            **self._common(),
        }

    async def post(self, url: str, form: Mapping[str, str]) -> httpx.Response:
        """One webhook, signed over the address as it was given, less the fragment, which does not travel."""
        address = url.partition("#")[0]
        answer = await self.line.post(
            address,
            content=urlencode(form),
            headers={"Content-Type": _FORM, "X-Twilio-Signature": self.sign(address, form)},
        )
        self.answers.append((urlsplit(address).path, answer.status_code))
        return answer

    def sign(self, url: str, form: Mapping[str, str]) -> str:
        """The signature of a form."""
        signed: str = RequestValidator(self.signs_with).compute_signature(url, form, self.algorithm)
        return signed

    async def _talk(self, call: Call, url: str, more: Mapping[str, str]) -> str:
        answer = await self.post(url, {**self._call_form(call, "in-progress"), **more})
        call.said.append(answer.text)
        return answer.text

    def _call_form(self, call: Call, status: str) -> dict[str, str]:
        return {
            "CallSid": call.sid,
            "CallStatus": status,
            "From": call.from_,
            "To": call.to,
            "Direction": "outbound-api",
            **self._common(),
        }

    def _common(self) -> dict[str, str]:
        return {"AccountSid": self.account_sid, "ApiVersion": "2010-04-01"}

    def _id(self, prefix: str) -> str:
        self._ids += 1
        return f"{prefix}{self._ids:032x}"

    # HTTP

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while (request := await _read(reader)) is not None:
                answer = await self._handle(*request)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        writer.close()
        self._open.discard(writer)

    async def _handle(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> bytes | None:
        parts = urlsplit(target)
        sent = body.decode() if method == "POST" else parts.query
        fields = tuple(parse_qsl(sent, keep_blank_values=True))
        self.seen.append(Seen(method, parts.path, fields, headers))
        self.faults += twilio_api.faults(method, parts.path, fields)
        fault = self.next.popleft() if self.next else None
        if fault is not None and not fault.takes and (fault.drops or fault.status is not None):
            return None if fault.drops else self._answer(fault.status or 500, fault.body or "", fault.headers)
        status, found = self._answer_to(method, parts.path, fields, headers, fault)
        if fault is not None and fault.until is not None:
            await fault.until.wait()
        if fault is not None and fault.drops:
            return None
        if fault is not None and (fault.status is not None or fault.body is not None):
            usual = fault.body if fault.body is not None else json.dumps(found)
            return self._answer(fault.status or status, usual, fault.headers)
        return self._answer(status, json.dumps(found) if status != HTTPStatus.NO_CONTENT else "", {})

    def _answer(self, status: int, body: str, headers: Mapping[str, str]) -> bytes:
        lines = {
            "Date": format_datetime(self.clock.real(), usegmt=True),
            "Content-Type": "application/json" if body[:1] in ("{", "[") else "text/html",
            "Content-Length": str(len(body.encode())),
            **headers,
        }
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        return (head + "".join(f"{k}: {v}\r\n" for k, v in lines.items()) + "\r\n" + body).encode()

    # the API

    def _answer_to(
        self,
        method: str,
        path: str,
        fields: tuple[tuple[str, str], ...],
        headers: Mapping[str, str],
        fault: Fault | None,
    ) -> tuple[int, Any]:
        if not self._may(headers):
            return _error(401, 20003)
        folder, _, name = path.removesuffix(".json").rpartition("/")
        match method, name:
            case "POST", "Messages":
                return 201, _message(self._take_text(fields, fault))
            case "POST", "Calls":
                return 201, _call(self._take_call(fields))
            case "GET", "Messages":
                return 200, self._page(path, dict(fields))
            case "GET", "IncomingPhoneNumbers":
                known = self.numbers.get(dict(fields)["PhoneNumber"])
                return 200, {"incoming_phone_numbers": [known] if known else [], "next_page_uri": None}
            case "GET", "PhoneNumbers":
                records = [{"phone_number": number} for number in self.pool]
                return 200, {
                    "meta": {"key": "phone_numbers", "next_page_url": None},
                    "phone_numbers": records,
                }
            case "POST", sid:
                return self._blank(sid)
            case "DELETE", sid:
                return self._delete(sid)
            case _:
                return self._one(folder.rpartition("/")[2], name)

    def _may(self, headers: Mapping[str, str]) -> bool:
        given = headers.get("authorization", "").removeprefix("Basic ")
        named = ((self.account_sid, self.auth_token), (KEY, KEY_SECRET))
        return given in [base64.b64encode(f"{name}:{secret}".encode()).decode() for name, secret in named]

    def _blank(self, sid: str) -> tuple[int, Any]:
        for message in self.messages:
            if message.sid == sid:
                message.body = ""
                return 200, _message(message)
        return _error(404, 20404)

    def _delete(self, sid: str) -> tuple[int, Any]:
        if sid not in self.kept:
            return _error(404, 20404)
        self.kept.discard(sid)
        return HTTPStatus.NO_CONTENT, None

    def _one(self, kind: str, sid: str) -> tuple[int, Any]:
        found: Any = None
        if kind == "Messages":
            found = next((_message(one) for one in self.messages if one.sid == sid), None)
        elif kind == "Calls":
            found = next((_call(one) for one in self.calls if one.sid == sid), None)
        elif kind == "Accounts" and sid == self.account_sid:
            found = {"sid": sid, "status": self.account_status}
        elif kind == "Services":
            found = self.service
        return (200, found) if found is not None else _error(404, 20404)

    def _take_text(self, fields: Sequence[tuple[str, str]], fault: Fault | None) -> Message:
        form = dict(fields)
        by_service = "MessagingServiceSid" in form
        status = "accepted" if by_service else "queued"
        message = Message(
            self._id("SM"),
            "outbound-api",
            self.pool[0] if by_service else form["From"],
            form["To"],
            form["Body"],
            (fault.text_status if fault else None) or status,
            self.clock.real(),
            error_code=fault.error_code if fault else None,
            callback=form["StatusCallback"],
            validity=int(form["ValidityPeriod"]),
        )
        self.messages.append(message)
        self.taken.set()
        return message

    def _take_call(self, fields: Sequence[tuple[str, str]]) -> Call:
        form = dict(fields)
        call = Call(
            self._id("CA"),
            form["From"],
            form["To"],
            "queued",
            self.clock.real(),
            form["Url"],
            form["StatusCallback"],
            int(form["Timeout"]),
        )
        self.calls.append(call)
        return call

    def _page(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Newest first, so many a page, and where the next page is."""
        wanted = [
            one
            for one in reversed(self.messages)
            if query.get("To", one.to) == one.to and query.get("From", one.from_) == one.from_
        ]
        size = min(int(query.get("PageSize", 50)), self.largest_page)
        start = int(query.get("PageToken", "PA0")[2:])
        following = None
        if start + size < len(wanted):
            rest = {"Page": str(int(query.get("Page", "0")) + 1), "PageToken": f"PA{start + size}"}
            following = f"{path}?{urlencode({**query, **rest})}"
        return {
            "messages": [_message(one) for one in wanted[start : start + size]],
            "page_size": size,
            "next_page_uri": following,
        }


async def _read(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str], bytes] | None:
    first = await reader.read(1)
    if not first or first == _TLS_HELLO:
        return None
    line = first + await reader.readline()
    method, target, _ = line.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (line := await reader.readline()).strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return method, target, headers, body


def _error(status: int, code: int) -> tuple[int, Any]:
    return status, {"code": code, "message": _MEANINGS[code], "more_info": "", "status": status}


def _number(number: str) -> dict[str, Any]:
    """A number as somebody set it up who followed the install page."""
    base = "https://rr.example.org/webhooks/twilio"
    return {
        "phone_number": number,
        "capabilities": {"sms": True, "voice": True, "mms": False},
        "sms_url": f"{base}/sms#rc=3&rp=all",
        "sms_method": "POST",
        "sms_application_sid": "",
        "voice_url": f"{base}/voice",
        "voice_method": "POST",
        "voice_fallback_url": "https://handler.twilio.com/twiml/EH1",
        "voice_application_sid": "",
        "trunk_sid": None,
    }


def _at(moment: datetime | None) -> str | None:
    return format_datetime(moment, usegmt=False) if moment else None


def _message(one: Message) -> dict[str, Any]:
    return {
        "sid": one.sid,
        "account_sid": ACCOUNT,
        "direction": one.direction,
        "from": one.from_,
        "to": one.to,
        "body": one.body,
        "status": one.status,
        "error_code": one.error_code,
        "error_message": None,
        "date_created": _at(one.created_at),
        "date_sent": _at(one.sent_at),
        "date_updated": _at(one.created_at),
        "num_segments": "1",
        "num_media": str(one.pictures),
        "api_version": "2010-04-01",
    }


def _call(one: Call) -> dict[str, Any]:
    return {
        "sid": one.sid,
        "account_sid": ACCOUNT,
        "direction": "outbound-api",
        "from": one.from_,
        "to": one.to,
        "status": one.status,
        "date_created": _at(one.created_at),
        "date_updated": _at(one.created_at),
        "api_version": "2010-04-01",
    }
