"""What a person does to an incident: one function an action, the same for API, pages, texts and calls.

Each checks the one table of statuses first, so that what the state does not allow changes nothing.
"""

from __future__ import annotations

from rapid_response.core.incident import Action
from rapid_response.steps import commands, retention, visits
from rapid_response.steps.actions import caring, ending, judging, moving
from rapid_response.steps.actions.doing import Doing, Handlers
from rapid_response.steps.actions.judging import resume
from rapid_response.steps.actions.next_step import keep_in_view
from rapid_response.steps.case import find, find_with, hold
from rapid_response.steps.desk import Desk, Who
from rapid_response.steps.keyed import Key, once
from rapid_response.steps.notekeeping import add_note
from rapid_response.steps.service import Service, service_now
from rapid_response.storage.tables import IncidentRow
from rapid_response.storage.tx import Tx

__all__ = ["act", "act_on", "keep_in_view", "perform", "resume"]

_DO: Handlers = {**moving.DO, **ending.DO, **judging.DO, **caring.DO}


def act(
    tx: Tx,
    desk: Desk,
    reference: str,
    action: Action,
    command: commands.Command,
    who: Who,
    key: Key | None = None,
) -> bool:
    """Do one action to the incident of that reference, unless it was done with that key; whether it is now.

    Raises NotAllowed (409), NotFound (404), Invalid (422) or Forbidden (403); then nothing has happened.
    """
    # Locked before the key is looked up: of two requests at once, the second finds what the first did.
    incident = _find(tx, reference, action, command)
    service = service_now(tx, desk.zone)
    return once(tx, key, lambda tx: perform(tx, desk, service, incident, action, command, who))


def _find(tx: Tx, reference: str, action: Action, command: commands.Command) -> IncidentRow:
    """The incident, locked; what concerns two locks both, in the order of their ids (design.md 3)."""
    if action not in (Action.LINK, Action.REOPEN):
        return find(tx, reference)
    named = getattr(command, "reference", None)
    return find_with(tx, reference, [named] if named else [], parts=action is Action.REOPEN)


def act_on(tx: Tx, desk: Desk, incident_id: str, action: Action, command: commands.Command, who: Who) -> None:
    """As :func:`act`, for who knows the id."""
    perform(tx, desk, service_now(tx, desk.zone), hold(tx, incident_id), action, command, who)


def perform(
    tx: Tx,
    desk: Desk,
    service: Service,
    incident: IncidentRow,
    action: Action,
    command: commands.Command,
    who: Who,
) -> None:
    """Do one action to a locked incident."""
    visits.sign_of_life(tx, service, incident, action, who)
    _DO[action](Doing(tx, desk, service, incident, who), command)
    note = getattr(command, "note", None)
    if note:
        add_note(tx, incident, note, who)
    retention.is_told_of_again(incident)
    keep_in_view(tx, service, incident)
