"""What a reply does: the decision table of delivery.md 9.4 as one pure function.

A decision names actions in their order and the text that answers; it holds no word of the reply, so that
nothing personal can reach the log by this way. Every list of actions is legal in the state it was decided on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from rapid_response.core.incident import SEEKING_STATUSES, Action, ClockFacts, NotAllowed, Status, after
from rapid_response.core.states import OfferState, Purpose
from rapid_response.core.vocabulary import (
    ClockState,
    ContactRole,
    Disposition,
    ProtectiveAct,
    ShortDisposition,
)
from rapid_response.dispatch.replies import Doubt, Reply, Verb

#: How long the last text to a number explains a bare OK; older, it is no longer what the OK answers.
CONTEXT = timedelta(hours=12)

DISPOSITIONS: Mapping[ShortDisposition, Disposition] = {
    ShortDisposition.HELPED: Disposition.RESOLVED_ATTENDED,
    ShortDisposition.PHONE: Disposition.RESOLVED_REMOTE,
    ShortDisposition.ADVICE: Disposition.ADVICE_ONLY,
    ShortDisposition.POLICE: Disposition.HANDED_TO_POLICE,
    ShortDisposition.NOTRACE: Disposition.NO_TRACE,
    ShortDisposition.NOCONTACT: Disposition.NO_CONTACT,
    ShortDisposition.DECLINED: Disposition.DECLINED_BY_VICTIM,
    ShortDisposition.NOCRIME: Disposition.NO_OFFENCE_CONSUMER_DISPUTE,
}


class SenderKind(StrEnum):
    """Whom a number belongs to."""

    RESPONDER = "responder"
    CONTACT = "contact"
    BOTH = "both"
    UNKNOWN = "unknown"
    #: One of our own numbers, a short number or a sender's name: nobody to talk to.
    NOT_A_PERSON = "not_a_person"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent the text."""

    kind: SenderKind
    responder_id: str | None = None
    roles: frozenset[ContactRole] = frozenset()


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as it stands to the sender: her offer of it, her hold on it, notices to her about it."""

    job_number: int
    incident_id: str
    status: Status
    offer_state: OfferState | None = None
    held: bool = False
    #: She goes along as the second officer; the job is another's.
    companion: bool = False
    taken_by_other: bool = False
    closed: bool = False
    clock_stopped: bool = False
    clock_applies: bool = True
    open_notice: bool = False
    notice_seen: bool = False
    #: When she was first asked to take it, and first told of what she has not seen yet.
    asked_at: datetime | None = None
    told_at: datetime | None = None
    #: She has it, and has moved it the other way since she wrote this.
    overtaken: bool = False


@dataclass(frozen=True, slots=True)
class LastText:
    """What the sender's number got last before she wrote, or may have."""

    purpose: Purpose
    incident_id: str | None = None
    at: datetime | None = None


class Effect(StrEnum):
    """What becomes of a reply."""

    ACT = "act"
    CHECK_IN = "check_in"
    NOTE = "note"
    LIST_JOBS = "list_jobs"
    CLARIFY = "clarify"
    ALREADY = "already"
    SILENT = "silent"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    NEW_REPORT = "new_report"
    DROP = "drop"


class Answer(StrEnum):
    """Which text answers, by the name of its function in `messaging.wording`."""

    CONFIRM = "confirm"
    EN_ROUTE = "en_route_noted"
    ON_SCENE = "on_scene_noted"
    CLOSED = "closed_noted"
    REMOTE = "remote_noted"
    NO_CONTACT = "no_contact_noted"
    DECLINED = "declined_noted"
    RELEASED = "released_noted"
    SAFE = "safe_noted"
    HELP_COMING = "help_coming"
    COMPANION = "companion_noted"
    SEEN = "seen_noted"
    NOTE_KEPT = "note_kept"
    NOT_YOURS = "not_yours"
    DECLINED_BEFORE = "declined_before"
    NO_OPEN_JOB = "no_open_job"
    SEVERAL_OPEN = "several_open"
    CLARIFY = "clarify"
    WORDS = "words"
    CODE_LIST = "code_list"
    HERE_FIRST = "here_first"
    POLICE_REFERENCE = "police_reference_needed"
    ACCEPT_FIRST = "accept_first"
    NOT_POSSIBLE = "not_possible_now"
    OPTED_IN = "opted_in"
    UNKNOWN_SENDER = "unknown_sender"


