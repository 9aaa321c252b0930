"""YAML text read into plain values, each with the line it stands on.

Read as YAML 1.2 does, not 1.1: only true and false are booleans, and everything else stays the text that
was written. So an unquoted 17:00 is not 1020, +447… keeps its plus, and the key `off` is not `false`.
Whatever the text is, reading it costs bounded time and memory and ends in values or in a Fault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.composer import Composer

from rapid_response.definition.faults import Path

MAX_BYTES = 1_000_000
MAX_VALUES = 50_000
"""After aliases are followed: what keeps a billion laughs from being told."""
MAX_DEPTH = 20

_NOTHING = {"", "~", "null"}
_BOOLEANS = {"true": True, "false": False}
_KINDS = ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge", "value")
_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in _KINDS)


class Unreadable(Exception):
    """The text is not YAML that a service definition can be; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        self.line = line
        super().__init__(message)


@dataclass(slots=True)
class Source:
    """What the text says, and where it says it."""

    data: object = None
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[tuple[Path, int, str]] = field(default_factory=list)
    """Keys written twice: which of the two is meant, nobody can tell."""

    def line_of(self, path: Path) -> int:
        """The line of that place, or of the nearest group around it that was written."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_yaml(text: str) -> Source:
    """The values of one YAML document. Raises Unreadable with the line and what to do."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise Unreadable(
            1, "The file is larger than 1 MB. A service definition takes some kilobytes; check the file"
        )
    node = _composed(text)
    if node is None:
        raise Unreadable(1, "The file is empty. Start from deploy/bromley.yaml")
    return _Reading().read(node)


_TOO_DEEP = "Lists or groups are nested too deeply. Check for stray brackets"


#: Where libyaml takes more than PyYAML's own reader, or says it otherwise: tabs, tags, `?` in brackets, some
#: ends of lines, a comment right after `|`. A file means the same wherever it is loaded.
_READ_OTHERWISE = re.compile("[\\t!?\\x85\\u2028\\u2029\\ufeff]|[|>][-+0-9]*#")


def _composed(text: str) -> yaml.Node | None:
    if _InC is not None and not _READ_OTHERWISE.search(text):
        try:
            return _compose(text, _InC)
        except (yaml.YAMLError, UnicodeError, Unreadable):
            pass  # Python's own reader says it again, in the words that the advice below goes by
    try:
        return _compose(text, _InPython)
    except yaml.YAMLError as error:
        raise _unreadable(error, text) from None


def _compose(text: str, reader: Any) -> yaml.Node | None:
    return yaml.compose(text, Loader=reader)


class _Shallow(Composer):
    """Gives up on deep nesting while reading, before it can use up the stack."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        if self.depth > MAX_DEPTH + 1:
            event = self.peek_event()  # type: ignore[attr-defined]  # a parser's, which stands beside this
            raise Unreadable(_mark_line(event.start_mark), _TOO_DEEP)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _InPython(_Shallow, yaml.BaseLoader):
    """Nobody tells words from numbers: each stays the text that was written."""


def _in_c() -> Any:
    """The same on libyaml, ten times as fast, where PyYAML was built with it."""
    if not yaml.__with_libyaml__:
        return None

    class InC(_Shallow, yaml.CBaseLoader):
        def __init__(self, stream: str) -> None:
            yaml.CBaseLoader.__init__(self, stream)
            Composer.__init__(self)

    return InC


_InC = _in_c()


class _Reading:
    """One walk over the composed nodes, following aliases and counting."""

    def __init__(self) -> None:
        self._source = Source()
        self._count = 0

    def read(self, node: yaml.Node) -> Source:
        self._source.lines[()] = _line(node)
        self._source.data = self._value(node, ())
        return self._source

    def _value(self, node: yaml.Node, path: Path) -> object:
        self._count += 1
        if self._count > MAX_VALUES:
            raise Unreadable(_line(node), "The file unfolds to far too many values. Write aliases (*) out")
        if len(path) > MAX_DEPTH:
            raise Unreadable(_line(node), _TOO_DEEP)
        if node.tag not in _TAGS:
            raise Unreadable(_line(node), f"Tags such as {node.tag} are not read. Take the “!…” out")
        self._source.lines.setdefault(path, _line(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, n)) for n, item in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        values: dict[str, object] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise Unreadable(
                    _line(key_node), "A key must be a word. Check the brackets and the indentation"
                )
            key = _text(key_node)
            here = (*path, key)
            if key in values:
                first = self._source.lines[here]
                message = f"is already written on line {first}. Keep one of the two"
                self._source.faults.append((here, _line(key_node), message))
                continue
            self._source.lines[here] = _line(key_node)
            values[key] = self._value(value_node, here)
        return values


def _scalar(node: yaml.Node) -> str | bool | None:
    text = _text(node)
    if not getattr(node, "style", None):  # None or empty: as it stands, without quotation marks
        if text in _NOTHING:
            return None
        if text.lower() in _BOOLEANS:
            return _BOOLEANS[text.lower()]
    return text


def _text(node: yaml.Node) -> str:
    """The scalar as written; JSON's two-part escapes of one character (an emoji, say) are put together."""
    text = str(node.value)
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise Unreadable(
            _line(node), "An escape (\\u…) stands for half a character. Type the character"
        ) from None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


_ADVICE = (
    ("'\\t'", "Indent with spaces; YAML does not allow tabs"),
    (
        "mapping values are not allowed",
        "A “: ” is where none can be. Check the indentation, or put the text in quotes",
    ),
    ("could not find expected ':'", "A “:” is missing after a key, or the indentation is off"),
    ("expected ',' or", "A comma or a closing bracket is missing"),
    ("expected <block end>", "The indentation does not line up with the lines above"),
    ("expected the node content", "A value is missing or a bracket is stray"),
    ("found undefined alias", "An alias (*) has no anchor (&) before it. Write the value out"),
    ("found duplicate anchor", "An anchor (&) is written twice. Rename one"),
    ("expected a single document", "Only one service definition fits in a file. Take the “---” out"),
    ("found unknown escape", "A backslash inside double quotes. Use single quotes, or two backslashes"),
    ("cannot start any token", "A value starts with a sign that YAML keeps for itself. Put it in quotes"),
)


def _unreadable(error: yaml.YAMLError, text: str) -> Unreadable:
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return Unreadable(
            line, "A character here cannot stand in YAML. Delete it, or save the file as UTF-8 text"
        )
    if not isinstance(error, yaml.MarkedYAMLError):
        return Unreadable(1, f"The file is not YAML: {error}")
    mark = error.problem_mark
    context = error.context or ""
    if "quoted scalar" in context and "end of stream" in (error.problem or ""):
        mark = error.context_mark or mark
        return Unreadable(_mark_line(mark), "The closing quote is missing")
    problem = f"{context} {error.problem or ''}".strip()
    advice = next((say for sign, say in _ADVICE if sign in problem), f"This is not YAML: {problem}")
    begun = _mark_line(error.context_mark or mark)
    if "flow" in context and begun != _mark_line(mark):
        advice += f". The bracket was opened on line {begun}"
    return Unreadable(_mark_line(mark), advice)


def _mark_line(mark: yaml.Mark | None) -> int:
    return 1 if mark is None else int(mark.line) + 1
