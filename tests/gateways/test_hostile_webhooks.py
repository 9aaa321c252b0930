"""Whoever is not Twilio gets nowhere (S6): thousands of forgeries against the whole service, none accepted.

1,000 here, 10,000 with RAPID_RESPONSE_TEST_PROFILE=large.
"""

from __future__ import annotations

import base64
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, func, select
from sqlmodel import SQLModel

from rapid_response.app import App, build
from rapid_response.core.clock import ManualClock
from rapid_response.definition.load import parse
from rapid_response.settings import Settings
from rapid_response.steps.load_service import load
from rapid_response.storage.tables import (
    AgendaRow,
    CallRow,
    EventRow,
    InboundMessageRow,
    IncidentRow,
    ProviderEventRow,
)
from rapid_response.webhooks.signature import SHA256, sign
from tests.builders import SMALL_TOWN
from tests.databases import TestDatabases
from tests.gateways.conftest import MONDAY
from tests.gateways.fake_twilio import ACCOUNT, NUMBER, TOKEN
from tests.selection import PROFILE

COUNT = 10_000 if PROFILE == "large" else 1_000
BASE = "https://rr.example.org/rapid"
PREVIOUS = "the token before"
HOOKS = "/webhooks/twilio"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
STORED: tuple[type[SQLModel], ...] = (
    InboundMessageRow,
    ProviderEventRow,
    CallRow,
    IncidentRow,
    AgendaRow,
    EventRow,
)
Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Sent:
    """One request as it goes over the line."""

    path: str
    fields: Fields
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    kind: str = FORM
    method: str = "POST"

    def signed(self, token: str = TOKEN, base: str = BASE, algorithm: str = "HMAC_SHA1") -> Sent:
        """With the signature that this token gives it, sent to this address."""
        header = sign(base + self.path, self.fields, token, algorithm)
        return replace(self, headers=(*self.headers, ("X-Twilio-Signature", header)))