Params = Mapping[str, str | int]
Step = tuple[Action, Params]


@dataclass(frozen=True, slots=True)
class ReplyDecision:
    """What to do, in order, and what to answer. A NOTE's text is the message as it came.

    `flagged`: a person at the desk looks at it. `late`: after the deadline, or after the job was gone.
    `alert`: somebody at a door may be in trouble, so the duty officer is told at once.
    """

    effect: Effect
    incident_id: str | None = None
    actions: tuple[Step, ...] = ()
    answer: Answer | None = None
    flagged: bool = False
    late: bool = False
    why: str = ""
    job_number: int | None = None
    code: ShortDisposition | None = None
    alert: bool = False
    #: Of which jobs she is asked which she means.
    listed: tuple[str, ...] = ()


class _Stand(StrEnum):
    """How the sender stands to a job."""

    HELD = "held"
    ALONG = "along"
    OFFERED = "offered"
    LAPSED = "lapsed"
    REFUSED = "refused"
    GONE = "gone"
    TOLD = "told"
    STRANGE = "strange"


_ASKED = (_Stand.OFFERED, _Stand.LAPSED)


def _stand(job: JobView) -> _Stand:
    if job.held and not job.closed:
        return _Stand.HELD
    if job.companion and not job.closed:
        return _Stand.ALONG
    if job.offer_state is None:
        return _Stand.TOLD if job.open_notice or job.notice_seen else _Stand.STRANGE
    if job.closed or job.taken_by_other or job.status not in SEEKING_STATUSES:
        return _Stand.GONE
    return {
        OfferState.OPEN: _Stand.OFFERED,
        OfferState.LAPSED: _Stand.LAPSED,
        OfferState.DECLINED: _Stand.REFUSED,
        OfferState.RELEASED: _Stand.REFUSED,
    }.get(job.offer_state, _Stand.GONE)


@dataclass(frozen=True, slots=True)
class _Case:
    """One reply with all that decides about it."""

    reply: Reply
    jobs: Sequence[JobView]
    last: Sequence[LastText]
    stands: Mapping[str, _Stand] = field(default_factory=dict)

    def that(self, *stands: _Stand) -> list[JobView]:
        """The jobs to which the sender stands in one of these ways."""
        return [job for job in self.jobs if self.stands[job.incident_id] in stands]

    def stand(self, job: JobView) -> _Stand:
        return self.stands[job.incident_id]

    @property
    def at_a_door(self) -> list[JobView]:
        """Where she is on scene now."""
        return [job for job in self.that(_Stand.HELD, _Stand.ALONG) if job.status is Status.ON_SCENE]

    @property
    def open_jobs(self) -> list[JobView]:
        """Offers awaiting the sender, and jobs she holds (delivery.md 9.4)."""
        return self.that(_Stand.OFFERED, _Stand.HELD)

    def last_asked_about(self, job: JobView) -> bool:
        """The courtesy guard: the last text she got was this offer or its reminder."""
        return self._last_was(job, Purpose.OFFER, Purpose.REMINDER)

    def last_told_of(self, job: JobView) -> bool:
        """Whether the last text she got was a notice about this job, or an alarm."""
        return self._last_was(job, Purpose.NOTICE, Purpose.ALARM)

    def last_asked_if_safe(self, job: JobView) -> bool:
        """Whether the last text she got was the question whether she is safe there."""
        return self._last_was(job, Purpose.CHECK_IN)

    def _last_was(self, job: JobView, *purposes: Purpose) -> bool:
        # Whichever of them it was that she got last.
        return bool(self.last) and all(
            last.purpose in purposes and last.incident_id == job.incident_id for last in self.last
        )

    @property
    def last_was_courtesy(self) -> bool:
        """Whether the last text she got asked nothing."""
        return bool(self.last) and all(
            last.purpose in (Purpose.CONFIRM, Purpose.STAND_DOWN) for last in self.last
        )

    @property
    def may_answer(self) -> bool:
        """Whether one of several, of which nobody knows which she got last, wants an answer."""
        return len(self.last) > 1 and any(last.purpose in _WANT_ANSWERS for last in self.last)


_WANT_ANSWERS = frozenset({Purpose.OFFER, Purpose.NOTICE, Purpose.ALARM, Purpose.CHECK_IN})


