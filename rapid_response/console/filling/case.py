"""One case, whole, as its page shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rapid_response.access.permissions import Permission, may
from rapid_response.console import related, timeline
from rapid_response.console.filling.asking import messages_of, offer_part, reach_part, timeline_of
from rapid_response.console.filling.looking import Looking
from rapid_response.console.filling.pieces import (
    BY_PERSON,
    alarm,
    clock,
    heard,
    markers,
    next_step,
    place,
    rule_title,
    safe_contact,
    suspect,
    victim,
    visit,
)
from rapid_response.console.filling.reports import report_part, second_reading_part
from rapid_response.console.filling.sharing import area_part, choices_of, safeguarding_part, transfer
from rapid_response.console.filling.targeting import age_targeting_part, disclosure, referral_part
from rapid_response.console.filling.work import notice_part, task_part
from rapid_response.console.forms.actions import ACTION_FORMS, POLICE_REFERENCE
from rapid_response.console.forms.unsaved import written
from rapid_response.console.views.case import FailedAction, IncidentView
from rapid_response.console.views.case_parts import NotePart, OutcomePart
from rapid_response.console.words import plain
from rapid_response.core.facts import Facts
from rapid_response.core.incident import Action
from rapid_response.core.states import OfferState
from rapid_response.hatecrime.referrals import STEPS
from rapid_response.steps.case import facts_of
from rapid_response.steps.casefile import CaseFile
from rapid_response.storage.tables import OutcomeRow


def incident_view(
    looking: Looking,
    events: Sequence[Mapping[str, Any]],
    *,
    failed: FailedAction | None = None,
    done: str = "",
) -> IncidentView:
    """The page of a case, for whoever looks."""
    case, names, whole = looking.case, looking.names, looking.sees_people
    events = looking.without_own_alarms(events)
    incident, actions = case.incident, looking.actions
    return IncidentView(
        reference=incident.reference,
        status=incident.status,
        category=incident.category,
        subtype=incident.subtype,
        urgency=incident.urgency,
        priority=incident.priority,
        rule_id=incident.rule_id,
        clock=clock(incident),
        received_at=incident.received_at,
        why=BY_PERSON if incident.rule_id == "person" else rule_title(incident.rule_id, incident.priority),
        job_number=incident.job_number,
        episode=incident.episode,
        responder=names.responder(incident.owner or _who_finished(case)),
        owner=incident.owner or "",
        joint=incident.joint,
        companion=names.responder(incident.companion),
        visit=visit(incident, case.visit, names),
        markers=markers(case.markers, whole=may(looking.principal, Permission.SUSPECT_HISTORY))
        if whole
        else (),
        may_mark=whole and may(looking.principal, Permission.RISK_MARKERS),
        duress=tuple(alarm(a, incident, names) for a in case.alarms if looking.sees(a)),
        back_entry=incident.back_entry and incident.is_held,
        next_step=next_step(case.next_step, names),
        place=place(incident) if whole else None,
        area=area_part(looking),
        transfers=tuple(transfer(t, looking) for t in case.transfers) if whole else (),
        victim=victim(incident) if whole else None,
        safe_contact=safe_contact(case.safe_contact) if whole else None,
        suspect=suspect(incident) if whole else {},
        facts=facts_of(incident) if whole else Facts(),
        heard=heard(incident, case.reports) if whole else "",
        age_targeting=age_targeting_part(looking, events),
        referrals=tuple(referral_part(r, looking, actions) for r in case.referrals) if whole else (),
        disclosures=tuple(disclosure(d, looking.names, looking.principal) for d in case.disclosures)
        if whole
        else (),
        safeguarding=safeguarding_part(looking) if whole else None,
        is_kept=incident.legal_hold_at is not None,
        is_erased=incident.erased_at is not None,
        hoax_said_by=names.actor(incident.hoax_marked_by or ""),
        source=incident.referral_source,
        actions=actions,
        responders=choices_of(looking) if actions else (),
        priorities=looking.priorities,
        failed=failed,
        unsaved=_unsaved(failed, actions, case) if failed else (),
        tasks=tuple(task_part(t, looking, actions) for t in case.tasks),
        notices=tuple(notice_part(n, names, actions) for n in case.notices),
        reports=tuple(report_part(r, looking) for r in case.reports) if whole else (),
        second_readings=(
            tuple(second_reading_part(s, looking, actions) for s in case.second_readings) if whole else ()
        ),
        offers=tuple(offer_part(o, names) for o in case.offers),
        messages=messages_of(looking) if whole else (),
        reach=tuple(reach_part(chain) for chain in looking.reach),
        notes=tuple(NotePart(n.at, names.actor(n.actor), n.body) for n in case.notes) if whole else (),
        outcomes=tuple(_outcome(o, case) for o in case.outcomes_now),
        disposition=incident.disposition,
        timeline=timeline_of(looking, events),
        joined_to=case.joined_to or "",
        links=related.links(looking) if whole else (),
        series=related.series(looking) if whole else (),
        corrections=related.corrected(looking, looking.now) if whole else (),
        told=related.told(looking) if whole else (),
        amend=related.amend_form(looking) if Action.AMEND in actions else None,
        wards=looking.definition.wards if looking.definition else (),
        stricter_elsewhere=related.stricter_elsewhere(looking) if whole else (),
        done=done,
    )


def _unsaved(failed: FailedAction, actions: Sequence[Action], case: CaseFile) -> tuple[tuple[str, str], ...]:
    """What was written in a form that the page has no longer; where it stands, it holds that itself."""
    fields = ACTION_FORMS[failed.action].fields
    if failed.action is Action.UPDATE_REFERRAL:
        fields = (*fields, POLICE_REFERENCE)
        named = failed.filled.value("referral")
        if any(r.id == named and STEPS[r.state] for r in case.referrals):
            return ()
    elif failed.action in actions:
        return ()
    return written(fields, failed.filled)


def _outcome(outcome: OutcomeRow, case: CaseFile) -> OutcomePart:
    was = next((o for o in case.outcomes if o.id == outcome.corrects), None)
    before = ""
    if was is not None:
        before = plain(was.code).lower()
        before += f", {timeline.pounds(was.amount_pence)}" if was.amount_pence is not None else ""
    return OutcomePart(outcome.code, outcome.amount_pence, outcome.evidence_grade, outcome.id, before)


def _who_finished(case: CaseFile) -> str | None:
    """Who had the job at the end: a closed case has no owner any more."""
    done = (o for o in reversed(case.offers) if o.state is OfferState.DONE)
    return next((o.responder_id for o in done if o.episode == case.incident.episode), None)
