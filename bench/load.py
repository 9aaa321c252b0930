"""A load client in a process of its own: posts reports over kept connections, and writes down every answer.

    python -m bench.load URL[,URL…] BODIES --clients 8 --seconds 4 [--rate 5] [--most 20000]

BODIES is a file with one JSON body a line. Closed loop: each client posts again as soon as it is answered;
of several addresses each client has one.
With --rate posts begin at fixed times whatever the answers do. Bounded in time and number, loopback only.
Prints one JSON line: how many were answered with 201, the times they took, and references with the wall-clock
time at which each was sent.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

_ANSWERS_WITHIN = 60.0


@dataclass
class Seen:
    """What was sent and what came back."""

    took: list[float] = field(default_factory=list)
    #: Reference (or nothing) and the wall-clock time at which it was sent.
    acknowledged: list[tuple[str, float]] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)


class Connection:
    """One kept-alive connection."""

    def __init__(self, url: str, headers: str) -> None:
        parts = urlsplit(url)
        if parts.hostname != "127.0.0.1" or parts.port is None:
            raise SystemExit("only this machine is measured")
        self._port, self._path = parts.port, parts.path
        self._headers = f"Host: 127.0.0.1:{parts.port}\r\nContent-Type: application/json\r\n{headers}"
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, body: bytes) -> tuple[int, bytes]:
        """Post once; gives status and body."""
        # One that rested for longer than the server keeps it is closed by now.
        if self._reader is None or self._writer is None or self._reader.at_eof():
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        head = f"POST {self._path} HTTP/1.1\r\n{self._headers}Content-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        status = int(answer[9:12])
        length = 0
        for line in answer.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line[15:])
        return status, await self._reader.readexactly(length)

    def close(self) -> None:
        """Let go."""
        if self._writer is not None:
            self._writer.close()


async def post_once(connection: Connection, body: bytes, seen: Seen) -> None:
    """One report, timed from before it is sent until its answer is whole."""
    wall, began = time.time(), time.perf_counter()
    async with asyncio.timeout(_ANSWERS_WITHIN):
        status, answer = await connection.post(body)
    took = time.perf_counter() - began
    if status == 201:
        seen.took.append(took)
        seen.acknowledged.append((json.loads(answer).get("reference", ""), wall))
    else:
        seen.refused[str(status)] = seen.refused.get(str(status), 0) + 1


async def closed_loop(arguments: argparse.Namespace, bodies: list[bytes], seen: Seen) -> float:
    """So many clients, each posting as fast as it is answered; gives how long that took."""
    began = time.perf_counter()
    end, numbers = began + arguments.seconds, iter(range(arguments.most))

    async def client(url: str) -> None:
        connection = Connection(url, arguments.headers)
        try:
            while time.perf_counter() < end and (number := next(numbers, None)) is not None:
                await post_once(connection, bodies[number % len(bodies)], seen)
        finally:
            connection.close()

    urls = arguments.url.split(",")
    await asyncio.gather(*(client(urls[n % len(urls)]) for n in range(arguments.clients)))
    return time.perf_counter() - began


async def open_loop(arguments: argparse.Namespace, bodies: list[bytes], seen: Seen) -> float:
    """Posts that begin at their times, each on a connection that is free."""
    began = time.perf_counter()
    free: list[Connection] = []
    running: set[asyncio.Task[None]] = set()

    async def one(number: int) -> None:
        connection = free.pop() if free else Connection(arguments.url, arguments.headers)
        await post_once(connection, bodies[number % len(bodies)], seen)
        free.append(connection)

    for number in range(min(arguments.most, int(arguments.seconds * arguments.rate))):
        await asyncio.sleep(max(0.0, began + number / arguments.rate - time.perf_counter()))
        task = asyncio.create_task(one(number))
        running.add(task)
        task.add_done_callback(running.discard)
    if running:
        await asyncio.gather(*running)
    for connection in free:
        connection.close()
    return time.perf_counter() - began


async def run(arguments: argparse.Namespace, bodies: list[bytes]) -> None:
    """Do what was asked, and print it."""
    seen = Seen()
    loop = open_loop if arguments.rate else closed_loop
    took = await loop(arguments, bodies, seen)
    print(
        json.dumps(
            {
                "seconds": took,
                "answered": len(seen.took),
                "took": sorted(seen.took),
                "acknowledged": seen.acknowledged,
                "refused": seen.refused,
            }
        )
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("bodies")
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--most", type=int, default=20_000)
    parser.add_argument("--key", default="")
    arguments = parser.parse_args()
    arguments.headers = f"Authorization: Bearer {arguments.key}\r\n" if arguments.key else ""
    uvloop.run(run(arguments, Path(arguments.bodies).read_bytes().splitlines()))


if __name__ == "__main__":
    main()
