"""`/openapi.json`: the API as machines read it, with what FastAPI cannot know by itself.

How a call is let in, that every error is a problem document (RFC 9457), and what each action takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from rapid_response.access.permissions import Permission
from rapid_response.access.principal import Principal
from rapid_response.api.context import Needs
from rapid_response.api.problems import MEDIA_TYPE
from rapid_response.core.incident import Action
from rapid_response.steps.commands import COMMANDS

router = APIRouter()

PATH = "/openapi.json"
_ACTIONS = "/api/v1/incidents/{reference}/actions/{action}"
_SCHEMAS = "#/components/schemas/"
_KEY = "key"
_FAULTS: Mapping[int, str] = {
    401: "No API key, or none that is valid",
    403: "The key has not the scope for this",
    422: "What was sent does not fit; `errors` says where",
    503: "Nothing was stored: try again, or ring the hotline",
}
_NOT_FOUND = {404: "There is no such thing, or not for this key"}
_NOT_NOW = {409: "What the state does not allow: `allowed_actions` lists what it does"}
_TOO_LARGE = {413: "The body is too large"}
_PROBLEM: Mapping[str, Any] = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence that a person can act on."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "allowed_actions": {"type": "array", "items": {"enum": [action.value for action in Action]}},
    },
}


@router.get(PATH, include_in_schema=False)
async def get_description(
    request: Request, _principal: Annotated[Principal, Depends(Needs(Permission.API_DESCRIPTION))]
) -> JSONResponse:
    """For whoever has a key: only in evaluation is it public."""
    app: FastAPI = request.app
    return JSONResponse(app.openapi())


def describe(app: FastAPI) -> dict[str, Any]:
    """The description of what the app serves; made once."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schemas = made["components"]["schemas"]
        schemas["Problem"] = _PROBLEM
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        made["components"]["securitySchemes"] = {_KEY: {"type": "http", "scheme": "bearer"}}
        _one_path_an_action(made["paths"], schemas)
        for path, calls in made["paths"].items():
            if path.startswith("/api/"):
                for method, call in calls.items():
                    _with_faults(path, method, call)
        app.openapi_schema = made
    return app.openapi_schema


def _one_path_an_action(paths: dict[str, Any], schemas: dict[str, Any]) -> None:
    general = paths.pop(_ACTIONS)["post"]
    parameters = [one for one in general["parameters"] if one["name"] != "action"]
    for action, takes in COMMANDS.items():
        body = takes.model_json_schema(ref_template=f"{_SCHEMAS}{{model}}")
        schemas |= body.pop("$defs", {})
        schemas[takes.__name__] = body
        content = {"application/json": {"schema": {"$ref": f"{_SCHEMAS}{takes.__name__}"}}}
        call = {
            **general,
            "operationId": f"{action.value}_incident",
            "summary": action.value.replace("_", " ").capitalize(),
            "parameters": parameters,
            "requestBody": {"content": content, "required": bool(body.get("required"))},
            "responses": dict(general["responses"]),
        }
        paths[_ACTIONS.replace("{action}", action.value)] = {"post": call}


def _with_faults(path: str, method: str, call: dict[str, Any]) -> None:
    faults = {**_FAULTS}
    if "{" in path:
        faults |= _NOT_FOUND
    if method == "post":
        faults |= _TOO_LARGE
    if "/actions/" in path:
        faults |= _NOT_NOW
    content = {MEDIA_TYPE: {"schema": {"$ref": f"{_SCHEMAS}Problem"}}}
    for status, why in sorted(faults.items()):
        call["responses"][str(status)] = {"description": why, "content": content}
    call["security"] = [{_KEY: []}]
