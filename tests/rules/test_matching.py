"""Names, numbers, addresses, registrations, companies, sites: one in many forms, and two that are alike."""

from __future__ import annotations

from rapid_response.intake.matching.companies import company_keys, compare_companies, normalise_company
from rapid_response.intake.matching.folding import plain, sound
from rapid_response.intake.matching.people import (
    OTHER_NAME,
    SAME_NAME,
    compare_names,
    name_sounds,
    normalise_name,
)
from rapid_response.intake.matching.phones import compare_phones, normalise_phone
from rapid_response.intake.matching.places import (
    Address,
    address_keys,
    compare_addresses,
    is_public_place,
    normalise_address,
    normalise_postcode,
)
from rapid_response.intake.matching.plates import compare_plates, normalise_plate, plate_keys
from rapid_response.intake.matching.websites import compare_websites, normalise_website
from tests.cases import each


@each(
    "said",
    [
        "07700 900123",
        "+44 7700 900123",
        "+44 (0)7700-900123",
        "0044 7700 900 123",
        "447700900123",
        "07700900123 ext 12",
        "(07700) 900123 x4",
    ],
)
def test_a_phone_number_is_one_however_it_is_written(said: str) -> None:
    assert normalise_phone(said) == "+447700900123"


@each("said", ["", "anonymous", "159", "withheld", "+44", "x" * 500])
def test_what_is_no_number_recognises_nobody(said: str) -> None:
    assert normalise_phone(said) is None


def test_a_shared_kind_of_number_says_less() -> None:
    mobile, freephone = (
        compare_phones("+447700900123", "+447700900123"),
        compare_phones("+448081570123", "+448081570123"),
    )
    assert mobile is not None
    assert freephone is not None
    assert mobile.confidence > 0.8 > freephone.confidence
    assert compare_phones("+447700900123", "+447700900124") is None


@each(
    "said",
    [
        "GK16 XYZ",
        "gk16xyz",
        "GK-16-XYZ",
        "golf kilo one six x-ray yankee zulu",
        "Golf Kilo sixteen XYZ",
        "G for George K for king 1 6 x y z",
        "GKI6 XYZ",
        "golf kilo one six, then x-ray yankee zulu",
    ],
)
def test_a_registration_is_one_typed_or_spelt_out(said: str) -> None:
    assert normalise_plate(said) == "gk16xyz"


@each(("said", "plate"), [("A123 BCD", "a123bcd"), ("part GK16", "gk16"), ("LN twenty two ABC", "ln22abc")])
def test_older_and_partial_registrations(said: str, plate: str) -> None:
    assert normalise_plate(said) == plate


@each("said", ["", "white transit", "not known", "12345", "no"])
def test_what_is_no_registration_is_none(said: str) -> None:
    assert normalise_plate(said) is None


@each(
    ("one", "other", "at_least", "under"),
    [
        ("gk16xyz", "gk16xyz", 0.9, 1.0),
        ("gk16xyo", "gk16xy0", 0.9, 1.0),
        ("gk16xyz", "gk16xya", 0.6, 0.8),
        ("gk16xyz", "xyz", 0.6, 0.8),
        ("gk16xyz", "gk16x", 0.6, 0.8),
        ("gk16xyz", "gk16", 0.3, 0.6),
    ],
)
def test_registrations_are_alike_by_how_much_of_them_agrees(
    one: str, other: str, at_least: float, under: float
) -> None:
    found = compare_plates(one, other)
    assert found is not None
    assert at_least <= found.confidence < under
    assert set(plate_keys(one)) & set(plate_keys(other))


def test_two_vans_of_one_year_are_two() -> None:
    assert compare_plates("gk16xyz", "gk16abc") is None


