"""Reading a case: everything kept of it in one snapshot, and as the contract's JSON.

Reads never lock and never write; that somebody looked is recorded by :func:`seen`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, select
from sqlmodel import SQLModel, col
from sqlmodel import select as typed_select

from rapid_response.core.incident import OWNED_STATUSES, Action, Status, allowed_actions
from rapid_response.core.safe_contact import may_be_told
from rapid_response.core.states import OfferState, TaskState
from rapid_response.core.vocabulary import AgeTargeting, ContactRole
from rapid_response.hatecrime.rules import is_own_perception
from rapid_response.sla.rules import Kind
from rapid_response.steps import borders, markers, outcomes, safeguarding
from rapid_response.steps.case import clock_facts
from rapid_response.steps.corrections import Correction, caller_now, corrections_of
from rapid_response.steps.knowing import ShownLink, links_of, safe_contact_of, series_of
from rapid_response.steps.lists import had_it_last
from rapid_response.steps.receive import clock_json
from rapid_response.steps.tasks import TaskKind
from rapid_response.storage.log import record_view
from rapid_response.storage.once import Filled
from rapid_response.storage.records import table_of
from rapid_response.storage.tables import (
    AgendaRow,
    AlarmRow,
    DisclosureRow,
    EventRow,
    IncidentRow,
    MessageRow,
    NoteRow,
    NoticeRow,
    OfferRow,
    OutcomeRow,
    ReferralRow,
    ReportRow,
    SecondReadingRow,
    SuggestionRow,
    TaskRow,
    TransferRow,
    VisitRow,
)
from rapid_response.storage.tx import Tx, rows_of

R = TypeVar("R", bound=SQLModel)


@dataclass(frozen=True, slots=True)
class NextStep:
    """What happens next by itself or is owed by somebody; never nothing while a case is open."""

    what: str
    who: str
    due_at: datetime | None

    def to_json(self) -> dict[str, Any]:
        """As the contract shows it."""
        return {
            "what": self.what,
            "who": self.who,
            "due_at": self.due_at.isoformat() if self.due_at else None,
        }


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One incident with all that belongs to it; lists are oldest first."""

    incident: IncidentRow
    reports: Sequence[ReportRow]
    offers: Sequence[OfferRow]
    tasks: Sequence[TaskRow]
    notices: Sequence[NoticeRow]
    #: Those that hold come last of their story: see `outcomes_now`.
    outcomes: Sequence[OutcomeRow]
    notes: Sequence[NoteRow]
    messages: Sequence[MessageRow]
    agenda: Sequence[AgendaRow]
    #: Other incidents that may belong to this one; surest first.
    links: Sequence[ShownLink] = ()
    #: Who is on her way, or there, and what warns of the place or the people.
    visit: VisitRow | None = None
    markers: Sequence[markers.Found] = ()
    alarms: Sequence[AlarmRow] = ()
    #: Hand-overs to other services, oldest first.
    transfers: Sequence[TransferRow] = ()
    referrals: Sequence[ReferralRow] = ()
    #: Sheets that somebody outside was shown.
    disclosures: Sequence[DisclosureRow] = ()
    second_readings: Sequence[SecondReadingRow] = ()
    suggestions: Sequence[SuggestionRow] = ()
    corrections: Sequence[Correction] = ()
    #: All incidents of the series that people have made, this one among them; empty where there is none.
    series: Sequence[str] = ()
    #: The reference of the incident that this one was joined to.
    joined_to: str | None = None

    @property
    def safe_contact(self) -> dict[str, Any]:
        """How its people may be reached: as said here, and nowhere forbidden where they may be the same."""
        return safe_contact_of(self.incident, self.links)

    def caller(self, report: ReportRow) -> dict[str, Any]:
        """Who made one of its reports, as far as it is known now."""
        return caller_now(report, self.corrections)

    @property
    def outcomes_now(self) -> Sequence[OutcomeRow]:
        """What changed, as it holds now."""
        return outcomes.that_hold(self.outcomes)

    @property
    def allowed(self) -> tuple[Action, ...]:
        """What its state allows."""
        return allowed_actions(self.incident.status, clock_facts(self.incident))

    @property
    def responder(self) -> str | None:
        """Who has the job or, once it is over, who had it last."""
        had = (o for o in reversed(self.offers) if had_it_last(o, self.incident))
        return self.incident.owner or next((offer.responder_id for offer in had), None)

    @property
    def next_step(self) -> NextStep | None:
        """See :class:`NextStep`; None once it is closed."""
        return next_step(self.incident, self.offers, self.tasks, self.agenda)

    def standing_json(self) -> dict[str, Any]:
        """How it stands and what may be done to it: nothing of what it is about, nor of whom."""
        return {
            "reference": self.incident.reference,
            "status": self.incident.status,
            "clock": clock_json(self.incident),
            "allowed_actions": list(self.allowed),
        }

    def to_json(self) -> dict[str, Any]:
        """The incident as the contract describes it."""
        step = self.next_step
        incident = self.incident
        return {
            **summary_json(incident, self.responder),
            "age_targeting": {"state": incident.age_state, "evidence": self.age_evidence()},
            "targeting_review": self._review_json(),
            "other_vulnerability_targeted": incident.other_vulnerability,
            "other_vulnerability_evidence": self.evidence("other_vulnerability_targeted"),
            "statutory_strands": incident.statutory_strands,
            "statutory_strand_evidence": self.evidence("hate_strand"),
            "police_hate_crime_ref": incident.police_hate_crime_ref,
            "safeguarding": {
                "indicated_by": list(safeguarding.because(incident)),
                "decision": incident.safeguarding,
                "decided_at": incident.safeguarding_at.isoformat() if incident.safeguarding_at else None,
                "decided_by": incident.safeguarding_by,
            },
            "hoax_marked_by": incident.hoax_marked_by,
            "referral_source": incident.referral_source,
            "legal_hold": incident.legal_hold_at is not None,
            "erased_at": incident.erased_at.isoformat() if incident.erased_at else None,
            "disclosures": [_disclosure_json(d) for d in self.disclosures],
            "referrals": [_referral_json(r, self.tasks) for r in self.referrals],
            "received_at": incident.received_at.isoformat(),
            "facts": incident.facts,
            "next_step": step.to_json() if step else None,
            "tasks": [_task_json(t) for t in self.tasks if t.state is TaskState.OPEN],
            "reports": [_report_json(r, self.caller(r)) for r in self.reports],
            "corrections": [correction.to_json() for correction in self.corrections],
            "links": [link.to_json() for link in self.links],
            "second_reading": [self._second_json(s) for s in self.second_readings],
            "series": list(self.series),
            "duplicate_of": self.joined_to,
            "outcomes": [_outcome_json(o, self.outcomes) for o in self.outcomes_now],
            "disposition": incident.disposition,
            "episode": incident.episode,
            "unconfirmed": incident.unconfirmed,
            "companion": incident.companion,
            "visit": _visit_json(self.visit) if self.visit else None,
            "risk_markers": [{"subject": m.subject, "kind": m.kind} for m in self.markers],
            "location": incident.location,
            "place": borders.place_json(None, incident),
            "transfers": [_transfer_json(t) for t in self.transfers],
            "victim": incident.victim,
            "safe_contact": self.safe_contact,
            "suspect": incident.suspect,
            "allowed_actions": list(self.allowed),
        }

    def words_of(self, suggestion: SuggestionRow) -> str:
        """The words of the report that a suggestion rests on."""
        report = next(r for r in self.reports if r.id == suggestion.report_id)
        return report.narrative[suggestion.start_char : suggestion.end_char]

    def _second_json(self, reading: SecondReadingRow) -> dict[str, Any]:
        return {
            "report": reading.report_id,
            "state": reading.state,
            "model_version": reading.model_version,
            "read_at": reading.read_at.isoformat() if reading.read_at else None,
            "dropped": reading.dropped,
            "suggestions": [
                {
                    "id": s.id,
                    "label": s.label,
                    "value": s.value,
                    "start": s.start_char,
                    "end": s.end_char,
                    "text": self.words_of(s),
                    "raises": s.raises,
                    "agrees": s.agrees,
                }
                for s in self.suggestions
                if s.report_id == reading.report_id
            ],
        }

    def age_evidence(self) -> list[dict[str, Any]]:
        """The words that point to age: which of the six kinds of labels.md they are, and why."""
        return self.evidence("age_targeted")

    def evidence(self, label: str) -> list[dict[str, Any]]:
        """The words that support a label, as :func:`evidence_in` the case's reports."""
        return evidence_in(self.reports, label)

    def _review_json(self) -> dict[str, Any]:
        """What people have said of it so far; `proposal` waits for a second reviewer."""
        incident = self.incident
        proposed_at, decided_at = incident.review_proposed_at, incident.review_decided_at
        return {
            "victims_own_perception": is_own_perception(incident.victims_own_perception, incident.age_kinds),
            "proposal": {
                "state": AgeTargeting.RULED_OUT,
                "by": incident.review_proposed_by,
                "at": proposed_at.isoformat(),
            }
            if proposed_at
            else None,
            "decided_at": decided_at.isoformat() if decided_at else None,
            "decided_by": incident.review_decided_by,
        }


