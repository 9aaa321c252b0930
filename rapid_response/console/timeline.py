"""Events as a person reads them: one title and, where it helps, one sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rapid_response.console.moments import at_words
from rapid_response.console.views.case_parts import TimelinePart
from rapid_response.console.views.pieces import minutes_words
from rapid_response.console.words import ENUM_WORDS, field_words, plain
from rapid_response.core.states import MessageState, Purpose
from rapid_response.core.vocabulary import (
    AgeTargeting,
    Area,
    Category,
    Channel,
    ContactRole,
    Disposition,
    JointArrangement,
    Link,
    OutcomeCode,
    ProtectiveAct,
    ReferralKind,
    ReferralStep,
    RetentionClass,
    RiskKind,
    RiskSubject,
    Safeguarding,
    StoppedBy,
    TransferMeans,
    TransferState,
    ViewReason,
)
from rapid_response.steps.commands import BreachReason


@dataclass(frozen=True, slots=True)
class Telling:
    """One event's data, with what is needed to say it: who the ids are, and how times are shown."""

    data: Mapping[str, Any]
    at: datetime
    zone: ZoneInfo
    names: Mapping[str, str]
    rules: Mapping[str, str]

    def who(self, key: str = "responder") -> str:
        """A responder by name, or by id where the name is gone."""
        value = self.data.get(key)
        return self.names.get(str(value), str(value)) if value else "somebody"

    def time(self, key: str) -> str:
        """A time of the data, as it reads on the day of the event."""
        value = self.data.get(key)
        return at_words(datetime.fromisoformat(value), self.at, self.zone) if value else "an unknown time"

    def word(self, key: str, *enums: type) -> str:
        """A code of the data in words."""
        value = self.data.get(key)
        for enum in enums:
            for member, words in ENUM_WORDS[enum].items():
                if member.value == value:
                    return words
        return plain(str(value)) if value else "not known"

    def words(self, key: str) -> str:
        """A list of codes, in words."""
        return ", ".join(plain(str(value)).lower() for value in self.data.get(key) or ())

    def late(self) -> str:
        """How late something fell due, where that was noticeable."""
        seconds = float(self.data.get("late_seconds") or 0)
        return f"This was {minutes_words(timedelta(seconds=seconds))} late." if seconds >= 60 else ""


Told = tuple[str, str]
_Teller = Callable[[Telling], Told]


def entry(
    event_type: str,
    data: Mapping[str, Any],
    *,
    at: datetime,
    by: str,
    zone: ZoneInfo,
    names: Mapping[str, str],
    rules: Mapping[str, str],
) -> TimelinePart:
    """One event for the timeline.

    `by` is already in words; `names` maps responder ids to names, `rules` the rules of triage to titles.
    """
    teller = TELLERS.get(event_type)
    telling = Telling(data, at, zone, names, rules)
    title, description = teller(telling) if teller else (plain(event_type), "")
    return TimelinePart(title[:1].upper() + title[1:], at, by, description)


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _report_received(t: Telling) -> Told:
    later = (
        "Entered from paper; nothing is sent until a person releases it." if t.data.get("back_entry") else ""
    )
    return "Report received", _joined(f"{t.word('channel', Channel)} at {t.time('received_at')}.", later)


def _classified(t: Telling) -> Told:
    how = "Suggested by reading the words." if t.data.get("model_version") else "Decided by a person."
    again = "It has happened to this person before." if t.data.get("repeat_victim") else ""
    return f"{t.word('category', Category)}: {t.word('subtype').lower()}", _joined(how, again)


def _priority(t: Telling) -> Told:
    rule = str(t.data.get("rule_id", ""))
    title = t.rules.get(rule)
    why = f"Rule {rule}: {title}." if title else f"Rule {rule}."
    raised = f"Raised because of: {t.words('escalators')}." if t.data.get("escalators") else ""
    return f"Priority {t.data.get('priority')}", _joined(why, raised)


def _clock_started(t: Telling) -> Told:
    sooner = (
        "" if t.data.get("needed_by") == t.data.get("due_at") else f"Help is needed by {t.time('needed_by')}."
    )
    return "Two-hour clock started", _joined(
        f"Due by {t.time('due_at')}. Job {t.data.get('job_number')}.", sooner
    )


def _targeting(t: Telling) -> Told:
    how = (
        "Decided by a person."
        if t.data.get("by_person")
        else "Suggested by the words of the report; a person decides."
    )
    return f"Age targeting: {t.word('state', AgeTargeting).lower()}", how


