"""The adapter to Twilio: what each answer, and each missing answer, comes to (R1, R2, R3, R5, R6, X1, C2)."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from rapid_response.core.clock import ManualClock, SystemClock
from rapid_response.messaging import rules
from rapid_response.messaging.connections import Answer, Asked, NotSent, Timing, Unanswered
from rapid_response.messaging.gateway import (
    Accepted,
    Ambiguous,
    CallRequest,
    CannotAsk,
    Rejected,
    SendOutcome,
    TextRequest,
)
from rapid_response.messaging.twilio_gateway import TwilioAccount, TwilioGateway
from rapid_response.messaging.twilio_transport import proxy_to
from tests.gateways import twilio_api
from tests.gateways.carriers import Twilio, account, twilio
from tests.gateways.conftest import MONDAY
from tests.gateways.fake_twilio import ACCOUNT, KEY, KEY_SECRET, NUMBER, SERVICE, TOKEN, Fault, problem
from tests.gateways.service import BASE_URL
from tests.rules.test_clock_guard import FakeMachine

ASHA = "+447700900101"
POOL = ("+447700900010", "+447700900011")
TEXT = TextRequest("a-token", ASHA, "job 4821", timedelta(minutes=5))
CALL = CallRequest("a-token", ASHA, timedelta(seconds=25))


@pytest.fixture
async def carrier(clock: ManualClock) -> AsyncIterator[Twilio]:
    async with twilio(clock) as made:
        yield made


async def _send(carrier: Twilio, fault: Fault, *, call: bool = False) -> SendOutcome:
    """Hand one over while something goes wrong; it is asked for exactly once whatever that is."""
    carrier.double.next.append(fault)
    before = len(carrier.double.posts)
    gateway = carrier.gateway
    outcome = await (gateway.place_call(CALL) if call else gateway.send_text(TEXT))
    assert len(carrier.double.posts) == before + 1
    return outcome


# --- what is asked ----------------------------------------------------------------------------------------


async def test_c2_a_text_as_it_is_asked_for(carrier: Twilio) -> None:
    await carrier.gateway.send_text(TEXT)
    (seen,) = carrier.double.posts
    assert seen.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert dict(seen.fields) == {
        "To": ASHA,
        "From": NUMBER,
        "Body": "job 4821",
        "StatusCallback": f"{BASE_URL}/webhooks/twilio/sms/status?a=a-token#rc=3&rp=all&ct=3000&rt=5000",
        "ValidityPeriod": "300",
        "SmartEncoded": "false",
    }
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"


async def test_c2_a_call_as_it_is_asked_for(carrier: Twilio) -> None:
    await carrier.gateway.place_call(CALL)
    (seen,) = carrier.double.posts
    assert seen.path == f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
    fragment = "#rc=3&rp=all&ct=3000&rt=5000"
    assert sorted(seen.fields) == sorted(
        [
            ("To", ASHA),
            ("From", NUMBER),
            ("Url", f"{BASE_URL}/webhooks/twilio/voice/offer?a=a-token{fragment}"),
            ("Method", "POST"),
            ("StatusCallback", f"{BASE_URL}/webhooks/twilio/voice/status?a=a-token{fragment}"),
            ("StatusCallbackMethod", "POST"),
            *[("StatusCallbackEvent", event) for event in twilio_api.CALL_EVENTS],
            ("Timeout", "25"),
        ]
    )


def test_c2_the_table_refuses_what_is_not_published() -> None:
    path = f"/2010-04-01/Accounts/{ACCOUNT}"
    good = [("To", ASHA), ("From", NUMBER), ("Body", "x")]
    assert twilio_api.faults("POST", f"{path}/Messages.json", good) == []
    for wrong in (
        [*good, ("ValidityPeriod", "36001")],
        [*good, ("Validity", "3")],
        [*good, ("Body", "y")],
        [*good, ("StatusCallback", "https://our_host/x")],
        good[1:],
        [("To", "07700900101"), *good[1:]],
        [*good, ("SmartEncoded", "False")],
    ):
        assert twilio_api.faults("POST", f"{path}/Messages.json", wrong) != []
    call = [("To", ASHA), ("From", NUMBER), ("StatusCallbackEvent", "ringing")]
    assert twilio_api.faults("POST", f"{path}/Calls.json", [*call, call[-1]]) == []
    assert twilio_api.faults("POST", f"{path}/Calls.json", [*call, ("ValidityPeriod", "30")]) != []
    assert twilio_api.faults("POST", f"{path}/Calls.json", [*call, ("StatusCallbackEvent", "busy")]) != []
    assert twilio_api.faults("DELETE", f"{path}/Messages.json", []) != []
    assert twilio_api.faults("GET", f"{path}/Messages/SM1.json", []) != []


def test_c2_every_status_of_the_description_is_understood() -> None:
    """Those of a text on its way to us apart, which say nothing of one of ours."""
    for status in twilio_api.MESSAGE_STATUSES - {"receiving", "received"} | twilio_api.CALL_STATUSES:
        assert rules.word(status) is not None, status
    assert rules.word("received") is None


@pytest.mark.parametrize(
    ("asked", "sent"),
    [(timedelta(), "6"), (timedelta(seconds=29.9), "29"), (timedelta(days=1), "36000")],
)
async def test_c2_a_validity_is_kept_within_what_is_allowed(
    carrier: Twilio, asked: timedelta, sent: str
) -> None:
    await carrier.gateway.send_text(TextRequest("t", ASHA, "x", asked))
    assert carrier.double.posts[0]["ValidityPeriod"] == sent


async def test_a_base_url_with_a_path_and_no_fragment(carrier: Twilio, clock: ManualClock) -> None:
    changed = account(carrier.double, base_url=f"{BASE_URL}/rapid/", callback_fragment="")
    gateway = TwilioGateway(changed, clock)
    await gateway.send_text(TextRequest("a/b+c", ASHA, "x", timedelta(minutes=1)))
    wanted = f"{BASE_URL}/rapid/webhooks/twilio/sms/status?a=a%2Fb%2Bc"
    assert carrier.double.posts[0]["StatusCallback"] == wanted
    await gateway.aclose()


async def test_an_api_key_signs_in_where_there_is_one(carrier: Twilio, clock: ManualClock) -> None:
    changed = account(carrier.double, api_key_sid=KEY, api_key_secret=KEY_SECRET)
    gateway = TwilioGateway(changed, clock)
    assert isinstance(await gateway.send_text(TEXT), Accepted)
    (seen,) = carrier.double.posts
    assert httpx.BasicAuth(KEY, KEY_SECRET)._auth_header == seen.headers["authorization"]
    assert ACCOUNT in seen.path
    # Webhooks are signed with the token, so that is what is tried.
    assert await gateway.check() == []
    carrier.double.auth_token = "changed"
    (sentence,) = await gateway.check()
    assert "RAPID_RESPONSE_TWILIO_AUTH_TOKEN" in sentence
    await gateway.aclose()


# --- answers ----------------------------------------------------------------------------------------------


async def test_r1_throttled_is_said_with_the_wait_and_never_tried_again_by_itself(carrier: Twilio) -> None:
    outcome = await _send(carrier, problem(429, 20429, **{"Retry-After": "7"}))
    assert outcome == Rejected("throttled", "20429", timedelta(seconds=7), 429)
    assert carrier.double.messages == []
    assert isinstance(await carrier.gateway.send_text(TEXT), Accepted)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ({}, None),
        ({"Retry-After": "0"}, timedelta()),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "9" * 30}, timedelta(hours=1)),
        ({"Retry-After": format_datetime(MONDAY + timedelta(seconds=12))}, timedelta(seconds=12)),
        ({"Retry-After": format_datetime(MONDAY - timedelta(seconds=12))}, timedelta()),
    ],
)
async def test_r1_however_the_wait_is_written(
    carrier: Twilio, header: dict[str, str], wait: timedelta | None
) -> None:
    outcome = await _send(carrier, Fault(status=429, body="<html>slow down</html>", headers=header))
    assert outcome == Rejected("throttled", "", wait, 429)


async def test_r2_refused_connections_are_not_sent(carrier: Twilio) -> None:
    await carrier.go_down()
    assert await carrier.gateway.send_text(TEXT) == Rejected("not_sent")
    assert await carrier.gateway.place_call(CALL) == Rejected("not_sent")


@pytest.mark.parametrize("address", ["https://nowhere.invalid", "https://127.0.0.1:{port}"])
async def test_r2_no_name_and_no_tls_are_not_sent(carrier: Twilio, clock: ManualClock, address: str) -> None:
    """The double speaks no TLS: the handshake fails."""
    port = carrier.double.base_url.rpartition(":")[2]
    gateway = TwilioGateway(account(carrier.double, api_base_url=address.format(port=port)), clock)
    assert await gateway.send_text(TEXT) == Rejected("not_sent")
    assert carrier.double.messages == []
    await gateway.aclose()


@dataclass
class Canned:
    """A network whose answers are made up, and which keeps what was asked."""

    answer: Callable[[Asked], Answer]
    asked: list[Asked] = field(default_factory=list)

    async def ask(self, request: Asked) -> Answer:
        self.asked.append(request)
        return self.answer(request)

    async def aclose(self) -> None:
        pass


def _answer(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, headers or {}, json.dumps(body).encode())


def _taken(_: Asked) -> Answer:
    return _answer(201, {"sid": "SM" + "1" * 32, "status": "queued"})


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NotSent("not_sent", "ClientConnectorError"), Rejected("not_sent")),
        (NotSent("account", "ClientHttpProxyError"), Rejected("account")),
        (Unanswered("SocketTimeoutError"), Ambiguous("SocketTimeoutError")),
    ],
)
async def test_r2_r4_only_what_certainly_stayed_here_is_not_sent(
    clock: ManualClock, error: Exception, outcome: SendOutcome
) -> None:
    """Which of a network's failures is which: test_connections.py."""

    def fail(_: Asked) -> Answer:
        raise error

    network = Canned(fail)
    gateway = TwilioGateway(_plain_account(), clock, network=network)
    assert await gateway.send_text(TEXT) == outcome
    assert len(network.asked) == 1
    await gateway.aclose()


