"""Passwords: what one must be like, and keeping only its argon2 hash."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

T = TypeVar("T")

SHORTEST = 12
#: Longer ones are refused: hashing megabytes is a way to keep a server busy.
LONGEST = 256
_BESIDE_THE_NAME = 8
_DIFFERENT_CHARACTERS = 5


class WeakPassword(ValueError):
    """The password is not good enough; the sentence says what to do, and never what was tried."""


def check_policy(password: str, name: str) -> None:
    """Raise :class:`WeakPassword` unless the password will do for the account of that name.

    Length and not a known bad one, and no rule about capitals and signs: those make people write it down.
    """
    folded = _composed(password).casefold()
    if len(folded) < SHORTEST:
        raise WeakPassword(f"The password is too short: use at least {SHORTEST} characters, or four words.")
    if len(folded) > LONGEST:
        raise WeakPassword(f"The password is too long: use at most {LONGEST} characters.")
    own = _composed(name).casefold()
    if own and own in folded and len(folded) - len(own) < _BESIDE_THE_NAME:
        raise WeakPassword("The password is little more than the account's name: choose four other words.")
    letters = re.sub(r"[\W\d_]", "", folded)
    if letters in _too_common() or len(set(folded)) < _DIFFERENT_CHARACTERS or _counts_up(folded):
        raise WeakPassword("Anybody would try that password among the first: choose four other words.")


class Passwords:
    """Hashes and checks passwords, two at a time.

    Each takes a fifth of a second and 64 MB on purpose. In threads of their own, so that a flood of sign-ins
    waits for itself and not in front of what keeps the promise. Tests pass a cheap `hasher`.
    """

    def __init__(self, hasher: PasswordHasher | None = None, *, threads: int = 2) -> None:
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="password")

    def hash(self, password: str) -> str:
        """What to store of a password."""
        return self._hasher.hash(_octets(password))

    def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password belongs to the stored hash; takes as long when there is none."""
        if stored is None:
            self._hasher.hash(_octets(password))
            return False
        try:
            return self._hasher.verify(stored, _octets(password))
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other costs than are now in use."""
        return self._hasher.check_needs_rehash(stored)

    async def hashed(self, password: str) -> str:
        """As :meth:`hash`, beside the event loop."""
        return await self._beside(lambda: self.hash(password))

    async def verified(self, password: str, stored: str | None) -> bool:
        """As :meth:`verify`, beside the event loop."""
        return await self._beside(lambda: self.verify(password, stored))

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown()

    async def _beside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _composed(text: str) -> str:
    # The same password typed on another keyboard may arrive in other code points.
    return unicodedata.normalize("NFKC", text)


@cache
def _too_common() -> frozenset[str]:
    """What is left of a bad password without digits and signs: what people reach for when asked for twelve
    characters, and the words of this very service.
    """
    return frozenset(files(__package__).joinpath("common_passwords.txt").read_text("ascii").split())


def _octets(password: str) -> bytes:
    # Cut, not refused: what is over-long is wrong anyway, and must not cost more than any other try.
    return _composed(password[: 4 * LONGEST]).encode("utf-8", "surrogatepass")


def _counts_up(text: str) -> bool:
    """123456789012, abcdefghijkl: each character one after the last (nine followed by nought)."""
    steps = {ord(b) - ord(a) for a, b in pairwise(text)}
    return steps <= {1, -9} or steps <= {-1, 9}
