"""One request over a socket, once: what certainly stayed here, and what may have arrived (R2, R3, R4)."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
import trustme

from rapid_response.messaging import connections
from rapid_response.messaging.connections import Answer, Asked, Connections, NotSent, Timing, Unanswered

SHORT = Timing(connect_seconds=0.1, read_seconds=0.1, concurrency=1)
PATIENT = Timing(concurrency=1)
WELL = b'HTTP/1.1 201 Created\r\nContent-Length: 13\r\nX-Said: yes\r\n\r\n{"sid":"SM1"}'

#: What the other end does with a request once it has read it.
Act = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Other:
    """The other end: a socket, and what came by it."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/Messages.json"


@asynccontextmanager
async def listening(*acts: Act, tls: ssl.SSLContext | None = None) -> AsyncIterator[Other]:
    """Somebody who does one of `acts` with each request, the last with all that follow."""
    other, left = Other(), list(acts)
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        other.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                other.requests.append(head + await reader.readexactly(int(length or 0)))
                other.arrived.set()
                await (left.pop(0) if len(left) > 1 else left[0])(writer)
        writer.close()
        other.ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", ssl=tls)
    other.port = server.sockets[0].getsockname()[1]
    yield other
    for task in serving:
        task.cancel()
    server.close()


def says(*pieces: bytes, then: str = "stays") -> Act:
    async def act(writer: asyncio.StreamWriter) -> None:
        writer.writelines(pieces)
        await writer.drain()
        if then == "closes":
            writer.close()
        elif then == "resets":
            writer.transport.abort()

    return act


async def says_nothing(writer: asyncio.StreamWriter) -> None:
    await asyncio.get_running_loop().create_future()


async def trickles(writer: asyncio.StreamWriter) -> None:
    """Each piece comes within the time-out; all together take too long."""
    writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b" ")
        await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.02)


def post(address: str) -> Asked:
    return Asked("POST", address, {"Content-Type": "application/x-www-form-urlencoded"}, b"To=x&Body=y")


@asynccontextmanager
async def network(timing: Timing = PATIENT, proxy: str | None = None) -> AsyncIterator[Connections]:
    made = Connections(timing, timing.concurrency, proxy)
    yield made
    await made.aclose()


async def failure(request: Asked, timing: Timing = PATIENT, proxy: str | None = None) -> Exception:
    """What asking comes to when nothing good does."""
    async with network(timing, proxy) as made:
        with pytest.raises((NotSent, Unanswered)) as failed:
            await made.ask(request)
    return failed.value


# --- what arrives -----------------------------------------------------------------------------------------


async def test_a_request_and_its_answer_travel_as_they_are() -> None:
    async with listening(says(WELL)) as other, network() as made:
        answer = await made.ask(post(other.address + "?Page=1&a=%2B44%20x"))
        assert (answer.status, answer.text) == (201, '{"sid":"SM1"}')
        assert answer.headers["x-said"] == "yes"
        (seen,) = other.requests
    assert seen.startswith(b"POST /Messages.json?Page=1&a=%2B44%20x HTTP/1.1\r\n")
    assert seen.endswith(b"\r\n\r\nTo=x&Body=y")
    assert b"content-type: application/x-www-form-urlencoded\r\n" in seen.lower()


async def test_a_connection_is_kept_and_one_that_was_ended_meanwhile_is_not_used() -> None:
    ends = listening(says(WELL), says(WELL, then="closes"), says(WELL))
    async with ends as other, listening(says(WELL)) as third, network() as made, network() as another:
        for _ in range(2):
            await made.ask(post(other.address))
        assert other.connections == 1
        await other.ended.wait()
        await another.ask(post(third.address))  # by when the loop has seen the end of the first as well
        assert (await made.ask(post(other.address))).status == 201
        assert (other.connections, len(other.requests)) == (2, 3)


async def test_no_redirect_is_followed_and_no_cookie_kept() -> None:
    moved = b"HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
    async with listening(says(moved), says(WELL)) as other, network() as made:
        assert (await made.ask(post(other.address))).status == 307
        await made.ask(post(other.address))
        assert [seen.split(b" ")[1] for seen in other.requests] == [b"/Messages.json"] * 2
        assert b"cookie" not in other.requests[1].lower()


async def test_gzip_is_read() -> None:
    packed = gzip.compress(b"{}")
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    async with listening(says(head, packed)) as other, network() as made:
        assert (await made.ask(Asked("GET", other.address, {}))).text == "{}"


