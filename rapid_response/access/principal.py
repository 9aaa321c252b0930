"""Whoever asks for something: a person, a partner's key, anybody, or the service itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from rapid_response.core.vocabulary import Role, Scope


class Kind(StrEnum):
    """How a principal made itself known."""

    USER = "user"
    KEY = "key"
    ANONYMOUS = "anonymous"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Principal:
    """One asker. Its name is for the screen only: the audit and the logs hold :attr:`actor`."""

    kind: Kind
    id: str | None = None
    name: str = field(default="", repr=False)
    role: Role | None = None
    scopes: frozenset[Scope] = frozenset()
    responder_id: str | None = None
    session_csrf: str | None = field(default=None, repr=False)

    @property
    def actor(self) -> str:
        """Who did it, as the event chain and the access log say it: an id, never a name."""
        match self.kind:
            case Kind.ANONYMOUS:
                return "public"
            case Kind.SYSTEM:
                return "system"
            case Kind.USER | Kind.KEY:
                return f"{self.kind.value}:{self.id}"


#: Anybody who has not signed in.
PUBLIC = Principal(Kind.ANONYMOUS)
#: The worker and the commands.
SYSTEM = Principal(Kind.SYSTEM)
