"""What people post, read into the bodies of the API, with kind messages where something is missing.

A field's name is its path in the API's body (`caller.phone`), so that the API's own errors (`errors:
[{field, message}]`) land on the right field without a table between the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers

from rapid_response.console.when import NotATime, Side, read_when
from rapid_response.console.words import choices
from rapid_response.core.facts import BOOLEAN_FACTS, VULNERABILITY_FACTS
from rapid_response.core.incident import Action
from rapid_response.core.vocabulary import (
    AgeTargeting,
    Category,
    Channel,
    ContactRoute,
    Disposition,
    EvidenceGrade,
    HateStrand,
    JointArrangement,
    Link,
    OutcomeCode,
    PaymentMethod,
    Priority,
    ProtectiveAct,
    ReferralKind,
    ReferralSource,
    ReferralStep,
    RiskKind,
    RiskSubject,
    Safeguarding,
    ShortDisposition,
    TransferMeans,
    Urgency,
    ViewReason,
)
from rapid_response.safety.rules import LONGEST_MARKER_MONTHS
from rapid_response.steps.commands import PauseReason

NARRATIVE_LIMIT = 20_000
LINE_LIMIT = 200
LINES_LIMIT = 2_000
NOTE_LIMIT = 5_000
OUTCOME_ROWS = 3

YES, NO, UNKNOWN = "yes", "no", "unknown"

# What nobody can mean to type: control characters (line breaks and tabs excepted) and lone surrogates.
_UNTYPED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


# --- a posted form ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Posted:
    """A posted form, cleaned of what nobody can type."""

    values: Mapping[str, tuple[str, ...]]

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[str, object]]) -> Posted:
        """From the pairs of a form or a query string; uploaded files are left out."""
        values: dict[str, tuple[str, ...]] = {}
        for name, value in pairs:
            if isinstance(value, str):
                values[name] = (*values.get(name, ()), _clean(value))
        return cls(values)

    def text(self, name: str) -> str:
        """The field's last value without outer spaces, or an empty string."""
        return (self.values.get(name) or ("",))[-1].strip()

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field that may come more than once."""
        return self.values.get(name, ())


def _clean(value: str) -> str:
    return _UNTYPED.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field, and what to do about it."""

    field: str
    message: str

    @property
    def href(self) -> str:
        """Where the field is on the page."""
        return "#" + field_id(self.field)


def field_id(name: str) -> str:
    """The id of a field's first control."""
    return name.replace(".", "-")


@dataclass(frozen=True, slots=True)
class Filled:
    """What a form shows: the values so far, and what is wrong with them."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    errors: tuple[FieldError, ...] = ()

    def value(self, name: str, default: str = "") -> str:
        """What the field holds."""
        return (self.values.get(name) or (default,))[-1]

    def has(self, name: str, value: str) -> bool:
        """Whether a box is ticked."""
        return value in self.values.get(name, ())

    def error(self, name: str) -> str | None:
        """What is wrong with the field."""
        return next((e.message for e in self.errors if e.field == name), None)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A form read: the API's body, and the form as it is to be shown again if something is wrong."""

    body: dict[str, Any]
    filled: Filled
    looks_automated: bool = False

    @property
    def ok(self) -> bool:
        """Whether the body may be used."""
        return not self.filled.errors

    def refused(self, errors: Iterable[Mapping[str, str]]) -> Parsed:
        """The same form with the API's errors beside its fields."""
        found = tuple(FieldError(e["field"], e["message"]) for e in errors)
        return replace(self, filled=replace(self.filled, errors=self.filled.errors + found))


# --- reading field by field -------------------------------------------------------------------------------


