"""A full disk: refused with the number to ring, nothing acknowledged is lost, and it goes on alone (G21)."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from rapid_response.storage.tables import ReportRow
from tests.builders import paid_today
from tests.harness import ASHA, Town
from tests.journeys.browser import Browser, on_sqlite
from tests.spine.test_database import full_disk

HOTLINE = "+442079460001"


@pytest.mark.long
@on_sqlite
async def test_g21_intake_on_a_full_disk(town: Town) -> None:
    taken: list[str] = []
    refused = 0
    with full_disk(town.app.database, room=40), capture_logs() as logs:
        for n in range(60):
            answer = await town.post(
                "/api/v1/reports", paid_today(narrative=f"He came to the door, {n}. " * 40)
            )
            if answer.status_code == 201:
                taken.append(answer.json()["reference"])
                continue
            refused += 1
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert HOTLINE in answer.json()["detail"]
            assert answer.headers["retry-after"]
        assert taken
        assert refused
        async with Browser(town) as resident:
            form = (await resident.get("/report?now=1")).form("/report")
            page = await resident.send(form, narrative="Two men are on my mother's roof. " * 100)
        assert page.status == 503
        assert "Ring us instead" in page.html
        # What was acknowledged is there, and still to be read.
        for reference in taken:
            assert (await town.incident(reference))["status"] == "dispatching"
    # IT can see why, without a word of what was sent.
    told = [entry for entry in logs if entry["event"] == "database_unavailable"]
    assert len(told) == refused + 1
    why = {key: told[0][key] for key in ("error", "reason", "code")}
    assert why == {"error": "DatabaseUnavailable", "reason": "OperationalError", "code": "SQLITE_FULL"}
    # Room again: nobody need do anything.
    more = await town.post("/api/v1/reports", paid_today())
    assert more.status_code == 201
    await town.settle()
    stored = await town.app.database.look(
        lambda c: c.execute(select(func.count()).select_from(ReportRow)).scalar_one()
    )
    assert stored == len(taken) + 1
    assert len(await town.texts_with("Reply OK", ASHA)) >= 1
    assert await town.audit() == {}