def decide(
    reply: Reply,
    sender: Sender,
    jobs: Sequence[JobView],
    last_texts: Sequence[LastText],
    written: datetime,
) -> ReplyDecision:
    """What a reply that was written then does.

    `jobs`: all the sender was offered, holds or was told of, quarantined ones too. `last_texts`: the last
    that went to her before, and what may have gone since: nobody knows which of them she had before her.
    """
    if sender.kind is SenderKind.NOT_A_PERSON:
        return ReplyDecision(Effect.DROP, why="not a person's number")
    if sender.kind is SenderKind.UNKNOWN:
        # It may be a victim: a report for review, never the bin.
        return ReplyDecision(
            Effect.NEW_REPORT, answer=Answer.UNKNOWN_SENDER, flagged=True, why="unknown number"
        )
    last = [text for text in last_texts if text.at is None or written - text.at <= CONTEXT]
    told = [_as_told(job, written) for job in jobs]
    all_jobs = _Case(reply, told, last, _stands(told))
    if reply.number is not None:
        return _heeding_trouble(all_jobs, _by_verb(all_jobs))
    known = [_as_asked(job, written) for job in told]
    return _heeding_trouble(all_jobs, _by_verb(replace(all_jobs, jobs=known, stands=_stands(known))))


def _stands(jobs: Sequence[JobView]) -> Mapping[str, _Stand]:
    return {job.incident_id: _stand(job) for job in jobs}


def _as_told(job: JobView, written: datetime) -> JobView:
    """A job with what she had been told of it when she wrote: nobody has seen a notice that came later."""
    is_later = job.told_at is not None and job.told_at > written
    return replace(job, open_notice=False) if is_later else job


def _as_asked(job: JobView, written: datetime) -> JobView:
    """A job as she knew it when she wrote: a word alone answers no offer that was made only later."""
    is_later = job.asked_at is not None and job.asked_at > written
    return replace(job, offer_state=None, held=False) if is_later else job


def _heeding_trouble(case: _Case, decided: ReplyDecision) -> ReplyDecision:
    """From somebody at a door, words of danger reach the duty officer now, whatever else they do."""
    if not case.reply.in_trouble or not case.at_a_door:
        return decided
    there = {job.incident_id for job in case.at_a_door}
    if decided.effect in (Effect.ACT, Effect.CHECK_IN):
        return replace(decided, alert=decided.incident_id in there)
    job = next((j for j in case.at_a_door if j.incident_id == decided.incident_id), case.at_a_door[0])
    return replace(_note(job, Answer.HELP_COMING, "may be in trouble"), alert=True)


def _by_verb(case: _Case) -> ReplyDecision:
    reply = case.reply
    match reply.verb:
        case Verb.OPT_OUT:
            offered = case.that(_Stand.OFFERED)
            incident_id = offered[0].incident_id if len(offered) == 1 else None
            return ReplyDecision(
                Effect.OPT_OUT, incident_id, flagged=True, why="texts stopped by the carrier"
            )
        case Verb.OPT_IN:
            return ReplyDecision(Effect.OPT_IN, answer=Answer.OPTED_IN, why="texts wanted again")
        case Verb.HELP:
            return ReplyDecision(Effect.CLARIFY, answer=Answer.WORDS, why="asked for the words")
        case Verb.NONE:
            return _not_understood(case)
    return _by_number(case) if reply.number is not None else _without_number(case)


# --- pieces of decisions ---------------------------------------------------------------------------------


def _act(
    case: _Case,
    job: JobView,
    steps: Sequence[Step],
    answer: Answer,
    why: str,
    *,
    flagged: bool = False,
    late: bool = False,
) -> ReplyDecision:
    """Do it if the state allows; words beyond the command are kept as a note."""
    if not _legal(job, steps):
        return _ask(job, Answer.NOT_POSSIBLE, f"not possible while {job.status.value}", flagged=True)
    if case.reply.rest:
        steps = [*steps, (Action.NOTE, {})]
    return ReplyDecision(
        Effect.ACT,
        job.incident_id,
        tuple(steps),
        answer,
        flagged=flagged,
        late=late,
        why=why,
        job_number=job.job_number,
        code=case.reply.code,
    )


def _legal(job: JobView, steps: Sequence[Step]) -> bool:
    """Whether the one table of actions (core.incident) allows them one after another."""
    status, stopped = job.status, job.clock_stopped
    state = ClockState.RUNNING if job.clock_applies else ClockState.NOT_APPLICABLE
    for action, _ in steps:
        try:
            status = after(status, action, ClockFacts(state, stopped, has_companion=job.companion))
        except NotAllowed:
            return False
        stopped = stopped or action in (Action.ON_SCENE, Action.REMOTE_RESPONSE, Action.POLICE_HANDOVER)
    return True


