"""A service definition written back as YAML that people like to read and `load` takes unchanged."""

from __future__ import annotations

import re
from typing import Any

import yaml

from rapid_response.definition.schema import ServiceFile
from rapid_response.definition.stored import to_stored

_HEADING = "# The service definition, as exported. Loading it again changes nothing.\n"
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_ &'’-]*|P[0-9TWDHMS.]+|[0-9.]+%")

_WIDTH = 10_000
"""A row is never broken: names would be cut in two."""


def export(service: ServiceFile) -> str:
    """YAML such that `parse(export(service), …) == service`; the same service gives the same text."""
    tree = _tidied(to_stored(service))
    parts = [
        yaml.dump(
            {key: value},
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=True,
            width=_WIDTH,
            default_flow_style=None,
        )
        for key, value in tree.items()
    ]
    return _HEADING + "\n".join(parts)


class _Dumper(yaml.SafeDumper):
    """Rows on one line each; texts that other YAML readers could take for numbers or times in quotes."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


class _Row(dict[str, Any]):
    """A group written on one line."""


class _Column(list[Any]):
    """A list written one entry a line."""


#: Lists whose entries are written one a line.
_ROWS = (("responders",), ("rota",), ("escalation",), ("neighbours",))


def _tidied(value: Any, path: tuple[str, ...] = ()) -> Any:
    """Without keys that are not given, nor empty or false ones of responders and shifts."""
    if isinstance(value, dict):
        kept = {key: _tidied(item, (*path, key)) for key, item in value.items() if item is not None}
        if path[:1] in (("responders",), ("rota",), ("neighbours",)):
            kept = {key: item for key, item in kept.items() if item}
        elif path == ("service",):
            kept = {key: item for key, item in kept.items() if item is not False}
        return _Row(kept) if path[:1] in _ROWS else kept
    if isinstance(value, list):
        entries = [_tidied(item, path) for item in value]
        return _Column(entries) if path == ("service", "area", "wards") else entries
    return value


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if _PLAIN.fullmatch(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _write_row(dumper: yaml.SafeDumper, row: _Row) -> yaml.MappingNode:
    return dumper.represent_mapping("tag:yaml.org,2002:map", row.items(), flow_style=True)


def _write_column(dumper: yaml.SafeDumper, column: _Column) -> yaml.SequenceNode:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", column, flow_style=False)


_Dumper.add_representer(str, _write_text)
_Dumper.add_representer(_Row, _write_row)
_Dumper.add_representer(_Column, _write_column)
