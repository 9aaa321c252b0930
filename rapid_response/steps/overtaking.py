"""A word that reaches us late, and what its writer has done since: her newer word holds, not the older one.

Words that answer offers and notices go by what she had heard (`dispatch.reply_decision`); this is of a job
that she has. A NO that was held up must not take from her what she has accepted since, nor a NOBODY end the
watch over somebody who is at the door by now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func
from sqlmodel import col, select

from rapid_response.core import events as happened
from rapid_response.dispatch.reply_decision import Effect
from rapid_response.dispatch.words import Verb
from rapid_response.steps.replying import Known
from rapid_response.storage import log
from rapid_response.storage.tables import InboundMessageRow
from rapid_response.storage.tx import Tx

#: When a text was written, as far as we know.
_when_written = func.coalesce(col(InboundMessageRow.sent_at), col(InboundMessageRow.received_at))


@dataclass(frozen=True, slots=True)
class _Way:
    """What moves a job one way: words in a text, and events where it was done by call, page or desk."""

    verbs: tuple[Verb, ...]
    events: tuple[str, ...]


_ON = _Way(
    (Verb.ACCEPT, Verb.GO, Verb.HERE),
    (
        happened.OfferAccepted.type,
        happened.Assigned.type,
        happened.SetOff.type,
        happened.ArrivedOnScene.type,
    ),
)
_BACK = _Way((Verb.NOBODY, Verb.DONE), (happened.NoContactMade.type,))
#: By what each word is overtaken. DONE that closes is in it too: nobody arrives after the end.
_OVERTAKEN_BY: Mapping[Verb, _Way] = {
    **dict.fromkeys((Verb.DECLINE, Verb.NOBODY, Verb.DONE), _ON),
    **dict.fromkeys((Verb.GO, Verb.HERE), _BACK),
}


def is_overtaken(tx: Tx, known: Known, verb: Verb, incident_id: str, written: datetime) -> bool:
    """Whether she has moved that job of hers the other way after she wrote this."""
    way = _OVERTAKEN_BY.get(verb)
    if way is None or known.responder is None:
        return False
    return _has_texted(tx, known.actor, way, incident_id, written) or _has_done(
        tx, known.responder.id, way, incident_id, written
    )


def has_since_texted(tx: Tx, from_number: str, effects: Sequence[Effect], written: datetime) -> bool:
    """Whether that number has texted one of these after it wrote this, and it was heeded."""
    return _is_newer_text(
        tx,
        written,
        col(InboundMessageRow.from_number) == from_number,
        col(InboundMessageRow.effect).in_([effect.value for effect in effects]),
    )


def _has_texted(tx: Tx, sender: str, way: _Way, incident_id: str, written: datetime) -> bool:
    return _is_newer_text(
        tx,
        written,
        col(InboundMessageRow.incident_id) == incident_id,
        col(InboundMessageRow.sender) == sender,
        col(InboundMessageRow.effect) == Effect.ACT.value,
        col(InboundMessageRow.verb).in_([verb.value for verb in way.verbs]),
    )


def _is_newer_text(tx: Tx, written: datetime, *which: ColumnElement[bool]) -> bool:
    """By their own times: several that were held up are acted on at once."""
    newer = select(col(InboundMessageRow.id)).where(*which, _when_written > written).limit(1)
    return tx.execute(newer).first() is not None


def _has_done(tx: Tx, responder_id: str, way: _Way, incident_id: str, written: datetime) -> bool:
    said = log.said(tx, [incident_id], *way.events, after=written)
    return any(one["responder"] == responder_id and one.get("source") != "sms" for one in said)
