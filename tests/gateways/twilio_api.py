"""What Twilio publishes of the requests that we make: fields, types, enums and ids, written out by hand (C2).

From its description of the 2010-04-01 API and of Messaging v1; only what we use, so that anything else that
we should send shows as a fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

Check = Callable[[str], bool]


def _matches(pattern: str) -> Check:
    return lambda value: re.fullmatch(pattern, value) is not None


def _number(least: int, most: int) -> Check:
    return lambda value: value.isascii() and value.isdigit() and least <= int(value) <= most


def _one_of(*words: str) -> Check:
    return lambda value: value in words


def _callback(value: str) -> bool:
    """An absolute address with a valid host, in which underscores are not allowed."""
    parts = urlsplit(value)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "_" not in (parts.hostname or "")


_PHONE = _matches(r"\+[1-9]\d{6,14}")
_SENDER = _matches(r"\+[1-9]\d{6,14}|[1-9]\d{4,5}")
_METHOD = _one_of("GET", "POST")

MESSAGE_SID = _matches(r"(SM|MM)[0-9a-fA-F]{32}")
CALL_SID = _matches(r"CA[0-9a-fA-F]{32}")
ACCOUNT_SID = _matches(r"AC[0-9a-fA-F]{32}")
MESSAGE_STATUSES = frozenset(
    (
        *("queued", "sending", "sent", "failed", "delivered", "undelivered", "receiving", "received"),
        *("accepted", "scheduled", "read", "partially_delivered", "canceled"),
    )
)
CALL_STATUSES = frozenset(
    ("queued", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled")
)
CALL_EVENTS = frozenset(("initiated", "ringing", "answered", "completed"))

#: Fields of a request: what each value must be. Those in `REPEATED` may come more than once.
MESSAGE_FIELDS: Mapping[str, Check] = {
    "To": _PHONE,
    "From": _SENDER,
    "MessagingServiceSid": _matches(r"MG[0-9a-fA-F]{32}"),
    "Body": lambda value: 0 < len(value) <= 1600,
    "StatusCallback": _callback,
    "ValidityPeriod": _number(1, 36_000),
    "SmartEncoded": _one_of("true", "false"),
}
CALL_FIELDS: Mapping[str, Check] = {
    "To": _PHONE,
    "From": _PHONE,
    "Url": _callback,
    "Method": _METHOD,
    "StatusCallback": _callback,
    "StatusCallbackMethod": _METHOD,
    "StatusCallbackEvent": lambda value: value in CALL_EVENTS,
    "Timeout": _number(1, 600),
}
LIST_FIELDS: Mapping[str, Check] = {
    "To": _PHONE,
    "From": _SENDER,
    "PageSize": _number(1, 1000),
    "Page": _number(0, 10**6),
    "PageToken": lambda value: bool(value),
}
NUMBER_FIELDS: Mapping[str, Check] = {"PhoneNumber": _PHONE, "PageSize": _number(1, 1000)}
PAGE_FIELDS: Mapping[str, Check] = {"PageSize": _number(1, 1000)}
REPEATED = frozenset({"StatusCallbackEvent"})
REQUIRED: Mapping[str, frozenset[str]] = {"Messages": frozenset({"To"}), "Calls": frozenset({"To", "From"})}

_A = r"/2010-04-01/Accounts/AC[0-9a-fA-F]{32}"
#: Method and path: the fields that may be sent there.
REQUESTS: Sequence[tuple[str, str, Mapping[str, Check]]] = (
    ("POST", _A + r"/Messages\.json", MESSAGE_FIELDS),
    ("POST", _A + r"/Calls\.json", CALL_FIELDS),
    ("GET", _A + r"/Messages\.json", LIST_FIELDS),
    # Blanking: the words go, the rest stays.
    ("POST", _A + r"/Messages/(SM|MM)[0-9a-fA-F]{32}\.json", {"Body": lambda value: value == ""}),
    ("GET", _A + r"/Messages/(SM|MM)[0-9a-fA-F]{32}\.json", {}),
    ("GET", _A + r"/Calls/CA[0-9a-fA-F]{32}\.json", {}),
    ("DELETE", _A + r"/Recordings/RE[0-9a-fA-F]{32}\.json", {}),
    ("DELETE", _A + r"/Transcriptions/TR[0-9a-fA-F]{32}\.json", {}),
    ("GET", _A + r"\.json", {}),
    ("GET", _A + r"/IncomingPhoneNumbers\.json", NUMBER_FIELDS),
    ("GET", r"/v1/Services/MG[0-9a-fA-F]{32}", {}),
    ("GET", r"/v1/Services/MG[0-9a-fA-F]{32}/PhoneNumbers", PAGE_FIELDS),
)


def faults(method: str, path: str, fields: Sequence[tuple[str, str]]) -> list[str]:
    """What of a request is not as published."""
    allowed = next((f for m, p, f in REQUESTS if m == method and re.fullmatch(p, path)), None)
    if allowed is None:
        return [f"{method} {path} is not a request of the published API that we use"]
    names = [name for name, _ in fields]
    found = [f"{name} is not a field there" for name in names if name not in allowed]
    found += [
        f"{name}={value} is not a value for it" for name, value in fields if not _fits(allowed, name, value)
    ]
    found += [f"{name} is repeated" for name in set(names) - REPEATED if names.count(name) > 1]
    kind = path.rpartition("/")[2].removesuffix(".json")
    if method == "POST":
        found += [f"{name} is missing" for name in REQUIRED.get(kind, frozenset({"Body"})) - set(names)]
    return found


def _fits(allowed: Mapping[str, Check], name: str, value: str) -> bool:
    return name not in allowed or allowed[name](value)
