"""docs/permissions.md, made from the table: `python -m rapid_response.access.permissions_page`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from rapid_response.access.permissions import (
    ACTION_ROLES,
    JOB_ACTIONS,
    PUBLIC_PERMISSIONS,
    ROLE_PERMISSIONS,
    SCOPE_PERMISSIONS,
    Permission,
)
from rapid_response.core.incident import Action
from rapid_response.core.vocabulary import Role, Scope

R = TypeVar("R", bound=StrEnum)
C = TypeVar("C", bound=StrEnum)

MEANING: Mapping[Permission, str] = {
    Permission.PUBLIC_FORM: "send the public report form",
    Permission.SIGN_IN: "see the sign-in page",
    Permission.HEALTH_VIEW: "ask whether the service is up",
    Permission.SIMULATOR_USE: "use the simulated phones (only where they are switched on)",
    Permission.API_DESCRIPTION: "read the description of the API",
    Permission.REPORT_TAKE: "take a report",
    Permission.CASE_LIST: "list and search incidents",
    Permission.CASE_VIEW: "see an incident with its people and its text",
    Permission.CASE_ACT: "act on incidents, within the second table",
    Permission.CASE_EXPORT: "export incidents to a file",
    Permission.TIMELINE_VIEW: "see an incident's timeline: ids, codes and times",
    Permission.PRIORITY_LOWER: "lower a priority, with a reason",
    Permission.SUSPECT_HISTORY: "see a suspect across incidents",
    Permission.SPECIAL_CATEGORY: "see hate strands and other special-category data",
    Permission.REVIEW_LIST: "see what waits for a review of age targeting, and what was referred",
    Permission.INBOX_WORK: "answer texts that were not understood",
    Permission.OPEN_SHEET: "print the sheet of open incidents",
    Permission.BREACH_REVIEW: "explain a breach of the two hours",
    Permission.OWN_JOBS: "see the jobs offered to them or held by them",
    Permission.TRANSFER_READ: "read what another service was given with a case",
    Permission.DISCLOSURE_READ: "read what a partner was shown of a case",
    Permission.INTELLIGENCE: "work through what partners told without asking us to act",
    Permission.ROTA_VIEW: "see who would be asked when, and gaps in the rota",
    Permission.AVAILABILITY_ANY: "say that any responder is off or back",
    Permission.BOARD_VIEW: "read the board report",
    Permission.SERVICE_STATUS: "see how the service itself is doing",
    Permission.EXCEPTIONS_VIEW: "see work that failed and waits for a person",
    Permission.EXCEPTIONS_RETRY: "try such work again",
    Permission.AUDIT_VIEW: "see who did and saw what",
    Permission.AGREEMENT_VIEW: "see how often people agreed with the readers of reports",
    Permission.RISK_MARKERS: "see, set, review and end risk markers on addresses and suspects",
    Permission.ALARM_SEE: "open a responder's alarm, and say that they have seen it",
    Permission.ALARM_END: "end a responder's alarm, with a reason",
    Permission.NUMBERS_OWN: "confirm their own phone numbers by a code",
    Permission.NUMBERS_ANY: "see whose numbers are confirmed, send codes to them and enter them for others",
}

_HEAD = """\
# Who may do what

Made from `rapid_response/access/permissions.py`; a test compares the two. To change this page, change the
table and run `python -m rapid_response.access.permissions_page > docs/permissions.md`.
What is not marked is refused.

No role is asked for what is not done by signing in: accounts, keys and the service definition are for whoever
runs [commands](commands.md) on the machine, `/metrics` for who has its
[token or address](install.md#the-proxy). The words of a voicemail are a case's text; its sound is with the
provider alone. A responder who is off or back tells the duty desk. The board report and the description of
the API have no page: a key is given both, and the command `report` writes the report.
"""
_ACTIONS = """\
On any incident that they may see (`yes`), or only on a job that is offered to them or held by them (`own`).
Raising a priority is `set_priority`; lowering one also needs `priority_lower`.
"""
_SCOPES = """\
A key has the scopes it was made with; they add nothing to each other, so one that acts and reads is given
both. With `act` it may do every action above, as a system of the desk trusted like its duty officer.
"""


def permissions_page() -> str:
    """The whole page, in Markdown."""
    sections = (
        (None, _HEAD),
        ("Open to anybody", "".join(f"- `{p.value}`: {MEANING[p]}\n" for p in Permission if _is_public(p))),
        ("Pages and data", _table("permission", _granted_to_roles(), Role, _role_cell, MEANING)),
        ("Actions on incidents", _ACTIONS + "\n" + _table("action", Action, Role, _action_cell)),
        ("API keys", _SCOPES + "\n" + _table("permission", _granted_to_keys(), Scope, _scope_cell)),
    )
    return "\n".join(f"## {title}\n\n{body}" if title else body for title, body in sections)


def _role_cell(permission: Permission, role: Role) -> str:
    return "yes" if permission in ROLE_PERMISSIONS[role] else ""


def _action_cell(action: Action, role: Role) -> str:
    if role in ACTION_ROLES.get(action, frozenset()):
        return "yes"
    own = action in JOB_ACTIONS and Permission.OWN_JOBS in ROLE_PERMISSIONS[role]
    return "own" if own else ""


def _scope_cell(permission: Permission, scope: Scope) -> str:
    return "yes" if permission in SCOPE_PERMISSIONS[scope] else ""


def _is_public(permission: Permission) -> bool:
    return permission in PUBLIC_PERMISSIONS


def _granted_to_roles() -> list[Permission]:
    return [p for p in Permission if not _is_public(p)]


def _granted_to_keys() -> list[Permission]:
    return [p for p in Permission if any(p in granted for granted in SCOPE_PERMISSIONS.values())]


def _table(
    first: str,
    rows: Iterable[R],
    columns: type[C],
    cell: Callable[[R, C], str],
    meaning: Mapping[R, str] | None = None,
) -> str:
    heads = [first, *(["lets them"] if meaning else []), *(f"`{c.value}`" for c in columns)]
    lines = [_line(heads), _line(["---"] * len(heads))]
    for row in rows:
        said = [meaning[row]] if meaning else []
        lines.append(_line([f"`{row.value}`", *said, *(cell(row, column) for column in columns)]))
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(permissions_page())
