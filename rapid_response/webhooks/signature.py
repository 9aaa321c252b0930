"""Whether a webhook comes from our provider: the signature over the address that the public knows.

The address is the configured BASE_URL with the path and query of the request, byte for byte. Host and
X-Forwarded-* are never asked: whoever can reach us can set them (delivery.md 13). The request cannot choose
the algorithm either: with a shared key it is HMAC-SHA256, without one SHA-1, whatever a header says.

The signature has no date: that a message came before is for the stored ids to notice. Nor does it say where
one field ends and the next begins, so that a captured form could be cut anew into one with another id: ids
that are too long for one are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from urllib.parse import parse_qsl, quote

from starlette.datastructures import ImmutableMultiDict
from starlette.requests import ClientDisconnect, Request
from twilio.request_validator import RequestValidator

HEADER = "X-Twilio-Signature"
LARGEST_BODY = 64 * 1024
_MOST_FIELDS = 500
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
SHA1, SHA256 = "HMAC_SHA1", "HMAC_SHA256"
#: What a message or call is known by, and what every webhook of ours has one of.
_IDS = ("MessageSid", "SmsSid", "SmsMessageSid", "CallSid")
_ID = re.compile(r"[A-Z]{2}[0-9A-Za-z]{1,32}")

#: The fields of a webhook: `form["Body"]`, or `form.getlist` where one is repeated.
Form = ImmutableMultiDict[str, str]


class WebhookRefused(Exception):
    """This is no webhook of our provider's; `status` is all that the sender is told."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        #: For the counter: `bad_signature`, `other_account` or `malformed`.
        self.why = why


def sign(
    url: str,
    params: Mapping[str, str] | Sequence[tuple[str, str]],
    token: str,
    algorithm: str = SHA1,
) -> str:
    """The signature of a form posted to `url`."""
    return str(RequestValidator(token).compute_signature(url, _multi(params), algorithm))


def verify(
    url: str,
    params: Mapping[str, str] | Sequence[tuple[str, str]] | str,
    header: str | None,
    tokens: Iterable[str],
    algorithm: str = SHA1,
) -> bool:
    """Whether `header` signs that form (or JSON), posted to that URL, with one of the tokens; never raises.

    Several tokens let one be replaced while webhooks signed with the old one are under way. An empty token is
    nobody's: anyone could sign with it. A JSON text counts only with its digest in the query.
    """
    if not header:
        return False
    try:
        form = params if isinstance(params, str) else _multi(params)
        return any(
            [_matches(RequestValidator(token), url, form, header, algorithm) for token in tokens if token]
        )
    except Exception:  # what cannot be checked is not signed
        return False


def _matches(validator: RequestValidator, url: str, form: Form | str, header: str, algorithm: str) -> bool:
    if isinstance(form, str):
        return bool(validator.validate(url, form, header, algorithm))
    exact = str(validator.compute_signature(url, form, algorithm))
    # The validator also tries the address with and without its port: providers sign either.
    return compare_digest(exact.encode(), header.encode()) or bool(
        validator.validate(url, form, header, algorithm)
    )


def read_form(body: bytes) -> Form:
    """The fields of a form, blank and repeated ones kept; raises ValueError for what is none."""
    fields = parse_qsl(
        body.decode(),
        keep_blank_values=True,
        errors="strict",
        max_num_fields=_MOST_FIELDS,
    )
    return ImmutableMultiDict(fields)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What webhooks may be signed with: the account's tokens or, once there is one, the shared key alone."""

    tokens: tuple[str, ...] = ()
    shared_key: str | None = None

    def signed(self, url: str, params: Form | str, header: str | None) -> bool:
        """Whether `header` signs that, posted to that URL."""
        if self.shared_key is not None:
            return verify(url, params, header, [self.shared_key], SHA256)
        return verify(url, params, header, self.tokens)


class Verifier:
    """Reads webhooks; refuses those not signed with one of our secrets, or of another account."""

    def __init__(
        self, base_url: str, tokens: Sequence[str], account_sid: str, *, shared_key: str | None = None
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._account_sid = account_sid
        self._secrets = Secrets(tuple(token for token in tokens if token), shared_key or None)

    async def read(self, request: Request) -> Form:
        """The form of a genuine webhook; raises :class:`WebhookRefused` (403, 413 or 415)."""
        body = await _body(request)
        signatures = request.headers.getlist(HEADER)
        if len(signatures) != 1:
            raise WebhookRefused(403, "bad_signature")
        url = self._public_url(request)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == _JSON and self._secrets.signed(url, body.decode("utf-8", "replace"), signatures[0]):
            # Ours, but set up to send what none of these addresses reads: its console shows the status.
            raise WebhookRefused(415, "malformed")
        try:
            form = read_form(body) if kind == _FORM else None
        except ValueError as error:
            raise WebhookRefused(403, "malformed") from error
        if form is None or not self._secrets.signed(url, form, signatures[0]):
            raise WebhookRefused(403, "bad_signature")
        if form.getlist("AccountSid") != [self._account_sid]:
            raise WebhookRefused(403, "other_account")
        if not _has_proper_ids(form):
            raise WebhookRefused(403, "malformed")
        return form

    def _public_url(self, request: Request) -> str:
        scope = request.scope
        raw = scope.get("raw_path") or quote(scope["path"]).encode("ascii")
        # latin-1 gives every byte a character: an odd path fails the check, it does not raise.
        path = raw.decode("latin-1")
        root = scope.get("root_path", "")
        if root and self._base_url.endswith(root) and path.startswith(f"{root}/"):
            path = path.removeprefix(root)
        query = scope.get("query_string", b"").decode("latin-1")
        return self._base_url + path + (f"?{query}" if query else "")


def _has_proper_ids(form: Form) -> bool:
    ids = [value for name in _IDS for value in form.getlist(name)]
    return bool(ids) and all(_ID.fullmatch(value) for value in ids)


async def _body(request: Request) -> bytes:
    """At most :data:`LARGEST_BODY` bytes; the rest of a longer one is not even read."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > LARGEST_BODY:
        raise WebhookRefused(413, "malformed")
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                raise WebhookRefused(413, "malformed")
    except ClientDisconnect as error:
        raise WebhookRefused(403, "malformed") from error
    return bytes(body)


def _multi(params: Mapping[str, str] | Sequence[tuple[str, str]]) -> Form:
    return params if isinstance(params, ImmutableMultiDict) else ImmutableMultiDict(params)
