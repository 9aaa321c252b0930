"""Who is asked next, and who hears a notice (design.md 5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rapid_response.core.definition import Means, Responder
from rapid_response.core.vocabulary import Category, ContactRole, Priority, Skill
from rapid_response.dispatch.rules import (
    Candidate,
    Needs,
    NobodyLeft,
    Offer,
    Recipient,
    choose,
    explain,
    ways,
    who_hears,
)
from tests.cases import each

NOW = datetime(2026, 11, 25, 14, 0, tzinfo=UTC)
GROUPS = {"Bromley Town": "centre", "Bickley": "centre", "Penge": "north-west", "BR1": "centre"}
BOTH = frozenset(Skill)


def person(
    name: str,
    *,
    skills: frozenset[Skill] = BOTH,
    wards: tuple[str, ...] = (),
    sms: str | None = "+447700900101",
) -> Responder:
    return Responder(name, name.title(), sms, None, skills, frozenset(wards))


def ready(
    name: str,
    *,
    skills: frozenset[Skill] = BOTH,
    wards: tuple[str, ...] = (),
    on_duty: bool = True,
    on_call: bool = False,
    away: bool = False,
    open_offers: int = 0,
    held_jobs: int = 0,
    finished: timedelta | None = None,
) -> Candidate:
    last = None if finished is None else NOW - finished
    return Candidate(
        person(name, skills=skills, wards=wards), on_duty, on_call, away, open_offers, held_jobs, last
    )


def needs(
    category: Category = Category.DOORSTEP_CRIME,
    ward: str | None = "Bromley Town",
    asked: frozenset[str] = frozenset(),
) -> Needs:
    return Needs(category, ward, "BR1", Priority.P1, False, NOW + timedelta(hours=2), asked)


def chosen(*candidates: Candidate, wanted: Needs | None = None) -> str | None:
    choice = choose(wanted or needs(), candidates, NOW, GROUPS)
    return choice.responder_id if isinstance(choice, Offer) else None


def test_the_skill_is_required() -> None:
    only_scams = ready("asha", skills=frozenset({Skill.SCAM}))
    assert chosen(only_scams) is None
    assert chosen(only_scams, wanted=needs(Category.SCAM)) == "asha"


def test_any_skill_will_do_for_what_is_neither() -> None:
    assert chosen(ready("asha", skills=frozenset({Skill.SCAM})), wanted=needs(Category.OTHER)) == "asha"
    assert chosen(ready("asha", skills=frozenset()), wanted=needs(Category.OTHER)) is None


def test_on_call_is_asked_only_when_nobody_on_duty_is_left() -> None:
    duty = ready("zed", held_jobs=3, wards=("Penge",))
    call = ready("asha", on_duty=False, on_call=True, wards=("Bromley Town",))
    assert chosen(call, duty) == "zed"
    assert chosen(call, duty, wanted=needs(asked=frozenset({"zed"}))) == "asha"


def test_off_duty_and_away_are_never_asked() -> None:
    assert chosen(ready("asha", on_duty=False), ready("ben", away=True), ready("cara", on_duty=False)) is None
    assert chosen(ready("asha", on_call=True, on_duty=False, away=True)) is None


def test_nobody_is_asked_twice() -> None:
    assert chosen(ready("asha"), ready("ben"), wanted=needs(asked=frozenset({"asha"}))) == "ben"


def test_nearer_patches_come_first() -> None:
    ward, group = ready("d", wards=("Bromley Town",)), ready("c", wards=("Bickley",))
    everywhere, elsewhere = ready("b"), ready("a", wards=("Penge",))
    people = [elsewhere, everywhere, group, ward]
    order: list[str] = []
    while (best := chosen(*people, wanted=needs(asked=frozenset(order)))) is not None:
        order.append(best)
    assert order == ["d", "c", "b", "a"]


def test_without_a_ward_the_outward_code_may_tell_the_group() -> None:
    near, far = ready("z", wards=("Bickley",)), ready("a", wards=("Penge",))
    assert chosen(far, near, wanted=needs(ward=None)) == "z"


def test_a_busy_responder_comes_later_not_never() -> None:
    busy, free = ready("asha", wards=("Bromley Town",), held_jobs=1), ready("ben", wards=("Penge",))
    assert chosen(busy, free) == "ben"
    assert chosen(busy, free, wanted=needs(asked=frozenset({"ben"}))) == "asha"
    assert chosen(ready("asha", held_jobs=4, open_offers=5)) == "asha"


def test_many_jobs_at_once_are_spread() -> None:
    offers = {"asha": 0, "ben": 0}
    for _ in range(6):
        name = chosen(
            ready("asha", wards=("Bromley Town",), open_offers=offers["asha"]),
            ready("ben", open_offers=offers["ben"]),
        )
        assert name is not None
        offers[name] += 1
    assert offers == {"asha": 3, "ben": 3}


def test_the_longest_rested_comes_first_and_then_the_id() -> None:
    tired, rested = ready("asha", finished=timedelta(minutes=5)), ready("ben", finished=timedelta(hours=3))
    assert chosen(tired, rested) == "ben"
    assert chosen(rested, ready("cara")) == "cara"
    assert chosen(ready("dee"), ready("cara")) == "cara"


def test_a_clock_that_ran_back_does_not_matter() -> None:
    assert (
        chosen(ready("asha", finished=timedelta(minutes=-5)), ready("ben", finished=timedelta(0))) == "asha"
    )


def test_reasons_are_codes_that_can_be_read_out() -> None:
    offer = choose(needs(), [ready("asha", wards=("Bromley Town",)), ready("ben")], NOW, GROUPS)
    assert offer == Offer(
        "asha", ("skill:doorstep_crime", "on_duty", "area:ward", "load:0", "rest:fresh", "rank:1of2")
    )
    assert explain(offer.reasons) == (
        "Has the skill for doorstep crime; on duty; covers this ward; no other job or open offer; "
        "no job finished lately; best of 2."
    )
    late = choose(
        needs(Category.SCAM),
        [ready("b", on_duty=False, on_call=True, held_jobs=2, finished=timedelta(hours=2))],
        NOW,
    )
    assert explain(late.reasons) == (
        "Has the skill for scams; on call, nobody on duty was left to ask; covers the whole area; "
        "2 other jobs or open offers; last job finished 120 min ago; the only one left to ask."
    )


def test_nobody_left_says_why() -> None:
    people = [
        ready("asha"),
        ready("ben", on_duty=False),
        ready("cara", skills=frozenset({Skill.SCAM})),
        ready("d", away=True),
    ]
    nobody = choose(needs(asked=frozenset({"asha"})), people, NOW)
    assert nobody == NobodyLeft(("asked:1", "away:1", "off_duty:1", "no_skill:1"))
    assert explain(nobody.reasons) == "1 asked already; 1 away; 1 off duty; 1 without the skill."
    assert explain(choose(needs(), [], NOW).reasons) == "The service has no responders."


def test_reasons_of_another_version_are_shown_as_they_are() -> None:
    assert explain(("assigned_by_desk",)) == "Assigned by the desk."
    assert explain(("van_near", "load:0")) == "Van near; no other job or open offer."
    assert explain(()) == ""


CANDIDATES = st.lists(
    st.builds(
        ready,
        st.sampled_from([f"r{n}" for n in range(8)]),
        skills=st.sampled_from([BOTH, frozenset(), frozenset({Skill.SCAM})]),
        wards=st.sampled_from([(), ("Bromley Town",), ("Bickley", "Penge")]),
        on_duty=st.booleans(),
        on_call=st.booleans(),
        away=st.booleans(),
        open_offers=st.integers(0, 4),
        held_jobs=st.integers(0, 3),
        finished=st.sampled_from([None, timedelta(minutes=-5), timedelta(minutes=20), timedelta(days=2)]),
    ),
    max_size=6,
    unique_by=lambda c: c.responder.id,
)


@settings(max_examples=80)
@given(
    CANDIDATES,
    st.sampled_from(Category),
    st.sampled_from([None, *GROUPS, "Elsewhere"]),
    st.sampled_from([frozenset(), frozenset({"r0"}), frozenset({"r1", "r2", "r3"})]),
)
def test_what_holds_of_every_choice(
    candidates: list[Candidate], category: Category, ward: str | None, asked: frozenset[str]
) -> None:
    wanted = needs(category, ward, asked)
    choice = choose(wanted, candidates, NOW, GROUPS)
    skill = {Category.DOORSTEP_CRIME: Skill.DOORSTEP_CRIME, Category.SCAM: Skill.SCAM}.get(category)

    def may(c: Candidate) -> bool:
        return (
            (skill in c.responder.skills if skill else bool(c.responder.skills))
            and not c.away
            and c.responder.id not in asked
        )

    duty = {c.responder.id for c in candidates if may(c) and c.on_duty}
    call = {c.responder.id for c in candidates if may(c) and c.on_call}
    if isinstance(choice, NobodyLeft):
        assert not duty | call
        return
    assert choice.responder_id in (duty or call)
    assert choose(wanted, list(reversed(candidates)), NOW, GROUPS) == choice
    assert not any(c.responder.name in " ".join(choice.reasons) for c in candidates)
    assert explain(choice.reasons)


# --- who is told --------------------------------------------------------------------------------------

DEE = Responder("dee", "Dee Okoro", "+447700900109", None)
DESK = {ContactRole.DESK: "+442079460000"}


def test_the_rota_hears_before_the_contact() -> None:
    contacts = {ContactRole.DUTY_OFFICER: "+447700900200"}
    assert who_hears(ContactRole.DUTY_OFFICER, [DEE], contacts) == (
        Recipient("responder:dee", "+447700900109", "+447700900109"),
    )
    assert who_hears(ContactRole.DUTY_OFFICER, [], contacts) == (
        Recipient("contact:duty_officer", "+447700900200", "+447700900200"),
    )


def test_a_holder_without_a_number_hears_nothing_so_the_contact_does() -> None:
    silent = Responder("eve", "Eve", None, None)
    told = who_hears(ContactRole.DUTY_OFFICER, [silent], {ContactRole.DUTY_OFFICER: "+447700900200"})
    assert [r.id for r in told] == ["contact:duty_officer"]


@each(
    ("role", "contacts", "told"),
    [
        (ContactRole.DUTY_OFFICER, {ContactRole.TEAM_LEADER, ContactRole.DESK}, "contact:team_leader"),
        (
            ContactRole.DUTY_OFFICER,
            {ContactRole.HEAD_OF_SERVICE, ContactRole.DESK},
            "contact:head_of_service",
        ),
        (ContactRole.DUTY_OFFICER, {ContactRole.DESK}, "contact:desk"),
        (ContactRole.HEAD_OF_SERVICE, {ContactRole.DUTY_OFFICER}, "contact:duty_officer"),
        (ContactRole.HATE_CRIME_LEAD, {ContactRole.DUTY_OFFICER, ContactRole.DESK}, "contact:duty_officer"),
        (ContactRole.DUTY_OFFICER, {ContactRole.HATE_CRIME_LEAD}, "contact:hate_crime_lead"),
    ],
)
def test_a_notice_climbs_until_somebody_hears_it(
    role: ContactRole, contacts: set[ContactRole], told: str
) -> None:
    assert [r.id for r in who_hears(role, [], dict.fromkeys(contacts, "+447700900200"))] == [told]


@each("role", ContactRole)
def test_only_nobody_at_all_hears_nothing(role: ContactRole) -> None:
    assert who_hears(role, [], {}) == ()
    for other in ContactRole:
        assert who_hears(role, [], {other: "+447700900200"})


def test_a_landline_hears_by_voice_what_was_meant_as_a_text() -> None:
    (desk,) = who_hears(ContactRole.DESK, [], DESK)
    assert desk == Recipient("contact:desk", None, "+442079460000")
    assert ways(desk, (Means.SMS,)) == ((Means.VOICE, "+442079460000"),)
    dee = who_hears(ContactRole.DUTY_OFFICER, [DEE], {})[0]
    assert ways(dee, (Means.SMS, Means.VOICE)) == (
        (Means.SMS, "+447700900109"),
        (Means.VOICE, "+447700900109"),
    )
    assert ways(dee, (Means.SMS,)) == ((Means.SMS, "+447700900109"),)
    assert ways(Recipient("contact:desk", None, None), (Means.SMS,)) == ()