def evidence_in(reports: Sequence[ReportRow], label: str) -> list[dict[str, Any]]:
    """The words that support a label: exact spans of the reports' narratives, with their report's id."""
    return [
        {**span, "text": report.narrative[span["start"] : span["end"]], "report": report.id}
        for report in reports
        for span in report.reading.get("evidence", [])
        if span["label"] == label
    ]


def next_step(
    incident: IncidentRow, offers: Sequence[OfferRow], tasks: Sequence[TaskRow], agenda: Sequence[AgendaRow]
) -> NextStep | None:
    """What comes next for an open case: the owner's move, an awaited answer, a person's task, a timer."""
    if not incident.is_open:
        return None
    owed = sorted((t for t in tasks if t.state is TaskState.OPEN), key=lambda t: t.due_at)
    if incident.owner is not None and incident.status in OWNED_STATUSES:
        return _first_of_owned(_move_of_owner(incident, incident.owner), owed)
    waiting = [o for o in offers if o.state is OfferState.OPEN]
    if waiting:
        return NextStep("answer_offer", waiting[-1].responder_id, waiting[-1].answer_by)
    coming = sorted(
        (a for a in agenda if a.kind in (Kind.RUNG, Kind.RETRY, Kind.RESUME)), key=lambda a: a.due_at
    )
    if incident.status is Status.UNASSIGNED:
        return NextStep("assign", "duty_officer", coming[0].due_at if coming else incident.needed_by)
    if owed and (not coming or owed[0].due_at <= coming[0].due_at):
        return NextStep(owed[0].kind, owed[0].owner, owed[0].due_at)
    if coming:
        return NextStep(coming[0].kind, "service", coming[0].due_at)
    return NextStep(owed[0].kind, owed[0].owner, owed[0].due_at) if owed else None