@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}", "127.0.0.1:{port}"])
async def test_requests_to_twilio_go_by_the_councils_proxy(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """A proxy of this machine's, which lets nothing through: what was asked of it tells the way."""
    asked: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    proxy = await asyncio.start_server(refuse, "127.0.0.1")
    monkeypatch.setenv("HTTPS_PROXY", address.format(port=proxy.sockets[0].getsockname()[1]))
    gateway = TwilioGateway(_plain_account(), clock)
    assert await gateway.send_text(TEXT) == Rejected("account")
    assert asked == [b"CONNECT api.twilio.com:443 HTTP/1.1\r\n"]
    await gateway.aclose()
    proxy.close()


async def test_requests_to_this_machine_go_by_no_proxy(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens there: a request that went by it would not be taken."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with twilio(clock) as carrier:
        assert isinstance(await carrier.gateway.send_text(TEXT), Accepted)


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128", id="of https"),
        pytest.param({"ALL_PROXY": "http://proxy:3128"}, "http://proxy:3128", id="of all"),
        pytest.param({"HTTP_PROXY": "http://proxy:3128"}, None, id="of http alone"),
        pytest.param({"HTTPS_PROXY": "proxy:3128", "NO_PROXY": ".twilio.com"}, None, id="not to Twilio"),
    ],
)
def test_which_proxy_leads_to_twilio(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], proxy: str | None
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_to(urlsplit("https://api.twilio.com")) == proxy


