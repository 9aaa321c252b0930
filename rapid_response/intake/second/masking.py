"""What of a report may leave the house: its words with the people in them taken out.

Names that the forms hold, telephone numbers, e-mail and web addresses, postcodes, streets, companies, number
plates, dates of birth and every longer run of figures become placeholders of stable kinds. The way back is
kept in memory alone, so that words quoted from the masked text can be found in the original.

Too much is masked rather than too little: a placeholder costs the reader a little sense, a name left standing
costs somebody her privacy.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from rapid_response.intake.matching.folding import lower
from rapid_response.intake.matching.mined_plates import mine_plates
from rapid_response.intake.matching.plates import TIMES
from rapid_response.intake.matching.words import words
from rapid_response.intake.reading.knowledge import shipped_knowledge
from rapid_response.intake.reading.phrases import known_words


class Mask(StrEnum):
    """The placeholders. Where two overlap, the one listed first names the whole."""

    EMAIL = "[EMAIL]"
    URL = "[URL]"
    PLATE = "[PLATE]"
    ADDRESS = "[ADDRESS]"
    POSTCODE = "[POSTCODE]"
    NAME = "[NAME]"
    COMPANY = "[COMPANY]"
    DATE = "[DATE]"
    PHONE = "[PHONE]"
    AMOUNT = "[AMOUNT]"
    NUMBER = "[NUMBER]"
    OTHER = "[OTHER]"


_RANK = {mask: rank for rank, mask in enumerate(Mask)}


@dataclass(frozen=True, slots=True)
class Known:
    """What the forms hold of people and places: masked wherever the narrative repeats it."""

    names: tuple[str, ...] = ()
    companies: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    websites: tuple[str, ...] = ()
    plates: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()
    #: References and notes: masked where they are repeated as they stand.
    other: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    mask: Mask


@dataclass(frozen=True, slots=True)
class _Piece:
    """`masked[start:end]` stands for `original[from_:to]`."""

    start: int
    end: int
    from_: int
    to: int
    is_mask: bool


@dataclass(frozen=True, slots=True)
class Masked:
    """A text that may leave, and the way back from it."""

    text: str
    pieces: tuple[_Piece, ...]

    def find(self, quote: str) -> tuple[int, int] | None:
        """Where quoted words of the masked text stand in the original; None where they do not stand there.

        Capitals, blanks and the shape of quotation marks may differ: models even them out. A quotation that
        begins or ends in a placeholder stands for all that is behind it.
        """
        wanted, _ = _evened(quote.strip())
        if not _says_something(wanted):
            return None
        here, places = _evened(self.text)
        at = -1
        while (at := here.find(wanted, at + 1)) >= 0:
            end = at + len(wanted)
            if _is_edge(here, at) and _is_edge(here, end):
                return self._original(places[at], first=True), self._original(places[end - 1], first=False)
        return None

    def _original(self, at: int, *, first: bool) -> int:
        piece = next(p for p in self.pieces if p.start <= at < p.end)
        if piece.is_mask:
            return piece.from_ if first else piece.to
        return piece.from_ + at - piece.start + (0 if first else 1)


#: Fewer letters than this, or one word alone, say nothing that a claim could rest on.
_FEWEST_LETTERS = 6


def _says_something(quote: str) -> bool:
    bare = re.sub(r"\[[a-z]+\]", " ", quote)
    return len(re.findall(r"[^\W\d_]+", bare)) >= 2 and sum(c.isalpha() for c in bare) >= _FEWEST_LETTERS


_EVEN = str.maketrans("\u2018\u2019\u201b\u201c\u201d\u201e\u00b4`\u2013\u2014", "'''\"\"\"''--")


def _evened(text: str) -> tuple[str, list[int]]:
    """Small letters, single blanks, straight quotation marks; with the place of each character."""
    out: list[str] = []
    places: list[int] = []
    for at, character in enumerate(lower(text).translate(_EVEN)):
        if character.isspace():
            if out and out[-1] == " ":
                continue
            character = " "
        out.append(character)
        places.append(at)
    return "".join(out), places


def _is_edge(text: str, at: int) -> bool:
    return not (0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum())


def mask(text: str, known: Known, year: int) -> Masked:
    """The text without the people in it. `year` is the report's: dates of other years may be of birth."""
    spans = [*_known(text, known), *_found(text, year)]
    return _rebuilt(text, _merged(spans))