#: What became of a proposal to rule out what the person says.
PROPOSAL_WORDS: Mapping[str, str] = {
    "confirmed": "A second reviewer agrees to rule it out",
    "rejected": "A second reviewer does not agree to rule it out",
    "withdrawn": "The proposal to rule it out is taken back",
    "joined": "The proposal to rule it out ended here: it was joined to another, and is decided there",
}


def _referral(t: Telling) -> Told:
    state = t.data.get("state")
    what = "sent" if state == "sent" else t.word("state", ReferralStep).lower()
    return f"Referral to: {t.word('kind', ReferralKind).lower()}", f"{what[:1].upper()}{what[1:]}."


def _offer_made(t: Telling) -> Told:
    joint = "Joint visit: do not enter alone." if t.data.get("joint") else ""
    return f"Offered to {t.who()}", _joined(f"To answer by {t.time('answer_by')}.", joint)


def _accepted(t: Telling) -> Told:
    late = "After the time to answer, while nobody else had it." if t.data.get("late") else ""
    eta = t.data.get("eta_minutes")
    return f"{t.who()} accepted", _joined(f"Expects to be there in {eta} minutes." if eta else "", late)


def _stopped(t: Telling) -> Told:
    met = "in time" if t.data.get("met") else "late"
    gross, paused = int(t.data.get("gross_seconds") or 0), int(t.data.get("paused_seconds") or 0)
    pause = f"Paused for {minutes_words(timedelta(seconds=paused))} of it." if paused else ""
    flagged = "To be confirmed by the duty officer." if t.data.get("flagged") else ""
    took = f"After {minutes_words(timedelta(seconds=gross))}: {t.word('stopped_by', StoppedBy)}."
    sent = "Word of it had been sent in time: no breach." if t.data.get("breach_taken_back") else ""
    return f"Clock stopped, {met}", _joined(took, pause, sent, flagged)


def _warned(t: Telling) -> Told:
    share = round(float(t.data.get("share") or 0) * 100)
    return f"{share}% of the time is used", _joined(
        f"Told: {t.words('told')}." if t.data.get("told") else "", t.late()
    )


def _rung(t: Telling) -> Told:
    what = (
        "Another responder is asked"
        if t.data.get("action") == "offer"
        else f"{t.word('to', ContactRole)} is told"
    )
    return f"Escalation: {what[0].lower()}{what[1:]}", t.late()


def _notice(t: Telling) -> Told:
    again = "Repeat, because nobody has said that they saw it." if t.data.get("repeat") else ""
    return f"{t.word('role', ContactRole)} told: {t.word('kind').lower()}", again


def _message(t: Telling) -> Told:
    return f"{t.word('purpose', Purpose)}: {t.word('state', MessageState).lower()}", ""


def _trouble(t: Telling) -> Told:
    what = {
        "refused": "not taken by the phone network",
        "unknown": "nobody knows whether it went",
        "undelivered": "not delivered",
        "absent": "not found at the phone network",
    }.get(str(t.data.get("what")), "in trouble")
    why = f"{t.word('error_class')}." if t.data.get("error_class") else ""
    again = "It is tried again." if t.data.get("then") == MessageState.RETRY_WAIT else ""
    return f"{t.word('purpose', Purpose)}: {what}", _joined(why, again)


_WAYS = {
    "sms1": "a text",
    "sms2": "a text to the second number",
    "voice1": "a call",
    "voice2": "a call to the second number",
    "next": "the next person",
}


def _other_way(t: Telling) -> Told:
    way = _WAYS.get(str(t.data.get("to_way")), "another way")
    return f"{t.word('purpose', Purpose)}: {way} is tried", f"{t.word('reason')}."


def _way_not_tried(t: Telling) -> Told:
    way = _WAYS.get(str(t.data.get("way")), "another way")
    return f"Not tried: {way}", f"{t.word('reason')}."


def _outcome(t: Telling) -> Told:
    pence = t.data.get("amount_pence")
    return (
        f"Outcome: {t.word('code', OutcomeCode).lower()}",
        f"{pounds(int(pence))}." if pence is not None else "",
    )


def _outcome_corrected(t: Telling) -> Told:
    what, how_much = _outcome(t)
    return f"Put right. {what} does not hold", how_much


def _no_contact(t: Telling) -> Told:
    back = "The clock goes on: the arrival did not reach the person." if t.data.get("took_stop_back") else ""
    if t.data.get("no_trace"):
        return f"{t.who()} could not find the address", back
    return f"{t.who()} found nobody there", back


