"""Websites and company names in a narrative."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

from rapid_response.intake.matching.companies import normalise_company
from rapid_response.intake.matching.folding import lower
from rapid_response.intake.matching.mentions import MOST_TRIED, Mention
from rapid_response.intake.matching.websites import normalise_website
from rapid_response.intake.matching.words import words

_ENDINGS = (
    "co.uk org.uk me.uk ltd.uk com co uk net org info biz shop online site store xyz top io live club website"
    " app page link click services builders homes ltd"
)
_SITE = re.compile(
    r"(?<![@\w.-])(?:https?://|www\.)?(?:[\w-]{2,63}\.){1,6}"
    rf"(?:{'|'.join(map(re.escape, _ENDINGS.split()))})(?![\w@-]|\.\w)(?:/[\w./-]{{1,80}})?",
    re.IGNORECASE,
)
_SAID_SITE = re.compile(
    r"\b(?:www dot )?([a-z0-9-]{3,63}) dot (?:co dot uk|com|uk|org dot uk|net|org|info|shop)\b"
)
#: A company read out of prose is a little less sure than one written into its field.
_READ = 0.9


def mine_websites(text: str) -> Iterator[Mention]:
    """Web addresses, written or said; not those of e-mail addresses."""
    lowered = lower(text)
    said = _SAID_SITE.finditer(lowered) if " dot " in lowered else ()
    for m in (*islice(_SITE.finditer(text), MOST_TRIED), *said):
        site = normalise_website(m[0])
        if site is not None:
            yield Mention("website", m.start(), m.end(), site)


@dataclass(frozen=True, slots=True)
class _Names:
    """How companies are named; in vain, and so not looked for, where the text has none of `marks`."""

    pattern: re.Pattern[str]
    marks: tuple[str, ...] = ()

    def found_in(self, text: str, lowered: str) -> Iterator[re.Match[str]]:
        if not self.marks or any(mark in lowered for mark in self.marks):
            yield from islice(self.pattern.finditer(text), MOST_TRIED)


@cache
def _patterns() -> tuple[_Names, ...]:
    known = words()
    name = r"(?:[A-Z][\w'’-]*|&|and|of)"
    endings = "|".join(known.name_endings)
    named = (
        f"(?:{'|'.join(map(re.escape, known.named_by))}"
        f"|(?:{'|'.join(known.named_on)})s? (?:that )?(?:said|says|saying|had|read|reads|marked))"
    )
    ends_as_they_do = tuple({lower(ending) for ending in known.name_endings})
    called_so = rf"\b{named}:? [\"“‘']?((?:[a-z][\w'’-]* ){{1,3}}(?:{lower(endings)})(?: (?:ltd|limited))?)\b"
    return (
        _Names(
            re.compile(rf"\b({name}(?: {name}){{0,4}} (?:{endings})(?: (?:{endings})){{0,2}})\b"),
            ends_as_they_do,
        ),
        _Names(re.compile(rf"\b{named}:? [\"“‘']?({name}(?: {name}){{0,4}})")),
        _Names(re.compile(called_so, re.IGNORECASE), ends_as_they_do),
        _Names(re.compile(r"\b((?:[a-z][\w'’-]+ ){1,3}ltd)\b"), ("ltd",)),
    )


def mine_companies(text: str) -> Iterator[Mention]:
    """Names that end as companies' do, or that follow words such as “trading as”."""
    lowered = lower(text)
    for names in _patterns():
        for m in names.found_in(text, lowered):
            start, said = _without_lead(m.start(1), m[1])
            company = normalise_company(said)
            if company is not None and len(company) > 3 and (" " in company or len(company) > 5):
                yield Mention("company", start, start + len(said), company, _READ)


def _without_lead(start: int, said: str) -> tuple[int, str]:
    """Words that open a sentence are no part of a name: “They called from Apex Roofing”."""
    while (cut := said.partition(" "))[2] and cut[0].lower() in words().not_names:
        start += len(cut[0]) + 1
        said = cut[2]
    return start, said
