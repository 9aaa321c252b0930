"""Whether somebody was chosen for her age: its evidence, its steps, whom it was referred to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rapid_response.access.permissions import Permission, may
from rapid_response.access.principal import Principal
from rapid_response.console import timeline
from rapid_response.console.filling.looking import Looking
from rapid_response.console.filling.names import Names
from rapid_response.console.views.case_parts import (
    AgeTargetingPart,
    ProposalPart,
    ReferralPart,
    StepPart,
    Words,
)
from rapid_response.console.views.sharing import DisclosurePart
from rapid_response.console.words import plain
from rapid_response.core.incident import Action
from rapid_response.core.states import TaskState
from rapid_response.core.vocabulary import AgeEvidence, AgeTargeting, HateStrand, ReferralKind
from rapid_response.hatecrime.referrals import STEPS
from rapid_response.hatecrime.rules import DECISIONS, is_own_perception
from rapid_response.storage.tables import DisclosureRow, IncidentRow, ReferralRow


def age_targeting_part(looking: Looking, events: Iterable[Mapping[str, Any]]) -> AgeTargetingPart:
    incident, case, whole = looking.case.incident, looking.case, looking.sees_people
    special = looking.sees_special_category
    strands = tuple(HateStrand(s) for s in incident.statutory_strands if s in set(HateStrand))
    is_decided = incident.age_state in DECISIONS and incident.review_decided_by is not None
    return AgeTargetingPart(
        state=incident.age_state,
        evidence=words_of(case.age_evidence()) if whole else (),
        strands=strands if special else (),
        strand_words=words_of(case.evidence("hate_strand")) if special else (),
        offers_police=all(r.kind is not ReferralKind.POLICE_HATE_CRIME for r in case.referrals),
        police_reference=(incident.police_hate_crime_ref or "") if special else "",
        other_vulnerability=incident.other_vulnerability and whole,
        vulnerability_words=words_of(case.evidence("other_vulnerability_targeted")) if whole else (),
        victims_own_perception=whole
        and is_own_perception(incident.victims_own_perception, incident.age_kinds),
        proposal=proposal(incident, looking.names, looking.principal),
        history=tuple(_steps(looking, events)) if special else (),
        decided_by=looking.names.actor(incident.review_decided_by or "") if is_decided else "",
        decided_at=incident.review_decided_at if is_decided else None,
    )


def words_of(evidence: Sequence[Mapping[str, Any]]) -> tuple[Words, ...]:
    """Evidence as a page shows it: the same words once a kind, and no piece of what is shown whole."""
    kinds = {kind.value: kind for kind in AgeEvidence}
    shown: dict[tuple[str, str | None], Words] = {}
    for span in evidence:
        if not any(_is_inside(span, other) for other in evidence):
            words = Words(span["text"], span["why"], kinds.get(span.get("kind", "")))
            shown.setdefault((words.text.casefold(), words.kind), words)
    return tuple(shown.values())


def _is_inside(span: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether it is a piece of the other, which speaks for the same."""
    # What quotes no words is no piece of any.
    longer = other["end"] - other["start"] > span["end"] - span["start"] > 0
    within = other["start"] <= span["start"] and span["end"] <= other["end"]
    return longer and within and all(span.get(key) == other.get(key) for key in ("report", "kind", "label"))


def proposal(incident: IncidentRow, names: Names, viewer: Principal) -> ProposalPart | None:
    """Who would rule it out, while a second reviewer is awaited."""
    by, at = incident.review_proposed_by, incident.review_proposed_at
    if by is None or at is None:
        return None
    return ProposalPart(names.actor(by), at, is_own=by == viewer.actor)


def _steps(looking: Looking, events: Iterable[Mapping[str, Any]]) -> Iterable[StepPart]:
    """What people said of it, one after the other."""
    for event in events:
        data = event["data"]
        match event["type"]:
            case "targeting_assessed" if data.get("by_person"):
                said = plain(AgeTargeting(data["state"]))
            case "targeting_corrected":
                said = _corrected(data)
            case "review_proposed":
                said = "Proposed to rule it out"
            case "review_proposal_settled":
                said = timeline.PROPOSAL_WORDS[data["outcome"]]
            case "police_hate_crime_recorded":
                said = "Police hate crime reference recorded"
            case _:
                continue
        yield StepPart(said, datetime.fromisoformat(event["at"]), looking.names.actor(event["actor"]))


def _corrected(data: Mapping[str, Any]) -> str:
    """What was corrected, from what to what."""
    said = []
    before, now = data["strands_before"], data["statutory_strands"]
    if sorted(before) != sorted(now):
        said.append(f"Strands: {_strand_words(before)}, now {_strand_words(now)}")
    if data["other_vulnerability"] != data["other_vulnerability_before"]:
        said.append("Another vulnerability: " + ("yes" if data["other_vulnerability"] else "no"))
    return "; ".join(said) or "The person says so themselves"


def _strand_words(strands: Iterable[str]) -> str:
    return ", ".join(plain(HateStrand(s)).lower() for s in strands) or "none"


def referral_part(referral: ReferralRow, looking: Looking, actions: Sequence[Action]) -> ReferralPart:
    chase = (t.due_at for t in looking.case.tasks if t.subject == referral.id and t.state is TaskState.OPEN)
    return ReferralPart(
        referral_id=referral.id,
        kind=referral.kind,
        state=referral.state,
        sent_at=referral.sent_at,
        sent_by=looking.names.actor(referral.sent_by),
        reference=referral.reference or "",
        acknowledged_at=referral.acknowledged_at,
        settled_at=referral.settled_at,
        reason=referral.reason or "",
        chased=referral.chased,
        chased_at=referral.chased_at,
        chase_due_at=next(chase, None),
        may_update=Action.UPDATE_REFERRAL in actions and bool(STEPS[referral.state]),
    )


def disclosure(row: DisclosureRow, names: Names, viewer: Principal) -> DisclosurePart:
    """A sheet that was made for somebody outside."""
    kind = plain(ReferralKind(row.kind)) if row.kind in set(ReferralKind) else "All reports of one vehicle"
    return DisclosurePart(
        disclosure_id=row.id,
        kind=kind,
        to=row.to_name,
        authority=row.authority,
        made_at=row.made_at,
        made_by=names.actor(row.made_by),
        is_erased=not row.document,
        may_read=may(viewer, Permission.DISCLOSURE_READ),
    )
