"""The public report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from rapid_response.console.forms.posted import LINES_LIMIT, NARRATIVE_LIMIT, Parsed, Posted
from rapid_response.console.forms.reading import Reading
from rapid_response.core.facts import VULNERABILITY_FACTS
from rapid_response.core.vocabulary import Channel


class Now(StrEnum):
    """The first question of the public form. The values say nothing to whoever reads the address bar."""

    HERE = "1"
    FRIGHTENED = "2"
    ON_THE_PHONE = "3"
    COMING = "4"
    NOBODY = "5"
    NOT_SURE = "6"

    @property
    def is_emergency(self) -> bool:
        """Whether 999 comes before everything else."""
        return self in (Now.HERE, Now.FRIGHTENED)


NOW_WORDS: Mapping[Now, str] = {
    Now.HERE: "Yes, someone is here, or just outside",
    Now.FRIGHTENED: "Yes, someone has threatened or frightened me",
    Now.ON_THE_PHONE: "Someone is on the phone with me, or in my computer",
    Now.COMING: "Someone is coming, or coming back",
    Now.NOBODY: "No, nobody is there now",
    Now.NOT_SURE: "I am not sure",
}


class Paid(StrEnum):
    """Whether money has gone, or is about to."""

    NO = "no"
    ABOUT_TO = "about_to"
    LAST_DAY = "last_day"
    EARLIER = "earlier"


PAID_WORDS: Mapping[Paid, str] = {
    Paid.NO: "No, and nothing is agreed",
    Paid.ABOUT_TO: "Not yet, but it is agreed or about to happen",
    Paid.LAST_DAY: "Yes, in the last 24 hours",
    Paid.EARLIER: "Yes, longer ago",
}
#: Facts that the first answer states outright.
_NOW_FACTS: Mapping[Now, Mapping[str, bool]] = {
    Now.HERE: {"suspect_on_premises": True},
    Now.FRIGHTENED: {"threat_or_fear": True},
    Now.ON_THE_PHONE: {"on_phone_with_suspect": True},
    Now.COMING: {"suspect_returning": True},
    Now.NOBODY: {"suspect_on_premises": False},
}
_PAID_FACTS: Mapping[Paid, Mapping[str, bool]] = {
    Paid.NO: {"paid_within_24h": False, "payment_pending": False},
    Paid.ABOUT_TO: {"payment_pending": True},
    Paid.LAST_DAY: {"paid_within_24h": True},
    Paid.EARLIER: {"paid_within_24h": False},
}
#: Who rings for somebody else, as the caller's role.
CALLER_ROLES: Sequence[tuple[str, str]] = (
    ("self", "The person it happened to"),
    ("family", "Family"),
    ("neighbour", "Neighbour"),
    ("friend", "Friend"),
    ("carer", "Carer"),
    ("bank", "Bank or building society"),
    ("police", "Police"),
    ("adult_social_care", "Adult social care"),
    ("citizens_advice", "Citizens Advice consumer service"),
    ("postal_worker", "Postal worker"),
    ("charity", "Charity"),
    ("councillor", "Councillor"),
    ("other", "Someone else"),
)
#: The same as the public form asks it: whom it is happening to.
PUBLIC_ROLES: Sequence[tuple[str, str]] = (
    ("self", "Me"),
    ("family", "Someone in my family"),
    ("neighbour", "A neighbour"),
    ("friend", "A friend"),
    ("carer", "Someone I care for"),
    ("other", "Someone else"),
)
#: The form's labels, where they differ from the words for a case.
PUBLIC_LABELS: Mapping[str, str] = {
    "narrative": "What has happened?",
    "location.address": "House number and street, or as much as you know",
    "location.postcode": "Postcode, if you know it",
    "victim.name": "Their name, if it is not you and you know it",
    "caller.name": "Your name",
    "caller.phone": "Your phone number",
    "safe_contact.note": "When is it safe, and who may answer?",
}
#: A person cannot read the page and write a sentence faster than this; a script can.
_QUICKEST_PERSON = timedelta(seconds=3)
HONEYPOT = "website"


def read_now(posted: Posted) -> Now | None:
    """The answer to the first question, from the query string or the form."""
    value = posted.text("now")
    return Now(value) if value in set(Now) else None


def read_public_report(posted: Posted, *, now: datetime) -> Parsed:
    """The public form. Only what happened must be said; everything else may stay empty."""
    reading = Reading(posted, labels=PUBLIC_LABELS)
    reading.put("channel", Channel.WEB.value)
    reading.text("narrative", "Tell us what has happened, in your own words", NARRATIVE_LIMIT)
    reading.text("location.postcode")
    for path in ("location.address", "safe_contact.note"):
        reading.text(path, limit=LINES_LIMIT)
    _read_public_people(reading)
    for means in ("sms", "voice", "voicemail"):
        reading.put(f"safe_contact.{means}", means in posted.all("safe"))
    stated = _NOW_FACTS.get(now_answer, {}) if (now_answer := read_now(posted)) else {}
    paid = posted.text("paid")
    stated = {**stated, **(_PAID_FACTS[Paid(paid)] if paid in set(Paid) else {})}
    stated |= {name: True for name in posted.all("applies") if name in VULNERABILITY_FACTS}
    for name, value in stated.items():
        reading.put(f"answers.{name}", value)
    reading.pounds("answers.amount_gbp")
    return reading.done(looks_automated=_looks_automated(posted, now))


def _read_public_people(reading: Reading) -> None:
    """The caller; and the victim, who is the caller only if the caller says so."""
    reading.text("caller.name")
    reading.phone("caller.phone")
    caller = dict(reading.body.get("caller", {}))
    role = reading.posted.text("caller.role")
    if role in dict(PUBLIC_ROLES):
        reading.put("caller.role", role)
    if role != "self":
        reading.text("victim.name")
    elif caller:
        reading.put("victim", caller)
    reading.number("victim.age", 0, 120, "Write the age in years, like 82, or leave it empty")


def _looks_automated(posted: Posted, now: datetime) -> bool:
    """A filled trap, or an answer quicker than a person: taken all the same, but looked at first."""
    if posted.text(HONEYPOT):
        return True
    try:
        shown_at = datetime.fromisoformat(posted.text("shown_at"))
        return now - shown_at < _QUICKEST_PERSON
    except (ValueError, TypeError):
        return True
