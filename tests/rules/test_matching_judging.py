"""What an earlier case means for a new report."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from rapid_response.core.vocabulary import Category, Disposition
from rapid_response.intake.matching.judging import Earlier, Judgement, LinkKind, judge
from rapid_response.intake.matching.profile import Told, identify
from tests.cases import each

NOW = datetime(2026, 7, 15, 11, 0, tzinfo=UTC)
JOAN = {"name": "Joan Whitfield", "phone": "07700 900300"}
HOME = {"address": "14 Elm Road", "postcode": "BR1 3UH"}
NEXT_DOOR = {"address": "16 Elm Road", "postcode": "BR1 3UH"}


def told(**parts: Any) -> Told:
    return Told(narrative=parts.pop("narrative", "He came to the door."), on=date(2026, 7, 15), **parts)


def earlier(ago: timedelta, **more: Any) -> Earlier:
    state: dict[str, Any] = {
        "is_open": True,
        "category": Category.DOORSTEP_CRIME,
        "disposition": None,
        "helped_at": None,
    }
    state |= {key: more.pop(key) for key in list(more) if key in state}
    return Earlier("a", "RR-A", NOW - ago, profile=identify(told(**more)), **state)


def judged(case: Earlier, **parts: Any) -> Judgement:
    return judge(identify(told(**parts)), NOW, [case])


def test_the_same_person_at_the_same_house_months_later_is_a_repeat_victim() -> None:
    case = earlier(timedelta(days=90), victim=JOAN, location=HOME, is_open=False)
    found = judged(
        case, victim={"name": "Mrs J Whitfeld"}, location={"address": "14 elm rd", "postcode": "br13uh"}
    )
    assert (found.repeat_victim, found.repeat_address, found.repeat_suspect) == (True, True, False)
    assert not found.contact_again_24h
    assert not found.repeat_within_28_days
    assert [(link.kind, link.reference) for link in found.links] == [(LinkKind.SAME_VICTIM, "RR-A")]
    assert "same name, same house and postcode" in found.links[0].reasons


def test_soon_again_counts_from_when_she_was_helped() -> None:
    case = earlier(
        timedelta(days=40), victim=JOAN, location=HOME, is_open=False, helped_at=NOW - timedelta(days=20)
    )
    assert judged(case, victim=JOAN, location=HOME).repeat_within_28_days


@each("ago", [timedelta(minutes=5), timedelta(hours=23)])
def test_one_event_told_twice_is_a_second_contact_and_no_repeat(ago: timedelta) -> None:
    found = judged(earlier(ago, victim=JOAN, location=HOME), location=HOME)
    assert found.contact_again_24h
    assert not (found.repeat_victim)
    assert not (found.repeat_address)
    assert [link.kind for link in found.links] == [LinkKind.SAME_INCIDENT]


def test_after_it_was_closed_the_same_day_is_a_repeat_and_a_second_contact() -> None:
    found = judged(
        earlier(timedelta(hours=5), victim=JOAN, location=HOME, is_open=False), victim=JOAN, location=HOME
    )
    assert found.contact_again_24h
    assert found.repeat_victim
    assert [link.kind for link in found.links] == [LinkKind.SAME_VICTIM]


def test_the_same_caller_within_a_day_is_a_second_contact() -> None:
    case = earlier(timedelta(hours=2), caller={"phone": "07700 900777"})
    found = judged(case, caller={"phone": "+44 7700 900777"})
    assert found.contact_again_24h
    assert [link.kind for link in found.links] == [LinkKind.SAME_INCIDENT]
    later = earlier(timedelta(hours=25), caller={"phone": "07700 900777"})
    assert judged(later, caller={"phone": "07700 900777"}) == Judgement()


def test_one_caller_about_two_houses_is_no_second_contact() -> None:
    case = earlier(timedelta(hours=2), caller={"phone": "07700 900777"}, location=HOME)
    assert judged(case, caller={"phone": "07700 900777"}, location=NEXT_DOOR) == Judgement()


@each("role", ["bank", "Police officer", "social worker", "care home"])
def test_an_organisation_rings_about_many(role: str) -> None:
    caller = {"phone": "020 7946 0100", "role": role}
    assert judged(earlier(timedelta(hours=2), caller=caller), caller=caller) == Judgement()


@each(
    "parts",
    [
        {
            "victim": JOAN | {"phone": "07700 900301"},
            "location": {"address": "3 Oak Road", "postcode": "BR6 1AA"},
        },
        {"victim": {"name": "Joan Whitfield"}},
        {"location": NEXT_DOOR, "victim": {"name": "Peter Hughes"}},
        {"location": {"postcode": "BR1 3UH"}},
        {"location": {"ward": "Bromley Town"}},
    ],
)
def test_near_collisions_are_nobody_we_know(parts: dict[str, Any]) -> None:
    assert (
        judged(earlier(timedelta(days=30), victim=JOAN, location=HOME | {"ward": "Bromley Town"}), **parts)
        == Judgement()
    )


def test_another_person_at_the_same_house_is_a_repeat_address_and_no_repeat_victim() -> None:
    found = judged(
        earlier(timedelta(days=30), victim=JOAN, location=HOME), victim={"name": "Amit Sharma"}, location=HOME
    )
    assert (found.repeat_victim, found.repeat_address) == (False, True)
    assert found.links == ()


def test_a_bank_branch_is_no_repeat_address() -> None:
    branch = {"address": "Barclays, 167 High Street, Bromley", "postcode": "BR1 1NN"}
    assert judged(earlier(timedelta(days=30), location=branch), location=branch) == Judgement()


@each(
    ("then", "now"),
    [
        (
            {"suspect": {"vehicle_registration": "GK16 XYZ"}},
            {"narrative": "van was golf kilo one six x-ray yankee zulu"},
        ),
        ({"suspect": {"phone": "+44 7700 900456"}}, {"narrative": "he rang from 07700900456"}),
        ({"suspect": {"company": "Apex Roofing Ltd"}}, {"suspect": {"company": "apex roofing limited"}}),
        (
            {"suspect": {"website": "https://www.apexroofs.co.uk/"}},
            {"suspect": {"website": "apexroofs.co.uk"}},
        ),
    ],
)
def test_the_same_suspect_at_another_door_is_suggested_as_a_series(
    then: dict[str, Any], now: dict[str, Any]
) -> None:
    found = judged(earlier(timedelta(hours=1), victim=JOAN, location=HOME, **then), location=NEXT_DOOR, **now)
    assert found.repeat_suspect
    assert [link.kind for link in found.links] == [LinkKind.SAME_SUSPECT]
    assert not found.contact_again_24h


def test_a_white_van_near_in_place_and_time_is_suggested_and_flags_nothing() -> None:
    white_van = "Two men about the roof, in a white transit van."
    near = {"address": "3 Oak Road", "postcode": "BR1 4AB"}
    found = judged(
        earlier(timedelta(hours=1), narrative=white_van, location=HOME), narrative=white_van, location=near
    )
    assert [link.kind for link in found.links] == [LinkKind.SAME_SUSPECT]
    assert not found.repeat_suspect
    far = {"address": "3 Oak Road", "postcode": "BR6 4AB"}
    assert (
        judged(
            earlier(timedelta(hours=1), narrative=white_van, location=HOME), narrative=white_van, location=far
        )
        == Judgement()
    )


@each("borrowed", [{"company": "Barclays"}, {"website": "amazon.co.uk"}, {"name": "Dave"}])
def test_borrowed_names_make_no_series(borrowed: dict[str, str]) -> None:
    assert judged(earlier(timedelta(days=1), suspect=borrowed), suspect=borrowed) == Judgement()


@each(
    "state",
    [
        {"category": Category.OTHER},
        {"disposition": Disposition.NO_OFFENCE_CONSUMER_DISPUTE, "is_open": False},
        {"disposition": Disposition.HOAX_OR_TEST, "is_open": False},
    ],
)
def test_where_no_harm_was_nobody_is_a_repeat_victim(state: dict[str, Any]) -> None:
    found = judged(
        earlier(timedelta(days=30), victim=JOAN, location=HOME, **state), victim=JOAN, location=HOME
    )
    assert not (found.repeat_victim)
    assert not (found.repeat_address)


def test_a_year_is_the_look_back() -> None:
    assert judged(
        earlier(timedelta(days=364), victim=JOAN, location=HOME), victim=JOAN, location=HOME
    ).repeat_victim
    assert not judged(
        earlier(timedelta(days=366), victim=JOAN, location=HOME), victim=JOAN, location=HOME
    ).repeat_victim


def test_suggestions_are_few_and_the_surest_come_first() -> None:
    cases = [
        earlier(timedelta(days=20), suspect={"vehicle_registration": p}) for p in ["GK16 XYZ", "GK16 XYA"] * 9
    ]
    links = judge(identify(told(suspect={"vehicle_registration": "GK16 XYZ"})), NOW, cases).links
    assert len(links) == 10
    assert [link.confidence for link in links] == sorted((link.confidence for link in links), reverse=True)


def test_reasons_hold_nothing_of_what_was_compared() -> None:
    suspect = {"vehicle_registration": "GK16 XYZ", "company": "Zebedee Roofing", "phone": "07700 900456"}
    found = judged(
        earlier(timedelta(days=2), victim=JOAN, location=HOME, suspect=suspect),
        victim=JOAN,
        location=HOME,
        suspect=suspect,
    )
    said = " ".join(found.links[0].reasons).lower()
    for secret in ("gk16", "zebedee", "900456", "whitfield", "elm", "3uh"):
        assert secret not in said