def _move_of_owner(incident: IncidentRow, owner: str) -> NextStep:
    """Once the victim was helped, wherever the owner is, she finishes."""
    if incident.stopped_at is not None or incident.status is Status.ON_SCENE:
        return NextStep("finish", owner, None if incident.stopped_at else incident.needed_by)
    return NextStep("set_off" if incident.status is Status.ASSIGNED else "arrive", owner, incident.needed_by)


def _first_of_owned(move: NextStep, owed: Sequence[TaskRow]) -> NextStep:
    """The owner's move, or what is due before it; after nobody answered, the call back in any case."""
    if move.what == "finish":
        return move
    sooner = (
        task
        for task in owed
        if task.kind == TaskKind.CALL_BACK or (move.due_at is not None and task.due_at < move.due_at)
    )
    first = next(sooner, None)
    return NextStep(first.kind, first.owner, first.due_at) if first else move


def read_case(connection: Connection, reference: str) -> CaseFile | None:
    """Everything kept of the incident of that reference; None when there is none."""
    found = rows_of(connection, _BY_REFERENCE.given({"reference": reference}))
    if not found:
        return None
    incident = found[0]
    mine = {"incident": incident.id}

    def rows(row: type[R], at: Any) -> Sequence[R]:
        return rows_of(connection, _rows(row, at).given(mine))

    def of_reports(row: type[R], *order: Any) -> Sequence[R]:
        return rows_of(connection, _of_reports(row, *order).given(mine))

    return CaseFile(
        incident=incident,
        reports=rows(ReportRow, col(ReportRow.recorded_at)),
        corrections=corrections_of(connection, incident.id),
        series=series_of(connection, incident.id),
        joined_to=_reference(connection, incident.duplicate_of),
        offers=rows(OfferRow, col(OfferRow.made_at)),
        tasks=rows(TaskRow, col(TaskRow.opened_at)),
        notices=rows(NoticeRow, col(NoticeRow.given_at)),
        outcomes=rows(OutcomeRow, col(OutcomeRow.at)),
        notes=rows(NoteRow, col(NoteRow.at)),
        messages=rows(MessageRow, col(MessageRow.created_at)),
        agenda=rows_of(connection, _STILL_TO_COME.given(mine)),
        links=links_of(connection, incident.id),
        referrals=rows(ReferralRow, col(ReferralRow.sent_at)),
        disclosures=rows(DisclosureRow, col(DisclosureRow.made_at)),
        second_readings=of_reports(SecondReadingRow, col(ReportRow.recorded_at)),
        suggestions=of_reports(SuggestionRow, col(ReportRow.recorded_at), col(SuggestionRow.position)),
        visit=next((v for v in rows(VisitRow, col(VisitRow.heard_at)) if v.ended_at is None), None),
        markers=markers.of_incident(connection, incident.id),
        transfers=rows(TransferRow, col(TransferRow.sent_at)),
        alarms=[a for a in rows(AlarmRow, col(AlarmRow.raised_at)) if a.ended_at is None],
    )


