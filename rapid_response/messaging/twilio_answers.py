"""What Twilio's answers mean to us: one of the port's three outcomes, whatever shape they come in.

Failures reach us in four families: the client's exception with a code, its other one for problem+json, a
bare one for list pages, and the transport's own; a broken answer raises whatever its parser raises. Only a
4xx is a refusal. A 5xx, a redirect or a broken 2xx may stand before a text that went out.
"""

from __future__ import annotations

import re
from typing import Any

from rapid_response.messaging import rules
from rapid_response.messaging.connections import NotSent, Unanswered
from rapid_response.messaging.gateway import Accepted, Ambiguous, CannotAsk, Rejected, SendOutcome
from rapid_response.messaging.rules import AttemptState
from rapid_response.messaging.twilio_transport import Exchange

#: Ids as published are longer by no character; a shorter one is a test double's.
SID = re.compile(r"[A-Z]{2}[0-9A-Za-z]{1,32}")
_TOO_MANY, _GAVE_UP_WAITING, _NOT_FOUND = 429, 408, 404
_FORBIDDEN = (401, 403, 407)
#: Twilio's codes have five digits. The client puts the HTTP status in the place of a code that is missing.
_SMALLEST_CODE = 10_000


def taken(created: Any, exchange: Exchange) -> SendOutcome:
    """A 2xx: taken, unless it says in the same breath that it failed, or says nothing that can be kept."""
    sid, status = getattr(created, "sid", None), getattr(created, "status", None)
    if not isinstance(sid, str) or SID.fullmatch(sid) is None:
        return Ambiguous(f"http {exchange.status} without an id")
    if not isinstance(status, str):
        return Accepted(sid)
    if rules.word(status) is AttemptState.UNDELIVERED:
        code = code_of(getattr(created, "error_code", None))
        return Rejected(rules.error_class(code), code, http_status=exchange.status)
    return Accepted(sid, status)


def refused(error: Exception, exchange: Exchange) -> SendOutcome:
    """An exception on the way to an answer."""
    if isinstance(error, NotSent):
        return Rejected(error.error_class)
    status = exchange.status
    if status is None or not 400 <= status < 500 or status == _GAVE_UP_WAITING:
        # Only our own words: an exception's may hold a phone number.
        kind = str(error) if isinstance(error, Unanswered) else type(error).__name__
        return Ambiguous(f"http {status}" if status else kind)
    code = code_of(getattr(error, "code", None))
    return Rejected(_class_of(status, code), code, exchange.retry_after, status)


def unasked(error: Exception, exchange: Exchange) -> CannotAsk:
    """The same, where something was only asked."""
    outcome = refused(error, exchange)
    return CannotAsk(outcome.error_class if isinstance(outcome, Rejected) else "ambiguous")


def is_absent(error: Exception, exchange: Exchange) -> bool:
    """Whether Twilio itself says that there is no such thing; any proxy can say 404."""
    return exchange.status == _NOT_FOUND and code_of(getattr(error, "code", None)) != ""


def code_of(value: Any) -> str:
    """An error code of Twilio's, or nothing."""
    text = str(value) if isinstance(value, int | str) else ""
    return text if text.isascii() and text.isdigit() and _SMALLEST_CODE <= int(text) < 10**6 else ""


def _class_of(status: int, code: str) -> str:
    if status == _TOO_MANY:
        return "throttled"
    if not code and status in _FORBIDDEN:
        return "account"
    return rules.error_class(code)
