"""Cuts a folded text into a Passage: one pass over the characters, one over the pieces."""

from __future__ import annotations

import re

from rapid_response.intake.reading.folding import Folded
from rapid_response.intake.reading.numbers import (
    DECADES,
    MONEY_SCALES,
    TENS,
    UNITS,
    plain_number,
    spelled_number,
)
from rapid_response.intake.reading.passage import AGE, CLOCK, DECADE, LINK, MONEY, NUMBER, Passage
from rapid_response.intake.reading.spelling import Spelling

# Every alternative is bounded or eats what it looks at, so that the scan stays linear on hostile text.
_PIECE = re.compile(
    r"""(?P<link>https?://\S+|www\.\S+|[\w.+-]{1,64}@[\w.-]{1,64}\.[a-z]{2,10})
    |(?P<clock>\d{1,2}(?:[:.]\d{2})?\s?[ap]\.?m\b\.?|\d{1,2}:\d{2}(?!\d)|\b[012]\d[0-5]\dh(?:rs)?\b)
    |(?P<money>[£$€]\s?\d{1,12}(?:,\d{3})*(?:\.\d{1,2})?(?:\s?(?:k|grand|thousand|million|mil|m|bn)\b)?)
    |(?P<slashed>[a-z]/[a-z](?![a-z/]))
    |(?P<num>\d{1,12}(?:,\d{3})*(?:\.\d{1,2})?(?:[a-z]{1,6}\b)?)
    |(?P<word>[^\W\d_]+(?:'[^\W\d_]+)*)
    |(?P<stop>[.!?;\n]+)
    |(?P<dash>\s-+\s)
    |(?P<clause>[,:()])
    |(?P<quote>")
    |(?P<apostrophe>')""",
    re.VERBOSE,
)
_ORDINALS = ("st", "nd", "rd", "th")
_AGE_ENDINGS = ("yo", "yr", "yrs", "y", "yrold")
_MONEY_ENDINGS = {"quid": 1, "pound": 1, "pounds": 1, "gbp": 1, "k": 1_000, "grand": 1_000, "ish": 1}
_MONEY_WORDS = frozenset(["pound", "pounds", "quid", "squid", "gbp", "sterling", "notes"])
_SCALE_VALUES = {"k": 1e3, "grand": 1e3, "thousand": 1e3, "million": 1e6, "mil": 1e6, "m": 1e6, "bn": 1e9}


def cut(folded: Folded, spelling: Spelling) -> Passage:
    """The passage of a folded text; offsets are those of the original."""
    return _Cutter(folded, spelling).run()


class _Cutter:
    def __init__(self, folded: Folded, spelling: Spelling) -> None:
        self.text, self.origins = folded.text, folded.origins
        self.span = folded.span
        self.plainly = spelling.plainly
        self.out = Passage()
        self.clause = 0
        self.sentence_from = 0
        self.in_quote = False
        self.in_single = False

    def run(self) -> Passage:
        for match in _PIECE.finditer(self.text):
            group = match.lastgroup
            if group == "word":
                self._word(match.group(), match.start(), match.end())
            elif group == "stop" or group == "dash":
                self._end_sentence(asks="?" in match.group())
            elif group == "clause":
                self.clause += 1
            elif group == "quote":
                self.in_quote = not self.in_quote
                self.clause += 1
            elif group == "apostrophe":
                self._apostrophe(match.start())
            else:
                self._special(str(group), match.group(), match.start(), match.end())
        self._end_sentence()
        out = self.out
        for number, (begin, finish) in enumerate(zip(out.begins, out.finishes, strict=True)):
            out.sentences.extend([number] * (finish - begin))
        return out

    def _add(self, word: str, kind: str, value: float, start: int, end: int) -> None:
        if self.origins is not None:
            start, end = self.span(start, end)
        out = self.out
        out.words.append(word)
        out.kinds.append(kind)
        out.values.append(value)
        out.starts.append(start)
        out.ends.append(end)
        out.clauses.append(self.clause)
        out.quoted.append(self.in_quote or self.in_single)

    def _word(self, word: str, start: int, end: int) -> None:
        if self.origins is not None:
            start, end = self.span(start, end)
        out, clause, quoted = self.out, self.clause, self.in_quote or self.in_single
        for plain in self.plainly(word):
            out.words.append(plain)
            out.kinds.append("")
            out.values.append(0.0)
            out.starts.append(start)
            out.ends.append(end)
            out.clauses.append(clause)
            out.quoted.append(quoted)

    def _end_sentence(self, asks: bool = False) -> None:
        self.clause += 1
        here = len(self.out.words)
        if here > self.sentence_from:
            here = gather_numbers(self.out, self.sentence_from)
            self.out.begins.append(self.sentence_from)
            self.out.finishes.append(here)
            self.out.asks.append(asks)
            self.sentence_from = here

    def _apostrophe(self, at: int) -> None:
        before = self.text[at - 1] if at else " "
        after = self.text[at + 1] if at + 1 < len(self.text) else " "
        if not self.in_single and not before.isalnum() and after.isalnum():
            self.in_single = True
        elif self.in_single and not after.isalnum():
            self.in_single = False

    def _special(self, group: str, piece: str, start: int, end: int) -> None:
        if group == "money":
            self._add(MONEY, MONEY, _money_value(piece), start, end)
        elif group == "num":
            self._number(piece, start, end)
        elif group == "slashed":
            self._word(piece, start, end)
        elif group == "clock":
            self._add(CLOCK, CLOCK, _clock_value(piece), start, end)
        else:
            self._add(LINK, LINK, 0.0, start, end)

    def _number(self, piece: str, start: int, end: int) -> None:
        digits = piece.rstrip("abcdefghijklmnopqrstuvwxyz")
        ending = piece[len(digits) :]
        value, cut_at = plain_number(digits), start + len(digits)
        if not ending:
            self._add(digits, NUMBER, value, start, end)
        elif ending == "s" and value in (50, 60, 70, 80, 90, 65, 75, 85):
            self._add(DECADE, DECADE, value, start, end)
        elif ending in _ORDINALS:
            self._add(piece, "", value, start, end)
        elif ending in _AGE_ENDINGS:
            self._add(AGE, AGE, value, start, end)
        elif ending in _MONEY_ENDINGS:
            self._add(MONEY, MONEY, value * _MONEY_ENDINGS[ending], start, end)
        else:
            self._add(digits, NUMBER, value, start, cut_at)
            self._word(ending, cut_at, end)