_HTML = "<html><body>Bad Gateway</body></html>"
_TAKEN_OR_NOT = pytest.mark.parametrize("takes", [True, False])


@_TAKEN_OR_NOT
@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500, body='{"code": 20500, "message": "Internal Server Error", "status": 500}'),
        Fault(status=502, body=_HTML),
        Fault(status=503, body="", headers={"Retry-After": "1"}),
        Fault(status=504, body=_HTML),
        Fault(status=307, body="", headers={"Location": "/2010-04-01/elsewhere"}),
        Fault(status=302, body=_HTML, headers={"Location": "https://login.example.org/"}),
        Fault(status=408, body=_HTML),
        Fault(drops=True),
    ],
)
@pytest.mark.parametrize("call", [False, True])
async def test_r3_what_may_have_gone_is_unknown_asked_once_and_found_if_it_went(
    carrier: Twilio, fault: Fault, takes: bool, call: bool
) -> None:
    assert isinstance(await _send(carrier, Fault(**(vars(fault) | {"takes": takes})), call=call), Ambiguous)
    found = [one.body for one in await carrier.gateway.find_sent(ASHA, MONDAY)]
    assert found == (["job 4821"] if takes and not call else [])


async def test_r3_r4_an_answer_that_comes_too_late_is_unknown_and_nobody_else_waits(
    carrier: Twilio, clock: ManualClock
) -> None:
    late = asyncio.Event()
    carrier.double.next.append(Fault(takes=True, until=late))
    hasty = TwilioGateway(account(carrier.double, Timing(read_seconds=0.6)), clock)
    slow = asyncio.create_task(hasty.send_text(TEXT))
    await carrier.double.taken.wait()
    other = TextRequest("other", "+447700900102", "job 5530", timedelta(minutes=5))
    assert isinstance(await carrier.gateway.send_text(other), Accepted)

    assert await slow == Ambiguous("SocketTimeoutError")
    late.set()
    # The 201 that came after all is not taken for an answer to the next request.
    third = await hasty.send_text(TextRequest("3", ASHA, "third", timedelta(minutes=5)))
    assert isinstance(third, Accepted)
    assert third.sid == carrier.double.messages[-1].sid
    assert [one.body for one in await hasty.find_sent(ASHA, MONDAY)] == ["third", "job 4821"]
    await hasty.aclose()


