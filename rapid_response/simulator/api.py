"""The simulator over HTTP: what the phones got, and what their owners do (contract.md 4)."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote_plus

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from rapid_response.simulator.forms import ANONYMOUS
from rapid_response.simulator.network import NoSuchCall, SimulatedNetwork

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
#: What a webhook may carry (delivery.md 13), less the form's other fields.
_MOST_FORM_BYTES = 60_000


def phone_number(value: object) -> object:
    """The number in E.164, however people write it; ValueError says how to write it."""
    if not isinstance(value, str):
        return value
    # `?to=+44…` reaches us as a space: plus means space in a query.
    digits = re.sub(r"[\s().-]", "", "+" + value.lstrip() if value.startswith(" ") else value)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    elif digits.startswith("0"):
        digits = "+44" + digits[1:]
    elif digits[:1].isdigit():
        digits = "+" + digits
    if not _E164.fullmatch(digits):
        raise ValueError("Write a phone number with its country code, such as +447700900101.")
    return digits


def _caller(value: object) -> object:
    return value if value == ANONYMOUS else phone_number(value)


def _storable(value: str) -> str:
    if "\0" in value:
        raise ValueError("Leave out the NUL character: it cannot be sent.")
    if len(quote_plus(value)) > _MOST_FORM_BYTES:
        raise ValueError("Make it shorter: it is more than one call or text can carry.")
    return value


Phone = Annotated[str, BeforeValidator(phone_number), Field(max_length=32)]
Caller = Annotated[str, BeforeValidator(_caller), Field(max_length=32)]
Words = Annotated[str, AfterValidator(_storable)]
Keys = Annotated[str, Field(pattern=r"^[0-9*#]{0,20}$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReplyIn(_Body):
    """A phone texts the service."""

    from_: Phone = Field(alias="from")
    body: Annotated[Words, Field(max_length=1600)]


class CallIn(_Body):
    """A phone rings the hotline; `from` may be `anonymous`."""

    from_: Caller = Field(alias="from")
    transcript: Annotated[Words, Field(max_length=20_000)]
    digits: Keys = ""
    hang_up_after: Literal["answer", "menu", "voicemail"] | None = None


class AnswerIn(_Body):
    """Someone answers and presses keys, or a machine answers, or she hangs up."""

    to: Phone
    digits: Keys = ""
    voicemail: bool = False
    hang_up: bool = False


class FaultsIn(_Body):
    """What is to fail from now on; without a number, everywhere. What is left out stays as it is."""

    number: Phone | None = None
    phone_off: bool | None = None
    no_receipts: bool | None = None
    outage: bool | None = None

    @model_validator(mode="after")
    def _outage_is_everywhere(self) -> Self:
        if self.outage is not None and self.number is not None:
            raise ValueError("An outage is of the whole network: leave out the number.")
        return self


router = APIRouter(prefix="/simulator", include_in_schema=False)


async def _network(request: Request) -> SimulatedNetwork:
    network: SimulatedNetwork = request.app.state.simulated
    return network


#: Whoever can ring the hotline can ring this network: nobody is asked who they are.
Network = Annotated[SimulatedNetwork, Depends(_network)]


@router.get("/messages")
async def messages(network: Network, to: Annotated[Phone | None, Query()] = None) -> list[dict[str, str]]:
    """Texts to a phone, or to all."""
    return await network.messages(to)


@router.get("/calls")
async def calls(network: Network, number: Annotated[Phone | None, Query()] = None) -> list[dict[str, Any]]:
    """Calls to and from a phone, or all."""
    return await network.calls(number)


@router.post("/reply", status_code=201)
async def reply(network: Network, sent: ReplyIn) -> dict[str, str]:
    """A phone texts us."""
    return {"id": await network.reply(sent.from_, sent.body)}


@router.post("/call", status_code=201)
async def call(network: Network, made: CallIn) -> dict[str, str]:
    """A phone rings the hotline."""
    sid = await network.call_hotline(
        made.from_, made.transcript, keys=made.digits, hang_up_after=made.hang_up_after
    )
    return {"id": sid}


@router.post("/answer-call")
async def answer_call(network: Network, answered: AnswerIn) -> dict[str, Any]:
    """A phone that we ring is answered, or hung up."""
    try:
        if answered.hang_up:
            sid = await network.hang_up(answered.to)
        else:
            sid = await network.answer_call(answered.to, answered.digits, voicemail=answered.voicemail)
    except NoSuchCall as error:
        raise HTTPException(404, "No call to that number rings or is under way.") from error
    return next(call for call in await network.calls(answered.to) if call["id"] == sid)


@router.get("/faults")
async def faults(network: Network) -> dict[str, dict[str, bool]]:
    """What is failing."""
    return await network.faults()


@router.post("/faults")
async def set_faults(network: Network, wanted: FaultsIn) -> dict[str, dict[str, bool]]:
    """Something fails from now on, or works again."""
    await network.set_faults(
        wanted.number,
        phone_off=wanted.phone_off,
        no_receipts=wanted.no_receipts,
        outage=wanted.outage,
    )
    return await network.faults()
