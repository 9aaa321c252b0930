"""Why somebody is told."""

from __future__ import annotations

from enum import StrEnum


class NoticeKind(StrEnum):
    """Why somebody is told."""

    RUNG = "rung"
    NOT_ACCEPTED = "not_accepted"
    NOBODY_LEFT = "nobody_left"
    JOINT = "joint"
    WARNING = "warning"
    BREACH = "breach"
    HAND_OVER = "hand_over"
    DELIVERY_FAILING = "delivery_failing"
    TEXTS_STOPPED = "texts_stopped"
    TASK_OVERDUE = "task_overdue"
    REVIEW = "review"
    LEAD_REVIEW = "lead_review"
    LEAD_OVERDUE = "lead_overdue"


#: What the hate-crime lead hears: one story, told once each time and never repeated by itself.
LEADS = frozenset({NoticeKind.LEAD_REVIEW, NoticeKind.LEAD_OVERDUE})
