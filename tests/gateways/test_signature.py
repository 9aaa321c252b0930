"""Signatures: the provider's own vectors, and everything that is not one of them (S1 to S5)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from rapid_response.webhooks.signature import (
    HEADER,
    LARGEST_BODY,
    SHA256,
    Verifier,
    WebhookRefused,
    read_form,
    sign,
    verify,
)
from tests.cases import each

URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
CALL = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}
VALID = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
REPEATED = [
    ("Sid", "CA123"),
    ("SidAccount", "AC123"),
    ("Digits", "5678"),
    ("Digits", "1234"),
    ("Digits", "1234"),
]


JSON_URL = URL + "&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
JSON_BODY = '{"property": "value", "boolean": true}'
JSON_VALID = "a9nBmqA0ju/hNViExpshrM61xv4="


def _called_by(number: str) -> dict[str, str]:
    return CALL | {"Caller": number, "From": number}


@each(
    ("url", "params", "header"),
    [
        (URL, CALL, VALID),
        (
            "https://example.com/myapp.php?foo=1&bar=2",
            _called_by("+14158675310"),
            "L/OH5YylLD5NRKLltdqwSvS0BnU=",
        ),
        (URL, _called_by("+12349013030"), "0/KCTR6DLpKmkAf8muzZqo1nDgQ="),
        (URL, REPEATED, "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
        (JSON_URL, JSON_BODY, JSON_VALID),
        (URL, CALL, "kvajT1Ptam85bY51eRf/AJRuM3w="),  # signed with :443
    ],
)
def test_s1_the_providers_vectors_are_accepted_and_with_one_bit_changed_they_are_not(
    url: str, params: Any, header: str
) -> None:
    assert verify(url, params, header, ["12345"])
    assert not verify(url, params, header, ["12344"])
    assert not verify(url, params, _one_bit_off(header), ["12345"])
    assert not verify(_one_bit_off(url), params, header, ["12345"])
    if isinstance(params, str):
        assert not verify(url, _one_bit_off(params), header, ["12345"])
        return
    pairs = list(params.items()) if isinstance(params, dict) else params
    name, value = pairs[-1]
    assert not verify(url, [*pairs[:-1], (name, _one_bit_off(value))], header, ["12345"])
    assert not verify(url, [*pairs[:-1], (_one_bit_off(name), value)], header, ["12345"])


def _one_bit_off(text: str) -> str:
    middle = len(text) // 2
    return text[:middle] + chr(ord(text[middle]) ^ 1) + text[middle + 1 :]


@each(
    "url",
    [
        URL.replace("https", "http"),
        URL + "&",
        URL.replace("?", "/?"),
        URL.replace("foo=1", "foo=2"),
        URL.replace("mycompany", "mycompony"),
        "https://mycompany.com/myapp.php?bar=2&foo=1",
        "https://mycompany.com:99999999/",
        "not a url [",
        "",
    ],
)
def test_s1_another_address_is_refused(url: str) -> None:
    assert not verify(url, CALL, VALID, ["12345"])


@each(
    "params",
    [
        CALL | {"Digits": "1235"},
        CALL | {"New": ""},
        CALL | {"New": "x"},
        {k: v for k, v in CALL.items() if k != "To"},
        {},
        CALL | {"Digits": "\ud800"},
    ],
)
def test_s1_other_fields_are_refused(params: Mapping[str, str]) -> None:
    assert not verify(URL, params, VALID, ["12345"])


@each("tokens", [[], [""], ["12346"], ["", "1234", "123456"]])
def test_s1_other_tokens_are_refused(tokens: list[str]) -> None:
    assert not verify(URL, CALL, VALID, tokens)


def test_an_empty_token_is_nobodys() -> None:
    assert not verify(URL, CALL, sign(URL, CALL, ""), [""])


def test_s5_tokens_can_be_rotated_and_a_third_is_refused() -> None:
    for token in ("new", "old"):
        assert verify(URL, CALL, sign(URL, CALL, token), ["new", "old"])
    assert not verify(URL, CALL, sign(URL, CALL, "older"), ["new", "old"])


@settings(deadline=None)  # other tests keep the machine busy
@given(st.one_of(st.none(), st.text(), st.binary().map(lambda raw: raw.decode("latin-1"))))
@example("")
@example(VALID[:-1])
@example(VALID + " ")
@example(VALID.lower())
@example("RSOYDt4T1cUTdK1PDd93/VVr8B8\u207c")
@example("\ud800")
@example("a, b")
def test_s4_no_other_header_is_accepted(header: str | None) -> None:
    assert not verify(URL, CALL, header, ["12345"])


@settings(deadline=None)  # other tests keep the machine busy
@given(st.lists(st.tuples(st.text(), st.text())), st.text(), st.text())
def test_nothing_unsigned_is_accepted_and_nothing_raises(
    params: list[tuple[str, str]], url: str, header: str
) -> None:
    assert not verify(url, params, header, ["12345"])


_SENT = st.text(st.characters(exclude_categories=["Cs"]))


@settings(deadline=None)  # other tests keep the machine busy
@given(st.lists(st.tuples(_SENT, _SENT)))
@example([("Body", " a+b & c %41 😀 "), ("FromCity", ""), ("Body", "")])
def test_s3_what_was_signed_is_recognised_after_its_travel(params: list[tuple[str, str]]) -> None:
    header = sign(URL, params, "12345")
    arrived = read_form(urlencode(params).encode())

    assert verify(URL, arrived, header, ["12345"])
    assert arrived.multi_items() == params


# --- through a request ------------------------------------------------------------------------------------

BASE = "https://rr.example.org/council"
TOKEN = "secret"


VERIFIER = Verifier(BASE + "/", [TOKEN, ""], "AC1")


async def _hear(request: Request) -> Response:
    try:
        form = await getattr(request.app.state, "verifier", VERIFIER).read(request)
    except WebhookRefused as error:
        return Response(status_code=error.status)
    return JSONResponse(form.multi_items())


ROUTES = [Route("/webhooks/twilio/{rest:path}", _hear, methods=["POST"])]


async def _post(
    path: str,
    body: bytes | Any,
    headers: list[tuple[str, str]],
    *,
    root_path: str = "",
    app: Starlette | None = None,
) -> httpx.Response:
    transport = httpx.ASGITransport(app or Starlette(routes=ROUTES), root_path=root_path)
    async with httpx.AsyncClient(transport=transport, base_url="http://10.0.0.7:8000") as client:
        return await client.post(path, content=body, headers=headers)


FORM = ("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
SID = "SM" + "a" * 32
FIELDS = [
    ("AccountSid", "AC1"),
    ("MessageSid", SID),
    ("Body", " OK 4821 + é & 😀 "),
    ("City", ""),
    ("Media", "1"),
    ("Media", "2"),
    ("NeverSeenBefore", " new "),
]
BODY = urlencode(FIELDS).encode()
PATH = "/webhooks/twilio/sms/a%2Fb?a=t%2Bk&&b="
SIGNED = (HEADER, sign(BASE + PATH, FIELDS, TOKEN))


async def test_s2_s3_a_signed_webhook_is_read_over_the_public_address() -> None:
    """It reaches us as http, by another name, behind a proxy that takes TLS and a path off."""
    forged = [("X-Forwarded-Host", "evil"), ("Host", "evil"), ("X-Forwarded-Proto", "http")]
    answer = await _post(PATH, BODY, [FORM, SIGNED, *forged])

    assert answer.status_code == 200
    assert [tuple(pair) for pair in answer.json()] == FIELDS


async def test_s2_no_header_says_where_a_webhook_was_sent() -> None:
    """Signed for another host: whatever Host and X-Forwarded-* then claim, it is not for us."""
    signed = (HEADER, sign("https://evil.example" + PATH, FIELDS, TOKEN))
    forged = [
        ("Host", "evil.example"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "https"),
        ("X-Original-URL", PATH),
        ("Forwarded", "host=evil.example;proto=https"),
    ]
    assert (await _post(PATH, BODY, [FORM, signed, *forged])).status_code == 403


async def test_s2_a_root_path_that_base_url_names_already_counts_once() -> None:
    assert (await _post("/council" + PATH, BODY, [FORM, SIGNED], root_path="/council")).status_code == 200


async def test_a_mounted_app_sees_the_whole_path() -> None:
    app = Starlette(routes=[Mount("/webhooks", routes=[Route("/twilio/{r:path}", _hear, methods=["POST"])])])
    assert (await _post(PATH, BODY, [FORM, SIGNED], app=app)).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        (PATH, BODY, [FORM], 403),
        (PATH, BODY, [FORM, (HEADER, "")], 403),
        (PATH, BODY, [FORM, SIGNED, SIGNED], 403),
        (PATH, BODY, [FORM, (HEADER, "x" * 5000)], 403),
        (PATH, BODY + b"&more=1", [FORM, SIGNED], 403),
        (PATH + "1", BODY, [FORM, SIGNED], 403),
        (PATH.replace("%2F", "%2f"), BODY, [FORM, SIGNED], 403),
        (PATH, b"Body=%FF", [FORM, SIGNED], 403),
        (PATH, b"\xff\x00=1", [FORM, SIGNED], 403),
        (PATH, b"a=1&" * 600, [FORM, SIGNED], 403),
        (PATH, b"", [FORM, SIGNED], 403),
        (PATH, b'{"a": 1}', [("Content-Type", "application/json"), SIGNED], 403),
        (PATH, b'{"a": 1}', [("Content-Type", "application/json")], 403),
        (PATH, b"\xff", [("Content-Type", "application/json"), SIGNED], 403),
        (PATH, BODY, [("Content-Type", "multipart/form-data; boundary=x"), SIGNED], 403),
        (PATH, BODY, [SIGNED], 403),
        (PATH, b"a" * (LARGEST_BODY + 1), [FORM, SIGNED], 413),
        (PATH, b"a" * 10, [FORM, SIGNED, ("Content-Length", "99999999")], 413),
        (PATH, BODY, [FORM, SIGNED, ("X-Twilio-Webhooks-Signature-Settings", "algorithm=NONE")], 200),
        (PATH, BODY, [FORM, ("X-Twilio-Webhooks-Signature-Settings", "algorithm=NONE")], 403),
    ],
)
async def test_s4_hostile_webhooks_are_turned_away(
    path: str, body: bytes, headers: list[tuple[str, str]], status: int
) -> None:
    answer = await _post(path, body, headers)

    assert answer.status_code == status
    if status != 200:
        assert answer.content == b""


async def test_another_account_is_refused() -> None:
    id_ = ("MessageSid", SID)
    for fields in (
        [id_],
        [("AccountSid", ""), id_],
        [("AccountSid", "AC2"), id_],
        [("AccountSid", "AC1"), ("AccountSid", "AC2"), id_],
    ):
        signed = (HEADER, sign(BASE + PATH, fields, TOKEN))
        assert (await _post(PATH, urlencode(fields).encode(), [FORM, signed])).status_code == 403


async def test_a_captured_form_cannot_be_cut_into_one_with_another_id() -> None:
    """The signature runs over names and values without a mark between them (a replay as a new message)."""
    cut = [("AccountSid", "AC1"), ("MessageSid", f"{SID}NumMedia0"), ("To", "+447700900000")]
    original = [("AccountSid", "AC1"), ("MessageSid", SID), ("NumMedia", "0"), ("To", "+447700900000")]
    header = sign(BASE + PATH, original, TOKEN)
    assert header == sign(BASE + PATH, cut, TOKEN)

    assert (await _post(PATH, urlencode(original).encode(), [FORM, (HEADER, header)])).status_code == 200
    assert (await _post(PATH, urlencode(cut).encode(), [FORM, (HEADER, header)])).status_code == 403


@pytest.mark.parametrize("fields", [[], [("MessageSid", "")], [("MessageSid", SID), ("CallSid", "x y")]])
async def test_every_webhook_is_about_a_message_or_a_call(fields: list[tuple[str, str]]) -> None:
    sent = [("AccountSid", "AC1"), *fields]
    signed = (HEADER, sign(BASE + PATH, sent, TOKEN))
    assert (await _post(PATH, urlencode(sent).encode(), [FORM, signed])).status_code == 403


async def test_s5_json_of_our_providers_own_is_told_from_a_strangers() -> None:
    """Its console shows a status that says what is wrong; a stranger learns nothing."""
    digest = hashlib.sha256(JSON_BODY.encode()).hexdigest()
    path = f"{PATH}&bodySHA256={digest}"
    signed = (HEADER, sign(BASE + path, {}, TOKEN))
    json = ("Content-Type", "application/json")
    assert (await _post(path, JSON_BODY.encode(), [json, signed])).status_code == 415
    assert (await _post(path, JSON_BODY.encode() + b" ", [json, signed])).status_code == 403


async def test_s5_old_and_new_token_are_believed_while_one_is_replaced() -> None:
    app = Starlette(routes=ROUTES)
    app.state.verifier = Verifier(BASE, ["new", "old"], "AC1")
    answers = {}
    for token in ("new", "old", "older", ""):
        header = (HEADER, sign(BASE + PATH, FIELDS, token))
        answers[token] = (await _post(PATH, BODY, [FORM, header], app=app)).status_code
    assert answers == {"new": 200, "old": 200, "older": 403, "": 403}


async def test_s5_with_a_shared_key_nothing_else_is_believed() -> None:
    """Not the account's tokens, not SHA-1, and never what the request itself asks for."""
    app = Starlette(routes=ROUTES)
    app.state.verifier = Verifier(BASE, [TOKEN], "AC1", shared_key="shared")
    asks_for_less = ("X-Twilio-Webhooks-Signature-Settings", "key=k,algorithm=HMAC_SHA1")
    tried = {
        "shared key, SHA-256": (sign(BASE + PATH, FIELDS, "shared", SHA256), 200),
        "shared key, SHA-1": (sign(BASE + PATH, FIELDS, "shared"), 403),
        "token, SHA-256": (sign(BASE + PATH, FIELDS, TOKEN, SHA256), 403),
        "token, SHA-1": (sign(BASE + PATH, FIELDS, TOKEN), 403),
    }
    for what, (header, status) in tried.items():
        for more in ([], [asks_for_less]):
            answer = await _post(PATH, BODY, [FORM, (HEADER, header), *more], app=app)
            assert answer.status_code == status, what
    # And without one SHA-256 is not believed, even where the header announces it.
    announced = ("X-Twilio-Webhooks-Signature-Settings", "key=k,algorithm=HMAC_SHA256")
    header = sign(BASE + PATH, FIELDS, TOKEN, SHA256)
    assert (await _post(PATH, BODY, [FORM, (HEADER, header), announced])).status_code == 403


async def test_an_endless_body_is_not_read_to_its_end() -> None:
    read = 0

    async def endless() -> Any:
        nonlocal read
        while True:
            read += 1024
            yield b"a" * 1024

    assert (await _post(PATH, endless(), [FORM, SIGNED])).status_code == 413
    assert read <= LARGEST_BODY + 4096
