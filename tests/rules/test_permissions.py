"""The permission table as a whole: a change to any cell shows here and on docs/permissions.md."""

import re
from pathlib import Path

import pytest

from rapid_response.access.permissions import (
    ACTION_ROLES,
    JOB_ACTIONS,
    PUBLIC_PERMISSIONS,
    ROLE_PERMISSIONS,
    SCOPE_PERMISSIONS,
    Permission,
    Reach,
    case_reach,
    may,
    may_act,
)
from rapid_response.access.permissions_page import permissions_page
from rapid_response.access.principal import PUBLIC, SYSTEM, Kind, Principal
from rapid_response.core.incident import Action
from rapid_response.core.vocabulary import Role, Scope
from tests.cases import each

# Columns: handler, duty officer, responder, team leader, head of service, hate crime lead, analyst,
# board viewer, auditor, admin; then nobody signed in.
PAGES = """
    public_form           x x x x x x x x x x  x
    sign_in               x x x x x x x x x x  x
    health_view           x x x x x x x x x x  x
    simulator_use         x x x x x x x x x x  x
    api_description       x x . x x . . . . x  .
    report_take           x x . x x . . . . .  .
    case_list             x x . x x x . . . .  .
    case_view             x x . x x x . . . .  .
    case_act              x x x x x x . . . .  .
    case_export           . . . x x . . . . .  .
    timeline_view         x x . x x x . . x .  .
    priority_lower        . x . x x . . . . .  .
    suspect_history       . x . x x x . . . .  .
    special_category      . x . x x x . . . .  .
    review_list           . x . x x x . . . .  .
    inbox_work            x x . x x . . . . .  .
    open_sheet            x x . x x . . . . .  .
    breach_review         . . . x x . . . . .  .
    own_jobs              . x x x x . . . . .  .
    availability_any      . x . x x . . . . .  .
    board_view            . x . x x x x x x .  .
    service_status        x x . x x . . . x x  .
    exceptions_view       . x . x x . . . . x  .
    exceptions_retry      . x . x x . . . . x  .
    audit_view            . . . x x . . . x .  .
    agreement_view        . x . x x . x . . .  .
    risk_markers          . x . x x . . . . .  .
    alarm_see             x x . x x . . . . .  .
    rota_view             x x . x x . . . . x  .
    transfer_read         . x . x x . . . . .  .
    alarm_end             . x . x x . . . . .  .
    disclosure_read       . x . x x x . . . .  .
    intelligence          . x . x x . . . . .  .
    numbers_own           . x x x x . . . . .  .
    numbers_any           . x . x x . . . . x  .
"""

# x: any incident; o: only a job of their own; down: a priority that goes down.
ACTS = """
    accept                x x o x x . . . . .  .
    decline               x x o x x . . . . .  .
    assign                . x . x x . . . . .  .
    en_route              x x o x x . . . . .  .
    on_scene              x x o x x . . . . .  .
    no_contact            x x o x x . . . . .  .
    remote_response       . x o x x . . . . .  .
    police_handover       . x o x x . . . . .  .
    release               . x o x x . . . . .  .
    close                 . x o x x . . . . .  .
    cancel                . x . x x . . . . .  .
    reopen                . x . x x . . . . .  .
    acknowledge           x x o x x x . . . .  .
    reclassify            x x . x x . . . . .  .
    set_priority          x x . x x . . . . .  .
    pause                 . x . x x . . . . .  .
    resume                . x . x x . . . . .  .
    note                  x x o x x x . . . .  .
    task_done             x x o x x x . . . .  .
    review_age_targeting  . x . x x x . . . .  .
    add_outcomes          . x o x x . . . . .  .
    second_review         . x . x x x . . . .  .
    refer                 . x . x x x . . . .  .
    update_referral       . x . x x x . . . .  .
    answer_second_reading x x . x x . . . . .  .
    amend                 x x . x x . . . . .  .
    link                  x x . x x . . . . .  .
    check_in              x x o x x . . . . .  .
    release_companion     . x o x x . . . . .  .
    transfer              . x . x x . . . . .  .
    transfer_acknowledged . x . x x . . . . .  .
    transfer_declined     . x . x x . . . . .  .
    decide_safeguarding   . x o x x . . . . .  .
    disclose              . x . x x x . . . .  .
    legal_hold            . . . x x . . . . .  .
    mark_hoax             x x . x x . . . . .  .
    set_priority,down     . x . x x . . . . .  .
"""