def _fields(**more: str) -> Fields:
    common = {"AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "FromCity": "", "ToCountry": "GB"}
    return tuple(sorted((common | more).items()))


def genuine(chance: random.Random) -> Sent:
    """What Twilio sends to one of the addresses."""
    sid = f"{chance.getrandbits(128):032x}"
    text = _fields(
        MessageSid=f"SM{sid}",
        SmsSid=f"SM{sid}",
        From="+447700900101",
        To=NUMBER,
        Body="OK 4821",
        NumMedia="0",
    )
    status = _fields(MessageSid=f"SM{sid}", MessageStatus="delivered", To="+447700900101", From=NUMBER)
    call = _fields(CallSid=f"CA{sid}", CallStatus="in-progress", From="+447700900456", To=NUMBER, Digits="1")
    token = f"{chance.getrandbits(64):x}"
    return chance.choice(
        [
            Sent(f"{HOOKS}/sms", text),
            Sent(f"{HOOKS}/sms/status?a={token}", status),
            Sent(f"{HOOKS}/voice", call),
            Sent(f"{HOOKS}/voice/keys", call),
            Sent(f"{HOOKS}/voice/voicemail", call),
            Sent(f"{HOOKS}/voice/transcription", (*call, ("TranscriptionText", "a man at the door"))),
            Sent(f"{HOOKS}/voice/status?a={token}", call),
            Sent(f"{HOOKS}/voice/status", call),
            Sent(f"{HOOKS}/voice/offer?a={token}", call),
        ]
    )


# --- forgeries: each begins with what Twilio would send ---------------------------------------------------


def _unsigned(sent: Sent, chance: random.Random) -> Sent:
    return sent


def _nonsense(sent: Sent, chance: random.Random) -> Sent:
    header = chance.choice(
        [
            "",
            " ",
            "x",
            base64.b64encode(chance.randbytes(20)).decode(),
            "=" * 28,
            "a" * 5000,
            "null",
            "\xff\xfe",
        ]
    )
    return replace(sent, headers=(("X-Twilio-Signature", header),))


def _two_headers(sent: Sent, chance: random.Random) -> Sent:
    signed = sent.signed()
    return replace(signed, headers=signed.headers * 2)


def _one_character_off(sent: Sent, chance: random.Random) -> Sent:
    ((name, header),) = sent.signed().headers
    at = chance.randrange(len(header))
    other = chance.choice([c for c in "ABCDEFGHabcdefgh0123+/" if c != header[at]])
    changed = header[:at] + other + header[at + 1 :]
    # The last character of a digest of 20 bytes holds spare bits: another spelling is another header still.
    return replace(sent, headers=((name, changed),))


def _other_token(sent: Sent, chance: random.Random) -> Sent:
    return sent.signed(chance.choice(["guess", TOKEN.upper(), TOKEN[:-1], f" {TOKEN}", ACCOUNT, "0" * 32]))


def _no_token(sent: Sent, chance: random.Random) -> Sent:
    return sent.signed("")


def _other_algorithm(sent: Sent, chance: random.Random) -> Sent:
    announced = ("X-Twilio-Webhooks-Signature-Settings", "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256")
    signed = sent.signed(algorithm=SHA256)
    return replace(signed, headers=(*signed.headers, announced))


def _other_host(sent: Sent, chance: random.Random) -> Sent:
    host = chance.choice(
        [
            "https://evil.example.org/rapid",
            "http://rr.example.org/rapid",
            "https://rr.example.org:8443/rapid",
            "https://rr.example.org",
            "https://RR.example.org/rapid",
            "https://rr.example.org/rapid/",
            "https://user:pass@rr.example.org/rapid",
        ]
    )
    forged = (
        ("Host", host.split("/")[2]),
        ("X-Forwarded-Host", host.split("/")[2]),
        ("X-Forwarded-Proto", host.split(":")[0]),
        ("X-Forwarded-Prefix", "/"),
        ("X-Original-URL", sent.path),
    )
    return replace(sent, headers=forged).signed(base=host)


def _other_path(sent: Sent, chance: random.Random) -> Sent:
    """Signed for one address, sent to another."""
    bare = sent.path.partition("?")[0]
    elsewhere = chance.choice(
        [
            bare + "/",
            bare.replace("/sms", "/voice") if "/sms" in bare else f"{HOOKS}/sms",
            bare + ";x=1",
            bare.replace("twilio", "twili%6f"),
            bare.replace("/webhooks", "//webhooks"),
            f"{HOOKS}/%2e%2e/twilio/sms",
            bare.upper(),
        ]
    )
    return replace(sent.signed(), path=elsewhere)


def _other_query(sent: Sent, chance: random.Random) -> Sent:
    path, _, query = sent.path.partition("?")
    changed = chance.choice(
        [f"{query}1", f"{query}&a=2", f"{query}&", f"{query}&b=", f"b&{query}", "a=other"]
    )
    return replace(sent.signed(), path=f"{path}?{changed}")


def _other_value(sent: Sent, chance: random.Random) -> Sent:
    fields = list(sent.fields)
    at = chance.randrange(len(fields))
    name, value = fields[at]
    changed = chance.choice(
        [value + "0", value.swapcase() + " ", f" {value}", "DONE 4821", "+447700900109", "\0"]
    )
    fields[at] = (name, changed if changed != value else value + "x")
    return replace(sent.signed(), fields=tuple(fields))


def _other_fields(sent: Sent, chance: random.Random) -> Sent:
    fields = list(sent.fields)
    at = chance.randrange(len(fields))
    match chance.randrange(4):
        case 0:
            fields.append(("Extra", chance.choice(["", "x"])))
        case 1:
            del fields[at]
        case 2:
            fields.append((fields[at][0], fields[at][1] + "2"))
        case _:
            fields[at] = (fields[at][0] + "X", fields[at][1])
    return replace(sent.signed(), fields=tuple(fields))


def _cut_anew(sent: Sent, chance: random.Random) -> Sent:
    """A captured form whose id swallows the next field: the same signature, and a message never seen."""
    fields = sorted(dict(sent.fields).items())
    at = next(index for index, (name, _) in enumerate(fields) if name in ("MessageSid", "CallSid"))
    name, value = fields[at]
    following, its_value = fields[at + 1]
    cut = [*fields[:at], (name, value + following + its_value), *fields[at + 2 :]]
    return replace(sent.signed(), fields=tuple(cut))


def _other_account(sent: Sent, chance: random.Random) -> Sent:
    """Twilio itself, for somebody else; or our own token in the wrong hands of a sub-account."""
    account = chance.choice(["AC" + "9" * 32, "", ACCOUNT.lower(), ACCOUNT + " "])
    fields = tuple((name, account if name == "AccountSid" else value) for name, value in sent.fields)
    return replace(sent, fields=fields).signed()


def _no_id(sent: Sent, chance: random.Random) -> Sent:
    ids = ("MessageSid", "SmsSid", "CallSid")
    wrong = chance.choice(["", "SM" + "0" * 64, "../x", "SM 1", None])
    fields = tuple(
        (name, wrong if name in ids else value)
        for name, value in sent.fields
        if name not in ids or wrong is not None
    )
    return replace(sent, fields=tuple((n, v) for n, v in fields if v is not None)).signed()


def _other_kind(sent: Sent, chance: random.Random) -> Sent:
    kind = chance.choice(["text/plain", "", "multipart/form-data; boundary=x", "application/xml", "*/*"])
    return replace(sent.signed(), kind=kind)


def _json(sent: Sent, chance: random.Random) -> Sent:
    body = json.dumps(dict(sent.fields)).encode()
    query = chance.choice(["", "&bodySHA256=0", "&bodySHA256=" + "0" * 64])
    path = sent.path + ("?x" if query and "?" not in sent.path else "") + query
    return replace(replace(sent, path=path).signed(), body=body, kind="application/json")


def _garbage(sent: Sent, chance: random.Random) -> Sent:
    body = chance.choice(
        [
            b"",
            b"&&&===",
            b"\xff\xfe\x00",
            b"Body=%FF%FE",
            b"a=1&" * 1000,
            b"Body=" + b"x" * 70_000,
            chance.randbytes(chance.randrange(2000)),
            urlencode(sent.fields).encode()[:-3],
        ]
    )
    return replace(sent.signed(), body=body)


def _other_method(sent: Sent, chance: random.Random) -> Sent:
    return replace(sent.signed(), method=chance.choice(["GET", "PUT", "PATCH", "DELETE", "HEAD"]))


FORGE: Sequence[Callable[[Sent, random.Random], Sent]] = (
    *(_unsigned, _nonsense, _two_headers, _one_character_off, _other_token, _no_token, _other_algorithm),
    *(_other_host, _other_path, _other_query, _other_value, _other_fields, _cut_anew, _other_account),
    *(_no_id, _other_kind, _json, _garbage, _other_method),
)


def forgeries(count: int, chance: random.Random) -> Iterator[tuple[str, Sent]]:
    """As many, of every kind in turn."""
    for index in range(count):
        forge = FORGE[index % len(FORGE)]
        yield forge.__name__, forge(genuine(chance), chance)


# --- against the whole service ----------------------------------------------------------------------------


@pytest.fixture
async def service(databases: TestDatabases) -> AsyncIterator[App]:
    """The service as it serves with Twilio; its adapter is never asked anything."""
    app = build(
        Settings(
            database_url=databases.fresh("sqlite"),
            base_url=BASE,
            secret_key=SecretStr("a secret key only for tests, long enough"),
            messages="twilio",
            twilio_account_sid=ACCOUNT,
            twilio_auth_token=SecretStr(TOKEN),
            twilio_auth_token_previous=SecretStr(PREVIOUS),
            twilio_from=NUMBER,
            twilio_api_base_url="http://127.0.0.1:1",
        ),
        clock=ManualClock(MONDAY),
        works=False,
    )
    async with app.asgi.router.lifespan_context(app.asgi):
        yield app


async def _send(client: httpx.AsyncClient, sent: Sent) -> httpx.Response:
    body = sent.body if sent.body is not None else urlencode(sent.fields).encode()
    headers = [(name.encode(), value.encode("latin-1")) for name, value in sent.headers]
    return await client.request(
        sent.method,
        sent.path if sent.path.isascii() else quote(sent.path),
        content=body,
        headers=[*headers, (b"content-type", sent.kind.encode())],
    )


def _client(app: App) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app.asgi, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://10.0.0.7:8000")


async def _rows(app: App) -> Counter[str]:
    def count(connection: Connection) -> Counter[str]:
        query = select(func.count())
        return Counter(
            {row.__name__: connection.execute(query.select_from(row)).scalar_one() for row in STORED}
        )

    return await app.database.look(count)


@pytest.mark.long
@pytest.mark.slow
async def test_s6_no_forgery_is_accepted_and_none_is_an_error_of_ours(service: App) -> None:
    before = await _rows(service)
    answers: Counter[str] = Counter()
    async with _client(service) as client:
        for name, sent in forgeries(COUNT, random.Random(4821)):
            answer = await _send(client, sent)
            assert 400 <= answer.status_code < 500, (name, answer.status_code, sent)
            if answer.status_code == 403:
                assert answer.content == b""
            answers[f"{name} {answer.status_code}"] += 1
    assert await _rows(service) == before
    assert answers.total() == COUNT
    assert {name.split()[0] for name in answers} == {forge.__name__ for forge in FORGE}


async def test_s6_what_twilio_sends_is_accepted_with_either_token(service: App) -> None:
    """The other side of the same coin: with the same requests, unchanged, every address answers."""
    # A message of a call that is not known becomes a report, which needs a service.
    definition = parse(SMALL_TOWN, "test.yaml")
    await service.database.run(lambda tx: load(tx, definition))
    chance = random.Random(1)
    async with _client(service) as client:
        for token in (TOKEN, PREVIOUS) * 30:
            sent = genuine(chance).signed(token)
            answer = await _send(client, sent)
            assert answer.status_code in (200, 204), (answer.status_code, sent)


async def test_s6_a_replay_the_next_day_changes_nothing(service: App) -> None:
    """The signature has no date: the stored id is what tells."""
    chance = random.Random(5)
    text = next(sent for sent in (genuine(chance) for _ in range(99)) if sent.path.endswith("/sms"))
    async with _client(service) as client:
        assert (await _send(client, text.signed())).status_code == 200
        before = await _rows(service)
        assert before["InboundMessageRow"] == 1
        clock = service.database.clock
        assert isinstance(clock, ManualClock)
        clock.set(MONDAY.replace(day=24))
        for _ in range(5):
            assert (await _send(client, text.signed())).status_code == 200
    assert await _rows(service) == before
