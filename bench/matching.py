"""How well the matching tells the same from the merely similar, on pairs generated from a fixed seed.

    python bench/matching.py

A pair is two reports that hold one kind of identifier. *Same* pairs are one truth told twice with noise:
typing slips, short forms, formats, things left out, registrations read out over a bad line. *Different* pairs
are not random strangers but near-collisions: the same street, the next house; the same surname, another
postcode; the same common words in two company names. So precision here is a floor: in a borough most pairs
are no collisions.

`keys` is the share of same pairs that share a look-up key at all; recall and precision are given where a
repeat is flagged (it may change the priority) and where a link is only suggested.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import NamedTuple

from rapid_response.intake.matching.comparing import compare
from rapid_response.intake.matching.judging import FLAG_AT, SUGGEST_AT
from rapid_response.intake.matching.match import Kind
from rapid_response.intake.matching.profile import Told, identify

SEED = 20261122
PAIRS = 1000
DAY = date(2026, 11, 22)


def listed(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


FORENAMES = listed(
    """
    Margaret Elizabeth William Robert Richard John James Edward Dorothy Catherine Patricia Patrick
    Michael Joseph Thomas Charles Frederick Kenneth Leonard Raymond Reginald Susan Barbara Florence
    Irene Joan Jean Mohammed Gurpreet Harpreet Amina Fatima Olu Adaeze Chidi Piotr Agnieszka Ioana
    Linh Wei Priya Sanjay
    """
)
SHORT = {
    "Margaret": "Peggy",
    "Elizabeth": "Betty",
    "William": "Bill",
    "Robert": "Bob",
    "Richard": "Dick",
    "John": "Jack",
    "James": "Jim",
    "Edward": "Ted",
    "Dorothy": "Dot",
    "Catherine": "Kath",
    "Patricia": "Pat",
    "Michael": "Mick",
    "Joseph": "Joe",
    "Thomas": "Tom",
    "Charles": "Charlie",
    "Frederick": "Fred",
    "Kenneth": "Ken",
    "Leonard": "Len",
    "Raymond": "Ray",
    "Reginald": "Reg",
    "Susan": "Sue",
    "Barbara": "Babs",
    "Florence": "Flo",
    "Mohammed": "Mo",
}
SURNAMES = listed(
    """
    Whitfield Smith Jones Patel Khan Singh Okonkwo Adeyemi Kowalski Nguyen Brown Green Hill Hall
    Clark Wright Thompson Robinson Hughes Edwards Begum Ahmed Sharma Osei Mensah Popescu O'Brien
    MacDonald Fitzgerald Pemberton Ashworth Cunningham Fairweather Goodchild Huntley Jarvis
    Kettlewell Lockwood Merriweather Newbury Openshaw Phillips Quigley Rowbotham Stephenson Tremlett
    Underhill Vaughan Wetherby Yardley Campbell Reid
    """
)
STREETS = listed(
    """
    Elm Oak Ash Chestnut Sycamore Hawthorn Beech Willow Maple Cedar Church Station Victoria Albert
    Queens Kings Park Mill Manor Orchard Meadow Bramley Foxhill Larkfield Kestrel Wickham Farnaby
    Tennyson Byron Shelley Wellington Nelson Raleigh Cromwell Hazelmere Oakleigh Southlands
    Northfield Eastcote Westbury Ravensbourne
    """
)
TYPES = {
    "Road": ["Rd", "rd.", "road"],
    "Avenue": ["Ave", "Av", "avenue"],
    "Lane": ["Ln", "lane"],
    "Close": ["Cl", "close"],
    "Drive": ["Dr", "drive"],
    "Gardens": ["Gdns", "gardens"],
    "Crescent": ["Cres", "crescent"],
    "Way": ["way"],
    "Grove": ["Gr", "grove"],
    "Street": ["St", "street"],
}
TOWNS = ["Bromley", "Orpington", "Beckenham", "Hayes", "Chislehurst", "Penge", "West Wickham"]
RARE = listed(
    """
    Apex Kingfisher Summit Pinnacle Ironbridge Bluebell Falcon Sterling Redwood Highgate Thornbury
    Lynwood Oakhurst Castlegate Silverline Greenacre Whitestone Crownfield Beaumont Harrington
    Goldsworth Merlin Osprey Titan Colossus Ravenscroft Wolfstone Marlborough Abbeyfield Hartwell
    """
)
TRADES = [
    "Roofing",
    "Driveways",
    "Paving",
    "Landscapes",
    "Home Improvements",
    "Guttering",
    "Building Services",
    "Tree Care",
    "Fencing",
    "Property Maintenance",
    "Roofing Services",
    "Resin Driveways",
]
COMMON = ["Bromley", "Kent", "London", "Premier", "Quality", "Family", "Southern", "Local", "National", "Pro"]
NATO = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        [
            "alpha",
            "bravo",
            "charlie",
            "delta",
            "echo",
            "foxtrot",
            "golf",
            "hotel",
            "india",
            "juliet",
            "kilo",
            "lima",
            "mike",
            "november",
            "oscar",
            "papa",
            "quebec",
            "romeo",
            "sierra",
            "tango",
            "uniform",
            "victor",
            "whiskey",
            "x-ray",
            "yankee",
            "zulu",
        ],
        strict=True,
    )
)
SPOKEN = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
NEIGHBOURS = {
    "q": "wa",
    "w": "qe",
    "e": "wr",
    "r": "et",
    "t": "ry",
    "y": "tu",
    "u": "yi",
    "i": "uo",
    "o": "ip",
    "p": "ol",
    "a": "qs",
    "s": "ad",
    "d": "sf",
    "f": "dg",
    "g": "fh",
    "h": "gj",
    "j": "hk",
    "k": "jl",
    "l": "ko",
    "z": "xs",
    "x": "zc",
    "c": "xv",
    "v": "cb",
    "b": "vn",
    "n": "bm",
    "m": "nk",
}


class Pair(NamedTuple):
    """Two reports, and whether they are about the same."""

    one: Told
    other: Told
    same: bool


class Figures(NamedTuple):
    """What one kind reached."""

    keys: float
    flag_recall: float
    flag_precision: float
    suggest_recall: float
    suggest_precision: float


class Chance(random.Random):
    """Seeded chance with a few habits of people."""

    def often(self, share: float) -> bool:
        return self.random() < share

    def slip(self, text: str) -> str:
        """One typing slip in a word: a letter left out, doubled, swapped, or its neighbour's key."""
        places = [m.start() for m in re.finditer("[a-zA-Z]", text[1:])]
        if not places:
            return text
        at = self.choice(places) + 1
        how = self.randrange(4)
        if how == 0:
            return text[:at] + text[at + 1 :]
        if how == 1:
            return text[:at] + text[at] + text[at:]
        if how == 2 and at + 1 < len(text):
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        return text[:at] + self.choice(NEIGHBOURS[text[at].lower()]) + text[at + 1 :]

    def cased(self, text: str) -> str:
        return self.choice([text, text, text.lower(), text.upper()])

    def postcode(self) -> str:
        letters = "ABDEFGHJLNPQRSTUWXYZ"
        inward = f"{self.randrange(10)}{self.choice(letters)}{self.choice(letters)}"
        return f"BR{self.randrange(1, 8)} {inward}"

    def mobile(self) -> str:
        return f"07700900{self.randrange(1000):03}"

    def plate(self) -> str:
        letters = "ABCDEFGHJKLMNOPRSTUVWXY"
        area = self.choice(["GK", "LN", "KP", "BD", "EO", "SB", "WX", "YL"])
        return f"{area}{self.choice(['16', '19', '22', '67', '71', '12', '05'])} " + "".join(
            self.choice(letters) for _ in range(3)
        )