def _ask(job: JobView, answer: Answer, why: str, *, flagged: bool = False) -> ReplyDecision:
    """Nothing is done, and she is told what is missing."""
    return ReplyDecision(
        Effect.CLARIFY, job.incident_id, answer=answer, flagged=flagged, why=why, job_number=job.job_number
    )


def _already(job: JobView, answer: Answer, why: str, *, late: bool = False) -> ReplyDecision:
    """Nothing is left to do; the answer is given again."""
    return ReplyDecision(
        Effect.ALREADY, job.incident_id, answer=answer, late=late, why=why, job_number=job.job_number
    )


def _gone(job: JobView) -> ReplyDecision:
    return _already(job, Answer.NOT_YOURS, "taken by another, or closed", late=True)


def _acknowledge(job: JobView) -> ReplyDecision:
    """A contact has seen a notice: that ends its repeats and accepts nothing (design.md 5)."""
    return ReplyDecision(
        Effect.ACT,
        job.incident_id,
        ((Action.ACKNOWLEDGE, {}),),
        Answer.SEEN,
        why="notice seen",
        job_number=job.job_number,
    )


def _note(job: JobView, answer: Answer | None, why: str) -> ReplyDecision:
    """Kept with the incident, and shown to a person at once."""
    return ReplyDecision(
        Effect.NOTE,
        job.incident_id,
        ((Action.NOTE, {}),),
        answer,
        flagged=True,
        why=why,
        job_number=job.job_number,
    )


def _list(case: _Case, why: str) -> ReplyDecision:
    """Which of those that she can answer? Not one that she has refused, or that is another's by now."""
    listed = tuple(
        job.incident_id
        for job in case.jobs
        if case.stand(job) in (*_ASKED, _Stand.HELD) or (job.open_notice and not job.closed)
    )
    return ReplyDecision(Effect.LIST_JOBS, answer=Answer.SEVERAL_OPEN, why=why, listed=listed)


def _clarify(why: str, *, flagged: bool = True) -> ReplyDecision:
    return ReplyDecision(Effect.CLARIFY, answer=Answer.CLARIFY, flagged=flagged, why=why)


def _silent(why: str) -> ReplyDecision:
    return ReplyDecision(Effect.SILENT, why=why)


def _nothing_open(case: _Case) -> ReplyDecision:
    """A command with nothing to do it to; a contact's, and whatever else was written, a person reads."""
    if any(job.open_notice for job in case.jobs):
        return _keep(case, Answer.NOTE_KEPT)
    flagged = bool(case.reply.rest)
    return ReplyDecision(Effect.CLARIFY, answer=Answer.NO_OPEN_JOB, flagged=flagged, why="no open job")


# --- which job -------------------------------------------------------------------------------------------


def _named(case: _Case) -> JobView | None:
    """The job whose number was given, if it was ever hers; nothing is said about any other.

    A number comes back after its quarantine: the job that is alive is meant.
    """
    hers = [j for j in case.jobs if j.job_number == case.reply.number and case.stand(j) is not _Stand.STRANGE]
    return min(hers, key=lambda job: case.stand(job) is _Stand.GONE, default=None)


def _by_number(case: _Case) -> ReplyDecision:
    job = _named(case)
    return _clarify("no job of the sender's has this number") if job is None else _apply(case, job)


def _without_number(case: _Case) -> ReplyDecision:
    """The number may be left out where exactly one job fits (contract.md 5)."""
    match case.reply.verb:
        case Verb.ACCEPT:
            return _yes_without_number(case)
        case Verb.DECLINE:
            fitting = case.that(_Stand.OFFERED) or case.that(_Stand.HELD)
        case Verb.SAFE:
            hers = case.that(_Stand.HELD, _Stand.ALONG)
            # A question that was just asked is what is answered, whatever else is open.
            asked = [job for job in hers if case.last_asked_if_safe(job)]
            fitting = asked or case.at_a_door or hers or case.open_jobs
        case Verb.DONE | Verb.NOBODY:
            fitting = case.that(_Stand.HELD) or case.open_jobs
        case _:
            fitting = case.open_jobs
    if len(fitting) > 1:
        return _list(case, "several jobs fit")
    if not fitting:
        fitting = [job for job in case.that(_Stand.LAPSED) if case.last_asked_about(job)]
    return _apply(case, fitting[0]) if fitting else _nothing_open(case)