@each(
    ("one", "other", "at_least", "under"),
    [
        ("Apex Roofing Ltd", "APEX ROOFING LIMITED", 0.8, 1),
        ("J & B Paving", "J and B Paving Ltd.", 0.8, 1),
        ("Kingfisher Roofing", "Kingfsher Roofing Ltd", 0.8, 1),
        ("Kingfisher Roofing", "KingfisherRoofing", 0.8, 1),
        ("Kingfisher", "Kingfisher Roofing", 0.6, 0.8),
        ("Bromley Roofing", "Bromley Roofing Ltd", 0.6, 0.8),
    ],
)
def test_one_company_in_two_spellings(one: str, other: str, at_least: float, under: float) -> None:
    a, b = normalise_company(one), normalise_company(other)
    assert a is not None
    assert b is not None
    found = compare_companies(a, b)
    assert found is not None
    assert at_least <= found.confidence < under
    assert set(company_keys(a)) & set(company_keys(b))


@each(
    ("one", "other"),
    [
        ("Bromley Roofing", "Bromley Driveways"),
        ("Apex Roofing", "Alex Roofing"),
        ("Smith & Sons Roofing", "Jones & Sons Roofing"),
        ("Quality Home Improvements", "Premier Home Improvements"),
    ],
)
def test_common_words_make_no_company_the_same(one: str, other: str) -> None:
    a, b = normalise_company(one), normalise_company(other)
    assert a is not None
    assert b is not None
    found = compare_companies(a, b)
    assert found is None or found.confidence < 0.6


@each("said", ["Barclays", "the police", "Microsoft Ltd", "BT", "Bromley Council", "Ltd", "HMRC", ""])
def test_a_borrowed_name_marks_no_suspect(said: str) -> None:
    assert normalise_company(said) is None


@each(
    ("said", "site"),
    [
        ("https://www.Apex-Roofs.co.uk/quote?x=1", "apex-roofs.co.uk"),
        ("shop.apex-roofs.co.uk", "apex-roofs.co.uk"),
        ("www dot apexroofs dot co dot uk", "apexroofs.co.uk"),
        ("www.bücher.de", "xn--bcher-kva.de"),
        ("XN--BCHER-KVA.de.", "xn--bcher-kva.de"),
        ("facebook.com/ApexRoofs/posts/1", "facebook.com/apexroofs"),
        ("apexroofs.wixsite.com/home", "apexroofs.wixsite.com"),
        ("amazon.co.uk", None),
        ("facebook.com", None),
        ("joe@apexroofs.co.uk", None),
        ("http://1.2.3.4/", None),
        ("http://[", None),
        ("javascript:alert(1)", None),
        ("a" * 400 + ".com", None),
    ],
)
def test_a_website_is_the_name_that_was_registered(said: str, site: str | None) -> None:
    assert normalise_website(said) == site


def test_two_pages_of_one_host_are_two() -> None:
    assert compare_websites("facebook.com/apexroofs", "facebook.com/other") is None


@each(
    ("one", "other"),
    [
        ("Mrs Margaret Whitfield", "Peggy Whitfeld"),
        ("M Whitfield", "Margaret Whitfield"),
        ("Whitfield, Margaret", "MRS M. WHITFIELD"),
        ("Mohammed Khan", "Muhammad Kahn"),
        ("Mary Ann Clark", "Ann Clarke"),
        ("Adaeze Okonkwo", "Okonkwo Adaeze"),
        ("Zoë O’Brien", "zoe obrien"),
    ],
)
def test_one_person_named_in_two_ways(one: str, other: str) -> None:
    a, b = normalise_name(one), normalise_name(other)
    assert compare_names(a, b) >= SAME_NAME
    assert compare_names(b, a) >= SAME_NAME
    assert set(name_sounds(a)) & set(name_sounds(b))


@each(
    ("one", "other"),
    [
        ("John Smith", "Mary Smith"),
        ("Joan Hill", "Joan Hall"),
        ("Joan Smith", "Jean Smith"),
        ("Gurpreet Singh", "Harpreet Singh"),
        ("Joan Whitfield", "Joan Pemberton"),
    ],
)
def test_two_people_of_like_names(one: str, other: str) -> None:
    assert compare_names(normalise_name(one), normalise_name(other)) < OTHER_NAME


