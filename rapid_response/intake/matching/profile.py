"""All that identifies somebody in one report, normalised, with the keys by which an index finds it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from rapid_response.intake.matching import companies, people, phones, places, plates, vehicles, websites
from rapid_response.intake.matching.folding import plain
from rapid_response.intake.matching.mentions import Mention
from rapid_response.intake.matching.mining import mine
from rapid_response.intake.matching.words import words

#: A vehicle without its registration is looked for on the days around only.
VEHICLE_DAYS = 2


@dataclass(frozen=True, slots=True)
class Identifier:
    """One normalised value. `role` is whose it is; no key where it only helps to compare."""

    role: str
    kind: str
    value: str
    keys: tuple[str, ...] = ()
    #: Below 1 where it is taken from the narrative and may be another's.
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Profile:
    """The identifiers of a report; rebuilt from what was stored for an earlier one."""

    identifiers: tuple[Identifier, ...] = ()
    #: Further keys to look under: a vehicle's neighbouring days.
    looks_under: tuple[str, ...] = ()
    mentions: tuple[Mention, ...] = field(default=(), compare=False)
    _by_kind: dict[tuple[str, str], list[Identifier]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        for identifier in self.identifiers:
            self._by_kind.setdefault((identifier.role, identifier.kind), []).append(identifier)

    def of(self, role: str, kind: str) -> list[Identifier]:
        """The identifiers of one kind."""
        return self._by_kind.get((role, kind), [])

    def one(self, role: str, kind: str) -> str:
        """The value of the only identifier of a kind; empty where there is none."""
        found = self.of(role, kind)
        return found[0].value if found else ""

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys to look under."""
        return tuple(dict.fromkeys((*self.own_keys, *self.looks_under)))

    @property
    def own_keys(self) -> tuple[str, ...]:
        """All keys to be found under."""
        return tuple(dict.fromkeys(key for i in self.identifiers for key in i.keys))

    def to_json(self) -> list[Any]:
        """What a later report is compared with; of keys only the vehicle's, which say where and when."""
        return [
            [i.role, i.kind, i.value, i.weight, list(i.keys) if i.kind == "vehicle" else []]
            for i in self.identifiers
        ]

    @classmethod
    def from_json(cls, stored: Iterable[Any]) -> Profile:
        """The inverse of :meth:`to_json`."""
        return cls(
            tuple(
                Identifier(role, kind, value, tuple(keys), weight)
                for role, kind, value, weight, keys in stored
            )
        )


@dataclass(frozen=True, slots=True)
class Told:
    """The parts of a report that identify; ages, health and free facts are not among them."""

    narrative: str
    on: date
    caller: Mapping[str, Any] = field(default_factory=dict)
    victim: Mapping[str, Any] = field(default_factory=dict)
    location: Mapping[str, Any] = field(default_factory=dict)
    suspect: Mapping[str, Any] = field(default_factory=dict)


def identify(told: Told) -> Profile:
    """The profile of what was told; never raises, whatever it says."""
    mentions = mine(told.narrative)
    address = _address(told.location)
    found = [*_people(told, address), *_suspect(told, mentions)]
    vehicle = vehicles.find_vehicle(str(told.suspect.get("description") or "")) or vehicles.find_vehicle(
        told.narrative
    )
    looks: list[str] = []
    if vehicle is not None:
        areas = _areas(told.location, address)
        days = [told.on + timedelta(days=d) for d in range(-VEHICLE_DAYS, VEHICLE_DAYS + 1)]
        looks = [f"suspect:vehicle:{vehicle.key(a, d.isoformat())}" for a in areas for d in days]
        keys = tuple(f"suspect:vehicle:{vehicle.key(a, told.on.isoformat())}" for a in areas)
        found.append(Identifier("suspect", "vehicle", vehicle.to_value(), keys))
    return Profile(tuple(_once(found)), tuple(looks), mentions)


def identify_all(told: Iterable[Told]) -> Profile:
    """The profile of a case that several reports tell of."""
    profiles = [identify(one) for one in told]
    if len(profiles) == 1:
        return profiles[0]
    return Profile(
        tuple(_once(i for profile in profiles for i in profile.identifiers)),
        tuple(dict.fromkeys(key for profile in profiles for key in profile.looks_under)),
        tuple(mention for profile in profiles for mention in profile.mentions),
    )


