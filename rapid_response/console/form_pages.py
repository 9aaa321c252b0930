"""A posted form on its way in: read within limits, and done once however often it is sent."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from urllib.parse import parse_qsl, quote, urlsplit

from fastapi import Request
from starlette.exceptions import HTTPException

from rapid_response.console.forms.posted import Posted
from rapid_response.steps import keyed
from rapid_response.steps.keyed import Key
from rapid_response.storage.tx import Tx

#: A narrative of 20,000 characters, each of them twelve when it is encoded, and room for the rest.
LARGEST_FORM = 256 * 1024
_MOST_FIELDS = 400
#: Said of a page whose form is no longer the session's own; the form is shown again as it was filled in.
STALE = "This page was open for too long. Check what you wrote and send it again"
_URLENCODED = "application/x-www-form-urlencoded"
_FORM_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")


async def read_form(request: Request) -> Posted:
    """The form in a request's body; anything else is refused with a sentence."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _URLENCODED:
        raise HTTPException(400, "Send the form of the page.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise HTTPException(413)
    try:
        pairs = parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise HTTPException(413) from None
    return Posted.from_pairs(pairs)


def once_key(posted: Posted) -> str | None:
    """What makes a second click on the same page the same act; None for a form without a key.

    The words are part of it: whoever goes back, corrects something and sends it again means a new act, and it
    must not get lost.
    """
    key = posted.text("form_key")
    if not _FORM_KEY.fullmatch(key):
        return None
    return f"{key}:{digest(posted)[:40]}"


def digest(posted: Posted) -> str:
    """One number for all that was written."""
    said = repr(sorted((k, v) for k, v in posted.values.items() if k != "csrf_token"))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def once(tx: Tx, scope: str, key: str | None, step: Callable[[Tx], object]) -> None:
    """Do a step, unless the same form did it before."""
    keyed.once(tx, Key(scope[:160], key, key.rpartition(":")[2]) if key else None, step)


def safe_next(address: str) -> str:
    """Where to go after signing in: a page of ours, or an empty string."""
    parts = urlsplit(address) if address.isprintable() else None
    if parts is None or parts.scheme or parts.netloc or len(address) > 500:
        return ""
    if not re.fullmatch(r"/(?![/\\])[^\\]*", address) or parts.path in ("/sign-in", "/sign-out"):
        return ""
    return address


def sign_in_address(request: Request) -> str:
    """The sign-in page, which leads back here."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = safe_next(here)
    return "/sign-in" + (f"?next={quote(back, safe='/')}" if back and back != "/" else "")