def test_a_surname_alone_says_half() -> None:
    assert OTHER_NAME <= compare_names("whitfield", "margaret whitfield") < SAME_NAME


@each(
    ("line", "postcode", "address"),
    [
        ("14 Elm Road, Bromley", "BR1 3UH", Address("", "14", "", "elm rd", "br13uh")),
        ("14 ELM RD", "br13uh", Address("", "14", "", "elm rd", "br13uh")),
        ("Flat B, 14 Elm Rd, Bromley BR1 3UH", "", Address("b", "14", "", "elm rd", "br13uh")),
        ("14b Elm Road", "BRI 3UH", Address("b", "14", "", "elm rd", "br13uh")),
        ("14-16 High Street", "", Address("", "14", "", "high st", "")),
        ("14 Park Hill Road", "", Address("", "14", "", "park hill rd", "")),
        ("14, Church Road, Bromley Common", "", Address("", "14", "", "church rd", "")),
        ("The Old Barn, Church Lane", "", Address("", "", "old barn", "church ln", "")),
        ("Flat 3, Elm Court, Park Road", "", Address("", "3", "", "elm ct", "")),
        ("Elm Road", "", Address("", "", "", "elm rd", "")),
        ("12 St. Mary's Avenue", "", Address("", "12", "", "st marys av", "")),
    ],
)
def test_an_address_is_read(line: str, postcode: str, address: Address) -> None:
    assert normalise_address(line, postcode) == address
    assert Address.from_value(address.to_value()) == address


HOME = ("14 Elm Road", "BR1 3UH")


@each(
    "other",
    [
        ("14 elm rd, bromley", "br13uh"),
        ("No. 14, Elm Road", ""),
        ("14 Elm Road, Bromley BR1 3UH", ""),
        ("14 Elmm Road", "BR1 3UH"),
        ("14 Elm Road", "BR1 3UJ"),
        ("14a Elm Road", "BR1 3UH"),
    ],
)
def test_one_house_told_in_two_ways(other: tuple[str, str]) -> None:
    a, b = normalise_address(*HOME), normalise_address(*other)
    found = compare_addresses(a, b)
    assert found is not None
    assert found.confidence >= 0.8
    assert set(address_keys(a)) & set(address_keys(b))


@each(
    "other",
    [
        ("16 Elm Road", "BR1 3UH"),
        ("14 Elm Close", "BR1 7AA"),
        ("14 Oak Road", "BR2 9ZZ"),
        ("14 Elm Road", "BR6 9ZZ"),
        ("", "BR1 3UH"),
        ("Elm Road", "BR1 3UH"),
    ],
)
def test_two_houses_of_like_addresses(other: tuple[str, str]) -> None:
    found = compare_addresses(normalise_address(*HOME), normalise_address(*other))
    assert found is None or found.confidence < 0.6


def test_two_flats_of_one_house_are_two() -> None:
    found = compare_addresses(
        normalise_address("Flat 1, 14 Elm Road", "BR1 3UH"),
        normalise_address("Flat 2, 14 Elm Road", "BR1 3UH"),
    )
    assert found is not None
    assert found.confidence < 0.5


def test_a_branch_of_a_bank_is_nobodys_home() -> None:
    assert is_public_place("Barclays, 167 High Street, Bromley")
    assert is_public_place("outside the post office")
    assert not is_public_place("14 Elm Road")


@each("text", ["", " ", "ÀÉÎ 日本 \U0001f600", "a" * 3000, "'; DROP TABLE incidents; --", "|||||"])
def test_no_text_breaks_a_normaliser(text: str) -> None:
    for normalise in (
        normalise_phone,
        normalise_plate,
        normalise_company,
        normalise_website,
        normalise_name,
        normalise_postcode,
    ):
        normalise(text)
    assert len(normalise_address(text).to_value()) <= 200


def test_sound_and_fold() -> None:
    assert plain("  Zoë  O’Brien-Smith ") == "zoe obrien smith"
    assert sound("whitfield") == sound("whitfeld") == sound("witfield")
    assert sound("philips") == sound("fillips")
