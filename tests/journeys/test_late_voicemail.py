"""What Twilio tells us of a message on the hotline: twice, at once, late, or only half of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta

import pytest

from rapid_response.storage.tables import CallRow, IncidentRow, ReportRow
from tests.databases import TestDatabases
from tests.gateways.fake_twilio import NUMBER
from tests.journeys.twilio_town import CALLS, TwilioTown, twilio_town

CALLER = "+447700900777"
SAID = "There is a man at my door now and he will not leave until I pay him."


@pytest.fixture
async def town(databases: TestDatabases, start: datetime) -> AsyncIterator[TwilioTown]:
    async with twilio_town(databases.fresh("sqlite"), start) as made:
        yield made


async def told(town: TwilioTown, path: str, letter: str, **more: str) -> None:
    """Twilio tells us of one of the caller's calls, or of another's (`From`)."""
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


async def rings_and_is_over(town: TwilioTown, letter: str) -> None:
    """All that we hear of a call is that it began and ended."""
    await told(town, "", letter, CallStatus="ringing")
    await told(town, "/status", letter, CallStatus="completed")
    await town.pass_time(seconds=30)


async def words_come(town: TwilioTown, letter: str, text: str) -> None:
    """The words of the message, or that Twilio found none."""
    await told(
        town,
        "/transcription",
        letter,
        TranscriptionSid="TR" + letter * 32,
        RecordingSid="RE" + letter * 32,
        TranscriptionStatus="completed" if text else "failed",
        TranscriptionText=text,
    )
    await town.settle()


async def reported(town: TwilioTown) -> dict[str, str]:
    """What was said, by the case that it first became."""
    return {row.first_incident_id: row.narrative for row in await town.rows(ReportRow)}


async def test_its_words_are_a_report_though_its_caller_has_reported_again_since(town: TwilioTown) -> None:
    await rings_and_is_over(town, "1")
    await town.reports(narrative="A roofer wants cash from my mother.", caller={"phone": CALLER})
    (call,) = [row for row in await town.rows(CallRow) if row.inbound]
    assert call.incident_id is not None  # the call that seemed to have no message is of this case

    await words_come(town, "1", SAID)
    assert sorted((await reported(town)).values()) == ["A roofer wants cash from my mother.", SAID]
    (call,) = [row for row in await town.rows(CallRow) if row.inbound]
    assert (await reported(town))[call.incident_id or ""] == SAID
    assert (call.outcome, call.recording_sid) == ("voicemail", "RE" + "1" * 32)
    urgent = [row for row in await town.rows(IncidentRow) if row.id == call.incident_id]
    assert [row.priority for row in urgent] == ["P0"]


@pytest.mark.parametrize(
    ("first", "narrative"), [("/voicemail", "A voicemail was left"), ("/transcription", SAID)]
)
async def test_a_message_of_a_call_that_we_do_not_know_is_a_report_all_the_same(
    town: TwilioTown, first: str, narrative: str
) -> None:
    """Its row went with the hours that a restore cannot bring back, or we hear of its beginning last."""
    left = {"CallStatus": "completed", "RecordingSid": "RE" + "1" * 32}
    await told(town, first, "1", TranscriptionText=SAID, **left)
    await told(town, "", "1", CallStatus="ringing")
    await told(town, "/status", "1", CallStatus="completed")
    await town.pass_time(minutes=15)
    (kept,) = (await reported(town)).values()
    assert narrative in kept
    (call,) = [row for row in await town.rows(CallRow) if row.inbound]
    assert (call.from_number, call.outcome, call.needs_person) == (CALLER, "voicemail", False)
    assert await contacts(town) == {"voicemail": 1}


async def test_two_messages_of_one_caller_each_keep_their_own_words(town: TwilioTown) -> None:
    await rings_and_is_over(town, "1")
    await told(town, "", "2", CallStatus="ringing")
    await told(town, "/voicemail", "2", CallStatus="completed", RecordingSid="RE" + "2" * 32)
    await words_come(town, "1", SAID)
    await words_come(town, "2", "It is me again, he has gone to the bank with her.")
    assert sorted((await reported(town)).values()) == [
        "It is me again, he has gone to the bank with her.",
        SAID,
    ]


async def contacts(town: TwilioTown) -> dict[str, int]:
    """The month's contacts by channel, as the board has them; what became of each adds up."""
    month = town.clock.now().strftime("%Y-%m")
    board = (await town.http.get("/api/v1/reports/board", params={"month": month})).json()
    became = dict(board["reconciliation"])
    assert became.pop("contacts") == sum(became.values()) == board["contacts"]["total"]
    return {channel: number for channel, number in board["contacts"]["by_channel"].items() if number}


async def counted(town: TwilioTown) -> float:
    """The contacts that the metrics have counted, of all channels."""
    await town.app.worker.sweep()
    lines = (await town.http.get("/metrics")).text.splitlines()
    return sum(
        float(line.rpartition(" ")[2]) for line in lines if line.startswith("rapid_response_contacts_total{")
    )


@pytest.mark.parametrize("number", [CALLER, "anonymous"])
@pytest.mark.parametrize("heard_of_after", [30, 7200])
@pytest.mark.parametrize("first", ["/voicemail", "/transcription"])
async def test_a_call_whose_message_is_heard_of_late_is_one_contact_since_it_rang(
    town: TwilioTown, number: str, heard_of_after: int, first: str
) -> None:
    rang_at = town.clock.now()
    await told(town, "", "1", CallStatus="ringing", From=number)
    await told(town, "/status", "1", CallStatus="completed")
    await town.pass_time(seconds=30)
    assert (await contacts(town), await counted(town)) == ({"phone": 1}, 1)

    town.clock.advance(timedelta(seconds=heard_of_after))
    left = {"CallStatus": "completed", "RecordingSid": "RE" + "1" * 32}
    await told(town, first, "1", TranscriptionText=SAID, **left)
    await words_come(town, "1", SAID)
    assert (await contacts(town), await counted(town)) == ({"voicemail": 1}, 1)
    (call,) = [row for row in await town.rows(CallRow) if row.inbound]
    assert (call.outcome, call.needs_person) == ("voicemail", False)  # nobody has to ring back
    (incident,) = await town.rows(IncidentRow)
    assert incident.received_at == rang_at


async def test_a_message_heard_of_late_is_not_also_the_first_contact_of_another_case(
    town: TwilioTown,
) -> None:
    await rings_and_is_over(town, "1")
    await town.reports(narrative="A roofer wants cash from my mother.", caller={"phone": CALLER})
    assert (await contacts(town), await counted(town)) == ({"phone": 2}, 2)
    await words_come(town, "1", SAID)
    assert (await contacts(town), await counted(town)) == ({"phone": 1, "voicemail": 1}, 2)


@pytest.mark.parametrize("pressed", ["", "1"])
async def test_a_message_that_twilio_could_not_read_is_a_report_all_the_same(
    town: TwilioTown, pressed: str
) -> None:
    await told(town, "", "1", CallStatus="ringing")
    if pressed:
        await told(town, "/keys", "1", Digits=pressed)
    await words_come(town, "1", "")
    (narrative,) = (await reported(town)).values()
    assert "A voicemail was left" in narrative
    (call,) = [row for row in await town.rows(CallRow) if row.inbound]
    # What was never read stays at Twilio, where it can be heard.
    assert (call.outcome, call.recording_sid, call.words_at) == ("voicemail", "RE" + "1" * 32, None)


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
