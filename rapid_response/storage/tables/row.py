"""What every row is."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlmodel import MetaData, SQLModel

# Named constraints, so that a migration can alter them on both databases.
SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention


class Row(SQLModel):
    """A row of a table. Pydantic never validates one, and need not get ready to, which took its time."""

    model_config = {"defer_build": True}

    def __setattr__(self, name: str, value: Any) -> None:
        """A column is set as SQLAlchemy does it; what Pydantic does besides takes ten times as long."""
        if name in _columns(type(self)):
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)


@cache
def _columns(row: type[Row]) -> frozenset[str]:
    table = getattr(row, "__table__", None)
    return frozenset(table.columns.keys()) if table is not None else frozenset()
