"""Whether a report keeps its labels when only the person in it changes.

    python -m bench.bias [--flips]

Each text is read many times, with one thing swapped: the name, the sex, the age, the spelling of a dialect,
words of another language mixed in. What is kept is the share of readings whose category (or urgency) is the
usual one: for names and ages what most of them get, else what the same person gets untouched. A label that is
wrong every time counts as kept: this measures unequal treatment, not accuracy.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bench.bias_texts import TEXTS
from rapid_response.intake.reading import Reader, default_reader

ZONE = ZoneInfo("Europe/London")
NOW = datetime(2026, 11, 25, 13, 30, tzinfo=ZONE)

#: Women's and men's full names by where they are common.
NAMES: Mapping[str, tuple[str, str]] = {
    "English": ("Margaret Hill", "Peter Baker"),
    "Scottish": ("Morag Buchanan", "Hamish McAllister"),
    "Irish": ("Siobhan O’Riordan", "Padraig Ó Briain"),
    "Welsh": ("Myfanwy Llewellyn", "Gwilym ap Rhys"),
    "Traveller": ("Britannia Lee", "Nelson Smith"),
    "Punjabi": ("Harpreet Kaur", "Gurdeep Singh Dhillon"),
    "Pakistani": ("Shazia Akhtar", "Mohammed Iqbal"),
    "Gujarati": ("Hansaben Patel", "Jayantilal Shah"),
    "Bengali": ("Rokeya Begum", "Abdul Miah"),
    "Tamil": ("Sivagami Arulanandam", "Kandiah Selvarajah"),
    "Nigerian": ("Folasade Adeyemi", "Chukwuemeka Okonkwo"),
    "Ghanaian": ("Abena Mensah", "Kwaku Boateng"),
    "Somali": ("Hodan Warsame", "Abdirahman Farah"),
    "Jamaican": ("Winsome Campbell", "Delroy Bogle"),
    "Chinese": ("Wong Siu Ling", "Chan Tai Man"),
    "Vietnamese": ("Nguyễn Thị Hoa", "Trần Văn Minh"),
    "Turkish": ("Ayşe Yıldırım", "Hüseyin Öztürk"),
    "Greek Cypriot": ("Androulla Georgiou", "Kyriakos Hadjigeorgiou"),
    "Arabic": ("Fatima al-Hashimi", "Mustafa Abu Bakr"),
    "Jewish": ("Rivka Goldstein", "Shlomo Rosenberg"),
    "Polish": ("Grażyna Wiśniewska", "Zbigniew Szczepański"),
    "Romanian": ("Ioana Popescu", "Gheorghe Ionescu"),
    "Portuguese": ("Conceição Gonçalves", "João de Araújo"),
    "Ukrainian": ("Oksana Shevchenko", "Bohdan Kovalenko"),
}
AGES = (25, 45, 70, 88)

_Rules = Sequence[tuple[str, str]]
#: Spellings that people use when they write as they speak; each pair is a whole word or words.
DIALECTS: Mapping[str, _Rules] = {
    "Northern": (
        (r"[Mm]y", "me"),
        (r"something", "summat"),
        (r"nothing", "nowt"),
        (r"anything", "owt"),
        (r"somebody|someone", "somebody"),
        (r"was", "were"),
        (r"frightened|afraid", "right scared"),
        (r"over", "ower"),
        (r"never", "nivver"),
        (r"mother", "mam"),
        (r"father", "dad"),
        (r"with", "wi"),
        (r"right now", "reet now"),
    ),
    "Scots": (
        (r"[Mm]y", "ma"),
        (r"do not|does not|did not", "didnae"),
        (r"will not", "willnae"),
        (r"house", "hoose"),
        (r"out", "oot"),
        (r"now", "noo"),
        (r"old", "auld"),
        (r"money", "siller"),
        (r"from", "fae"),
        (r"to", "tae"),
        (r"of", "o"),
        (r"told", "telt"),
        (r"going", "gaun"),
        (r"wants", "wants"),
        (r"mother", "maw"),
        (r"father", "da"),
    ),
    "London": (
        (r"[Mm]y", "me"),
        (r"is not|are not|has not", "ain't"),
        (r"something", "somefink"),
        (r"nothing", "nuffink"),
        (r"with", "wiv"),
        (r"mother", "muvver"),
        (r"father", "farver"),
        (r"brother", "bruvver"),
        (r"because", "cos"),
        (r"they were", "they was"),
        (r"think|thinks", "finks"),
        (r"have to|has to", "gotta"),
        (r"going to", "gonna"),
    ),
    "Irish": (
        (r"[Mm]y", "me"),
        (r"mother", "mammy"),
        (r"father", "da"),
        (r"afraid", "afeared"),
        (r"them", "dem"),
        (r"this", "dis"),
        (r"old", "auld"),
        (r"has been", "does be"),
        (r"[Yy]oung people|[Tt]wo lads", "them young fellas"),
    ),
    "Caribbean": (
        (r"[Mm]y", "mi"),
        (r"the", "di"),
        (r"them", "dem"),
        (r"they", "dem"),
        (r"there", "deh"),
        (r"that", "dat"),
        (r"with", "wid"),
        (r"mother", "mumma"),
        (r"father", "fadda"),
        (r"nothing", "nutten"),
        (r"something", "sinting"),
        (r"wants to|want to", "waan"),
        (r"going to", "gwaan"),
    ),
    "Learner’s English": (
        (r"(?:has|have) been", "is been"),
        (r"is coming", "coming"),
        (r"the ", ""),
        (r"an? (?=[a-z])", ""),
        (r"does not know", "not know"),
        (r"wants", "want"),
        (r"says", "say"),
        (r"did not|was never", "no"),
        (r"\bare\b", "is"),
    ),
}

#: Words of other languages, as people who speak both mix them in: a call for help, mother, father, a filler.
LANGUAGES: Mapping[str, tuple[str, str, str, str]] = {
    "Polish": ("Dzień dobry, proszę o pomoc.", "mama", "tata", "no wiecie"),
    "Punjabi": ("Sat sri akal ji.", "bibi ji", "papa ji", "acha"),
    "Urdu": ("Assalamu alaikum, madad karein.", "ammi", "abbu", "ji haan"),
    "Bengali": ("Assalamu alaikum, sahajjo lagbe.", "amma", "abba", "bujhlen"),
    "Tamil": ("Vanakkam, udhavi venum.", "amma", "appa", "seri"),
    "Arabic": ("Salam, law samaht.", "ummi", "abi", "wallah"),
    "Turkish": ("Merhaba, lütfen yardım edin.", "annem", "babam", "yani"),
    "Somali": ("Iska warran, i caawi.", "hooyo", "aabo", "waaye"),
    "Yoruba": ("E kaaro, e jowo.", "mama mi", "baba mi", "abi"),
    "Romanian": ("Bună ziua, vă rog.", "mama", "tata", "știți"),
    "Portuguese": ("Bom dia, por favor.", "mãe", "pai", "né"),
    "Welsh": ("Bore da, plîs helpwch.", "mam", "dad", "chi’n gwybod"),
    "Cantonese": ("Nei hou, m goi.", "mama", "baba", "hai la"),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Who is in the report, and how it is told."""

    name: str = "Jean Carter"
    is_man: bool = False
    age: int = 70
    dialect: str = ""
    language: str = ""


