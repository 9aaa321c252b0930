"""Signing what is handed to a browser and comes back: HMAC-SHA256 with `SECRET_KEY`."""

from __future__ import annotations

import hmac

from rapid_response.access.fingerprints import same


class Signer:
    """Signs with the key; believes the previous one as well, so that keys can be changed while serving."""

    def __init__(self, key: str, previous: str | None = None) -> None:
        if not key or previous == "":
            raise ValueError("a signing key must not be empty")
        self._keys = [key] if previous is None else [key, previous]

    def sign(self, purpose: str, *parts: str) -> str:
        """The signature of the parts, good for that purpose only."""
        return _signature(self._keys[0], purpose, parts)

    def holds(self, signature: str, purpose: str, *parts: str) -> bool:
        """Whether this service signed these parts for that purpose."""
        found = [same(signature, _signature(key, purpose, parts)) for key in self._keys]
        return any(found)


def _signature(key: str, purpose: str, parts: tuple[str, ...]) -> str:
    # Lengths in front: "a" + "bc" must not sign as "ab" + "c".
    said = "".join(f"{len(part)}:{part}" for part in (purpose, *parts))
    return hmac.new(key.encode(), said.encode("utf-8", "surrogatepass"), "sha256").hexdigest()
