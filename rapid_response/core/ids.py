"""Ids and chance, from one injected place, so that tests can replay a run."""

from __future__ import annotations

import random
import secrets
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
        """A new row id; unique over all nodes."""

    def reference(self) -> str:
        """An incident's public reference, e.g. `RR-7K4M2Q`: random, so it cannot be enumerated."""

    def token(self) -> str:
        """An unguessable URL-safe token of at least 128 bits."""

    def below(self, limit: int) -> int:
        """A random whole number from 0 to `limit` - 1."""


class SystemIds:
    """Ids from the operating system's randomness."""

    def uuid(self) -> str:
        return str(uuid.uuid4())

    def reference(self) -> str:
        return "RR-" + "".join(secrets.choice(_ALPHABET) for _ in range(7))

    def token(self) -> str:
        return secrets.token_urlsafe(24)

    def below(self, limit: int) -> int:
        return secrets.randbelow(limit)


class SeededIds:
    """Repeatable ids for tests and demonstrations; never for a live service."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def reference(self) -> str:
        return "RR-" + "".join(self._random.choice(_ALPHABET) for _ in range(7))

    def token(self) -> str:
        return "".join(self._random.choice(_ALPHABET) for _ in range(32))

    def below(self, limit: int) -> int:
        return self._random.randrange(limit)
