"""Addresses as people write them: flats, house names, short forms, half of them missing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from rapid_response.intake.matching.folding import plain, sound
from rapid_response.intake.matching.match import Likeness
from rapid_response.intake.matching.words import words

_POSTCODE = re.compile(r"\b([a-z]{1,2}\d[a-z\d]?)\s*(\d[a-z]{2})\b")
#: In a field of its own, a letter may stand where a figure belongs: BRI 3UH, BR1 3UH.
_LENIENT = re.compile(r"([a-z]{1,2})([\dio][a-z\d]?)([\dio])([a-z]{2})")
_FLAT = re.compile(
    r"\b(?:flat|apartment|apt|unit|room|maisonette|studio|fl)\s*(?:no|number)?\s*([0-9]{1,4}[a-z]?|[a-z])\b"
)
_FLOOR = re.compile(
    r"\b(basement|ground|garden|first|1st|second|2nd|third|3rd|top) floor(?: flat)?\b"
    r"|\b(basement|garden) flat\b"
)
#: “14”, “14a”, and the first of “14-16”.
_NUMBER = re.compile(r"\b(\d{1,4})([a-z])?(?: (?:to )?\d{1,4}[a-z]?(?= [a-z]))?\b")
_LEAD = re.compile(r"^(?:no|number|house|house number|at)\s+(?=\d)")
_FIGURE = str.maketrans("io", "10")
#: Streets at least this alike are one, misspelt.
_STREET = 84


@dataclass(frozen=True, slots=True)
class Address:
    """What of an address tells one door from another; empty where it was not said."""

    flat: str = ""
    number: str = ""
    name: str = ""
    street: str = ""
    postcode: str = ""

    @property
    def door(self) -> str:
        """The house's number, or its name."""
        return self.number or self.name

    def to_value(self) -> str:
        """As it is stored."""
        return "|".join((self.flat, self.number, self.name, self.street, self.postcode))[:200]

    @staticmethod
    @lru_cache(maxsize=4096)
    def from_value(value: str) -> Address:
        """The inverse of :meth:`to_value`."""
        return Address(*(value.split("|") + [""] * 5)[:5])


def normalise_postcode(text: str) -> str:
    """A whole postcode without its blank, in small letters; empty where it is none."""
    squeezed = plain(text).replace(" ", "")
    if found := _POSTCODE.fullmatch(squeezed):
        return found[1] + found[2]
    if found := _LENIENT.fullmatch(squeezed):
        return found[1] + found[2].translate(_FIGURE) + found[3].translate(_FIGURE) + found[4]
    return ""


def district(postcode: str) -> str:
    """The outward half: `br1` of `br13uh`."""
    return postcode[:-3]


def normalise_address(text: str, postcode: str = "") -> Address:
    """Reads an address line and the postcode beside it."""
    lines = [" ".join(t for t in plain(line).split() if t != "the") for line in re.split(r"[,;\n]", text)]
    code = normalise_postcode(postcode)
    for at, line in enumerate(lines):
        if found := _POSTCODE.search(line):
            code = code or found[1] + found[2]
            lines[at] = _POSTCODE.sub(" ", line).strip()
    flat, lines = _take_flat([line for line in lines if line])
    number, letter, name, street = _house(lines)
    if flat and name and not number:
        # “Flat 3, Elm Court” and “3 Elm Court” are one door.
        return Address("", flat, "", _street(name), code)
    return Address(flat or letter, number, name, street, code)


def _take_flat(lines: list[str]) -> tuple[str, list[str]]:
    flat, rest = "", []
    for line in lines:
        found = _FLAT.search(line) or _FLOOR.search(line)
        if found and not flat:
            flat = next(part for part in found.groups() if part)
            line = f"{line[: found.start()]} {line[found.end() :]}".strip()
        if line:
            rest.append(" ".join(line.split()))
    return flat, rest


def _house(lines: list[str]) -> tuple[str, str, str, str]:
    """Number, its letter, the house's name, the street."""
    name = ""
    for at, line in enumerate(lines):
        line = _LEAD.sub("", line)
        found = _NUMBER.search(line)
        if found:
            name = name or _named(line[: found.start()].strip())
            after = line[found.end() :].strip() or (lines[at + 1] if at + 1 < len(lines) else "")
            return found[1].lstrip("0"), found[2] or "", name, _street(after)
        name = name or _named(line)
    for line in lines:
        rest = line.removeprefix(name).strip() if name else line
        if rest and any(word in words().street_types for word in rest.split()[1:]):
            return "", "", name or _unnamed(lines, line), _street(rest)
    return "", "", name, ""


