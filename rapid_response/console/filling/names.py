"""Who is who: people, contacts and keys by the names that are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select
from sqlmodel import col

from rapid_response.console.words import plain
from rapid_response.core.vocabulary import ContactRole
from rapid_response.steps import casefile
from rapid_response.steps.casefile import CaseFile
from rapid_response.steps.service import stored_definition
from rapid_response.storage.tables import ApiKeyRow, UserRow


@dataclass(frozen=True, slots=True)
class Names:
    """The names behind the ids of the record."""

    responders: Mapping[str, str]
    accounts: Mapping[str, str]
    keys: Mapping[str, str]

    def responder(self, responder_id: str | None) -> str:
        """A responder's name, or the id of one who is gone."""
        return self.responders.get(responder_id, responder_id) if responder_id else ""

    def actor(self, actor: str) -> str:
        """Whoever did something, as the record spells it: `user:…`, `responder:asha`, `public`."""
        kind, _, key = actor.partition(":")
        match kind:
            case "user":
                return self.accounts.get(key, "an account that is gone")
            case "responder":
                return self.responder(key)
            case "contact":
                return role_words(key)
            case "key":
                return f"{self.keys[key]} (API)" if key in self.keys else "an API key that is gone"
        return _NOBODY.get(kind) or self.responder(kind)

    def owner(self, owner: str) -> str:
        """Whoever owes something: a role, a responder, or the service itself."""
        return role_words(owner) if owner in set(ContactRole) else _NOBODY.get(owner) or self.responder(owner)


_NOBODY = {
    "command": "a command on the server",
    "system": "the service",
    "service": "the service, by itself",
    "provider": "the phone network",
    "public": "the public form",
}


def role_words(role: str) -> str:
    return plain(ContactRole(role)) if role in set(ContactRole) else plain(role)


def read_names(connection: Connection, zone: ZoneInfo) -> Names:
    """Who is who now."""
    definition = stored_definition(connection, zone)
    responders = {r.id: r.name for r in definition.responders} if definition else {}
    users = connection.execute(select(col(UserRow.id), col(UserRow.name), col(UserRow.responder_id)))
    keys = connection.execute(select(col(ApiKeyRow.id), col(ApiKeyRow.name)))
    return Names(
        responders,
        {u.id: responders.get(u.responder_id, u.name) for u in users},
        {k.id: k.name for k in keys},
    )


def read(connection: Connection, reference: str, zone: ZoneInfo) -> tuple[CaseFile, Names] | None:
    """A case and the names in it; None when there is none of that reference."""
    case = casefile.read_case(connection, reference)
    return (case, read_names(connection, zone)) if case else None
