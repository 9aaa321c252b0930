"""The line from the simulated network to our webhooks."""

from __future__ import annotations

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rapid_response.simulator.forms import ACCOUNT_SID, inbound_text
from rapid_response.simulator.line import AsgiLine
from rapid_response.webhooks.signature import Verifier, sign

BASE = "https://rr.example.org/council"
TOKEN = "made at start"


@pytest.mark.parametrize(
    "path",
    ["/webhooks/twilio/voice/offer?a=t%2B1", "/council/webhooks/twilio/voice/offer?a=t%2B1"],
)
async def test_a_documents_whole_address_leads_where_its_path_alone_does(path: str) -> None:
    """BASE_URL may have a path, which a proxy takes off; documents name it, a first request does not."""
    heard: list[str] = []

    async def hear(request: Request) -> Response:
        await Verifier(BASE, [TOKEN], ACCOUNT_SID).read(request)
        heard.append(request.url.path)
        return Response("well")

    line = AsgiLine(BASE, lambda url, form: sign(url, form, TOKEN))
    line.connect(Starlette(routes=[Route("/webhooks/{rest:path}", hear, methods=["POST"])]))
    form = inbound_text("SM1", "+447700900101", "+447700900000", "OK 4821")
    assert await line(path, form) == (200, "well")
    assert heard == ["/webhooks/twilio/voice/offer"]
    await line.aclose()


async def test_what_is_posted_before_the_app_is_loaded_waits_for_it() -> None:
    async def hear(_: Request) -> Response:
        return Response("well")

    line = AsgiLine(BASE, lambda url, form: sign(url, form, TOKEN))
    posted = asyncio.create_task(line("/webhooks/twilio/sms", {}))
    done, _ = await asyncio.wait([posted], timeout=0)
    assert not done
    app = Starlette(routes=[Route("/webhooks/{rest:path}", hear, methods=["POST"])])
    line.connect(app)
    assert await posted == (200, "well")
    await line.aclose()
    with pytest.raises(ConnectionError):
        await line("/webhooks/twilio/sms", {})
