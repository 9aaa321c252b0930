"""A text reached us: kept before anything is done with it, then read, decided on, done and answered.

Keeping it and acting on it are two steps. What a text does is on the agenda with the text itself in one
commit, so that a fault in the second loses nothing: it is tried again, and parked where a person sees it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import and_, exists, func, or_, update
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from rapid_response.core import duress
from rapid_response.core import events as happened
from rapid_response.core.definition import Means
from rapid_response.core.incident import Action
from rapid_response.core.notices import NoticeKind
from rapid_response.core.states import (
    PERHAPS_GONE,
    EndpointState,
    MessageChannel,
    MessageState,
    OfferState,
    Purpose,
)
from rapid_response.core.text import storable
from rapid_response.core.vocabulary import Channel, ClockState, ContactRole
from rapid_response.dispatch import replies, reply_decision
from rapid_response.dispatch.replies import Reply
from rapid_response.dispatch.reply_decision import (
    Effect,
    JobView,
    LastText,
    ReplyDecision,
    Sender,
    SenderKind,
)
from rapid_response.dispatch.words import Verb
from rapid_response.intake.reading.port import Matter
from rapid_response.intake.report_in import Caller, ReportIn
from rapid_response.messaging import proof, wording
from rapid_response.messaging.lives import REPEAT, UNRESOLVED
from rapid_response.messaging.numbers import normalise_number
from rapid_response.sla.rules import Deadline, Kind
from rapid_response.steps import (
    actions,
    alarms,
    companions,
    endpoints,
    failing,
    notices,
    overtaking,
    proving,
    readiness,
)
from rapid_response.steps.case import clock_facts, hold, offers_of
from rapid_response.steps.commands import COMMANDS
from rapid_response.steps.desk import Desk, Who
from rapid_response.steps.outbox import queue
from rapid_response.steps.receive import receive
from rapid_response.steps.replying import Known, Text, answer, say_pictures_are_not_received, written_at
from rapid_response.steps.service import Service, service_now
from rapid_response.storage import work
from rapid_response.storage.columns import not_by
from rapid_response.storage.due import is_pending
from rapid_response.storage.once import once
from rapid_response.storage.tables import (
    AgendaRow,
    AlarmRow,
    InboundMessageRow,
    IncidentRow,
    JobNumberRow,
    MessageRow,
    NoticeRow,
    OfferRow,
)
from rapid_response.storage.tx import Tx

#: Before whatever else is due.
_FIRST = 0
#: What a text of nothing says, and a picture without a word.
_EMPTY, _PICTURE_ALONE = "(an empty text)", "(a picture or a video, without words)"
#: What is left of a text that held the duress word.
_WITHHELD = "(withheld)"


def take_text(
    tx: Tx,
    desk: Desk,
    sid: str,
    from_number: str,
    to_number: str,
    body: str,
    *,
    opt_out_type: str = "",
    has_media: bool = False,
    source: str = "webhook",
    sent_at: datetime | None = None,
) -> bool:
    """Keep a text, once: the same one again, by whatever way, is nothing new. False when it was known.

    `opt_out_type` is what the carrier has done about it already; `has_media` that a picture came with it;
    `sent_at` when it was written, if known.
    """
    again = tx.execute(
        update(InboundMessageRow)
        .where(col(InboundMessageRow.provider) == desk.provider, col(InboundMessageRow.provider_sid) == sid)
        .values(to_count=func.coalesce(col(InboundMessageRow.to_count), 0) + 1)
    )
    if again.rowcount:
        return False
    inbound_id = tx.ids.uuid()
    tx.add(
        InboundMessageRow,
        id=inbound_id,
        provider=desk.provider,
        provider_sid=sid[:64],
        from_number=from_number[:32],
        to_number=to_number[:32],
        body=_storable(body, _PICTURE_ALONE if has_media else _EMPTY),
        received_at=tx.now,
        source=source,
        sent_at=min(sent_at, tx.now) if sent_at is not None else None,
        has_media=has_media,
        opt_out_type=opt_out_type.upper() if opt_out_type.upper() in _BY_CARRIER else "",
    )
    work.arm(tx, "", 1, _FIRST, [Deadline(Kind.INBOUND, tx.now, inbound_id)])
    return True


def _storable(body: str, nothing_said: str) -> str:
    try:
        return storable(body)[:5000]
    except ValueError:
        return nothing_said


def _says_nothing(text: InboundMessageRow) -> bool:
    return text.body in (_EMPTY, _PICTURE_ALONE)


def act_on_text(tx: Tx, desk: Desk, inbound_id: str) -> None:
    """Act on a kept text, and before it on what its sender wrote earlier: nobody means HERE before her OK.

    Several may be found at once, by several nodes. Whoever is first does the earlier ones too; the others
    then find nothing to do.
    """
    text = tx.need(InboundMessageRow, inbound_id)
    # Locked in the order in which they were written, so that two nodes cannot wait for each other. Nothing
    # waits for these locks that holds a case, so they may come before the cases'.
    earlier = tx.all(_not_acted_on_before(tx.now, text.from_number, written_at(text), text.id))
    for each in (*earlier, tx.need(InboundMessageRow, inbound_id, lock=True)):
        if each.effect is None:
            _act_on(tx, desk, each)


@once
def _not_acted_on_before(
    now: datetime, from_number: str, written: datetime, inbound_id: str
) -> SelectOfScalar[InboundMessageRow]:
    """What a number wrote earlier and is on the agenda still; what has failed there is in nobody's way."""
    when = func.coalesce(col(InboundMessageRow.sent_at), col(InboundMessageRow.received_at))
    return (
        select(InboundMessageRow)
        .join(AgendaRow, col(AgendaRow.subject) == col(InboundMessageRow.id))
        .where(
            *is_pending(_FIRST),
            col(AgendaRow.due_at) <= now,
            col(AgendaRow.kind) == Kind.INBOUND.value,
            col(AgendaRow.error).is_(None),
            not_by(col(InboundMessageRow.from_number)) == from_number,
            or_(when < written, and_(when == written, col(InboundMessageRow.id) < inbound_id)),
        )
        .order_by(when, col(InboundMessageRow.id))
        .with_for_update(of=InboundMessageRow)
    )