async def test_r5_a_201_that_failed_in_the_same_breath_is_a_refusal(carrier: Twilio) -> None:
    fault = Fault(takes=True, text_status="failed", error_code=21610)
    assert await _send(carrier, fault) == Rejected("opted_out", "21610", http_status=201)
    fault = Fault(takes=True, text_status="undelivered", error_code=30006)
    assert await _send(carrier, fault) == Rejected("bad_destination", "30006", http_status=201)
    fault = Fault(takes=True, text_status="failed")
    assert await _send(carrier, fault) == Rejected("unclassified", "", http_status=201)
    # A code beside a status that still goes on decides nothing: the receipt will.
    fault = Fault(takes=True, text_status="queued", error_code=30008)
    assert isinstance(await _send(carrier, fault), Accepted)


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "",
        "[]",
        "null",
        '"SM1"',
        "{",
        _HTML,
        "\ufeff{}",
        json.dumps({"sid": None, "status": "queued"}),
        json.dumps({"sid": 17, "status": "queued"}),
        json.dumps({"sid": "", "status": "queued"}),
        json.dumps({"sid": "SM" + "0" * 40, "status": "queued"}),
        json.dumps({"status": "queued", "to": ASHA}),
    ],
)
@_TAKEN_OR_NOT
@pytest.mark.parametrize("call", [False, True])
async def test_r5_a_201_that_cannot_be_kept_is_unknown(
    carrier: Twilio, body: str, takes: bool, call: bool
) -> None:
    outcome = await _send(carrier, Fault(status=201, body=body, takes=takes), call=call)
    assert isinstance(outcome, Ambiguous)
    assert ASHA not in outcome.reason


async def test_r5_a_word_never_heard_before_is_taken_for_what_it_is(carrier: Twilio) -> None:
    sid = "SM" + "1" * 32
    for status, word in (("on the moon", "on the moon"), (None, "queued"), (7, "queued")):
        body = json.dumps({"sid": sid, "status": status})
        assert await _send(carrier, Fault(status=201, body=body)) == Accepted(sid, word)


def _problem_json(code: int, status: int = 400) -> Fault:
    body = {"type": "https://www.twilio.com/docs/errors", "title": "Bad", "status": status, "code": code}
    return Fault(status=status, body=json.dumps(body | {"detail": f"about {ASHA}"}))


async def test_r5_problem_json_is_read_like_the_other_kind(carrier: Twilio) -> None:
    assert await _send(carrier, _problem_json(21211)) == Rejected("bad_destination", "21211", None, 400)
    assert await _send(carrier, _problem_json(99999)) == Rejected("unclassified", "99999", None, 400)


#: delivery.md 6.1, as far as codes go.
CLASSES = {
    "throttled": "20429",
    "bad_destination": "21211 21217 21214 21401 21612 21614 21635 30005 30006",
    "opted_out": "21610",
    "filtered": "30004 30007 21216 32017",
    "handset": "30003",
    "carrier": "30008 30410 30500",
    "queue_full": "30001 21611",
    "stale": "30036",
    "account": "20003 20005 30002",
    "sender": "21212 21601 21606 21659 21660 21663 21669 21703 30024 30032 30033 30034 30035",
    "request": "21408 21608 21609 21617 21624 30045 90007 21602",
    "call_busy": "34002",
    "unclassified": "99999 12345 30999",
}


