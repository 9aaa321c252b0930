"""Two people at one case: what somebody changed after a page was shown is not overwritten unseen.

A form says beside what can be changed what the page showed (`was.…`). Where that no longer holds, the form
comes back with what was typed in it, and with what holds now as the new `was.…`: who saves it once more has
seen it. The API and texts say nothing of what was seen, and are not asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from rapid_response.console import filling, related
from rapid_response.console.filling import Names
from rapid_response.console.forms.correcting import WAS
from rapid_response.console.forms.posted import FieldError, Filled, Posted
from rapid_response.console.moments import at_words
from rapid_response.console.words import DANGERS, field_words, plain
from rapid_response.core.incident import Action
from rapid_response.core.safe_contact import MEANS
from rapid_response.steps import case, casefile, episodes
from rapid_response.steps.corrections import Correction, caller_now, corrections_of
from rapid_response.storage.tables import IncidentRow
from rapid_response.storage.tx import Tx

OWNER, PRIORITY, HEARD = f"{WAS}owner", f"{WAS}priority", f"{WAS}heard"
#: Events by which a job changes hands, and by which it turns out more or less urgent.
_HANDS = frozenset({"assigned", "offer_accepted", "released"})
_DECIDED = frozenset({"priority_decided"})
#: What the page showed of the case as a whole, where an action rests on it.
_SHOWN = {
    Action.ASSIGN: OWNER,
    Action.RELEASE: OWNER,
    Action.SET_PRIORITY: PRIORITY,
    Action.CLOSE: PRIORITY,
    Action.CANCEL: PRIORITY,
    Action.MARK_HOAX: PRIORITY,
}
#: What ends a case is not done over what was told since: more danger, or one more report of it.
_ENDS = frozenset({Action.CLOSE, Action.CANCEL, Action.MARK_HOAX})
_AGAIN = "Look again, then save"


class ChangedMeanwhile(Exception):
    """The form as it is to be shown again; `message` where it belongs to no field of it."""

    def __init__(self, filled: Filled, message: str = "") -> None:
        self.filled, self.message = filled, message
        super().__init__("changed since the page was shown")


@dataclass(frozen=True, slots=True)
class _Saying:
    """Says what was changed, by whom and when."""

    names: Names
    now: datetime
    zone: ZoneInfo

    def changed(self, what: str, value: str, last: tuple[str, datetime] | None) -> str:
        """`last`: who changed it last, and when, as far as that is known."""
        by = f" by {self.names.actor(last[0])}, {at_words(last[1], self.now, self.zone)}" if last else ""
        return f"{what}: changed meanwhile to {value}{by}"

    def correction(self, path: str, present: str, corrected: Sequence[Correction]) -> str:
        """Of one field: as the last correction of it says, where there is one."""
        last = next((c for c in reversed(corrected) if c.field == path), None)
        value = related.shown_value(path, last.new, self.zone, self.now) if last else present
        by = (last.actor, last.at) if last else None
        return f"{self.changed(field_words(path), value or 'not known', by)}. {_AGAIN}"


def check(tx: Tx, reference: str, action: Action, posted: Posted, zone: ZoneInfo) -> None:
    """Raises :class:`ChangedMeanwhile` where the form would overwrite what its sender has not seen."""
    if action is not Action.AMEND and action not in _SHOWN:
        return
    incident = case.find(tx, reference)
    case.check(incident, action)
    if action is Action.AMEND:
        _check_values(tx, incident, posted, zone)
    else:
        check_shown(tx, incident, action, posted, zone)


def check_shown(tx: Tx, incident: IncidentRow, action: Action, posted: Posted, zone: ZoneInfo) -> None:
    """As :func:`check`, for what the page showed of the case as a whole."""
    shown = _SHOWN[action]
    now_is = (incident.owner or "") if shown == OWNER else incident.priority.value
    # To say what holds already is no quarrel.
    agreed = {posted.text(shown), *posted.all("priority")}
    refreshed, said = dict(posted.values), []
    if shown in posted.values and now_is not in agreed:
        refreshed[shown] = (now_is,)
        said.append(_said(tx, incident, shown, now_is, zone))
    if action in _ENDS and HEARD in posted.values:
        reports = episodes.reports_of_now(Session(tx.connection), incident)
        heard = filling.heard(incident, reports)
        news = set(heard.split()) - set(posted.text(HEARD).split())
        if news:
            refreshed[HEARD] = (heard,)
            said.append(_told(news, [r.received_at for r in reports if r.id in news], tx.now, zone))
    if said:
        raise ChangedMeanwhile(Filled(refreshed), ". ".join((*said, _AGAIN)))


def _told(news: Set[str], received: Iterable[datetime], now: datetime, zone: ZoneInfo) -> str:
    """What was told since the page was shown: dangers in their order, then the reports."""
    dangers = "; ".join(words for name, (words, _) in DANGERS.items() if name in news)
    reports = (f"A report came in, {at_words(at, now, zone)}" for at in sorted(received))
    return ". ".join((*((f"Told meanwhile: {dangers}",) if dangers else ()), *reports))


def _said(tx: Tx, incident: IncidentRow, shown: str, now_is: str, zone: ZoneInfo) -> str:
    saying = _Saying(filling.read_names(tx.connection, zone), tx.now, zone)
    kinds = _HANDS if shown == OWNER else _DECIDED
    events = reversed(casefile.events_of(tx.connection, incident.id))
    last = next(((e["actor"], datetime.fromisoformat(e["at"])) for e in events if e["type"] in kinds), None)
    if shown == OWNER:
        return saying.changed("Responder", saying.names.responder(now_is) or "nobody", last)
    return saying.changed("Priority", plain(incident.priority), last)


def _check_values(tx: Tx, incident: IncidentRow, posted: Posted, zone: ZoneInfo) -> None:
    corrected = corrections_of(tx, incident.id)
    present = _present(tx, incident, posted, corrected, zone)
    overwritten = [path for path in present.values if _overwrites(path, posted, present)]
    if overwritten:
        saying = _Saying(filling.read_names(tx.connection, zone), tx.now, zone)
        mine = [c for c in corrected if c.report_id in (None, posted.text("report"))]
        faults = (FieldError(path, saying.correction(path, present.text(path), mine)) for path in overwritten)
        raise ChangedMeanwhile(Filled(dict(_shown_again(posted, present)), tuple(faults)))


def _present(
    tx: Tx, incident: IncidentRow, posted: Posted, corrected: Sequence[Correction], zone: ZoneInfo
) -> Posted:
    """What the form would show now, cleaned as what was posted is."""
    values = related.values_of(incident, zone)
    if report_id := posted.text("report"):
        report = next((r for r in case.reports_of(tx, incident) if r.id == report_id), None)
        values = related.caller_values(caller_now(report, corrected)) if report else {}
    pairs = ((name, value) for name, given in values.items() for value in given)
    return Posted({**{name: () for name in values}, **Posted.from_pairs(pairs).values})


def _overwrites(path: str, posted: Posted, present: Posted) -> bool:
    """Whether the sender changes what is no longer as the page showed it; to say the same is no quarrel."""
    if path == related.SAFE or WAS + path not in posted.values:
        return False  # a box that the sender changed is, where somebody else did too, as both want it
    was, typed = posted.text(WAS + path), posted.text(path)
    return typed != was and present.text(path) not in (was, typed)


def _shown_again(posted: Posted, present: Posted) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What was typed stays; what was left as it was is as it is now."""
    yield from posted.values.items()
    for path, values in present.values.items():
        if path == related.SAFE:
            yield path, tuple(_ticked(posted, present))
        elif posted.all(path) == posted.all(WAS + path):
            yield path, values
        yield WAS + path, values


def _ticked(posted: Posted, present: Posted) -> Iterator[str]:
    """The boxes that the sender changed as the sender wants them, the others as they are now."""
    typed, was = posted.all(related.SAFE), posted.all(WAS + related.SAFE)
    for means in MEANS:
        is_changed = (means in typed) != (means in was)
        if means in (typed if is_changed else present.all(related.SAFE)):
            yield means
