"""A mail server in a test: speaks SMTP over a real socket, keeps what it takes, and fails as it is told."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self


@dataclass(slots=True)
class _Conversation:
    signed_in: bool
    is_safe: bool = False
    sender: str = ""
    to: str = ""


@dataclass(slots=True)
class MailServer:
    """Listens on a port of this machine while it is open."""

    #: What it answers to a mail instead of taking it, such as `451 4.3.0 Try later`.
    refuses: str = ""
    #: It takes the connection and says nothing.
    hangs: bool = False
    #: Who may hand in mail: a name and a password; anybody when left out.
    account: tuple[str, str] | None = None
    #: Speaks TLS, at once or when it is asked to begin (STARTTLS).
    tls: ssl.SSLContext | None = None
    begins_open: bool = False
    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, str]] = field(default_factory=list)
    connections: int = 0
    _server: asyncio.Server | None = None
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        at_once = None if self.begins_open else self.tls
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port, ssl=at_once)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Nobody listens any more, and whoever was speaking is cut off."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.close()

    @property
    def settings(self) -> dict[str, Any]:
        """What leads the service here."""
        return {
            "smtp_host": "127.0.0.1",
            "smtp_port": self.port,
            "smtp_security": "off",
            "smtp_from": "duty@example.org",
            "smtp_to": "desk@example.org",
        }

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        if self.hangs:
            return

        def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())

        say("220 mail.example.org ESMTP")
        spoken = _Conversation(signed_in=self.account is None)
        try:
            while line := (await reader.readline()).decode().rstrip("\r\n"):
                verb = line.upper().split(" ")[0]
                if verb == "DATA":
                    await self._take(reader, say, (spoken.sender, spoken.to))
                    continue
                if verb == "STARTTLS" and self.begins_open and self.tls is not None:
                    say("220 2.0.0 Begin")
                    await writer.start_tls(self.tls)
                    spoken.is_safe = True
                    continue
                for answer in self._answers(verb, line, spoken):
                    say(answer)
                if verb == "QUIT":
                    break
        finally:
            writer.close()

    def _answers(self, verb: str, line: str, spoken: _Conversation) -> list[str]:
        match verb:
            case "EHLO":
                last = "250 AUTH PLAIN" if self.account else "250 8BITMIME"
                more = ["250-STARTTLS"] if self.begins_open and not spoken.is_safe else []
                return ["250-mail.example.org", *more, last]
            case "AUTH" | "MAIL" if self.begins_open and not spoken.is_safe:
                return ["530 5.7.0 Must issue a STARTTLS command first"]
            case "AUTH":
                spoken.signed_in = self._is_right(line.split(" ")[-1])
                return ["235 2.7.0 Welcome" if spoken.signed_in else "535 5.7.8 Wrong"]
            case "MAIL":
                spoken.sender = line.partition(":")[2].split(" ")[0]
                return ["250 OK" if spoken.signed_in else "530 5.7.0 Sign in first"]
            case "RCPT":
                spoken.to = line.partition(":")[2]
                return ["250 OK"]
            case "QUIT":
                return ["221 Bye"]
            case "HELO" | "NOOP" | "RSET":
                return ["250 OK"]
        return ["502 5.5.1 Not known here"]

    def _is_right(self, said: str) -> bool:
        _, name, password = base64.b64decode(said).decode().split("\0")
        return (name, password) == self.account

    async def _take(
        self, reader: asyncio.StreamReader, say: Callable[[str], None], envelope: tuple[str, str]
    ) -> None:
        if self.refuses:
            say(self.refuses)
            return
        say("354 Go on")
        data = await reader.readuntil(b"\r\n.\r\n")
        message = message_from_bytes(data[:-3], policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.envelopes.append(envelope)
        say("250 2.0.0 Taken")