# --- what certainly stayed here ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/", "https://nowhere.invalid/", "ftp://127.0.0.1/", "http://[::1/", "/x"]
)
async def test_nobody_there_no_name_and_no_address_are_not_sent(address: str) -> None:
    failed = await failure(post(address))
    assert isinstance(failed, NotSent)
    assert failed.error_class == "not_sent"


async def test_no_tls_is_not_sent() -> None:
    """It speaks something else, says nothing at all, or cannot prove who it is."""
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(ours)
    async with listening(says(WELL)) as plain, listening(says(WELL), tls=ours) as unknown:
        for other, timing in ((plain, SHORT), (unknown, PATIENT)):
            failed = await failure(post(other.address.replace("http:", "https:")), timing)
            assert isinstance(failed, NotSent)
            assert other.requests == []


async def test_no_free_connection_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_POOL_SECONDS", 0.05)
    timing = Timing(connect_seconds=0.05, concurrency=1)
    async with listening(says_nothing) as other, network(timing) as made:
        first = asyncio.create_task(made.ask(post(other.address)))
        await other.arrived.wait()
        with pytest.raises(NotSent):
            await made.ask(post(other.address))
        first.cancel()
        assert len(other.requests) == 1


@pytest.mark.parametrize(
    ("refusal", "error_class"),
    [
        (b"407 Proxy Authentication Required", "account"),
        (b"403 Forbidden", "account"),
        (b"502 Bad Gateway", "not_sent"),
    ],
)
async def test_what_a_proxy_lets_not_through_is_not_sent(refusal: bytes, error_class: str) -> None:
    act = says(b"HTTP/1.1 " + refusal + b"\r\nContent-Length: 0\r\n\r\n", then="closes")
    async with listening(act) as proxy:
        address = f"http://who:secret@127.0.0.1:{proxy.port}"
        failed = await failure(post("https://api.example.org/x"), proxy=address)
        (asked,) = proxy.requests
    assert isinstance(failed, NotSent)
    assert failed.error_class == error_class
    assert asked.startswith(b"CONNECT api.example.org:443 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic d2hvOnNlY3JldA==" in asked


@pytest.mark.parametrize(
    ("proxy", "error_class"), [("http://127.0.0.1:1", "not_sent"), ("socks5://p", "account")]
)
async def test_no_proxy_there_and_one_we_cannot_use_are_not_sent(proxy: str, error_class: str) -> None:
    failed = await failure(post("https://api.example.org/x"), proxy=proxy)
    assert isinstance(failed, NotSent)
    assert failed.error_class == error_class


# --- what may have arrived --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(says(then="closes"), id="closed"),
        pytest.param(says(then="resets"), id="reset"),
        pytest.param(says(WELL[:20], then="closes"), id="closed in the head"),
        pytest.param(says(WELL[:-5], then="closes"), id="closed in the body"),
        pytest.param(says(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), id="not HTTP"),
        pytest.param(says(WELL.replace(b"X-Said: yes", b"Content-Encoding: gzip")), id="broken gzip"),
        pytest.param(says_nothing, id="silent"),
        pytest.param(says(WELL[:-5]), id="silent in the body"),
        pytest.param(trickles, id="trickling"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
@pytest.mark.parametrize("is_kept", [False, True], ids=["new", "kept"])
async def test_no_usable_answer_is_unanswered_and_nothing_is_asked_twice(
    monkeypatch: pytest.MonkeyPatch, act: Act, method: str, is_kept: bool
) -> None:
    monkeypatch.setattr(connections, "_POOL_SECONDS", 0.1)
    monkeypatch.setattr(connections, "_WRITE_SECONDS", 0.1)
    before = [says(WELL)] if is_kept else []
    async with listening(*before, act) as other, network(SHORT) as made:
        for _ in before:
            assert isinstance(await made.ask(post(other.address)), Answer)
        with pytest.raises(Unanswered):
            await made.ask(Asked(method, other.address, {}))
        assert (len(other.requests), other.connections) == (1 + len(before), 1)


async def test_after_an_answer_that_came_too_late_the_next_request_gets_its_own() -> None:
    late = asyncio.Event()

    async def says_late(writer: asyncio.StreamWriter) -> None:
        await late.wait()
        await says(WELL.replace(b"SM1", b"SM0"))(writer)

    async with listening(says_late, says(WELL)) as other, network(SHORT) as made:
        with pytest.raises(Unanswered):
            await made.ask(post(other.address))
        late.set()
        assert (await made.ask(post(other.address))).text == '{"sid":"SM1"}'