@pytest.mark.parametrize(
    ("error_class", "code"), [(name, code) for name, codes in CLASSES.items() for code in codes.split()]
)
async def test_r6_each_code_has_its_class_whatever_it_came_in(
    carrier: Twilio, error_class: str, code: str
) -> None:
    assert rules.error_class(code) == error_class
    for fault in (problem(400, int(code)), _problem_json(int(code))):
        assert await _send(carrier, fault) == Rejected(error_class, code, None, 400)
    fault = Fault(takes=True, text_status="failed", error_code=int(code))
    assert await _send(carrier, fault) == Rejected(error_class, code, http_status=201)


@pytest.mark.parametrize("body", [_HTML, "", "{}", '{"error": "sign in first"}', '{"code": 401}'])
@pytest.mark.parametrize(
    ("status", "error_class"),
    [(401, "account"), (403, "account"), (407, "account"), (400, "unclassified"), (404, "unclassified")],
)
async def test_r6_a_refusal_without_a_code_is_somebody_elses(
    carrier: Twilio, body: str, status: int, error_class: str
) -> None:
    """A proxy between us and Twilio: that the client puts the status where a code should be is undone."""
    assert await _send(carrier, Fault(status=status, body=body)) == Rejected(error_class, "", None, status)


async def test_r6_wrong_credentials_are_the_accounts(carrier: Twilio, clock: ManualClock) -> None:
    gateway = TwilioGateway(account(carrier.double, auth_token="wrong"), clock)
    assert await gateway.send_text(TEXT) == Rejected("account", "20003", None, 401)
    with pytest.raises(CannotAsk) as caught:
        await gateway.find_sent(ASHA, MONDAY)
    assert caught.value.error_class == "account"
    (sentence,) = await gateway.check()
    assert "does not accept" in sentence
    await gateway.aclose()


# --- asking -----------------------------------------------------------------------------------------------

_QUESTIONS: list[Callable[[TwilioGateway], Any]] = [
    lambda gateway: gateway.find_sent(ASHA, MONDAY),
    lambda gateway: gateway.list_inbound(NUMBER, MONDAY),
    lambda gateway: gateway.fetch("SM" + "1" * 32),
]


@pytest.mark.parametrize("ask", _QUESTIONS)
@pytest.mark.parametrize(
    ("fault", "error_class"),
    [
        (Fault(status=500, body=_HTML), "ambiguous"),
        (Fault(status=404, body=_HTML), "unclassified"),
        (Fault(status=200, body="{"), "ambiguous"),
        (Fault(status=200, body="[]"), "ambiguous"),
        (Fault(drops=True), "ambiguous"),
        (problem(429, 20429), "throttled"),
        (Fault(status=407, body=""), "account"),
    ],
)
async def test_what_could_not_be_asked_is_never_taken_for_none(
    carrier: Twilio, ask: Callable[[Any], Any], fault: Fault, error_class: str
) -> None:
    carrier.double.next.append(fault)
    with pytest.raises(CannotAsk) as caught:
        await ask(carrier.gateway)
    assert caught.value.error_class == error_class
    assert await ask(carrier.gateway) in ([], None)


async def test_a_list_is_read_page_by_page_until_it_is_older(carrier: Twilio, clock: ManualClock) -> None:
    carrier.double.largest_page = 3
    for count in range(10):
        await carrier.text_in(ASHA, f"text {count}", lost=True)
        clock.advance(timedelta(minutes=1))
    since = MONDAY + timedelta(minutes=5)
    listed = await carrier.gateway.list_inbound(NUMBER, since)
    assert [one.body for one in listed] == [f"text {count}" for count in (9, 8, 7, 6, 5)]
    # Two pages hold them and the third is older: the fourth is not asked for.
    assert len(carrier.double.seen) == 3


async def test_a_page_that_fails_in_the_middle_fails_the_whole(carrier: Twilio) -> None:
    carrier.double.largest_page = 3
    for count in range(10):
        await carrier.text_in(ASHA, f"text {count}", lost=True)
    carrier.double.next += [Fault(takes=True), Fault(status=500, body=_HTML)]
    with pytest.raises(CannotAsk):
        await carrier.gateway.list_inbound(NUMBER, MONDAY)


async def test_a_date_that_cannot_be_read_is_not_taken_for_an_old_one(carrier: Twilio) -> None:
    """Were Twilio to write its dates otherwise, nothing would be found, and everything sent again."""
    record = {"sid": "SM1", "direction": "outbound-api", "date_created": "2026-11-23T09:00:00Z"}
    page = {"messages": [record], "next_page_uri": None}
    carrier.double.next.append(Fault(status=200, body=json.dumps(page)))
    with pytest.raises(CannotAsk):
        await carrier.gateway.find_sent(ASHA, MONDAY)
    carrier.double.next.append(Fault(status=200, body=json.dumps(record)))
    with pytest.raises(CannotAsk):
        await carrier.gateway.fetch("SM" + "1" * 32)