class _Reading:
    """Collects a body and its errors; each method reads one field."""

    def __init__(self, posted: Posted, now: datetime | None = None, zone: ZoneInfo | None = None) -> None:
        self.posted, self.now, self.zone = posted, now, zone
        self.body: dict[str, Any] = {}
        self.errors: list[FieldError] = []

    def put(self, path: str, value: object) -> None:
        """Set a value by its dotted path."""
        *parents, last = path.split(".")
        level = self.body
        for parent in parents:
            level = level.setdefault(parent, {})
        level[last] = value

    def fail(self, name: str, message: str) -> None:
        self.errors.append(FieldError(name, message))

    def text(self, path: str, missing: str | None = None, limit: int = LINE_LIMIT) -> None:
        """A text; `missing` is what to say when it must not be empty."""
        value = self.posted.text(path)
        if len(value) > limit:
            self.fail(path, f"Make this {limit:,} characters or fewer. It has {len(value):,}")
        elif value:
            self.put(path, value)
        elif missing is not None:
            self.fail(path, missing)

    def yes_no(self, path: str) -> None:
        """Yes, no, or (as by default) not known, which is left out."""
        value = self.posted.text(path)
        if value in (YES, NO):
            self.put(path, value == YES)

    def choice(self, path: str, enum: type[StrEnum], missing: str | None = None) -> None:
        value = self.posted.text(path)
        if value in {member.value for member in enum}:
            self.put(path, value)
        elif value or missing is not None:
            self.fail(path, missing or "Choose one of the list")

    def phone(self, path: str) -> None:
        """A phone number; drama numbers are possible but not valid, so possible is enough."""
        value = self.posted.text(path)
        if not value:
            return
        try:
            number = phonenumbers.parse(value, "GB")
        except phonenumbers.NumberParseException:
            number = None
        if number is None or not phonenumbers.is_possible_number(number):
            self.fail(path, "Check the phone number. It should look like 020 7946 0018 or 07700 900123")
        else:
            self.put(path, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))

    def number(self, path: str, low: int, high: int, wrong: str) -> None:
        value = self.posted.text(path)
        if not value:
            return
        if value.isascii() and value.isdigit() and len(value) < 10 and low <= int(value) <= high:
            self.put(path, int(value))
        else:
            self.fail(path, wrong)

    def when(self, path: str, side: Side) -> None:
        value = self.posted.text(path)
        if not value:
            return
        if self.now is None or self.zone is None:
            raise ValueError("a form with times is read with the time and the zone")
        try:
            self.put(path, read_when(value, now=self.now, zone=self.zone, side=side).isoformat())
        except (NotATime, OverflowError) as problem:
            self.fail(path, str(problem))

    def pounds(self, path: str) -> None:
        value = self.posted.text(path)
        if not value:
            return
        try:
            self.put(path, read_pounds(value))
        except ValueError as problem:
            self.fail(path, str(problem))

    def done(self, **extra: Any) -> Parsed:
        return Parsed(self.body, Filled(self.posted.values, tuple(self.errors)), **extra)


def read_pounds(text: str) -> int | float:
    """Pounds as typed: `£1,200.50`, `4k`; a whole sum stays a whole number."""
    words = text.strip().lower().replace("£", "").replace(",", "").replace(" ", "").removesuffix("pounds")
    factor = 1
    if words.endswith("k"):
        words, factor = words[:-1], 1000
    try:
        amount = Decimal(words) * factor
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or not 0 <= amount <= 10_000_000 or amount != round(amount, 2):
        raise ValueError("Write the sum in pounds, like 450 or 1,200.50")
    return int(amount) if amount == int(amount) else float(amount)


# --- the public report ------------------------------------------------------------------------------------


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

#: A person cannot read the page and write a sentence faster than this; a script can.
_QUICKEST_PERSON = timedelta(seconds=3)
HONEYPOT = "website"


def read_now(posted: Posted) -> Now | None:
    """The answer to the first question, from the query string or the form."""
    value = posted.text("now")
    return Now(value) if value in set(Now) else None


def read_public_report(posted: Posted, *, now: datetime) -> Parsed:
    """The public form. Only what happened must be said; everything else may stay empty."""
    reading = _Reading(posted)
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


def _read_public_people(reading: _Reading) -> None:
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


# --- the call handler's form ------------------------------------------------------------------------------

_PAST_TIMES = ("suspect_left_at", "paid_at", "happened_at")
_FUTURE_TIMES = ("courier_expected_at", "suspect_returning_at")
_HANDLER_LINES = (
    *("location.postcode", "location.ward", "external_reference"),
    *("caller.name", "caller.email", "victim.name"),
    *("suspect.name", "suspect.company", "suspect.vehicle_registration", "suspect.website"),
)
_HANDLER_PARAGRAPHS = ("location.address", "safe_contact.note", "suspect.description")
_LATEST_AHEAD = timedelta(minutes=5)
#: The narrative of a call that broke off before anything could be written down.
LINE_WENT_DEAD = "The line went dead before more was said."


def read_handler_report(posted: Posted, *, now: datetime, zone: ZoneInfo) -> Parsed:
    """The call handler's form: every fact of the contract, all but the narrative optional."""
    reading = _Reading(posted, now, zone)
    channel = posted.text("channel") or Channel.PHONE.value
    reading.put("channel", channel if channel in set(Channel) else Channel.PHONE.value)
    _read_received_at(reading, now, zone)
    if posted.text("narrative") or posted.text("answers.line_went_dead") != YES:
        reading.text("narrative", "Write what has happened. A few words are enough", NARRATIVE_LIMIT)
    else:
        # Whoever hears a line go dead has no time for a sentence: what is known is kept as it stands.
        reading.put("narrative", LINE_WENT_DEAD)
    for name in BOOLEAN_FACTS:
        reading.yes_no(f"answers.{name}")
    for name in _PAST_TIMES:
        reading.when(f"answers.{name}", Side.PAST)
    for name in _FUTURE_TIMES:
        reading.when(f"answers.{name}", Side.FUTURE)
    reading.pounds("answers.amount_gbp")
    reading.choice("answers.payment_method", PaymentMethod)
    for path in _HANDLER_LINES:
        reading.text(path)
    for path in _HANDLER_PARAGRAPHS:
        reading.text(path, limit=LINES_LIMIT)
    _read_handler_people(reading)
    if posted.text("back_entry") == YES:
        reading.put("back_entry", True)
    return reading.done()