_MINE: Any = bindparam("incident")
_BY_REFERENCE = Filled(typed_select(IncidentRow).where(col(IncidentRow.reference) == bindparam("reference")))
_STILL_TO_COME = Filled(
    typed_select(AgendaRow).where(col(AgendaRow.incident_id) == _MINE, col(AgendaRow.settled_at).is_(None))
)


@cache
def _rows(row: Any, at: Any) -> Filled[Any]:
    return Filled(typed_select(row).where(row.incident_id == _MINE).order_by(at, row.id))


@cache
def _of_reports(row: Any, *order: Any) -> Filled[Any]:
    reports = typed_select(row).join(ReportRow, col(ReportRow.id) == row.report_id)
    return Filled(reports.where(col(ReportRow.incident_id) == _MINE).order_by(*order))


def _reference(connection: Connection, incident_id: str | None) -> str | None:
    if incident_id is None:
        return None
    found: str | None = connection.execute(
        select(col(IncidentRow.reference)).where(col(IncidentRow.id) == incident_id)
    ).scalar()
    return found


def reference_of_job(connection: Connection, number: int) -> str | None:
    """The open incident that carries a job number now."""
    found: str | None = connection.execute(
        select(col(IncidentRow.reference)).where(
            col(IncidentRow.job_number) == number, col(IncidentRow.is_open)
        )
    ).scalar()
    return found


def seen(tx: Tx, reference: str, what: str) -> None:
    """Keep in the access log that the actor saw this case."""
    incident_id = tx.execute(
        select(col(IncidentRow.id)).where(col(IncidentRow.reference) == reference)
    ).scalar()
    record_view(tx, what, incident_id)


# --- its timeline ----------------------------------------------------------------------------------------


def events_of(
    connection: Connection, incident_id: str, after: int = 0, limit: int | None = None
) -> list[dict[str, Any]]:
    """The timeline, oldest first; what comes after that `seq`, so many at the most."""
    rows = connection.execute(
        select(table_of(EventRow))
        .where(col(EventRow.stream) == incident_id, col(EventRow.seq) > after)
        .order_by(col(EventRow.seq))
        .limit(limit)
    )
    return [
        {
            "seq": r.seq,
            "type": r.type,
            "at": r.at.isoformat(),
            "actor": r.actor,
            "data": json.loads(r.data),
        }
        for r in rows
    ]


# --- as JSON ---------------------------------------------------------------------------------------------


def summary_json(incident: IncidentRow, responder: str | None) -> dict[str, Any]:
    """An incident as a list shows it: no name, no number, no address.

    `responder`: see :func:`rapid_response.steps.lists.who_had`.
    """
    return {
        "reference": incident.reference,
        "status": incident.status,
        "category": incident.category,
        "subtype": incident.subtype,
        "urgency": incident.urgency,
        "priority": incident.priority,
        "rule_id": incident.rule_id,
        "clock": clock_json(incident),
        "received_at": incident.received_at.isoformat(),
        "responder": responder,
        "job_number": incident.job_number,
        "joint": incident.joint,
        "ward": incident.ward,
    }