def _merged(spans: Iterable[_Span]) -> list[_Span]:
    """What overlaps is one placeholder, of the most telling kind."""
    merged: list[_Span] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        if span.start >= span.end:
            continue
        if merged and span.start < merged[-1].end:
            last = merged.pop()
            kind = min(last.mask, span.mask, key=lambda m: _RANK[m])
            merged.append(_Span(last.start, max(last.end, span.end), kind))
        else:
            merged.append(span)
    return merged


def _rebuilt(text: str, spans: Sequence[_Span]) -> Masked:
    out: list[str] = []
    pieces: list[_Piece] = []
    length = reached = 0

    def put(said: str, from_: int, to: int, is_mask: bool) -> None:
        nonlocal length
        if said:
            out.append(said)
            pieces.append(_Piece(length, length + len(said), from_, to, is_mask))
            length += len(said)

    for span in spans:
        put(text[reached : span.start], reached, span.start, False)
        put(span.mask.value, span.start, span.end, True)
        reached = span.end
    put(text[reached:], reached, len(text), False)
    return Masked("".join(out), tuple(pieces))


# --- what the forms hold ----------------------------------------------------------------------------------

_GAP = r"[\W_]{0,3}"


@dataclass(frozen=True, slots=True)
class _Bare:
    """A text in small letters, without accents and without what is not seen; with each character's place."""

    text: str
    places: Sequence[int]
    original: str

    def span(self, found: re.Match[str], kind: Mask) -> _Span:
        """Where it stands in the original, with whatever unseen hangs on its end."""
        end = self.places[found.end() - 1] + 1
        while end < len(self.original) and _is_unseen(self.original[end]):
            end += 1
        return _Span(self.places[found.start()], end, kind)


def _bare(text: str) -> _Bare:
    places = [at for at, character in enumerate(text) if not _is_unseen(character)]
    return _Bare("".join(_plain(text[at]) for at in places), places, text)


@cache
def _is_unseen(character: str) -> bool:
    """Combining accents, soft hyphens, characters of no width: they may stand inside a word."""
    return character > "\u00a0" and unicodedata.category(character) in ("Mn", "Me", "Cf")


@cache
def _plain(character: str) -> str:
    base = unicodedata.normalize("NFKD", character)[:1].lower()
    return base[:1] or character


def _known(text: str, known: Known) -> Iterator[_Span]:
    bare = _bare(text)
    wholes = (
        (Mask.NAME, known.names),
        (Mask.COMPANY, known.companies),
        (Mask.PHONE, known.phones),
        (Mask.EMAIL, known.emails),
        (Mask.URL, known.websites),
        (Mask.PLATE, known.plates),
        (Mask.ADDRESS, [line for address in known.addresses for line in _lines_of(address)]),
        (Mask.POSTCODE, [part for code in known.postcodes for part in (code, *code.split()[1:])]),
        (Mask.OTHER, known.other),
    )
    ordinary = _ordinary()
    for kind, values in wholes:
        # A value of one word is a matter of its capital letter, below.
        several = [t for value in values if len(t := _tokens(value)) > 1 or (t and t[0] not in ordinary)]
        yield from _wherever(bare, kind, several)
    titles = words().titles
    names = [token for name in known.names for token in _tokens(name) if token not in titles]
    yield from _each(bare, Mask.NAME, names)
    yield from _each(bare, Mask.NAME, list(_short_forms(names)), only_capital=True)
    generic = words().trade_words | words().company_endings
    companies = [t for name in known.companies for t in _tokens(name) if t not in generic]
    yield from _each(bare, Mask.COMPANY, companies)
    streets = words().street_types.keys() | words().house_nouns
    places = [t for address in known.addresses for t in _tokens(address) if t not in streets]
    yield from _each(bare, Mask.ADDRESS, [p for p in places if p not in _local()])


def _lines_of(address: str) -> Iterator[str]:
    """Each line of an address, and each without its number: “14 Larkspur Way”, “Larkspur Way”."""
    for line in re.split(r"[,;\n]", address):
        if len(_tokens(line)) < 2 and not any(c.isalpha() for c in line):
            continue
        yield line
        without = re.sub(r"^\W*\d+\w?\W+", "", line)
        if without != line and len(_tokens(without)) > 1:
            yield without


def _tokens(value: str) -> list[str]:
    return re.findall(r"[^\W_]+", _bare(value).text)


