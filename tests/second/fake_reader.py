"""A stand-in for a council's language-model endpoint: a real HTTP server on loopback, as unruly as bidden."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

#: What a question came with: its headers in small letters, and its body.
Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as it came over the wire."""

    path: str
    headers: Headers
    body: dict[str, Any]

    @property
    def report(self) -> str:
        """The report in it, as the reader was given it."""
        return str(json.loads(self.body["messages"][1]["content"])["report"])


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def says(words: str) -> Reply:
    """A well-formed answer with these words in it."""
    message = {"role": "assistant", "content": words}
    return Reply(json.dumps({"id": "x", "choices": [{"index": 0, "message": message}]}).encode())


def claims(*triples: tuple[str, str, str]) -> Reply:
    """An answer with these claims: label, value, quotation."""
    listed = [{"label": label, "value": value, "quote": quote} for label, value, quote in triples]
    return says(json.dumps({"claims": listed}))


def obeys(asked: Asked) -> Reply:
    """A model that does as the report tells it: whatever follows ANSWER in the report is its whole answer."""
    return says(asked.report.partition("ANSWER")[2].strip())


Answering = Callable[[Asked], Reply | None]


class FakeReader:
    """Answers each question as `answer` says; None leaves it hanging until the server goes."""

    def __init__(self, answer: Answering | Reply | None = None) -> None:
        self.answer: Answering | Reply | None = answer
        self.asked: list[Asked] = []
        self.at_once = self.most_at_once = 0
        self._server: asyncio.Server | None = None
        self._ends = asyncio.Event()
        self.port = 0

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/v1/chat/completions"

    @property
    def reports(self) -> Sequence[str]:
        """The reports it was given."""
        return [one.report for one in self.asked]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ends.set()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            asked = await _read(reader)
            self.asked.append(asked)
            reply = self.answer(asked) if callable(self.answer) else self.answer
            if reply is None:
                await self._ends.wait()
            else:
                writer.write(_written(reply))
                await writer.drain()
        self.at_once -= 1
        with suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    named = (line.partition(": ") for line in head[1:])
    headers = {name.lower(): value for name, _, value in named}
    body = await reader.readexactly(int(headers["content-length"]))
    return Asked(head[0].split(" ")[1], headers, json.loads(body))


def _written(reply: Reply) -> bytes:
    given = {"content-type": "application/json", "content-length": str(len(reply.body)), **reply.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    head = f"HTTP/1.1 {reply.status} X\r\n{lines}connection: close\r\n\r\n"
    return head.encode("latin-1") + reply.body
