"""Errors as `application/problem+json` (RFC 9457): a sentence a person can act on, never what was sent."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from rapid_response.api.context import MayNot, NotSignedIn
from rapid_response.core.incident import NotAllowed
from rapid_response.intake.report_in import Answers, ReportIn
from rapid_response.steps.commands import COMMANDS
from rapid_response.steps.errors import Forbidden, Invalid, KeyReused, NotFound, NothingOffered, Refusal
from rapid_response.steps.service import NoService
from rapid_response.storage.failures import DatabaseUnavailable, InDoubt

MEDIA_TYPE = "application/problem+json"


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:
    """One problem document."""
    return JSONResponse(
        {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            **more,
        },
        status_code=status,
        headers=dict(headers or {}),
        media_type=MEDIA_TYPE,
    )


def for_exception(error: Exception, hotline: str = "") -> JSONResponse:
    """The problem document of any exception; an unforeseen one says no more than that."""
    if isinstance(error, RequestValidationError):
        return _invalid(error.errors())
    if isinstance(error, NotAllowed):
        names = [a.value for a in error.allowed]
        return problem(409, f"{error}. Allowed now: {', '.join(names) or 'nothing'}.", allowed_actions=names)
    if isinstance(error, Refusal):
        return _refused(error)
    if isinstance(error, NotSignedIn):
        detail = str(error) or "Send a valid API key as Authorization: Bearer KEY."
        return problem(401, detail, {"WWW-Authenticate": "Bearer"})
    if isinstance(error, MayNot):
        detail = str(error) or "This key may not do that. Ask the council for a key with the scope it needs."
        return problem(403, detail)
    if isinstance(error, InDoubt):
        return problem(503, f"{_IN_DOUBT}{_ring(hotline)}", {"Retry-After": "30"})
    if isinstance(error, NoService):
        return problem(503, f"{_NO_SERVICE}{_ring(hotline)}", {"Retry-After": "30"})
    if isinstance(error, DatabaseUnavailable):
        detail = f"Nothing was stored. Try again in a minute.{_ring(hotline)}"
        return problem(503, detail, {"Retry-After": "30"})
    if isinstance(error, HTTPException):
        return problem(
            error.status_code, _HTTP.get(error.status_code, "This could not be done."), error.headers
        )
    return problem(500, "Something went wrong here, and nothing of this request was done. Try again.")


def _refused(error: Refusal) -> JSONResponse:
    status = next((code for kind, code in _REFUSALS if isinstance(error, kind)), 422)
    more: dict[str, Any] = {}
    if error.field is not None:
        more["errors"] = [{"field": error.field, "message": error.detail}]
    if isinstance(error, NothingOffered):
        more["allowed_actions"] = [action.value for action in error.allowed]
    return problem(status, error.detail, **more)


_NO_SERVICE = "Nothing was stored: no service definition is loaded yet. Load one with rapid-response load."
_IN_DOUBT = (
    "It is not known whether this was stored: the connection to the database was lost at the last moment. "
    "Send it again with the same Idempotency-Key, or look before you send it again."
)


def _ring(hotline: str) -> str:
    return f" In urgent cases ring {hotline}." if hotline else " In urgent cases ring the hotline."


_REFUSALS: Sequence[tuple[type[Refusal], int]] = (
    (NotFound, 404),
    (Forbidden, 403),
    (NothingOffered, 409),
    (KeyReused, 422),
    (Invalid, 422),
)

#: What can be answered without anything being wrong here.
EXPECTED: Sequence[type[Exception]] = (
    HTTPException,
    RequestValidationError,
    NotAllowed,
    Refusal,
    NotSignedIn,
    MayNot,
    DatabaseUnavailable,
    NoService,
)

_HTTP = {
    400: "The body could not be read. Send JSON in UTF-8.",
    404: "There is nothing at this address. Check it against the documentation.",
    405: "This address does not take that method. Check it against the documentation.",
    413: "The body is too large. A report may have 20,000 characters of narrative.",
    415: "Send the body as application/json.",
}


def _invalid(errors: Sequence[Any]) -> JSONResponse:
    faults = [{"field": _field(e), "message": _message(e)} for e in errors[:50]]
    named = ", ".join(dict.fromkeys(f["field"] for f in faults[:5]))
    return problem(422, f"Some of what was sent does not fit: {named}. See errors.", errors=faults)


def _field(error: Mapping[str, Any]) -> str:
    path = [str(part) for part in error.get("loc", ()) if part not in ("body", "query", "path", "header")]
    if error.get("type") in ("extra_forbidden", "json_invalid"):
        path = path[:-1]  # the key itself was sent by the caller, and is not said again
    return ".".join(path) or "body"


def _message(error: Mapping[str, Any]) -> str:
    kind = error.get("type")
    if kind == "extra_forbidden":
        return _unknown_key(str(error["loc"][-1]))
    if kind == "json_invalid":
        return "this is not JSON: check commas, quotes and brackets"
    if kind == "string_unicode":
        return "send text in UTF-8, without lone surrogates"
    if (plain := _PLAINLY.get(str(kind))) is not None:
        return plain
    if kind == "too_long" and "max_length" in (limits := error.get("ctx", {})):
        return f"is too long a list: at most {limits['max_length']}"
    said = str(error.get("msg", "does not fit"))
    return said.removeprefix("Value error, ")


#: What pydantic says of Python's types.
_PLAINLY: Mapping[str, str] = {
    **dict.fromkeys(
        ("model_type", "model_attributes_type", "dict_type"),
        "send a JSON object here; and the body as Content-Type: application/json",
    ),
    **dict.fromkeys(("tuple_type", "list_type", "set_type"), "send a list here"),
}


def _unknown_key(key: str) -> str:
    near = difflib.get_close_matches(key, _known_keys(), n=1, cutoff=0.75)
    hint = f"; did you mean {near[0]}?" if near else "; the known keys are in the documentation"
    return f"there is a key here that is not known{hint}"


def _known_keys() -> list[str]:
    models: list[type[BaseModel]] = [ReportIn, Answers, *COMMANDS.values()]
    parts = [f.annotation for f in ReportIn.model_fields.values()]
    names = {name for model in models for name in model.model_fields}
    names |= {name for part in parts for name in getattr(part, "model_fields", {})}
    return sorted(names)
