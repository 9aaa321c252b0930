"""What is said about a case, made from its row: the bridge between a case and `messaging.wording`.

Only what a text may hold is taken from the case (delivery.md 10): job number, a phrase of the fixed list, a
postcode sector or ward, a time. Free text of a report never reaches a message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from rapid_response.core.facts import implied
from rapid_response.core.incident import Status
from rapid_response.core.notices import NoticeKind
from rapid_response.core.vocabulary import ContactRole
from rapid_response.messaging import wording
from rapid_response.steps.case import facts_of
from rapid_response.steps.desk import Desk
from rapid_response.storage.tables import IncidentRow, NoticeRow

PASSED_ON = wording.StoodDown.PASSED_ON


def outward(incident: IncidentRow) -> str | None:
    """The first half of its postcode, for choosing who is near."""
    postcode = incident.location.get("postcode")
    return str(postcode).split(" ", maxsplit=1)[0] if postcode else None


def situation(incident: IncidentRow, now: datetime) -> str:
    """What awaits whoever goes there, in a few words of the fixed list."""
    return wording.situation(implied(facts_of(incident), now), incident.category)


def job(incident: IncidentRow, now: datetime) -> wording.Job:
    """What a text may say about the incident."""
    return wording.Job(
        number=incident.job_number or 0,
        situation=situation(incident, now),
        # Only a ward of the service is ever kept with an incident, so it may be said.
        area=wording.area(incident.location.get("postcode"), incident.ward, wards=(incident.ward or "",)),
        by=incident.needed_by,
        urgent=incident.priority.rank <= 1,
        joint=incident.joint,
    )


def offer(desk: Desk, incident: IncidentRow, now: datetime) -> str:
    """The question to a responder."""
    link = desk.base_url if desk.sms_links else None
    return wording.offer(job(incident, now), desk.zone, link_base=link, now=now)


def confirm(desk: Desk, incident: IncidentRow, now: datetime) -> str:
    """It is yours."""
    return wording.confirm(job(incident, now), desk.zone, now)


def assigned(desk: Desk, incident: IncidentRow, now: datetime) -> str:
    """The desk gave it to you: to go there, or to take over from who is there."""
    if incident.status is Status.ON_SCENE:
        return wording.taken_over(job(incident, now))
    return wording.assigned(job(incident, now), desk.zone, now)


def changed(incident: IncidentRow, now: datetime) -> str:
    """It is more urgent, or more dangerous, than you were told."""
    return wording.more_dangerous(job(incident, now))


def companion(desk: Desk, incident: IncidentRow, now: datetime) -> str:
    """You go along as the second officer."""
    return wording.companion(job(incident, now), desk.zone, now)


def stand_down(desk: Desk, incident: IncidentRow, now: datetime, why: wording.StoodDown) -> str:
    """Do not go."""
    return wording.stand_down(incident.job_number or 0, now, desk.zone, why, now)


def warning_to_owner(
    desk: Desk, incident: IncidentRow, share: float, now: datetime, *, by_voice: bool = False
) -> str:
    """A share of the time is gone."""
    by = incident.due_at or now
    say = wording.spoken_warning_to_owner if by_voice else wording.warning_to_owner
    return say(incident.job_number or 0, round(share * 100), by, desk.zone, now)


@dataclass(frozen=True, slots=True)
class _Telling:
    """What the wording of a notice needs."""

    incident: IncidentRow
    given: NoticeRow
    job: wording.Job
    zone: ZoneInfo
    now: datetime

    @property
    def owned(self) -> bool:
        return self.incident.owner is not None

    def moment(self, name: str) -> datetime | None:
        """A time kept with the notice."""
        at = self.given.detail.get(name)
        return datetime.fromisoformat(at) if at else None


def notice(desk: Desk, incident: IncidentRow, given: NoticeRow, now: datetime) -> str:
    """A notice to a role holder, marked when it is a repeat."""
    telling = _Telling(incident, given, job(incident, now), desk.zone, now)
    text = _SAY[NoticeKind(given.kind)](telling)
    return wording.repeat_of(text) if given.repeats else text


def _joint(t: _Telling) -> str:
    say = wording.joint_held if t.incident.is_held else wording.joint_needed
    return say(t.job, t.zone, t.now)


def _warning(t: _Telling) -> str:
    percent = round(float(t.given.detail["share"]) * 100)
    to_leader = t.given.role != ContactRole.DUTY_OFFICER
    say = wording.warning_to_team_leader if to_leader else wording.warning_to_duty_officer
    return say(t.job, percent, t.zone, owned=t.owned, now=t.now)


def _check_in_missed(t: _Telling) -> str:
    silent = t.now - (t.moment("since") or t.now)
    police = bool(t.given.detail["police"])
    return wording.check_in_missed(t.job, int(silent.total_seconds() // 60), police=police)


_SAY: Mapping[NoticeKind, Callable[[_Telling], str]] = {
    NoticeKind.RUNG: lambda t: wording.rung_reached(t.job, t.zone, t.now, owned=t.owned),
    NoticeKind.NOT_ACCEPTED: lambda t: wording.not_accepted(t.job, t.zone, t.now),
    NoticeKind.NOBODY_LEFT: lambda t: wording.nobody_left(t.job, t.zone, t.now),
    NoticeKind.JOINT: _joint,
    NoticeKind.WARNING: _warning,
    NoticeKind.BREACH: lambda t: wording.breach(
        t.job, t.incident.due_at or t.now, t.zone, owned=t.owned, now=t.now
    ),
    NoticeKind.HAND_OVER: lambda t: wording.shift_ending(t.job, t.moment("ends") or t.now, t.zone, t.now),
    NoticeKind.DELIVERY_FAILING: lambda t: wording.delivery_failing(t.job),
    NoticeKind.MENDED: lambda t: wording.mended(t.incident.job_number),
    NoticeKind.WORK_PARKED: lambda t: wording.work_parked(t.incident.job_number),
    NoticeKind.TEXTS_STOPPED: lambda t: wording.texts_stopped(t.job),
    NoticeKind.TASK_OVERDUE: lambda t: wording.task_overdue(t.incident.job_number),
    NoticeKind.LEAD_REVIEW: lambda t: wording.case_to_review(
        t.incident.job_number, t.moment("by"), t.zone, t.now
    ),
    NoticeKind.LEAD_OVERDUE: lambda t: wording.case_to_review_overdue(t.incident.job_number),
    NoticeKind.CHECK_IN_MISSED: _check_in_missed,
    NoticeKind.OUT_OF_AREA: lambda t: wording.out_of_area(t.job),
    NoticeKind.HANDED_OVER: lambda t: wording.not_taken_over(t.job),
    NoticeKind.NOT_SAFE: lambda t: wording.not_safe(t.job),
    NoticeKind.TRAVEL_OVERDUE: lambda t: wording.travel_overdue(
        t.job, t.moment("since") or t.now, t.zone, t.now
    ),
    NoticeKind.REVIEW: lambda t: wording.review_waiting(
        t.incident.job_number, t.moment("until"), t.zone, t.now
    ),
}
