"""The one table of who may do what (domain.md 4). Every route, list, export and button asks it.

What is not written here is denied: a new action or page is closed to everybody until it is given to someone.
docs/permissions.md is made from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from rapid_response.access.principal import Kind, Principal
from rapid_response.core.incident import Action
from rapid_response.core.vocabulary import Role, Scope


class Permission(StrEnum):
    """What a route can ask for."""

    PUBLIC_FORM = "public_form"
    SIGN_IN = "sign_in"
    HEALTH_VIEW = "health_view"
    SIMULATOR_USE = "simulator_use"
    API_DESCRIPTION = "api_description"
    REPORT_TAKE = "report_take"
    CASE_LIST = "case_list"
    CASE_VIEW = "case_view"
    CASE_ACT = "case_act"
    CASE_EXPORT = "case_export"
    TIMELINE_VIEW = "timeline_view"
    PRIORITY_LOWER = "priority_lower"
    SUSPECT_HISTORY = "suspect_history"
    SPECIAL_CATEGORY = "special_category"
    REVIEW_LIST = "review_list"
    INBOX_WORK = "inbox_work"
    OPEN_SHEET = "open_sheet"
    BREACH_REVIEW = "breach_review"
    OWN_JOBS = "own_jobs"
    AVAILABILITY_ANY = "availability_any"
    BOARD_VIEW = "board_view"
    SERVICE_STATUS = "service_status"
    EXCEPTIONS_VIEW = "exceptions_view"
    EXCEPTIONS_RETRY = "exceptions_retry"
    AUDIT_VIEW = "audit_view"
    AGREEMENT_VIEW = "agreement_view"
    RISK_MARKERS = "risk_markers"
    ALARM_SEE = "alarm_see"
    ALARM_END = "alarm_end"
    NUMBERS_OWN = "numbers_own"
    NUMBERS_ANY = "numbers_any"
    ROTA_VIEW = "rota_view"
    TRANSFER_READ = "transfer_read"
    DISCLOSURE_READ = "disclosure_read"
    INTELLIGENCE = "intelligence"


class Reach(StrEnum):
    """Which incidents somebody may see; list, search, count and view put it into their query."""

    ALL = "all"
    OWN_JOBS = "own_jobs"
    NOTHING = "nothing"


_P = Permission

#: Open to anybody. The simulator is a made-up telephone network and only there with `MESSAGES=simulator`:
#: whoever can ring the hotline can ring this one.
PUBLIC_PERMISSIONS = frozenset({_P.PUBLIC_FORM, _P.SIGN_IN, _P.HEALTH_VIEW, _P.SIMULATOR_USE})

_HANDLER = frozenset(
    {
        _P.API_DESCRIPTION,
        _P.REPORT_TAKE,
        _P.CASE_LIST,
        _P.CASE_VIEW,
        _P.CASE_ACT,
        _P.TIMELINE_VIEW,
        _P.INBOX_WORK,
        _P.OPEN_SHEET,
        _P.SERVICE_STATUS,
        # Whoever sits at the desk when an alarm comes rings 999.
        _P.ALARM_SEE,
        _P.ROTA_VIEW,
    }
)
_DUTY_OFFICER = _HANDLER | {
    _P.PRIORITY_LOWER,
    _P.SUSPECT_HISTORY,
    _P.SPECIAL_CATEGORY,
    _P.REVIEW_LIST,
    _P.OWN_JOBS,
    _P.AVAILABILITY_ANY,
    _P.BOARD_VIEW,
    _P.EXCEPTIONS_VIEW,
    _P.EXCEPTIONS_RETRY,
    _P.AGREEMENT_VIEW,
    _P.RISK_MARKERS,
    _P.TRANSFER_READ,
    _P.DISCLOSURE_READ,
    _P.INTELLIGENCE,
    _P.ALARM_END,
    # Whoever is rung by somebody with a code enters it for them.
    _P.NUMBERS_OWN,
    _P.NUMBERS_ANY,
}
# Reviewing breaches begins here: nobody closes the review of a breach of their own shift.
# Whoever opens a case that is not theirs is looked at by the next one up.
_TEAM_LEADER = _DUTY_OFFICER | {_P.BREACH_REVIEW, _P.CASE_EXPORT, _P.AUDIT_VIEW}

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.HANDLER: _HANDLER,
    Role.DUTY_OFFICER: _DUTY_OFFICER,
    # No list and no view: a responder's reach is the jobs offered to them or held by them.
    Role.RESPONDER: frozenset({_P.OWN_JOBS, _P.CASE_ACT, _P.NUMBERS_OWN}),
    Role.TEAM_LEADER: _TEAM_LEADER,
    Role.HEAD_OF_SERVICE: _TEAM_LEADER,
    Role.HATE_CRIME_LEAD: frozenset(
        {
            _P.CASE_LIST,
            _P.CASE_VIEW,
            _P.CASE_ACT,
            _P.TIMELINE_VIEW,
            _P.SUSPECT_HISTORY,
            _P.SPECIAL_CATEGORY,
            _P.REVIEW_LIST,
            _P.BOARD_VIEW,
            _P.DISCLOSURE_READ,
        }
    ),
    # Counts with small numbers suppressed, never a case.
    Role.ANALYST: frozenset({_P.BOARD_VIEW, _P.AGREEMENT_VIEW}),
    Role.BOARD_VIEWER: frozenset({_P.BOARD_VIEW}),
    # Who did and saw what, by ids; not the content again.
    Role.AUDITOR: frozenset({_P.AUDIT_VIEW, _P.TIMELINE_VIEW, _P.BOARD_VIEW, _P.SERVICE_STATUS}),
    # Keeps the machine running; sees no case text.
    Role.ADMIN: frozenset(
        {
            _P.API_DESCRIPTION,
            _P.SERVICE_STATUS,
            _P.EXCEPTIONS_VIEW,
            _P.EXCEPTIONS_RETRY,
            _P.NUMBERS_ANY,
            _P.ROTA_VIEW,
        }
    ),
}

#: Scopes add nothing to each other: a key that acts and reads is given both.
SCOPE_PERMISSIONS: Mapping[Scope, frozenset[Permission]] = {
    Scope.REPORT: frozenset({_P.REPORT_TAKE, _P.API_DESCRIPTION}),
    Scope.READ: frozenset({_P.CASE_LIST, _P.CASE_VIEW, _P.TIMELINE_VIEW, _P.ROTA_VIEW, _P.API_DESCRIPTION}),
    # A system of the desk, trusted as its duty officer is.
    Scope.ACT: frozenset(
        {_P.CASE_ACT, _P.PRIORITY_LOWER, _P.BREACH_REVIEW, _P.AVAILABILITY_ANY, _P.API_DESCRIPTION}
    ),
    Scope.BOARD: frozenset({_P.BOARD_VIEW, _P.API_DESCRIPTION}),
}

_IN_CHARGE = frozenset({Role.DUTY_OFFICER, Role.TEAM_LEADER, Role.HEAD_OF_SERVICE})
_DESK = _IN_CHARGE | {Role.HANDLER}
_REVIEWERS = _IN_CHARGE | {Role.HATE_CRIME_LEAD}
_LEADERS = frozenset({Role.TEAM_LEADER, Role.HEAD_OF_SERVICE})

#: Who may do what to any incident that they may see.
ACTION_ROLES: Mapping[Action, frozenset[Role]] = {
    # What a responder rings in is written down by whoever answers: with the texts failing, the phone is all
    # there is. The audit says who wrote it.
    Action.ACCEPT: _DESK,
    Action.DECLINE: _DESK,
    Action.EN_ROUTE: _DESK,
    Action.ON_SCENE: _DESK,
    Action.NO_CONTACT: _DESK,
    # Dispatching, and ending the promise without a visit, are safety decisions.
    Action.ASSIGN: _IN_CHARGE,
    Action.RELEASE: _IN_CHARGE,
    Action.REMOTE_RESPONSE: _IN_CHARGE,
    Action.POLICE_HANDOVER: _IN_CHARGE,
    Action.CLOSE: _IN_CHARGE,
    Action.CANCEL: _IN_CHARGE,
    Action.REOPEN: _IN_CHARGE,
    Action.PAUSE: _IN_CHARGE,
    Action.RESUME: _IN_CHARGE,
    # Category and urgency only describe (design.md 6), so correcting them costs nobody their place.
    Action.RECLASSIFY: _DESK,
    Action.ANSWER_SECOND_READING: _DESK,
    # Raising only; lowering asks for PRIORITY_LOWER.
    Action.SET_PRIORITY: _DESK,
    Action.ACKNOWLEDGE: _DESK | _REVIEWERS,
    Action.NOTE: _DESK | _REVIEWERS,
    Action.TASK_DONE: _DESK | _REVIEWERS,
    Action.REVIEW_AGE_TARGETING: _REVIEWERS,
    Action.ADD_OUTCOMES: _IN_CHARGE,
    # What a caller says next may be put right by whoever takes the call; it can raise a case, never lower it.
    Action.AMEND: _DESK,
    # Joining loses nothing and can be taken apart by opening the joined one again.
    Action.LINK: _DESK,
    Action.SECOND_REVIEW: _REVIEWERS,
    # Passing a case on shares personal data with others: a decision, not a note.
    Action.REFER: _REVIEWERS,
    Action.UPDATE_REFERRAL: _REVIEWERS,
    # Whoever spoke with her writes it down.
    Action.CHECK_IN: _DESK,
    Action.RELEASE_COMPANION: _IN_CHARGE,
    # It shares a whole case with another authority, and ends our part in it.
    Action.TRANSFER: _IN_CHARGE,
    Action.TRANSFER_ACKNOWLEDGED: _IN_CHARGE,
    Action.TRANSFER_DECLINED: _IN_CHARGE,
    # Whoever closes the case decides; the responder who was there does it with the closing of her own job.
    Action.DECIDE_SAFEGUARDING: _IN_CHARGE,
    Action.DISCLOSE: _REVIEWERS,
    Action.LEGAL_HOLD: _LEADERS,
    # One person says so; where danger was told of, it ends only when another one does.
    Action.MARK_HOAX: _DESK,
}

#: What a person may do to a job offered to them or held by them, whatever else their role allows.
JOB_ACTIONS = frozenset(
    {
        Action.ACCEPT,
        Action.DECLINE,
        Action.EN_ROUTE,
        Action.ON_SCENE,
        Action.NO_CONTACT,
        Action.REMOTE_RESPONSE,
        Action.POLICE_HANDOVER,
        Action.RELEASE,
        Action.CLOSE,
        Action.ACKNOWLEDGE,
        Action.NOTE,
        Action.TASK_DONE,
        Action.ADD_OUTCOMES,
        Action.CHECK_IN,
        Action.RELEASE_COMPANION,
        Action.DECIDE_SAFEGUARDING,
    }
)


def may(principal: Principal, permission: Permission) -> bool:
    """Whether the asker has that permission; no is the answer to everything unknown."""
    if principal.kind is Kind.SYSTEM or permission in PUBLIC_PERMISSIONS:
        return True
    if principal.kind is Kind.KEY:
        return any(permission in SCOPE_PERMISSIONS[scope] for scope in principal.scopes)
    if principal.kind is Kind.USER and principal.role is not None:
        return permission in ROLE_PERMISSIONS[principal.role]
    return False


def may_act(
    principal: Principal, action: Action, *, lowers_priority: bool = False, owns_job: bool = False
) -> bool:
    """Whether the asker may do that to an incident.

    `owns_job`: the incident is offered to, or held by, the asker's own responder.
    """
    if not may(principal, Permission.CASE_ACT):
        return False
    if lowers_priority and not may(principal, Permission.PRIORITY_LOWER):
        return False
    if principal.role is None:
        return True  # the service itself, or a key whose scope is to act
    if principal.role in ACTION_ROLES.get(action, frozenset()):
        return True
    return owns_job and action in JOB_ACTIONS and may(principal, Permission.OWN_JOBS)


def case_reach(principal: Principal) -> Reach:
    """Which incidents the asker may see at all."""
    if may(principal, Permission.CASE_VIEW):
        return Reach.ALL
    if principal.responder_id is not None and may(principal, Permission.OWN_JOBS):
        return Reach.OWN_JOBS
    return Reach.NOTHING