def _visit_json(visit: VisitRow) -> dict[str, Any]:
    """Where a responder is, and until when she is expected to say that she is safe."""
    times = {
        name: getattr(visit, name) for name in ("set_off_at", "expected_at", "arrived_at", "check_in_by")
    }
    return {
        "responder": visit.responder_id,
        **{name: at.isoformat() if at else None for name, at in times.items()},
        "finish_at": visit.finish_at.isoformat(),
        "held_by": ContactRole.DUTY_OFFICER,
    }


def _task_json(task: TaskRow) -> dict[str, Any]:
    return {
        "id": task.id,
        "kind": task.kind,
        "owner": task.owner,
        "due_at": task.due_at.isoformat(),
        "state": task.state,
        "subject": task.subject or None,
    }


def _referral_json(referral: ReferralRow, tasks: Sequence[TaskRow]) -> dict[str, Any]:
    due = (t.due_at for t in tasks if t.subject == referral.id and t.state is TaskState.OPEN)
    chase_due = next(due, None)
    return {
        "id": referral.id,
        "kind": referral.kind,
        "state": referral.state,
        "reference": referral.reference,
        "sent_at": referral.sent_at.isoformat(),
        "sent_by": referral.sent_by,
        "acknowledged_at": referral.acknowledged_at.isoformat() if referral.acknowledged_at else None,
        "settled_at": referral.settled_at.isoformat() if referral.settled_at else None,
        "reason": referral.reason,
        "chased": referral.chased,
        "chased_at": referral.chased_at.isoformat() if referral.chased_at else None,
        "chase_due_at": chase_due.isoformat() if chase_due else None,
        "moved_by": referral.moved_by,
    }


def _disclosure_json(row: DisclosureRow) -> dict[str, Any]:
    """That something was shown, and which parts; the sheet is a page of its own."""
    return {
        "id": row.id,
        "kind": row.kind,
        "to": row.to_name,
        "authority": row.authority,
        "fields": row.fields,
        "digest": row.digest,
        "made_at": row.made_at.isoformat(),
        "made_by": row.made_by,
    }


def _report_json(report: ReportRow, caller: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": report.id,
        "channel": report.channel,
        "external_reference": report.external_reference,
        "received_at": report.received_at.isoformat(),
        "recorded_at": report.recorded_at.isoformat(),
        "narrative": report.narrative,
        "caller": caller,
        "caller_may_be_told": may_be_told(caller.get("role")),
        "answers": report.answers,
        "evidence": [
            {**span, "text": report.narrative[span["start"] : span["end"]]}
            for span in report.reading.get("evidence", [])
        ],
        "model_version": report.reading.get("model_version"),
        "question": report.reading.get("question"),
    }


def _transfer_json(transfer: TransferRow) -> dict[str, Any]:
    """A hand-over without its document, which is a page of its own."""
    return {
        "id": transfer.id,
        "neighbour": transfer.neighbour or None,
        "to": transfer.to_name,
        "state": transfer.state,
        "means": transfer.means,
        "handed_to": transfer.handed_to,
        "sent_at": transfer.sent_at.isoformat(),
        "sent_by": transfer.sent_by,
        "digest": transfer.digest,
        "signature": transfer.signature,
        "answered_at": transfer.answered_at.isoformat() if transfer.answered_at else None,
        "answered_by": transfer.answered_by,
        "reference": transfer.reference,
        "reason": transfer.reason,
    }


def _outcome_json(outcome: OutcomeRow, rows: Sequence[OutcomeRow]) -> dict[str, Any]:
    """An outcome that holds, and, where it was put right, what had been said before."""
    was = next((row for row in rows if row.id == outcome.corrects), None)
    return {
        **_what_changed(outcome),
        "at": outcome.at.isoformat(),
        "id": outcome.id,
        "corrects": _what_changed(was) if was is not None else None,
    }


def _what_changed(outcome: OutcomeRow) -> dict[str, Any]:
    amount = outcome.amount_pence
    return {
        "code": outcome.code,
        "amount_gbp": None if amount is None else amount / 100,
        "evidence_grade": outcome.evidence_grade,
    }
