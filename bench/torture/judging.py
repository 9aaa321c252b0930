"""What the provider's ledger says of what our database believes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select
from sqlmodel import col

from bench.torture import invariants
from bench.torture.carrier import Unruly, token_of
from rapid_response.core.states import MessageChannel, MessageState, Purpose
from rapid_response.messaging.wording import REPEAT
from rapid_response.storage.database import Database
from rapid_response.storage.tables import AttemptRow, IncidentRow, MessageRow, ReportRow
from tests.nodes import audit
from tests.nodes.running import Council

_TO_COME = (MessageState.PENDING, MessageState.RETRY_WAIT)
_WENT = (MessageState.IN_NETWORK, MessageState.DELIVERED)


@dataclass
class Verdict:
    """Counts of one round, or of several added up. What must be none of is in `faults`."""

    kills: Counter[str] = field(default_factory=Counter)
    #: What else was done, and where.
    struck: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    moods: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def add(self, other: Verdict) -> None:
        """Count another round with this one."""
        self.kills += other.kills
        self.struck += other.struck
        self.counts += other.counts
        self.moods += other.moods
        self.faults += other.faults


def judge(
    council: Council,
    carrier: Unruly,
    acknowledged: Mapping[int, str],
    kills: Mapping[str, int],
    logs: Sequence[Path] = (),
) -> Verdict:
    """Compare all that was acknowledged, all that is believed and all that the provider took."""
    database = council.database
    verdict = Verdict(Counter(kills), moods=Counter({str(m): n for m, n in carrier.moods.items()}))
    rows = database.look_now(_messages)
    by_token = {row.token: row for row in rows if row.token is not None}
    bodies: dict[str, list[str]] = defaultdict(list)
    for text in [text for text in carrier.messages if text.direction == "outbound-api"]:
        _file(verdict, bodies, by_token, token_of(text.callback), text.body)
    for call in carrier.calls:
        _file(verdict, bodies, by_token, token_of(call.callback), "")
    messages = {row.id: row for row in rows}
    _duplicates(verdict, messages, bodies)
    _beliefs(verdict, messages, bodies)
    _reports(verdict, database, messages, bodies, set(acknowledged.values()))
    verdict.faults += [f"not as published: {fault}" for fault in carrier.faults]
    verdict.faults += [f"parked: {row}" for row in database.look_now(audit.parked)]
    verdict.faults += invariants.faults(database, acknowledged, logs)
    verdict.counts["seconds late at most"] = round(invariants.lateness(database))
    return verdict


def _messages(connection: Connection) -> list[Any]:
    query = select(
        col(MessageRow.id),
        col(MessageRow.incident_id),
        col(MessageRow.purpose),
        col(MessageRow.channel),
        col(MessageRow.state),
        col(MessageRow.reason),
        col(AttemptRow.token),
    ).join(AttemptRow, col(AttemptRow.message_id) == col(MessageRow.id), isouter=True)
    return list(connection.execute(query))


def _file(
    verdict: Verdict, bodies: dict[str, list[str]], by_token: Mapping[str, Any], token: str, body: str
) -> None:
    row = by_token.get(token)
    if row is None:
        verdict.faults.append("the provider took what no row of ours tells of")
        return
    bodies[row.id].append(body)


def _duplicates(verdict: Verdict, messages: Mapping[str, Any], bodies: Mapping[str, list[str]]) -> None:
    for message, taken in bodies.items():
        if messages[message].channel is MessageChannel.VOICE:
            verdict.counts["calls rung once more"] += len(taken) - 1
            continue
        plain = sum(not body.startswith(REPEAT) for body in taken)
        verdict.counts["texts the provider took"] += len(taken)
        verdict.counts["of them marked repeats"] += len(taken) - plain
        if plain > 1:
            verdict.faults.append(f"an unmarked duplicate: {messages[message].purpose}, {plain} times")
        if len(taken) > 2:
            verdict.faults.append(f"more than one repeat: {messages[message].purpose}, {len(taken)} times")


def _beliefs(verdict: Verdict, messages: Mapping[str, Any], bodies: Mapping[str, list[str]]) -> None:
    for message, row in messages.items():
        why = f" as {row.reason}" if row.state is MessageState.FAILED else ""
        verdict.counts[f"messages {row.state}{why}"] += 1
        if row.state in _WENT and message not in bodies:
            verdict.faults.append(f"lost: {row.purpose} is believed to be {row.state}")
        if row.state is MessageState.FAILED and message in bodies:
            verdict.counts[f"given up as {row.reason} though it went"] += 1


def _reports(
    verdict: Verdict,
    database: Database,
    messages: Mapping[str, Any],
    bodies: Mapping[str, list[str]],
    acknowledged: set[str],
) -> None:
    query = select(col(IncidentRow.id), col(IncidentRow.reference)).join_from(
        ReportRow, IncidentRow, col(ReportRow.incident_id) == col(IncidentRow.id)
    )
    stored = {row.reference: row.id for row in database.look_now(lambda c: c.execute(query).all())}
    reached = {
        messages[message].incident_id for message in bodies if messages[message].purpose is Purpose.OFFER
    }
    verdict.counts["reports acknowledged"] += len(acknowledged)
    for reference in acknowledged:
        if reference not in stored:
            verdict.faults.append("lost: an acknowledged report is not stored")
        elif stored[reference] not in reached:
            _not_offered(verdict, [m for m in messages.values() if m.incident_id == stored[reference]])


def _not_offered(verdict: Verdict, messages: Sequence[Any]) -> None:
    """No offer of it was taken: either one is still to come, as a second call is, or it is lost."""
    if any(m.purpose is Purpose.OFFER and m.state in _TO_COME for m in messages):
        verdict.counts["reports whose offer waits for its turn to be rung"] += 1
        return
    said = ", ".join(sorted(f"{m.purpose} by {m.channel} {m.state} {m.reason or ''}" for m in messages))
    verdict.faults.append(f"lost: an acknowledged report was offered to nobody ({said})")