def _wherever(bare: _Bare, kind: Mask, values: Iterable[Sequence[str]]) -> Iterator[_Span]:
    """Whole values, however they are spaced."""
    wanted = [v for v in values if v and sum(map(len, v)) > 1]
    for value in sorted(wanted, key=lambda v: -sum(map(len, v))):
        joined = _GAP.join(map(re.escape, value))
        for m in re.finditer(rf"(?<![^\W_]){joined}(?![^\W_])", bare.text):
            yield bare.span(m, kind)


def _each(bare: _Bare, kind: Mask, tokens: Iterable[str], *, only_capital: bool = False) -> Iterator[_Span]:
    """Single words of a value. One that is also an ordinary word counts only with a capital letter."""
    wanted = sorted({t for t in tokens if len(t) > 1 and not t.isdigit()}, key=lambda t: (-len(t), t))
    if not wanted:
        return
    ordinary = _ordinary()
    any_of = re.compile(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, wanted))})(?![^\W_])")
    for m in any_of.finditer(bare.text):
        span = bare.span(m, kind)
        if bare.original[span.start].isupper() or not (only_capital or m[0] in ordinary):
            yield span


def _short_forms(names: Iterable[str]) -> Iterator[str]:
    """Maggie, where the form says Margaret."""
    lines = words().nicknames
    numbers = {number for name in names for number in lines.get(name, ())}
    return (name for name, its in lines.items() if its & numbers)


@cache
def _ordinary() -> frozenset[str]:
    """Words that reports are made of: as a name, they are known by their capital letter."""
    return frozenset(known_words(shipped_knowledge().index)) | words().small_words | words().plain_words


@cache
def _local() -> frozenset[str]:
    """Words of addresses that name no one's home."""
    return frozenset({"flat", "floor", "apartment", "apt", "unit", "the", "of", "and"}) | words().small_words


# --- what nobody wrote into a field -----------------------------------------------------------------------

