"""What indicates an adult at risk, and what each partner is shown."""

from __future__ import annotations

from rapid_response.console.words import FIELDS, QUESTIONS
from rapid_response.core.facts import Facts
from rapid_response.core.vocabulary import Category, Disposition, ReferralKind
from rapid_response.partners.rules import TEMPLATES, VEHICLE_FIELDS, is_owed, safeguarding_because
from tests.cases import each


@each(
    ("facts", "category", "vulnerabilities", "because"),
    [
        (Facts(), Category.SCAM, (), ()),
        # Neither age nor living alone is a need for care; unknown is no yes.
        (Facts(lives_alone=True, recent_bereavement=True), Category.SCAM, (), ()),
        (Facts(cognitive_impairment=True), Category.SCAM, (), ("cognitive_impairment",)),
        (
            Facts(carer_dependent=True, disability=True),
            Category.DOORSTEP_CRIME,
            ("dementia",),
            ("carer_dependent", "disability", "vulnerabilities"),
        ),
        (Facts(disability=False), Category.SCAM, (" ",), ()),
        # A faulty kettle is no abuse, whoever bought it; to be frightened is.
        (Facts(cognitive_impairment=True), Category.OTHER, (), ()),
        (Facts(disability=True, threat_or_fear=True), Category.OTHER, (), ("disability",)),
    ],
)
def test_who_may_be_an_adult_at_risk(
    facts: Facts, category: Category, vulnerabilities: tuple[str, ...], because: tuple[str, ...]
) -> None:
    assert safeguarding_because(facts, category, vulnerabilities) == because


def test_only_an_end_without_a_victim_of_ours_needs_no_decision() -> None:
    none = {d for d in Disposition if not is_owed(("disability",), d)}
    assert none == {
        Disposition.HOAX_OR_TEST,
        Disposition.DUPLICATE_OF,
        Disposition.OUT_OF_SCOPE,
        Disposition.TRANSFERRED_OTHER_AUTHORITY,
    }
    assert not any(is_owed((), d) for d in Disposition)


def test_each_partner_has_a_template_and_nobody_learns_who_rang() -> None:
    assert set(TEMPLATES) == set(ReferralKind)
    fields = {name for template in (*TEMPLATES.values(), VEHICLE_FIELDS) for name in template}
    assert not [name for name in fields if name.startswith("caller")]
    for name in fields:
        part, _, rest = name.partition(".")
        known = {"facts": rest in QUESTIONS or rest == "amount_pence", "": True}
        assert not rest or known.get(part, name in FIELDS), name


def test_health_goes_to_those_who_care_and_strands_to_the_police_alone() -> None:
    health = {"facts.cognitive_impairment", "facts.disability", "victim.vulnerabilities"}
    assert {k for k, names in TEMPLATES.items() if health & set(names)} == {ReferralKind.ASC_SAFEGUARDING}
    strands = {k for k, names in TEMPLATES.items() if "statutory_strands" in names}
    assert strands == {ReferralKind.POLICE_HATE_CRIME}
    assert not [name for name in VEHICLE_FIELDS if name.startswith(("victim", "location", "narrative"))]