def _act_on(tx: Tx, desk: Desk, text: InboundMessageRow) -> None:
    """Read a kept text, decide by the table, do it, answer it: one step, in the sender's name."""
    service = service_now(tx, desk.zone)
    known = _who_sent(desk, service, text)
    reply = _read(text)
    if _is_duress(tx, service, text, known, reply):
        return
    written = written_at(text)
    jobs = _jobs(tx, known, reply, written) if known.recipients else {}
    views = [view for _, view in jobs.values()]
    # Whoever has taken a job by this phone is its owner, and means another number.
    if known.responder is not None and proof.denies(text.body) and not any(view.held for view in views):
        _denied(Text(tx, desk, service, text, known, None), [incident for incident, _ in jobs.values()])
        return
    last = _last_texts(tx, known.number, written)
    decision = reply_decision.decide(reply, known.sender, views, last, written)
    tx.actor = known.actor
    if _answers_alarm_of_no_job(Text(tx, desk, service, text, known, None), reply, last):
        return
    text.sender, text.verb, text.effect = known.actor, reply.verb.value, decision.effect.value
    text.incident_id = decision.incident_id
    is_picture_alone = text.body == _PICTURE_ALONE and decision.effect is not Effect.DROP
    text.needs_person = decision.flagged or is_picture_alone
    incident = jobs[decision.incident_id][0] if decision.incident_id in jobs else None
    said, theirs = Text(tx, desk, service, text, known, incident), [one for one, _ in jobs.values()]
    _carry_out(said, decision, theirs)
    if decision.alert and incident is not None:
        _tell_of_trouble(said, incident)
    if incident is not None:
        tx.record(
            incident.id,
            happened.ReplyUnderstood(text.id, known.actor, reply.verb.value, decision.effect.value),
        )
    if text.body != _PICTURE_ALONE:
        answer(said, decision, theirs)
    if text.has_media:
        say_pictures_are_not_received(said, decision)


#: What the carrier made of a text, whatever words its owner set it to (delivery.md 2.5).
_BY_CARRIER = {"STOP": Verb.OPT_OUT, "START": Verb.OPT_IN, "HELP": Verb.HELP}


