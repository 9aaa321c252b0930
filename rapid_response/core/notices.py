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
    #: The auditor found that something was lost, and set it again.
    MENDED = "mended"
    #: A step of this case failed too often.
    WORK_PARKED = "work_parked"
