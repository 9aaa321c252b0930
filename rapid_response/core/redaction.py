"""Card numbers, bank details, PINs and security codes taken out of text before it is stored (domain.md 6).

One pure function for every way in. Better a harmless number lost than a card number kept; telephone numbers,
dates, sums, references and postcodes stay, because help depends on them. Passwords stay too: the word agreed
on for a visit is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

CARD = "[card number removed]"
BANK = "[bank details removed]"
PIN = "[PIN removed]"
SECURITY_CODE = "[security code removed]"
PASSCODE = "[passcode removed]"


#: An id of a row, ours or a partner's: now and then its digits would pass for an account or a card, and
#: whoever sent it names a task or a report by it.
_ID = re.compile(
    r"(?<![\w-])[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(?![\w-])",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """The text without what must never be stored; each thing taken out is named in its place."""
    parts, reached = [], 0
    for found in _ID.finditer(text):
        parts += [_redacted(text[reached : found.start()]), found[0]]
        reached = found.end()
    return "".join([*parts, _redacted(text[reached:])])


def _redacted(text: str) -> str:
    # Again until nothing is left to take out: what stood beside a removed number may now be seen for itself.
    while (kept := _once(text)) != text:
        text = kept
    return text


def _once(text: str) -> str:
    if not _MAY_HOLD.search(text):
        return text
    for take_out in _IN_ORDER:
        text = take_out(text)
    return text


# --- card numbers -----------------------------------------------------------------------------------------

_DIGIT_WORDS = {
    **{"zero": "0", "nought": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4"},
    **{"five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9"},
}
_TIMES = {"double": 2, "triple": 3}
_WORD = "|".join(_DIGIT_WORDS)
_GROUP = re.compile(rf"\d+|\b(?:(double|triple)\s+)?({_WORD}|\d(?!\d))\b", re.IGNORECASE)
#: What may stand between the groups of one number. No comma and no slash between figures: those part sums
#: and dates.
_BETWEEN = re.compile(r"[ \t\u00a0\u2009\u202f.\n\-\u2010-\u2015]{1,3}")
_BETWEEN_WORDS = re.compile(r"[\s,\-]{1,3}")
_MAY_HOLD = re.compile(rf"\d|\b(?:{_WORD})\b", re.IGNORECASE)
_SHORTEST, _LONGEST = 13, 19


@dataclass(frozen=True, slots=True)
class _Digit:
    """One digit of a run of groups, and the stretch of text that says it."""

    value: str
    start: int
    end: int
    starts_group: bool
    ends_group: bool
    #: Of a group so long that a number may stand anywhere in it.
    in_long_group: bool
    #: After a plus sign: a telephone number.
    is_phone: bool


def _without_cards(text: str) -> str:
    parts, reached = [], 0
    for run in _runs(text):
        for start, end in _cards(run):
            parts += [text[reached:start], CARD]
            reached = end
    return "".join([*parts, text[reached:]])


def _runs(text: str) -> Iterator[list[_Digit]]:
    """Groups of digits, in figures or words, that stand close enough to be one number."""
    run: list[_Digit] = []
    was_word, reached = False, 0
    for found in _GROUP.finditer(text):
        is_word = found[2] is not None
        between = text[reached : found.start()]
        fits = (_BETWEEN_WORDS if is_word and was_word else _BETWEEN).fullmatch(between)
        if run and not fits:
            yield run
            run = []
        run += _digits(text, found, is_word)
        was_word, reached = is_word, found.end()
    if run:
        yield run


def _digits(text: str, found: re.Match[str], is_word: bool) -> list[_Digit]:
    start, end = found.span()
    if is_word:
        said = found[2].lower()
        value = _DIGIT_WORDS.get(said) or str(int(said))
        return [_Digit(value, start, end, True, True, False, False)] * _TIMES.get((found[1] or "").lower(), 1)
    length, is_phone = end - start, text[:start].endswith("+")
    return [
        _Digit(
            str(int(text[at])),
            at,
            at + 1,
            at == start,
            at == end - 1,
            length > _SHORTEST,
            is_phone,
        )
        for at in range(start, end)
    ]


def _cards(run: list[_Digit]) -> Iterator[tuple[int, int]]:
    """Where card numbers stand in a run, first to last; a security code that hangs on behind one goes too."""
    values = "".join(digit.value for digit in run)
    at = 0
    while at <= len(run) - _SHORTEST:
        end = _card_end(run, values, at)
        if end is None:
            at += 1
            continue
        if 3 <= len(run) - end <= 4:
            end = len(run)
        yield run[at].start, run[end - 1].end
        at = end


def _card_end(run: list[_Digit], values: str, at: int) -> int | None:
    """Where a card number that begins here ends: the longest that fits; None where none does."""
    first = run[at]
    if first.is_phone or not (first.starts_group or first.in_long_group):
        return None
    for length in _lengths(values[at : at + 4]):
        last = run[at + length - 1] if at + length <= len(run) else None
        is_whole = last is not None and (last.ends_group or last.in_long_group)
        if is_whole and _luhn(values[at : at + length]):
            return at + length
    return None


def _lengths(first_four: str) -> Sequence[int]:
    """How long a number of that range may be, longest first; none where no card begins so.

    Kept narrow: two dates or a telephone number and a sum must not be taken for a card.
    """
    if first_four[0] in "456" or first_four.startswith("81"):
        return range(_LONGEST, _SHORTEST - 1, -1)
    if "2221" <= first_four <= "2720":  # Mastercard
        return (16,)
    if first_four.startswith(("34", "37")):  # American Express
        return (15,)
    if "3528" <= first_four <= "3589":  # JCB
        return (19, 18, 17, 16)
    # Diners
    return (14,) if first_four[:3] in _DINERS or first_four[:2] in ("36", "38", "39") else ()


_DINERS = ("300", "301", "302", "303", "304", "305", "309")


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


# --- bank details -----------------------------------------------------------------------------------------

_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ \-]?[A-Z0-9]{4}){2,7}(?:[ \-]?[A-Z0-9]{1,4})?\b", re.IGNORECASE)
_GAP = r"[ \t\u00a0\-\u2010-\u2015.]?"
_SORT = rf"(?<!\d)\d{{2}}{_GAP}\d{{2}}{_GAP}\d{{2}}(?!\d)"
_ACCOUNT = rf"(?<!\d)\d{{4}}{_GAP}\d{{4}}(?!\d)"
_IS = (
    r"(?:[\s:=,;\-\u2010-\u2015(\"'“]|"
    r"\b(?:is|was|are|number|num|no\.?|and|the|her|his|my|then|with)\b){0,12}"
)
_CODE_WORD = r"\b(?:sort[\s\-]?codes?|sortcodes?)\b"
_ACCOUNT_WORD = r"(?:\b(?:account|acct|acc)\b|\ba/c)"
_SORT_SAID = re.compile(rf"({_CODE_WORD}{_IS})({_SORT})", re.IGNORECASE)
_ACCOUNT_SAID = re.compile(rf"({_ACCOUNT_WORD}{_IS})({_ACCOUNT})", re.IGNORECASE)
_ACCOUNT_NUMBERED = re.compile(
    rf"({_ACCOUNT_WORD}\s*(?:number|num|no\.?|#){_IS})((?<!\d)\d{{6,10}}(?!\d))", re.IGNORECASE
)
_PAIR = re.compile(rf"({_SORT})([\s,;:/&]{{0,3}}{_ACCOUNT_WORD}?{_IS})({_ACCOUNT})", re.IGNORECASE)
_PAIR_TURNED = re.compile(
    rf"({_ACCOUNT})([\s,;:/&]{{1,3}}(?:{_CODE_WORD})?{_IS})"
    rf"((?<!\d)\d{{2}}[\-\u2010-\u2015]\d{{2}}[\-\u2010-\u2015]\d{{2}}(?!\d))",
    re.IGNORECASE,
)


def _without_bank_details(text: str) -> str:
    text = _IBAN.sub(lambda found: BANK if _is_iban(found[0]) else found[0], text)
    text = _PAIR.sub(_both_taken_out, text)
    text = _PAIR_TURNED.sub(_both_taken_out, text)
    for said in (_SORT_SAID, _ACCOUNT_SAID, _ACCOUNT_NUMBERED):
        text = said.sub(lambda found: found[1] + BANK, text)
    return text


def _both_taken_out(found: re.Match[str]) -> str:
    return f"{BANK}{found[2]}{BANK}" if found[2].strip() else BANK


def _is_iban(written: str) -> bool:
    joined = re.sub(r"[ \-]", "", written)
    if not 15 <= len(joined) <= 34:
        return False
    turned = joined[4:] + joined[:4]
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


# --- PINs and codes ---------------------------------------------------------------------------------------

_ONE = rf"(?:\d|\b(?:{_WORD})\b)"
_FILL = (
    r"(?:[\s:=,\-\u2010-\u2015(\"'“‘]|['’]s\b|\b(?:is|was|are|were|number|num|no|code|codes|digits?|the|its|it|"
    r"now|of|to|be|which|my|her|his|their|your|card|said|as|pin|cvv|cvc)\b){0,16}"
)
#: Not a sum, a count, or the beginning of a longer number.
_NO_MORE = (
    r"(?!\d|[ \-./:]\d|\s*(?:pounds?|quid|gbp|pence|in cash|times|people|years?|days?|hours?|minutes?)\b)"
)


def _code(low: int, high: int) -> str:
    return rf"({_ONE}(?:[ \-.,]?{_ONE}){{{low - 1},{high - 1}}}){_NO_MORE}"


def _named(names: str, low: int, high: int) -> re.Pattern[str]:
    return re.compile(rf"(\b(?:{names})\b{_FILL}){_code(low, high)}", re.IGNORECASE)


_PIN_NAMES = r"pins?|p\.i\.n\.?|chip and pin"
_CVV_NAMES = (
    r"cvv2?|cvc2?|csc|card security (?:code|number)|security (?:code|number)|"
    r"(?:last )?(?:3|three) (?:digits?|numbers?|figures?) (?:on|from|at) the (?:back|reverse)"
)
_PASSCODE_NAMES = (
    r"otp|one[\s\-]time (?:pass)?\s?(?:codes?|passwords?|pins?|numbers?)|pass\s?codes?|"
    r"(?:verification|authentication|authorisation|authorization|confirmation) (?:codes?|pins?)"
)
_SAID: tuple[tuple[re.Pattern[str], str], ...] = (
    (_named(_PASSCODE_NAMES, 4, 8), PASSCODE),
    (_named(_CVV_NAMES, 3, 4), SECURITY_CODE),
    (_named(_PIN_NAMES, 4, 6), PIN),
)
_PIN_AFTER = re.compile(
    rf"(?<![\d£$€])(?<![\d£][ \-.,/:]){_code(4, 6)}"
    r"((?:\s(?:is|was|as|being)\s|\s?\()(?:(?:my|her|his|their|the|your)\s)?(?:card )?pin\b)",
    re.IGNORECASE,
)


def _without_codes(text: str) -> str:
    for pattern, name in _SAID:
        text = pattern.sub(lambda found, name=name: found[1] + name, text)  # type: ignore[misc]
    return _PIN_AFTER.sub(lambda found: PIN + found[2], text)


_IN_ORDER: tuple[Callable[[str], str], ...] = (_without_cards, _without_bank_details, _without_codes)
