"""What is said about a case, made from its row: the bridge between a case and `messaging.wording`.

Only what a text may hold is taken from the case (delivery.md 10): job number, a phrase of the fixed list, a
postcode sector or ward, a time. Free text of a report never reaches a message.
"""

from __future__ import annotations

from datetime import datetime

from rapid_response.core.notices import NoticeKind
from rapid_response.core.vocabulary import ContactRole
from rapid_response.messaging import wording
from rapid_response.steps.case import facts_of
from rapid_response.steps.desk import Desk
from rapid_response.storage.tables import IncidentRow, NoticeRow


def outward(incident: IncidentRow) -> str | None:
    """The first half of its postcode, for choosing who is near."""
    postcode = incident.location.get("postcode")
    return str(postcode).split(" ", maxsplit=1)[0] if postcode else None


def job(incident: IncidentRow) -> wording.Job:
    """What a text may say about the incident."""
    return wording.Job(
        number=incident.job_number or 0,
        situation=wording.situation(facts_of(incident), incident.category),
        # Only a ward of the service is ever kept with an incident, so it may be said.
        area=wording.area(incident.location.get("postcode"), incident.ward, wards=(incident.ward or "",)),
        by=incident.needed_by,
        urgent=incident.priority.rank <= 1,
        joint=incident.joint,
    )


def offer(desk: Desk, incident: IncidentRow, now: datetime) -> str:
    """The question to a responder."""
    link = desk.base_url if desk.sms_links else None
    return wording.offer(job(incident), desk.zone, link_base=link, now=now)


def confirm(desk: Desk, incident: IncidentRow, now: datetime) -> str:
    """It is yours."""
    return wording.confirm(job(incident), desk.zone, now)


def assigned(desk: Desk, incident: IncidentRow, now: datetime) -> str:
    """The desk gave it to you."""
    return wording.assigned(job(incident), desk.zone, now)


def stand_down(desk: Desk, incident: IncidentRow, now: datetime, why: wording.StoodDown) -> str:
    """Do not go."""
    return wording.stand_down(incident.job_number or 0, now, desk.zone, why, now)


def warning_to_owner(desk: Desk, incident: IncidentRow, share: float, now: datetime) -> str:
    """A share of the time is gone."""
    by = incident.due_at or now
    return wording.warning_to_owner(incident.job_number or 0, round(share * 100), by, desk.zone, now)


def notice(desk: Desk, incident: IncidentRow, given: NoticeRow, now: datetime) -> str:
    """A notice to a role holder, marked when it is a repeat."""
    text = _notice(desk, incident, given, now)
    return wording.repeat_of(text) if given.repeats else text


def _notice(desk: Desk, incident: IncidentRow, given: NoticeRow, now: datetime) -> str:
    about, zone = job(incident), desk.zone
    owned = incident.owner is not None
    match NoticeKind(given.kind):
        case NoticeKind.RUNG:
            return wording.rung_reached(about, zone, now)
        case NoticeKind.NOT_ACCEPTED:
            return wording.not_accepted(about, zone, now)
        case NoticeKind.NOBODY_LEFT:
            return wording.nobody_left(about, zone, now)
        case NoticeKind.JOINT:
            held = incident.is_held
            return (wording.joint_held if held else wording.joint_needed)(about, zone, now)
        case NoticeKind.WARNING:
            percent = round(float(given.detail["share"]) * 100)
            to_leader = given.role != ContactRole.DUTY_OFFICER
            say = wording.warning_to_team_leader if to_leader else wording.warning_to_duty_officer
            return say(about, percent, zone, owned=owned, now=now)
        case NoticeKind.BREACH:
            return wording.breach(about, incident.due_at or now, zone, owned=owned, now=now)
        case NoticeKind.HAND_OVER:
            return wording.shift_ending(about, datetime.fromisoformat(given.detail["ends"]), zone, now)
        case NoticeKind.DELIVERY_FAILING:
            return wording.delivery_failing(about)
        case NoticeKind.TASK_OVERDUE:
            return wording.task_overdue(incident.job_number)
        case NoticeKind.REVIEW:
            return wording.review_waiting(incident.job_number, _until(given), zone, now)


def _until(given: NoticeRow) -> datetime | None:
    until = given.detail.get("until")
    return datetime.fromisoformat(until) if until else None
