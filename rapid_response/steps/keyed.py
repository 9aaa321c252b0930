"""What may be sent twice: within its sender's scope, the same key does a thing once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from rapid_response.steps.errors import KeyReused
from rapid_response.storage.tables import IdempotencyRow
from rapid_response.storage.tx import Tx


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key: within its scope, the same key with the same body gets the same answer."""

    scope: str
    key: str
    body_digest: str


def key_of(scope: str, key: str | None, body: str) -> Key | None:
    """The key that a request came with, if it had one."""
    return Key(scope, key, hashlib.sha256(body.encode()).hexdigest()) if key else None


def first_answer(tx: Tx, key: Key) -> str | None:
    """What the first request with this key was answered; raises KeyReused where that had another body."""
    first = tx.get(IdempotencyRow, (key.scope, key.key))
    if first is None:
        return None
    if first.body_digest != key.body_digest:
        raise KeyReused(
            "This Idempotency-Key was used for something else. Use a new key for what is new.",
            "Idempotency-Key",
        )
    return first.answer


def keep(tx: Tx, key: Key, answer: str, status: int) -> None:
    """Keep the answer for repeats."""
    tx.add(
        IdempotencyRow,
        scope=key.scope,
        key=key.key,
        body_digest=key.body_digest,
        status=status,
        answer=answer,
        created_at=tx.now,
    )


def once(tx: Tx, key: Key | None, step: Callable[[Tx], object]) -> bool:
    """Do a step, unless it was done before with this key; whether it is done now. Raises KeyReused."""
    if key is not None:
        if first_answer(tx, key) is not None:
            return False
        # From now on the key stands for it.
        keep(tx, key, "", 200)
    step(tx)
    return True
