"""Words that a person adds to a case: kept beside it, where they can be redacted; the log says only that."""

from __future__ import annotations

from rapid_response.core.events import NoteAdded
from rapid_response.steps.desk import Who
from rapid_response.storage.tables import IncidentRow, NoteRow
from rapid_response.storage.tx import Tx


def add_note(tx: Tx, incident: IncidentRow, body: str, who: Who) -> None:
    """Keep a person's words beside the case."""
    note_id = tx.ids.uuid()
    tx.add(NoteRow, id=note_id, incident_id=incident.id, at=tx.now, actor=tx.actor, body=body)
    tx.record(incident.id, NoteAdded(note_id, who.source))
