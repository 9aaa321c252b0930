"""Calls through the simulated network: a responder's phone that rings, and a resident who rings us."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from rapid_response.core.clock import ManualClock
from rapid_response.simulator.calls import LONGEST_SILENCE
from rapid_response.simulator.network import HangUpAfter, NoSuchCall, SimulatedNetwork
from rapid_response.webhooks import twiml
from rapid_response.webhooks.signature import Form
from tests.gateways.conftest import HOTLINE, NewNode
from tests.gateways.service import VOICE, Service

ASHA = "+447700900101"
RESIDENT = "+447700900555"
OFFER = f"{VOICE}/offer"
STATUS = f"{VOICE}/status"
VOICEMAIL = f"{VOICE}/voicemail"
TRANSCRIPTION = f"{VOICE}/transcription"
STORY = "There is a man at the door, he says the roof is loose & wants £900"


@pytest.fixture(autouse=True)
def _conversation(service: Service) -> None:
    """What a service such as ours says."""

    def offer(form: Form) -> str:
        match form.get("Digits"):
            case None:
                return twiml.ask_for_key(
                    ["This is duty dispatch.", "Press 1 to hear the job"], keys_to=f"{OFFER}?a=t&s=2"
                )
            case "1":
                return twiml.ask_for_key(["1 accept, 2 decline"], keys_to="offer?a=t&s=3")
            case _:
                return twiml.say_and_hang_up(["Thank you"])

    service.says[OFFER] = offer
    service.says[VOICE] = lambda form: (
        twiml.leave_message(["Speak now"], message_to=VOICEMAIL, transcription_to=TRANSCRIPTION)
        if form.get("Digits")
        else twiml.hotline_greeting(
            ["Press 1 if a trader is there now"],
            keys_to=f"{VOICE}?menu=1",
            before_tone=["Leave a message"],
            message_to="https://rr.example.org/webhooks/twilio/voice/voicemail?x=1#rc=3",
            transcription_to=TRANSCRIPTION,
        )
    )
    service.says[VOICEMAIL] = lambda _: twiml.say_and_hang_up(["Thank you"])


async def _status(network: SimulatedNetwork) -> str:
    return str((await network.calls())[-1]["status"])


async def test_a_phone_rings_until_it_stops(
    network: SimulatedNetwork, service: Service, clock: ManualClock
) -> None:
    sid = await network.place_call("t", ASHA, timedelta(seconds=25))
    await network.settle()

    assert service.statuses(STATUS) == ["initiated", "ringing"]
    assert await _status(network) == "ringing"
    (thread,) = await network.threads()
    assert thread.live_call is not None
    assert thread.live_call.ringing

    clock.advance(timedelta(seconds=24))
    assert await network.pump() == 0
    clock.advance(timedelta(seconds=1))
    await network.pump()

    assert service.statuses(STATUS) == ["initiated", "ringing", "no-answer"]
    assert [t.form["CallSid"] for t in service.heard] == [sid] * 3
    assert [t.form["SequenceNumber"] for t in service.heard] == ["0", "1", "2"]
    assert all(t.path == f"{STATUS}?a=t" for t in service.heard)
    with pytest.raises(NoSuchCall):
        await network.answer_call(ASHA, "1")


async def test_a_person_answers_and_presses_keys(
    network: SimulatedNetwork, new_node: NewNode, service: Service, clock: ManualClock
) -> None:
    await network.place_call("t", ASHA)
    await network.settle()

    await network.answer_call(ASHA)

    (asked,) = service.about(OFFER)
    assert asked.path == f"{OFFER}?a=t"
    assert (asked.form["CallStatus"], asked.form["To"]) == ("in-progress", ASHA)
    (call,) = await network.calls(ASHA)
    assert call["prompt"] == "This is duty dispatch.\nPress 1 to hear the job"

    await new_node().answer_call(ASHA, "12")

    assert [t.form.get("Digits") for t in service.about(OFFER)] == [None, "1", "2"]
    assert [t.path for t in service.about(OFFER)][1:] == [f"{OFFER}?a=t&s=2", f"{OFFER}?a=t&s=3"]
    assert service.statuses(STATUS) == ["initiated", "ringing", "in-progress", "completed"]
    (call,) = await network.calls(ASHA)
    assert (call["status"], call["digits"], call["prompt"]) == ("completed", "12", "Thank you")
    clock.advance(timedelta(hours=1))
    assert await network.pump() == 0


async def test_answering_and_pressing_can_be_one_act(network: SimulatedNetwork, service: Service) -> None:
    await network.place_call("t", ASHA)

    await network.answer_call(ASHA, "12")

    assert [t.form.get("Digits") for t in service.about(OFFER)] == [None, "1", "2"]
    assert service.statuses(STATUS) == ["initiated", "ringing", "in-progress", "completed"]


async def test_whoever_answers_first_has_the_call(
    new_node: NewNode, service: Service, clock: ManualClock
) -> None:
    nodes = [new_node() for _ in range(3)]
    await nodes[0].place_call("t", ASHA)
    clock.advance(timedelta(seconds=25))  # it is about to stop ringing

    await asyncio.gather(
        *(node.answer_call(ASHA, "12") for node in nodes),
        *(node.pump() for node in nodes),
        return_exceptions=True,
    )
    clock.advance(timedelta(hours=1))
    while sum(await asyncio.gather(*(node.pump() for node in nodes))):
        pass

    statuses = service.statuses(STATUS)
    assert statuses[:2] == ["initiated", "ringing"]
    assert len(statuses) == len(set(statuses))
    if "no-answer" in statuses:
        assert service.about(OFFER) == []
    else:
        assert sorted(statuses[2:]) == ["completed", "in-progress"]
        assert [t.form.get("Digits") for t in service.about(OFFER)][:1] == [None]


async def test_a_machine_answers_and_presses_nothing(network: SimulatedNetwork, service: Service) -> None:
    await network.place_call("t", ASHA)

    await network.answer_call(ASHA, voicemail=True)

    assert [t.form.get("Digits") for t in service.about(OFFER)] == [None]
    assert service.statuses(STATUS)[-1] == "completed"


async def test_whoever_presses_nothing_hangs_up_at_last(
    network: SimulatedNetwork, service: Service, clock: ManualClock
) -> None:
    await network.place_call("t", ASHA)
    await network.answer_call(ASHA)
    clock.advance(LONGEST_SILENCE - timedelta(seconds=1))
    await network.answer_call(ASHA, "1")
    clock.advance(LONGEST_SILENCE - timedelta(seconds=1))
    assert await network.pump() == 0

    clock.advance(timedelta(seconds=1))
    await network.pump()

    assert service.statuses(STATUS) == ["initiated", "ringing", "in-progress", "completed"]
    assert await _status(network) == "completed"


@pytest.mark.parametrize(("answered", "said"), [(False, "busy"), (True, "completed")])
async def test_a_person_hangs_up(
    network: SimulatedNetwork, service: Service, clock: ManualClock, answered: bool, said: str
) -> None:
    await network.place_call("t", ASHA)
    if answered:
        await network.answer_call(ASHA)
    await network.hang_up(ASHA)
    clock.advance(timedelta(hours=1))
    await network.pump()

    assert service.statuses(STATUS)[-1] == said
    assert service.statuses(STATUS).count(said) == 1
    with pytest.raises(NoSuchCall):
        await network.hang_up(ASHA)


async def test_a_phone_that_is_off_does_not_ring(network: SimulatedNetwork, service: Service) -> None:
    await network.set_faults(ASHA, phone_off=True)
    await network.place_call("t", ASHA)
    await network.settle()

    assert service.statuses(STATUS) == ["initiated", "no-answer"]


async def test_a_service_that_fails_ends_the_call(
    network: SimulatedNetwork, service: Service, clock: ManualClock
) -> None:
    await network.place_call("t", ASHA)
    await network.settle()
    service.says[OFFER] = lambda _: "this is no TwiML <"

    await network.answer_call(ASHA, "1")

    assert service.statuses(STATUS)[-1] == "completed"
    (call,) = await network.calls()
    assert call["prompt"] == "An application error has occurred."


async def test_a_menu_that_goes_round_and_round_is_left(network: SimulatedNetwork, service: Service) -> None:
    service.says[VOICE] = lambda _: twiml.say_and_ask_again(["Please hold"], at=VOICE)

    await network.call_hotline(RESIDENT, STORY)

    assert 5 < len(service.about(VOICE)) < 50
    assert service.statuses(STATUS) == ["completed"]


async def test_a_resident_leaves_a_voicemail(network: SimulatedNetwork, service: Service) -> None:
    sid = await network.call_hotline(RESIDENT, STORY)

    rang, left, read, over = service.heard
    assert rang.path == VOICE
    assert rang.form["CallStatus"] == "ringing"
    assert (rang.form["From"], rang.form["To"]) == (RESIDENT, HOTLINE)
    assert left.path == f"{VOICEMAIL}?x=1"
    assert left.form["RecordingSid"].startswith("RE")
    assert left.form["RecordingUrl"].endswith(left.form["RecordingSid"])
    assert 1 <= int(left.form["RecordingDuration"]) <= 110
    assert read.path == TRANSCRIPTION
    assert read.form["TranscriptionText"] == STORY
    assert read.form["TranscriptionStatus"] == "completed"
    assert read.form["RecordingSid"] == left.form["RecordingSid"]
    assert (over.path, over.status) == (STATUS, "completed")
    assert {told.form["CallSid"] for told in service.heard} == {sid}
    assert await network.settle() == 0


async def test_a_resident_may_press_a_key_first(network: SimulatedNetwork, service: Service) -> None:
    await network.call_hotline(RESIDENT, STORY, keys="1")

    assert [t.path for t in service.heard] == [
        VOICE,
        f"{VOICE}?menu=1",
        VOICEMAIL,
        TRANSCRIPTION,
        STATUS,
    ]
    assert service.heard[1].form["Digits"] == "1"
    assert service.heard[1].form["CallStatus"] == "in-progress"


@pytest.mark.parametrize(
    ("after", "paths"),
    [
        ("answer", [VOICE, STATUS]),
        ("menu", [VOICE, STATUS]),
        ("voicemail", [VOICE, f"{VOICEMAIL}?x=1", TRANSCRIPTION, STATUS]),
    ],
)
async def test_a_resident_hangs_up_early(
    network: SimulatedNetwork, service: Service, after: HangUpAfter, paths: list[str]
) -> None:
    await network.call_hotline(RESIDENT, STORY, hang_up_after=after)

    assert [t.path for t in service.heard] == paths
    for told in service.about(TRANSCRIPTION):
        assert (told.form["TranscriptionStatus"], told.form["TranscriptionText"]) == ("failed", "")


async def test_a_call_goes_on_where_a_crash_stopped_it(
    network: SimulatedNetwork, new_node: NewNode, service: Service, clock: ManualClock
) -> None:
    service.troubles.append(asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await network.call_hotline(RESIDENT, STORY)

    clock.advance(timedelta(seconds=30))
    await new_node().pump()

    assert [t.path for t in service.heard] == [VOICE, f"{VOICEMAIL}?x=1", TRANSCRIPTION, STATUS]


async def test_a_message_that_could_not_be_told_keeps_its_order(
    network: SimulatedNetwork, service: Service, clock: ManualClock
) -> None:
    first = service.says[VOICE]

    def then_fail(form: Form) -> str:
        service.troubles.append(503)
        return first(form)

    service.says[VOICE] = then_fail
    await network.call_hotline(RESIDENT, STORY)
    assert [t.path for t in service.heard] == [VOICE]

    clock.advance(timedelta(seconds=1))
    await network.pump()

    assert [t.path for t in service.heard] == [VOICE, f"{VOICEMAIL}?x=1", TRANSCRIPTION, STATUS]