def _yes_without_number(case: _Case) -> ReplyDecision:
    """The courtesy guard (delivery.md 9.3): people answer OK to anything."""
    if case.last_was_courtesy:
        return _kept_or_silent(case, "courtesy after our own answer")
    if asked := [job for job in case.that(_Stand.HELD, _Stand.ALONG) if case.last_asked_if_safe(job)]:
        return _check_in(case, asked[0])
    told = [job for job in case.jobs if job.open_notice]
    if seen := [job for job in told if case.last_told_of(job)]:
        return _acknowledge(seen[0])
    if len(case.open_jobs) > 1:
        return _list(case, "several jobs are open")
    if case.open_jobs:
        job = case.open_jobs[0]
        if case.stand(job) is _Stand.HELD:
            return _kept_or_silent(case, "has the job already")
        if case.last_asked_about(job):
            return _apply(case, job)
        return (
            _list(case, "the last text was not this offer")
            if case.reply.is_bare
            else _kept_or_silent(case, "")
        )
    if lapsed := [job for job in case.that(_Stand.LAPSED) if case.last_asked_about(job)]:
        return _apply(case, lapsed[0])
    if told and not case.last:
        return _acknowledge(told[0]) if len(told) == 1 else _list(case, "several notices are open")
    return _kept_or_silent(case, "no open job")


def _kept_or_silent(case: _Case, why: str) -> ReplyDecision:
    """A bare yes is swallowed, unless it may be an answer; words beside it are kept where they belong."""
    if case.reply.is_bare:
        return _list(case, "it is not known what she answers") if case.may_answer else _silent(why)
    return _keep(case, Answer.NOTE_KEPT)


# --- what a word does to a job -----------------------------------------------------------------------------


def _apply(case: _Case, job: JobView) -> ReplyDecision:
    if job.overtaken:
        return _note(job, Answer.NOTE_KEPT, "overtaken by what she has done since")
    match case.reply.verb:
        case Verb.ACCEPT:
            return _accept(case, job)
        case Verb.DECLINE:
            return _decline(case, job)
        case Verb.GO | Verb.HERE:
            return _under_way(case, job)
        case _:
            return _on_held(case, job)


def _eta(case: _Case) -> Params:
    return {} if case.reply.eta_minutes is None else {"eta_minutes": case.reply.eta_minutes}


def _accept(case: _Case, job: JobView) -> ReplyDecision:
    stand = case.stand(job)
    answers_notice = job.open_notice and not (stand is _Stand.LAPSED and case.last_asked_about(job))
    if answers_notice and stand is not _Stand.OFFERED:
        return _acknowledge(job)
    if stand in _ASKED:
        late = stand is _Stand.LAPSED
        why = "accepted late, nobody else has it" if late else "accepted"
        return _act(case, job, [(Action.ACCEPT, _eta(case))], Answer.CONFIRM, why, late=late)
    if stand in (_Stand.HELD, _Stand.ALONG) and case.last_asked_if_safe(job):
        return _check_in(case, job)
    if stand is _Stand.ALONG:
        return _along(case, job)
    if stand is _Stand.HELD:
        if case.reply.rest:
            return _note(job, Answer.CONFIRM, "has the job already, and wrote more")
        return _already(job, Answer.CONFIRM, "has the job already")
    if stand is _Stand.REFUSED:
        return _ask(job, Answer.DECLINED_BEFORE, "said no or gave it back before", flagged=True)
    return _already(job, Answer.SEEN, "notice was seen") if stand is _Stand.TOLD else _gone(job)


def _decline(case: _Case, job: JobView) -> ReplyDecision:
    match case.stand(job):
        case _Stand.OFFERED | _Stand.LAPSED:
            return _act(case, job, [(Action.DECLINE, {})], Answer.DECLINED, "declined")
        case _Stand.HELD:
            return _act(case, job, [(Action.RELEASE, {})], Answer.RELEASED, "gave it back", flagged=True)
        case _Stand.ALONG:
            away: list[Step] = [(Action.RELEASE_COMPANION, {})]
            return _act(case, job, away, Answer.RELEASED, "does not go along", flagged=True)
        case _Stand.REFUSED:
            return _already(job, Answer.DECLINED, "declined before")
        case _Stand.TOLD:
            return _note(job, Answer.NOTE_KEPT, "a no to a notice")
        case _:
            return _gone(job)


