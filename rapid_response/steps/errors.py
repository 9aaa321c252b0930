"""What a step refuses, each with a sentence that says what to do. None repeats what was sent."""

from __future__ import annotations

from collections.abc import Sequence

from rapid_response.core.incident import Action


class Refusal(Exception):
    """Base: the step did nothing."""

    def __init__(self, detail: str, field: str | None = None) -> None:
        self.detail = detail
        self.field = field
        super().__init__(detail)


class NotFound(Refusal):
    """There is no such thing, or not for this person."""


class Invalid(Refusal):
    """What was given does not fit; `field` names it."""


class Forbidden(Refusal):
    """This person may not."""


class KeyReused(Refusal):
    """The same idempotency key came with another body."""


class NothingOffered(Refusal):
    """That responder has no offer to answer; `allowed` says what else the state lets one do."""

    def __init__(self, detail: str, field: str | None = None, allowed: Sequence[Action] = ()) -> None:
        self.allowed = allowed
        super().__init__(detail, field)
