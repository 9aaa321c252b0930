"""Who looks at a case, and what of it she may see and do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rapid_response.access.permissions import Permission, may, may_act
from rapid_response.access.principal import Principal
from rapid_response.console.filling.names import Names
from rapid_response.core.definition import ServiceDefinition
from rapid_response.core.incident import Action
from rapid_response.core.states import OfferState, Purpose
from rapid_response.core.vocabulary import Priority
from rapid_response.steps.casefile import CaseFile
from rapid_response.steps.deliveries import Chain
from rapid_response.storage.tables import AlarmRow


@dataclass(frozen=True, slots=True)
class Looking:
    """Who looks at a case, at what, and what is known of those in it."""

    principal: Principal
    case: CaseFile
    names: Names
    definition: ServiceDefinition | None
    zone: ZoneInfo
    now: datetime
    reach: Sequence[Chain] = ()

    @property
    def sees_people(self) -> bool:
        """Whether more than ids, codes and times may be shown."""
        return may(self.principal, Permission.CASE_VIEW)

    @property
    def sees_special_category(self) -> bool:
        """Whether hate strands may be shown."""
        return self.sees_people and may(self.principal, Permission.SPECIAL_CATEGORY)

    def sees(self, alarm: AlarmRow) -> bool:
        """Whether a silent alarm may be shown; never to whoever raised it, who may not be alone."""
        is_own = alarm.responder_id == self.principal.responder_id
        return may(self.principal, Permission.ALARM_SEE) and not is_own

    @property
    def unseen_purposes(self) -> tuple[Purpose, ...]:
        """Of which messages the viewer may not know."""
        return () if all(self.sees(alarm) for alarm in self.case.alarms) else (Purpose.ALARM,)

    def without_own_alarms(self, events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The log as the viewer may see it on her own screen."""
        mine = self.principal.responder_id
        own = {
            e["data"]["alarm_id"]
            for e in events
            if e["type"] == "duress_raised" and mine is not None and e["data"]["responder"] == mine
        }
        if not own:
            return list(events)
        # Whom it was sent to would give it away as well.
        of_alarms = Purpose.ALARM.value
        return [
            e
            for e in events
            if e["data"].get("alarm_id") not in own and e["data"].get("purpose") != of_alarms
        ]

    @property
    def owns_job(self) -> bool:
        """Whether it is the viewer's own job, or offered to her, or one that she goes along to."""
        mine = self.principal.responder_id
        return mine is not None and (
            mine in (self.case.incident.owner, self.case.incident.companion)
            or any(o.responder_id == mine and o.state is OfferState.OPEN for o in self.case.offers)
        )

    @property
    def actions(self) -> tuple[Action, ...]:
        """What the state allows and the viewer may do."""
        if not self.sees_people:
            return ()
        owns = self.owns_job
        return tuple(
            a
            for a in self.case.allowed
            if may_act(self.principal, a, owns_job=owns)
            # Nobody confirms a proposal of their own: it is not even offered.
            and not (a is Action.SECOND_REVIEW and self.has_proposed)
        )

    @property
    def priorities(self) -> tuple[Priority, ...]:
        """Those that the viewer may set: whoever may not lower it may raise it, or say that it is right."""
        may_lower = may(self.principal, Permission.PRIORITY_LOWER)
        return tuple(p for p in Priority if may_lower or p.rank <= self.case.incident.priority.rank)

    @property
    def has_proposed(self) -> bool:
        """Whether the viewer is who would rule it out."""
        return self.case.incident.review_proposed_by == self.principal.actor