def _read(text: InboundMessageRow) -> Reply:
    said = replies.read("" if _says_nothing(text) else text.body)
    verb = _BY_CARRIER.get(text.opt_out_type)
    if verb is None:
        return said
    # From a door `help` does not ask for words.
    in_trouble = verb is Verb.HELP and said.in_trouble
    return Reply(verb, is_bare=True, heard=(verb,), in_trouble=in_trouble)


def _denied(text: Text, jobs: Sequence[IncidentRow]) -> None:
    """The number may be somebody else's now: a person looks, and whoever has it hears nothing more."""
    tx, known = text.tx, text.known
    if known.responder is None:
        return
    tx.actor = known.actor
    text.row.sender, text.row.effect, text.row.needs_person = known.actor, "denied", True
    for incident in jobs:
        for offer in offers_of(tx, incident):
            if offer.responder_id == known.responder.id:
                failing.wrong_number(tx, text.desk, text.service, incident, offer, known.number)
    proving.deny(tx, text.desk, text.service, known.responder.id, known.number)


# --- alarms ----------------------------------------------------------------------------------------------


def _is_duress(tx: Tx, service: Service, text: InboundMessageRow, known: Known, reply: Reply) -> bool:
    """Whether a responder's text holds the duress word; then it is an alarm, and nothing else.

    Nothing answers it, and what she wrote is not kept: the word must stand nowhere.
    """
    policy = service.definition.lone_worker
    if policy is None or known.responder is None or not duress.says(text.body, policy.duress_word):
        return False
    tx.actor = known.actor
    text.body, text.sender, text.effect = _WITHHELD, known.actor, "alarm"
    alarms.raise_alarm(tx, service, known.responder.id, "sms", reply.number)
    return True


def _answers_alarm_of_no_job(text: Text, reply: Reply, last: Sequence[LastText]) -> bool:
    """An OK to an alarm that no job number could name; others are told apart by their number."""
    if not last or any(t.purpose is not Purpose.ALARM or t.incident_id is not None for t in last):
        return False
    if reply.verb is not Verb.ACCEPT or reply.number is not None:
        return False
    unseen = [a for a in _unseen_alarms(text.tx, text.known, text.written) if a.incident_id is None]
    if not alarms.acknowledge(text.tx, unseen, "sms"):
        return False
    text.row.sender, text.row.verb, text.row.effect = text.known.actor, reply.verb.value, Effect.ACT.value
    queue(
        text.tx,
        key=f"answer:{text.row.id}",
        purpose=Purpose.CONFIRM,
        to_number=text.known.number,
        recipient=text.known.actor,
        body=wording.alarm_seen(),
        is_new=True,
    )
    return True


def _unseen_alarms(tx: Tx, known: Known, written: datetime) -> list[AlarmRow]:
    """What she had been told of when she wrote: nobody has seen an alarm by a text that is older."""
    return [a for a in alarms.unseen_by(tx, known.recipients) if a.raised_at <= written]


def _tell_of_trouble(text: Text, incident: IncidentRow) -> None:
    """She wrote from a door that she may need help: somebody else rings her now."""
    notices.give(
        text.tx,
        text.desk,
        text.service,
        incident,
        NoticeKind.NOT_SAFE,
        ContactRole.DUTY_OFFICER,
        by=(Means.SMS, Means.VOICE),
        apart_from=text.known.responder.id if text.known.responder else None,
    )


# --- who, and about what ---------------------------------------------------------------------------------


def _who_sent(desk: Desk, service: Service, text: InboundMessageRow) -> Known:
    definition = service.definition
    number = normalise_number(text.from_number)
    if number is None or number in (definition.hotline, text.to_number, *desk.our_numbers):
        return Known(text.from_number, Sender(SenderKind.NOT_A_PERSON), None, frozenset())
    responder = next((r for r in definition.responders if number in r.numbers), None)
    roles = frozenset(role for role, to in definition.contacts.items() if to == number)
    if responder is not None:
        roles |= responder.roles
    recipients = frozenset(f"contact:{role}" for role in roles)
    if responder is not None:
        recipients |= {f"responder:{responder.id}"}
    kind = {
        (True, True): SenderKind.BOTH,
        (True, False): SenderKind.RESPONDER,
        (False, True): SenderKind.CONTACT,
        (False, False): SenderKind.UNKNOWN,
    }[responder is not None and bool(responder.skills), bool(roles)]
    if kind is SenderKind.UNKNOWN and responder is not None:
        kind = SenderKind.RESPONDER
    return Known(number, Sender(kind, responder.id if responder else None, roles), responder, recipients)


