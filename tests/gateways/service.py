"""A tiny stand-in for our webhooks: checks signatures, writes down what it is told, answers as bidden."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rapid_response.simulator.forms import ACCOUNT_SID
from rapid_response.simulator.line import AsgiLine
from rapid_response.webhooks import twiml
from rapid_response.webhooks.signature import Form, Verifier, WebhookRefused, sign

BASE_URL = "https://rr.example.org"
TOKEN = "a token made at start"
VOICE = "/webhooks/twilio/voice"
SMS = "/webhooks/twilio/sms"


@dataclass(frozen=True, slots=True)
class Told:
    """One webhook that passed its check."""

    path: str
    form: Form

    @property
    def status(self) -> str:
        """The status it tells of."""
        return self.form.get("MessageStatus") or self.form.get("CallStatus") or ""


@dataclass
class Service:
    """Our side of the line, as far as the network can see it."""

    heard: list[Told] = field(default_factory=list)
    refused: int = 0
    #: What to answer next: a status, or an exception to fall over with; then 200 again.
    troubles: deque[int | BaseException] = field(default_factory=deque)
    #: What to say on a path (without its query), given the form.
    says: dict[str, Callable[[Form], str]] = field(default_factory=dict)
    #: Whose webhooks it believes.
    account_sid: str = ACCOUNT_SID
    token: str = TOKEN

    def __post_init__(self) -> None:
        self._verifier = Verifier(BASE_URL, [self.token], self.account_sid)
        self.app = Starlette(routes=[Route("/webhooks/{rest:path}", self._hear, methods=["POST"])])

    def line(self) -> AsgiLine:
        """A line to this service, as a node makes one at start."""
        line = AsgiLine(BASE_URL, lambda url, form: sign(url, form, TOKEN))
        line.connect(self.app)
        return line

    def about(self, path: str) -> list[Told]:
        """What was told on a path (without its query)."""
        return [told for told in self.heard if told.path.partition("?")[0] == path]

    def statuses(self, path: str) -> list[str]:
        """The statuses told on a path, in their order."""
        return [told.status for told in self.about(path)]

    async def _hear(self, request: Request) -> Response:
        try:
            form = await self._verifier.read(request)
        except WebhookRefused as error:
            self.refused += 1
            return Response(status_code=error.status)
        if self.troubles:
            trouble = self.troubles.popleft()
            if isinstance(trouble, BaseException):
                raise trouble
            return Response(status_code=trouble)
        path = request.url.path
        query = f"?{request.url.query}" if request.url.query else ""
        self.heard.append(Told(path + query, form))
        says = self.says.get(path)
        return Response(says(form) if says else twiml.nothing(), media_type=twiml.MEDIA_TYPE)
