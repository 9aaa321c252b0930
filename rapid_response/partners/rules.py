"""What partners are given of a case, and when a safeguarding decision is owed before it ends.

Sources: Care Act 2014 s.42(1) to (3) (needs for care and support; abuse, which expressly includes being
defrauded or put under pressure over money; unable to protect oneself because of those needs), Care and
Support (Eligibility Criteria) Regulations 2015 reg. 2 (needs that arise from a physical or mental impairment
or illness); domain.md 1 (adult at risk), 4 (to whom), 6 (least fields: the bank gets facts of the fraud, not
of health), scenario 52.

Whether she cannot protect herself is never judged here: this only says that a person has to decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rapid_response.core.facts import Facts
from rapid_response.core.vocabulary import Category, Disposition, ReferralKind, Safeguarding

# --- safeguarding -----------------------------------------------------------------------------------------

#: Facts that point to needs for care and support. Age is none of them, nor is living alone.
_NEEDS = ("cognitive_impairment", "carer_dependent", "disability")
#: What she was told to be besides, in somebody's words: a person reads them.
VULNERABILITIES = "vulnerabilities"
_SAYS_NONE = frozenset({"", "none", "no", "nil", "n/a", "not known", "unknown"})
#: Ends in which there is no victim of ours, or the other record holds her.
_NO_VICTIM = frozenset(
    {
        Disposition.HOAX_OR_TEST,
        Disposition.DUPLICATE_OF,
        Disposition.OUT_OF_SCOPE,
        Disposition.TRANSFERRED_OTHER_AUTHORITY,
    }
)
#: Decisions that leave no trace elsewhere, so that their reasons must stand here.
NEEDS_REASON = frozenset(
    {Safeguarding.ALREADY_KNOWN, Safeguarding.DECLINED_WITH_CAPACITY, Safeguarding.NOT_MET}
)


def safeguarding_because(facts: Facts, category: Category, vulnerabilities: Iterable[str]) -> tuple[str, ...]:
    """The codes that indicate an adult at risk; empty where nothing does.

    Two limbs of s.42 that can be read off a report: needs for care and support, and abuse (being tricked,
    pressed or frightened). The third is for the person who decides.
    """
    is_abuse = category is not Category.OTHER or facts.threat_or_fear is True
    if not is_abuse:
        return ()
    needs = [name for name in _NEEDS if getattr(facts, name) is True]
    if any(word.strip().casefold() not in _SAYS_NONE for word in vulnerabilities):
        needs.append(VULNERABILITIES)
    return tuple(needs)


def is_owed(because: tuple[str, ...], disposition: Disposition) -> bool:
    """Whether a case that ends so may not end without the decision."""
    return bool(because) and disposition not in _NO_VICTIM


# --- what each partner needs ------------------------------------------------------------------------------

_CASE = ("reference", "received_at", "category", "subtype")
_SUSPECT = (
    "suspect.name",
    "suspect.company",
    "suspect.phone",
    "suspect.vehicle_registration",
    "suspect.website",
    "suspect.description",
)
_PLACE = ("location.address", "location.postcode")
_PERSON = ("victim.name", *_PLACE)
_REACH = ("victim.phone", "safe_contact")
_FRAUD = (
    "facts.amount_pence",
    "facts.payment_method",
    "facts.paid_at",
    "facts.paid_within_24h",
    "facts.payment_pending",
)
_CARE = (
    "victim.age",
    "victim.vulnerabilities",
    "facts.lives_alone",
    "facts.cognitive_impairment",
    "facts.disability",
    "facts.carer_dependent",
    "facts.communication_need",
)
_DANGER = (
    "facts.suspect_on_premises",
    "facts.suspect_returning",
    "facts.suspect_returning_at",
    "facts.threat_or_fear",
    "facts.courier_expected",
    "facts.courier_expected_at",
)
_SAID = ("narrative",)

#: To each partner the least that they need. Nobody is told who rang: a caller's name is asked for by law or
#: not given. Hate strands go to the police as a hate crime and to nobody else.
TEMPLATES: Mapping[ReferralKind, tuple[str, ...]] = {
    ReferralKind.POLICE_HATE_CRIME: (
        *_CASE, "statutory_strands", *_PERSON, *_REACH, *_DANGER, *_SUSPECT, *_SAID,
    ),
    ReferralKind.POLICE: (*_CASE, *_PERSON, *_REACH, *_DANGER, *_FRAUD, *_SUSPECT, *_SAID),
    ReferralKind.ASC_SAFEGUARDING: (
        *_CASE, "safeguarding_because", *_PERSON, *_REACH, *_CARE, "facts.amount_pence", *_SAID,
    ),
    # The bank gets what it needs to find the account and the payment: nothing of health, no narrative.
    ReferralKind.BANK: (
        *_CASE, "victim.name", "location.postcode", *_FRAUD, "suspect.phone", "suspect.website",
    ),
    ReferralKind.REPORT_FRAUD: (*_CASE, "victim.name", "location.postcode", *_FRAUD, *_SUSPECT, *_SAID),
    ReferralKind.CITIZENS_ADVICE: ("reference", "category", "subtype", "victim.name", *_REACH),
    # Suspects and methods, not people: intelligence for another service.
    ReferralKind.TRADING_STANDARDS: (*_CASE, "ward", "facts.amount_pence", *_SUSPECT),
    ReferralKind.NTS_SCAMS_TEAM: (*_CASE, *_PERSON, *_REACH, "facts.lives_alone", "facts.amount_pence"),
    ReferralKind.IMLT: (*_CASE, *_PERSON, *_REACH, "facts.threat_or_fear", *_SUSPECT, *_SAID),
    ReferralKind.VICTIM_SUPPORT: (
        "reference", "category", "victim.name", *_REACH, "facts.communication_need",
    ),
    ReferralKind.AGE_UK: ("reference", "victim.name", *_PLACE, *_REACH, "facts.lives_alone"),
    ReferralKind.FIRE_SERVICE: ("reference", "victim.name", *_PLACE, *_REACH, "facts.lives_alone"),
    ReferralKind.HOUSING: ("reference", "category", *_PERSON, "received_at"),
    ReferralKind.OTHER: ("reference", "received_at", "category", "subtype"),
}  # fmt: skip

#: Of every case that tells of one vehicle (scenario 59): the vehicle and what was done with it, no victim.
VEHICLE_FIELDS = (
    "reference",
    "received_at",
    "category",
    "subtype",
    "ward",
    "suspect.vehicle_registration",
    "suspect.company",
    "suspect.description",
)
VEHICLE = "vehicle"
