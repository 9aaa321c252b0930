"""Whose area a home is in, from the offline table; and what a slip of the keyboard was meant to be."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rapid_response.core.definition import ServiceDefinition
from rapid_response.core.vocabulary import Area
from rapid_response.definition.load import parse
from rapid_response.places import rules, saying
from rapid_response.places.grid import to_osgb36, to_wgs84
from rapid_response.places.table import LETTERS, TableUnreadable, read_table, shipped_table
from tests.cases import each

OURS = "E09000006"
LONDON = ZoneInfo("Europe/London")
SAMPLE = Path(__file__).parents[2] / "deploy" / "bromley.yaml"
TABLE = shipped_table()


@pytest.fixture(scope="module")
def definition() -> ServiceDefinition:
    """The sample service."""
    return parse(SAMPLE.read_text(), "bromley.yaml").to_definition(1, LONDON)


def area(postcode: str) -> Area:
    place = TABLE.find(postcode)
    return rules.area_of(OURS, place.authority if place else None)


# --- the table --------------------------------------------------------------------------------------------


def test_the_table_holds_every_postcode_of_the_borough() -> None:
    """The counts were taken from the directory beforehand, by other means."""
    ours = TABLE.of(OURS)
    assert len(ours) == len(set(ours)) == 11_535
    areas = Counter(code[:2] if code[:2] == "BR" else code.split()[0] for code in ours)
    assert {name: areas[name] for name in ("BR", "SE20", "TN16", "SE26")} == {
        "BR": 9_718,
        "SE20": 794,
        "TN16": 544,
        "SE26": 150,
    }


@pytest.mark.long
def test_bromley_postcodes_are_inside_or_outside_right_every_one() -> None:
    """Every postcode in a district of ours: inside when the directory says Bromley, else outside."""
    ours = set(TABLE.of(OURS))
    districts = {code.split()[0] for code in ours}
    others = Counter[str]()
    for authority in TABLE._authorities:
        for code in TABLE.of(authority):
            if code.split()[0] in districts:
                inside = authority == OURS
                assert area(code) is (Area.INSIDE if inside else Area.OUTSIDE), code
                others[authority] += not inside
    # As many outside, authority by authority, as the directory has in those nineteen districts.
    assert len(districts) == 19
    assert {
        code: others[code] for code in ("E09000008", "E09000011", "E07000111", "E09000023", "E09000004")
    } == {
        "E09000008": 4_084,
        "E09000011": 1_829,
        "E07000111": 1_757,
        "E09000023": 1_686,
        "E09000004": 753,
    }


@each("postcode", ["BR9 9ZZ", "ZZ1 1ZZ", "BR1 1CC", "BR1", "", "nonsense"])
def test_a_postcode_that_is_not_in_the_table_is_unknown_never_outside(postcode: str) -> None:
    assert area(postcode) is Area.UNKNOWN


@given(st.text(max_size=12) | st.from_regex(r"[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}", fullmatch=True))
def test_whatever_is_asked_is_answered_and_only_what_is_known_is_outside(text: str) -> None:
    place = TABLE.find(rules.whole(text) or text)
    assert (area(text) is not Area.OUTSIDE) or (place is not None and place.authority != OURS)


def test_a_service_that_has_not_said_which_authority_it_is_finds_nothing_outside() -> None:
    assert rules.area_of(None, "E09000023") is Area.UNKNOWN


@pytest.mark.slow
def test_every_place_of_ours_lies_on_the_map_where_bromley_is() -> None:
    for code in TABLE.of(OURS):
        place = TABLE.find(code)
        assert place is not None
        assert 533_000 <= (place.easting or 0) <= 550_500, code
        assert 156_000 <= (place.northing or 0) <= 174_000, code


def test_the_table_names_where_it_is_from() -> None:
    said = " ".join(TABLE.credits)
    for whose in ("Office for National Statistics", "OS data", "Royal Mail data"):
        assert whose in said


def test_a_broken_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.xz").write_bytes(b"not packed")
    with pytest.raises(TableUnreadable):
        read_table(tmp_path / "p.xz")


# --- what was meant ---------------------------------------------------------------------------------------


def known(postcode: str) -> bool:
    return TABLE.find(postcode) is not None


@each(
    ("typed", "meant"),
    [
        ("BRI 3UH", ("BR1 3UH",)),
        ("bri3uh", ("BR1 3UH",)),
        ("SE2O 7AA", ("SE20 7AA",)),
        ("5E20 7AA", ()),
        ("BR1 3UH", ()),
        ("BR1", ()),
        ("", ()),
        ("somewhere in Penge", ()),
    ],
)
def test_o_for_0_and_i_for_1_are_asked_about(typed: str, meant: tuple[str, ...]) -> None:
    assert rules.did_you_mean(typed, known) == meant


@given(st.sampled_from(TABLE.of(OURS)), st.booleans())
def test_every_postcode_of_ours_is_found_again_from_its_slips(code: str, squeezed: bool) -> None:
    slipped = code.replace("0", "O").replace("1", "I")
    typed = slipped.replace(" ", "") if squeezed else slipped
    if typed.replace(" ", "") != code.replace(" ", ""):
        assert code in rules.did_you_mean(typed, known)


@given(st.text(alphabet=LETTERS + "01IO5 ", max_size=9))
def test_what_is_suggested_exists(typed: str) -> None:
    assert all(known(code) for code in rules.did_you_mean(typed, known))


# --- on the map -------------------------------------------------------------------------------------------


def _degrees(d: int, m: int, s: float) -> float:
    return d + m / 60 + s / 3600


def test_the_formula_gives_the_worked_example_of_ordnance_survey() -> None:
    """“A guide to coordinate systems in Great Britain”, annex C: E 651409.903, N 313177.270."""
    lat, lon = to_osgb36(651409.903, 313177.270)
    assert lat == pytest.approx(_degrees(52, 39, 27.2531), abs=1e-8)
    assert lon == pytest.approx(_degrees(1, 43, 4.5177), abs=1e-8)


def test_phones_see_it_a_hundred_metres_further_on() -> None:
    """The same point on WGS84, as published calculators have it; a Helmert transformation is good to 5 m."""
    lat, lon = to_wgs84(651409.903, 313177.270)
    assert lat == pytest.approx(_degrees(52, 39, 28.72), abs=1e-5)
    assert lon == pytest.approx(_degrees(1, 42, 57.79), abs=1e-5)


# --- whom to turn to, and what is said --------------------------------------------------------------------


@each(
    ("postcode", "neighbour"),
    [("SE13 7LS", "greenwich"), ("TN13 1HG", "kent"), ("CR0 1EA", "croydon"), ("LS1 4DY", None)],
)
def test_the_neighbour_is_the_service_that_comes_there(
    definition: ServiceDefinition, postcode: str, neighbour: str | None
) -> None:
    place = TABLE.find(postcode)
    assert place is not None
    found = rules.neighbour_of(definition, place.authority)
    assert (found.id if found else None) == neighbour


def test_a_neighbour_is_found_by_name_or_id(definition: ServiceDefinition) -> None:
    for said in ("kent", "Kent trading  standards"):
        found = rules.neighbour_called(definition, said)
        assert found is not None
        assert found.id == "kent"
    assert rules.neighbour_called(definition, "Narnia") is None


def test_what_is_said_out_of_area_names_them_and_999_first_help(definition: ServiceDefinition) -> None:
    said = " ".join(saying.out_of_area(rules.neighbour_called(definition, "kent"), "Sevenoaks"))
    for word in ("Kent Trading Standards", "020 7946 0207", "999", "159", "pass it on"):
        assert word in said
    far = " ".join(saying.out_of_area(None, "Leeds"))
    assert "Leeds" in far
    assert "999" in far


def test_what_is_said_out_of_hours_says_when_it_opens() -> None:
    said = " ".join(saying.out_of_hours(datetime(2026, 7, 20, 8, tzinfo=UTC), LONDON))
    assert "Monday 20 July at 09:00" in said
    assert "999" in said
