"""Phones, registrations, companies and websites that only the narrative names, with where they stand in it.

Proposed, not known: they stand in for a part of `suspect` that was left empty. A number that the text calls the
caller's or the victim's own is nobody's mark, and one without any such word counts for less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from rapid_response.intake.matching import plates
from rapid_response.intake.matching.companies import normalise_company
from rapid_response.intake.matching.phones import normalise_phone
from rapid_response.intake.matching.websites import normalise_website
from rapid_response.intake.matching.words import words

#: As much as intake takes (contract.md 4).
_READ = 20_000
#: Of each kind, so that a hostile text cannot fill the index.
_MOST = 4


@dataclass(frozen=True, slots=True)
class Mention:
    """`text[start:end]` names something; `weight` below 1 where it may not be the suspect's."""

    kind: str
    start: int
    end: int
    value: str
    weight: float = 1.0


def mine(text: str) -> tuple[Mention, ...]:
    """What a narrative names, each value once, in order of kind."""
    text = text[:_READ]
    found: list[Mention] = []
    for reader in (_phones, _plates, _websites, _companies):
        values: set[str] = set()
        for mention in reader(text):
            if mention.value not in values:
                values.add(mention.value)
                found.append(mention)
            if len(values) == _MOST:
                break
    return tuple(found)


# --- phones

_DIGITS = re.compile(
    r"(?<![\d£$+])(?:\+|\(?0)(?:[\s().\-]{0,2}\d){9,14}(?!\d)|(?<![\d£$])44(?:[\s\-]?\d){10}(?!\d)"
)
_OWN = re.compile(
    r"\b(?:my|our|her|mum'?s|mums|mother'?s|dad'?s|father'?s|nan'?s|victim'?s|caller'?s|ip'?s?|home|daughter'?s|son'?s"
    r"|neighbour'?s|wife'?s|husband'?s|aunt'?s) (?:own |home |mobile |phone |landline |contact |tel |telephone )*"
    r"(?:number|no|tel|phone|mobile|landline)\b|\b(?:call|ring|phone|text|contact|reach|get)(?: me| her| us| my \w+| back)+\b"
    r"|\b(?:caller|ip|victim|contact|daughter|son|nok|informant) (?:on|tel|number|no|is on)\b|\bcall(?:er)? back\b"
)
_THEIRS = re.compile(
    r"\b(?:from|leaflet|card|flyer|van|advert|website|trader|company|firm|his|their|they|he|suspect|os|o/s|scammer|called"
    r"|rang|texted|phoned|caller id|displayed|1471)\b"
)
_BEFORE, _AFTER = 60, 30


def _phones(text: str) -> Iterator[Mention]:
    lowered = text.lower()
    spans = [(m.start(), m.end(), m[0]) for m in _DIGITS.finditer(text)]
    spans += [(s, e, digits) for s, e, digits in _spoken_numbers(lowered)]
    for start, end, said in spans:
        number = normalise_phone(said)
        weight = _whose(lowered, start, end)
        if number is not None and weight:
            yield Mention("phone", start, end, number, weight)


def _whose(lowered: str, start: int, end: int) -> float:
    """1 for the suspect's by the words beside it, 0 for the caller's or the victim's, between where none say."""
    before = re.split(r"[.!?;\n]\s", lowered[max(0, start - _BEFORE) : start])[-1]
    own = max((m.end() for m in _OWN.finditer(before)), default=-1)
    theirs = max((m.end() for m in _THEIRS.finditer(before)), default=-1)
    if own > theirs:
        return 0.0
    after = re.split(r"[.!?;\n]", lowered[end : end + _AFTER])[0]
    if theirs < 0 and re.match(r"[\s,(]*(?:is |that'?s )?(?:my|her|our|the caller'?s|mine)\b", after):
        return 0.0
    return 1.0 if theirs >= 0 else 0.8


_WORD = re.compile(r"[a-z0-9]+(?:-ray)?")


