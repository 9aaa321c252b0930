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
    TASK_OVERDUE = "task_overdue"
    REVIEW = "review"
    CHECK_IN_MISSED = "check_in_missed"
    TRAVEL_OVERDUE = "travel_overdue"
    NOT_SAFE = "not_safe"


#: A responder does not answer: the story ends when she is heard from.
SILENCE = frozenset({NoticeKind.CHECK_IN_MISSED, NoticeKind.TRAVEL_OVERDUE})
