"""What must hold of a town at every moment: I1 to I9 of reliability.md 7, as design.md amends them.

A :class:`Watch` looks at one town again and again. It reads the rows in one snapshot, replays each incident's
events into a :class:`Life` of its own, and compares: the rows, the life and the table of statuses must agree,
and what must never change back is held against the look before.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, select
from sqlmodel import SQLModel, col

from rapid_response.audit.findings import Check, Missing
from rapid_response.audit.looking import Moment, missing
from rapid_response.core.facts import facts_from_json
from rapid_response.core.incident import ALLOWED, OWNED_STATUSES, Action, Move, Status
from rapid_response.core.notices import LEADS, NoticeKind
from rapid_response.core.states import OfferState, Purpose, TaskState
from rapid_response.core.vocabulary import ClockState, Disposition, ReferralKind, StoppedBy, TransferState
from rapid_response.hatecrime.referrals import CHASE_AFTER
from rapid_response.hatecrime.rules import UNDECIDED
from rapid_response.messaging.wording import REPEAT
from rapid_response.partners.rules import is_owed, safeguarding_because
from rapid_response.privacy.rules import retention_class
from rapid_response.simulator.tables import Direction, SimCallRow, SimTextRow
from rapid_response.sla.rules import Kind
from rapid_response.steps.casefile import NextStep, next_step
from rapid_response.steps.tasks import TaskKind
from rapid_response.storage.log import verify
from rapid_response.storage.records import table_of
from rapid_response.storage.tables import (
    RANG_OFF,
    AgendaRow,
    AlarmRow,
    AttemptRow,
    CallRow,
    ChainRow,
    CorrectionRow,
    DeliveryRow,
    DisclosureRow,
    EventRow,
    InboundMessageRow,
    IncidentRow,
    MessageRow,
    NoteRow,
    NoticeRow,
    NotificationRow,
    OfferRow,
    OutcomeRow,
    ReferralRow,
    ReportRow,
    SealRow,
    SuggestedLinkRow,
    TallyRow,
    TaskRow,
    TransferRow,
    VisitRow,
)

Row = Mapping[str, Any]

#: What a look reads, and what an action that is refused must leave as it was. The chains' heads stand for all
#: events: none can be added or changed without them.
_TABLES: tuple[type[SQLModel], ...] = (
    IncidentRow,
    OfferRow,
    ReportRow,
    TaskRow,
    NoticeRow,
    OutcomeRow,
    ReferralRow,
    TransferRow,
    DisclosureRow,
    NotificationRow,
    MessageRow,
    AttemptRow,
    AgendaRow,
    DeliveryRow,
    InboundMessageRow,
    CallRow,
    ChainRow,
    VisitRow,
    AlarmRow,
    CorrectionRow,
    SuggestedLinkRow,
)
#: What two towns of one history must have in common as well.
_MORE_TABLES: tuple[type[SQLModel], ...] = (EventRow, NoteRow, TallyRow, SealRow, SimTextRow, SimCallRow)
_ENDED = (Status.CLOSED, Status.CANCELLED)
#: What may still go out about a closed case: do not go, answers to what somebody wrote, a silent alarm.
_AFTER_THE_END = (Purpose.STAND_DOWN, Purpose.CONFIRM, Purpose.CLARIFY, Purpose.ALARM)
_OWED_AFTER_THE_END = (NoticeKind.TASK_OVERDUE, *LEADS)
#: The duress word of the towns that have one.
DURESS = "heliotrope"
#: Of these there is at most one on an incident's agenda at a time.
_ONE_AT_A_TIME = (Kind.RUNG, Kind.WARN, Kind.BREACH, Kind.ACCEPT_WITHIN, Kind.RETRY, Kind.RESUME)
#: A record closed so is no incident of the board's (contract.md 4, reconciliation).
NO_INCIDENT = (Disposition.DUPLICATE_OF, Disposition.HOAX_OR_TEST)


@dataclass(frozen=True, slots=True)
class Picture:
    """The rows of one moment; `events` and `sent` are what came since the picture before."""

    now: datetime
    rows: Mapping[str, Sequence[Row]]
    events: Sequence[Row]
    sent: Sequence[Row]
    #: What the auditor misses.
    missing: Sequence[Missing]

    def of(self, table: type[SQLModel]) -> Sequence[Row]:
        return self.rows[table.__name__]

    def by_id(self, table: type[SQLModel]) -> dict[str, Row]:
        return {row["id"]: row for row in self.of(table)}


def take_picture(connection: Connection, now: datetime, since: datetime) -> Picture:
    """Everything that is looked at, in one snapshot."""
    rows = {table.__name__: _rows(connection, table) for table in _TABLES}
    events = _rows(connection, EventRow, col(EventRow.at) >= since)
    outbound = col(SimTextRow.direction) == Direction.OUTBOUND
    sent = _rows(connection, SimTextRow, col(SimTextRow.at) >= since, outbound)
    return Picture(now, rows, events, sent, missing(connection, Moment(now, now)))


def read_all(connection: Connection) -> dict[str, list[Row]]:
    """The rows of all tables that say what happened."""
    return {table.__name__: _rows(connection, table) for table in (*_MORE_TABLES, *_TABLES)}


def _rows(connection: Connection, table: type[SQLModel], *where: Any) -> list[Row]:
    core = table_of(table)
    found = connection.execute(select(core).where(*where).order_by(*core.primary_key.columns))
    return [dict(row._mapping) for row in found]


# --- an incident's life, from its events alone --------------------------------------------------------------


@dataclass(slots=True)
class ClockLife:
    """One run of the two-hour clock."""

    started_at: datetime
    due_at: datetime
    promised: timedelta
    applies: bool = True
    paused: bool = False
    stopped_by: str | None = None
    stopped_at: datetime | None = None
    missed: int = 0
    late: bool = False
    warned: set[float] = field(default_factory=set)

    @property
    def counts_as_breached(self) -> bool:
        """As the board counts: missed by timer, or stopped after its time."""
        return self.missed > 0 or self.late


@dataclass(slots=True)
class Life:
    """An incident as its events tell it. Each event must be legal after the one before."""

    name: str
    status: Status = Status.RECEIVED
    owner: str | None = None
    episode: int = 1
    disposition: str | None = None
    seq: int = 0
    clocks: list[ClockLife] = field(default_factory=list)
    offers: dict[str, OfferState] = field(default_factory=dict)
    #: Offers that ended because the same person took the job by another.
    own_offers_ended: list[str] = field(default_factory=list)
    #: The offer by which an owner held a job that was cancelled.
    cancelled_under: list[str] = field(default_factory=list)
    reports: int = 0
    job_numbers: list[int] = field(default_factory=list)
    _clock_is_of_now: bool = False

    @property
    def clock(self) -> ClockLife | None:
        """The clock of now; none before the first, and none after a reopening until one starts."""
        return self.clocks[-1] if self.clocks and self._clock_is_of_now else None

    def hear(self, event: Row) -> None:
        assert event["seq"] == self.seq + 1, f"{self.name}: event {event['seq']} after {self.seq}"
        self.seq = event["seq"]
        hears = _HEARD.get(event["type"])
        if hears is not None:
            hears(self, json.loads(event["data"]))

    def go(self, to: Status, *by: Action | Move) -> None:
        """Move, if the one table allows it by one of these."""
        allowed = ALLOWED[self.status]
        assert any(step in allowed and allowed[step].to is to for step in by), (
            f"I5 {self.name}: {self.status} -> {to} by {[b.value for b in by]} is not in the table"
        )
        self.status = to

    @property
    def running(self) -> ClockLife:
        assert self.clock is not None, f"{self.name}: an event of a clock without a clock"
        return self.clock


_Hears = Callable[[Life, dict[str, Any]], None]
_HEARD: dict[str, _Hears] = {}


def _on(type_: str) -> Callable[[_Hears], _Hears]:
    def keep(hears: _Hears) -> _Hears:
        _HEARD[type_] = hears
        return hears

    return keep


@_on("report_received")
def _report(life: Life, data: dict[str, Any]) -> None:
    life.reports += 1


@_on("held_for_review")
def _held(life: Life, data: dict[str, Any]) -> None:
    life.go(Status.AWAITING_REVIEW, Move.HOLD_FOR_REVIEW)


@_on("scheduled")
def _scheduled(life: Life, data: dict[str, Any]) -> None:
    if life.status is not Status.SCHEDULED:
        life.go(Status.SCHEDULED, Move.SCHEDULE, Action.REMOTE_RESPONSE, Action.POLICE_HANDOVER)


@_on("offer_made")
def _offered(life: Life, data: dict[str, Any]) -> None:
    if life.status is not Status.DISPATCHING:
        life.go(Status.DISPATCHING, Move.DISPATCH)
    assert life.clock is None or not life.clock.paused, f"{life.name}: an offer while the clock stands still"
    assert data["offer_id"] not in life.offers
    life.offers[data["offer_id"]] = OfferState.OPEN


@_on("nobody_left")
def _nobody(life: Life, data: dict[str, Any]) -> None:
    if life.status in (Status.RECEIVED, Status.AWAITING_REVIEW, Status.SCHEDULED):
        life.go(Status.DISPATCHING, Move.DISPATCH)
    life.go(Status.UNASSIGNED, Move.NOBODY_LEFT)


def _take(life: Life, offer_id: str, responder: str) -> None:
    assert life.owner is None, f"I3 {life.name}: taken by {responder} while {life.owner} has it"
    life.owner = responder
    life.offers[offer_id] = OfferState.ACCEPTED


@_on("offer_accepted")
def _accepted(life: Life, data: dict[str, Any]) -> None:
    before = life.offers[data["offer_id"]]
    assert before in (OfferState.OPEN, OfferState.LAPSED), f"{life.name}: accepted what was {before}"
    life.go(Status.ASSIGNED, Action.ACCEPT)
    _take(life, data["offer_id"], data["responder"])


@_on("assigned")
def _assigned(life: Life, data: dict[str, Any]) -> None:
    # At the address somebody else takes over, and is there.
    life.go(Status.ON_SCENE if life.status is Status.ON_SCENE else Status.ASSIGNED, Action.ASSIGN)
    assert life.owner is None, f"I3 {life.name}: assigned to {data['responder']} while {life.owner} has it"
    life.owner = data["responder"]


def _ends(state: OfferState) -> _Hears:
    def hears(life: Life, data: dict[str, Any]) -> None:
        before = life.offers[data["offer_id"]]
        fitting = (OfferState.OPEN, OfferState.LAPSED) if state is OfferState.DECLINED else (OfferState.OPEN,)
        assert before in fitting, f"{life.name}: {state} what was {before}"
        life.offers[data["offer_id"]] = state
        if state is OfferState.WITHDRAWN and data["responder"] == life.owner:
            life.own_offers_ended.append(data["offer_id"])

    return hears


_on("offer_declined")(_ends(OfferState.DECLINED))
_on("offer_lapsed")(_ends(OfferState.LAPSED))
_on("offer_withdrawn")(_ends(OfferState.WITHDRAWN))


@_on("released")
def _released(life: Life, data: dict[str, Any]) -> None:
    assert data["responder"] == life.owner, f"I3 {life.name}: released by who does not have it"
    life.owner = None
    for offer_id, state in life.offers.items():
        if state is OfferState.ACCEPTED:
            life.offers[offer_id] = OfferState.RELEASED
    if data["why"] != "reassigned":
        life.go(Status.DISPATCHING, Action.RELEASE)


@_on("back_entry_released")
def _let_go(life: Life, data: dict[str, Any]) -> None:
    if life.status is Status.AWAITING_REVIEW:
        life.go(Status.DISPATCHING, Action.RELEASE)


@_on("joint_arranged")
def _settled(life: Life, data: dict[str, Any]) -> None:
    if data["goes_out"]:
        life.go(Status.DISPATCHING, Action.RELEASE)


@_on("set_off")
def _set_off(life: Life, data: dict[str, Any]) -> None:
    life.go(Status.EN_ROUTE, Action.EN_ROUTE)


@_on("arrived_on_scene")
def _arrived(life: Life, data: dict[str, Any]) -> None:
    life.go(Status.ON_SCENE, Action.ON_SCENE)


@_on("no_contact_made")
def _nobody_in(life: Life, data: dict[str, Any]) -> None:
    life.go(Status.ASSIGNED, Action.NO_CONTACT)
    if data["took_stop_back"]:
        assert life.running.stopped_by is not None, f"{life.name}: took back a stop that was not"
        life.running.stopped_by, life.running.stopped_at, life.running.late = None, None, False


@_on("incident_closed")
def _closed(life: Life, data: dict[str, Any]) -> None:
    life.go(Status.CLOSED, Action.CLOSE, Action.TRANSFER_ACKNOWLEDGED)
    clock = life.clock
    assert clock is None or clock.stopped_by or not clock.applies, (
        f"{life.name}: closed with a clock that counts"
    )
    _end(life, data)


@_on("incident_cancelled")
def _cancelled(life: Life, data: dict[str, Any]) -> None:
    life.go(Status.CANCELLED, Action.CANCEL, Move.JOIN)
    life.cancelled_under += [o for o, state in life.offers.items() if state is OfferState.ACCEPTED]
    _end(life, data)


def _end(life: Life, data: dict[str, Any]) -> None:
    assert data["episode"] == life.episode
    life.disposition, life.owner = data["disposition"], None
    for offer_id, state in life.offers.items():
        assert state is not OfferState.OPEN, f"{life.name}: ended with an open offer"
        if state is OfferState.ACCEPTED:
            life.offers[offer_id] = OfferState.DONE


@_on("incident_reopened")
def _reopened(life: Life, data: dict[str, Any]) -> None:
    life.go(Status.DISPATCHING, Action.REOPEN)
    life.episode += 1
    assert data["episode"] == life.episode
    life.disposition, life._clock_is_of_now = None, False


@_on("clock_started")
def _started(life: Life, data: dict[str, Any]) -> None:
    started, due = datetime.fromisoformat(data["started_at"]), datetime.fromisoformat(data["due_at"])
    life.clocks.append(ClockLife(started, due, due - started))
    life.job_numbers.append(data["job_number"])
    life._clock_is_of_now = True


@_on("clock_not_applicable")
def _not_applicable(life: Life, data: dict[str, Any]) -> None:
    if life.clock is not None:
        life.clock.applies, life.clock.paused = False, False


@_on("clock_paused")
def _paused(life: Life, data: dict[str, Any]) -> None:
    assert _state(life.running) in (ClockState.RUNNING, ClockState.BREACHED), f"{life.name}: it stands"
    life.running.paused = True


@_on("clock_resumed")
def _resumed(life: Life, data: dict[str, Any]) -> None:
    clock = life.running
    assert clock.paused, f"{life.name}: resumed what was not paused"
    clock.paused, clock.due_at = False, datetime.fromisoformat(data["due_at"])
    _keeps_promise(life, clock, data["paused_seconds"])


@_on("clock_stopped")
def _stopped(life: Life, data: dict[str, Any]) -> None:
    clock = life.running
    assert data["stopped_by"] in set(StoppedBy), f"I9 {life.name}: stopped by {data['stopped_by']}"
    assert clock.stopped_by is None, f"I9 {life.name}: stopped twice"
    clock.stopped_by, clock.paused = data["stopped_by"], False
    clock.due_at = clock.started_at + clock.promised + timedelta(seconds=data["paused_seconds"])
    clock.stopped_at = datetime.fromisoformat(data["stopped_at"])
    clock.late = clock.stopped_at > clock.due_at
    assert data["met"] is not clock.late, f"I9 {life.name}: judged wrongly"
    assert not clock.late or clock.missed, f"I9 {life.name}: late, and no deadline missed"
    taken_back = bool(clock.missed) and not clock.late
    assert data["breach_taken_back"] is taken_back, f"I9 {life.name}: a breach taken back wrongly"
    if taken_back:
        clock.missed = 0


@_on("clock_moved_back")
def _moved_back(life: Life, data: dict[str, Any]) -> None:
    clock = life.running
    started = datetime.fromisoformat(data["started_at"])
    assert started < clock.started_at, f"I9 {life.name}: the earliest start stays"
    clock.started_at, clock.due_at = started, datetime.fromisoformat(data["due_at"])
    _keeps_promise(life, clock, data["paused_seconds"])
    was_late, clock.late = clock.late, clock.stopped_at is not None and clock.stopped_at > clock.due_at
    lost = clock.late and not was_late and not clock.missed
    assert data["no_longer_met"] is lost, f"I9 {life.name}: a response judged wrongly"


def _keeps_promise(life: Life, clock: ClockLife, paused_seconds: int) -> None:
    kept = clock.due_at - clock.started_at - timedelta(seconds=paused_seconds)
    assert kept == clock.promised, f"I9 {life.name}: due - started - paused = {kept}, not {clock.promised}"


@_on("deadline_missed")
def _missed(life: Life, data: dict[str, Any]) -> None:
    clock = life.running
    clock.missed += 1
    assert clock.missed == 1, f"I9 {life.name}: one clock missed its deadline twice"
    assert data["late_seconds"] >= 0


@_on("deadline_warned")
def _warned(life: Life, data: dict[str, Any]) -> None:
    clock = life.running
    assert data["share"] not in clock.warned, f"I9 {life.name}: warned of {data['share']} twice"
    assert _state(clock) is ClockState.RUNNING, f"I9 {life.name}: warned of a clock that stands"
    clock.warned.add(data["share"])


# --- looking ------------------------------------------------------------------------------------------------


class Watch:
    """What was seen of one town so far, and what it therefore still owes."""

    def __init__(self, respond_within: Iterable[timedelta]) -> None:
        self._promises = set(respond_within)
        self.lives: dict[str, Life] = {}
        self._last: Picture | None = None
        #: The texts that each message became on the phones, by the network's own count.
        self._sent: dict[str, dict[str, str]] = defaultdict(dict)
        #: References that were given in a 201 of their own.
        self.acknowledged: set[str] = set()
        #: And of what was only told: intelligence, no incident.
        self.told: set[str] = set()
        #: Calls that dropped with nothing said; how many of them belong to a case by now.
        self.silent_calls = self.silent_calls_joined = 0
        #: Calls that left a message, and texts that reached the service: by their provider's ids.
        self.voicemails = 0
        #: Callers who pressed that somebody is there, and rang off.
        self.in_need = 0
        self.texts: set[str] = set()
        #: Outcomes recorded through the API, by reference.
        self.outcomes: dict[str, Counter[str]] = defaultdict(Counter)

    def joins(self, reference: str, into: str) -> None:
        """What was recorded of one incident is another's from now on."""
        if reference != into:
            self.outcomes[into].update(self.outcomes.pop(reference, Counter()))

    @property
    def last(self) -> Picture:
        """The look before."""
        assert self._last is not None
        return self._last

    @property
    def seen_until(self) -> datetime:
        """What happened before has been seen."""
        return self._last.now if self._last else datetime.min.replace(tzinfo=UTC)

    def look(self, picture: Picture, *, is_settled: bool) -> None:
        """All that must hold at any moment; what must hold once all due work is done, when it is."""
        before = self._last
        self._hear(picture)
        for check in (
            self._every_report_is_kept,
            self._rows_are_as_told,
            self._kept_for_as_long_as_it_ended,
            self._one_owner,
            self._handed_over_once,
            self._promise_is_kept,
            self._sent_once,
            self._nothing_failed,
            self._next_step_is_set,
            self._auditor_misses_nothing,
            self._nothing_doubled,
            self._nobody_is_misled,
            self._reviews_are_owed,
            self._safeguarding_is_decided,
            self._who_is_there_is_watched,
            self._alarms_are_silent,
        ):
            check(picture)
        if before is not None:
            _nothing_undone(before, picture)
            _silent_after_the_end(before, picture)
        if is_settled:
            self._nothing_is_left(picture)
        self._last = picture

    def _hear(self, picture: Picture) -> None:
        names = {row["id"]: row["reference"] for row in picture.of(IncidentRow)}
        heard = {incident_id: life.seq for incident_id, life in self.lives.items()}
        for event in picture.events:
            stream = event["stream"]
            if stream not in names or event["seq"] <= heard.get(stream, 0):
                continue
            life = self.lives.setdefault(stream, Life(names[stream]))
            life.hear(event)

    # I1

    @staticmethod
    def _rang_off_in_need(picture: Picture) -> int:
        return sum(row["outcome"] == "rang_off_in_need" for row in picture.of(CallRow))

    def nobody_who_rang_off_is_forgotten(self, picture: Picture) -> None:
        """When all that was due is done."""
        assert self._rang_off_in_need(picture) == self.in_need, (
            "I1 a caller in need rang off, and is no report"
        )

    def _every_report_is_kept(self, picture: Picture) -> None:
        references = {row["reference"] for row in picture.of(IncidentRow)}
        assert self.acknowledged <= references, f"I1 lost: {self.acknowledged - references}"
        reports, inbound = picture.of(ReportRow), picture.of(InboundMessageRow)
        silent = [row for row in picture.of(CallRow) if row["outcome"] == RANG_OFF]
        self.silent_calls, self.silent_calls_joined = (
            len(silent),
            sum(row["incident_id"] is not None for row in silent),
        )
        by_text = sum(row["effect"] == "new_report" for row in inbound)
        in_need = self._rang_off_in_need(picture)
        assert in_need <= self.in_need, "I1 a report of a call that never was"
        expected = len(self.acknowledged) + self.voicemails + by_text + in_need
        assert len(reports) == expected, f"I1 {len(reports)} reports kept, {expected} acknowledged"
        incidents = picture.by_id(IncidentRow)
        kept = {i for i, row in incidents.items() if row["duplicate_of"] is None}
        assert {row["incident_id"] for row in reports} == kept, "I1 empty incidents"
        for row in reports:
            holder = row["first_incident_id"]
            while (joined_to := incidents[holder]["duplicate_of"]) is not None:
                holder = joined_to
            assert row["incident_id"] == holder, f"I1 a report is not where it was joined to: {row}"
        for i, row in incidents.items():
            is_joined = (row["status"], row["disposition"]) == (
                Status.CANCELLED,
                Disposition.DUPLICATE_OF,
            )
            assert i in kept or is_joined, f"I6 {row['reference']}: joined, and goes on"
        assert {row["provider_sid"] for row in inbound} == self.texts, "I1 texts lost"

    # I5, I6: the log tells the same story as the rows

    def _rows_are_as_told(self, picture: Picture) -> None:
        offers: dict[str, dict[str, OfferState]] = defaultdict(dict)
        for row in picture.of(OfferRow):
            if row["reasons"] != ["assigned_by_desk"]:
                offers[row["incident_id"]][row["id"]] = row["state"]
        for row in picture.of(IncidentRow):
            life = self.lives[row["id"]]
            name = row["reference"]
            waits_for_opening = (life.status, row["status"]) == (Status.RECEIVED, Status.DISPATCHING)
            assert row["status"] is life.status or waits_for_opening, (
                f"I6 {name}: {row['status']}, but its events say {life.status}"
            )
            assert row["is_open"] is (row["status"] not in _ENDED)
            assert row["owner"] == life.owner, f"I3 {name}: owner {row['owner']}, events say {life.owner}"
            assert row["episode"] == life.episode
            assert row["disposition"] == life.disposition, f"I6 {name}: disposition {row['disposition']}"
            assert offers[row["id"]] == life.offers, f"I6 {name}: offers {offers[row['id']]} != {life.offers}"

    # I3

    def _one_owner(self, picture: Picture) -> None:
        accepted: dict[str, list[str]] = defaultdict(list)
        for row in picture.of(OfferRow):
            if row["state"] is OfferState.ACCEPTED:
                accepted[row["incident_id"]].append(row["responder_id"])
        for row in picture.of(IncidentRow):
            holding = accepted[row["id"]]
            owned = row["status"] in OWNED_STATUSES
            assert holding == ([row["owner"]] if owned else []), (
                f"I3 {row['reference']}: {row['status']}, owner {row['owner']}, accepted by {holding}"
            )

    # over the border

    def _handed_over_once(self, picture: Picture) -> None:
        """At most one hand-over waits for its answer, and then somebody here asks for it."""
        waiting = Counter(
            row["incident_id"] for row in picture.of(TransferRow) if row["state"] is TransferState.SENT
        )
        owed = {
            row["incident_id"]
            for row in picture.of(TaskRow)
            if row["kind"] == TaskKind.TRANSFER and row["state"] is TaskState.OPEN
        }
        for row in picture.of(IncidentRow):
            name = row["reference"]
            assert waiting[row["id"]] == int(row["is_handed_over"]), f"{name}: {waiting[row['id']]} wait"
            assert row["is_open"] or not row["is_handed_over"], f"{name}: over, and an answer is waited for"
            assert not row["is_handed_over"] or row["id"] in owed, f"{name}: handed over, and nobody asks"

    # I9

    def _promise_is_kept(self, picture: Picture) -> None:
        for row in picture.of(IncidentRow):
            life = self.lives[row["id"]]
            clock, name = life.clock, row["reference"]
            if clock is None:
                assert row["clock_state"] is ClockState.NOT_APPLICABLE, f"I9 {name}: {row['clock_state']}"
                continue
            assert clock.promised in self._promises, f"I9 {name}: promised {clock.promised}"
            kept = row["due_at"] - row["started_at"] - timedelta(seconds=row["paused_seconds"])
            assert kept == clock.promised, f"I9 {name}: due - started - paused = {kept}"
            assert row["stopped_by"] == clock.stopped_by, f"I9 {name}: {row['stopped_by']}"
            assert (row["stopped_at"] is None) is (row["stopped_by"] is None)
            assert (row["breached_at"] is not None) is bool(clock.missed), f"I9 {name}: a breach vanished"
            assert (row["paused_at"] is not None) is clock.paused, f"I9 {name}: paused?"
            assert row["clock_state"] is _state(clock), f"I9 {name}: {row['clock_state']} != {_state(clock)}"

    # I4

    def _sent_once(self, picture: Picture) -> None:
        message_of = {row["token"]: row["message_id"] for row in picture.of(AttemptRow)}
        lost = {row["token"] for row in picture.of(AttemptRow) if row["state"] == "undelivered"}
        for text in picture.sent:
            self._sent[message_of[text["token"]]][text["token"]] = text["body"]
        for message_id, sent in self._sent.items():
            # What certainly did not arrive may be sent again as it was.
            arrived = [body for token, body in sent.items() if token not in lost]
            again = [body for body in arrived[1:] if not body.startswith(REPEAT)]
            assert not again, f"I4 message {message_id} was sent again unmarked: {again}"
            assert len(arrived) <= 2, f"I4 message {message_id} was sent {len(arrived)} times"
            assert len(sent) <= 3, f"I4 message {message_id} was tried {len(sent)} times"

    # work

    def _nothing_failed(self, picture: Picture) -> None:
        for row in (*picture.of(AgendaRow), *picture.of(DeliveryRow)):
            assert row["error"] is None, f"work failed: {row}"
            assert row["parked_at"] is None, f"work parked: {row}"
        for row in picture.of(AgendaRow):
            # A task that a person has done is settled so too, before it is due.
            if row["outcome"] == "done" and row["kind"] != Kind.TASK:
                assert row["late_seconds"] is not None, f"I9 fired without its lateness: {row}"

    # I2

    def _next_step_is_set(self, picture: Picture) -> None:
        coming = {
            row["incident_id"]
            for row in picture.of(AgendaRow)
            if row["settled_at"] is None and row["parked_at"] is None
        }
        for row in picture.of(IncidentRow):
            if not row["is_open"]:
                continue
            assert row["id"] in coming, f"I2 {row['reference']} is without a next step"
            step = self._next_step(picture, row)
            assert step is not None, f"I2 {row['reference']} shows no next step"
            assert step.who, f"I2 nobody has the next step of {row['reference']}: {step}"

    @staticmethod
    def _next_step(picture: Picture, incident: Row) -> NextStep | None:
        """What its page and the API show."""

        def mine(table: type[SQLModel]) -> list[Any]:
            rows = picture.of(table)
            return [SimpleNamespace(**row) for row in rows if row["incident_id"] == incident["id"]]

        agenda = [entry for entry in mine(AgendaRow) if entry.settled_at is None]
        shown: Any = SimpleNamespace(**incident)
        return next_step(shown, mine(OfferRow), mine(TaskRow), agenda)

    def _auditor_misses_nothing(self, picture: Picture) -> None:
        """A clock that was set back makes reports seem to come from the future: that is no step's fault."""
        missed = [m for m in picture.missing if m.check is not Check.RECEIVED_IN_FUTURE]
        assert not missed, f"I2 the auditor misses {missed}"

    def _nothing_doubled(self, picture: Picture) -> None:
        pending = Counter(
            (
                row["incident_id"],
                row["kind"],
                "" if row["kind"] in (Kind.RETRY, Kind.RESUME) else row["subject"],
            )
            for row in picture.of(AgendaRow)
            if row["settled_at"] is None and row["kind"] in _ONE_AT_A_TIME
        )
        assert max(pending.values(), default=0) <= 1, (
            f"armed twice: {[k for k, n in pending.items() if n > 1]}"
        )
        asked = Counter(
            (row["incident_id"], row["responder_id"])
            for row in picture.of(OfferRow)
            if row["state"] is OfferState.OPEN
        )
        assert max(asked.values(), default=0) <= 1, f"asked twice at once: {asked}"

    def _nobody_is_misled(self, picture: Picture) -> None:
        stood_down = {
            row["offer_id"] for row in picture.of(MessageRow) if row["purpose"] is Purpose.STAND_DOWN
        }
        for life in self.lives.values():
            told = stood_down & set(life.own_offers_ended)
            assert not told, f"{life.name}: the owner was told to stand down"
        waiting = {row["incident_id"] for row in picture.of(OfferRow) if row["state"] is OfferState.OPEN}
        told_of = {row["incident_id"] for row in picture.of(NoticeRow)}
        for row in picture.of(IncidentRow):
            if row["is_held"]:
                assert row["id"] not in waiting, f"{row['reference']}: offered while it is held back"
                assert not (row["back_entry"] and row["id"] in told_of), f"{row['reference']}: held, and told"

    def _reviews_are_owed(self, picture: Picture) -> None:
        """Whoever is undecided has a review on somebody's list; whoever waits for an answer, a reminder."""
        owed = {
            (row["incident_id"], row["kind"], row["subject"])
            for row in picture.of(TaskRow)
            if row["state"] is TaskState.OPEN
        }
        for row in picture.of(IncidentRow):
            is_owed = (row["id"], TaskKind.REVIEW_AGE_TARGETING.value, "") in owed
            # What was joined to another is decided there.
            is_open = row["age_state"] in UNDECIDED and row["duplicate_of"] is None
            assert is_owed == is_open, f"{row['reference']}: {row['age_state']}"
        for row in picture.of(ReferralRow):
            is_asked_after = (row["incident_id"], TaskKind.CHASE_REFERRAL.value, row["id"]) in owed
            assert is_asked_after == (row["state"] in CHASE_AFTER), f"referral {row['id']}: {row['state']}"

    def _kept_for_as_long_as_it_ended(self, picture: Picture) -> None:
        """The daily round finds each ended case under the class that it belongs to, and no open one."""
        to_care = {
            row["incident_id"]
            for row in picture.of(ReferralRow)
            if row["kind"] is ReferralKind.ASC_SAFEGUARDING
        }
        for row in picture.of(IncidentRow):
            expected = None
            if not row["is_open"]:
                ended = (row["disposition"], row["priority"], row["safeguarding"])
                expected = retention_class(*ended, row["id"] in to_care)
            assert row["retention_class"] is expected, f"{row['reference']}: kept as {row['retention_class']}"

    def _safeguarding_is_decided(self, picture: Picture) -> None:
        """However a case of an adult at risk ended: somebody has decided, or owes the decision."""
        owed = {
            row["incident_id"]
            for row in picture.of(TaskRow)
            if row["kind"] == TaskKind.SAFEGUARDING and row["state"] is TaskState.OPEN
        }
        for row in picture.of(IncidentRow):
            if row["disposition"] is None or row["safeguarding"] is not None:
                continue
            because = safeguarding_because(facts_from_json(row["facts"]), row["category"], ())
            if is_owed(because, row["disposition"]):
                assert row["id"] in owed, f"{row['reference']}: ended without a safeguarding decision"
        assert {row["reference"] for row in picture.of(NotificationRow)} == self.told, "I1 told, and lost"

    # who is there, and who asks for help

    def _who_is_there_is_watched(self, picture: Picture) -> None:
        incidents = picture.by_id(IncidentRow)
        live = {row["incident_id"]: row for row in picture.of(VisitRow) if row["ended_at"] is None}
        for incident_id, visit in live.items():
            incident = incidents[incident_id]
            there = Status.EN_ROUTE if visit["arrived_at"] is None else Status.ON_SCENE
            assert (incident["status"], incident["owner"]) == (there, visit["responder_id"]), (
                f"{incident['reference']}: {visit} while {incident['status']} of {incident['owner']}"
            )
        pending: dict[tuple[str, str], set[datetime]] = defaultdict(set)
        for row in picture.of(AgendaRow):
            if row["settled_at"] is None and row["kind"] in (Kind.CHECK_IN, Kind.TRAVEL):
                assert row["incident_id"] in live, f"asked of nobody: {row}"
                pending[row["incident_id"], row["kind"]].add(row["due_at"])
        for incident_id, visit in live.items():
            by = visit["check_in_by"]
            if by is not None and by > picture.now:
                assert by in pending[incident_id, Kind.CHECK_IN], f"not to be asked: {visit}"
            if visit["arrived_at"] is None and picture.now <= visit["expected_at"]:
                assert pending[incident_id, Kind.TRAVEL], f"not missed on the way: {visit}"

    def _alarms_are_silent(self, picture: Picture) -> None:
        alarms = picture.by_id(AlarmRow)
        waiting = Counter(
            row["subject"].partition(":")[0]
            for row in picture.of(AgendaRow)
            if row["settled_at"] is None and row["kind"] in (Kind.ALARM, Kind.ALARM_OF_NO_JOB)
        )
        for alarm_id, alarm in alarms.items():
            unseen = alarm["acknowledged_at"] is None
            assert waiting[alarm_id] == int(unseen), (
                f"an alarm is given again {waiting[alarm_id]} times: {alarm}"
            )
        answered = {row["dedupe_key"] for row in picture.of(MessageRow)}
        for row in picture.of(InboundMessageRow):
            if row["effect"] == "alarm":
                assert f"answer:{row['id']}" not in answered, f"an alarm was answered: {row}"
                assert DURESS not in row["body"], "the duress word is kept"
        for row in picture.of(MessageRow):
            assert DURESS not in row["body"], "the duress word is sent"
            if row["purpose"] is Purpose.ALARM:
                raised_by = f"responder:{alarms[row['notice_id']]['responder_id']}"
                assert row["recipient"] != raised_by, f"told of her own alarm: {row}"

    # once everything due is done

    def _nothing_is_left(self, picture: Picture) -> None:
        now = picture.now
        for row in picture.of(AgendaRow):
            is_late = row["settled_at"] is None and row["due_at"] <= now
            assert not is_late or _is_leased(row, now), f"left undone: {row}"
        for row in picture.of(IncidentRow):
            if row["clock_state"] is ClockState.RUNNING and not _is_breach_leased(picture, row["id"]):
                assert now <= row["due_at"], f"I9 {row['reference']}: overdue, and nobody says so"
        owed = {row["incident_id"] for row in picture.of(TaskRow) if row["kind"] == TaskKind.BREACH_REASON}
        for incident_id, life in self.lives.items():
            if any(clock.missed for clock in life.clocks):
                assert incident_id in owed, f"{life.name}: missed, and no reason is owed"