def _amended(t: Telling) -> Told:
    fields = ", ".join(field_words(name).lower() for name in t.data.get("fields") or ())
    how = {"joined": "From the report that was joined", "new_episode": "As the new report tells it"}
    title = how.get(str(t.data.get("source")), "Put right")
    rules = t.data.get("rules_say")
    return title, _joined(f"{fields[:1].upper()}{fields[1:]}.", f"By the rules now {rules}." if rules else "")


def _linked(t: Telling) -> Told:
    if t.data.get("state") == "rejected":
        return "Not linked, a person says", f"{t.word('kind', Link)}: no."
    return f"Linked by a person: {t.word('kind', Link).lower()}", ""


def _transfer(t: Telling) -> Told:
    state = t.word("state", TransferState)
    return f"Another service: {state.lower()}", f"{t.word('means', TransferMeans)}."


def _remote(t: Telling) -> Told:
    flagged = "To be confirmed by the duty officer." if t.data.get("flagged") else ""
    return "Helped by phone", _joined(f"{t.word('protective_act', ProtectiveAct)}.", flagged)


def _second_read(t: Telling) -> Told:
    suggested = t.words("suggested")
    return "A second reader read the report", f"It suggests: {suggested}." if suggested else "Nothing new."


def _second_answered(t: Telling) -> Told:
    how = "Agreed with" if t.data.get("agrees") else "Did not agree with"
    return f"{how} the second reader", f"{t.word('label')}: {t.word('value').lower()}."


def _set_off(t: Telling) -> Told:
    expected = f"Expected there by {t.time('expected_at')}." if t.data.get("expected_at") else ""
    return f"{t.who()} is on the way", expected


def _checked_in(t: Telling) -> Told:
    again = f"Next check-in by {t.time('next_by')}." if t.data.get("next_by") else ""
    return f"{t.who()} is safe", again


def _check_in_asked(t: Telling) -> Told:
    how = "by a call" if t.data.get("by") == "call" else "by text"
    what = "whether they are safe" if t.data.get("on_scene") else "where they are"
    return f"{t.who()} is asked {what}, {how}", t.late()


def _check_in_missed(t: Telling) -> Told:
    silent = f"Silent for {t.data.get('silent_minutes')} minutes."
    return f"No answer from {t.who()}: {t.word('role', ContactRole).lower()} told", _joined(silent, t.late())


def pounds(pence: int) -> str:
    """`£1,200` or `£1,200.50`."""
    whole, part = divmod(pence, 100)
    return f"£{whole:,}" + (f".{part:02d}" if part else "")


def _partner(t: Telling) -> str:
    kind = str(t.data.get("kind"))
    return plain(ReferralKind(kind)) if kind in set(ReferralKind) else plain(kind)


