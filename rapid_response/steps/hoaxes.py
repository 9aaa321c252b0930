"""A hoax is called so by one person; where danger was told of, only by two (scenario 17)."""

from __future__ import annotations

from datetime import timedelta

from rapid_response.core.events import HoaxMarked
from rapid_response.core.facts import DANGER_FACTS, facts_from_json, implied
from rapid_response.core.vocabulary import ContactRole, Priority
from rapid_response.steps.case import reports_of
from rapid_response.steps.desk import Who
from rapid_response.steps.errors import Invalid
from rapid_response.steps.tasks import TaskKind, open_task
from rapid_response.storage.tables import IncidentRow
from rapid_response.storage.tx import Tx

#: A report of danger does not wait long for a second look: until then it goes on as any other.
CONFIRM_WITHIN = timedelta(minutes=15)
_ANOTHER = "Danger was told of, so somebody else has to agree that it is a hoax. Until then it goes on."


def told_of_danger(tx: Tx, incident: IncidentRow) -> bool:
    """Whether a fact that means 999 was ever recorded, even if it was corrected since."""
    if incident.priority is Priority.P0:
        return True
    said = [incident.facts, *(report.answers for report in reports_of(tx, incident))]
    known = [implied(facts_from_json(facts)) for facts in said]
    return any(getattr(facts, name) is True for facts in known for name in DANGER_FACTS)


def agreed(tx: Tx, incident: IncidentRow, who: Who, second_person: str | None = None) -> bool:
    """Whether it may end as a hoax now; if not, it is kept that one person says so."""
    if not told_of_danger(tx, incident):
        return True
    # A person with an account speaks for herself alone; a system names people of its own.
    by = who.actor if who.actor.startswith("user:") else second_person or who.actor
    if incident.hoax_marked_by is None:
        incident.hoax_marked_by = by[:80]
        tx.record(incident.id, HoaxMarked(confirmed=False))
        open_task(tx, incident, TaskKind.CONFIRM_HOAX, ContactRole.DUTY_OFFICER, tx.now + CONFIRM_WITHIN)
        return False
    if by[:80] == incident.hoax_marked_by:
        raise Invalid(_ANOTHER)
    incident.hoax_marked_by = None
    tx.record(incident.id, HoaxMarked(confirmed=True))
    return True


def check(tx: Tx, incident: IncidentRow) -> None:
    """Closing and cancelling are no way round the second person."""
    if told_of_danger(tx, incident):
        raise Invalid(
            f"{_ANOTHER} Use mark_hoax: it ends when the second person says the same.", "disposition"
        )