def _state(clock: ClockLife) -> ClockState:
    """What the row must say. A breach that has happened outlives the clock's own end."""
    if clock.missed:
        return ClockState.BREACHED
    if clock.stopped_by is not None:
        return ClockState.MET
    if not clock.applies:
        return ClockState.NOT_APPLICABLE
    return ClockState.PAUSED if clock.paused else ClockState.RUNNING


def _is_leased(row: Row, now: datetime) -> bool:
    return row["leased_until"] is not None and row["leased_until"] > now


def _is_breach_leased(picture: Picture, incident_id: str) -> bool:
    return any(
        row["incident_id"] == incident_id and row["kind"] == Kind.BREACH and _is_leased(row, picture.now)
        for row in picture.of(AgendaRow)
        if row["settled_at"] is None
    )


def _nothing_undone(before: Picture, after: Picture) -> None:
    """What is settled stays settled; what was recorded stays as it was."""
    agenda = after.by_id(AgendaRow)
    for row in before.of(AgendaRow):
        if row["settled_at"] is not None:
            now = agenda[row["id"]]
            kept = all(now[key] == row[key] for key in ("settled_at", "outcome", "late_seconds"))
            assert kept, f"I9 settled twice: {row} -> {now}"
    outcomes = after.by_id(OutcomeRow)
    for row in before.of(OutcomeRow):
        # With the reports of a joined incident its outcomes move; nothing else of them changes.
        now_is = {**(outcomes.get(row["id"]) or {}), "incident_id": row["incident_id"]}
        assert now_is == row, f"I6 rewritten: {row}"
    corrections = {row["id"]: row for row in after.of(CorrectionRow)}
    for row in before.of(CorrectionRow):
        assert corrections.get(row["id"]) == row, f"I6 a correction is an addition: {row}"