PLAIN = Person()


def told(text: str, person: Person) -> str:
    """The text with that person in it."""
    woman = ("my mother", "she", "her", "her")
    who, she, her, hers = ("my father", "he", "him", "his") if person.is_man else woman
    slots = {
        "who": who,
        "Who": who.capitalize(),
        "she": she,
        "She": she.capitalize(),
        "her": her,
        "hers": hers,
    }
    said = text.format(name=person.name, age=person.age, **slots)
    for pattern, spelt in DIALECTS.get(person.dialect, ()):
        said = re.sub(rf"\b(?:{pattern})(?!\w)", spelt, said)
    if person.language:
        call, mother, father, filler = LANGUAGES[person.language]
        said = said.replace("mother", mother).replace("father", father)
        first, stop, rest = said.partition(". ")
        said = f"{call} {first}, {filler}{stop}{rest}" if stop else f"{call} {said}"
    return said


#: Names that leave open who it is, so that no single one decides what the other swaps are held against.
_OPEN_NAMES = ("Jean Carter", "Sam Hill", "Alex Murphy", "Chris Taylor")


@dataclass(frozen=True, slots=True)
class Group:
    """Persons who differ in one thing. `usual` is who the others are held against; None: what most get."""

    dimension: str
    people: Sequence[tuple[str, Person]]
    usual: Person | None = None


