"""The two baselines: what the framework alone can answer, and the tutorial's way of storing one row.

T (`BENCH_MODE=trivial`): validate the report, answer; nothing is stored.
N (`BENCH_MODE=naive`): FastAPI's tutorial form with SQLModel, a `def` endpoint and a Session: one row,
commit, refresh. SQLite in WAL with synchronous=FULL, as durable as the product; psycopg on PostgreSQL.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic import Field as Bound
from sqlalchemy import event
from sqlmodel import Field, Session, SQLModel, create_engine

app = FastAPI()


class Report(BaseModel):
    """About as many bytes as the reports that the product gets."""

    channel: str = Bound(pattern="^(phone|web)$")
    narrative: str = Bound(max_length=4000)
    ward: str = Bound(max_length=80)
    postcode: str = Bound(max_length=10)
    loss_pence: int = Bound(ge=0)
    vulnerable: bool


class NaiveIncident(SQLModel, table=True):
    """One row, where the product writes some twenty-five."""

    __tablename__ = "naive_incidents"

    id: int | None = Field(default=None, primary_key=True)
    channel: str
    narrative: str
    ward: str = Field(index=True)
    postcode: str
    loss_pence: int
    vulnerable: bool
    status: str = "new"
    received_at: datetime
    due_at: datetime = Field(index=True)


def engine_for(url: str) -> Any:
    """The engine of the tutorial, but durable."""
    made = create_engine(url, connect_args={"timeout": 20} if url.startswith("sqlite") else {})
    if url.startswith("sqlite"):

        @event.listens_for(made, "connect")
        def _durable(dbapi: Any, _record: Any) -> None:
            for pragma in ("journal_mode=WAL", "synchronous=FULL"):
                dbapi.execute(f"PRAGMA {pragma}")

    return made


if os.environ.get("BENCH_MODE") == "naive":
    engine = engine_for(os.environ["BENCH_URL"])
    SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables["naive_incidents"]])

    @app.post("/reports", status_code=201)
    def naive(report: Report) -> dict[str, Any]:
        """One row, one commit."""
        now = datetime.now(UTC)
        with Session(engine) as session:
            incident = NaiveIncident(**report.model_dump(), received_at=now, due_at=now)
            session.add(incident)
            session.commit()
            session.refresh(incident)
            return {"id": incident.id, "status": incident.status, "ward": incident.ward}

else:

    @app.post("/reports", status_code=201)
    async def trivial(report: Report) -> dict[str, Any]:
        """Nothing is stored."""
        return {"id": 1, "status": "new", "ward": report.ward}