def _read_handler_people(reading: _Reading) -> None:
    """Numbers, roles, age, and what is safe."""
    posted = reading.posted
    for path in ("caller.phone", "victim.phone", "suspect.phone"):
        reading.phone(path)
    if (role := posted.text("caller.role")) in dict(CALLER_ROLES):
        reading.put("caller.role", role)
    reading.choice("caller.route", ContactRoute)
    reading.choice("referral_source", ReferralSource)
    reading.number("victim.age", 0, 120, "Write the age in years, like 82, or leave it empty")
    if (alone := reading.body.get("answers", {}).get("lives_alone")) is not None:
        reading.put("victim.lives_alone", alone)
    for means in ("sms", "voice", "voicemail"):
        reading.put(f"safe_contact.{means}", means in posted.all("safe"))


def _read_received_at(reading: _Reading, now: datetime, zone: ZoneInfo) -> None:
    """When the call was answered: to the second if the field was left as the page showed it."""
    reading.when("received_at", Side.PAST)
    written = reading.body.get("received_at")
    try:
        opened = datetime.fromisoformat(reading.posted.text("opened_at")).astimezone(zone)
    except ValueError:
        opened = now.astimezone(zone)
    if written is None:
        if not reading.errors:
            reading.put("received_at", opened.isoformat())
        return
    moment = datetime.fromisoformat(written)
    if moment.replace(tzinfo=None) == local_minute(opened):
        moment = opened
        reading.put("received_at", moment.isoformat())
    if moment > now + _LATEST_AHEAD:
        reading.fail("received_at", "The call cannot have come in the future. Check the time")


def local_minute(moment: datetime) -> datetime:
    """A local time as a `datetime-local` field holds it."""
    return moment.replace(second=0, microsecond=0, tzinfo=None)


# --- actions on an incident -------------------------------------------------------------------------------


class Kind(StrEnum):
    """How an action's field is asked."""

    LINE = "line"
    TEXT = "text"
    RADIOS = "radios"
    SELECT = "select"
    BOX = "box"
    BOXES = "boxes"
    RESPONDER = "responder"
    OUTCOMES = "outcomes"
    #: One of the outcomes that are recorded already.
    OUTCOME = "outcome"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class ActionField:
    """One field of an action; `missing` is what to say when it must not be empty."""

    name: str
    label: str
    kind: Kind
    options: Sequence[tuple[str, str]] = ()
    hint: str = ""
    missing: str | None = None
    limit: int = LINE_LIMIT


@dataclass(frozen=True, slots=True)
class ActionForm:
    """What an action asks, and the words on its button."""

    button: str
    fields: tuple[ActionField, ...] = ()
    intro: str = ""
    is_warning: bool = False


def _responder(missing: str) -> ActionField:
    return ActionField("responder", "Responder", Kind.RESPONDER, missing=missing)


def _note(label: str, missing: str | None = None) -> ActionField:
    return ActionField("note", label, Kind.TEXT, missing=missing, limit=NOTE_LIMIT)


def _reason(label: str, missing: str, hint: str = "") -> ActionField:
    return ActionField("reason", label, Kind.TEXT, hint=hint, missing=missing)


_CANCEL_DISPOSITIONS = tuple(
    pair
    for pair in choices(Disposition)
    # The same incident told again is joined to the other one, so that nothing it told is lost.
    if pair[0] in ("withdrawn", "no_offence_consumer_dispute", "out_of_scope", "hoax_or_test")
)
_HOW_LINKED = "Choose how the two belong together"
_REVIEW_STATES = tuple(
    pair for pair in choices(AgeTargeting) if pair[0] not in (AgeTargeting.NONE, AgeTargeting.POTENTIAL)
)

POLICE_REFERENCE = ActionField(
    "police_hate_crime_ref",
    "Police hate crime reference",
    Kind.LINE,
    hint="Only if the police have recorded it as a hate crime and gave you this.",
)

