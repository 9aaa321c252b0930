"""The knowledge files in `data/`: concepts with their phrases, rules, word classes, shorthand."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import yaml

from rapid_response.core.facts import BOOLEAN_FACTS
from rapid_response.intake.reading.learned import Learned, read
from rapid_response.intake.reading.phrases import PhraseFault, PhraseIndex, parse
from rapid_response.intake.reading.spelling import Spelling

DATA = Path(__file__).parent / "data"
#: Labels that a weight may speak for. The four kinds of matter, the four times, the two targeting flags.
KINDS_OF_MATTER = ("doorstep", "scam", "other_crime", "no_crime")
TIMES = ("in_progress", "imminent", "recent", "historic")
FLAGS = ("age", "vulnerability")
WORD_PREFIX = "word:"
#: Made by training, never edited.
LEARNED = "learned.tsv"
LABELS = (*KINDS_OF_MATTER, *TIMES, *FLAGS)
#: The least weight at which a phrase is shown as a reason.
WORTH_SHOWING = 0.15
#: An officer's weight from which a phrase is a reason of its own for calling a report no crime.
_REASON = 1.0
_NOT_CONCEPTS = ("classes.yaml", "shorthand.yaml", "rules.yaml", "questions.yaml")


class KnowledgeFault(ValueError):
    """A knowledge file says something that cannot be used; the sentence names the file and the entry."""


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing that a report may say, in all the ways we know people say it."""

    name: str
    why: str
    weights: Mapping[str, float]
    subtypes: Mapping[str, float]
    fact: str | None
    age_kind: str | None
    strand: str | None
    #: Whether "not", "never", "no" before it turn it round; false where the phrase holds its own negation.
    deniable: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """Concepts that mean more together than each alone."""

    name: str
    why: str
    all_of: tuple[str, ...]
    any_of: tuple[str, ...]
    unless: tuple[str, ...]
    weights: Mapping[str, float]
    subtypes: Mapping[str, float]
    age_kind: str | None
    same_sentence: bool
    strand: str | None


