"""The life of an incident: statuses, actions, and the one table that says which follows which.

The API's 409, the pages' buttons, docs/incident-life.md and the property test all read
:data:`ALLOWED`; nothing else in the product decides whether an action is legal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from rapid_response.core.vocabulary import ClockState


class Status(StrEnum):
    """Where an incident stands. How far up the ladder it is, is not a status."""

    RECEIVED = "received"
    AWAITING_REVIEW = "awaiting_review"
    DISPATCHING = "dispatching"
    UNASSIGNED = "unassigned"
    SCHEDULED = "scheduled"
    ASSIGNED = "assigned"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Action(StrEnum):
    """What a person can do to an incident, as `POST …/actions/{action}` spells it."""

    ACCEPT = "accept"
    DECLINE = "decline"
    ASSIGN = "assign"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    NO_CONTACT = "no_contact"
    REMOTE_RESPONSE = "remote_response"
    POLICE_HANDOVER = "police_handover"
    RELEASE = "release"
    CLOSE = "close"
    CANCEL = "cancel"
    REOPEN = "reopen"
    ACKNOWLEDGE = "acknowledge"
    RECLASSIFY = "reclassify"
    SET_PRIORITY = "set_priority"
    PAUSE = "pause"
    RESUME = "resume"
    NOTE = "note"
    TASK_DONE = "task_done"
    REVIEW_AGE_TARGETING = "review_age_targeting"
    ADD_OUTCOMES = "add_outcomes"
    SECOND_REVIEW = "second_review"
    REFER = "refer"
    UPDATE_REFERRAL = "update_referral"
    ANSWER_SECOND_READING = "answer_second_reading"
    AMEND = "amend"
    LINK = "link"
    CHECK_IN = "check_in"
    RELEASE_COMPANION = "release_companion"
    TRANSFER = "transfer"
    TRANSFER_ACKNOWLEDGED = "transfer_acknowledged"
    TRANSFER_DECLINED = "transfer_declined"
    DECIDE_SAFEGUARDING = "decide_safeguarding"
    DISCLOSE = "disclose"
    LEGAL_HOLD = "legal_hold"
    MARK_HOAX = "mark_hoax"


class Move(StrEnum):
    """What the service itself does to an incident."""

    DISPATCH = "dispatch"
    HOLD_FOR_REVIEW = "hold_for_review"
    SCHEDULE = "schedule"
    NOBODY_LEFT = "nobody_left"
    JOIN = "join"


class When(StrEnum):
    """What must hold, beside the status, for an action to be legal."""

    ALWAYS = "always"
    CLOCK_NOT_STOPPED = "clock_not_stopped"
    CLOCK_RUNNING = "clock_running"
    CLOCK_PAUSED = "clock_paused"
    MAY_CLOSE = "may_close"
    HELD = "held"
    PROPOSED = "proposed"
    ACCOMPANIED = "accompanied"
    HANDED_OVER = "handed_over"
    NOT_HANDED_OVER = "not_handed_over"


@dataclass(frozen=True, slots=True)
class Step:
    """Where an action leads, and under which condition."""

    to: Status
    when: When = When.ALWAYS


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """What the conditions of :class:`When` look at."""

    state: ClockState
    is_stopped: bool
    is_held: bool = False
    is_proposed: bool = False
    has_companion: bool = False
    is_handed_over: bool = False


class NotAllowed(Exception):
    """The state does not allow the action; `allowed` lists what it does."""

    def __init__(self, action: Action | Move, status: Status, allowed: tuple[Action, ...]) -> None:
        self.action = action
        self.status = status
        self.allowed = allowed
        super().__init__(f"{action.value} is not allowed while the incident is {status.value}")


def _same(status: Status, *actions: Action) -> dict[Action | Move, Step]:
    return {action: Step(status) for action in actions}


#: Whether somebody was chosen for age, and who was asked to help, is decided when it is: after the end, too.
_ALSO_AFTER_THE_END = (
    Action.NOTE,
    Action.TASK_DONE,
    Action.REVIEW_AGE_TARGETING,
    Action.REFER,
    Action.UPDATE_REFERRAL,
    # What is wrong is put right at any time; what is over is moved by it nowhere.
    Action.AMEND,
    Action.LINK,
    # What a person owes the victim, the partners or a court does not end with the case.
    Action.DECIDE_SAFEGUARDING,
    Action.DISCLOSE,
    Action.LEGAL_HOLD,
)
#: Legal while an incident is open, whatever its status; none of them moves it.
_EVERYWHERE = (
    *_ALSO_AFTER_THE_END,
    Action.ACKNOWLEDGE,
    Action.RECLASSIFY,
    Action.SET_PRIORITY,
    Action.ADD_OUTCOMES,
    Action.ANSWER_SECOND_READING,
    # Where danger was told of, it ends only when a second person says the same.
    Action.MARK_HOAX,
)


def _open(status: Status, moves: Mapping[Action | Move, Step]) -> dict[Action | Move, Step]:
    """An open status: its own moves, and what every open incident allows."""
    return {
        **_same(status, *_EVERYWHERE),
        Action.SECOND_REVIEW: Step(status, When.PROPOSED),
        Action.RELEASE_COMPANION: Step(status, When.ACCOMPANIED),
        # Handed over, it stays ours until somebody there says that they have it.
        Action.TRANSFER: Step(status, When.NOT_HANDED_OVER),
        Action.TRANSFER_ACKNOWLEDGED: Step(Status.CLOSED, When.HANDED_OVER),
        Action.TRANSFER_DECLINED: Step(status, When.HANDED_OVER),
        Action.PAUSE: Step(status, When.CLOCK_RUNNING),
        Action.RESUME: Step(status, When.CLOCK_PAUSED),
        Action.CANCEL: Step(Status.CANCELLED),
        Action.CLOSE: Step(Status.CLOSED, When.MAY_CLOSE),
        # A person said that it is another incident told again: its reports go there, and it is over.
        Move.JOIN: Step(Status.CANCELLED),
        **moves,
    }


# An incident without owner that gets its response leaves the line to wait for its welfare check-back.
_ANSWERED_UNOWNED: Mapping[Action | Move, Step] = {
    Action.REMOTE_RESPONSE: Step(Status.SCHEDULED, When.CLOCK_NOT_STOPPED),
    Action.POLICE_HANDOVER: Step(Status.SCHEDULED, When.CLOCK_NOT_STOPPED),
}


def _answered_owned(status: Status) -> dict[Action | Move, Step]:
    return {
        # A sign of life: on her way, there, or before she has set off.
        Action.CHECK_IN: Step(status),
        Action.REMOTE_RESPONSE: Step(status, When.CLOCK_NOT_STOPPED),
        Action.POLICE_HANDOVER: Step(status, When.CLOCK_NOT_STOPPED),
    }


ALLOWED: Mapping[Status, Mapping[Action | Move, Step]] = {
    Status.RECEIVED: {
        Move.DISPATCH: Step(Status.DISPATCHING),
        Move.HOLD_FOR_REVIEW: Step(Status.AWAITING_REVIEW),
        Move.SCHEDULE: Step(Status.SCHEDULED),
    },
    Status.AWAITING_REVIEW: _open(
        Status.AWAITING_REVIEW,
        {
            Action.ASSIGN: Step(Status.ASSIGNED),
            # Of what is held back (paper from an outage, joint attendance): it may go out now.
            Action.RELEASE: Step(Status.DISPATCHING, When.HELD),
            **_ANSWERED_UNOWNED,
            Move.DISPATCH: Step(Status.DISPATCHING),
            Move.HOLD_FOR_REVIEW: Step(Status.AWAITING_REVIEW),
            Move.SCHEDULE: Step(Status.SCHEDULED),
        },
    ),
    Status.DISPATCHING: _open(
        Status.DISPATCHING,
        {
            Action.ACCEPT: Step(Status.ASSIGNED),
            Action.DECLINE: Step(Status.DISPATCHING),
            Action.ASSIGN: Step(Status.ASSIGNED),
            **_ANSWERED_UNOWNED,
            Move.DISPATCH: Step(Status.DISPATCHING),
            # Opened again, and to be held for a joint visit before anybody is asked.
            Move.HOLD_FOR_REVIEW: Step(Status.AWAITING_REVIEW),
            Move.NOBODY_LEFT: Step(Status.UNASSIGNED),
            Move.SCHEDULE: Step(Status.SCHEDULED),
        },
    ),
    Status.UNASSIGNED: _open(
        Status.UNASSIGNED,
        {
            # A late OK is still welcome while nobody else has taken the job.
            Action.ACCEPT: Step(Status.ASSIGNED),
            Action.DECLINE: Step(Status.UNASSIGNED),
            Action.ASSIGN: Step(Status.ASSIGNED),
            **_ANSWERED_UNOWNED,
            Move.DISPATCH: Step(Status.DISPATCHING),
            Move.NOBODY_LEFT: Step(Status.UNASSIGNED),
            Move.SCHEDULE: Step(Status.SCHEDULED),
        },
    ),
    Status.SCHEDULED: _open(
        Status.SCHEDULED,
        {
            Action.ASSIGN: Step(Status.ASSIGNED),
            **_ANSWERED_UNOWNED,
            Move.DISPATCH: Step(Status.DISPATCHING),
            # It has become urgent, and is to be held for a joint visit.
            Move.HOLD_FOR_REVIEW: Step(Status.AWAITING_REVIEW),
            Move.SCHEDULE: Step(Status.SCHEDULED),
        },
    ),
    Status.ASSIGNED: _open(
        Status.ASSIGNED,
        {
            Action.EN_ROUTE: Step(Status.EN_ROUTE),
            Action.ON_SCENE: Step(Status.ON_SCENE),
            Action.NO_CONTACT: Step(Status.ASSIGNED),
            Action.RELEASE: Step(Status.DISPATCHING),
            Action.ASSIGN: Step(Status.ASSIGNED),
            **_answered_owned(Status.ASSIGNED),
        },
    ),
    Status.EN_ROUTE: _open(
        Status.EN_ROUTE,
        {
            Action.ON_SCENE: Step(Status.ON_SCENE),
            Action.NO_CONTACT: Step(Status.ASSIGNED),
            Action.RELEASE: Step(Status.DISPATCHING),
            Action.ASSIGN: Step(Status.ASSIGNED),
            **_answered_owned(Status.EN_ROUTE),
        },
    ),
    Status.ON_SCENE: _open(
        Status.ON_SCENE,
        {
            # The one legal step backwards: nobody answered the door.
            Action.NO_CONTACT: Step(Status.ASSIGNED),
            # Somebody takes over at the address: she is there, and the check-ins are hers from now on.
            Action.ASSIGN: Step(Status.ON_SCENE),
            **_answered_owned(Status.ON_SCENE),
        },
    ),
    Status.CLOSED: {
        Action.REOPEN: Step(Status.DISPATCHING),
        # A text closes with one word: what changed for someone is added after sign-in.
        **_same(Status.CLOSED, *_ALSO_AFTER_THE_END, Action.ADD_OUTCOMES),
        Action.SECOND_REVIEW: Step(Status.CLOSED, When.PROPOSED),
    },
    Status.CANCELLED: {
        Action.REOPEN: Step(Status.DISPATCHING),
        **_same(Status.CANCELLED, *_ALSO_AFTER_THE_END),
        Action.SECOND_REVIEW: Step(Status.CANCELLED, When.PROPOSED),
    },
}

OPEN_STATUSES = tuple(s for s in Status if s not in (Status.CLOSED, Status.CANCELLED))
OWNED_STATUSES = (Status.ASSIGNED, Status.EN_ROUTE, Status.ON_SCENE)
#: Statuses in which offers may go out and be taken.
SEEKING_STATUSES = (Status.DISPATCHING, Status.UNASSIGNED)


#: Each condition, as a question to the clock's facts.
_HOLDS: Mapping[When, Callable[[ClockFacts], bool]] = {
    When.ALWAYS: lambda clock: True,
    When.CLOCK_NOT_STOPPED: lambda clock: not clock.is_stopped,
    When.CLOCK_RUNNING: lambda clock: clock.state is ClockState.RUNNING,
    When.CLOCK_PAUSED: lambda clock: clock.state is ClockState.PAUSED,
    When.HELD: lambda clock: clock.is_held,
    When.PROPOSED: lambda clock: clock.is_proposed,
    When.ACCOMPANIED: lambda clock: clock.has_companion,
    When.HANDED_OVER: lambda clock: clock.is_handed_over,
    When.NOT_HANDED_OVER: lambda clock: not clock.is_handed_over,
    # Closing must not be a way round the promise: a clock that still counts is first stopped by a response,
    # or the incident is cancelled with a reason.
    When.MAY_CLOSE: lambda clock: clock.is_stopped or clock.state is ClockState.NOT_APPLICABLE,
}


def _holds(when: When, clock: ClockFacts) -> bool:
    return _HOLDS[when](clock)


def allowed_actions(status: Status, clock: ClockFacts) -> tuple[Action, ...]:
    """What a person may do now, in the order of :class:`Action`."""
    moves = ALLOWED[status]
    return tuple(a for a in Action if (step := moves.get(a)) is not None and _holds(step.when, clock))


def after(status: Status, action: Action | Move, clock: ClockFacts) -> Status:
    """The status that follows; raises :class:`NotAllowed`, which lists what is legal."""
    step = ALLOWED[status].get(action)
    if step is None or not _holds(step.when, clock):
        raise NotAllowed(action, status, allowed_actions(status, clock))
    return step.to
