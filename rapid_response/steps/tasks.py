"""Tasks: something a role owes an incident by a time. None is ever forgotten: each has its agenda entry."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.core.events import TaskDone, TaskOpened
from rapid_response.core.notices import NoticeKind
from rapid_response.core.states import TaskState
from rapid_response.sla.rules import Deadline, Kind
from rapid_response.steps import notices
from rapid_response.storage import work
from rapid_response.storage.once import once
from rapid_response.storage.tables import IncidentRow, TaskRow
from rapid_response.storage.tx import Tx


class TaskKind(StrEnum):
    """What can be owed."""

    FOLLOW_UP = "follow_up"
    CHECK_BACK = "check_back"
    WELFARE_CHECK = "welfare_check"
    CALL_BACK = "call_back"
    CONFIRM_REMOTE = "confirm_remote"
    BREACH_REASON = "breach_reason"
    HAND_OVER = "hand_over"
    REVIEW_AGE_TARGETING = "review_age_targeting"
    OFFER_POLICE_HATE_REFERRAL = "offer_police_hate_referral"
    RELEASE_HELD = "release_held"
    REVIEW_REPORT = "review_report"
    FINISH_JOB = "finish_job"
    CHASE_REFERRAL = "chase_referral"
    SECOND_READING = "second_reading"
    TRANSFER = "transfer"
    SAFEGUARDING = "safeguarding"
    CONFIRM_HOAX = "confirm_hoax"
    VERIFY_CALLER = "verify_caller"
    TELL_POLICE = "tell_police"
    REMOTE_RESPONSE = "remote_response"


def open_task(
    tx: Tx, incident: IncidentRow, kind: TaskKind, owner: str, due_at: datetime, subject: str = ""
) -> str:
    """Open a task, unless one of its kind, about the same, is open already; returns its id."""
    waiting = find_open(tx, incident, kind, subject)
    return waiting.id if waiting else _open(tx, incident, kind, owner, due_at, subject)


def find_open(tx: Tx, incident: IncidentRow, kind: TaskKind, subject: str = "") -> TaskRow | None:
    """The open task of that kind, about that."""
    return tx.first(_open_of(incident.id, kind.value, subject))


def was_opened(tx: Tx, incident: IncidentRow, kind: TaskKind, subject: str) -> bool:
    """Whether a task of that kind, about that, was ever opened, whatever became of it."""
    return tx.first(_of(incident.id, kind.value, subject)) is not None


@once
def _open_of(incident_id: str, kind: str, subject: str) -> SelectOfScalar[TaskRow]:
    return _about(incident_id, kind, subject).where(col(TaskRow.state) == TaskState.OPEN)


@once
def _of(incident_id: str, kind: str, subject: str) -> SelectOfScalar[TaskRow]:
    return _about(incident_id, kind, subject)


def _about(incident_id: str, kind: str, subject: str) -> SelectOfScalar[TaskRow]:
    return select(TaskRow).where(
        col(TaskRow.incident_id) == incident_id,
        col(TaskRow.kind) == kind,
        col(TaskRow.subject) == subject,
    )


def open_first_task(tx: Tx, incident: IncidentRow, kind: TaskKind, owner: str, due_at: datetime) -> str:
    """As :func:`open_task` for an incident that is new in this step, where none can be open."""
    return _open(tx, incident, kind, owner, due_at)


def _open(
    tx: Tx, incident: IncidentRow, kind: TaskKind, owner: str, due_at: datetime, subject: str = ""
) -> str:
    task_id = tx.ids.uuid()
    tx.add(
        TaskRow,
        id=task_id,
        incident_id=incident.id,
        kind=kind.value,
        subject=subject,
        owner=owner,
        opened_at=tx.now,
        due_at=due_at,
    )
    work.arm(tx, incident.id, 1, incident.priority.rank, [Deadline(Kind.TASK, due_at, task_id)])
    tx.record(incident.id, TaskOpened(task_id, kind.value, owner, due_at))
    return task_id


def open_tasks(tx: Tx, incident_id: str) -> list[TaskRow]:
    """What is owed, soonest first."""
    return list(tx.all(_owed(incident_id)))


@once
def _owed(incident_id: str) -> SelectOfScalar[TaskRow]:
    return (
        select(TaskRow)
        .where(col(TaskRow.incident_id) == incident_id, col(TaskRow.state) == TaskState.OPEN)
        .order_by(col(TaskRow.due_at), col(TaskRow.id))
    )


def finish(tx: Tx, task: TaskRow, state: TaskState = TaskState.DONE) -> None:
    """A person says that it is done, or the case that it is no longer owed."""
    task.state, task.done_at, task.done_by = state, tx.now, tx.actor
    work.disarm(tx, task.incident_id, [Kind.TASK.value], state.value, subject=task.id)
    tx.record(task.incident_id, TaskDone(task.id, task.kind))
    if task.due_at <= tx.now:
        _say_no_more(tx, tx.need(IncidentRow, task.incident_id, lock=True))


def _say_no_more(tx: Tx, incident: IncidentRow) -> None:
    """That a task is overdue is not told again once none is; nobody is reminded of a report's review."""
    overdue = [task for task in open_tasks(tx, incident.id) if task.due_at <= tx.now]
    if all(task.kind == TaskKind.REVIEW_REPORT for task in overdue):
        notices.overtaken(tx, incident, (NoticeKind.TASK_OVERDUE,))


def finish_kind(tx: Tx, incident: IncidentRow, *kinds: TaskKind) -> None:
    """Drop what the case has overtaken."""
    for task in open_tasks(tx, incident.id):
        if task.kind in kinds:
            finish(tx, task, TaskState.DROPPED)
