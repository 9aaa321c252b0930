"""Adult safeguarding: where an adult at risk is indicated, a person decides before the case ends.

Scenario 52 of domain.md 8; the rule that indicates it, and its sources, are in partners.rules.
"""

from __future__ import annotations

from rapid_response.core.events import SafeguardingDecided
from rapid_response.core.vocabulary import ContactRole, Disposition, ReferralKind, Safeguarding
from rapid_response.partners import rules
from rapid_response.steps import referring
from rapid_response.steps.case import facts_of
from rapid_response.steps.desk import Who
from rapid_response.steps.errors import Invalid
from rapid_response.steps.notekeeping import add_note
from rapid_response.steps.service import Service
from rapid_response.steps.tasks import TaskKind, find_open, finish, finish_kind, open_task
from rapid_response.storage.tables import IncidentRow
from rapid_response.storage.tx import Tx

#: Who closes by text has no room for it: the decision stays owed.
_BY_PHONE = ("sms", "voice")
ASK_FIRST = (
    "This may be an adult at risk (Care Act 2014 s.42), so decide about adult safeguarding first: send "
    "safeguarding with the closing (referred, already_known, declined_with_capacity or not_met, and "
    "safeguarding_reason unless it is referred), or use decide_safeguarding."
)
ASK_ON_PAGES = (
    "This may be an adult at risk (Care Act 2014 s.42): decide about adult safeguarding first. "
    "Choose what is decided, and say why unless adult social care is told."
)


def because(incident: IncidentRow) -> tuple[str, ...]:
    """The codes that indicate an adult at risk; empty where nothing does."""
    said = incident.victim.get("vulnerabilities") or ()
    return rules.safeguarding_because(facts_of(incident), incident.category, [str(word) for word in said])


def decide(
    tx: Tx,
    service: Service,
    incident: IncidentRow,
    decision: Safeguarding,
    who: Who,
    *,
    reason: str | None = None,
    reference: str | None = None,
    field: str = "reason",
) -> None:
    """Keep the decision; to refer it is to begin a referral that is followed until it is answered."""
    if decision in rules.NEEDS_REASON and not reason:
        raise Invalid("Say why adult social care is not told now.", field)
    if decision is Safeguarding.REFERRED:
        referring.refer_as_decided(tx, service, incident, ReferralKind.ASC_SAFEGUARDING, reference)
    _keep(tx, incident, decision, who, reason_given=reason is not None)
    if reason:
        add_note(tx, incident, reason, who)


def was_referred(tx: Tx, incident: IncidentRow, who: Who) -> None:
    """Somebody has referred it to adult social care: that is the decision."""
    if incident.safeguarding is not Safeguarding.REFERRED:
        _keep(tx, incident, Safeguarding.REFERRED, who, reason_given=False)


def _keep(tx: Tx, incident: IncidentRow, decision: Safeguarding, who: Who, *, reason_given: bool) -> None:
    incident.safeguarding, incident.safeguarding_at = decision, tx.now
    incident.safeguarding_by = tx.actor
    tx.record(incident.id, SafeguardingDecided(decision, because(incident), who.source, reason_given))
    task = find_open(tx, incident, TaskKind.SAFEGUARDING)
    if task is not None:
        finish(tx, task)


def before_closing(
    tx: Tx, service: Service, incident: IncidentRow, disposition: Disposition, who: Who
) -> None:
    """Refuse to close without the decision; by text, where it cannot be made, it stays as a task."""
    if not _is_owed(incident, disposition):
        return
    if who.source not in _BY_PHONE:
        raise Invalid(ASK_ON_PAGES if who.source == "page" else ASK_FIRST, "safeguarding")
    _owe(tx, service, incident)


def after_the_end(tx: Tx, service: Service, incident: IncidentRow) -> None:
    """However else it ended, or what became known since: the decision is not lost."""
    if incident.disposition is not None and _is_owed(incident, incident.disposition):
        _owe(tx, service, incident)


def begin_again(tx: Tx, incident: IncidentRow) -> None:
    """A new episode ends with a decision of its own."""
    incident.safeguarding = incident.safeguarding_at = incident.safeguarding_by = None
    finish_kind(tx, incident, TaskKind.SAFEGUARDING)


def _is_owed(incident: IncidentRow, disposition: Disposition) -> bool:
    return incident.safeguarding is None and rules.is_owed(because(incident), disposition)


def _owe(tx: Tx, service: Service, incident: IncidentRow) -> None:
    due = service.next_working_day(tx.now)
    open_task(tx, incident, TaskKind.SAFEGUARDING, ContactRole.DUTY_OFFICER, due)
