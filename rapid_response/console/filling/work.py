"""What is owed: tasks and notices."""

from __future__ import annotations

from collections.abc import Sequence

from rapid_response.access.permissions import Permission, may
from rapid_response.console.filling.looking import Looking
from rapid_response.console.filling.names import Names, role_words
from rapid_response.console.filling.pieces import NOTICE_WORDS, TASK_WORDS
from rapid_response.console.views.case_parts import NoticePart, TaskPart
from rapid_response.console.words import plain
from rapid_response.core.incident import Action
from rapid_response.core.notices import NOT_SEEN, NoticeKind
from rapid_response.core.safe_contact import is_overheard
from rapid_response.core.states import TaskState
from rapid_response.steps.case import facts_of
from rapid_response.steps.casefile import CaseFile
from rapid_response.steps.tasks import TaskKind
from rapid_response.storage.tables import NoticeRow, TaskRow


def task_part(task: TaskRow, looking: Looking, actions: Sequence[Action]) -> TaskPart:
    is_open, explains = task.state is TaskState.OPEN, task.kind == TaskKind.BREACH_REASON
    # Nobody below a team leader settles a breach: it may have been of their own shift.
    may_settle = not explains or may(looking.principal, Permission.BREACH_REVIEW)
    # A decision ends the one, what became of the referral the other: each has its own form.
    has_form = task.kind in _HAVE_FORMS
    return TaskPart(
        task_id=task.id,
        words=_task_words(task, looking.case),
        owner=looking.names.owner(task.owner),
        due_at=task.due_at,
        state=task.state,
        done_at=task.done_at,
        done_by=looking.names.actor(task.done_by) if task.done_by else "",
        may_finish=is_open and may_settle and not has_form and Action.TASK_DONE in actions,
        asks_breach_reason=explains,
    )


_HAVE_FORMS = (
    TaskKind.CHASE_REFERRAL,
    TaskKind.TRANSFER,
    TaskKind.SAFEGUARDING,
    TaskKind.REVIEW_AGE_TARGETING,
)
#: How a remote response begins, by whether the person may be rung.
_RING = "Ring now"
_DO_NOT_RING = "Find a safe way to reach them: do not ring this number"


def _task_words(task: TaskRow, case: CaseFile) -> str:
    said = TASK_WORDS.get(task.kind) or plain(task.kind)
    if task.kind == TaskKind.REMOTE_RESPONSE:
        may_ring = case.safe_contact["voice"] and not is_overheard(facts_of(case.incident))
        return f"{_RING if may_ring else _DO_NOT_RING}. {said}"
    referral = next((r for r in case.referrals if r.id == task.subject), None)
    return f"{said}: {plain(referral.kind)}" if referral else said


def notice_part(notice: NoticeRow, names: Names, actions: Sequence[Action]) -> NoticePart:
    seen_by = notice.acknowledged_by
    words = NOTICE_WORDS.get(notice.kind) or plain(notice.kind)
    if notice.kind == NoticeKind.WARNING and "share" in notice.detail:
        words = f"{round(float(notice.detail['share']) * 100)}% of the time is used"
    return NoticePart(
        notice_id=notice.id,
        words=words,
        role=role_words(notice.role),
        given_at=notice.given_at,
        repeats=notice.repeats,
        acknowledged_at=notice.acknowledged_at,
        acknowledged_by=names.actor(seen_by) if seen_by and seen_by not in NOT_SEEN else "",
        is_overtaken=seen_by in NOT_SEEN,
        may_acknowledge=notice.acknowledged_at is None and Action.ACKNOWLEDGE in actions,
    )
