"""From mentions to findings: the features that weights are given to, each with the words behind it."""

from __future__ import annotations

from dataclasses import dataclass, field

from rapid_response.intake.reading.knowledge import WORD_PREFIX, Knowledge, Rule
from rapid_response.intake.reading.mentions import Mention, find_mentions
from rapid_response.intake.reading.passage import AGE, DECADE, MONEY, NUMBER, Passage
from rapid_response.intake.reading.weighing import share_of_words

OLDER_FROM = 60


@dataclass(slots=True)
class Findings:
    """Which features a passage has; each feature's value is the word spans that made it."""

    passage: Passage
    mentions: list[Mention]
    spans: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    #: The same for plain words, and pairs of them, that training found telling.
    words: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    #: What each of those words counts for, so that many count for no more than few.
    share: float = 0.0

    def has(self, feature: str) -> bool:
        """Whether the feature was found."""
        return feature in self.spans

    def add(self, feature: str, start: int, end: int) -> None:
        """Notes a feature and the words that show it."""
        self.spans.setdefault(feature, []).append((start, end))


def find(passage: Passage, knowledge: Knowledge) -> Findings:
    """All features of the passage: concepts, their denials, what is quoted, plain words, rules."""
    findings = Findings(passage, find_mentions(passage, knowledge))
    denied: dict[str, tuple[int, int]] = {}
    chosen = [(m.start, m.end) for m in findings.mentions if _name(m, knowledge) == _CHOSEN]
    for mention in findings.mentions:
        name = _name(mention, knowledge)
        if name == _PRESENT and any(start <= mention.start and mention.end <= end for start, end in chosen):
            continue
        if mention.denied:
            denied.setdefault(name, (mention.start, mention.end))
            continue
        findings.add(name, mention.start, mention.end)
        if mention.spoken:
            findings.add("said:" + name, mention.start, mention.end)
    for name, (start, end) in denied.items():
        findings.add("no:" + name, start, end)
    _add_remarks(findings)
    _add_questions(findings)
    _add_repeated(findings)
    _add_ages(findings)
    for rule in knowledge.rules:
        _add_rule(findings, rule)
    _add_words(findings, knowledge)
    return findings


#: In "they chose her because she is elderly" it is the one who was chosen that "is", not the offender.
_CHOSEN, _PRESENT = "chosen_because_old", "offender_present"


def _name(mention: Mention, knowledge: Knowledge) -> str:
    return knowledge.concepts[mention.concept].name


#: Whom a remark is about, and what makes it one about weakness.
_SOMEBODY = frozenset({"he", "she", "they", "him", "her", "them", "these", "those", "one", "you", "your"})
_UNABLE = frozenset(
    {"not", "never", "cannot", "no", "nothing", "nobody", "anything", "always", "easy", "same", "again"}
)
_ABOUT_A_PERSON = frozenset({"he", "she", "they", "him", "her", "them", "his", "their"})
_LEAST_AGE_SPOKEN = 60


def _add_remarks(findings: Findings) -> None:
    """Words in quotation marks: a remark about a person ("she'd never notice"), or one that names an age."""
    passage = findings.passage
    if True not in passage.quoted:
        return
    at, length = 0, len(passage)
    while at < length:
        if not passage.quoted[at]:
            at += 1
            continue
        end = at
        while end < length and passage.quoted[end]:
            end += 1
        _add_remark(findings, at, end)
        at = end


def _add_remark(findings: Findings, start: int, end: int) -> None:
    passage = findings.passage
    words = set(passage.words[start:end])
    if end - start >= _LEAST_REMARK:
        findings.add("long_remark", start, end)
        if not _ABOUT_A_PERSON.isdisjoint(words):
            findings.add("remark_about_somebody", start, end)
        if not _SOMEBODY.isdisjoint(words) and not _UNABLE.isdisjoint(words):
            findings.add("remark_of_what_they_cannot", start, end)
    for at in range(start, end):
        numeric = passage.kinds[at] in (AGE, DECADE, NUMBER)
        if numeric and _LEAST_AGE_SPOKEN <= passage.values[at] <= _MOST_AGE:
            findings.add("remark_names_an_age", start, end)
            break


_LEAST_REMARK, _MOST_AGE = 4, 104


def _add_questions(findings: Findings) -> None:
    """Whether it ends in a question, or is nothing but questions."""
    passage = findings.passage
    if not any(passage.asks):
        return
    number = max(at for at, asks in enumerate(passage.asks) if asks)
    start, end = passage.begins[number], passage.finishes[number]
    if number == len(passage.asks) - 1:
        findings.add("ends_with_question", start, end)
    if all(passage.asks):
        findings.add("only_questions", start, end)
    elif passage.asks[0]:
        findings.add("begins_with_question", passage.begins[0], passage.finishes[0])


def _add_repeated(findings: Findings) -> None:
    """What is spoken of several times is likelier to be what the report is about."""
    for name in [name for name, spans in findings.spans.items() if len(spans) >= 2 and ":" not in name]:
        findings.spans["many:" + name] = findings.spans[name][:2]
        if len(findings.spans[name]) >= 3:
            findings.spans["very many:" + name] = findings.spans[name][:3]


def _add_ages(findings: Findings) -> None:
    passage = findings.passage
    for at, kind in enumerate(passage.kinds):
        if kind in (AGE, DECADE):
            older = passage.values[at] >= OLDER_FROM
            findings.add("older_person" if older else "younger_person", at, at + 1)
        elif kind == MONEY:
            findings.add("money_named", at, at + 1)
    if 0 < len(passage) <= 6:
        findings.add("very_short", 0, len(passage))


def _add_rule(findings: Findings, rule: Rule) -> None:
    spans = findings.spans
    if any(name not in spans for name in rule.all_of) or any(name in spans for name in rule.unless):
        return
    chosen = list(rule.all_of)
    if rule.any_of:
        found = [name for name in rule.any_of if name in spans]
        if not found:
            return
        chosen.append(found[0])
    if rule.same_sentence and not _meet(findings, chosen):
        return
    for name in chosen:
        findings.spans.setdefault("rule:" + rule.name, []).extend(spans[name][:1])


def _meet(findings: Findings, names: list[str]) -> bool:
    """Whether some sentence holds all of them."""
    sentences = findings.passage.sentences
    common: set[int] | None = None
    for name in names:
        here = {sentences[start] for start, _ in findings.spans[name]}
        common = here if common is None else common & here
    return bool(common)


def _add_words(findings: Findings, knowledge: Knowledge) -> None:
    before, words, learned = "", findings.words, knowledge.learned
    for at, word in enumerate(findings.passage.words):
        if word in learned.single:
            words.setdefault(WORD_PREFIX + word, []).append((at, at + 1))
        after = learned.pairs.get(before)
        if after is not None and word in after:
            words.setdefault(WORD_PREFIX + before + " " + word, []).append((at - 1, at + 1))
        before = word
    findings.share = share_of_words(map(knowledge.rarities.__getitem__, words))
