"""Those who look while nodes are killed, and afterwards: I10, and that no look is forgotten.

While reports come in the desk opens cases with its key, at whichever node lives: each that was answered must
stand in the access log, whatever was killed then. At rest every responder opens jobs, hers and others', and
every role that may not see a case tries each way to one: what they are shown is compared with what the rows
say is theirs, not with the table of permissions that the pages go by.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

import httpx
from sqlalchemy import Connection, func, select
from sqlmodel import col

from bench.torture.towns import PHONES
from rapid_response.access.accounts import add_user
from rapid_response.access.sessions import start_session
from rapid_response.core.vocabulary import Role
from rapid_response.storage.tables import AccessRow, IncidentRow, OfferRow
from rapid_response.storage.tx import Tx
from tests.builders import paid_today
from tests.nodes.running import Council

#: Who may never see a case with its people, by `docs/permissions.md`; an auditor sees its times and codes.
_NEVER = (Role.ANALYST, Role.BOARD_VIEWER, Role.AUDITOR, Role.ADMIN)
#: No account of theirs has a password: they are signed in already.
_NO_PASSWORD = "-"
#: So many cases that are not hers each of them tries.
_TRIES = 6
#: How often the desk looks, of the times it could; and how long those wait who look at rest, in seconds.
_OFTEN, _PATIENT = 0.3, 30.0
_WORDS = str(paid_today()["narrative"])[:40]


@dataclass
class Onlookers:
    """Everybody who looks, and what they were shown."""

    council: Council
    seed: int
    #: Cases that the desk was shown, by reference.
    shown: Counter[str] = field(default_factory=Counter)
    #: How often somebody tried to see something, at rest.
    tried: int = 0
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(f"looks {self.seed}")

    async def look(self, client: httpx.AsyncClient, port: int, references: Sequence[str]) -> None:
        """Now and then the desk opens one of these cases, at that node; it tries once."""
        if not references or self._chance.random() > _OFTEN:
            return
        reference = self._chance.choice(references)
        try:
            answer = await client.get(
                f"http://127.0.0.1:{port}/api/v1/incidents/{reference}",
                headers=self.council.authorization,
            )
        except httpx.TransportError:
            return
        if answer.status_code == 200:
            self.shown[reference] += 1

    async def try_all(self, client: httpx.AsyncClient, port: int) -> list[str]:
        """Have everybody try to see what is not theirs, and their own; gives what was wrong."""
        cookies = await self.council.database.run(_signed_in)
        cases = await self.council.database.look(_cases)
        faults: list[str] = []
        for name, cookie in cookies.items():
            seen = _Looking(client, port, cookie)
            if name in PHONES.values():
                faults += [fault async for fault in self._jobs(seen, name, cases)]
            else:
                faults += [fault async for fault in self._everything(seen, name, cases[:_TRIES])]
        return faults

    async def _jobs(self, seen: _Looking, name: str, cases: Sequence[_Case]) -> AsyncIterator[str]:
        others = [case for case in cases if not case.is_of(name)]
        for case in [case for case in cases if case.is_of(name)] + others[:_TRIES]:
            self.tried += 1
            has_words = _WORDS in await seen.body(f"/j/{case.job}")
            if has_words and not case.is_of(name):
                yield f"I10: a responder saw a case that is not hers ({case.status})"
            if case.owner == name and case.is_open and not has_words:
                yield f"I10: a responder did not see her own case ({case.status})"
        for case in cases[:_TRIES]:
            self.tried += 1
            if _WORDS in await seen.body(f"/incidents/{case.reference}"):
                yield "I10: a responder saw the desk's page of a case"

    async def _everything(self, seen: _Looking, name: str, cases: Sequence[_Case]) -> AsyncIterator[str]:
        paths = ["/board", "/api/v1/incidents", "/exceptions", "/texts"]
        for case in cases:
            paths += [f"/incidents/{case.reference}", f"/j/{case.job}", f"/api/v1/incidents/{case.reference}"]
        for path in paths:
            self.tried += 1
            body = await seen.body(path)
            has_case = name != Role.AUDITOR and any(case.reference in body for case in cases)
            if _WORDS in body or has_case:
                yield f"I10: {name} saw a case at {path.rsplit('/', 1)[0] or path}"

    def not_written_down(self) -> Iterator[str]:
        """Cases that were shown more often than the access log says."""
        written = self.council.database.look_now(_written)
        for reference, times in self.shown.items():
            if written[reference] < times:
                yield f"a look is forgotten: shown {times} times, written down {written[reference]} times"


@dataclass(frozen=True, slots=True)
class _Looking:
    """One person's browser at one node."""

    client: httpx.AsyncClient
    port: int
    cookie: str

    async def body(self, path: str) -> str:
        """What is shown there; nothing where it is refused."""
        answer = await self.client.get(
            f"http://127.0.0.1:{self.port}{path}", headers={"cookie": f"rr={self.cookie}"}, timeout=_PATIENT
        )
        return answer.text if answer.status_code == 200 else ""


@dataclass(frozen=True, slots=True)
class _Case:
    reference: str
    job: int
    status: str
    is_open: bool
    owner: str | None
    asked: frozenset[str]

    def is_of(self, name: str) -> bool:
        """Whether its people are hers to know of: she has it, or was asked and nobody has it yet."""
        return self.is_open and (self.owner == name or (self.owner is None and name in self.asked))


def _signed_in(tx: Tx) -> dict[str, str]:
    wanted: list[tuple[str, Role, str | None]] = [
        (name, Role.RESPONDER, name) for name in sorted(PHONES.values())
    ]
    wanted += [(role.value, role, None) for role in _NEVER]
    return {
        name: start_session(tx, add_user(tx, name, role, _NO_PASSWORD, responder_id=responder).id).cookie
        for name, role, responder in wanted
    }


def _cases(connection: Connection) -> list[_Case]:
    asked: dict[str, set[str]] = {}
    for incident, responder in connection.execute(
        select(col(OfferRow.incident_id), col(OfferRow.responder_id))
    ):
        asked.setdefault(incident, set()).add(responder)
    rows = connection.execute(
        select(
            col(IncidentRow.id),
            col(IncidentRow.reference),
            col(IncidentRow.job_number),
            col(IncidentRow.status),
            col(IncidentRow.is_open),
            col(IncidentRow.owner),
        ).order_by(col(IncidentRow.id))
    )
    return [
        _Case(
            row.reference,
            row.job_number,
            row.status,
            row.is_open,
            row.owner,
            frozenset(asked.get(row.id, ())),
        )
        for row in rows
        if row.job_number is not None
    ]


def _written(connection: Connection) -> Counter[str]:
    rows = connection.execute(
        select(col(IncidentRow.reference), func.count())
        .join(AccessRow, col(AccessRow.incident_id) == col(IncidentRow.id))
        .where(col(AccessRow.viewer).startswith("key:"), col(AccessRow.what) == "api")
        .group_by(col(IncidentRow.reference))
    )
    return Counter({reference: times for reference, times in rows})
