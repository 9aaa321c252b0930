"""Two reports side by side: is it the same victim, the same house, the same caller, the same suspect?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rapid_response.intake.matching import companies, people, phones, places, plates, vehicles, websites
from rapid_response.intake.matching.match import Kind, Likeness, Match, best, together
from rapid_response.intake.matching.profile import Identifier, Profile

#: One sign after another: names, then what they are held against.
_BY_KIND: tuple[tuple[str, Callable[[str, str], Likeness | None]], ...] = (
    ("phone", phones.compare_phones),
    ("plate", plates.compare_plates),
    ("company", companies.compare_companies),
    ("website", websites.compare_websites),
)


def compare(mine: Profile, theirs: Profile) -> dict[Kind, Match]:
    """What the two have in common, by kind; what they have not is absent."""
    found = (_victim(mine, theirs), _address(mine, theirs), _caller(mine, theirs), _suspect(mine, theirs))
    return {match.kind: match for match in found if match is not None and match.confidence >= 0.3}


def names_clash(mine: Profile, theirs: Profile) -> bool:
    """Both victims are named, and not alike: two people, whatever else agrees."""
    a, b = mine.one("victim", "name"), theirs.one("victim", "name")
    return bool(a and b) and people.compare_names(a, b) < people.OTHER_NAME


def places_clash(mine: Profile, theirs: Profile) -> bool:
    """Both doors are known, and are two."""
    a, b = _door(mine), _door(theirs)
    if not a.door or not b.door:
        return bool(a.postcode and b.postcode and a.postcode != b.postcode)
    found = places.compare_addresses(a, b)
    return found is None or found.confidence < 0.5


def _door(profile: Profile) -> places.Address:
    return places.Address.from_value(profile.one("place", "address"))


def _address(mine: Profile, theirs: Profile) -> Match | None:
    found = places.compare_addresses(_door(mine), _door(theirs))
    return together(Kind.ADDRESS, [found] if found else [])


def _shares_phone(mine: Profile, theirs: Profile, role: str) -> bool:
    return bool({i.value for i in mine.of(role, "phone")} & {i.value for i in theirs.of(role, "phone")})


def _caller(mine: Profile, theirs: Profile) -> Match | None:
    """Whoever rang: the number may stand as the victim's in one and as the caller's in the other."""
    numbers = [
        {i.value for role in ("caller", "victim") for i in p.of(role, "phone")} for p in (mine, theirs)
    ]
    return Match(Kind.CALLER, 0.9, ("same caller's phone number",)) if numbers[0] & numbers[1] else None


def _victim(mine: Profile, theirs: Profile) -> Match | None:
    """A name with the place or the number that belongs to it: neither alone is a person."""
    a, b = mine.one("victim", "name"), theirs.one("victim", "name")
    names = people.compare_names(a, b) if a and b else None
    signs = []
    if _shares_phone(mine, theirs, "victim"):
        signs.append(_by_phone(names))
    place = _by_place(names, _door(mine), _door(theirs))
    if place is not None:
        signs.append(place)
    if names is not None and names < people.OTHER_NAME:
        # Two names at one number or door: a household, not a person.
        return together(Kind.VICTIM, [best(signs)]) if (best(signs) is not None) else None  # type: ignore[list-item]
    return together(Kind.VICTIM, signs)


def _by_phone(names: float | None) -> Likeness:
    if names is None:
        return Likeness(0.85, "same phone number of the victim")
    if names >= people.OTHER_NAME:
        return Likeness(0.96, "same name and phone number of the victim")
    return Likeness(0.5, "same phone number, another name")


def _by_place(names: float | None, one: places.Address, other: places.Address) -> Likeness | None:
    house = places.compare_addresses(one, other)
    if house is not None and house.confidence < 0.5:
        house = None
    if names is None:
        return Likeness(round(house.confidence * 0.72, 2), house.reason) if house else None
    if names < people.OTHER_NAME:
        return Likeness(0.35, "same house, another name") if house else None
    if house:
        sure = house.confidence if names >= people.SAME_NAME else house.confidence * 0.87
        return Likeness(round(sure, 2), f"same name, {house.reason}")
    if names < people.SAME_NAME or (one.door and other.door):
        return None
    if one.postcode and one.postcode == other.postcode:
        return Likeness(0.86, "same name and postcode")
    if one.street and one.street == other.street and not (one.postcode and other.postcode):
        return Likeness(0.72, "same name and street")
    return None


def _suspect(mine: Profile, theirs: Profile) -> Match | None:
    return together(Kind.SUSPECT, _signs(mine, theirs))


def _signs(mine: Profile, theirs: Profile) -> Iterator[Likeness]:
    for kind, likeness in _BY_KIND:
        found = best(
            _weighed(likeness(a.value, b.value), a, b)
            for a in mine.of("suspect", kind)
            for b in theirs.of("suspect", kind)
        )
        if found is not None:
            yield found
    cross = best(_sites(mine, theirs)) or best(_sites(theirs, mine))
    if cross is not None:
        yield cross
    yield from _name_signs(mine, theirs)
    yield from _vehicle_signs(mine, theirs)


def _weighed(found: Likeness | None, *of: Identifier) -> Likeness | None:
    if found is None:
        return None
    weight = min(i.weight for i in of)
    return Likeness(round(found.confidence * weight, 2), found.reason)


def _sites(mine: Profile, theirs: Profile) -> Iterator[Likeness | None]:
    for site in mine.of("suspect", "website"):
        for company in theirs.of("suspect", "company"):
            yield _weighed(websites.compare_with_company(site.value, company.value), site, company)


def _name_signs(mine: Profile, theirs: Profile) -> Iterator[Likeness]:
    a, b = mine.one("suspect", "name"), theirs.one("suspect", "name")
    if a and b and " " in a and " " in b and people.compare_names(a, b) >= people.SAME_NAME:
        yield Likeness(0.62, "same name given by the suspect")
    elif a and a == b:
        yield Likeness(0.2, "same name given by the suspect")


def _vehicle_signs(mine: Profile, theirs: Profile) -> Iterator[Likeness]:
    """Held together only where the keys brought them together: one district, days apart."""
    if any(_known_plates_differ(mine, theirs)):
        return
    for a in mine.of("suspect", "vehicle"):
        for b in theirs.of("suspect", "vehicle"):
            near = {*a.keys, *mine.looks_under} & {*b.keys, *theirs.looks_under}
            sure = vehicles.compare_vehicles(
                vehicles.Vehicle.from_value(a.value), vehicles.Vehicle.from_value(b.value)
            )
            if near and sure:
                yield Likeness(sure, "a vehicle of the same colour and kind, near in place and time")


def _known_plates_differ(mine: Profile, theirs: Profile) -> Iterator[bool]:
    a = [i.value for i in mine.of("suspect", "plate") if len(i.value) >= 6]
    b = [i.value for i in theirs.of("suspect", "plate") if len(i.value) >= 6]
    yield bool(a and b) and all(plates.compare_plates(x, y) is None for x in a for y in b)