def _money_value(piece: str) -> float:
    number = piece.lstrip("£$€ ")
    digits = number.rstrip("abcdefghijklmnopqrstuvwxyz ")
    return plain_number(digits) * _SCALE_VALUES.get(number[len(digits) :].strip(), 1.0)


def _clock_value(piece: str) -> float:
    """Hours since midnight; without am or pm as written (the reader of times decides)."""
    digits = piece.rstrip("apmhrs. ")
    hours, _, minutes = digits.replace(".", ":").partition(":")
    if not minutes and len(hours) == 4:
        hours, minutes = hours[:2], hours[2:]
    value = float(hours) + float(minutes or 0) / 60
    if "p" in piece and value < 12:
        value += 12
    if "a" in piece and 12 <= value < 13:
        value -= 12
    return value


def gather_numbers(out: Passage, begin: int) -> int:
    """Joins spelled numbers, scales and currencies of the last sentence into one word each; its new end."""
    words, kinds = out.words, out.kinds
    here = begin
    while here < len(words):
        word, kind = words[here], kinds[here]
        if kind == "" and (word in UNITS or word in TENS or word == "a"):
            end = here + 1
            while end < len(words) and out.clauses[end] == out.clauses[here]:
                end += 1
            value, used, scaled = spelled_number(words, here, end)
            if used == 1 and here + 1 < end and _spoken_hundreds(words, here):
                value, used = value * 100 + TENS[words[here + 1]], 2
            if used > 1 or word in TENS:
                _join(
                    out, here, used, MONEY if scaled and _sum_of_money(words, here + used) else NUMBER, value
                )
            elif used == 1 and word != "a":
                kinds[here], out.values[here] = NUMBER, value
        elif kind == "" and word in DECADES:
            words[here], kinds[here], out.values[here] = DECADE, DECADE, DECADES[word]
        _join_currency(out, here)
        here += 1
    return len(words)


def _spoken_hundreds(words: list[str], here: int) -> bool:
    """ "Fourteen fifty", "two eighty": a price as it is spoken (and not an hour or a year)."""
    if words[here + 1] not in TENS or words[here + 1] in ("thirty", "twenty", "forty"):
        return False
    if words[here] == "nineteen" or words[here] not in UNITS or words[here] == "one":
        return False
    return here == 0 or words[here - 1] not in _BEFORE_AN_HOUR


_BEFORE_AN_HOUR = frozenset({"at", "by", "till", "til", "before", "after", "about", "around"})


_COUNTED = frozenset(
    [
        "people",
        "homes",
        "houses",
        "miles",
        "yards",
        "metres",
        "feet",
        "years",
        "times",
        "members",
        "pensioners",
        "residents",
        "others",
        "leaflets",
        "letters",
        "calls",
        "emails",
        "acres",
        "members",
        "families",
        "flats",
        "bricks",
        "tiles",
    ]
)


def _sum_of_money(words: list[str], after: int) -> bool:
    return after >= len(words) or words[after] not in _COUNTED


def _join_currency(out: Passage, here: int) -> None:
    """`400` `quid` and `2` `grand` and `£3` `thousand` become one amount."""
    words, kinds = out.words, out.kinds
    if kinds[here] not in (NUMBER, MONEY) or here + 1 >= len(words):
        return
    after = words[here + 1]
    if after in MONEY_SCALES and after != "hundred" and out.values[here] < 1000:
        _join(out, here, 2, MONEY, out.values[here] * (1e6 if after == "million" else 1e3))
    if here + 1 < len(words) and words[here + 1] in _MONEY_WORDS:
        _join(out, here, 2, MONEY, out.values[here])


def _join(out: Passage, at: int, used: int, kind: str, value: float) -> None:
    out.words[at] = kind if kind == MONEY else _figure(value)
    out.kinds[at], out.values[at], out.ends[at] = kind, value, out.ends[at + used - 1]
    for column in (out.words, out.kinds, out.values, out.starts, out.ends, out.clauses, out.quoted):
        del column[at + 1 : at + used]


def _figure(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
