"""docs/incident-life.md, made from the one table: `python -m rapid_response.core.life_page`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from rapid_response.core.incident import ALLOWED, OPEN_STATUSES, Action, Move, Status, When

MEANING: Mapping[Status, str] = {
    Status.RECEIVED: "kept; lasts only inside the commit of its arrival",
    Status.AWAITING_REVIEW: "a person looks first: unclear, held back, or no crime by its words alone",
    Status.DISPATCHING: "somebody is being asked",
    Status.UNASSIGNED: "nobody is left to ask; tried again every five minutes, and the duty officer knows",
    Status.SCHEDULED: "nobody need go now; a task says who looks again, and when",
    Status.ASSIGNED: "somebody has the job",
    Status.EN_ROUTE: "she is on her way",
    Status.ON_SCENE: "she is there; the clock has stopped",
    Status.CLOSED: "over, with a disposition and its outcomes",
    Status.CANCELLED: "over without a response, with a reason",
}
CONDITION: Mapping[When, str] = {
    When.ALWAYS: "",
    When.CLOCK_NOT_STOPPED: "no response has stopped the clock yet",
    When.CLOCK_RUNNING: "the clock runs",
    When.CLOCK_PAUSED: "the clock is paused",
    When.MAY_CLOSE: "a response has stopped the clock, or there is none",
    When.HELD: "it is held back",
    When.PROPOSED: "a reviewer has proposed to rule it out",
    When.ACCOMPANIED: "a second officer goes along",
    When.HANDED_OVER: "it was handed over, and they have not answered yet",
    When.NOT_HANDED_OVER: "no hand-over waits for its answer",
}
SERVICE: Mapping[Move, str] = {
    Move.DISPATCH: "somebody is asked",
    Move.HOLD_FOR_REVIEW: "a person has to look first",
    Move.SCHEDULE: "nobody need go now",
    Move.NOBODY_LEFT: "nobody is left to ask",
    Move.JOIN: "a person joined its reports to another incident",
}
_ENDED = tuple(s for s in Status if s not in OPEN_STATUSES)
#: Open, and seen from outside: an incident is `received` only inside its first commit.
_SETTLED = tuple(s for s in OPEN_STATUSES if s is not Status.RECEIVED)
_HEAD = """\
# The life of an incident

Made from `rapid_response/core/incident.py`; a test compares the two. To change this page, change the table
and run `python -m rapid_response.core.life_page > docs/incident-life.md`.

A status says where an incident stands. People move it by actions, from a page, by API, text or call, and the
service by moves of its own. What is not listed for a status is refused: the API answers 409 and names what is
allowed, the pages show no button for it, and nothing has changed.
"""
_ONE_BACKWARDS = """\
`no_contact` is the one step backwards: nobody was reached, so the stop of the clock is taken back. A closed
or cancelled incident stays so until somebody reopens it; that is a new episode with a clock of its own.

What is given back (`release`) after a response has stopped the clock goes on to `scheduled` at once: nobody
else is sent, and somebody checks back.

`amend` and `link` move nothing by themselves. What an amendment makes known may raise the case, and then the
service moves it as it would have at first; `link` as `duplicate_of` joins it to another (`join`).
"""


def life_page() -> str:
    """The whole page, in Markdown."""
    sections = (
        (None, _HEAD),
        ("The picture", f"{_diagram()}\n\n{_ONE_BACKWARDS}"),
        ("What each status means", _statuses()),
        ("What people may do", _actions()),
        ("What the service does by itself", _moves()),
        ("Whatever the status", _everywhere()),
    )
    return "\n".join(f"## {title}\n\n{body}" if title else body for title, body in sections)


def _diagram() -> str:
    """What changes the status; what every open status allows is drawn once, for all of them."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> received", "    state open {"]
    for status in OPEN_STATUSES:
        lines += [f"        {arrow}" for arrow in _arrows(status, but=(*_same_in_all_open(), Move.JOIN))]
    lines.append("    }")
    alike: tuple[Action | Move, ...] = (*_same_in_all_open(), Move.JOIN)
    for step in alike:
        to = ALLOWED[Status.DISPATCHING][step].to
        if to not in OPEN_STATUSES:
            lines.append(f"    open --> {to.value}: {step.value}")
    for ended in _ENDED:
        lines += [f"    {arrow}" for arrow in _arrows(ended)]
        lines.append(f"    {ended.value} --> [*]")
    return "\n".join([*lines, "```"])


def _arrows(status: Status, but: Sequence[Action | Move] = ()) -> list[str]:
    by_target: dict[Status, list[str]] = {}
    for action, step in ALLOWED[status].items():
        if step.to is not status and action not in but:
            by_target.setdefault(step.to, []).append(action.value)
    return [f"{status.value} --> {to.value}: {', '.join(by)}" for to, by in by_target.items()]


def _statuses() -> str:
    rows = [(f"`{s.value}`", "open" if s in OPEN_STATUSES else "ended", MEANING[s]) for s in Status]
    return _table(("status", "", "means"), rows)


def _actions() -> str:
    """Actions that are not the same everywhere."""
    rows = [
        (f"`{status.value}`", f"`{action.value}`", f"`{step.to.value}`", CONDITION[step.when])
        for status in ALLOWED
        for action in Action
        if action not in _same_in_all_open() and (step := ALLOWED[status].get(action)) is not None
    ]
    return _table(("in", "action", "leads to", "only while"), rows)


def _moves() -> str:
    rows = [
        (f"`{status.value}`", f"`{move.value}`", f"`{step.to.value}`", SERVICE[move])
        for status in ALLOWED
        for move in Move
        if (step := ALLOWED[status].get(move)) is not None
    ]
    return _table(("in", "move", "leads to", "because"), rows)


def _everywhere() -> str:
    rows = []
    for action in _same_in_all_open():
        step = ALLOWED[Status.DISPATCHING][action]
        to = "" if step.to is Status.DISPATCHING else f"`{step.to.value}`"
        after = "yes" if all(action in ALLOWED[s] for s in _ENDED) else ""
        rows.append((f"`{action.value}`", to, CONDITION[step.when], after))
    return _table(("action, while it is open", "leads to", "only while", "also after its end"), rows)


def _same_in_all_open() -> tuple[Action, ...]:
    """Actions that each open status allows in the same way."""
    return tuple(a for a in Action if len(led := {_leads(s, a) for s in _SETTLED}) == 1 and None not in led)


def _leads(status: Status, action: Action) -> str | None:
    """Where an action leads: to a status, or nowhere else."""
    step = ALLOWED[status].get(action)
    return None if step is None else "stays" if step.to is status else step.to.value


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [_line(heads), _line(["---"] * len(heads)), *map(_line, rows)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(life_page())