# --- one telling of a truth -------------------------------------------------------------------------------


def name_told(c: Chance, forename: str, surname: str) -> str:
    """A name as somebody gives it."""
    first = forename
    if c.often(0.25):
        first = SHORT.get(forename, forename)
    elif c.often(0.2):
        first = forename[0]
    last = c.slip(surname) if c.often(0.25) else surname
    title = c.choice(["", "", "Mrs ", "Mr ", "Ms ", "Dr "])
    text = f"{last}, {first}" if c.often(0.1) else f"{title}{first} {last}"
    return c.cased(text)


def phone_told(c: Chance, number: str) -> str:
    """A number in one of the ways in which people write it."""
    rest = number[1:]
    return c.choice(
        [
            number,
            f"{number[:5]} {number[5:]}",
            f"+44{rest}",
            f"+44 (0){rest}",
            f"0044 {rest}",
            f"44{rest}",
            f"{number[:5]}-{number[5:8]}-{number[8:]}",
            f"{number} ext {c.randrange(10, 99)}",
            f"({number[:5]}) {number[5:]}",
        ]
    )


class House(NamedTuple):
    """The truth behind an address."""

    number: int
    flat: str
    street: str
    kind: str
    town: str
    postcode: str


def house(c: Chance) -> House:
    """A made-up address."""
    flat = c.choice(["", "", "", "", "1", "2", "3", "A", "B"])
    return House(
        c.randrange(1, 180), flat, c.choice(STREETS), c.choice(list(TYPES)), c.choice(TOWNS), c.postcode()
    )


