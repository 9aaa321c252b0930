"""What /metrics says when it cannot say all, and while the service is closed."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

from prometheus_client.parser import text_string_to_metric_families

from rapid_response.storage.failures import DatabaseUnavailable
from tests.builders import small_town
from tests.harness import Town
from tests.journeys.browser import on_sqlite

WEEKDAYS = {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}


@on_sqlite
async def test_with_the_database_gone_a_node_gives_its_own_figures_and_no_other(town: Town) -> None:
    """A figure that is not known is left out, on which an alert fires; a 0 would be believed."""

    async def gone(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("it does not answer")

    with patch.object(town.app.database, "look", gone):
        answer = await town.http.get("/metrics")
    assert answer.status_code == 200
    shown = {family.name for family in text_string_to_metric_families(answer.text)}
    assert shown == {"rapid_response_disk_free_ratio", "rapid_response_disk_free_bytes"}


async def test_whether_the_service_is_open_stands_beside_who_is_on_duty(town: Town) -> None:
    """Nobody on duty is a fault only while a report would start its clock at once."""
    assert await town.metric("coverage_open") == 1
    await town.load(small_town(sla={"coverage": WEEKDAYS}))
    assert await town.metric("coverage_open") == 1  # noon on a Wednesday
    town.clock.advance(timedelta(hours=5))
    assert await town.metric("coverage_open") == 0
