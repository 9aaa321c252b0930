"""Referrals to the police and to partners: sent, and then followed until somebody there has answered."""

from __future__ import annotations

from sqlmodel import col, select

from rapid_response.core.events import PoliceHateCrimeRecorded, ReferralMoved
from rapid_response.core.states import TaskState
from rapid_response.core.vocabulary import ContactRole, ReferralKind, ReferralState, ReferralStep
from rapid_response.hatecrime import referrals as rules
from rapid_response.steps import commands, leading
from rapid_response.steps.errors import Invalid
from rapid_response.steps.service import Service
from rapid_response.steps.tasks import TaskKind, find_open, finish, open_task
from rapid_response.storage.tables import IncidentRow, ReferralRow
from rapid_response.storage.tx import Tx


def refer(tx: Tx, service: Service, incident: IncidentRow, command: commands.Refer) -> None:
    """Record that the case was passed on; from now on an answer is waited for."""
    _check_police_reference(command.kind, command.police_hate_crime_ref)
    _send(tx, service, incident, command.kind, command.reference)
    keep_police_reference(tx, incident, command.police_hate_crime_ref)


def refer_as_decided(
    tx: Tx, service: Service, incident: IncidentRow, kind: ReferralKind, reference: str | None
) -> None:
    """The referral that a decision names: the one of that kind that waits already, or a new one."""
    waiting = tx.first(
        select(ReferralRow)
        .where(
            col(ReferralRow.incident_id) == incident.id,
            col(ReferralRow.kind) == kind,
            col(ReferralRow.state).in_((ReferralState.SENT, ReferralState.ACKNOWLEDGED)),
        )
        .order_by(col(ReferralRow.sent_at).desc(), col(ReferralRow.id))
    )
    if waiting is None:
        _send(tx, service, incident, kind, reference)
    elif reference is not None:
        waiting.reference = reference


def update(tx: Tx, service: Service, incident: IncidentRow, command: commands.UpdateReferral) -> None:
    """Record what became of one: acknowledged, accepted, declined with the reason, or asked after again."""
    referral = tx.get(ReferralRow, command.referral)
    if referral is None or referral.incident_id != incident.id:
        raise Invalid("This incident has no referral with this id. They are listed with it.", "referral")
    _check_police_reference(referral.kind, command.police_hate_crime_ref)
    if command.reference is not None:
        referral.reference = command.reference
    _step(tx, service, incident, referral, command.state, command.reason)
    keep_police_reference(tx, incident, command.police_hate_crime_ref)


def chased(tx: Tx, service: Service, incident: IncidentRow, referral_id: str) -> None:
    """A person has asked after it, as the task wanted."""
    _step(tx, service, incident, tx.need(ReferralRow, referral_id), ReferralStep.CHASED, None)


def keep_police_reference(tx: Tx, incident: IncidentRow, reference: str | None) -> None:
    """The police say that they have recorded a hate crime: their reference, never anybody else's."""
    if reference is None or reference == incident.police_hate_crime_ref:
        return
    incident.police_hate_crime_ref = reference
    tx.record(incident.id, PoliceHateCrimeRecorded())


def _check_police_reference(kind: ReferralKind, reference: str | None) -> None:
    if reference is not None and kind is not ReferralKind.POLICE_HATE_CRIME:
        raise Invalid(
            "A police hate crime reference belongs to a referral to the police as a hate crime.",
            "police_hate_crime_ref",
        )


def _send(tx: Tx, service: Service, incident: IncidentRow, kind: ReferralKind, reference: str | None) -> None:
    referral = tx.new(
        ReferralRow,
        id=tx.ids.uuid(),
        incident_id=incident.id,
        kind=kind,
        state=ReferralState.SENT,
        reference=reference,
        sent_at=tx.now,
        sent_by=tx.actor,
        moved_by=tx.actor,
    )
    tx.record(incident.id, ReferralMoved(referral.id, kind, ReferralState.SENT))
    chase_later(tx, service, incident, referral)
    if kind is ReferralKind.POLICE_HATE_CRIME:
        _is_offered(tx, incident)


def _is_offered(tx: Tx, incident: IncidentRow) -> None:
    task = find_open(tx, incident, TaskKind.OFFER_POLICE_HATE_REFERRAL)
    if task is not None:
        finish(tx, task)
        leading.seen_to(tx, incident)


def _step(
    tx: Tx,
    service: Service,
    incident: IncidentRow,
    referral: ReferralRow,
    step: ReferralStep,
    reason: str | None,
) -> None:
    try:
        referral.state = rules.after(referral.state, step, reason)
    except rules.DeclineReasonMissing as refused:
        raise Invalid(str(refused), "reason") from None
    except rules.ReferralRefused as refused:
        raise Invalid(str(refused), "state") from None
    referral.moved_by = tx.actor
    match step:
        case ReferralStep.CHASED:
            referral.chased, referral.chased_at = referral.chased + 1, tx.now
        case ReferralStep.ACKNOWLEDGED:
            referral.acknowledged_at = tx.now
        case ReferralStep.ACCEPTED | ReferralStep.DECLINED:
            referral.settled_at = tx.now
    if step is ReferralStep.DECLINED:
        referral.reason = reason
    tx.record(incident.id, ReferralMoved(referral.id, referral.kind, step))
    task = find_open(tx, incident, TaskKind.CHASE_REFERRAL, referral.id)
    if task is not None:
        finish(tx, task, TaskState.DONE if step is ReferralStep.CHASED else TaskState.DROPPED)
    chase_later(tx, service, incident, referral)


def chase_later(tx: Tx, service: Service, incident: IncidentRow, referral: ReferralRow) -> None:
    """Somebody asks after it when its time comes, if an answer is still awaited."""
    days = rules.CHASE_AFTER.get(referral.state)
    if days is not None:
        due = service.next_working_day(tx.now, days)
        open_task(tx, incident, TaskKind.CHASE_REFERRAL, ContactRole.DUTY_OFFICER, due, referral.id)
