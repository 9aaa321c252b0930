"""Numbers as people write them: 2k, four grand, twelve hundred, eighty-four, the fourteen goes."""

from __future__ import annotations

UNITS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19,
}  # fmt: skip
TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
}  # fmt: skip
DECADES = {
    "fifties": 50, "sixties": 60, "seventies": 70, "eighties": 80, "nineties": 90,
}  # fmt: skip
SCALES = {"hundred": 100, "thousand": 1_000, "grand": 1_000, "million": 1_000_000, "k": 1_000}
MONEY_SCALES = {"hundred", "thousand", "grand", "million", "k"}


def plain_number(digits: str) -> float:
    """The value of `12,500.50`; 0 for runs of digits too long to be an amount."""
    digits = digits.replace(",", "")
    if len(digits) > 12:
        return 0.0
    try:
        return float(digits)
    except ValueError:
        return 0.0


def spelled_number(words: list[str], at: int, end: int) -> tuple[float, int, bool]:
    """The number spelled from `at` (value, words used, whether a hundred or more was named); 0 used if none."""
    total, current, used, scaled, i = 0.0, 0.0, 0, False, at
    while i < end:
        word = words[i]
        if word in UNITS and (current % 10 == 0 and current % 100 != 10):
            current += UNITS[word]
        elif word in TENS and current % 100 == 0:
            current += TENS[word]
        elif word in SCALES and (i > at):
            scale = SCALES[word]
            scaled = True
            if scale == 100:
                current = (current or 1) * 100
            else:
                total += (current or 1) * scale
                current = 0
        elif word == "half" and scaled is False and i > at + 1 and words[i - 1] == "a" and words[i - 2] == "and":
            current += 0.5
        elif word == "a" and i == at and i + 1 < end and words[i + 1] in ("hundred", "thousand", "grand", "million"):
            current = 1
        elif word == "and" and i > at and _goes_on(words, i, end, scaled):
            i += 1
            continue
        elif word == "a" and i > at and words[i - 1] == "and" and i + 1 < end and words[i + 1] == "half":
            i += 1
            continue
        else:
            break
        i += 1
        used = i - at
    return total + current, used, scaled


def _goes_on(words: list[str], at: int, end: int, scaled: bool) -> bool:
    """Whether an "and" belongs to the number: two hundred AND fifty, three AND a half thousand."""
    if at + 1 >= end:
        return False
    after = words[at + 1]
    if scaled:
        return after in UNITS or after in TENS
    return after == "a" and at + 3 < end and words[at + 2] == "half" and words[at + 3] in SCALES