#: Every action of the console in the order of the page; the API's bodies use the same names.
ACTION_FORMS: Mapping[Action, ActionForm] = {
    Action.ASSIGN: ActionForm(
        "Assign",
        (
            _responder("Choose whom to assign"),
            ActionField(
                "companion",
                "Second officer",
                Kind.BOX,
                ((YES, "Goes along with whoever has the job"),),
            ),
            ActionField("reason", "Why, if one person goes to a joint visit alone", Kind.LINE),
        ),
        intro="While a responder is there, give the job to somebody else only when they are there too.",
    ),
    Action.ACCEPT: ActionForm("Record acceptance", (_responder("Choose who accepts"),)),
    Action.DECLINE: ActionForm(
        "Record refusal",
        (_responder("Choose who declines"), ActionField("reason", "Reason, if given", Kind.LINE)),
    ),
    Action.EN_ROUTE: ActionForm("Record that they set off"),
    Action.ON_SCENE: ActionForm(
        "Record arrival", intro="Only when the responder is at the address. This stops the two-hour clock."
    ),
    Action.NO_CONTACT: ActionForm(
        "Record no answer",
        (
            ActionField(
                "no_trace",
                "What was found?",
                Kind.BOX,
                ((YES, "There is no such address, or nobody there who could be meant"),),
            ),
            _note("What was tried"),
        ),
        intro="The clock goes on until someone reaches the person.",
    ),
    Action.REMOTE_RESPONSE: ActionForm(
        "Record help by phone",
        (
            ActionField(
                "protective_act",
                "What was done to protect the person?",
                Kind.RADIOS,
                choices(ProtectiveAct),
                missing="Choose what was done to protect the person",
            ),
            _note("Note"),
        ),
        intro="A responder has spoken to the person, and has done one thing that protects them.",
    ),
    Action.POLICE_HANDOVER: ActionForm(
        "Record police attendance",
        (
            ActionField(
                "cad_reference",
                "Police CAD reference",
                Kind.LINE,
                hint="The police give it when they confirm that they are there.",
                missing="Write the police CAD reference",
            ),
        ),
    ),
    Action.RELEASE: ActionForm(
        "Take the job back",
        (
            ActionField(
                "arranged",
                "If it is held for a joint visit: who goes along?",
                Kind.SELECT,
                choices(JointArrangement)[:2],
            ),
            _reason("Why?", "Say why the job is taken back, or may go out"),
        ),
    ),
    Action.CLOSE: ActionForm(
        "Close the incident",
        (
            ActionField(
                "disposition",
                "How did it end?",
                Kind.SELECT,
                choices(Disposition),
                missing="Choose how it ended",
            ),
            ActionField("outcomes", "What changed for someone", Kind.OUTCOMES),
            ActionField(
                "safeguarding",
                "Adult safeguarding, if an adult may be at risk",
                Kind.SELECT,
                choices(Safeguarding),
            ),
            ActionField("safeguarding_reason", "Why, unless adult social care is told", Kind.LINE),
            _note("Note"),
        ),
    ),
    Action.ADD_OUTCOMES: ActionForm(
        "Add what changed for someone",
        (
            ActionField("outcomes", "What changed for someone", Kind.OUTCOMES),
            ActionField("corrects", "Does it stand instead of something recorded before?", Kind.OUTCOME),
            ActionField("reason", "If so, why?", Kind.LINE),
        ),
    ),
    Action.SET_PRIORITY: ActionForm(
        "Change the priority",
        (
            ActionField("priority", "Priority", Kind.SELECT, choices(Priority), missing="Choose a priority"),
            _reason("Why?", "Say why the priority changes", "Only a duty officer or above may lower it."),
        ),
    ),
    Action.RECLASSIFY: ActionForm(
        "Change what it is",
        (
            ActionField("category", "Category", Kind.RADIOS, choices(Category), missing="Choose a category"),
            ActionField("subtype", "Kind, in a few words", Kind.LINE, hint="For example: rogue trader"),
            ActionField("urgency", "How near is it? Leave it if it is right", Kind.SELECT, choices(Urgency)),
            _reason("Why?", "Say why it changes"),
        ),
    ),
    Action.REVIEW_AGE_TARGETING: ActionForm(
        "Record the decision",
        (
            ActionField("state", "Decision", Kind.RADIOS, _REVIEW_STATES, missing="Choose a decision"),
            _reason("Reasons for the decision", "Give the reasons for the decision"),
            ActionField(
                "victims_own_perception",
                "Whose view is it?",
                Kind.BOX,
                ((YES, "The person says that they were chosen for their age"),),
            ),
            ActionField(
                "referral_kind",
                "Referred to",
                Kind.SELECT,
                choices(ReferralKind),
                hint="Only where you refer it. To the police it is filled in for you.",
            ),
            ActionField("reference", "Reference of the referral, if there is one", Kind.LINE),
            POLICE_REFERENCE,
        ),
        intro="Start from what the person says happened to them. You decide; the marked words only hint. "
        "What they say themselves is ruled out only when a second reviewer agrees.",
    ),
    Action.SECOND_REVIEW: ActionForm(
        "Record what you say",
        (
            ActionField(
                "agree",
                "Do you agree to rule it out?",
                Kind.RADIOS,
                ((YES, "Yes, I agree"), (NO, "No, I do not agree")),
                missing="Say whether you agree",
            ),
            ActionField("reason", "Reasons", Kind.TEXT, hint="Needed if you do not agree."),
        ),
        intro="The first reviewer would rule out what the person says. Read the case before you answer.",
    ),
    Action.REFER: ActionForm(
        "Record the referral",
        (
            ActionField(
                "kind",
                "To whom?",
                Kind.SELECT,
                choices(ReferralKind),
                missing="Choose to whom it is referred",
            ),
            ActionField("reference", "Reference, if there is one", Kind.LINE),
            POLICE_REFERENCE,
            _note("Note"),
        ),
        intro="This sends nothing to them: refer it first, then record it here. Somebody is reminded to ask "
        "what became of it.",
    ),
    Action.DECIDE_SAFEGUARDING: ActionForm(
        "Record the decision",
        (
            ActionField(
                "decision",
                "What is decided?",
                Kind.RADIOS,
                choices(Safeguarding),
                missing="Choose what is decided",
            ),
            ActionField("reason", "Why, unless adult social care is told", Kind.TEXT),
            ActionField("reference", "Their reference, if they gave one", Kind.LINE),
        ),
        intro="Ask what the person wants, and whether they can decide that. Others at risk, or a crime, may "
        "outweigh a no. To tell adult social care is followed up as a referral.",
    ),
    Action.DISCLOSE: ActionForm(
        "Make the sheet",
        (
            ActionField("kind", "For whom?", Kind.SELECT, choices(ReferralKind), missing="Choose for whom"),
            ActionField("to", "Name of who gets it", Kind.LINE, missing="Write who gets it"),
            ActionField(
                "authority",
                "On what authority?",
                Kind.LINE,
                hint="For example: the person agrees; Care Act s.42; their request, with its reference.",
                missing="Write on what authority they get it",
            ),
        ),
        intro="The sheet holds the least that this partner needs, to print or to copy. "
        "That it was made is kept.",
    ),
    Action.LEGAL_HOLD: ActionForm(
        "Record it",
        (
            ActionField(
                "on",
                "What is to be done?",
                Kind.RADIOS,
                ((YES, "Keep it: delete nothing"), (NO, "Let go: the usual time holds")),
                missing="Choose what is to be done",
            ),
            ActionField("reason", "Why?", Kind.LINE, missing="Say who needs it, and why"),
        ),
    ),
    Action.PAUSE: ActionForm(
        "Pause the clock",
        (
            ActionField(
                "reason",
                "Why?",
                Kind.RADIOS,
                choices(PauseReason),
                missing="Choose why the clock is to be paused",
            ),
        ),
        intro="Reports show the time with and without the pause.",
    ),
    Action.RESUME: ActionForm("Start the clock again"),
    Action.NOTE: ActionForm("Add the note", (_note("Note", "Write the note"),)),
    Action.REOPEN: ActionForm(
        "Open it again",
        (
            _reason("What has happened?", "Say what has happened"),
            ActionField(
                "reference",
                "The newer report that tells of it, if there is one",
                Kind.LINE,
                hint="Like RR-7K4M2QX. It is joined to this incident, and the clock counts from it.",
            ),
        ),
        intro="A new episode with a new clock.",
    ),
    Action.LINK: ActionForm(
        "Link them",
        (
            ActionField(
                "kind", "How do the two belong together?", Kind.RADIOS, choices(Link), missing=_HOW_LINKED
            ),
            ActionField(
                "reference",
                "Reference of the other incident",
                Kind.LINE,
                hint="Like RR-7K4M2QX. The same incident, told twice: this one is joined to that one.",
                missing="Write the reference of the other incident",
            ),
            ActionField("reason", "Why?", Kind.TEXT),
        ),
        intro="You decide; nothing is joined by the computer.",
    ),
    # Stands beside what is known, because it is filled in with it.
    Action.AMEND: ActionForm("Save the corrections"),
    Action.CANCEL: ActionForm(
        "Cancel the incident",
        (
            ActionField(
                "disposition",
                "Why is there nothing to respond to?",
                Kind.RADIOS,
                _CANCEL_DISPOSITIONS,
                missing="Choose why there is nothing to respond to",
            ),
            _reason("Explain", "Explain why it is cancelled"),
        ),
        is_warning=True,
    ),
    Action.MARK_HOAX: ActionForm(
        "Record that it is a hoax",
        (_reason("How do you know?", "Say how you know"),),
        intro="Where danger was told of, somebody else has to say the same; until then it goes on.",
        is_warning=True,
    ),
    Action.CHECK_IN: ActionForm(
        "Record that they are safe", intro="Only after you have spoken with the responder yourself."
    ),
    Action.RELEASE_COMPANION: ActionForm(
        "The second officer does not go along", (ActionField("reason", "Why?", Kind.LINE),)
    ),
    Action.TRANSFER: ActionForm(
        "Record the hand-over",
        (
            ActionField(
                "to",
                "To which service?",
                Kind.LINE,
                hint="Leave it empty for the service whose area the address is in.",
            ),
            ActionField(
                "means",
                "How?",
                Kind.RADIOS,
                choices(TransferMeans),
                missing="Choose how it is handed over",
            ),
            ActionField("handed_to", "Who takes it there?", Kind.LINE),
            ActionField("reason", "Why, if the home is inside our area", Kind.LINE),
        ),
        intro="Ring them first. This signs the sheet that goes with the case, and reminds people here until "
        "they say that they have it. Until then it is ours.",
    ),
    Action.TRANSFER_ACKNOWLEDGED: ActionForm(
        "They have it",
        (
            ActionField("by", "Who says so?", Kind.LINE, missing="Write the name of the person there"),
            ActionField("reference", "Their reference, if they gave one", Kind.LINE),
        ),
        intro="It is over here by this.",
    ),
    Action.TRANSFER_DECLINED: ActionForm(
        "They do not take it",
        (
            ActionField("by", "Who says so?", Kind.LINE),
            ActionField("reason", "Why?", Kind.LINE, missing="Write why they do not take it"),
        ),
    ),
    # These stand beside the task, notice or referral that they settle.
    Action.UPDATE_REFERRAL: ActionForm(
        "Record it",
        (
            ActionField("referral", "Referral", Kind.HIDDEN, missing="Choose a referral"),
            ActionField(
                "state",
                "What became of it?",
                Kind.SELECT,
                choices(ReferralStep),
                missing="Choose what became of it",
            ),
            ActionField("reference", "Their reference, if they gave one", Kind.LINE),
            ActionField("reason", "Why, if they decline", Kind.LINE),
        ),
    ),
    Action.TASK_DONE: ActionForm(
        "Done",
        (
            ActionField("task_id", "Task", Kind.HIDDEN, missing="Choose a task"),
            ActionField("reason", "Reason", Kind.HIDDEN),
        ),
    ),
    Action.ACKNOWLEDGE: ActionForm("I have seen this"),
    # And this beside the suggestion that it answers.
    Action.ANSWER_SECOND_READING: ActionForm(
        "Answer",
        (
            ActionField("suggestion", "Suggestion", Kind.HIDDEN, missing="Choose a suggestion"),
            ActionField(
                "agrees", "Do you agree?", Kind.RADIOS, ((YES, "Yes"), (NO, "No")), missing="Say yes or no"
            ),
        ),
    ),
}


