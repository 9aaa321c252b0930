"""The call handler's form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rapid_response.console.forms.posted import LINES_LIMIT, NARRATIVE_LIMIT, YES, Parsed, Posted
from rapid_response.console.forms.public import CALLER_ROLES
from rapid_response.console.forms.reading import Reading
from rapid_response.console.moments import at_words
from rapid_response.console.when import Side
from rapid_response.core.facts import BOOLEAN_FACTS
from rapid_response.core.vocabulary import Channel, ContactRoute, PaymentMethod, ReferralSource

PAST_TIMES = ("suspect_left_at", "paid_at", "happened_at")
FUTURE_TIMES = ("courier_expected_at", "suspect_returning_at")
_HANDLER_LINES = (
    *("location.postcode", "location.ward", "external_reference"),
    *("caller.name", "caller.email", "victim.name"),
    *("suspect.name", "suspect.company", "suspect.vehicle_registration", "suspect.website"),
)
HANDLER_PARAGRAPHS = ("location.address", "safe_contact.note", "suspect.description")
#: The form's labels, where they differ from the words for a case.
HANDLER_LABELS: Mapping[str, str] = {
    "narrative": "In the caller’s own words",
    "location.address": "Address, or as much as they know",
    "victim.phone": "Victim’s number, if another",
    "safe_contact.note": "When, who may answer, code word",
    "victim.name": "Victim’s name, if known",
    "suspect.description": "Looks, clothes, vehicle, direction",
    "suspect.vehicle_registration": "Registration",
    "suspect.company": "Company",
    "suspect.name": "Name given",
    "suspect.phone": "Number used",
    "suspect.website": "Website",
    "received_at": "Answered at",
    "external_reference": "Their reference (police CAD, bank, partner)",
}
#: A page that was open for longer was perhaps not opened for this call.
_ASKED_AFTER = timedelta(minutes=10)
#: The narrative of a call that broke off before anything could be written down.
LINE_WENT_DEAD = "The line went dead before more was said."


def read_handler_report(posted: Posted, *, now: datetime, zone: ZoneInfo) -> Parsed:
    """The call handler's form: every fact of the contract, all but the narrative optional."""
    reading = Reading(posted, now, zone, HANDLER_LABELS)
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
    for name in PAST_TIMES:
        reading.when(f"answers.{name}", Side.PAST)
    for name in FUTURE_TIMES:
        reading.when(f"answers.{name}", Side.FUTURE)
    reading.pounds("answers.amount_gbp")
    reading.choice("answers.payment_method", PaymentMethod)
    for path in _HANDLER_LINES:
        reading.text(path)
    for path in HANDLER_PARAGRAPHS:
        reading.text(path, limit=LINES_LIMIT)
    _read_handler_people(reading)
    for name in ("victims_own_perception", "back_entry"):
        if posted.text(name) == YES:
            reading.put(name, True)
    return reading.done()


def _read_handler_people(reading: Reading) -> None:
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


def _read_received_at(reading: Reading, now: datetime, zone: ZoneInfo) -> None:
    """When the call was answered: to the second if the field was left as the page showed it.

    The page writes in it when the first thing is said (`begun`). Where it did not, and has been open for
    long, it asks once: a call that waited for nobody must not be late.
    """
    reading.when("received_at", Side.PAST)
    written = reading.body.get("received_at")
    try:
        opened = datetime.fromisoformat(reading.posted.text("opened_at")).astimezone(zone)
    except ValueError:
        opened = now.astimezone(zone)
    if written is None and reading.posted.text("received_at"):
        return
    moment = datetime.fromisoformat(written) if written else opened
    if written is None or moment.replace(tzinfo=None) == local_minute(opened):
        moment = opened
        reading.put("received_at", moment.isoformat())
        if now - opened > _ASKED_AFTER and not reading.posted.text("begun"):
            asked = f"Was this call answered at {at_words(opened, now, zone)}, when the page was opened?"
            reading.fail("received_at", f"{asked} Save again if it was. If not, change the time")


def local_minute(moment: datetime) -> datetime:
    """A local time as a `datetime-local` field holds it."""
    return moment.replace(second=0, microsecond=0, tzinfo=None)