@dataclass(frozen=True, slots=True)
class LearnedWords:
    """Plain words, and pairs of neighbours by their first word, that training gave a weight."""

    single: frozenset[str]
    pairs: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything that the reader knows, compiled once."""

    concepts: tuple[Concept, ...]
    rules: tuple[Rule, ...]
    index: PhraseIndex
    spelling: Spelling
    classes: Mapping[str, frozenset[str]]
    learned: LearnedWords
    subtype_categories: Mapping[str, str]
    questions: Mapping[str, str]
    version: str
    #: Everything below is derived. What each feature weighs for each of LABELS; nothing where nobody said.
    columns: Mapping[str, tuple[float, ...]]
    biases: Mapping[str, float]
    thresholds: Mapping[str, float]
    whys: Mapping[str, str]
    subtypes: Mapping[str, Mapping[str, float]]
    strands: Mapping[str, str]
    age_kinds: Mapping[str, str]
    reasons: Mapping[str, frozenset[str]]
    deniable: tuple[bool, ...]
    bias_column: tuple[float, ...]
    #: How rare each of the learned plain words is.
    rarities: Mapping[str, float]
    #: For each label the concepts that speak for it at all, and how much to somebody who reads why.
    strong: Mapping[str, Mapping[str, float]]
    facts: tuple[Concept, ...]


def shipped_knowledge() -> Knowledge:
    """The knowledge that comes with this version, loaded once: whoever comes meanwhile waits for it."""
    with _LOADING:
        return _shipped()


@lru_cache(maxsize=1)
def _shipped() -> Knowledge:
    return load(DATA)


_LOADING = Lock()


def load(folder: Path, *, trained: Learned | None = None) -> Knowledge:
    """Compiles a folder of knowledge files; KnowledgeFault tells the officer who edits what is wrong.

    With `trained`, that takes the place of what the folder's own file has learned.
    """
    digest = hashlib.sha256()
    files: dict[str, Any] = {}
    for path in sorted(folder.glob("*.yaml")):
        content = path.read_bytes()
        digest.update(path.name.encode() + content)
        files[path.name] = yaml.load(content, Loader=_LOADER)  # noqa: S506 - a safe loader, in C where there is one
    path = folder / LEARNED
    if trained is None:
        text = path.read_text() if path.exists() else Learned({}, {}).as_text()
        trained = read(text)
    else:
        text = trained.as_text()
    digest.update(text.encode())
    return _compile(files, trained, f"reading-2-{digest.hexdigest()[:12]}")


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _compile(files: Mapping[str, Any], trained: Learned, version: str) -> Knowledge:
    lines = files["shorthand.yaml"]["shorthand"].splitlines()
    shorthand = {word: tuple(plain.split()) for word, plain in map(_shorthand, filter(str.strip, lines))}
    lookup = Spelling(shorthand, (), ()).plainly
    classes = {name: frozenset(words.split()) for name, words in files["classes.yaml"]["classes"].items()}
    common = frozenset(files["classes.yaml"]["common_words"].split())
    concepts: list[Concept] = []
    phrases = []
    for file, entry in _entries(files):
        concept = _concept(file, entry)
        number = len(concepts)
        concepts.append(concept)
        for line in str(entry.get("phrases", "")).splitlines():
            source = line.partition("#")[0].strip()
            if not source:
                continue
            try:
                phrases.append(
                    parse(source, number, classes, lookup, lambda word: 40.0 if word in common else 1.0)
                )
            except PhraseFault as fault:
                raise KnowledgeFault(f"{file}, concept {concept.name}: {fault}") from None
    vocabulary = {word for phrase in phrases for element in phrase.elements for word in element.words}
    plain = frozenset(files["shorthand.yaml"]["never_mended"].split()) | common
    by_name = {concept.name: concept for concept in concepts}
    if len(by_name) != len(concepts):
        names = [concept.name for concept in concepts]
        raise KnowledgeFault(
            f"Two concepts share a name: {sorted({n for n in names if names.count(n) > 1})}."
        )
    rules = tuple(_rule(entry, by_name) for entry in files["rules.yaml"]["rules"])
    items: dict[str, Concept | Rule] = {**by_name, **{"rule:" + rule.name: rule for rule in rules}}
    learned = trained.weights
    columns = _Columns(
        {
            **{name: _column(given) for name, given in learned.items()},
            **{name: _column(_with(item.weights, learned.get(name, {}))) for name, item in items.items()},
        }
    )
    biases = {**_BIASES, **trained.biases}
    return Knowledge(
        concepts=tuple(concepts),
        rules=rules,
        index=PhraseIndex(phrases),
        spelling=Spelling(shorthand, vocabulary, plain),
        classes=classes,
        learned=_learned_words(trained.rarities),
        subtype_categories=files["rules.yaml"]["subtypes"],
        questions=files["questions.yaml"]["questions"],
        version=version,
        columns=columns,
        biases=biases,
        bias_column=_column(biases),
        rarities=trained.rarities,
        strong={label: _strong(label, columns, items, trained.rarities) for label in LABELS},
        facts=tuple(concept for concept in concepts if concept.fact in BOOLEAN_FACTS),
        thresholds=_THRESHOLDS,
        whys={name: item.why for name, item in items.items()},
        subtypes={name: item.subtypes for name, item in items.items() if item.subtypes},
        strands={name: item.strand for name, item in items.items() if item.strand},
        age_kinds={name: item.age_kind for name, item in items.items() if item.age_kind},
        deniable=tuple(concept.deniable for concept in concepts),
        reasons={
            "age": frozenset(name for name, item in items.items() if item.age_kind),
            "vulnerability": frozenset(
                n for n, i in items.items() if i.weights.get("vulnerability", 0) >= 0.5
            ),
            # Few words, or plain ones, are no reason to call a report nothing.
            "no_crime": frozenset(n for n, i in items.items() if i.weights.get("no_crime", 0) >= _REASON),
        },
    )


def _strong(
    label: str,
    columns: Mapping[str, tuple[float, ...]],
    items: Mapping[str, Concept | Rule],
    words: Container[str],
) -> dict[str, float]:
    """What an officer named for the label comes first: training spreads weight over all that goes with it."""
    at, found = LABELS.index(label), {}
    for name, given in columns.items():
        if given[at] > 0 and name not in words:
            said = items[name].weights.get(label, 0.0) if name in items else 0.0
            if (weight := given[at] + _SAID_COUNTS * said) >= WORTH_SHOWING:
                found[name] = weight
    return found


#: What an officer's weight counts for among the reasons that are shown.
_SAID_COUNTS = 0.3

#: Before anything is learned: targeting is rare, and an undated report is an old one.
_BIASES = {"age": -3.2, "vulnerability": -3.4, "historic": 0.8, "recent": 0.4, "no_crime": 0.6}
_THRESHOLDS = {"act_now": 0.35, "danger": 0.3, "age": 0.42, "vulnerability": 0.3}


def _learned_words(learned: Iterable[str]) -> LearnedWords:
    single: set[str] = set()
    pairs: dict[str, set[str]] = {}
    for feature in learned:
        first, _, second = feature.removeprefix(WORD_PREFIX).partition(" ")
        if second:
            pairs.setdefault(first, set()).add(second)
        else:
            single.add(first)
    return LearnedWords(frozenset(single), {first: frozenset(seconds) for first, seconds in pairs.items()})


class _Columns(dict[str, tuple[float, ...]]):
    """Weights by feature; one that nobody weighed (such as a denial never seen) weighs nothing."""

    def __missing__(self, feature: str) -> tuple[float, ...]:
        return NO_COLUMN


NO_COLUMN = (0.0,) * len(LABELS)


def _column(given: Mapping[str, float]) -> tuple[float, ...]:
    return tuple(given.get(label, 0.0) for label in LABELS)


def _with(given: Mapping[str, float], learned: Mapping[str, float]) -> Mapping[str, float]:
    """An officer's weight plus the learned adjustment."""
    return {label: given.get(label, 0.0) + learned.get(label, 0.0) for label in {**given, **learned}}