#: The hidden field of the form that corrects; the ids of its fields begin with it.
CORRECTION = "correction"
#: Beside the decision, and apart from it: which strands and vulnerability a person says it is about.
CORRECTION_FORM = ActionForm(
    "Correct this",
    (
        ActionField("statutory_strands", "Hostility about", Kind.BOXES, choices(HateStrand)),
        ActionField(
            "other_vulnerability",
            "Apart from age",
            Kind.BOX,
            ((YES, "Another vulnerability was being used"),),
        ),
        _reason("Reasons for the correction", "Give the reasons for the correction"),
    ),
    intro="Leave ticked what you have found to be so. Age is not one of these strands.",
)


def read_action(
    action: Action, posted: Posted, *, now: datetime | None = None, zone: ZoneInfo | None = None
) -> Parsed:
    """The body of `POST …/actions/{action}` from the console's form for it.

    `now` and `zone` are for forms in which times are written.
    """
    if action is Action.AMEND:
        return _read_amendment(_Reading(posted, now, zone))
    reading = _Reading(posted)
    if action is Action.REVIEW_AGE_TARGETING and posted.text(CORRECTION):
        return _read_correction(reading)
    if action is Action.LINK and YES in posted.all("dismiss"):
        reading.put("dismiss", True)
        reading.text("reference", "Write the reference of the other incident")
        reading.text("reason")
        return reading.done()
    for asked in ACTION_FORMS[action].fields:
        _read_action_field(reading, asked)
    if action is Action.UPDATE_REFERRAL:
        # Asked only beside a referral to the police as a hate crime.
        _read_action_field(reading, POLICE_REFERENCE)
    body = reading.body
    if body.get("state") == AgeTargeting.REFERRED_PARTNER and not body.get("referral_kind"):
        reading.fail("referral_kind", "Choose to whom it is referred")
    return reading.done()


