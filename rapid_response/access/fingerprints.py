"""How a secret that is looked up is stored: as its SHA-256.

Enough for secrets of 128 random bits and more, which cannot be guessed from it; passwords go through argon2.
Looking the hash up in an index gives away nothing by its timing that helps to find the secret.
"""

from __future__ import annotations

import hashlib
import hmac


def fingerprint(secret: str) -> str:
    """The stored form of a session id or API key; whatever a browser sends has one."""
    return hashlib.sha256(_octets(secret)).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(_octets(one), _octets(other))


def _octets(text: str) -> bytes:
    # A header can be decoded into a lone surrogate, which plain UTF-8 refuses.
    return text.encode("utf-8", "surrogatepass")