def _silent_after_the_end(before: Picture, after: Picture) -> None:
    """I7: nothing new is written or tried about what was closed then and has not been opened since."""
    was, is_ = before.by_id(IncidentRow), after.by_id(IncidentRow)
    ended = {i for i, row in was.items() if row["status"] in _ENDED and is_[i]["episode"] == row["episode"]}
    notices = after.by_id(NoticeRow)
    known = {row["id"] for row in before.of(MessageRow)}
    tried = {row["id"] for row in before.of(AttemptRow)}
    trying = {row["message_id"] for row in after.of(AttemptRow) if row["id"] not in tried}
    for row in after.of(MessageRow):
        if row["incident_id"] not in ended or (row["id"] in known and row["id"] not in trying):
            continue
        # What is still owed after the end (why it was late, a review, an answer) is still asked for.
        notice = notices.get(row["notice_id"])
        owed = notice is not None and notice["kind"] in _OWED_AFTER_THE_END
        assert row["purpose"] in _AFTER_THE_END or owed, f"I7 after the end: {row}"


# --- at the end of a history --------------------------------------------------------------------------------


def check_log(connection: Connection) -> None:
    """I6: chains and seals hold."""
    broken = verify(connection).broken
    assert broken is None, f"I6 verify-log: {broken}"


