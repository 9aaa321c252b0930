"""What a text says: one word, a job number, and perhaps more (delivery.md 9.2 and 9.3).

Reading is cautious in one direction. A reply taken for a yes that was none leaves somebody at a door waiting
for nobody; one not understood costs a question. So a yes beside a negation, two words or two numbers are
doubts, and a doubt never acts. No input raises.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from rapid_response.core.vocabulary import ShortDisposition
from rapid_response.dispatch import words
from rapid_response.dispatch.words import Phrase
from rapid_response.dispatch.words import Verb as Verb

#: Longer texts are cut; nobody commands in more.
LONGEST = 1600
#: Below this, four digits are a clock time or a year, never a job (delivery.md 9.1).
_LOWEST_JOB = 2400
_LONGEST_ETA = 600
_MISSPELT_FROM = 6


class Doubt(StrEnum):
    """Why a reply must not act although words of ours are in it."""

    NEGATED = "negated"
    TWO_WORDS = "two_words"
    TWO_NUMBERS = "two_numbers"
    UNCLEAR_NUMBER = "unclear_number"
    NUMBER_NEEDED = "number_needed"
    QUESTION = "question"
    COURTESY = "courtesy"


@dataclass(frozen=True, slots=True)
class Reply:
    """A text as read. With `ambiguous` set the verb is NONE, and `heard` says what might have been meant.

    `is_bare`: no number, and nothing but the word, kind words and an arrival time. `rest` is what else was
    written, in the writer's own words: for notes only, it may hold personal data.
    """

    verb: Verb
    number: int | None = None
    code: ShortDisposition | None = None
    eta_minutes: int | None = None
    is_bare: bool = False
    rest: str = ""
    ambiguous: Doubt | None = None
    heard: tuple[Verb, ...] = ()
    cad_reference: str | None = None
    #: Words of somebody who may need help; heeded only from whoever is at a door.
    in_trouble: bool = False


def read(text: str) -> Reply:
    """What the text says; never raises."""
    tidy, had_ours = _tidy(text)
    lowered = _lower(tidy)
    whole = tuple(found[0].replace("'", "") for found in _TOKEN.finditer(lowered))
    if whole in words.OPT_OUT:
        return Reply(Verb.OPT_OUT, is_bare=True, heard=(Verb.OPT_OUT,))
    if whole in words.OPT_IN:
        return Reply(Verb.OPT_IN, is_bare=True, heard=(Verb.OPT_IN,))
    if not whole and "?" in lowered:
        return Reply(Verb.HELP, is_bare=True, heard=(Verb.HELP,))
    if had_ours and words.REACTIONS.issuperset(whole):
        return Reply(Verb.NONE, ambiguous=Doubt.COURTESY)
    return _read_words(tidy, lowered)


# --- tidying (delivery.md 9.2) ---------------------------------------------------------------------------

_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|[0-9]+")
_MAPPED = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\u00b4\u0060", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    }
)
# Only ASCII is lowered, so that places in the two texts stay the same; all our words are ASCII.
_LOWERED = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_OURS = re.compile(
    rf"^[ \t]*>.*$|^sent from my [^\n]*$|(?:{'|'.join(words.OWN_BEGINNINGS)})[^\"\n]*?"
    rf"(?:{'|'.join(words.OWN_ENDINGS)}|(?=[\"\n])|\Z)",
    re.MULTILINE,
)


def _lower(text: str) -> str:
    return text.translate(_LOWERED)


def _tidy(text: str) -> tuple[str, bool]:
    """The writer's own words on one line, and whether a copy of ours was taken out."""
    plain = unicodedata.normalize("NFKC", text[: LONGEST * 2].translate(_MAPPED)).translate(_MAPPED)
    visible = "".join(c for c in plain if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf"))
    ours = [found.span() for found in _OURS.finditer(_lower(visible))]
    return " ".join(_without(visible, ours).split())[:LONGEST], bool(ours)


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with those pieces taken out, and a space left in their place."""
    kept, end = [], 0
    for start, stop in sorted(spans):
        kept.append(text[end:start])
        end = max(end, stop)
    return " ".join([*kept, text[end:]])


# --- numbers, times, references --------------------------------------------------------------------------

_SPACED_DIGITS = re.compile(r"(?<![\d.:])\d(?: \d){3,5}(?! ?\d)")
# Digits that are no job number: phone numbers, clock times, dates, money, amounts of something.
_NO_JOB = re.compile(
    r"(?:\+|\b00)\d[\d ()\-]{6,}\d|\b0\d[\d ()\-]{7,}\d|\b44 ?[1-9][\d ()\-]{7,}\d"
    r"|\b\d{1,2}[:.]\d{2}\b(?: ?[ap]m\b)?|\b\d{1,2} ?[ap]m\b|\b(?:[01]\d|2[0-3])[0-5]\d ?(?:hrs|hours|h)\b"
    r"|\b\d{1,2}/\d{1,2}(?:/\d{2,4})?\b|\b\d{4}-\d{2}-\d{2}\b"
    r"|[£$€] ?\d[\d,.]*k?|\b\d{1,3}(?:,\d{3})+\b|\b\d[\d.]*k?(?= ?(?:pounds?|quid|gbp|pence|euros?)\b)"
    r"|\b(?:at|by|till?|until|around|about|before|after|from|past) "
    r"(?:(?:[01]\d|2[0-3])[0-5]\d|\d{1,2})(?!\d|[:.]\d)"
    r"|\b\d{1,4}(?= (?:miles?|people|men|women|officers?|of us|doors?|houses?)\b)"
)
_ETA = re.compile(
    r"\beta[ :=-]*(?:is |in |of )?(?P<eta>\d{1,3})(?![\d:.])(?: ?(?:minutes?|mins?|m)\b)?"
    r"|(?:\b(?:in|about|approx|within|around) )?(?<![\d.:])(?P<minutes>\d{1,3}) ?(?:minutes?|mins?|m)\b"
    r"|(?:\b(?:in|about|approx|within|around) )?(?<![\d.:])(?P<hours>\d) ?(?:hours?|hrs?|h)\b"
    r"|\bin (?P<in>\d{1,3})(?![\d:.]| ?[a-z])"
    r"|(?:\bin )?\b(?P<half>half an hour|half hour)\b|(?:\bin )?\b(?P<hour>an hour)\b"
)
_CAD = re.compile(
    r"\bcad(?: ?(?:ref|reference|number|no))?[ .:#]*(?P<cad>[a-z]{0,3}[0-9][a-z0-9]*(?:[/\-][a-z0-9]+)*)"
)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int

    @property
    def is_number(self) -> bool:
        return self.text.isascii() and self.text.isdigit()

    @property
    def span(self) -> tuple[int, int]:
        return (self.start, self.end)


def _eta_in(found: re.Match[str] | None) -> int | None:
    if found is None:
        return None
    minutes = next((int(found[g]) for g in ("eta", "minutes", "in") if found[g]), 0)
    minutes += int(found["hours"] or 0) * 60 + (30 if found["half"] else 0) + (60 if found["hour"] else 0)
    return minutes if 0 < minutes <= _LONGEST_ETA else None


def _tokens(lowered: str, hidden: Sequence[tuple[int, int]]) -> Iterator[_Token]:
    """Words without their apostrophes and numbers; `4 8 2 1` is one number."""
    spaced = {found.start(): found for found in _SPACED_DIGITS.finditer(lowered)}
    past = 0
    for found in _TOKEN.finditer(lowered):
        start, end = found.span()
        if start < past or any(a <= start < b for a, b in hidden):
            continue
        if whole := spaced.get(start):
            past = whole.end()
            yield _Token(whole[0].replace(" ", ""), start, past)
        else:
            yield _Token(found[0].replace("'", ""), start, end)


def _numbers(tokens: Sequence[_Token]) -> list[_Token]:
    """What may be a job's number; times and years only where nothing else may be."""
    possible = [t for t in tokens if t.is_number and 4 <= len(t.text) <= 6 and t.text[0] != "0"]
    return [t for t in possible if int(t.text) >= _LOWEST_JOB] or possible


# --- words (delivery.md 9.3) -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    """A word of ours, at tokens [at, to)."""

    verb: Verb
    phrase: Phrase
    at: int
    to: int


def _phrase_at(tokens: Sequence[_Token], at: int, length: int) -> Phrase:
    return tuple(t.text for t in tokens[at : at + length])


def _word_at(tokens: Sequence[_Token], at: int, *tables: Mapping[Phrase, Verb]) -> _Found | None:
    """The longest phrase of the tables that begins at a token."""
    for length in range(3, 0, -1):
        phrase = _phrase_at(tokens, at, length)
        for table in tables:
            if len(phrase) == length and (verb := table.get(phrase)):
                return _Found(verb, phrase, at, at + length)
    return None


def _courtesy_at(tokens: Sequence[_Token], at: int) -> int:
    """How many tokens of kind words begin here."""
    return next((n for n in range(3, 0, -1) if _phrase_at(tokens, at, n) in words.COURTESIES), 0)


def _lead(tokens: Sequence[_Token], has_number: bool) -> _Found | None:
    """The word the text begins with; kind words, fillers and the number may stand before it."""
    at = 0
    while at < len(tokens):
        if kind := _courtesy_at(tokens, at):
            at += kind
            continue
        if found := _word_at(tokens, at, words.COMMANDS, words.WITH_NUMBER):
            return found
        if not (tokens[at].is_number or tokens[at].text in words.FILLERS):
            return _misspelt_at(tokens, at) if has_number else None
        at += 1
    return None


def _misspelt_at(tokens: Sequence[_Token], at: int) -> _Found | None:
    for phrase, verb in words.COMMANDS.items():
        if len(phrase) == 1 and _is_misspelling(tokens[at].text, phrase[0]):
            return _Found(verb, phrase, at, at + 1)
    return None


def _is_misspelling(written: str, meant: str) -> bool:
    """One edit away (a letter more, less, other, or two swapped), for words of six letters or more."""
    if len(meant) < _MISSPELT_FROM or abs(len(written) - len(meant)) > 1 or written == meant:
        return False
    same = 0
    while same < min(len(written), len(meant)) and written[same] == meant[same]:
        same += 1
    a, b = written[same:], meant[same:]
    swapped = len(a) > 1 and a[0] == b[1:2] and a[1] == b[0] and a[2:] == b[2:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or swapped


def _code(tokens: Sequence[_Token], lead: _Found | None) -> tuple[ShortDisposition, int, int] | None:
    """The outcome code of a DONE and its tokens: only its next word, so that a mere mention is no code."""
    if lead is None or lead.verb is not Verb.DONE:
        return None
    at = lead.to
    while at < len(tokens) and (tokens[at].is_number or tokens[at].text in words.BEFORE_CODE):
        # `by phone` begins with what might be a filler elsewhere.
        if _phrase_at(tokens, at, 2) in words.CODES:
            break
        at += 1
    for length in (2, 1):
        phrase = _phrase_at(tokens, at, length)
        if len(phrase) == length and (code := words.CODES.get(phrase)):
            return code, at, at + length
    for code in ShortDisposition:
        if at < len(tokens) and _is_misspelling(tokens[at].text, code.value.lower()):
            return code, at, at + 1
    return None


def _others(tokens: Sequence[_Token], at: int) -> Iterator[_Found]:
    """Words of ours further on."""
    while at < len(tokens):
        found = _word_at(tokens, at, words.COMMANDS, {words.YES: Verb.ACCEPT})
        if found and found.phrase not in words.ONLY_LEADING:
            yield found
        at = found.to if found else at + 1


# --- reading ----------------------------------------------------------------------------------------------


def _read_words(tidy: str, lowered: str) -> Reply:
    eta_found, cad_found = _ETA.search(lowered), _CAD.search(lowered)
    known = [found.span() for found in (eta_found, cad_found) if found]
    tokens = list(_tokens(lowered, [*known, *(m.span() for m in _NO_JOB.finditer(lowered))]))
    numbers = _numbers(tokens)
    jobs = {int(t.text) for t in numbers}
    number = jobs.pop() if len(jobs) == 1 else None
    lead = _lead(tokens, number is not None)
    code = _code(tokens, lead)
    others = list(_others(tokens, code[2] if code else lead.to if lead else 0))
    ours = [(tokens[lead.at].start, tokens[lead.to - 1].end)] if lead else []
    ours += [(tokens[code[1]].start, tokens[code[2] - 1].end)] if code else []
    rest = _without(tidy, [*ours, *known, *(t.span for t in numbers)])
    is_bare = _is_bare(_lower(rest))
    # What a DONE reports may hold a "no" of its own: its code, or "CAD no 5521".
    negated = _negated(lowered, [*ours, *known] if lead and lead.verb is Verb.DONE else ours)
    doubt = (
        (Doubt.TWO_NUMBERS if jobs and number is None else None)
        or _kind_doubt(tokens, lead)
        or _doubt(lead, others, negated)
        or (_doubt_without_number(lowered, tokens, lead, is_bare and not known) if number is None else None)
    )
    is_police = code is not None and code[0] is ShortDisposition.POLICE
    verb = lead.verb if lead else Verb.HELP if _asks_for_help(tokens) else Verb.NONE
    return Reply(
        verb=Verb.NONE if doubt else verb,
        number=number,
        code=code[0] if code else None,
        eta_minutes=_eta_in(eta_found) if verb in (Verb.ACCEPT, Verb.GO) else None,
        is_bare=is_bare and number is None and verb is not Verb.NONE,
        rest="" if is_bare and lead else " ".join(rest.split()).strip(" .,;:!?-'\"#()[]/>"),
        ambiguous=doubt,
        heard=tuple(dict.fromkeys(f.verb for f in chain([lead] if lead else [], others))),
        cad_reference=tidy[slice(*cad_found.span("cad"))].upper() if cad_found and is_police else None,
        in_trouble=_is_in_trouble(tokens, negated),
    )


def _is_in_trouble(tokens: Sequence[_Token], negated: bool) -> bool:
    if negated and any(t.text == "safe" for t in tokens):
        return True
    lengths = {len(phrase) for phrase in words.TROUBLE}
    said = {_phrase_at(tokens, at, length) for at in range(len(tokens)) for length in lengths}
    return not said.isdisjoint(words.TROUBLE)


def _negated(lowered: str, apart_from: Sequence[tuple[int, int]]) -> bool:
    """Whether a negation stands anywhere outside those places."""
    return any(
        found[0].endswith("n't") or found[0].replace("'", "") in words.NEGATIONS
        for found in _TOKEN.finditer(lowered)
        if not any(a <= found.start() < b for a, b in apart_from)
    )


def _doubt(lead: _Found | None, others: Sequence[_Found], negated: bool) -> Doubt | None:
    """The negation guard, and two words in one text."""
    if lead is None:
        return Doubt.NEGATED if others and negated else None
    if negated and lead.verb not in (Verb.DECLINE, Verb.NOBODY):
        return Doubt.NEGATED
    return Doubt.TWO_WORDS if any(other.verb is not lead.verb for other in others) else None


def _kind_doubt(tokens: Sequence[_Token], lead: _Found | None) -> Doubt | None:
    """Nothing but kind words, which people answer to anything (delivery.md 9.3)."""
    if lead is not None:
        return None
    at, seen = 0, False
    while at < len(tokens):
        kind = _courtesy_at(tokens, at)
        seen = seen or kind > 0
        if not kind and not (tokens[at].is_number or tokens[at].text in words.FILLERS | words.TRAILERS):
            return None
        at += kind or 1
    return Doubt.COURTESY if seen else None


def _doubt_without_number(
    lowered: str, tokens: Sequence[_Token], lead: _Found | None, is_alone: bool
) -> Doubt | None:
    if lead is None:
        return None
    if lead.phrase in words.WITH_NUMBER and not (lead.phrase == words.YES and is_alone):
        return Doubt.NUMBER_NEEDED
    if _has_stray_digits(tokens, lead):
        return Doubt.UNCLEAR_NUMBER
    asks = "?" in lowered or any(t.text in words.QUESTIONS for t in tokens)
    return Doubt.QUESTION if lead.verb is Verb.ACCEPT and asks else None


def _has_stray_digits(tokens: Sequence[_Token], lead: _Found) -> bool:
    """Digits that may be a job number with a slip in it: `ok 482`, `ok 48215530`."""
    if lead.verb is Verb.ACCEPT:
        return any(t.is_number for t in tokens)
    return any(t.is_number and len(t.text) >= 3 for t in tokens[max(0, lead.at - 1) : lead.to + 1])


def _is_bare(rest: str) -> bool:
    """Whether only kind words and fillers are left."""
    tokens = list(_tokens(rest, ()))
    at = 0
    while at < len(tokens):
        kind = _courtesy_at(tokens, at)
        if not kind and tokens[at].text not in words.FILLERS | words.TRAILERS:
            return False
        at += kind or 1
    return True


def _asks_for_help(tokens: Sequence[_Token]) -> bool:
    said = [t.text for t in tokens if not t.is_number and t.text not in ("job", "please", "pls")]
    return len(said) == 1 and said[0] in words.HELP