def _read_correction(reading: _Reading) -> Parsed:
    """Only what was changed on the page: what somebody else corrected meanwhile is not put back."""
    for asked in CORRECTION_FORM.fields:
        _read_action_field(reading, asked)
    for name in ("statutory_strands", "other_vulnerability"):
        if set(reading.posted.all(name)) == set(reading.posted.all(f"shown_{name}")):
            reading.body.pop(name, None)
    if reading.body.keys() <= {"reason"} and not reading.errors:
        reading.fail("statutory_strands", "Change what is ticked, or leave this form")
    return reading.done()


def _read_action_field(reading: _Reading, asked: ActionField) -> None:
    posted = reading.posted
    if asked.kind is Kind.OUTCOMES:
        _read_outcomes(reading)
    elif asked.kind is Kind.BOX:
        reading.put(asked.name, YES in posted.all(asked.name))
    elif asked.kind is Kind.BOXES:
        reading.put(asked.name, [v for v in posted.all(asked.name) if v in dict(asked.options)])
    elif asked.kind in (Kind.RADIOS, Kind.SELECT):
        value = posted.text(asked.name)
        if value in dict(asked.options):
            reading.put(asked.name, value)
        elif value or asked.missing:
            reading.fail(asked.name, asked.missing or "Choose one of the list")
    else:
        reading.text(asked.name, asked.missing, asked.limit)


