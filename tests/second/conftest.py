"""A town with a second reader that the test plays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from rapid_response.core.facts import Facts
from rapid_response.core.vocabulary import Category, Channel, Urgency
from rapid_response.intake.reading import default_reader
from rapid_response.intake.reading.port import Matter, Reading
from tests.harness import Town
from tests.second.fake_reader import FakeReader


@pytest.fixture
async def reader() -> AsyncIterator[FakeReader]:
    """The council's model, on loopback."""
    async with FakeReader() as made:
        yield made


@pytest.fixture
def second_settings() -> dict[str, Any]:
    """What is set beside the address; a test may override it."""
    return {}


class PlainReader:
    """Our own reader, which finds in every report a scam of long ago: what it knows may change, tests not."""

    def read(self, text: str, *, channel: Channel | None, received_at: datetime, zone: ZoneInfo) -> Reading:
        """The labels that the tests then hold the second reader's against."""
        found = default_reader().read(text, channel=channel, received_at=received_at, zone=zone)
        return replace(
            found,
            category=Category.SCAM,
            subtype="other_scam",
            urgency=Urgency.HISTORIC,
            matter=Matter.CRIME,
            age_targeted=False,
            age_kinds=(),
            other_vulnerability_targeted=False,
            hate_strand=None,
            money_at_risk_pence=None,
            facts=Facts(),
        )


@pytest.fixture
async def town(
    database_url: str, start: datetime, reader: FakeReader, second_settings: dict[str, Any]
) -> AsyncIterator[Town]:
    """The whole service, with its second reader switched on."""
    given = {
        "second_reader_model": "council-model",
        "second_reader_key": SecretStr("Very-Secret-9"),
        "second_reader_timeout": 5.0,
        **second_settings,
    }
    plain = PlainReader()
    async with Town(database_url, start, reader=plain, second_reader_url=reader.url, **given) as made:
        yield made
