"""Chooses the words shown for each label: the strongest first, exactly as they stand in the report."""

from __future__ import annotations

from rapid_response.intake.reading.findings import Findings
from rapid_response.intake.reading.knowledge import LABELS, WORD_PREFIX, WORTH_SHOWING, Knowledge
from rapid_response.intake.reading.port import Evidence

_MOST = 4
#: How much of a text without any word is shown.
_SIGNS_SHOWN = 40


class Exhibits:
    """Collects evidence of one report, each span of a label once."""

    def __init__(self, text: str, findings: Findings, knowledge: Knowledge) -> None:
        self._text, self._findings, self._strong = text, findings, knowledge.strong
        self._columns = knowledge.columns
        self._whys, self._age_kinds = knowledge.whys, knowledge.age_kinds
        self._seen: set[tuple[str, int, int, str | None]] = set()
        self.found: list[Evidence] = []

    def show(self, label: str, start_word: int, end_word: int, why: str, kind: str | None = None) -> None:
        """Adds one span, given in words; once a kind, where the label has kinds."""
        passage = self._findings.passage
        start, end = passage.starts[start_word], passage.ends[end_word - 1]
        if start < end and (label, start, end, kind) not in self._seen:
            self._seen.add((label, start, end, kind))
            self.found.append(Evidence(label, start, end, self._text[start:end], why, kind))

    def show_strongest(self, label: str, speaking_for: str) -> bool:
        """Adds the features that speak most for `speaking_for`; false where none does."""
        strong, at, found = self._strong[speaking_for], LABELS.index(speaking_for), self._findings
        ranked = [(-strong[name], name, spans) for name, spans in found.spans.items() if name in strong]
        for name, spans in found.words.items():
            weight = found.share * self._columns[name][at]
            if weight >= WORTH_SHOWING:
                ranked.append((-weight, name, spans))
        ranked.sort()
        for _, name, spans in ranked[:_MOST]:
            for start, end in spans[:2]:
                self.show(label, start, end, self.why(name))
        return bool(ranked)

    def show_all(self, label: str, features: list[str]) -> None:
        """Adds each of these features at its first two places."""
        for name in features:
            kind = self._age_kinds.get(name) if label == "age_targeted" else None
            for start, end in self._findings.spans[name][:2]:
                self.show(label, start, end, self.why(name), kind)

    def why(self, feature: str) -> str:
        """The sentence for the handler about one feature."""
        if feature.startswith(WORD_PREFIX):
            return "In labelled reports these words went with this label."
        if feature.startswith("no:"):
            return "The text denies it: " + self._whys.get(feature[3:], "")
        return self._whys.get(feature.rpartition("many:")[2].removeprefix("said:"), "")

    def show_something(self, label: str, why: str) -> None:
        """Where no single phrase decided: the report's first words."""
        passage = self._findings.passage
        if len(passage):
            self.show(label, 0, min(len(passage), 8), why)
            return
        shown = self._text.strip()[:_SIGNS_SHOWN]
        if shown:
            start = self._text.index(shown)
            self.found.append(Evidence(label, start, start + len(shown), shown, why))
