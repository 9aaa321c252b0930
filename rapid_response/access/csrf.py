"""Forms come from our own pages: two checks that do not lean on each other (stack.md 4).

Where the browser says the form came from, and a token that only our page could have put into it: bound to the
session, or before sign-in to a cookie.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from rapid_response.access.fingerprints import same
from rapid_response.access.signing import Signer
from rapid_response.core.ids import Ids

#: Nobody may lose what they wrote to a time-out: a form left open over a night can still be sent.
FORM_OPEN_FOR = timedelta(hours=24)


class CsrfRefused(Exception):
    """The form did not come from our own page, or is too old. Nothing was done."""


def check_csrf(
    session_csrf: str | None, posted: str | None, headers: Mapping[str, str], *, origin: str
) -> None:
    """Raise :class:`CsrfRefused` unless a signed-in person's form is from our own page.

    `headers` has lower-case names or ignores case; `origin` is ours (:func:`~.cookies.origin_of`).
    """
    check_source(headers, origin=origin)
    if not session_csrf or not posted or not same(session_csrf, posted):
        _refuse()


def check_source(headers: Mapping[str, str], *, origin: str) -> None:
    """Raise :class:`CsrfRefused` when the browser says that the request comes from elsewhere.

    With neither header it is no browser of these years, and the token alone decides.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site.strip().lower() != "same-origin":
            _refuse()
        return
    sent_from = headers.get("origin")
    if sent_from is not None and sent_from.strip().lower() != origin:
        _refuse()


def check_same_origin(headers: Mapping[str, str]) -> None:
    """Raise :class:`CsrfRefused` unless the browser itself says that one of our own pages sent it.

    Enough alone where what must not be missed may come from a page that is older than the session.
    """
    if not is_same_origin(headers):
        _refuse()


def is_same_origin(headers: Mapping[str, str]) -> bool:
    """Whether the browser itself says that one of our own pages sent it."""
    return headers.get("sec-fetch-site", "").strip().lower() == "same-origin"


class FormTokens:
    """Tokens for the forms that need no session: the public report and the sign-in.

    A signed double submit: the cookie holds a nonce, the hidden field a signature over it; neither helps
    without the other. Against who could plant a pair of their own stand the `__Host-` name of the cookie and
    the check of where the form came from.
    """

    def __init__(self, signer: Signer, ids: Ids) -> None:
        self._signer = signer
        self._ids = ids

    def nonce(self, cookie: str | None) -> str:
        """The cookie's value: the one that came, so that a form in another tab still counts, or a new one."""
        return cookie if cookie and len(cookie) <= 128 and cookie.isascii() else self._ids.token()

    def token(self, nonce: str, form: str, real: datetime) -> str:
        """The hidden field of that form, for a page made at `real` time."""
        made = str(int(real.timestamp()))
        return f"{made}.{self._signer.sign('form', form, nonce, made)}"

    def check(
        self,
        cookie: str | None,
        posted: str | None,
        form: str,
        headers: Mapping[str, str],
        *,
        origin: str,
        real: datetime,
    ) -> datetime:
        """When the page was made; raises :class:`CsrfRefused` unless it was ours, for this browser."""
        check_source(headers, origin=origin)
        made, _, signature = (posted or "").partition(".")
        if not cookie or not self._signer.holds(signature, "form", form, cookie, made):
            _refuse()
        made_at = datetime.fromtimestamp(int(made), UTC)
        if real - made_at > FORM_OPEN_FOR:
            _refuse()
        return made_at


def _refuse() -> NoReturn:
    raise CsrfRefused(
        "This form came from another site or was open for too long, so nothing was done. "
        "Go back, load the page again and send it once more."
    )