def address_told(c: Chance, h: House) -> dict[str, str]:
    """An address as somebody gives it; now and then half of it."""
    street = c.slip(h.street) if c.often(0.15) and len(h.street) > 4 else h.street
    kind = c.choice([h.kind, h.kind, *TYPES[h.kind]])
    if h.flat and h.flat.isalpha():
        door = c.choice(
            [f"{h.number}{h.flat}", f"Flat {h.flat}, {h.number}", f"flat {h.flat.lower()} {h.number}"]
        )
    elif h.flat:
        door = c.choice(
            [f"Flat {h.flat}, {h.number}", f"Apt {h.flat} {h.number}", f"Flat {h.flat} {h.number}"]
        )
    else:
        door = c.choice([f"{h.number}", f"{h.number}", f"No. {h.number}", f"{h.number},"])
    line = c.cased(f"{door} {street} {kind}" + c.choice(["", "", f", {h.town}", f" {h.town}"]))
    code = c.choice([h.postcode, h.postcode.lower(), h.postcode.replace(" ", "")])
    if c.often(0.12):
        return {"address": line}
    if c.often(0.15):
        return {"address": f"{line} {code}"}
    if c.often(0.06):
        at = c.randrange(3)
        code = h.postcode[:-3] + "".join(
            c.choice("ABDEFGHJ0123") if i == at else x for i, x in enumerate(h.postcode[-3:])
        )
    return {"address": line, "postcode": code}


def plate_told(c: Chance, plate: str) -> str:
    """A registration typed, read out, misread or half remembered."""
    bare = plate.replace(" ", "")
    how = c.random()
    if how < 0.3:
        return c.choice(
            [plate, bare, plate.lower(), f"{plate[:2]} {plate[2:4]} {plate[5:]}", f"{bare[:4]}-{bare[4:]}"]
        )
    if how < 0.6:
        said = [NATO[x.lower()] if x.isalpha() else SPOKEN[int(x)] for x in bare]
        text = " ".join(said)
        return c.choice([text, text.replace("zero", "oh"), " ".join([*said[:4], bare[4:]])])
    if how < 0.75:
        swaps = {"O": "0", "0": "O", "I": "1", "1": "I", "S": "5", "5": "S", "B": "8", "2": "Z", "6": "G"}
        at = c.choice([i for i, x in enumerate(bare) if x in swaps] or [0])
        return bare[:at] + swaps.get(bare[at], bare[at]) + bare[at + 1 :]
    if how < 0.85:
        at = c.randrange(7)
        return bare[:at] + c.choice("ABDEPTV" if bare[at].isalpha() else "0123456789") + bare[at + 1 :]
    return c.choice([bare[:4], bare[:5], bare[-3:], bare[2:], f"part {bare[:4]}"])


