"""Ids and chance, from one injected place, so that tests can replay a run."""

from __future__ import annotations

import os
import random
import secrets
import threading
import time
import uuid
from typing import NewType, Protocol

IncidentId = NewType("IncidentId", str)
ReportId = NewType("ReportId", str)
OfferId = NewType("OfferId", str)
MessageId = NewType("MessageId", str)
NoticeId = NewType("NoticeId", str)
ResponderId = NewType("ResponderId", str)

# Crockford's alphabet: no I, L, O, U, so that a reference survives being read out on a bad line.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Ids(Protocol):
    """Where new ids, tokens and random choices come from."""

    def uuid(self) -> str:
        """A new row id; unique over all nodes, and greater than every one given here before it."""

    def reference(self) -> str:
        """An incident's public reference, e.g. `RR-7K4M2Q`: random, so it cannot be enumerated."""

    def token(self) -> str:
        """An unguessable URL-safe token of at least 128 bits."""

    def below(self, limit: int) -> int:
        """A random whole number from 0 to `limit` - 1."""


def _in_order(milliseconds: int, count: int, chance: int) -> str:
    """A UUID of version 7 (RFC 9562, 6.2, method 1): its time, 12 bits that count, 62 bits of chance."""
    low = 0b10 << 62 | chance
    return str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | count << 64 | low))


class _Chance:
    """The operating system's randomness, fetched some kilobytes at a time.

    Each fetch lets go of Python's lock and waits for its turn again, behind whatever other threads reckon:
    with one for each id, a busy service waited more for chance than for its database.
    """

    _FETCHED = 4096

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stock, self._at, self._process = b"", 0, 0

    def bytes(self, count: int) -> bytes:
        """So many of them, given once; a process that was forked off has its own."""
        with self._lock:
            end = self._at + count
            if end > len(self._stock) or self._process != os.getpid():
                self._stock, self._process, end = os.urandom(self._FETCHED), os.getpid(), count
            self._at = end
            return self._stock[end - count : end]

    def below(self, limit: int) -> int:
        """As :func:`secrets.randbelow`."""
        if limit < 1:
            raise ValueError("nothing is below nothing")
        bits = (limit - 1).bit_length()
        size = (bits + 7) // 8
        while (value := int.from_bytes(self.bytes(size)) >> (8 * size - bits)) >= limit:
            pass
        return value


class SystemIds:
    """Ids from the operating system's randomness.

    Row ids rise with time: rows of one moment keep their order, and indexes grow at their end.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._milliseconds, self._count = 0, 0
        self._chance = _Chance()

    def uuid(self) -> str:
        with self._lock:
            now = time.time_ns() // 1_000_000
            if now > self._milliseconds:
                self._milliseconds, self._count = now, 0
            elif self._count < 0xFFF:
                self._count += 1
            else:
                # More than 4,096 in a millisecond, or a clock that was set back: on from where it was.
                self._milliseconds, self._count = self._milliseconds + 1, 0
            at = self._milliseconds, self._count
        return _in_order(*at, self._chance.below(1 << 62))

    def reference(self) -> str:
        chance, letters = self._chance.below(len(_ALPHABET) ** 7), ""
        for _ in range(7):
            chance, at = divmod(chance, len(_ALPHABET))
            letters += _ALPHABET[at]
        return f"RR-{letters}"

    def token(self) -> str:
        return secrets.token_urlsafe(24)

    def below(self, limit: int) -> int:
        return self._chance.below(limit)


class SeededIds:
    """Repeatable ids for tests and demonstrations; never for a live service."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._given = 0

    def uuid(self) -> str:
        self._given += 1
        return _in_order(self._given, 0, self._random.getrandbits(62))

    def reference(self) -> str:
        return "RR-" + "".join(self._random.choice(_ALPHABET) for _ in range(7))

    def token(self) -> str:
        return "".join(self._random.choice(_ALPHABET) for _ in range(32))

    def below(self, limit: int) -> int:
        return self._random.randrange(limit)
