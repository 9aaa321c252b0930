"""What is pending on the agenda and when it falls due, said so that both databases find it by one index.

The index is by danger and then by time, because work is claimed so. Whoever asks by time alone asks each
degree of danger: the first of each, or what of each is before a moment, is one end of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, TextClause, func, select, union_all
from sqlmodel import col

from rapid_response.core.vocabulary import Priority
from rapid_response.storage.tables import AgendaRow

#: Degrees of danger, the highest first. No entry has another.
RANKS = tuple(sorted(priority.rank for priority in Priority))

Conditions = tuple[ColumnElement[bool], ...]


def is_pending(rank: Any = None) -> Conditions:
    """Neither settled nor parked; of one degree of danger, or of any."""
    of_degree = col(AgendaRow.rank).in_(RANKS) if rank is None else col(AgendaRow.rank) == rank
    return (col(AgendaRow.settled_at).is_(None), col(AgendaRow.parked_at).is_(None), of_degree)


def due(moment: datetime) -> Conditions:
    """Pending, and due at that moment, in domain time."""
    return (*is_pending(), col(AgendaRow.due_at) <= moment)


def first_due(*which: ColumnElement[bool]) -> ScalarSelect[datetime]:
    """When the first pending entry of which that is true falls due; NULL where there is none."""
    return earliest(col(AgendaRow.due_at), ((*is_pending(rank), *which) for rank in RANKS))


def earliest(moment: Any, groups: Iterable[Conditions]) -> ScalarSelect[datetime]:
    """The first moment in any of the groups, in each of which it is one end of an index; or NULL."""
    firsts = union_all(*(select(func.min(moment).label("at")).where(*group) for group in groups)).subquery()
    return select(func.min(firsts.c.at)).scalar_subquery()


def first_id(row: Any, by: Any, *which: ColumnElement[bool] | TextClause) -> ScalarSelect[Any]:
    """The id of the first of them, or NULL.

    In order, without which PostgreSQL goes through the table for any one of many.
    """
    return select(col(row.id)).where(*which).order_by(col(by)).limit(1).scalar_subquery()
