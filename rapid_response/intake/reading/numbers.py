"""Numbers as people write them: 2k, four grand, twelve hundred, eighty-four, the fourteen goes."""

from __future__ import annotations

_SPELLED = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
UNITS = {word: value for value, word in enumerate(_SPELLED.split(), start=1)}
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
TENS = {word: 10 * value for value, word in enumerate(_TENS.split(), start=2)}
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
    """The number spelled from `at`: value, words used (0 if none), whether a hundred or more was named."""
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
        elif (
            word == "half"
            and scaled is False
            and i > at + 1
            and words[i - 1] == "a"
            and words[i - 2] == "and"
        ):
            current += 0.5
        elif (
            word == "a"
            and i == at
            and i + 1 < end
            and words[i + 1] in ("hundred", "thousand", "grand", "million")
        ):
            current = 1
        elif (word == "and" and i > at and _goes_on(words, i, end, scaled)) or (
            word == "a" and i > at and words[i - 1] == "and" and i + 1 < end and words[i + 1] == "half"
        ):
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