KEYS = {
    Scope.REPORT: {Permission.REPORT_TAKE, Permission.API_DESCRIPTION},
    Scope.READ: {
        Permission.CASE_LIST,
        Permission.CASE_VIEW,
        Permission.TIMELINE_VIEW,
        Permission.ROTA_VIEW,
        Permission.API_DESCRIPTION,
    },
    Scope.ACT: {
        Permission.CASE_ACT,
        Permission.PRIORITY_LOWER,
        Permission.BREACH_REVIEW,
        Permission.AVAILABILITY_ANY,
        Permission.API_DESCRIPTION,
    },
    Scope.BOARD: {Permission.BOARD_VIEW, Permission.API_DESCRIPTION},
}

ASKERS = [*(Principal(Kind.USER, id="u1", role=role, responder_id="asha") for role in Role), PUBLIC]


def a_key(*scopes: Scope) -> Principal:
    return Principal(Kind.KEY, id="k1", scopes=frozenset(scopes))


def a_person(role: Role | None, responder_id: str | None = None) -> Principal:
    return Principal(Kind.USER, id="u1", role=role, responder_id=responder_id)


def matrix(text: str) -> dict[str, list[str]]:
    rows = (line.split() for line in text.strip().splitlines())
    return {name: cells for name, *cells in rows}


def test_pages_and_data() -> None:
    asked = {p.value: ["x" if may(asker, p) else "." for asker in ASKERS] for p in Permission}
    assert asked == matrix(PAGES)


def test_actions() -> None:
    def cell(asker: Principal, action: Action, lowers: bool) -> str:
        if may_act(asker, action, lowers_priority=lowers):
            assert may_act(asker, action, lowers_priority=lowers, owns_job=True)
            return "x"
        return "o" if may_act(asker, action, lowers_priority=lowers, owns_job=True) else "."

    asked = {a.value: [cell(asker, a, False) for asker in ASKERS] for a in Action}
    asked["set_priority,down"] = [cell(asker, Action.SET_PRIORITY, True) for asker in ASKERS]
    assert asked == matrix(ACTS)


@each("scope", Scope)
def test_keys(scope: Scope) -> None:
    granted = {p for p in Permission if may(a_key(scope), p)}
    assert granted == KEYS[scope] | PUBLIC_PERMISSIONS


def test_scopes_of_a_key_are_joined_and_add_nothing() -> None:
    granted = {p for p in Permission if may(a_key(*Scope), p)}
    assert granted == PUBLIC_PERMISSIONS.union(*KEYS.values())


@each("action", Action)
def test_only_the_act_scope_acts_and_it_does_everything(action: Action) -> None:
    assert may_act(a_key(Scope.ACT), action)
    assert may_act(a_key(Scope.ACT), action, lowers_priority=True)
    assert not may_act(a_key(Scope.REPORT, Scope.READ, Scope.BOARD), action, owns_job=True)


def test_a_key_without_scopes_and_a_person_without_a_role_are_the_public() -> None:
    for asker in (a_key(), a_person(None, "asha")):
        assert {p for p in Permission if may(asker, p)} == PUBLIC_PERMISSIONS
        assert not any(may_act(asker, action, owns_job=True) for action in Action)


def test_the_service_itself_may_do_everything() -> None:
    assert all(may(SYSTEM, permission) for permission in Permission)
    assert all(may_act(SYSTEM, action, lowers_priority=True) for action in Action)


def test_every_role_scope_and_action_is_decided() -> None:
    assert ROLE_PERMISSIONS.keys() == set(Role)
    assert SCOPE_PERMISSIONS.keys() == set(Scope)
    assert ACTION_ROLES.keys() == set(Action)
    assert {p for p in Permission if may(SYSTEM, p)} == PUBLIC_PERMISSIONS.union(*ROLE_PERMISSIONS.values())