async def test_a_list_without_end_is_left(carrier: Twilio) -> None:
    await carrier.text_in(ASHA, "again", lost=True)
    page = {"messages": [], "next_page_uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?Page=1"}
    at = format_datetime(MONDAY)
    record = {"sid": "SM1", "direction": "inbound", "date_sent": at, "date_created": at}
    body = json.dumps(page | {"messages": [record]})
    carrier.double.next += [Fault(status=200, body=body) for _ in range(200)]
    with pytest.raises(CannotAsk):
        await carrier.gateway.list_inbound(NUMBER, MONDAY)
    carrier.double.next.clear()


async def test_a_page_elsewhere_does_not_get_our_credentials(clock: ManualClock) -> None:
    """An answer names the address of the next page; only Twilio's own hosts are asked."""
    record = {"sid": "SM1", "direction": "inbound", "date_sent": format_datetime(MONDAY)}
    meta = {"key": "messages", "next_page_url": "https://twilio.com.evil.example/next"}
    network = Canned(lambda _: _answer(200, {"messages": [record], "meta": meta}))
    gateway = TwilioGateway(_plain_account(), clock, network=network)
    with pytest.raises(CannotAsk):
        await gateway.list_inbound(NUMBER, MONDAY)
    assert [urlsplit(request.address).hostname for request in network.asked] == ["api.twilio.com"]
    await gateway.aclose()


async def test_with_a_fast_clock_the_lists_are_read_in_real_time(carrier: Twilio) -> None:
    """Twilio lives in real time; we, where somebody allowed it, do not."""
    clock = SystemClock(60)
    clock.set_epoch(clock.real(), clock.real() + timedelta(days=3))
    carrier.double.clock = clock
    gateway = TwilioGateway(account(carrier.double), clock)
    before = clock.now()
    await gateway.send_text(TEXT)
    (found,) = await gateway.find_sent(ASHA, before - timedelta(seconds=5))
    assert timedelta() <= clock.now() - found.created_at < timedelta(minutes=5)
    await gateway.aclose()


@pytest.mark.parametrize("headers", [{}, {"Date": "yesterday"}])
async def test_g8_what_was_sent_while_our_clock_was_ahead_is_found(
    carrier: Twilio, headers: dict[str, str]
) -> None:
    """By the time that their answer tells; where it tells none, by how far we know ourselves to be ahead."""
    machine = FakeMachine()
    clock = SystemClock(machine=machine)
    carrier.double.clock = ManualClock(machine.wall_time - timedelta(hours=2))
    machine.steps(timedelta(hours=-2))
    clock.compare_with_wall()
    gateway = TwilioGateway(account(carrier.double), clock)
    asked_at = clock.now() - timedelta(seconds=5)
    await gateway.send_text(TEXT)
    carrier.double.next.append(Fault(takes=True, status=200, headers=headers))
    (found,) = await gateway.find_sent(ASHA, asked_at)
    assert abs(found.created_at - clock.now()) <= timedelta(seconds=5)
    assert await gateway.find_sent(ASHA, clock.now() + timedelta(minutes=1)) == []
    await gateway.aclose()


# --- a Messaging Service ----------------------------------------------------------------------------------


@pytest.fixture
async def service(carrier: Twilio, clock: ManualClock) -> AsyncIterator[TwilioGateway]:
    """The account sends by a service with two numbers."""
    carrier.double.service = {
        "sid": SERVICE,
        "inbound_request_url": f"{BASE_URL}/webhooks/twilio/sms",
        "use_inbound_webhook_on_number": False,
    }
    carrier.double.pool = list(POOL)
    for number in POOL:
        carrier.double.numbers[number] = carrier.double.numbers[NUMBER] | {"phone_number": number}
    gateway = TwilioGateway(
        account(carrier.double, from_number=None, messaging_service_sid=SERVICE, voice_from=NUMBER), clock
    )
    yield gateway
    await gateway.aclose()