def _entries(files: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name in sorted(files):
        if name not in _NOT_CONCEPTS:
            for entry in files[name]["concepts"]:
                yield name, entry


def _shorthand(line: str) -> tuple[str, str]:
    word, _, plain = line.partition("=")
    return word.strip(), plain.strip()


def _weights(file: str, entry: Mapping[str, Any]) -> Mapping[str, float]:
    weights = {label: float(weight) for label, weight in entry.get("for", {}).items()}
    unknown = set(weights) - set(LABELS)
    if unknown:
        raise KnowledgeFault(f"{file}, {entry['name']}: unknown label {sorted(unknown)}; known are {LABELS}.")
    return weights


def _subtypes(entry: Mapping[str, Any]) -> Mapping[str, float]:
    said = entry.get("subtype", {})
    return {said: 1.0} if isinstance(said, str) else {name: float(weight) for name, weight in said.items()}


def _concept(file: str, entry: Mapping[str, Any]) -> Concept:
    return Concept(
        name=entry["name"],
        why=entry["why"],
        weights=_weights(file, entry),
        subtypes=_subtypes(entry),
        fact=entry.get("fact"),
        age_kind=entry.get("age_kind"),
        strand=entry.get("strand"),
        deniable=entry.get("deniable", True),
    )


def _rule(entry: Mapping[str, Any], known: Mapping[str, Concept]) -> Rule:
    named = [*entry.get("all", ()), *entry.get("any", ()), *entry.get("unless", ())]
    for name in named:
        bare = name.removeprefix("no:").removeprefix("said:")
        if bare not in known and not bare.startswith("rule:"):
            raise KnowledgeFault(f"rules.yaml, {entry['name']}: there is no concept {bare}.")
    return Rule(
        name=entry["name"],
        why=entry["why"],
        all_of=tuple(entry.get("all", ())),
        any_of=tuple(entry.get("any", ())),
        unless=tuple(entry.get("unless", ())),
        weights=_weights("rules.yaml", entry),
        subtypes=_subtypes(entry),
        age_kind=entry.get("age_kind"),
        same_sentence=entry.get("same_sentence", False),
        strand=entry.get("strand"),
    )
