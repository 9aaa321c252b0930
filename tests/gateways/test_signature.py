"""Signatures: the provider's own vectors, and everything that is not one of them."""

from __future__ import annotations

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
    Verifier,
    WebhookRefused,
    read_form,
    sign,
    verify,
)

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


def _called_by(number: str) -> dict[str, str]:
    return CALL | {"Caller": number, "From": number}


@pytest.mark.parametrize(
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
        (URL, CALL, "kvajT1Ptam85bY51eRf/AJRuM3w="),  # signed with :443
    ],
)
def test_the_providers_vectors_are_accepted(url: str, params: Any, header: str) -> None:
    assert verify(url, params, header, ["12345"])


@pytest.mark.parametrize(
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
def test_another_address_is_refused(url: str) -> None:
    assert not verify(url, CALL, VALID, ["12345"])


@pytest.mark.parametrize(
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
def test_other_fields_are_refused(params: Mapping[str, str]) -> None:
    assert not verify(URL, params, VALID, ["12345"])


@pytest.mark.parametrize("tokens", [[], [""], ["12346"], ["", "1234", "123456"]])
def test_other_tokens_are_refused(tokens: list[str]) -> None:
    assert not verify(URL, CALL, VALID, tokens)


def test_an_empty_token_is_nobodys() -> None:
    assert not verify(URL, CALL, sign(URL, CALL, ""), [""])


def test_tokens_can_be_rotated() -> None:
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
def test_no_other_header_is_accepted(header: str | None) -> None:
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
def test_what_was_signed_is_recognised_after_its_travel(params: list[tuple[str, str]]) -> None:
    header = sign(URL, params, "12345")
    arrived = read_form(urlencode(params).encode())

    assert verify(URL, arrived, header, ["12345"])
    assert arrived.multi_items() == params


# --- through a request ------------------------------------------------------------------------------------

BASE = "https://rr.example.org/council"
TOKEN = "secret"


async def _hear(request: Request) -> Response:
    try:
        form = await Verifier(BASE + "/", [TOKEN, ""], "AC1").read(request)
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
FIELDS = [("AccountSid", "AC1"), ("Body", " OK 4821 + é & 😀 "), ("City", ""), ("Media", "1"), ("Media", "2")]
BODY = urlencode(FIELDS).encode()
PATH = "/webhooks/twilio/sms/a%2Fb?a=t%2Bk&&b="
SIGNED = (HEADER, sign(BASE + PATH, FIELDS, TOKEN))


async def test_a_signed_webhook_is_read_over_the_public_address() -> None:
    answer = await _post(PATH, BODY, [FORM, SIGNED, ("X-Forwarded-Host", "evil"), ("Host", "evil")])

    assert answer.status_code == 200
    assert [tuple(pair) for pair in answer.json()] == FIELDS


async def test_a_root_path_that_base_url_names_already_counts_once() -> None:
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
        (PATH, b'{"a": 1}', [("Content-Type", "application/json"), SIGNED], 415),
        (PATH, BODY, [("Content-Type", "multipart/form-data; boundary=x"), SIGNED], 415),
        (PATH, BODY, [SIGNED], 415),
        (PATH, b"a" * (LARGEST_BODY + 1), [FORM, SIGNED], 413),
        (PATH, b"a" * 10, [FORM, SIGNED, ("Content-Length", "99999999")], 413),
        (PATH, BODY, [FORM, SIGNED, ("X-Twilio-Webhooks-Signature-Settings", "algorithm=NONE")], 200),
        (PATH, BODY, [FORM, ("X-Twilio-Webhooks-Signature-Settings", "algorithm=NONE")], 403),
    ],
)
async def test_hostile_webhooks_are_turned_away(
    path: str, body: bytes, headers: list[tuple[str, str]], status: int
) -> None:
    answer = await _post(path, body, headers)

    assert answer.status_code == status
    if status != 200:
        assert answer.content == b""


async def test_another_account_is_refused() -> None:
    for fields in ([("Body", "OK")], [("AccountSid", ""), ("Body", "OK")], [("AccountSid", "AC2")]):
        signed = (HEADER, sign(BASE + PATH, fields, TOKEN))
        assert (await _post(PATH, urlencode(fields).encode(), [FORM, signed])).status_code == 403


async def test_an_endless_body_is_not_read_to_its_end() -> None:
    read = 0

    async def endless() -> Any:
        nonlocal read
        while True:
            read += 1024
            yield b"a" * 1024

    assert (await _post(PATH, endless(), [FORM, SIGNED])).status_code == 413
    assert read <= LARGEST_BODY + 4096
