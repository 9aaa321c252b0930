"""What every route is given by the composition root, and who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request

from rapid_response.access.keys import KeyRing, bearer
from rapid_response.access.permissions import Permission, may
from rapid_response.access.principal import Principal
from rapid_response.audit.readiness import Node
from rapid_response.steps.desk import Desk
from rapid_response.steps.service import LastKnown
from rapid_response.storage.database import Database


@dataclass(frozen=True, slots=True)
class Context:
    """The running service, as routes see it."""

    database: Database
    desk: Desk
    keys: KeyRing
    node: Node
    #: The last definition that could be read: its number is given when the database is gone.
    known: LastKnown
    metrics_token: str | None = None


class NotSignedIn(Exception):
    """No key, or none that is valid; the message says what to send, where that is not a key of the API."""


class MayNot(Exception):
    """The key or account has not that permission; the message says whose it is, where that is no key."""


async def context_of(request: Request) -> Context:
    """The service this request came to."""
    context: Context = request.app.state.context
    return context


Service = Annotated[Context, Depends(context_of)]

IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=255)]
#: Says that nothing was done, because it had been done before with the same key.
REPLAYED = {"Idempotent-Replayed": "true"}


class Needs:
    """A dependency: the holder of an API key that has a permission."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, request: Request, context: Service) -> Principal:
        principal = await context.keys.principal(bearer(request.headers.get("authorization")))
        if principal is None:
            raise NotSignedIn
        if not may(principal, self.permission):
            raise MayNot
        return principal
