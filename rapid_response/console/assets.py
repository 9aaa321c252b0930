"""Static files: named by their content, kept for a year by browsers, never read from disk while serving."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Where the files are mounted.
PREFIX = "/static"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_HASH_LENGTH = 12


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    packed: bytes
    media_type: str


class Assets:
    """The files of `console/static`, and the ASGI application that serves them below :data:`PREFIX`."""

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or Path(__file__).parent / "static"
        self._urls: dict[str, str] = {}
        self._files: dict[str, _File] = {}
        for path in sorted(folder.rglob("*")):
            if path.suffix in _TYPES and path.is_file():
                self._add(path.relative_to(folder).as_posix(), path.read_bytes())

    def _add(self, name: str, content: bytes) -> None:
        pure = PurePosixPath(name)
        digest = hashlib.sha256(content).hexdigest()[:_HASH_LENGTH]
        url = f"{PREFIX}/{pure.with_name(f'{pure.stem}.{digest}{pure.suffix}')}"
        self._urls[name] = url
        # mtime=0: the same bytes on every node.
        self._files[url] = _File(content, gzip.compress(content, mtime=0), _TYPES[pure.suffix])

    def url(self, name: str) -> str:
        """The address of a file by its name in the folder; an unknown name is a mistake in a template."""
        return self._urls[name]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one file; anything else is 404. Mounted or not, the whole path decides."""
        if scope["type"] != "http":
            return
        # Starlette leaves the whole path in `path` when it mounts; other servers may cut it into root_path.
        path = scope["path"]
        file = self._files.get(path) or self._files.get(PREFIX + path)
        if file is None or scope["method"] not in ("GET", "HEAD"):
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
            await _answer(send, 404, headers, b"There is no such file.", scope["method"] == "HEAD")
            return
        packs = any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])
        body = file.packed if packs else file.content
        headers = [
            (b"content-type", file.media_type.encode()),
            (b"cache-control", b"public, max-age=31536000, immutable"),
            (b"vary", b"accept-encoding"),
            *([(b"content-encoding", b"gzip")] if packs else []),
        ]
        await _answer(send, 200, headers, body, scope["method"] == "HEAD")


async def _answer(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes, head: bool
) -> None:
    length = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    await send({"type": "http.response.body", "body": b"" if head else body})