def _spoken_numbers(lowered: str) -> Iterator[tuple[int, int, str]]:
    """“oh seven seven double oh …”: runs of spoken figures as long as a telephone number."""
    digits = {**{k: v for k, v in words().digits.items() if len(v) == 1}, "o": "0"}
    run: list[re.Match[str]] = []
    out: list[str] = []
    times = 1
    for word in [*_WORD.finditer(lowered), None]:
        said = word[0] if word else ""
        if said in ("double", "triple"):
            times = 2 if said == "double" else 3
            if word:
                run.append(word)
            continue
        figure = digits.get(said) or (said if said.isdigit() and len(said) < 5 else None)
        if word and figure:
            run.append(word)
            out.append(figure * times)
        else:
            joined = "".join(out)
            if 10 <= len(joined) <= 12 and any(not m[0].isdigit() for m in run):
                yield run[0].start(), run[-1].end(), joined
            run, out = [], []
        times = 1


# --- registrations

_PLATE_CUE = re.compile(
    r"\b(?:reg(?:istration|ist)?|vrm|number ?plate|plates?|index|part reg|partial)\b[^.!?\n]{0,40}$"
)
_TYPED = re.compile(r"\b([a-z]{2}[0-9oi]{2})[ -]?([a-z0-9]{3})\b", re.IGNORECASE)
_CUED = re.compile(
    r"\b(?:reg(?:istration)?(?: number| no)?|vrm|number ?plate|plate|index)(?: is| was| of|:|-| number| no)*\s+"
    r"(?:(?:started?|starting|begins?|beginning|ended|ends|ending|something|with|in|like|maybe|part|partial|first|last"
    r"|part of|bit)\s+){0,4}((?:[a-z]{1,3}\s?\d{1,4}\s?[a-z]{0,3})|(?:\d{1,3}\s?[a-z]{3})|[A-Z]{3})\b",
    re.IGNORECASE,
)
_PLAIN_WORDS = frozenset(
    "the and for was men man min but has his her she you are not ltd who had pay him our out get got off old one two"
    " van car any all can day now per via yes non end est gbp".split()
)


def _plates(text: str) -> Iterator[Mention]:
    lowered = text.lower()
    for m in _TYPED.finditer(text):
        ends = m[2].lower()
        cued = _PLATE_CUE.search(lowered[max(0, m.start() - 60) : m.start()])
        if (not cued and (ends in _PLAIN_WORDS or not ends.isalpha())) or ends.isdigit():
            continue
        yield from _plate(m.start(), m.end(), m[0])
    for m in _CUED.finditer(text):
        if m[1].lower() not in _PLAIN_WORDS:
            yield from _plate(m.start(1), m.end(1), m[1])
    yield from _spelt(lowered)


def _plate(start: int, end: int, said: str) -> Iterator[Mention]:
    plate = plates.normalise_plate(said)
    if plate is not None and any(c.isalpha() for c in plate):
        yield Mention("plate", start, end, plate, 1.0)


def _spelt(lowered: str) -> Iterator[Mention]:
    """“golf kilo one six x-ray yankee zulu”: at least two letters spelt out, and figures near them."""
    known = words()
    run: list[re.Match[str]] = []
    for word in [*_WORD.finditer(lowered), None]:
        joins = word is not None and _joins(word[0], bool(run))
        if word is not None and joins:
            run.append(word)
            continue
        if sum(m[0] in known.letters for m in run) >= 2:
            plate = plates.normalise_plate(" ".join(m[0] for m in run))
            if plate and len(plate) >= 4 and any(c.isdigit() for c in plate):
                yield Mention("plate", run[0].start(), run[-1].end(), plate, 1.0)
        run = []


def _joins(word: str, is_under_way: bool) -> bool:
    known = words()
    if word in known.letters:
        return True
    if word in ("double", "triple") or word in known.digits or word == "o":
        return is_under_way
    return is_under_way and (word.isdigit() and len(word) <= 3 or (len(word) == 1 and word not in ("a", "i")))