def _areas(location: Mapping[str, Any], address: places.Address | None) -> list[str]:
    code = address.postcode if address else ""
    ward = plain(str(location.get("ward") or ""))
    return [area for area in (places.district(code), ward) if area]


def _address(location: Mapping[str, Any]) -> places.Address | None:
    line, postcode = str(location.get("address") or ""), str(location.get("postcode") or "")
    if not line and not postcode:
        return None
    address = places.normalise_address(line, postcode)
    return places.Address(postcode=address.postcode) if places.is_public_place(line) else address


def _people(told: Told, address: places.Address | None) -> Iterator[Identifier]:
    """Victim, place and caller. A caller who is the victim brings her own number."""
    is_victim = _role(told.caller) in ("victim", "self", "myself", "complainant", "consumer")
    name = people.normalise_name(
        str(told.victim.get("name") or (is_victim and told.caller.get("name")) or "")
    )
    if name:
        near = address.postcode or places.street_sound(address.street) if address else ""
        keys = tuple(f"victim:name:{s}@{near}" for s in people.name_sounds(name)) if near else ()
        yield Identifier("victim", "name", name, keys)
    if address is not None:
        keys = tuple(f"place:address:{key}" for key in places.address_keys(address))
        yield Identifier("place", "address", address.to_value(), keys)
    for said in (told.victim.get("phone"), is_victim and told.caller.get("phone")):
        if said and (number := phones.normalise_phone(str(said))):
            yield Identifier("victim", "phone", number, (f"person:phone:{number}",))
    number = phones.normalise_phone(str(told.caller.get("phone") or ""))
    if number and not is_organisation(told.caller):
        yield Identifier("caller", "phone", number, (f"person:phone:{number}",))


def _role(caller: Mapping[str, Any]) -> str:
    return plain(str(caller.get("role") or ""))


def is_organisation(caller: Mapping[str, Any]) -> bool:
    """Whether this caller rings about many people, so that her number says nothing of whom."""
    return not words().organisations.isdisjoint(_role(caller).split())


def _suspect(told: Told, mentions: Iterable[Mention]) -> Iterator[Identifier]:
    said = told.suspect
    given = {
        "phone": phones.normalise_phone(str(said.get("phone") or "")),
        "plate": plates.normalise_plate(str(said.get("vehicle_registration") or "")),
        "company": companies.normalise_company(str(said.get("company") or "")),
        "website": websites.normalise_website(str(said.get("website") or "")),
    }
    for kind, value in given.items():
        if value:
            yield Identifier("suspect", kind, value, _keys(kind, value))
    known = {phones.normalise_phone(str(part.get("phone") or "")) for part in (told.caller, told.victim)}
    for m in mentions:
        if not given[m.kind] and m.value not in known:
            yield Identifier("suspect", m.kind, m.value, _keys(m.kind, m.value), m.weight)
    name = people.normalise_name(str(said.get("name") or ""))
    if name:
        # A forename alone is shared by thousands: it helps to compare, and is not looked up.
        keys = (
            tuple(f"suspect:name:{s}@{name[0]}" for s in people.name_sounds(name)[-1:]) if " " in name else ()
        )
        yield Identifier("suspect", "name", name, keys)


def _keys(kind: str, value: str) -> tuple[str, ...]:
    if kind == "plate":
        keys = plates.plate_keys(value)
    elif kind == "company":
        keys = companies.company_keys(value)
    elif kind == "website":
        # A site named after a company is found by the company's name too.
        return (f"suspect:website:{value}", f"suspect:company:={websites.site_name(value)}")
    else:
        keys = (value,)
    return tuple(f"suspect:{kind}:{key}"[:120] for key in keys)


def _once(found: Iterable[Identifier]) -> Iterator[Identifier]:
    seen: set[tuple[str, str, str]] = set()
    for identifier in found:
        what = (identifier.role, identifier.kind, identifier.value)
        if what not in seen:
            seen.add(what)
            yield identifier
