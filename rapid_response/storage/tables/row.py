"""What every row is."""

from __future__ import annotations

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