# --- correcting a case ------------------------------------------------------------------------------------

#: Under this name a form says what a field held when it was shown, so that what somebody else has put right
#: meanwhile is not put back.
WAS = "was."
_AMENDED_LINES = (
    *("location.postcode", "location.ward", "victim.name"),
    *("caller.name", "caller.email", "caller.role"),
    *("suspect.name", "suspect.company", "suspect.vehicle_registration", "suspect.website"),
)
_AMENDED_PHONES = ("caller.phone", "victim.phone", "suspect.phone")
_MEANS = ("voice", "sms", "voicemail")


def _read_amendment(reading: _Reading) -> Parsed:
    """What is different from what the page showed; an emptied field takes its value away."""
    for path in _AMENDED_LINES:
        _amended(reading, path, reading.text)
    for path in _HANDLER_PARAGRAPHS:
        _amended(reading, path, lambda path: reading.text(path, limit=LINES_LIMIT))
    for path in _AMENDED_PHONES:
        _amended(reading, path, reading.phone)
    wrong_age = "Write the age in years, like 82, or leave it empty"
    _amended(reading, "victim.age", lambda path: reading.number(path, 0, 120, wrong_age))
    for name in BOOLEAN_FACTS:
        _amended(reading, f"answers.{name}", reading.yes_no)
    for names, side in ((_PAST_TIMES, Side.PAST), (_FUTURE_TIMES, Side.FUTURE)):
        for name in names:
            _amended(reading, f"answers.{name}", lambda path, side=side: reading.when(path, side))  # type: ignore[misc]
    _amended(reading, "answers.amount_gbp", reading.pounds)
    _amended(reading, "answers.payment_method", lambda path: reading.choice(path, PaymentMethod))
    safe, was_safe = (set(reading.posted.all(name)) for name in ("safe", f"{WAS}safe"))
    for means in _MEANS:
        if (means in safe) != (means in was_safe):
            reading.put(f"safe_contact.{means}", means in safe)
    if not reading.body and not reading.errors:
        reading.fail("reason", "Nothing is different yet. Change what is wrong, then save")
    reading.text("reason")
    reading.text("report")
    return reading.done()


def _amended(reading: _Reading, path: str, read: Callable[[str], None]) -> None:
    value = reading.posted.text(path)
    if value == reading.posted.text(WAS + path):
        return
    if value in ("", UNKNOWN):
        reading.put(path, None)
    else:
        read(path)


def outcome_field(row: int, part: str) -> str:
    """The name of one cell of the outcome rows."""
    return f"outcomes.{row}.{part}"


def _read_outcomes(reading: _Reading) -> None:
    outcomes: list[dict[str, Any]] = []
    for row in range(OUTCOME_ROWS):
        outcome = _read_outcome(reading, row)
        if outcome:
            outcomes.append(outcome)
    reading.put("outcomes", outcomes)


def _read_outcome(reading: _Reading, row: int) -> dict[str, Any]:
    posted = reading.posted
    code, amount, grade = (
        posted.text(outcome_field(row, part)) for part in ("code", "amount_gbp", "evidence_grade")
    )
    if not code:
        if amount:
            reading.fail(outcome_field(row, "code"), "Choose what the sum is for")
        return {}
    if code not in set(OutcomeCode):
        reading.fail(outcome_field(row, "code"), "Choose one of the list")
        return {}
    outcome: dict[str, Any] = {"code": code}
    if amount:
        try:
            outcome["amount_gbp"] = read_pounds(amount)
        except ValueError as problem:
            reading.fail(outcome_field(row, "amount_gbp"), str(problem))
        if grade not in set(EvidenceGrade):
            reading.fail(outcome_field(row, "evidence_grade"), "Choose how sure the sum is")
        else:
            outcome["evidence_grade"] = grade
    return outcome