def check_board(watch: Watch, boards: Sequence[Mapping[str, Any]]) -> None:
    """I8: the board's figures, over all months, are what was recorded; and every contact became something."""
    counted = [life for life in watch.lives.values() if life.disposition not in NO_INCIDENT]
    outcomes: Counter[str] = Counter()
    for life in counted:
        outcomes.update(watch.outcomes.get(life.name, Counter()))
    on_board: Counter[str] = Counter()
    for board in boards:
        on_board.update({code: n for code, n in board["outcomes"].items() if n})
        kinds = dict(board["reconciliation"])
        assert kinds.pop("contacts") == sum(kinds.values()) == board["contacts"]["total"], f"I8 {kinds}"
    assert on_board == +outcomes, f"I8 board says {on_board}, recorded were {outcomes}"
    reports = sum(life.reports for life in watch.lives.values())
    contacts = reports + len(watch.told) + watch.silent_calls
    assert sum(board["contacts"]["total"] for board in boards) == contacts, "I8 contacts"
    told = sum(board["reconciliation"]["information_only"] for board in boards)
    silent = watch.silent_calls - watch.silent_calls_joined
    assert told == len(watch.told) + silent, "I8 what was only told"
    missed = sum(clock.counts_as_breached for life in counted for clock in life.clocks)
    breached = sum(board["two_hours"]["breached"] for board in boards)
    assert breached == missed, f"I9 the board says {breached} breaches, there were {missed}"
    met = sum(bool(c.stopped_by) and not c.counts_as_breached for life in counted for c in life.clocks)
    assert sum(board["two_hours"]["met"] for board in boards) == met, "I9 met"


def same_end(one: Mapping[str, Sequence[Row]], other: Mapping[str, Sequence[Row]]) -> None:
    """I12: two databases, one history, one state. Only what a database numbers by itself may differ."""
    for name in one:
        a, b = (sorted((_plain(row) for row in rows[name]), key=repr) for rows in (one, other))
        assert len(a) == len(b), f"I12 {name}: {len(a)} and {len(b)} rows"
        differ = [(x, y) for x, y in zip(a, b, strict=True) if x != y]
        assert not differ, f"I12 {name}: {differ[0][0]} and {differ[0][1]}"


def _plain(row: Row) -> dict[str, Any]:
    numbered = isinstance(row.get("id"), int)
    kept = {key: value for key, value in row.items() if not (numbered and key == "id")}
    # Made of an agenda row's number.
    if str(kept.get("dedupe_key", "")).startswith("shift_end:"):
        kept.pop("dedupe_key")
    return kept