# --- websites

_SITE = re.compile(
    r"(?<![@\w.-])(?:https?://|www\.)?((?:[\w-]{2,63}\.)+(?:co\.uk|org\.uk|me\.uk|ltd\.uk|com|co|uk|net|org|info|biz|shop|online|site|store"
    r"|xyz|top|io|live|club|website|app|page|link|click|services|builders|homes|ltd)(?![\w@-]|\.\w)(?:/[\w./-]{1,80})?)",
    re.IGNORECASE,
)
_SAID_SITE = re.compile(
    r"\b(?:www dot )?([a-z0-9-]{3,63}) dot (co dot uk|com|uk|org dot uk|net|org|info|shop)\b"
)


def _websites(text: str) -> Iterator[Mention]:
    for m in _SITE.finditer(text):
        if (site := normalise_website(m[1])) is not None:
            yield Mention("website", m.start(), m.end(), site, 1.0)
    for m in _SAID_SITE.finditer(text.lower()):
        if (site := normalise_website(m[0])) is not None:
            yield Mention("website", m.start(), m.end(), site, 1.0)


# --- companies

_NAME_WORD = r"(?:[A-Z][\w'’-]*|&|and|of|[0-9]{1,3})"


@cache
def _company_patterns() -> tuple[re.Pattern[str], ...]:
    # What traders put behind their own name; a plain noun (“roof”, “team”) would take in ordinary sentences.
    endings = (
        "Ltd|Limited|LTD|LIMITED|LLP|PLC|Plc|"
        + "|".join(
            sorted(
                w.capitalize()
                for w in words().trade_words
                if w.endswith(("ing", "ers", "ors", "ves", "ces", "ions"))
            )
        )
        + "|Landscapes|Builds|Tarmac|Repairs|Improvements|Bros|Brothers|Sons|Maintenance|Developments|Group|Care|Energy"
    )
    named = (
        r"(?:called|named|trading as|t/a|calling (?:them|him|it)sel(?:f|ves)|company name|the company is|firm is|name of"
        r"|(?:van|leaflet|card|flyer|side|invoice|lorry|sign|logo|top|hoodie|jacket)s? (?:that )?(?:said|says|saying|had|read|reads|marked))"
    )
    return (
        re.compile(rf"\b({_NAME_WORD}(?: {_NAME_WORD}){{0,4}} (?:{endings})(?: (?:{endings}))*)\b"),
        re.compile(rf"\b{named}:? [\"“‘']?({_NAME_WORD}(?: {_NAME_WORD}){{0,4}})"),
        re.compile(
            rf"\b{named}:? [\"“‘']?((?:[a-z][\w'’-]* ){{1,3}}(?:{endings.lower()})(?: (?:ltd|limited))?)\b",
            re.IGNORECASE,
        ),
        re.compile(r"\b((?:[a-z][\w'’-]+ ){1,3}(?:ltd|limited))\b"),
    )


_NOT_NAMES = frozenset(
    "the a he she they it i we his her my our their this that these two three men man from with and of at in on mr mrs"
    " saying said called named company firm was is were who by for to".split()
)


def _companies(text: str) -> Iterator[Mention]:
    for pattern in _company_patterns():
        for m in pattern.finditer(text):
            start, said = _without_lead(m.start(1), m[1])
            company = normalise_company(said)
            if company is not None and len(company) > 3 and (" " in company or len(company) > 5):
                yield Mention("company", start, start + len(said), company, 0.9)


def _without_lead(start: int, said: str) -> tuple[int, str]:
    """Words that open a sentence are no part of a name: “They called from Apex Roofing”."""
    while (cut := said.partition(" "))[2] and cut[0].lower() in _NOT_NAMES:
        start += len(cut[0]) + 1
        said = cut[2]
    return start, said
