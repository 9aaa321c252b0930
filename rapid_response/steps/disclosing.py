"""What somebody outside is shown: a sheet with the least that they need, kept as it was, and on record.

Making the sheet is the disclosure: who it is for, and on what authority, is said before it can be read. The
log holds which parts of the case it shows and the digest of its words, never the words (domain.md 6).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, select
from sqlmodel import Session, col
from sqlmodel import select as typed_select

from rapid_response.core.events import SERVICE_STREAM, DisclosureMade
from rapid_response.intake.matching.plates import normalise_plate, plate_keys
from rapid_response.partners.rules import TEMPLATES, VEHICLE, VEHICLE_FIELDS
from rapid_response.steps import commands, safeguarding
from rapid_response.steps.case import reports_of
from rapid_response.steps.errors import Invalid
from rapid_response.steps.knowing import links_of, safe_contact_of
from rapid_response.storage.tables import DisclosureRow, IdentifierRow, IncidentRow
from rapid_response.storage.tx import Tx


def disclose(tx: Tx, incident: IncidentRow, command: commands.Disclose) -> str:
    """Make the sheet of one case for one partner; returns its id."""
    if incident.erased_at is not None:
        raise Invalid("Its people are gone: the time for which they may be kept is over.")
    shown = _shown(tx, incident, TEMPLATES[command.kind])
    return _keep(tx, incident.id, command.kind.value, command.to, command.authority, {"cases": [shown]})


def disclose_vehicle(tx: Tx, registration: str, to: str, authority: str) -> str:
    """Make the sheet of all cases that tell of one vehicle (scenario 59): no victim, no caller, no words."""
    wanted = normalise_plate(registration)
    if wanted is None:
        raise Invalid("Write the registration, or as much of it as is known.", "registration")
    cases = _with_vehicle(tx, wanted)
    if not cases:
        raise Invalid("No case tells of this vehicle.", "registration")
    shown = [_shown(tx, incident, VEHICLE_FIELDS) for incident in cases]
    return _keep(tx, None, VEHICLE, to, authority, {"vehicle": wanted.upper(), "cases": shown})


def _with_vehicle(tx: Tx, wanted: str) -> list[IncidentRow]:
    """Only those in which the whole registration is the same: what is alike is for us, not for others."""
    keys = [f"suspect:plate:{key}" for key in plate_keys(wanted)]
    near = tx.execute(
        select(col(IdentifierRow.incident_id)).where(col(IdentifierRow.key).in_(keys)).distinct()
    ).scalars()
    known = tx.execute(
        select(col(IdentifierRow.incident_id), col(IdentifierRow.known)).where(
            col(IdentifierRow.incident_id).in_(list(near)), col(IdentifierRow.position) == 0
        )
    )
    same = [
        row.incident_id
        for row in known
        if any(value[1] == "plate" and value[2] == wanted for value in row.known or ())
    ]
    return list(
        tx.all(
            typed_select(IncidentRow)
            .where(col(IncidentRow.id).in_(same))
            .order_by(col(IncidentRow.received_at), col(IncidentRow.id))
        )
    )


def _keep(
    tx: Tx, incident_id: str | None, kind: str, to: str, authority: str, sheet: Mapping[str, Any]
) -> str:
    """The sheet as it was shown; the same words always have the same digest."""
    document = _written(sheet)
    digest = hashlib.sha256(document.encode()).hexdigest()
    fields = sorted({name for case in sheet["cases"] for name in case})
    disclosure_id = tx.ids.uuid()
    tx.add(
        DisclosureRow,
        id=disclosure_id,
        incident_id=incident_id,
        kind=kind,
        to_name=to,
        authority=authority,
        fields=fields,
        document=document,
        digest=digest,
        made_at=tx.now,
        made_by=tx.actor,
    )
    made = DisclosureMade(disclosure_id, kind, tuple(fields), digest)
    tx.record(incident_id or SERVICE_STREAM, made)
    return disclosure_id


def _written(sheet: Mapping[str, Any]) -> str:
    return json.dumps(sheet, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def take_off(tx: Tx, incident: IncidentRow) -> int:
    """Erase what sheets of a vehicle, which belong to no one case, show of this one; returns of how many.

    What they show of others stays, as those may be kept for longer. With the last of them the sheet is gone.
    """
    rows = tx.all(
        typed_select(DisclosureRow).where(
            col(DisclosureRow.incident_id).is_(None), col(DisclosureRow.document) != ""
        )
    )
    showing = [row for row in rows if any(case["reference"] == incident.reference for case in sheet_of(row))]
    for row in showing:
        left = [case for case in sheet_of(row) if case["reference"] != incident.reference]
        row.document = _written({**json.loads(row.document), "cases": left}) if left else ""
        if not left:
            row.to_name = row.authority = ""
        row.erased_at = tx.now
    return len(showing)


# --- what it shows ----------------------------------------------------------------------------------------


def _shown(tx: Tx, incident: IncidentRow, fields: Iterable[str]) -> dict[str, Any]:
    """The parts of a case that a template names, where anything is known of them."""
    found = {name: _value(tx, incident, name) for name in fields}
    return {name: value for name, value in found.items() if value not in (None, "", [], {}, False)}


def _value(tx: Tx, incident: IncidentRow, name: str) -> Any:
    part, _, rest = name.partition(".")
    if rest:
        values: Mapping[str, Any] = getattr(incident, part)
        return values.get(rest)
    match name:
        case "narrative":
            return [report.narrative for report in reports_of(tx, incident)]
        case "received_at":
            return incident.received_at.isoformat()
        case "safeguarding_because":
            return list(safeguarding.because(incident))
        case "safe_contact":
            return safe_contact_of(incident, links_of(tx, incident.id))
    return getattr(incident, name)


# --- what was shown ---------------------------------------------------------------------------------------


def read_disclosure(connection: Connection, disclosure_id: str) -> DisclosureRow | None:
    """One sheet as it was shown."""
    return Session(connection).get(DisclosureRow, disclosure_id)


def sheet_of(row: DisclosureRow) -> list[dict[str, Any]]:
    """The cases on a sheet; none once its words are gone."""
    cases: list[dict[str, Any]] = json.loads(row.document)["cases"] if row.document else []
    return cases


def vehicle_of(row: DisclosureRow) -> str:
    """The registration that a sheet of one vehicle is about; empty for any other, and once it is gone."""
    return str(json.loads(row.document).get("vehicle", "")) if row.document else ""


def vehicle_disclosures(connection: Connection, limit: int = 100) -> list[DisclosureRow]:
    """Sheets of more than one case, newest first."""
    rows = Session(connection).exec(
        typed_select(DisclosureRow)
        .where(col(DisclosureRow.incident_id).is_(None))
        .order_by(col(DisclosureRow.made_at).desc(), col(DisclosureRow.id))
        .limit(limit)
    )
    return list(rows)