def company_told(c: Chance, name: str) -> str:
    """A company's name as it is remembered from a leaflet."""
    text = name
    if c.often(0.35):
        words = text.split()
        at = max(range(len(words)), key=lambda i: len(words[i])) if c.often(0.5) else 0
        words[at] = c.slip(words[at])
        text = " ".join(words)
    if c.often(0.1) and len(text.split()) > 1:
        text = text.split()[0]
    if c.often(0.1):
        text = text.replace(" ", "", 1)
    return c.cased(text + c.choice(["", "", " Ltd", " Limited", " Ltd.", " (UK) Ltd"]))


def website_told(c: Chance, site: str) -> str:
    """A web address from a card or an address bar."""
    return c.choice(
        [
            site,
            f"www.{site}",
            f"https://www.{site}/",
            f"http://{site}/contact?x=1",
            site.upper(),
            f"WWW.{site}",
            f"{site}.",
        ]
    )


# --- pairs ------------------------------------------------------------------------------------------------


def told(narrative: str = "He came to the door.", **parts: dict[str, str]) -> Told:
    """A report that holds these parts."""
    return Told(narrative=narrative, on=DAY, **parts)


def victims(c: Chance) -> Iterator[Pair]:
    """Name, place and now and then a number; against a spouse, a relative next door, a namesake elsewhere."""
    for _ in range(PAIRS):
        first, last, h, number = c.choice(FORENAMES), c.choice(SURNAMES), house(c), c.mobile()

        def telling(first: str, last: str, h: House, number: str) -> Told:
            victim = {"name": name_told(c, first, last)}
            if c.often(0.4):
                victim["phone"] = phone_told(c, number)
            return told(victim=victim, location=address_told(c, h))

        yield Pair(telling(first, last, h, number), telling(first, last, h, number), True)
        other = c.choice([x for x in FORENAMES if x[0] != first[0]])
        elsewhere = house(c)
        how = c.randrange(4)
        if how == 0:
            twin = telling(other, last, h._replace(number=h.number + 2), c.mobile())
        elif how == 1:
            twin = telling(first, last, elsewhere, c.mobile())
        elif how == 2:
            twin = telling(other, c.choice([x for x in SURNAMES if x != last]), h, c.mobile())
        else:
            twin = telling(other, last, h, c.mobile())
        yield Pair(telling(first, last, h, number), twin, False)


def addresses(c: Chance) -> Iterator[Pair]:
    """One door; against the next door, the next flat, a street of nearly the same name."""
    for _ in range(PAIRS):
        h = house(c)
        yield Pair(told(location=address_told(c, h)), told(location=address_told(c, h)), True)
        how = c.randrange(4)
        if how == 0:
            other = h._replace(number=h.number + c.choice([1, 2, 10]))
        elif how == 1:
            h = h._replace(flat="2")
            other = h._replace(flat="3")
        elif how == 2:
            kind = c.choice([k for k in TYPES if k != h.kind])
            other = h._replace(kind=kind, postcode=c.postcode())
        else:
            other = h._replace(street=c.choice([s for s in STREETS if s != h.street]), postcode=c.postcode())
        yield Pair(told(location=address_told(c, h)), told(location=address_told(c, other)), False)