def _jobs(tx: Tx, known: Known, reply: Reply, written: datetime) -> dict[str, tuple[IncidentRow, JobView]]:
    """All that was offered to her or told her and still has its number, locked, as the table sees it."""
    responder_id = known.responder.id if known.responder else None
    live = select(JobNumberRow.incident_id).where(
        or_(col(JobNumberRow.free_from).is_(None), col(JobNumberRow.free_from) > tx.now)
    )
    # Looked for by the few cases that have a number, never by all that she was offered or told in years.
    asked = tx.all(
        select(OfferRow)
        .where(
            not_by(col(OfferRow.responder_id)) == (responder_id or ""),
            col(OfferRow.incident_id).in_(live),
        )
        .order_by(col(OfferRow.made_at), col(OfferRow.id))
    )
    told = tx.all(
        select(NoticeRow).where(
            col(NoticeRow.incident_id).in_(live),
            exists().where(
                col(MessageRow.incident_id) == col(NoticeRow.incident_id),
                col(MessageRow.notice_id) == col(NoticeRow.id),
                not_by(col(MessageRow.to_number)) == known.number,
            ),
        )
    )
    along = companions.goes_along(tx, responder_id) if responder_id else []
    alarmed = {a.incident_id for a in _unseen_alarms(tx, known, written) if a.incident_id}
    found: dict[str, tuple[IncidentRow, JobView]] = {}
    # Locked in the order of their ids, so that two texts cannot wait for each other.
    concerned = {o.incident_id for o in asked} | {n.incident_id for n in told} | alarmed | set(along)
    for incident_id in sorted(concerned):
        incident = hold(tx, incident_id)
        mine = [o for o in asked if o.incident_id == incident_id and o.episode == incident.episode]
        hers = [n for n in told if n.incident_id == incident_id]
        view = _view(incident, mine, hers, responder_id, alarmed=incident_id in alarmed)
        if view.held:
            is_overtaken = overtaking.is_overtaken(tx, known, reply.verb, incident_id, written)
            view = replace(view, overtaken=is_overtaken)
        found[incident_id] = (incident, view)
    return found


def _view(
    incident: IncidentRow,
    asked: Sequence[OfferRow],
    told: Sequence[NoticeRow],
    responder_id: str | None,
    *,
    alarmed: bool,
) -> JobView:
    unseen = [n for n in told if n.acknowledged_at is None]
    clock = clock_facts(incident)
    held = responder_id is not None and incident.owner == responder_id
    return JobView(
        job_number=incident.job_number or 0,
        incident_id=incident.id,
        status=incident.status,
        offer_state=asked[-1].state if asked else None,
        held=held,
        taken_by_other=incident.owner is not None and not held,
        closed=not incident.is_open,
        clock_stopped=clock.is_stopped,
        clock_applies=clock.state is not ClockState.NOT_APPLICABLE,
        companion=responder_id is not None and incident.companion == responder_id,
        open_notice=alarmed or bool(unseen),
        notice_seen=any(n.acknowledged_at is not None for n in told),
        asked_at=asked[0].made_at if asked else None,
        told_at=None if alarmed else min((n.given_at for n in unseen), default=None),
    )


#: It went; and, where nobody knows whether it did, it may have.
_WENT = (MessageState.IN_NETWORK, MessageState.DELIVERED)
#: Why it is sent once more, or no more.
_MAY_HAVE_GONE_BEFORE = (REPEAT, UNRESOLVED)
#: Beyond so many of which nobody knows, older ones make nothing clearer.
_UNKNOWN_AT_MOST = 10


def _last_texts(tx: Tx, number: str, written: datetime) -> list[LastText]:
    """The last text that went to that number before it wrote, and what may have gone since, newest first."""
    newest = tx.all(
        select(MessageRow)
        .where(
            col(MessageRow.to_number) == number,
            col(MessageRow.channel) == MessageChannel.SMS,
            or_(
                col(MessageRow.state).in_((*_WENT, *PERHAPS_GONE)),
                col(MessageRow.reason).in_(_MAY_HAVE_GONE_BEFORE),
            ),
            col(MessageRow.created_at) <= written,
        )
        .order_by(col(MessageRow.created_at).desc(), col(MessageRow.id).desc())
        .limit(_UNKNOWN_AT_MOST)
    )
    known = next((n for n, message in enumerate(newest) if message.state in _WENT), len(newest))
    return [LastText(m.purpose, m.incident_id, m.created_at) for m in newest[: known + 1]]