def _named(line: str) -> str:
    """“rose cottage” of “rose cottage church lane”; empty where no house has a name there."""
    tokens = line.split()
    for at, token in enumerate(tokens[:4]):
        if at and token in words().house_nouns:
            after = tokens[at + 1] if at + 1 < len(tokens) else ""
            return "" if after in words().street_types else " ".join(tokens[: at + 1])
    return ""


def _unnamed(lines: list[str], street: str) -> str:
    """A first line that is no street is the house's name: “Fairholme, Church Lane”."""
    return lines[0] if lines[0] != street and len(lines[0].split()) <= 3 else ""


def _street(text: str) -> str:
    """Up to the word that says what kind of street it is, that word in its short form.

    “park hill road” ends in the last of a run of such words, “church road bromley common” in the first.
    """
    tokens = text.split()[:6]
    known = words().street_types
    for at in range(1, len(tokens)):
        if tokens[at] in known and not (at + 1 < len(tokens) and tokens[at + 1] in known):
            return " ".join((*tokens[:at], known[tokens[at]]))
    return " ".join(tokens[:2])


def is_public_place(text: str) -> bool:
    """Whether people are helped here who do not live here: a bank branch, a shop."""
    said = f" {plain(text)} "
    return any(f" {place} " in said for place in words().public_places)


def _name_of(street: str) -> str:
    tokens = street.split()
    kinds = words().street_types.values()
    return " ".join(tokens[:-1]) if len(tokens) > 1 and tokens[-1] in kinds else street


def street_sound(street: str) -> str:
    """How the street's name sounds, without its kind."""
    return sound(_name_of(street))


def address_keys(address: Address) -> tuple[str, ...]:
    """Door and postcode, door and street: a slip in one leaves the other. No door, no key."""
    if not address.door:
        return ()
    door = address.number or sound(address.name)
    keys = []
    if address.postcode:
        keys.append(f"{door}@{address.postcode}")
    if address.street:
        keys.append(f"{door}@{street_sound(address.street)}")
    return tuple(keys)


def compare_addresses(one: Address, other: Address) -> Likeness | None:
    """Two doors; neighbours in one street are two, and so are two flats of one house."""
    if not one.door or not other.door or not _same_door(one, other):
        return None
    found = _same_street(one, other)
    if found is None:
        return None
    if one.flat and other.flat and one.flat != other.flat:
        return Likeness(0.3, "same building, another flat")
    if one.flat != other.flat:
        return Likeness(round(found.confidence * 0.87, 2), f"{found.reason}, the flat not always said")
    return found


def _same_door(one: Address, other: Address) -> bool:
    if one.number and other.number:
        return one.number == other.number
    return bool(one.name and other.name) and fuzz.ratio(one.name, other.name) >= _STREET


def _same_street(one: Address, other: Address) -> Likeness | None:
    streets = _alike_streets(one.street, other.street)
    if one.postcode and one.postcode == other.postcode:
        # One postcode may hold two short streets; a house's number can then come twice.
        if streets is False:
            return Likeness(0.6, "same house number and postcode, the street written otherwise")
        return Likeness(0.97, "same house and postcode")
    if not streets:
        return None
    if one.postcode and other.postcode:
        if district(one.postcode) == district(other.postcode) or _slip(one.postcode, other.postcode):
            return Likeness(0.84, "same house and street, the postcodes nearly the same")
        return None
    return Likeness(0.85, "same house number and street")


def _slip(one: str, other: str) -> bool:
    return len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) == 1


def _alike_streets(one: str, other: str) -> bool | None:
    """None where one is not known."""
    if not one or not other:
        return None
    if one == other:
        return True
    a, b = _name_of(one), _name_of(other)
    kinds = one.removeprefix(a).strip(), other.removeprefix(b).strip()
    if all(kinds) and kinds[0] != kinds[1]:
        return False
    if max(fuzz.ratio(a, b), fuzz.partial_ratio(a, b) if not all(kinds) else 0) >= _STREET:
        return True
    return sound(a) == sound(b) and fuzz.ratio(a, b) >= 60
