"""What pydantic found wrong, put as what to write instead."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rapid_response.definition.faults import Path, shown
from rapid_response.definition.schema import ServiceFile

_TAGS = {"always", "hours", "weekly", "dated"}
"""Names of the kinds of coverage and of shift, which pydantic puts into its paths."""


def model_faults(error: ValidationError) -> Iterator[tuple[Path, str]]:
    """Where and what, for each fault that the models found."""
    for detail in error.errors(include_url=False):
        yield _path(detail), _message(detail)


def _path(detail: ErrorDetails) -> Path:
    parts: list[str | int] = []
    for part in detail["loc"]:
        after_choice = parts == ["sla", "coverage"] or (len(parts) == 2 and parts[0] == "rota")
        if not (after_choice and part in _TAGS):
            parts.append(part)
        else:
            parts.append("")  # holds the place, so that a key of the same name is kept
    return tuple(part for part in parts if part != "")


def _message(detail: ErrorDetails) -> str:
    kind, value, path = detail["type"], detail["input"], _path(detail)
    context: dict[str, Any] = detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(path)
    if kind == "missing":
        return "is missing. Add it"
    if value is None:
        return "is empty. Give it a value, or take the key out"
    if path == ("sla", "coverage"):
        return (
            f"{shown(value)} is not a coverage. Write always, or hours per weekday: {{mon: [“09:00-17:00”]}}"
        )
    if kind == "value_error":
        return str(context["error"])
    if kind in ("enum", "literal_error"):
        return f"{shown(value)} is not known here. Write {_choices(str(context['expected']))}"
    if kind == "too_short":
        return "is an empty list. Write at least one entry"
    return f"{shown(value)} cannot stand here. Write {_WANTED.get(kind, detail['msg'])}"


_WANTED = {
    "string_type": "one text (in quotes if need be)",
    "bool_type": "true or false",
    "tuple_type": "a list, such as [a, b]",
    "model_type": "a group of keys, such as {key: value}",
    "model_attributes_type": "a group of keys, such as {key: value}",
}


def _choices(expected: str) -> str:
    return expected.replace("'", "")


def _unknown_key(path: Path) -> str:
    key = str(path[-1])
    known = sorted(_known_keys(tuple("#" if isinstance(part, int) else str(part) for part in path[:-1])))
    if key == "off" and path[0] == "rota":
        return "only a shift with dates can be taken out. Write dates in “from” and “to”, and no “days”"
    if key == "<<":
        return "merging keys is not read. Write the keys out"
    near = get_close_matches(key, known, n=1, cutoff=0.6)
    if near:
        return f"no such key. Did you mean “{near[0]}”?"
    return f"no such key. Known here: {', '.join(known)}"


@lru_cache(maxsize=64)
def _known_keys(path: tuple[str, ...]) -> frozenset[str]:
    """The keys of the group at that path ("#" is any position), out of the JSON Schema."""
    schema = _schema()
    nodes = [schema]
    for part in path:
        nodes = [
            child
            for node in nodes
            for variant in _variants(node, schema)
            if (child := variant.get("items") if part == "#" else variant.get("properties", {}).get(part))
        ]
    return frozenset(
        key for node in nodes for variant in _variants(node, schema) for key in variant.get("properties", {})
    )


@cache
def _schema() -> dict[str, Any]:
    return ServiceFile.model_json_schema()


def _variants(node: dict[str, Any], schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schema node itself, what it refers to, and what it lets choose from."""
    if "$ref" in node:
        yield from _variants(schema["$defs"][node["$ref"].rsplit("/", 1)[1]], schema)
        return
    yield node
    for choice in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from _variants(choice, schema)