def phones(c: Chance) -> Iterator[Pair]:
    """One number; against one that differs in a figure."""
    for _ in range(PAIRS):
        number = c.mobile()
        other = number[:-1] + str((int(number[-1]) + c.randrange(1, 10)) % 10)
        yield Pair(
            told(suspect={"phone": phone_told(c, number)}),
            told(suspect={"phone": phone_told(c, number)}),
            True,
        )
        yield Pair(
            told(suspect={"phone": phone_told(c, number)}),
            told(suspect={"phone": phone_told(c, other)}),
            False,
        )


def registrations(c: Chance) -> Iterator[Pair]:
    """One vehicle; against one of the same area and year, one in ten of them a character away."""
    for _ in range(PAIRS):
        plate = c.plate()
        said = [told(suspect={"vehicle_registration": plate_told(c, plate)}) for _ in range(2)]
        yield Pair(said[0], said[1], True)
        other = plate[:5] + c.plate()[5:]
        if c.often(0.1):
            other = plate[:-1] + ("A" if plate[-1] != "A" else "C")
        yield Pair(said[0], told(suspect={"vehicle_registration": plate_told(c, other)}), other == plate)


def companies(c: Chance) -> Iterator[Pair]:
    """One firm; against another with the same common words, the same family name, or the same rare word."""
    for _ in range(PAIRS):
        trade, rare = c.choice(TRADES), c.choice(RARE)
        family = c.choice(SURNAMES)
        name = c.choice(
            [f"{rare} {trade}", f"{rare} {trade}", f"{family} & Sons {trade}", f"{c.choice(COMMON)} {trade}"]
        )
        yield Pair(
            told(suspect={"company": company_told(c, name)}),
            told(suspect={"company": company_told(c, name)}),
            True,
        )
        other_trade = c.choice([t for t in TRADES if t.split()[0] != trade.split()[0]])
        other = c.choice(
            [
                f"{c.choice([r for r in RARE if r != rare])} {trade}",
                f"{c.choice([s for s in SURNAMES if s != family])} & Sons {trade}",
                f"{c.choice(COMMON)} {other_trade}",
                f"{name.split()[0]} {other_trade}",
            ]
        )
        yield Pair(
            told(suspect={"company": company_told(c, name)}),
            told(suspect={"company": company_told(c, other)}),
            False,
        )


def websites(c: Chance) -> Iterator[Pair]:
    """One site; against a like-named one, or another page of a host that many share."""
    for _ in range(PAIRS):
        rare, trade = c.choice(RARE).lower(), c.choice(TRADES).lower().replace(" ", c.choice(["", "-"]))
        site = c.choice(
            [
                f"{rare}{trade}.co.uk",
                f"{rare}-{trade}.com",
                f"{rare}{trade}.uk",
                f"facebook.com/{rare}{trade}",
            ]
        )
        other = c.choice(
            [
                f"{rare}{c.choice(RARE).lower()}.co.uk",
                f"facebook.com/{c.choice(RARE).lower()}x",
                f"{trade}.com",
            ]
        )
        yield Pair(
            told(suspect={"website": website_told(c, site)}),
            told(suspect={"website": website_told(c, site)}),
            True,
        )
        yield Pair(
            told(suspect={"website": website_told(c, site)}),
            told(suspect={"website": website_told(c, other)}),
            False,
        )


TOLD = [
    "Two men in a white van, reg {plate}. They said the roof was bad.",
    "He gave mum a card, {company}, number on it {phone}.",
    "The van had {company} on the side and the plate was {plate}, they want cash",
    "leaflet through door says {company} and {site}",
    "He rang her from {phone} and said he was the bank.",
    "she has an invoice from {company}, tel {phone}. Paid 400.",
    "um it was a silver transit and the registration, I got it, {plate}, and he's coming back at three",
    "quote came by text from {phone}, website {site}",
    "IP called by males from {company}. VRM {plate}.",
]
#: The same words without the suspect's mark, or with somebody else's.
UNMARKED = [
    "Please ring me on {phone}, I am her daughter. He had a van.",
    "He said he was from Barclays and that the card was cloned. My number is {phone}.",
    "Her home number is {phone}, ring after four. Three men in a van.",
    "caller on {phone}. Two males, no van seen.",
    "He said he was from BT and to go to www.teamviewer.com and read out the code.",
    "I met a man from the council at 10 and paid 20 for the bag, BR1 3UH.",
]