# --- alarms and risk markers ------------------------------------------------------------------------------

#: The parts that say which address, or who.
MARKER_LINES: Mapping[RiskSubject, Sequence[tuple[str, str]]] = {
    RiskSubject.ADDRESS: (("address", "Address"), ("postcode", "Postcode")),
    RiskSubject.SUSPECT: (
        ("name", "Full name"),
        ("company", "Company or trading name"),
        ("phone", "Phone number"),
        ("vehicle_registration", "Vehicle registration"),
        ("website", "Website"),
    ),
}


def read_marker(posted: Posted) -> Parsed:
    """A new risk marker: about whom or where, what kind, on what evidence, for how long."""
    reading = _Reading(posted)
    reading.choice("subject", RiskSubject, "Choose what the marker warns of")
    reading.choice("kind", RiskKind, "Choose the kind of risk")
    subject = reading.body.get("subject")
    for name, _ in MARKER_LINES[RiskSubject(subject)] if subject else ():
        reading.text(name)
    _read_evidence(reading)
    return reading.done()


def read_marker_review(posted: Posted) -> Parsed:
    """A marker looked at again: the evidence as it stands now, and for how long."""
    reading = _Reading(posted)
    _read_evidence(reading)
    return reading.done()


def _read_evidence(reading: _Reading) -> None:
    reading.text("reason", "Write the evidence: what happened, when, and how you know", NOTE_LIMIT)
    wrong = f"Write how many months, 1 to {LONGEST_MARKER_MONTHS}"
    reading.number("months", 1, LONGEST_MARKER_MONTHS, wrong)


def read_reason(posted: Posted, missing: str) -> Parsed:
    """A reason that must be given."""
    reading = _Reading(posted)
    reading.text("reason", missing, NOTE_LIMIT)
    return reading.done()


# --- privacy and partners ---------------------------------------------------------------------------------


def read_view_reason(posted: Posted) -> Parsed:
    """Why somebody opens a case that is not theirs."""
    reading = _Reading(posted)
    reading.choice("reason", ViewReason, "Choose why you need to see it")
    reading.text("words", limit=LINE_LIMIT)
    return reading.done()


def read_vehicle(posted: Posted) -> Parsed:
    """Who asks for all reports of one vehicle, and on what authority."""
    reading = _Reading(posted)
    reading.text("registration", "Write the registration")
    reading.text("to", "Write who gets it")
    reading.text("authority", "Write on what authority they get it")
    return reading.done()


# --- the responder's page ---------------------------------------------------------------------------------


class CannotGo(StrEnum):
    """Why a responder cannot take or keep a job: one tap each."""

    BUSY = "busy"
    TOO_FAR = "too_far"
    NOT_SAFE = "not_safe"
    OTHER = "other"


CANNOT_GO_WORDS: Mapping[CannotGo, str] = {
    CannotGo.BUSY: "I am on another job",
    CannotGo.TOO_FAR: "I cannot get there in time",
    CannotGo.NOT_SAFE: "It is not safe for me to go",
    CannotGo.OTHER: "Another reason",
}


def read_cannot_go(posted: Posted) -> Parsed:
    """The body of `decline`, or of `release` after acceptance; the reason is wanted, never demanded."""
    reading = _Reading(posted)
    value = posted.text("reason")
    reading.put("reason", value if value in set(CannotGo) else CannotGo.OTHER.value)
    return reading.done()


def read_outcomes(posted: Posted) -> Parsed:
    """What changed for someone, added after the end; at least one thing."""
    reading = _Reading(posted)
    _read_outcomes(reading)
    if not reading.body.get("outcomes"):
        reading.fail("outcomes.0.code", "Choose what changed")
    return reading.done()


def read_finish(posted: Posted) -> Parsed:
    """`code` as in `DONE 4821 CODE`, with `outcomes`, `note`, and what its code needs beside it."""
    reading = _Reading(posted)
    reading.choice("code", ShortDisposition, "Choose how it ended")
    code = reading.body.get("code")
    if code == ShortDisposition.POLICE:
        reading.text("cad_reference", "Write the police CAD reference")
    if code == ShortDisposition.PHONE:
        reading.choice("protective_act", ProtectiveAct, "Choose what you did to protect them")
    reading.choice("safeguarding", Safeguarding)
    reading.text("safeguarding_reason")
    reading.text("note", limit=NOTE_LIMIT)
    _read_outcomes(reading)
    return reading.done()