_EMAIL = re.compile(r"[^\s@<>()\"',;:]{1,64}@[^\s@<>()\"',;:]{1,255}")
_SAID_EMAIL = re.compile(r"\b[\w.-]{1,40}(?: dot [\w-]{1,40})? at [\w-]{1,40}(?: dot [a-z]{2,10}){1,3}\b")
_URL = re.compile(r"\b(?:https?://|ftp://|www\.)[^\s<>\"]{1,500}", re.IGNORECASE)
_ENDINGS = (
    "co.uk org.uk me.uk ltd.uk gov.uk ac.uk com co uk net org info biz shop online site store xyz top io live"
    " club website app page link click services builders homes ltd me tv example"
)
_SITE = re.compile(
    r"(?<![\w.-])(?:[\w-]{1,63}\.){1,6}"
    rf"(?:{'|'.join(map(re.escape, _ENDINGS.split()))})(?![\w-])(?:/[^\s<>\"]{{0,300}})?",
    re.IGNORECASE,
)
_SAID_SITE = re.compile(
    r"\b(?:www dot )?[\w-]{1,63}(?: dot [\w-]{1,63}){0,2} dot"
    r" (?:co dot uk|org dot uk|com|uk|net|org|info|shop|online)\b"
)
#: In capitals a letter may stand where a figure belongs, as in BRI 3UH; but not in “DOB 3RD”.
_POSTCODE = re.compile(
    r"(?<![^\W_])(?:(?i:[a-z]{1,2}\d[a-z\d]?\s{0,2}\d[a-z]{2})"
    r"|[A-Z]{1,2}[\dOI][A-Z\d]?\s{0,2}\d(?!ST\b|ND\b|RD\b|TH\b)[A-Z]{2})(?![^\W_])"
)
_PLATE = re.compile(
    r"(?<![^\W_])(?:(?i:[a-z]{2}(?:\d[\doi]|[oi]\d)[ -]?[a-z]{3})"
    r"|[A-Z]\d{1,3}[ -]?[A-Z]{3}|[A-Z]{3}[ -]?\d{1,3}[A-Z])(?![^\W_])"
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]{0,6}"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_BORN = re.compile(
    r"\b(?:d\.? ?o\.? ?b\b\.?|date of birth|birthday|born)[\s:.\-]{0,4}(?:(?:on|is|was|in|the|back)\s){0,3}"
    rf"(?:the\s)?(?P<date>{_DAY}\s?(?:of\s)?{_MONTH}[\s,]{{0,2}}'?\d{{2,4}}|{_MONTH}\s{_DAY}[\s,]{{1,2}}\d{{2,4}}"
    rf"|{_DAY}\s?(?:of\s)?{_MONTH}|\d{{1,2}}[/. \-]{{1,2}}\d{{1,2}}[/. \-]{{1,2}}\d{{2,4}}|\d{{4,8}})",
    re.IGNORECASE,
)
_NUMERIC_DATE = re.compile(r"(?<!\d)\d{1,2}\s?[/.\-]\s?\d{1,2}\s?[/.\-]\s?(?P<year>\d{2,4})(?!\d)")
_ISO_DATE = re.compile(r"(?<!\d)(?P<year>\d{4})-\d{1,2}-\d{1,2}(?!\d)")
_LONG_DATE = re.compile(
    rf"\b(?:{_DAY}\s?(?:of\s)?{_MONTH}[\s,]{{1,2}}(?P<year>\d{{4}})"
    rf"|{_MONTH}\s{_DAY}[\s,]{{1,2}}(?P<year2>\d{{4}}))(?!\d)",
    re.IGNORECASE,
)
_TITLED = re.compile(
    r"\b(?i:mr|mrs|miss|ms|mx|dr|doctor|prof|professor|sir|lady|rev|reverend|cllr|councillor)\b\.?\s{1,2}"
    r"((?:[A-Z]\.?\s)?[A-Z][\w'’-]+(?:\s[A-Z][\w'’-]+){0,2})"
)
_CALLED = re.compile(
    r"\b(?i:called|named|name is|name was|name's|name’s|calls? h(?:im|er)self|known as)\s[\"“‘']?"
    r"([A-Z][\w'’-]+(?:\s[A-Z][\w'’-]+){0,2})"
)
_SPEAKS = re.compile(r"\b(?i:this is|i am|i'm|i’m)\s([A-Z][\w'’-]+\s[A-Z][\w'’-]+)")
_SECRET = re.compile(
    r"\b(?:pin|passcode|password|security code|cvv|last (?:four|4)(?: digits)?|ending|ends)\b"
    r"(?:\s(?:number|is|was|in|with|code)){0,3}[\s:]{0,2}(\d{3,4})(?!\d)",
    re.IGNORECASE,
)
_BETWEEN = r"(?:[\s.\-–—()/_*]|\u00ad|[\u200b-\u200f]){0,3}"
#: Five figures or more, whatever stands between them, short of words.
_RUN = re.compile(rf"\+?(?:\(?\d{_BETWEEN}){{4,60}}\d")
_MORE_BEFORE, _MORE_AFTER = re.compile(rf"\d{_BETWEEN}$"), re.compile(rf"{_BETWEEN}\d")
_MONEY = re.compile(r"[£$€]\s?(?:\d{1,3}(?:,\d{3})+|\d{1,4})(?:\.\d{2})?(?![\d,])")
_LARGE_SUM = re.compile(r"[£$€]\s?\d{5,}(?:\.\d{1,2})?")
_FEWEST_FIGURES, _FEWEST_OF_PHONE, _MOST_OF_PHONE = 5, 10, 15


def _found(text: str, year: int) -> Iterator[_Span]:
    lowered = lower(text)
    for kind, pattern, where in (
        (Mask.EMAIL, _EMAIL, text),
        (Mask.EMAIL, _SAID_EMAIL, lowered),
        (Mask.URL, _URL, text),
        (Mask.URL, _SITE, text),
        (Mask.URL, _SAID_SITE, lowered),
        (Mask.POSTCODE, _POSTCODE, text),
        (Mask.PLATE, _PLATE, text),
        (Mask.AMOUNT, _LARGE_SUM, text),
    ):
        for m in pattern.finditer(where):
            yield _Span(m.start(), m.end(), kind)
    for mention in mine_plates(text):
        yield _Span(mention.start, mention.end, Mask.PLATE)
    yield from _dates(text, year)
    yield from _names(text)
    yield from _streets(text)
    for m in _SECRET.finditer(text):
        yield _Span(m.start(1), m.end(1), Mask.NUMBER)
    yield from _figures(text, year)
    for m in _spoken().finditer(lowered):
        yield _Span(m.start(), m.end(), Mask.NUMBER)


def _dates(text: str, year: int) -> Iterator[_Span]:
    """Dates of birth: what is said to be one, and dates of no year near the report's."""
    for m in _BORN.finditer(text):
        yield _Span(m.start("date"), m.end("date"), Mask.DATE)
    for pattern in (_NUMERIC_DATE, _ISO_DATE, _LONG_DATE):
        for m in pattern.finditer(text):
            if not _is_recent(m, year):
                yield _Span(m.start(), m.end(), Mask.DATE)