def narratives(c: Chance) -> Iterator[Pair]:
    """Marks that only the narrative names; against the caller's own numbers and borrowed names."""
    for _ in range(PAIRS):
        truth = {
            "plate": c.plate(),
            "phone": c.mobile(),
            "company": f"{c.choice(RARE)} {c.choice(TRADES)}",
            "site": f"{c.choice(RARE).lower()}roofs.co.uk",
        }

        def marks(text: str, truth: dict[str, str]) -> str:
            spelt = " ".join(
                NATO[x.lower()] if x.isalpha() else SPOKEN[int(x)] for x in truth["plate"].replace(" ", "")
            )
            number = truth["phone"]
            return text.format(
                plate=c.choice([truth["plate"], truth["plate"].replace(" ", ""), spelt]),
                phone=c.choice([number, f"{number[:5]} {number[5:]}", f"+44 {number[1:]}"]),
                company=truth["company"] + c.choice(["", " Ltd"]),
                site=c.choice([truth["site"], f"www.{truth['site']}"]),
            )

        template = c.choice(TOLD)
        suspect = {}
        if "{plate}" in template:
            suspect["vehicle_registration"] = truth["plate"]
        if "{phone}" in template:
            suspect["phone"] = truth["phone"]
        if not suspect:
            suspect["company"] = truth["company"]
        yield Pair(told(marks(template, truth)), told(suspect=suspect), True)
        text = marks(c.choice(UNMARKED), truth)
        yield Pair(told(text), told(marks(c.choice(UNMARKED), truth)), False)


KINDS: dict[str, tuple[Callable[[Chance], Iterator[Pair]], Kind]] = {
    "victim": (victims, Kind.VICTIM),
    "address": (addresses, Kind.ADDRESS),
    "suspect phone": (phones, Kind.SUSPECT),
    "vehicle registration": (registrations, Kind.SUSPECT),
    "company": (companies, Kind.SUSPECT),
    "website": (websites, Kind.SUSPECT),
    "named in the narrative": (narratives, Kind.SUSPECT),
}


def confidence(pair: Pair, kind: Kind) -> tuple[bool, float]:
    """Whether the index would bring the two together, and how sure the comparison is then."""
    one, other = identify(pair.one), identify(pair.other)
    if not set(one.keys) & set(other.own_keys):
        return False, 0.0
    match = compare(one, other).get(kind)
    return True, match.confidence if match else 0.0


def measure(name: str) -> Figures:
    """The figures of one kind; the same at every run."""
    pairs, kind = KINDS[name]
    scored = [(pair.same, *confidence(pair, kind)) for pair in pairs(Chance(f"{SEED} {name}"))]
    same = sum(s for s, _, _ in scored)

    def at(threshold: float) -> tuple[float, float]:
        right = sum(s for s, _, sure in scored if sure >= threshold)
        named = sum(sure >= threshold for _, _, sure in scored)
        return right / same, right / named if named else 1.0

    found = sum(key for s, key, _ in scored if s) / same
    return Figures(found, *at(FLAG_AT), *at(SUGGEST_AT))


def main() -> None:
    """Prints the table of docs/matching.md."""
    flag, suggest = f"flag (≥ {FLAG_AT})", f"suggest (≥ {SUGGEST_AT})"
    print(f"| kind | keys | {flag}: recall | precision | {suggest}: recall | precision |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in KINDS:
        print(f"| {name} | " + " | ".join(f"{figure:.3f}" for figure in measure(name)) + " |")


if __name__ == "__main__":
    main()