#: One teller for each event type; a test holds this against core.events.
TELLERS: Mapping[str, _Teller] = {
    "report_received": _report_received,
    "incident_classified": _classified,
    "priority_decided": _priority,
    "clock_started": _clock_started,
    "clock_not_applicable": lambda t: ("No two-hour clock", f"{t.word('why')}."),
    "held_for_review": lambda t: ("Waiting for a person to review", f"{t.word('why')}."),
    "scheduled": lambda t: ("Follow-up scheduled", f"{t.word('why')}."),
    "targeting_assessed": _targeting,
    # Which strands they are stands with the case, for those who may see it.
    "targeting_corrected": lambda _: ("What is kept beside age targeting was corrected", ""),
    "review_proposed": lambda _: (
        "Proposed to rule out what the person says",
        "A second reviewer has to agree.",
    ),
    "review_proposal_settled": lambda t: (
        PROPOSAL_WORDS.get(str(t.data.get("outcome")), "The proposal to rule it out is settled"),
        "",
    ),
    "police_hate_crime_recorded": lambda _: ("The police gave a hate crime reference", ""),
    "referral_moved": _referral,
    "area_found": lambda t: (t.word("area", Area), "By the postcode."),
    "transfer_moved": _transfer,
    "safeguarding_decided": lambda t: ("Adult safeguarding decided", f"{t.word('decision', Safeguarding)}."),
    "disclosure_made": lambda t: (f"A sheet was made for a partner: {_partner(t).lower()}", ""),
    "legal_hold_changed": lambda t: (
        "Held: nothing of it is deleted" if t.data.get("on") else "The hold is let go",
        "",
    ),
    "hoax_marked": lambda t: (
        ("A second person agrees that it is a hoax", "")
        if t.data.get("confirmed")
        else ("Somebody says that it is a hoax", "Danger was told of, so a second person has to agree.")
    ),
    "personal_data_erased": lambda t: (
        "What was known of people is erased",
        f"{t.word('retention_class', RetentionClass)}.",
    ),
    "notification_kept": lambda t: ("A partner told us something", f"{t.word('channel', Channel)}."),
    "notification_settled": lambda t: ("What a partner told us is settled", f"{t.word('outcome')}."),
    "case_opened_unassigned": lambda t: (
        "Opened by somebody whose case it is not",
        f"{t.word('reason', ViewReason)}.",
    ),
    "transfer_chased": lambda t: (
        f"Not with the other service yet: {t.word('role', ContactRole).lower()} told",
        t.late(),
    ),
    "offer_made": _offer_made,
    "offer_declined": lambda t: (f"{t.who()} declined", ""),
    "offer_lapsed": lambda t: (f"{t.who()} did not answer in time", ""),
    "offer_withdrawn": lambda t: (f"Offer to {t.who()} withdrawn", f"{t.word('why')}."),
    "offer_accepted": _accepted,
    "assigned": lambda t: (f"Assigned to {t.who()}", ""),
    "released": lambda t: (f"Taken back from {t.who()}", f"{t.word('why')}."),
    "nobody_left": lambda t: ("Nobody is left to ask", f"People asked so far: {t.data.get('asked')}."),
    "set_off": _set_off,
    "companion_named": lambda t: (f"{t.who()} goes along as the second officer", ""),
    "companion_released": lambda t: (f"{t.who()} does not go along any more", f"{t.word('why')}."),
    "joint_arranged": lambda t: ("Joint visit settled", f"{t.word('how', JointArrangement)}."),
    "visit_ended": lambda t: (f"{t.who()} has left for another job", "No check-ins are asked here now."),
    "checked_in": _checked_in,
    "check_in_asked": _check_in_asked,
    "check_in_missed": _check_in_missed,
    "duress_raised": lambda t: (f"Silent alarm of {t.who()}", "Duty officer and team leader are told."),
    "duress_acknowledged": lambda _: ("The alarm is seen", ""),
    "duress_ended": lambda _: ("The alarm is ended by a person", ""),
    "risk_marker_found": lambda t: (
        f"A risk marker warns of the {t.word('subject', RiskSubject).lower()}",
        "Joint visit: do not enter alone.",
    ),
    "risk_marker_set": lambda t: (
        f"Risk marker set: {t.word('kind', RiskKind).lower()}",
        f"On {t.word('subject', RiskSubject).lower()}, until {t.time('expires_at')}.",
    ),
    "risk_marker_reviewed": lambda t: ("Risk marker reviewed", f"It stands until {t.time('expires_at')}."),
    "risk_marker_ended": lambda t: ("Risk marker ended", f"{t.word('why')}."),
    "arrived_on_scene": lambda t: (
        f"{t.who()} is there",
        "To be confirmed by the duty officer." if t.data.get("flagged") else "",
    ),
    "no_contact_made": _no_contact,
    "clock_stopped": _stopped,
    "clock_moved_back": lambda t: (
        "Clock counts from an earlier report",
        _joined(
            f"Due by {t.time('due_at')}.",
            "The response was late by it." if t.data.get("no_longer_met") else "",
        ),
    ),
    "incident_amended": _amended,
    "link_decided": _linked,
    "report_joined": lambda t: (
        "Report joined",
        f"{t.word('channel', Channel)} at {t.time('received_at')}; it had come in as another incident.",
    ),
    "report_left": lambda _: ("A report went back to its own incident", ""),
    "outcome_joined": _outcome,
    "outcome_left": lambda _: ("An outcome counts with another incident", ""),
    "clock_paused": lambda t: ("Clock paused", f"{t.word('why')}."),
    "clock_resumed": lambda t: ("Clock started again", f"Now due by {t.time('due_at')}."),
    "deadline_warned": _warned,
    "deadline_missed": lambda t: (
        "The two hours have passed without a response",
        f"Due by {t.time('due_at')}.",
    ),
    "rung_reached": _rung,
    "notice_given": _notice,
    "notice_acknowledged": lambda t: (f"{t.word('role', ContactRole)} has seen the notice", ""),
    "message_accepted": lambda t: (f"{t.word('purpose', Purpose)}: handed to the phone network", ""),
    "message_settled": _message,
    "message_troubled": _trouble,
    "message_reconciled": lambda t: ("Looked up at the phone network", f"{t.word('result')}."),
    "other_way_tried": _other_way,
    "way_not_tried": _way_not_tried,
    "reply_understood": lambda t: (f"{t.who()} replied", f"Understood as: {t.word('verb').lower()}."),
    "police_handed_over": lambda _: ("The police attended", ""),
    "response_made_remotely": _remote,
    "task_opened": lambda t: (
        f"Task: {t.word('kind').lower()}",
        f"For the {t.word('owner', ContactRole).lower()}, by {t.time('due_at')}.",
    ),
    "task_done": lambda t: (f"Task done: {t.word('kind').lower()}", ""),
    "outcome_recorded": _outcome,
    "outcome_corrected": _outcome_corrected,
    "incident_closed": lambda t: ("Closed", f"{t.word('disposition', Disposition)}."),
    "incident_cancelled": lambda t: ("Cancelled", f"{t.word('disposition', Disposition)}."),
    "incident_reopened": lambda t: ("Opened again", f"Episode {t.data.get('episode')}."),
    "back_entry_released": lambda _: ("Released by a person", "Messages may now be sent."),
    "breach_explained": lambda t: ("Reason for missing the two hours", f"{t.word('code', BreachReason)}."),
    "note_added": lambda _: ("Note added", ""),
    "second_reading_recorded": _second_read,
    "second_reading_answered": _second_answered,
    "work_parked": lambda t: ("Work parked: a person is needed", f"{t.word('kind')}."),
    "service_loaded": lambda t: ("Service definition loaded", f"Version {t.data.get('version')}."),
    "rota_gap_told": lambda t: ("A gap in the rota was told", ""),
    "availability_changed": lambda t: (f"{t.who()} is {t.word('state').lower()} duty", ""),
    "next_step_restored": lambda t: ("A next step was missing and is set again", f"{t.word('check')}."),
    "parked_work_taken": lambda t: (f"Parked work: {t.word('by').lower()} sees to it", f"{t.word('kind')}."),
    "database_restored": lambda t: (
        "Database restored from a copy",
        f"Made at {t.time('backup_made_at')}." if t.data.get("backup_made_at") else "",
    ),
    "backup_made": lambda _: ("Copy of the database made", ""),
    "sending_held": lambda t: ("Messages and deadlines held", f"{t.word('why')}."),
    "sending_released": lambda t: (
        "Messages and deadlines released",
        f"Messages that go: {t.data.get('will_go')}; dropped as stale: {t.data.get('dropped')}.",
    ),
    "clock_stepped": lambda t: ("The clock jumped", f"By {float(t.data.get('seconds') or 0):+.0f} seconds."),
    "clock_confirmed": lambda _: ("A person has looked at the clock", ""),
    "file_found_damaged": lambda t: ("The database is damaged", f"{t.word('what')}."),
    "endpoint_changed": lambda t: ("A number changed", f"{t.word('state')}: {t.word('why').lower()}."),
    "number_code_sent": lambda t: (f"A code was sent to a number of {t.who()}", f"{t.word('channel')}."),
    "number_proved": lambda t: (f"A number of {t.who()} is confirmed", f"Until {t.time('until')}."),
    "number_not_proved": lambda t: (f"A number of {t.who()} was not confirmed", f"{t.word('why')}."),
    "number_denied": lambda t: (f"A number of {t.who()} may be somebody else's now", ""),
    "line_down": lambda t: ("A provider is down", f"{t.word('provider')}, {t.word('channel').lower()}."),
    "line_mended": lambda t: ("A provider is back", f"{t.word('provider')}, {t.word('channel').lower()}."),
    "texts_over_cap": lambda t: ("More texts today than a day should need", f"Over {t.data.get('cap')}."),
    "caller_rang_off": lambda t: (
        "A caller left no message",
        "To be rung back." if t.data.get("may_be_rung") else "The number was withheld.",
    ),
    "message_found_late": lambda _: ("A caller who seemed to have rung off had left a message", ""),
    "earlier_call_joined": lambda t: (
        "They had rung before and left no message",
        "The two hours count from that call.",
    ),
    "mail_parked": lambda t: ("An e-mail to the desk could not be sent", f"{t.word('error')}."),
    "account_changed": lambda t: ("Account changed", f"{t.word('change')}."),
}
