"""Actions on an incident: what each asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from rapid_response.console.forms.correcting import AMEND_LABELS, read_amendment, read_outcome_rows
from rapid_response.console.forms.posted import LINE_LIMIT, NO, NOTE_LIMIT, YES, Parsed, Posted
from rapid_response.console.forms.reading import Reading
from rapid_response.console.words import choices
from rapid_response.core.incident import Action
from rapid_response.core.vocabulary import (
    AgeTargeting,
    Category,
    Disposition,
    HateStrand,
    JointArrangement,
    Link,
    Priority,
    ProtectiveAct,
    ReferralKind,
    ReferralStep,
    Safeguarding,
    TransferMeans,
    Urgency,
)
from rapid_response.steps.commands import SUBTYPE_LIMIT, PauseReason


class Kind(StrEnum):
    """How an action's field is asked."""

    LINE = "line"
    TEXT = "text"
    RADIOS = "radios"
    SELECT = "select"
    BOX = "box"
    BOXES = "boxes"
    RESPONDER = "responder"
    #: One of those that the viewer may set.
    PRIORITY = "priority"
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
            ActionField(
                "priority", "Priority", Kind.PRIORITY, choices(Priority), missing="Choose a priority"
            ),
            _reason("Why?", "Say why the priority changes", "Only a duty officer or above may lower it."),
        ),
    ),
    Action.RECLASSIFY: ActionForm(
        "Change what it is",
        (
            ActionField("category", "Category", Kind.RADIOS, choices(Category), missing="Choose a category"),
            ActionField(
                "subtype",
                "Kind, in a few words",
                Kind.LINE,
                hint="For example: rogue trader",
                limit=SUBTYPE_LIMIT,
            ),
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
        return read_amendment(Reading(posted, now, zone, AMEND_LABELS))
    corrects = action is Action.REVIEW_AGE_TARGETING and posted.text(CORRECTION)
    fields = (CORRECTION_FORM if corrects else ACTION_FORMS[action]).fields
    reading = Reading(posted, labels={asked.name: asked.label for asked in (*fields, POLICE_REFERENCE)})
    if corrects:
        return _read_correction(reading)
    if action is Action.LINK and YES in posted.all("dismiss"):
        reading.put("dismiss", True)
        reading.text("reference", "Write the reference of the other incident")
        reading.text("reason")
        return reading.done()
    if action is Action.ACKNOWLEDGE:
        # What was told after the page was shown has not been seen by whoever looks at it.
        reading.put("seen", list(posted.all("seen")))
    for asked in fields:
        _read_action_field(reading, asked)
    if action is Action.UPDATE_REFERRAL:
        # Asked only beside a referral to the police as a hate crime.
        _read_action_field(reading, POLICE_REFERENCE)
    body = reading.body
    if body.get("state") == AgeTargeting.REFERRED_PARTNER and not body.get("referral_kind"):
        reading.fail("referral_kind", "Choose to whom it is referred")
    return reading.done()


def _read_correction(reading: Reading) -> Parsed:
    """Only what was changed on the page: what somebody else corrected meanwhile is not put back."""
    for asked in CORRECTION_FORM.fields:
        _read_action_field(reading, asked)
    for name in ("statutory_strands", "other_vulnerability"):
        if set(reading.posted.all(name)) == set(reading.posted.all(f"shown_{name}")):
            reading.body.pop(name, None)
    if reading.body.keys() <= {"reason"} and not reading.errors:
        reading.fail("statutory_strands", "Change what is ticked, or leave this form")
    return reading.done()


def _read_action_field(reading: Reading, asked: ActionField) -> None:
    posted = reading.posted
    if asked.kind is Kind.OUTCOMES:
        read_outcome_rows(reading)
    elif asked.kind is Kind.BOX:
        reading.put(asked.name, YES in posted.all(asked.name))
    elif asked.kind is Kind.BOXES:
        reading.put(asked.name, [v for v in posted.all(asked.name) if v in dict(asked.options)])
    elif asked.kind in (Kind.RADIOS, Kind.SELECT, Kind.PRIORITY):
        value = posted.text(asked.name)
        if value in dict(asked.options):
            reading.put(asked.name, value)
        elif value or asked.missing:
            reading.fail(asked.name, asked.missing or "Choose one of the list")
    else:
        reading.text(asked.name, asked.missing, asked.limit)
