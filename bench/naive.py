"""The baselines: what the framework alone can answer, and the two naive ways of storing one row.

T (`BENCH_MODE=trivial`): validate the report, answer; nothing is stored.
N (`BENCH_MODE=async`): an `async def` endpoint with SQLModel and an AsyncSession: one row, commit, refresh.
aiosqlite or asyncpg. The goals are in terms of this one.
D (`BENCH_MODE=def`): FastAPI's tutorial form, a `def` endpoint and a Session, which does the same; psycopg on
PostgreSQL.

SQLite is in WAL with synchronous=FULL in both, as durable as the product.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic import Field as Bound
from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlmodel import Field, Session, SQLModel, create_engine


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


def made_durable(engine: Engine) -> None:
    """The engine of the tutorial, but as durable as the product's."""
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _durable(dbapi: Any, _record: Any) -> None:
            cursor = dbapi.cursor()
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=20000"):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()


def row_of(report: Report) -> NaiveIncident:
    """The row of a report."""
    now = datetime.now(UTC)
    return NaiveIncident(**report.model_dump(), received_at=now, due_at=now)


def answer_of(incident: NaiveIncident) -> dict[str, Any]:
    """What is answered once it is stored."""
    return {"id": incident.id, "status": incident.status, "ward": incident.ward}


MODE, URL = os.environ.get("BENCH_MODE"), os.environ.get("BENCH_URL", "")
TABLES = [SQLModel.metadata.tables["naive_incidents"]]

if MODE == "async":
    asynchronous = create_async_engine(
        URL.replace("sqlite:", "sqlite+aiosqlite:").replace("+psycopg", "+asyncpg")
    )
    made_durable(asynchronous.sync_engine)

    @asynccontextmanager
    async def _with_table(_: FastAPI) -> AsyncIterator[None]:
        async with asynchronous.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all, tables=TABLES)
        yield

    app = FastAPI(lifespan=_with_table)

    @app.post("/reports", status_code=201)
    async def stored(report: Report) -> dict[str, Any]:
        """One row, one commit."""
        async with AsyncSession(asynchronous) as session:
            incident = row_of(report)
            session.add(incident)
            await session.commit()
            await session.refresh(incident)
            return answer_of(incident)

elif MODE == "def":
    synchronous = create_engine(URL)
    made_durable(synchronous)
    SQLModel.metadata.create_all(synchronous, tables=TABLES)
    app = FastAPI()

    @app.post("/reports", status_code=201)
    def stored_in_a_thread(report: Report) -> dict[str, Any]:
        """One row, one commit."""
        with Session(synchronous) as session:
            incident = row_of(report)
            session.add(incident)
            session.commit()
            session.refresh(incident)
            return answer_of(incident)

else:
    app = FastAPI()

    @app.post("/reports", status_code=201)
    async def not_stored(report: Report) -> dict[str, Any]:
        """Nothing is stored."""
        return {"id": 1, "status": "new", "ward": report.ward}
