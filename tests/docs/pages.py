"""The pages for people, as data: their blocks, links and headings, and the names they use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: Every page a reader can reach.
PAGES: Sequence[str] = (
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md"),
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
)

_FENCE = re.compile(r"^```(?P<kind>[^\n]*)\n(?P<body>.*?)^```$", re.M | re.S)
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_CODE = re.compile(r"`[^`\n]*`")
_HEADING = re.compile(r"^#{1,6} (?P<words>.+)$", re.M)


def text_of(page: str) -> str:
    """A page as it is written."""
    return (ROOT / page).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Example:
    """Commands, and the lines they are said to print (in their order; more may be printed)."""

    place: str
    commands: str
    expected: tuple[str, ...]

    @property
    def only_reads(self) -> bool:
        """Whether it may be run again: what it shows may take a moment to be there."""
        return re.search(r"-d |\breply \"|keys add|backup\(", self.commands) is None

    def missing(self, printed: str) -> str | None:
        """The first expected line that was not printed, or None when all were."""
        lines = iter(printed.splitlines())
        for wanted in self.expected:
            pattern = ".*".join(re.escape(part) for part in wanted.strip().split("…"))
            if not any(re.search(pattern, line) for line in lines):
                return wanted
        return None


def examples(page: str) -> Iterator[Example]:
    """The blocks marked `bash`, each with the block marked `text` that follows it."""
    text = text_of(page)
    fences = [*_FENCE.finditer(text)]
    for fence, after in zip(fences, [*fences[1:], None], strict=True):
        if fence["kind"] != "bash":
            continue
        shown = after["body"].splitlines() if after and after["kind"] == "text" else []
        line = text.count("\n", 0, fence.start()) + 2
        yield Example(f"{page}:{line}", fence["body"], tuple(w for w in shown if w.strip(" …")))


def links(page: str) -> list[str]:
    """Where a page leads, outside its blocks and its code."""
    return [found["target"] for found in _LINK.finditer(_CODE.sub("", _FENCE.sub("", text_of(page))))]


def anchors(page: str) -> set[str]:
    """What a `#…` may name: the headings as GitHub makes them addresses."""
    headings = _HEADING.findall(_FENCE.sub("", text_of(page)))
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in plain}


def named(pattern: str, pages: Sequence[str] = PAGES) -> set[tuple[str, str]]:
    """Every match of a pattern's first group, with its page."""
    return {(page, found[1]) for page in pages for found in re.finditer(pattern, text_of(page), re.M)}
