"""What is learned from labelled reports: the descent, the file it is kept in, what it teaches the reader."""

from __future__ import annotations

import itertools
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from rapid_response.core.vocabulary import Category, Urgency
from rapid_response.intake.reading.descent import least
from rapid_response.intake.reading.knowledge import DATA, Knowledge, load
from rapid_response.intake.reading.learned import Learned, read
from rapid_response.intake.reading.port import Reading
from rapid_response.intake.reading.reader import LexiconReader
from rapid_response.intake.reading.training import learn
from rapid_response.intake.reading.weighing import share_of_words

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 11, 22, 13, 30, tzinfo=LONDON)
#: Words that no knowledge file knows: whatever is made of them was learned.
ZORB, PLINTH = "the zorbing happened by the quay", "a plinth appeared near the weir"


@given(
    st.lists(st.tuples(st.floats(0.1, 50), st.floats(-20, 20)), min_size=1, max_size=8),
    st.floats(-1, 1),
)
def test_the_descent_finds_where_a_bowl_is_lowest(bowls: list[tuple[float, float]], twist: float) -> None:
    """Each coordinate pulled to its own place, and neighbours to each other."""

    def measure(point: list[float]) -> tuple[float, list[float]]:
        value, slope = 0.0, [0.0] * len(point)
        for at, (x, (steep, middle)) in enumerate(zip(point, bowls, strict=True)):
            value += steep * (x - middle) ** 2
            slope[at] += 2 * steep * (x - middle)
        for at in range(len(point) - 1):
            value += abs(twist) * (point[at] - point[at + 1]) ** 2
            slope[at] += 2 * abs(twist) * (point[at] - point[at + 1])
            slope[at + 1] -= 2 * abs(twist) * (point[at] - point[at + 1])
        return value, slope

    found = least(measure, [0.0] * len(bowls), 400, near=1e-14)

    assert max(map(abs, measure(found)[1])) < 1e-2


def test_more_words_count_for_less_each_and_for_more_together() -> None:
    shares = [share_of_words([6.0] * words) for words in (0, 1, 8, 32, 128)]

    assert shares[0] == shares[1] == shares[2]
    for few, many in itertools.pairwise(shares[2:]):
        # Four times as many.
        assert many < few < 4 * many


def report(text: str, category: str, urgency: str) -> dict[str, Any]:
    flags = {"age_targeted": False, "other_vulnerability_targeted": False}
    return {"text": text, "category": category, "urgency": urgency, **flags}


@lru_cache
def officers() -> Knowledge:
    return load(DATA, trained=Learned({}, {}))


@lru_cache
def taught() -> Learned:
    reports = [report(ZORB, "scam", "recent"), report(PLINTH, "doorstep_crime", "imminent")] * 30
    return learn(reports, officers())


def reads(text: str) -> Reading:
    reader = LexiconReader(load(DATA, trained=taught()))
    return reader.read(text, channel=None, received_at=NOW, zone=LONDON)


def test_what_reports_show_is_what_the_reader_says() -> None:
    zorb, plinth = reads(ZORB), reads(PLINTH)

    assert (zorb.category, zorb.urgency) == (Category.SCAM, Urgency.RECENT)
    assert (plinth.category, plinth.urgency) == (Category.DOORSTEP_CRIME, Urgency.IMMINENT)
    # With the words that say so, as the caller said them.
    assert {"zorbing"} & {word for e in zorb.evidence if e.label == "category" for word in e.text.split()}


def test_an_officers_weight_stands_until_reports_show_the_phrase_often() -> None:
    concept = next(c for c in officers().concepts if c.weights.get("scam", 0) >= 3)

    assert concept.name not in taught().weights
    assert load(DATA, trained=taught()).columns[concept.name] == officers().columns[concept.name]


def test_what_was_learned_comes_back_from_its_file() -> None:
    kept = read(taught().as_text())

    assert kept.as_text() == taught().as_text()
    assert (kept.biases, kept.rarities) == (taught().biases, taught().rarities)
    assert learn([], officers()).rarities == {}