_REACHED = {
    Verb.GO: (Action.EN_ROUTE, Answer.EN_ROUTE, (Status.EN_ROUTE, Status.ON_SCENE)),
    Verb.HERE: (Action.ON_SCENE, Answer.ON_SCENE, (Status.ON_SCENE,)),
}


def _under_way(case: _Case, job: JobView) -> ReplyDecision:
    """GO and HERE; on an open offer they take the job as well. HERE without an OK is looked at."""
    action, answer, reached = _REACHED[case.reply.verb]
    match case.stand(job):
        case _Stand.HELD if job.status in reached:
            again = Answer.ON_SCENE if job.status is Status.ON_SCENE else answer
            return _already(job, again, "noted before")
        case _Stand.ALONG:
            return _along(case, job)
        case _Stand.HELD:
            # When she sets off, how long she says is the visit plan.
            said = _eta(case) if action is Action.EN_ROUTE else {}
            return _act(case, job, [(action, said)], answer, action.value)
        case _Stand.OFFERED | _Stand.LAPSED as stand:
            return _act(
                case,
                job,
                [(Action.ACCEPT, _eta(case)), (action, {})],
                answer,
                f"accepted and {action.value}",
                flagged=action is Action.ON_SCENE,
                late=stand is _Stand.LAPSED,
            )
        case _Stand.REFUSED:
            return _ask(job, Answer.DECLINED_BEFORE, "said no or gave it back before", flagged=True)
        case _Stand.TOLD:
            return _note(job, Answer.NOTE_KEPT, "a contact's word on a job that is not hers")
        case _:
            return _gone(job)


def _check_in(case: _Case, job: JobView) -> ReplyDecision:
    """A sign of life; what else she wrote is kept."""
    steps: list[Step] = [(Action.CHECK_IN, {})]
    if not _legal(job, steps):
        return _ask(job, Answer.NOT_POSSIBLE, f"nobody is sent while {job.status.value}")
    if case.reply.rest:
        steps.append((Action.NOTE, {}))
    return ReplyDecision(
        Effect.CHECK_IN,
        job.incident_id,
        tuple(steps),
        Answer.SAFE,
        why="checked in",
        job_number=job.job_number,
    )


def _along(case: _Case, job: JobView) -> ReplyDecision:
    """The second officer's word moves nothing: the job is its owner's."""
    if case.reply.rest:
        return _note(job, Answer.COMPANION, "goes along, and wrote more")
    return _already(job, Answer.COMPANION, "goes along")


def _on_held(case: _Case, job: JobView) -> ReplyDecision:
    """DONE and NOBODY: for the owner alone. SAFE: for whoever is there."""
    match case.stand(job):
        case _Stand.HELD | _Stand.ALONG if case.reply.verb is Verb.SAFE:
            return _check_in(case, job)
        case _Stand.ALONG:
            return _ask(job, Answer.NOT_POSSIBLE, "the job is another's", flagged=True)
        case _Stand.HELD if case.reply.verb is Verb.NOBODY:
            return _no_contact(case, job, Disposition.NO_CONTACT)
        case _Stand.HELD:
            return _done(case, job)
        case _Stand.OFFERED | _Stand.LAPSED | _Stand.REFUSED:
            return _ask(job, Answer.ACCEPT_FIRST, f"{case.reply.verb.value} before OK", flagged=True)
        case _Stand.TOLD:
            return _note(job, Answer.NOTE_KEPT, "a contact's word on a job that is not hers")
        case _ if job.offer_state is OfferState.DONE and case.reply.code is not None:
            again = _already(job, Answer.CLOSED, "closed before", late=True)
            return ReplyDecision(
                again.effect,
                again.incident_id,
                answer=again.answer,
                late=True,
                why=again.why,
                job_number=job.job_number,
                code=case.reply.code,
            )
        case _:
            return _gone(job)


# --- DONE (design.md 7) -------------------------------------------------------------------------------------