def test_every_permission_is_asked_for_somewhere() -> None:
    """One that is granted and never asked for tells whoever reads the page of what nobody can do."""
    product = Path(__file__).parents[2] / "rapid_response"
    tables = ("permissions.py", "permissions_page.py")
    code = "".join(path.read_text("utf-8") for path in product.rglob("*.py") if path.name not in tables)
    asked = {p for p in Permission if re.search(rf"\bPermission\.{p.name}\b", code)}
    assert set(Permission) - asked == PUBLIC_PERMISSIONS - asked


def test_an_action_that_nobody_decided_is_refused_to_every_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ACTION_ROLES, Action.ASSIGN)
    assert not any(may_act(a_person(role, "asha"), Action.ASSIGN, owns_job=True) for role in Role)


def test_whoever_may_do_something_to_a_case_may_act_at_all() -> None:
    """A page that asks for CASE_ACT first must not hide an action that `may_act` would grant."""
    for action, roles in ACTION_ROLES.items():
        assert all(may(a_person(role), Permission.CASE_ACT) for role in roles), action


@each("role", [Role.ADMIN, Role.ANALYST, Role.BOARD_VIEWER, Role.AUDITOR])
def test_case_text_stays_with_those_who_work_cases(role: Role) -> None:
    asker = a_person(role, "asha")
    shut = (
        Permission.CASE_LIST,
        Permission.CASE_VIEW,
        Permission.CASE_EXPORT,
        Permission.OWN_JOBS,
        Permission.INBOX_WORK,
        Permission.SUSPECT_HISTORY,
        Permission.SPECIAL_CATEGORY,
    )
    assert not any(may(asker, permission) for permission in shut)
    assert case_reach(asker) is Reach.NOTHING


def test_a_responder_reaches_only_their_own_jobs() -> None:
    assert case_reach(a_person(Role.RESPONDER, "asha")) is Reach.OWN_JOBS
    assert case_reach(a_person(Role.RESPONDER)) is Reach.NOTHING
    assert not any(may_act(a_person(Role.RESPONDER, "asha"), action) for action in Action)


@each(
    ("asker", "reach"),
    [
        (a_person(Role.HANDLER), Reach.ALL),
        (a_person(Role.DUTY_OFFICER, "dee"), Reach.ALL),
        (a_person(Role.HATE_CRIME_LEAD), Reach.ALL),
        (a_key(Scope.READ), Reach.ALL),
        (a_key(Scope.ACT), Reach.NOTHING),
        (a_key(Scope.REPORT), Reach.NOTHING),
        (SYSTEM, Reach.ALL),
        (PUBLIC, Reach.NOTHING),
    ],
)
def test_reach(asker: Principal, reach: Reach) -> None:
    assert case_reach(asker) is reach


def test_a_job_is_no_way_round_the_desk() -> None:
    """What a responder may do to their own job never decides about dispatch, priority or review."""
    decisions = {
        Action.ASSIGN,
        Action.CANCEL,
        Action.REOPEN,
        Action.SET_PRIORITY,
        Action.PAUSE,
        Action.REVIEW_AGE_TARGETING,
    }
    assert not decisions & JOB_ACTIONS


def test_the_page_in_docs_is_the_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "permissions.md"
    assert page.read_text("utf-8") == permissions_page(), (
        "run `python -m rapid_response.access.permissions_page > docs/permissions.md`"
    )


@each(
    ("asker", "actor"),
    [(a_person(Role.HANDLER), "user:u1"), (a_key(), "key:k1"), (PUBLIC, "public"), (SYSTEM, "system")],
)
def test_the_audit_holds_ids(asker: Principal, actor: str) -> None:
    assert asker.actor == actor


def test_a_principal_in_a_log_line_names_nobody_and_gives_no_token_away() -> None:
    shown = repr(Principal(Kind.USER, id="u1", name="Asha Patel", role=Role.HANDLER, session_csrf="t0k3n"))
    assert "Asha" not in shown
    assert "t0k3n" not in shown
