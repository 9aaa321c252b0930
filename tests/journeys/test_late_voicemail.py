"""What Twilio tells us of a message on the hotline: twice, at once, late, or only half of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime

from rapid_response.storage.tables import ReportRow
from tests.gateways.fake_twilio import NUMBER
from tests.journeys.twilio_town import CALLS, TwilioTown, twilio_town

CALLER = "+447700900777"
SAID = "There is a man at my door now and he will not leave until I pay him."


async def told(town: TwilioTown, path: str, letter: str, **more: str) -> None:
    """Twilio tells us of one of the caller's calls."""
    call: Mapping[str, str] = {
        "CallSid": "CA" + letter * 32,
        "From": CALLER,
        "To": NUMBER,
        "AccountSid": town.double.account_sid,
        "Direction": "inbound",
        "ApiVersion": "2010-04-01",
    }
    answer = await town.double.post(f"{town.base}{CALLS}{path}", {**call, **more})
    assert answer.status_code in (200, 204)


async def reported(town: TwilioTown) -> dict[str, str]:
    """What was said, by the case that it first became."""
    return {row.first_incident_id: row.narrative for row in await town.rows(ReportRow)}


async def test_one_message_told_several_times_at_once_is_one_report(
    database_url: str, start: datetime
) -> None:
    async with twilio_town(database_url, start) as town:
        await told(town, "", "1", CallStatus="ringing")
        left = {"CallStatus": "completed", "RecordingSid": "RE" + "1" * 32}
        words = {**left, "TranscriptionStatus": "completed", "TranscriptionText": SAID}
        await asyncio.gather(
            *(told(town, "/voicemail", "1", **left) for _ in range(5)),
            *(told(town, "/transcription", "1", **words) for _ in range(5)),
        )
        await town.settle()
        assert list((await reported(town)).values()) == [SAID]