def _done(case: _Case, job: JobView) -> ReplyDecision:
    code = case.reply.code
    counts = job.clock_applies and not job.clock_stopped
    match code:
        case None:
            return _ask(job, Answer.CODE_LIST, "no outcome code")
        case ShortDisposition.NOTRACE | ShortDisposition.NOCONTACT:
            return _no_contact(case, job, DISPOSITIONS[code])
        case ShortDisposition.HELPED:
            # It implies HERE: nobody helps at a door without having been there.
            before_here = job.status is not Status.ON_SCENE
            steps: list[Step] = [(Action.ON_SCENE, {})] if before_here else []
            return _close(case, job, steps, flagged=before_here)
        case ShortDisposition.PHONE:
            act: Step = (Action.REMOTE_RESPONSE, {"protective_act": ProtectiveAct.OTHER.value})
            return _close(case, job, [] if job.clock_stopped else [act], Answer.REMOTE, flagged=True)
        case ShortDisposition.POLICE:
            return _police(case, job)
        case _ if counts:
            # None of these keeps the promise; closing must not be a way round it.
            return _ask(job, Answer.HERE_FIRST, f"{code.value} while the clock runs")
        case _:
            return _close(case, job, [])


def _close(
    case: _Case,
    job: JobView,
    before: Sequence[Step],
    answer: Answer = Answer.CLOSED,
    *,
    flagged: bool = False,
) -> ReplyDecision:
    assert case.reply.code is not None  # noqa: S101 - every caller has looked at it
    disposition = DISPOSITIONS[case.reply.code].value
    steps = [*before, (Action.CLOSE, {"disposition": disposition})]
    return _act(case, job, steps, answer, f"closed as {disposition}", flagged=flagged)


def _no_contact(case: _Case, job: JobView, found: Disposition) -> ReplyDecision:
    """Nobody reached: that is no response, so the job stays open with its owner."""
    params: Params = {"no_trace": True} if found is Disposition.NO_TRACE else {}
    return _act(case, job, [(Action.NO_CONTACT, params)], Answer.NO_CONTACT, found.value)


def _police(case: _Case, job: JobView) -> ReplyDecision:
    """A handover counts only with the police's own reference (domain.md 3.4)."""
    reference = case.reply.cad_reference
    if reference is None:
        return _ask(job, Answer.POLICE_REFERENCE, "no police reference")
    handover: Step = (Action.POLICE_HANDOVER, {"cad_reference": reference})
    return _close(case, job, [(Action.NOTE, {})] if job.clock_stopped else [handover], flagged=True)


# --- what was not understood -------------------------------------------------------------------------------


def _not_understood(case: _Case) -> ReplyDecision:
    match case.reply.ambiguous:
        case Doubt.COURTESY:
            return _courtesy(case)
        case Doubt.TWO_NUMBERS:
            return _clarify("two job numbers")
        case Doubt.NUMBER_NEEDED | Doubt.UNCLEAR_NUMBER if not case.reply.rest or not case.open_jobs:
            return _list(case, "the number is needed") if case.open_jobs else _clarify("the number is needed")
        case None if not case.reply.rest:
            return _nothing_said(case)
        case None | Doubt.QUESTION:
            return _keep(case, Answer.NOTE_KEPT)
        case _:
            return _keep(case, Answer.CLARIFY)


def _nothing_said(case: _Case) -> ReplyDecision:
    """An empty text, a picture, or a number without a word."""
    job = _named(case)
    if job is not None and job in case.open_jobs:
        return _list(case, "a number without a word")
    return _clarify("nothing said", flagged=False)


def _keep(case: _Case, answer: Answer) -> ReplyDecision:
    """A note on the job it names, or on the only one there is; else on the desk's list."""
    why = case.reply.ambiguous.value if case.reply.ambiguous else "free text"
    if case.reply.number is not None:
        job = _named(case)
    else:
        told = [job for job in case.jobs if job.open_notice]
        fitting = case.open_jobs or case.that(_Stand.ALONG) or told
        job = fitting[0] if len(fitting) == 1 else None
    return _clarify(why) if job is None else _note(job, answer, why)


def _courtesy(case: _Case) -> ReplyDecision:
    """Thanks, or a thumb tapped onto our text: it proves a notice was seen, and never takes a job."""
    named = _named(case)
    if named is not None and named.open_notice:
        return _acknowledge(named)
    if case.reply.number is None:
        if seen := [job for job in case.jobs if job.open_notice and case.last_told_of(job)]:
            return _acknowledge(seen[0])
        if any(case.last_asked_about(job) for job in case.that(_Stand.OFFERED)):
            return _list(case, "thanks are no answer to an offer")
    elif named is not None and case.stand(named) is _Stand.OFFERED:
        return _list(case, "thanks are no answer to an offer")
    return _silent("courtesy")