# --- doing it --------------------------------------------------------------------------------------------


def _carry_out(text: Text, decision: ReplyDecision, jobs: Sequence[IncidentRow]) -> None:
    match decision.effect:
        case Effect.ACT | Effect.NOTE | Effect.CHECK_IN:
            _act(text, decision)
        case Effect.NEW_REPORT:
            _becomes_report(text)
        case Effect.OPT_OUT | Effect.OPT_IN if overtaking.has_since_texted(
            text.tx, text.row.from_number, (Effect.OPT_OUT, Effect.OPT_IN), text.written
        ):
            pass  # what she wrote last holds, as it does at the carrier
        case Effect.OPT_OUT:
            _opt_out(text, jobs)
        case Effect.OPT_IN:
            endpoints.become(
                text.tx,
                text.known.number,
                MessageChannel.SMS,
                EndpointState.ACTIVE,
                "start",
                text.known.actor,
            )
        case Effect.CLARIFY | Effect.LIST_JOBS | Effect.ALREADY | Effect.SILENT | Effect.DROP:
            pass


def _act(text: Text, decision: ReplyDecision) -> None:
    """The actions in their order; what the state no longer allows undoes the step, to be tried again."""
    incident = text.incident
    if incident is None:
        return
    responder = text.known.responder
    who = Who(
        text.known.actor,
        "sms",
        responder=responder.id if responder else None,
        # Its own time decides whether it came late, not ours (delivery.md 8).
        said_at=text.row.sent_at,
    )
    for action, params in decision.actions:
        if action is Action.ACKNOWLEDGE:
            notices.acknowledge(text.tx, incident, "sms", text.known.recipients, said_at=text.written)
            unseen = _unseen_alarms(text.tx, text.known, text.written)
            alarms.acknowledge(text.tx, [a for a in unseen if a.incident_id == incident.id], "sms")
            actions.keep_in_view(text.tx, text.service, incident)
            continue
        # No reference is longer than a line; all that was written stays with the text itself.
        given = {key: value[:200] if isinstance(value, str) else value for key, value in params.items()}
        if action is Action.NOTE:
            given["body"] = text.row.body
        if action in (Action.ACCEPT, Action.DECLINE, Action.CHECK_IN) and responder is not None:
            given["responder"] = responder.id
        command = COMMANDS[action].model_validate(given)
        actions.perform(text.tx, text.desk, text.service, incident, action, command, who)


def _becomes_report(text: Text) -> None:
    """A number we do not know may be a victim's: her words are a report, never the bin."""
    tx, desk = text.tx, text.desk
    report = ReportIn(channel=Channel.SMS, narrative=text.row.body, caller=Caller(phone=text.known.number))
    reading = desk.reader.read(
        report.narrative, channel=Channel.SMS, received_at=text.row.received_at, zone=desk.zone
    )
    if _says_nothing(text.row):  # whatever a model makes of our own words for it
        reading = replace(reading, matter=Matter.UNCLEAR)
    text.row.incident_id = receive(tx, desk, report, reading, "sms").incident_id


def _opt_out(text: Text, jobs: Sequence[IncidentRow]) -> None:
    """The carrier stops our texts to her now; for whatever she is being asked she is rung."""
    tx, number = text.tx, text.known.number
    endpoints.become(tx, number, MessageChannel.SMS, EndpointState.OPTED_OUT, "stop", text.known.actor)
    responder = text.known.responder
    asked = [
        (incident, offer)
        for incident in jobs
        for offer in offers_of(tx, incident)
        if responder is not None and offer.responder_id == responder.id and offer.state is OfferState.OPEN
    ]
    for incident, offer in asked:
        failing.opted_out(tx, text.desk, text.service, incident, offer)
    if not asked:
        readiness.alert(tx, text.desk, text.service, EndpointState.OPTED_OUT)
