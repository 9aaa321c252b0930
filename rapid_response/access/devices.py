"""Browsers that an account has signed in with before.

A lock on an account would let a stranger keep its owner out by guessing on purpose. So a browser that holds
this signed mark passes the lock, and is counted by itself instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from rapid_response.access.signing import Signer
from rapid_response.core.ids import Ids


@dataclass(frozen=True, slots=True)
class Device:
    """A browser known to belong to an account."""

    id: str
    mark: str


class Devices:
    """Makes and knows the marks; nothing of them is stored."""

    def __init__(self, signer: Signer, ids: Ids) -> None:
        self._signer = signer
        self._ids = ids

    def new_mark(self, user_id: str) -> str:
        """The device cookie's value, for a browser that has just signed in."""
        device = self._ids.token()
        return f"{device}.{self._signer.sign('device', device, user_id)}"

    def known(self, mark: str | None, user_id: str) -> Device | None:
        """The device, if the mark was made for that account."""
        device, _, signature = (mark or "").partition(".")
        if mark and self._signer.holds(signature, "device", device, user_id):
            return Device(device, mark)
        return None
