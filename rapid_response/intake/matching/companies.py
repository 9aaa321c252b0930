"""Names of traders, and names that they borrow."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA
from rapidfuzz.process import extractOne

from rapid_response.intake.matching.folding import plain, sound
from rapid_response.intake.matching.match import Likeness
from rapid_response.intake.matching.words import words

_NEAR = 84


def normalise_company(text: str) -> str | None:
    """The name in plain words without Ltd and the like; None for a name that anybody borrows (a bank, BT)."""
    tokens = plain(re.sub(r"[&+]", " and ", text)).split()
    if _is_borrowed(" ".join(tokens)) or words().company_endings.issuperset(tokens):
        return None
    while len(tokens) > 1 and tokens[-1] in words().company_endings:
        tokens.pop()
    tokens = [_trade(part) for token in tokens for part in _apart(token)]
    name = " ".join(t for t in tokens if t != "and")[:120]
    return name if len(name) > 1 and not _is_borrowed(" ".join(tokens)) and not _is_borrowed(name) else None


def _is_borrowed(name: str) -> bool:
    return name in words().borrowed or name.removeprefix("the ") in words().borrowed


@cache
def _long_trade_words() -> tuple[str, ...]:
    return tuple(sorted((w for w in words().trade_words if len(w) >= 6), key=lambda w: (-len(w), w)))


def _apart(token: str) -> list[str]:
    """“kingfisherroofing” as its two words."""
    for word in _long_trade_words():
        if token.endswith(word) and len(token) - len(word) >= 3:
            return [*_apart(token[: -len(word)]), word]
    return [token]


@lru_cache(maxsize=8192)
def _trade(token: str) -> str:
    """A word of the trade, misspelt by one letter, as it is written."""
    if len(token) < 5 or token in words().trade_words:
        return token
    found = extractOne(token, _long_trade_words(), scorer=OSA.distance, score_cutoff=1)
    return found[0] if found else token


def own_words(company: str) -> list[str]:
    """The words of a normalised name that other traders do not share."""
    return [t for t in company.split() if t not in words().trade_words]


def company_keys(company: str) -> tuple[str, ...]:
    """Start, end and sound of its own words: one misspelling leaves one of them right.

    A name made of shared words alone is found only whole.
    """
    own = own_words(company)
    whole = company.replace(" ", "")
    if not own:
        return (f"={whole}",)
    joined = "".join(own)
    keys = [f"={whole}", f"~{sound(own[0])}"]
    if len(joined) >= 5:
        keys += [f"{joined[:4]}*", f"*{joined[-4:]}"]
    return tuple(dict.fromkeys(keys))


def compare_companies(one: str, other: str) -> Likeness | None:
    """Two normalised names."""
    mine, theirs = own_words(one), own_words(other)
    if one.replace(" ", "") == other.replace(" ", ""):
        sure = 0.92 if mine else 0.7
        return Likeness(sure if len(one) > 4 else 0.6, "same company name")
    if not mine or not theirs:
        return None
    own = fuzz.ratio(" ".join(mine), " ".join(theirs))
    squeezed = fuzz.ratio("".join(mine), "".join(theirs))
    shortest = min(len("".join(mine)), len("".join(theirs)))
    alike = max(own, squeezed)
    # Short names are near each other by chance: Apex and Alex are two firms.
    if alike < (100 if shortest < 5 else _NEAR):
        return None
    whole = fuzz.token_sort_ratio(one, other)
    if whole >= _NEAR:
        return Likeness(0.82, "company name nearly the same")
    if _is_shorter_form(one, other):
        return Likeness(0.74 if alike == 100 else 0.64, "company name is a shorter form of the other")
    # The same rare word with another trade behind it: Kingfisher Roofing, Kingfisher Driveways.
    return Likeness(0.62 if alike == 100 and shortest >= 6 else 0.4, "company name shares its rarest word")


def _is_shorter_form(one: str, other: str) -> bool:
    shorter, longer = sorted((one.split(), other.split()), key=len)
    return len(shorter) < len(longer) and all(max(fuzz.ratio(s, t) for t in longer) >= _NEAR for s in shorter)
