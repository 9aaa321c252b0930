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
    CHECK_IN_MISSED = "check_in_missed"
    TRAVEL_OVERDUE = "travel_overdue"
    NOT_SAFE = "not_safe"
    OUT_OF_AREA = "out_of_area"
    HANDED_OVER = "handed_over"
    #: The auditor found that something was lost, and set it again.
    MENDED = "mended"
    #: A step of this case failed too often.
    WORK_PARKED = "work_parked"


#: What the hate-crime lead hears: one story, told once each time and never repeated by itself.
LEADS = frozenset({NoticeKind.LEAD_REVIEW, NoticeKind.LEAD_OVERDUE})
#: What the end of a case makes moot: a review may be owed after it.
ENDED_WITH_THE_CASE = frozenset(NoticeKind) - LEADS
#: A case from across the border: one story, told to whoever stands next while nobody there has it.
BORDERS = frozenset({NoticeKind.OUT_OF_AREA, NoticeKind.HANDED_OVER})
#: A responder does not answer: the story ends when she is heard from.
SILENCE = frozenset({NoticeKind.CHECK_IN_MISSED, NoticeKind.TRAVEL_OVERDUE})

#: What stands for a person where nobody has seen a notice: the case has moved on, or a newer one says it all.
OVERTAKEN, SUPERSEDED = "overtaken", "superseded"
NOT_SEEN = frozenset({OVERTAKEN, SUPERSEDED})
