"""A town that has been served for years: plausible cases, copied in SQL from a few that were really worked.

Templates go through the service's own doors. Each copy has ids and times of its own, about a minute apart,
and all that a case leaves behind: reports, identifiers, offers, agenda, messages, attempts, receipts, events
and their chains. What is copied is not hashed anew, so the log of such a database does not verify.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, create_engine, select, text
from sqlmodel import SQLModel, col

from bench.serving import Product, Server
from rapid_response.storage.columns import UtcDateTime
from rapid_response.storage.engines import sync_url
from rapid_response.storage.tables import IncidentRow

#: The first 32 of the 48 bits of milliseconds with which a row's id begins count in these seconds.
APART = 65.536
#: One case in so many is still open.
OPEN_ONE_IN = 2000
_AT_ONCE = 25_000
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:\d+)?")
#: Unique words: the copy's number is put behind them.
_NUMBERED = {"reference", "dedupe_key", "token", "provider_sid", "sid", "key"}


# ---------------------------------------------------------------- templates

_DOORSTEP = "Two men knocked and said the roof was loose. They want 3000 pounds in cash and are on it now. "
_SCAM = "She sent money by bank transfer to somebody who rang and said he was from her bank this morning. "
_FENCE = "The neighbour says a leaflet about fencing came through every door last week. Nobody has called. "


def _report(said: str, number: int, answers: Mapping[str, bool]) -> dict[str, Any]:
    return {
        "channel": "phone",
        "narrative": (said * 4)[:330],
        "caller": {"name": "Ann Example", "phone": f"+4477009003{number:02}"},
        "victim": {"name": "Vera Example", "age": 81, "lives_alone": True},
        "location": {"ward": "Bromley Town", "postcode": "BR1 3UH", "address": f"{number} Template Road"},
        "suspect": {"company": f"Roofs {number}", "vehicle_registration": f"AB{number:02} CDE"},
        "answers": answers,
    }


_ON_SITE = {"suspect_on_premises": True, "demands_money_now": True}
_PAID = {"paid_within_24h": True}
#: Closed after a visit, closed by telephone; and what is still open.
_CLOSED = (
    _report(_DOORSTEP, 11, _ON_SITE),
    _report(_SCAM, 12, _PAID),
    _report(_SCAM, 13, _PAID | {"safe_to_talk": True}),
)
_OPEN = (
    _report(_FENCE, 21, {"property_taken": False}),
    _report(_SCAM, 22, _PAID),
)


def worked(of: Product, found: Server, settled: Callable[[], None]) -> tuple[list[str], list[str]]:
    """Report and work the templates through the API; gives the ids of the closed and of the open ones."""
    closed, still_open = [], []
    for number, body in enumerate(_CLOSED):
        reference = _call(of, found, "reports", body)["reference"]
        settled()
        _act(of, found, reference, "assign", responder="asha")
        if number == 0:
            _act(of, found, reference, "en_route")
            _act(of, found, reference, "on_scene")
        else:
            _act(of, found, reference, "remote_response", protective_act="bank_told")
        outcome = {"code": "money_prevented", "amount_gbp": 1200, "evidence_grade": "B"}
        how = "resolved_attended" if number == 0 else "resolved_remote"
        _act(of, found, reference, "close", disposition=how, outcomes=[outcome])
        closed.append(reference)
    for number, body in enumerate(_OPEN):
        reference = _call(of, found, "reports", body)["reference"]
        if number == 1:
            settled()
            _act(of, found, reference, "assign", responder="asha")
        still_open.append(reference)
    settled()
    return _ids(of, closed), _ids(of, still_open)


def _call(of: Product, found: Server, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{found.url}/api/v1/{path}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {of.key}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            told: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as refused:
        raise SystemExit(f"{path} was refused: {refused.read().decode()}") from None
    return told


def _act(of: Product, found: Server, reference: str, action: str, **body: Any) -> None:
    _call(of, found, f"incidents/{reference}/actions/{action}", body)


def _ids(of: Product, references: Sequence[str]) -> list[str]:
    def read(connection: Connection) -> list[str]:
        rows = connection.execute(select(col(IncidentRow.reference), col(IncidentRow.id)))
        known = {row.reference: row.id for row in rows}
        return [known[reference] for reference in references]

    return of.database.look_now(read)


# ---------------------------------------------------------------- copying


def grow(
    of: Product,
    numbers: range,
    count: int,
    closed: Sequence[str],
    still_open: Sequence[str],
    *,
    open_one_in: int = OPEN_ONE_IN,
) -> None:
    """Copy the templates to be these of `count` incidents, counted from the oldest."""
    engine = create_engine(sync_url(of.url))
    is_sqlite = engine.dialect.name == "sqlite"
    dialect = _Dialect(is_sqlite)
    with engine.connect() as connection:
        if is_sqlite:
            for pragma in ("journal_mode=WAL", "synchronous=OFF", "cache_size=-400000", "foreign_keys=OFF"):
                connection.exec_driver_sql(f"PRAGMA {pragma}")
            connection.commit()
        templates = [_Template(connection, incident) for incident in closed]
        live = [_Template(connection, incident) for incident in still_open]
        statements = [
            (n, len(templates), statement)
            for n, template in enumerate(templates)
            for statement in template.statements(dialect, moves=True)
        ]
        statements += [
            (n * (open_one_in // 2), open_one_in, statement)
            for n, template in enumerate(live)
            for statement in template.statements(dialect, moves=False)
        ]
        for first in numbers[::_AT_ONCE]:
            until = min(numbers.stop, first + _AT_ONCE)
            if not is_sqlite:
                connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
                connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
            for offset, apart, statement in statements:
                connection.execute(
                    text(statement), {"first": first + offset, "until": until, "apart": apart, "count": count}
                )
            connection.commit()
            if is_sqlite:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.commit()
    engine.dispose()
    leave_as_it_would_be(of)


def leave_as_it_would_be(of: Product) -> None:
    """As a day's use leaves it: SQLite has no statistics, PostgreSQL's server makes them within a minute.

    Without them it goes on by plans that it made for tables that were nearly empty.
    """
    engine = create_engine(of.database.url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_sqlite = of.database.is_sqlite
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)" if is_sqlite else "VACUUM ANALYZE")
    engine.dispose()


class _Template:
    """One case, and everything in the database that belongs to it: kept in temporary tables."""

    def __init__(self, connection: Connection, incident_id: str) -> None:
        self._id = incident_id
        self._base = int(incident_id[:8], 16)
        self._rows = list(self._found(connection))

    def _found(self, connection: Connection) -> Iterator[tuple[Table, str, frozenset[str]]]:
        """Each table with a part of it, the copy of that part, and the columns in which ids stand."""
        for table in SQLModel.metadata.sorted_tables:
            condition = self._belongs(table)
            if condition is None:
                continue
            rows = connection.execute(select(table).where(text(condition))).mappings().all()
            if rows:
                kept = f"kept_{table.name}_{self._id.replace('-', '')}"
                connection.exec_driver_sql(
                    f"CREATE TEMPORARY TABLE {kept} AS SELECT * FROM {table.name} WHERE {condition}"
                )
                names = table.columns.keys()
                yield table, kept, frozenset(n for n in names if any(_is_id(row[n]) for row in rows))

    def _belongs(self, table: Table) -> str | None:
        of_message = f"SELECT id FROM messages WHERE incident_id = '{self._id}'"
        of_attempt = f"FROM attempts WHERE message_id IN ({of_message})"
        special = {
            "incidents": f"id = '{self._id}'",
            "attempts": f"message_id IN ({of_message})",
            "provider_events": f"token IN (SELECT token {of_attempt})",
            # In use now, or kept by another's number.
            "job_numbers": None,
            "sealed_heads": None,
        }
        if table.name in special:
            return special[table.name]
        for name in ("stream", "incident_id"):
            if name in table.columns:
                return f"{name} = '{self._id}'"
        return None

    def statements(self, dialect: _Dialect, *, moves: bool) -> Iterator[str]:
        """One statement a table; they take `first`, `until`, `apart` and `count`. Open cases are of today."""
        for table, kept, with_ids in self._rows:
            values: dict[str, str] = {}
            for column in table.columns:
                name = f"t.{column.name}"
                if column is table.autoincrement_column:
                    continue
                values[column.name] = name
                if column.name == "job_number":
                    values[column.name] = "NULL"
                elif column.name in with_ids:
                    made = dialect.hex_of(f"{self._base} - :count + s.n")
                    copied = f"{made} || substr({name}, 9)"
                    values[column.name] = (
                        f"CASE WHEN substr({name}, 9, 1) = '-' THEN {copied} ELSE {name} END"
                    )
                elif column.name in _NUMBERED:
                    length = (getattr(column.type, "length", None) or 200) - 8
                    numbered = f"substr({name}, 1, {length}) || {dialect.hex_of('s.n')}"
                    if column.name == "reference":
                        numbered = f"'{'RC' if moves else 'RO'}' || {dialect.hex_of('s.n')}"
                    values[column.name] = f"CASE WHEN {name} = '' THEN {name} ELSE {numbered} END"
                elif moves and isinstance(column.type, UtcDateTime):
                    values[column.name] = dialect.earlier(name)
            yield (
                f"INSERT INTO {table.name} ({', '.join(values)}) SELECT {', '.join(values.values())} "
                f"FROM {dialect.series} AS s CROSS JOIN {kept} AS t"
            )


def _is_id(value: object) -> bool:
    """An id, or one with a number behind it, as a repeated notice has on the agenda."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How a database counts, and says numbers and times."""

    is_sqlite: bool

    @property
    def series(self) -> str:
        if self.is_sqlite:
            return (
                "(WITH RECURSIVE c(n) AS (SELECT :first WHERE :first < :until UNION ALL "
                "SELECT n + :apart FROM c WHERE n + :apart < :until) SELECT n FROM c)"
            )
        return (
            "(SELECT n FROM generate_series(CAST(:first AS bigint), CAST(:until AS bigint) - 1, "
            "CAST(:apart AS bigint)) AS made(n))"
        )

    def hex_of(self, number: str) -> str:
        return f"printf('%08x', {number})" if self.is_sqlite else f"lpad(to_hex({number}), 8, '0')"

    def earlier(self, name: str) -> str:
        """So much earlier as many copies are still to come."""
        ago = f"(:count - s.n) * {APART}"
        if self.is_sqlite:
            return f"strftime('%Y-%m-%d %H:%M:%f000', {name}, '-' || ({ago}) || ' seconds')"
        return f"{name} - make_interval(secs => {ago})"