async def test_a_service_sends_and_its_numbers_are_learnt(carrier: Twilio, service: TwilioGateway) -> None:
    outcome = await service.send_text(TEXT)
    assert isinstance(outcome, Accepted)
    assert outcome.status == "accepted"
    (seen,) = carrier.double.posts
    assert seen["MessagingServiceSid"] == SERVICE
    assert "From" not in dict(seen.fields)
    # Its sender is whichever the service chose: the look-up does not name one.
    assert [one.body for one in await service.find_sent(ASHA, MONDAY)] == ["job 4821"]
    assert "From" not in dict(carrier.double.seen[-1].fields)

    assert service._learning is not None
    await service._learning
    assert service.our_numbers == (NUMBER, *POOL)


async def test_the_numbers_of_a_service_are_looked_at_again(
    carrier: Twilio, service: TwilioGateway, clock: ManualClock
) -> None:
    await carrier.go_down()
    await service.send_text(TEXT)
    assert service._learning is not None
    await service._learning
    assert POOL[0] not in service.our_numbers
    await carrier.come_back()

    clock.advance(timedelta(minutes=1))
    await service.send_text(TEXT)
    await service._learning
    assert service.our_numbers == (NUMBER, *POOL)
    looked = len(carrier.double.seen)
    await service.send_text(TEXT)
    assert len(carrier.double.seen) == looked + 1


async def test_a_service_alone_cannot_ring(carrier: Twilio, clock: ManualClock) -> None:
    gateway = TwilioGateway(account(carrier.double, from_number=None, messaging_service_sid=SERVICE), clock)
    assert await gateway.place_call(CALL) == Rejected("sender")
    assert carrier.double.posts == []
    await gateway.aclose()


# --- what would break the promise -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sms_url": ""}, "passes texts on nowhere"),
        ({"sms_url": "https://demo.twilio.com/welcome/sms/reply"}, "passes texts on to another address"),
        ({"sms_method": "GET"}, "passes texts on here by GET"),
        ({"sms_application_sid": "AP1"}, "passes texts to an application"),
        ({"capabilities": {"sms": False, "voice": True}}, "cannot send or receive texts"),
        ({"voice_url": None}, "passes calls on nowhere"),
        ({"voice_application_sid": "AP1"}, "passes calls to an application"),
        ({"trunk_sid": "TK1"}, "passes calls to an application or trunk"),
        ({"capabilities": {"sms": True, "voice": False}}, "cannot call"),
        ({"voice_fallback_url": ""}, "has no fallback for calls"),
    ],
)
async def test_a_number_that_is_set_up_wrongly_is_told(
    carrier: Twilio, change: dict[str, Any], said: str
) -> None:
    carrier.double.numbers[NUMBER] |= change
    (sentence,) = await carrier.gateway.check()
    assert said in sentence
    assert sentence.startswith(NUMBER)
    assert sentence.endswith(".")


async def test_a_strange_number_and_a_suspended_account_are_told(carrier: Twilio, clock: ManualClock) -> None:
    carrier.double.numbers.clear()
    carrier.double.account_status = "suspended"
    first, second = await carrier.gateway.check()
    assert "account is suspended" in first
    assert "is not a number of this account" in second


@pytest.mark.parametrize(("off", "said"), [(20, "20 s ahead of"), (-20, "20 s behind")])
async def test_a_clock_that_is_wrong_is_told(
    carrier: Twilio, clock: ManualClock, off: int, said: str
) -> None:
    carrier.double.clock = ManualClock(clock.real() - timedelta(seconds=off))
    (sentence,) = await carrier.gateway.check()
    assert said in sentence


async def test_a_service_that_is_set_up_wrongly_is_told(carrier: Twilio, service: TwilioGateway) -> None:
    assert await service.check() == []
    assert service.our_numbers == (NUMBER, *POOL)
    assert carrier.double.service is not None
    carrier.double.service["inbound_request_url"] = "https://elsewhere.example.org"
    (sentence,) = await service.check()
    assert f"{BASE_URL}/webhooks/twilio/sms" in sentence
    carrier.double.service["use_inbound_webhook_on_number"] = True
    assert await service.check() == []
    carrier.double.pool.clear()
    (sentence,) = await service.check()
    assert "has no numbers" in sentence
    carrier.double.service = None
    (sentence,) = await service.check()
    assert f"no Messaging Service {SERVICE}" in sentence