def _is_recent(date: re.Match[str], year: int) -> bool:
    said = next(part for name, part in date.groupdict().items() if part and name.startswith("year"))
    return int(said) in (year, year - 1, year % 100, (year - 1) % 100)


def _names(text: str) -> Iterator[_Span]:
    """Names that the text itself gives away, wherever they then stand."""
    known = words()
    no_names = known.organisations | known.borrowed | frozenset(known.public_places) | known.not_names
    found: set[str] = set()
    for pattern in (_TITLED, _CALLED, _SPEAKS):
        for m in pattern.finditer(text):
            said = m[1].split()
            if any(lower(word) in no_names for word in said):
                continue
            yield _Span(m.start(1), m.end(1), Mask.NAME)
            found.update(token for word in said for token in _tokens(word) if len(token) > 2)
    yield from _each(_bare(text), Mask.NAME, sorted(found), only_capital=True)


@cache
def _street_pattern() -> tuple[re.Pattern[str], re.Pattern[str]]:
    types = "|".join(sorted(map(re.escape, words().street_types), key=len, reverse=True))
    # Words that stand between a number and a road without naming it: “two men came up the road”.
    small = "the a an my our your his her this that on in of at to up down along across from with and or men"
    other = rf"(?!(?:{'|'.join(small.split())}|people)\b)[a-z][\w'’-]{{1,30}}"
    numbered = re.compile(
        rf"\b(?:(?:flat|apartment|apt|unit)\s\w{{1,4}}[,\s]{{1,2}})?(?:no\.?\s|number\s)?\d{{1,4}}[a-z]?"
        rf"(?:\s?[-/]\s?\d{{1,4}})?[,\s]{{1,2}}(?:{other}\s){{1,3}}(?:{types})\b\.?",
        re.IGNORECASE,
    )
    nouns = "|".join(sorted({*words().street_types, *words().house_nouns}, key=len, reverse=True))
    lead = (
        r"(?!(?:The|A|An|My|Our|Your|His|Her|This|That|On|In|At|Up|Down|Along|Same|One|Both|No|Main|High)\b)"
    )
    named = re.compile(rf"\b{lead}[A-Z][\w'’-]{{1,30}}\s(?:[A-Z][\w'’-]{{1,30}}\s){{0,2}}(?i:{nouns})\b")
    return numbered, named


def _streets(text: str) -> Iterator[_Span]:
    for pattern in _street_pattern():
        for m in pattern.finditer(text):
            yield _Span(m.start(), m.end(), Mask.ADDRESS)


def _figures(text: str, year: int) -> Iterator[_Span]:
    """Telephone, card, account and sort-code numbers: five figures and more.

    Plain sums of money may stand, and so may a date of this year or the last with no other figures near it.
    """

    def without_dates(m: re.Match[str]) -> str:
        before = _MORE_BEFORE.search(text, max(0, m.start() - 4), m.start())
        goes_on = before is not None or _MORE_AFTER.match(text, m.end()) is not None
        stands = _is_recent(m, year) and "/" in m[0] and not goes_on
        return "/" * len(m[0]) if stands else m[0]

    shadow = _MONEY.sub(lambda m: "£" * len(m[0]), _NUMERIC_DATE.sub(without_dates, text))
    for m in _RUN.finditer(shadow):
        count = sum(c.isdigit() for c in m[0])
        if count < _FEWEST_FIGURES:
            continue
        digits = "".join(c for c in m[0] if c.isdigit() or c == "+")
        is_phone = digits.startswith(("0", "+", "44")) and _FEWEST_OF_PHONE <= count <= _MOST_OF_PHONE
        yield _Span(m.start(), m.end(), Mask.PHONE if is_phone else Mask.NUMBER)


@cache
def _spoken() -> re.Pattern[str]:
    """Five figures and more, read out: “oh seven seven double oh …”."""
    said = "|".join([*(k for k, v in words().digits.items() if len(v) == 1), "o", *TIMES, r"\d{1,4}"])
    word = "|".join([*(k for k, v in words().digits.items() if len(v) == 1), "o"])
    return re.compile(
        rf"\b(?:{said})(?:[\s,.\-]{{1,3}}(?:{said})){{3,60}}[\s,.\-]{{1,3}}(?:{word}|\d{{1,4}})\b"
    )
