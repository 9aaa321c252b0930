"""The JSON Schema of the service definition, as published in deploy/service.schema.json.

`python -m rapid_response.definition.publish > deploy/service.schema.json` writes it anew.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from rapid_response.definition.schema import ServiceFile


def published() -> str:
    """The text of the file; editors that know JSON Schema complete and check the YAML with it."""
    schema = _bare(ServiceFile.model_json_schema())
    heading = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "service.schema.json",
        "title": "rapid_response service definition",
    }
    return json.dumps(heading | schema, indent=2, ensure_ascii=False) + "\n"


def _bare(node: Any) -> Any:
    """Without what only repeats the names of classes and keys, and without defaults in Python's spelling."""
    if isinstance(node, list):
        return [_bare(item) for item in node]
    if not isinstance(node, dict):
        return node
    noise = {"title", "default"} | ({"description"} if "enum" in node else set())
    return {
        key: {name: _bare(item) for name, item in value.items()}
        if key in ("properties", "$defs")
        else _bare(value)
        for key, value in node.items()
        if key not in noise
    }


if __name__ == "__main__":
    sys.stdout.write(published())