async def test_nobody_to_call_from_and_nobody_to_reach_is_told(carrier: Twilio, clock: ManualClock) -> None:
    alone = account(carrier.double, from_number="60777")
    gateway = TwilioGateway(alone, clock)
    assert gateway.our_numbers == ("60777",)
    (sentence,) = await gateway.check()
    assert "RAPID_RESPONSE_TWILIO_VOICE_FROM" in sentence
    await gateway.aclose()

    def all_well(request: Asked) -> Answer:
        date = {"date": format_datetime(clock.real(), usegmt=True)}
        number = carrier.double.numbers[NUMBER] | {
            "sms_url": "http://127.0.0.1:8000/webhooks/twilio/sms",
            "voice_url": "http://127.0.0.1:8000/webhooks/twilio/voice",
        }
        body = {"status": "active"} if "Incoming" not in request.address else {"numbers": [number]}
        return _answer(200, body, date)

    local = TwilioAccount(ACCOUNT, TOKEN, "http://127.0.0.1:8000", from_number=NUMBER)
    gateway = TwilioGateway(local, clock, network=Canned(all_well))
    (sentence,) = await gateway.check()
    assert "Twilio cannot reach http://127.0.0.1:8000" in sentence
    await gateway.aclose()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(status=503, body=_HTML), "status page"),
        (problem(429, 20429), "too often"),
        (Fault(status=407, body=""), "does not accept"),
    ],
)
async def test_a_check_that_cannot_be_made_is_told_in_one_sentence(
    carrier: Twilio, fault: Fault, said: str
) -> None:
    carrier.double.next.append(fault)
    (sentence,) = await carrier.gateway.check()
    assert said in sentence


# --- hosts, environment, logs -----------------------------------------------------------------------------


def _plain_account(timing: Timing | None = None, **more: str | None) -> TwilioAccount:
    values: dict[str, str | None] = {"from_number": NUMBER, **more}
    return TwilioAccount(ACCOUNT, TOKEN, BASE_URL, timing=timing or Timing(), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("region", "edge", "host"),
    [(None, None, "api.twilio.com"), ("ie1", "dublin", "api.dublin.ie1.twilio.com")],
)
async def test_x1_the_regions_host_and_nothing_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, clock: ManualClock, region: str | None, edge: str | None, host: str
) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC" + "9" * 32)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "somebody else's")
    monkeypatch.setenv("TWILIO_REGION", "au1")
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    network = Canned(_taken)
    gateway = TwilioGateway(_plain_account(region=region, edge=edge), clock, network=network)
    assert gateway.host == host
    assert isinstance(await gateway.send_text(TEXT), Accepted)
    (request,) = network.asked
    assert request.address == f"https://{host}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert request.headers["Authorization"] == httpx.BasicAuth(ACCOUNT, TOKEN)._auth_header
    assert b"9999" not in (request.body or b"")
    await gateway.aclose()


async def test_x1_another_address_takes_the_place_of_the_regions_too(
    carrier: Twilio, clock: ManualClock
) -> None:
    gateway = TwilioGateway(account(carrier.double, region="ie1", edge="dublin"), clock)
    assert isinstance(await gateway.send_text(TEXT), Accepted)
    assert gateway.host == carrier.double.base_url.removeprefix("http://")
    await gateway.aclose()


async def test_x1_another_address_may_have_a_path(clock: ManualClock) -> None:
    network = Canned(_taken)
    elsewhere = _plain_account(api_base_url="https://egress.example.org/twilio/")
    gateway = TwilioGateway(elsewhere, clock, network=network)
    await gateway.send_text(TEXT)
    assert [request.address for request in network.asked] == [
        f"https://egress.example.org/twilio/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    ]
    await gateway.aclose()


async def test_no_phone_number_and_no_secret_in_the_log(
    carrier: Twilio, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("twilio", "aiohttp"):
        assert logging.getLogger(name).level == logging.WARNING
    await carrier.gateway.send_text(TEXT)
    await _send(carrier, _problem_json(21211))
    await _send(carrier, Fault(drops=True))
    await carrier.gateway.find_sent(ASHA, MONDAY)
    await carrier.gateway.check()
    logged = caplog.text + "".join(capsys.readouterr())
    assert "provider_asked" in logged
    for secret in ("7700900", "job 4821", TOKEN, ACCOUNT):
        assert secret not in logged


def test_an_account_shows_no_secret() -> None:
    shown = repr(_plain_account(api_key_sid=KEY, api_key_secret=KEY_SECRET))
    assert TOKEN not in shown
    assert KEY_SECRET not in shown