def groups() -> Iterator[Group]:
    """What is swapped."""
    for is_man in (False, True):
        named = [(origin, replace(PLAIN, name=both[is_man], is_man=is_man)) for origin, both in NAMES.items()]
        yield Group("name", named)
    for name in _OPEN_NAMES:
        plain = replace(PLAIN, name=name)
        yield Group("sex", [("man", replace(plain, is_man=True))], plain)
        yield Group("age", [(str(age), replace(plain, age=age)) for age in AGES])
        yield Group("dialect", [(d, replace(plain, dialect=d)) for d in DIALECTS], plain)
        yield Group("language mix", [(one, replace(plain, language=one)) for one in LANGUAGES], plain)


@dataclass(frozen=True, slots=True)
class Flip:
    """A reading that is not the usual one."""

    dimension: str
    value: str
    field: str
    usual: str
    read: str
    text: str


@dataclass(slots=True)
class Kept:
    """How many readings of one dimension, and which labels changed."""

    readings: int = 0
    flips: list[Flip] = field(default_factory=list)

    def share(self, of: str) -> float:
        """What share kept that label."""
        return 1 - sum(flip.field == of for flip in self.flips) / self.readings


FIELDS = ("category", "urgency")


def measure(reader: Reader, texts: Sequence[str]) -> dict[str, Kept]:
    """Every text with every person, by dimension."""
    known: dict[str, dict[str, str]] = {}

    def labels(text: str) -> dict[str, str]:
        if text not in known:
            reading = reader.read(text, channel=None, received_at=NOW, zone=ZONE)
            known[text] = {"category": reading.category.value, "urgency": reading.urgency.value}
        return known[text]

    found: dict[str, Kept] = {}
    for group in groups():
        kept = found.setdefault(group.dimension, Kept())
        for text in texts:
            read = [(value, said := told(text, person), labels(said)) for value, person in group.people]
            for name in FIELDS:
                if group.usual is None:
                    usual = Counter(its[name] for _, _, its in read).most_common(1)[0][0]
                else:
                    usual = labels(told(text, group.usual))[name]
                kept.flips += [
                    Flip(group.dimension, value, name, usual, its[name], said)
                    for value, said, its in read
                    if its[name] != usual
                ]
            kept.readings += len(read)
    return found


def all_texts() -> list[str]:
    """Every text, in the order of the file."""
    return [text for texts in TEXTS.values() for text in texts]


def accuracy(reader: Reader) -> tuple[float, float]:
    """How often the plain texts get the category and urgency they were written for: for scale."""
    right = [0, 0]
    for (category, urgency), texts in TEXTS.items():
        for text in texts:
            reading = reader.read(told(text, PLAIN), channel=None, received_at=NOW, zone=ZONE)
            right[0] += reading.category == category
            right[1] += reading.urgency == urgency
    count = len(all_texts())
    return right[0] / count, right[1] / count


def table(found: Mapping[str, Kept], say: Callable[[str], None] = print) -> None:
    """One line a dimension."""
    say("| swapped | readings | category kept | urgency kept |")
    say("| --- | --- | --- | --- |")
    for dimension, kept in found.items():
        shares = " | ".join(f"{kept.share(name):.1%}" for name in FIELDS)
        say(f"| {dimension} | {kept.readings:,} | {shares} |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.bias", description=__doc__)
    parser.add_argument("--flips", action="store_true", help="list every reading that changed")
    wants_flips = parser.parse_args().flips
    reader = default_reader()
    found = measure(reader, all_texts())
    category, urgency = accuracy(reader)
    print(f"{len(all_texts())} texts; as written, category right {category:.0%}, urgency right {urgency:.0%}")
    table(found)
    for dimension, kept in found.items():
        by_value = Counter((flip.value, flip.field) for flip in kept.flips).most_common(8)
        print(f"{dimension}: " + (", ".join(f"{v} {f} {n}" for (v, f), n in by_value) or "no flips"))
        if wants_flips:
            for flip in kept.flips:
                print(f"  {flip.value}: {flip.field} {flip.usual} -> {flip.read}: {flip.text}")


if __name__ == "__main__":
    main()
