"""The simulator's calls over HTTP, as the contract has them, and bad input to each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import JSONResponse, Response

from rapid_response.simulator.api import router
from rapid_response.simulator.network import SimulatedNetwork
from rapid_response.webhooks import twiml
from tests.gateways.conftest import HOTLINE
from tests.gateways.service import SMS, VOICE, Service

ASHA = "+447700900101"
#: What is refused before anything is stored needs no second database.
on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def _only_422(_request: Request, _error: Exception) -> Response:
    return JSONResponse({}, status_code=422)


@pytest.fixture
async def client(network: SimulatedNetwork) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(exception_handlers={RequestValidationError: _only_422})
    app.state.simulated = network
    app.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        yield client


async def test_what_was_sent_is_listed(client: httpx.AsyncClient, network: SimulatedNetwork) -> None:
    sid = await network.accept_text("t", ASHA, "TS duty: job 4821")

    # As people type it, plus sign and all: in a query that is a space.
    for query in ("to=+447700900101", "to=%2B447700900101", "to=07700 900101", "to=447700900101", ""):
        (message,) = (await client.get(f"/simulator/messages?{query}")).json()
        assert (message["id"], message["to"], message["status"]) == (sid, ASHA, "queued")
        assert sorted(message) == ["at", "body", "id", "status", "to"]
    assert (await client.get("/simulator/messages?to=+447700900102")).json() == []


async def test_a_phone_answers(client: httpx.AsyncClient, service: Service) -> None:
    answer = await client.post("/simulator/reply", json={"from": "07700 900101", "body": "OK 4821"})

    assert answer.status_code == 201
    (told,) = service.about(SMS)
    assert told.form["MessageSid"] == answer.json()["id"]
    assert (told.form["From"], told.form["Body"]) == (ASHA, "OK 4821")


@pytest.mark.parametrize("caller", [ASHA, "anonymous"])
async def test_a_phone_rings_the_hotline(client: httpx.AsyncClient, service: Service, caller: str) -> None:
    service.says[VOICE] = lambda _: twiml.leave_message(
        ["Speak"], message_to=f"{VOICE}/voicemail", transcription_to=f"{VOICE}/transcription"
    )
    answer = await client.post("/simulator/call", json={"from": caller, "transcript": "help " * 300})

    assert answer.status_code == 201
    (read,) = service.about(f"{VOICE}/transcription")
    assert read.form["CallSid"] == answer.json()["id"]
    assert (read.form["From"], read.form["To"]) == (caller, HOTLINE)
    (call,) = (await client.get("/simulator/calls")).json()
    assert (call["direction"], call["from"], call["status"]) == ("inbound", caller, "completed")


async def test_a_phone_is_answered(
    client: httpx.AsyncClient, network: SimulatedNetwork, service: Service
) -> None:
    service.says[f"{VOICE}/offer"] = lambda form: (
        twiml.say_and_hang_up(["Thank you"])
        if form.get("Digits")
        else twiml.ask_for_key(["Press 1"], keys_to=f"{VOICE}/offer?a=t")
    )
    assert (await client.post("/simulator/answer-call", json={"to": ASHA})).status_code == 404

    await network.place_call("t", ASHA)
    heard = (await client.post("/simulator/answer-call", json={"to": ASHA})).json()
    assert (heard["status"], heard["prompt"]) == ("in-progress", "Press 1")
    heard = (await client.post("/simulator/answer-call", json={"to": ASHA, "digits": "1"})).json()
    assert (heard["status"], heard["prompt"], heard["digits"]) == ("completed", "Thank you", "1")

    await network.place_call("t", ASHA)
    heard = (await client.post("/simulator/answer-call", json={"to": ASHA, "voicemail": True})).json()
    assert (heard["status"], heard["digits"]) == ("completed", "")

    await network.place_call("t", ASHA)
    heard = (await client.post("/simulator/answer-call", json={"to": ASHA, "hang_up": True})).json()
    assert heard["status"] == "busy"


async def test_pressing_for_ever_breaks_nothing(
    client: httpx.AsyncClient, network: SimulatedNetwork, service: Service
) -> None:
    service.says[f"{VOICE}/offer"] = lambda _: twiml.ask_for_key(["?"], keys_to=f"{VOICE}/offer?a=t")
    await network.place_call("t", ASHA)
    for _ in range(4):
        answer = await client.post(
            "/simulator/answer-call", json={"to": ASHA, "digits": "12345678901234567890"}
        )
        assert answer.status_code in (200, 404)
    assert (await network.calls())[-1]["status"] == "completed"


async def test_faults_are_set_and_listed(client: httpx.AsyncClient) -> None:
    await client.post("/simulator/faults", json={"number": ASHA, "phone_off": True})
    answer = await client.post("/simulator/faults", json={"outage": True})

    assert answer.json() == (await client.get("/simulator/faults")).json()
    assert answer.json() == {
        "*": {"phone_off": False, "no_receipts": False, "outage": True},
        ASHA: {"phone_off": True, "no_receipts": False, "outage": False},
    }


@on_one_database
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("reply", {}),
        ("reply", {"from": ASHA}),
        ("reply", {"from": "Asha", "body": "OK"}),
        ("reply", {"from": 447700900101, "body": "OK"}),
        ("reply", {"from": None, "body": "OK"}),
        ("reply", {"from": "+4477009001\x00", "body": "OK"}),
        ("reply", {"from": "+٤٤٧٧٠٠٩٠٠١٠١", "body": "OK"}),
        ("reply", {"from": "1" * 100, "body": "OK"}),
        ("reply", {"from": "anonymous", "body": "OK"}),
        ("reply", {"from": ASHA, "body": "a\x00b"}),
        ("reply", {"from": ASHA, "body": "a" * 1601}),
        ("reply", {"from": ASHA, "body": ["OK"]}),
        ("reply", {"from": ASHA, "body": "OK", "to": HOTLINE}),
        ("call", {"from": ASHA}),
        ("call", {"from": ASHA, "transcript": "a" * 20_001}),
        ("call", {"from": ASHA, "transcript": "😀" * 6_000}),
        ("call", {"from": ASHA, "transcript": "\x00"}),
        ("call", {"from": ASHA, "transcript": "x", "hang_up_after": "never"}),
        ("answer-call", {"digits": "1"}),
        ("answer-call", {"to": ASHA, "digits": "one"}),
        ("answer-call", {"to": ASHA, "digits": "\u0661"}),
        ("answer-call", {"to": ASHA, "digits": "1\n"}),
        ("answer-call", {"to": ASHA, "digits": "1" * 21}),
        ("faults", {"number": ASHA, "outage": True}),
        ("faults", {"phone_off": "perhaps"}),
        ("faults", []),
    ],
)
async def test_bad_bodies_are_refused(client: httpx.AsyncClient, path: str, body: Any) -> None:
    assert (await client.post(f"/simulator/{path}", json=body)).status_code == 422


@on_one_database
@pytest.mark.parametrize(
    "body",
    [b'{"from": "+447700900101", "body": "\\ud800"}', b"{", b"\xff", b'{"from": "\\ud800", "body": ""}'],
)
async def test_bodies_that_are_no_text_are_refused(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/simulator/reply", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)


@on_one_database
@pytest.mark.parametrize("to", ["abc", "%00", "+44%007700900101", "+", "%ff"])
async def test_bad_numbers_are_refused(client: httpx.AsyncClient, to: str) -> None:
    assert (await client.get(f"/simulator/messages?to={to}")).status_code == 422
