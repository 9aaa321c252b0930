"""Who is not to be asked again for a job: who said no, gave it back, or has it before them.

Going off duty is no answer to it, nor is it one that the desk gives her job to somebody else. What was asked
of her, or was hers, passes on; and once she is back, or the other gives it back, she is asked like anybody
else: or a job that nobody has would stay so beside somebody who is free.
"""

from __future__ import annotations

from collections.abc import Sequence

from rapid_response.core.events import Released
from rapid_response.core.states import OfferState
from rapid_response.storage import log
from rapid_response.storage.tables import OfferRow
from rapid_response.storage.tx import Tx

#: Why an offer is declined, or a job given back, by nobody's own word.
OFF_DUTY = "off_duty"
#: Why a job is somebody else's: the desk gave it to her.
REASSIGNED = "reassigned"


def without_refusing(tx: Tx, incident_id: str, offers: Sequence[OfferRow]) -> set[str]:
    """Whose newest of these offers, oldest first, ended by no word of hers."""
    newest = {offer.responder_id: offer for offer in offers}
    declined = {
        who
        for who, offer in newest.items()
        if offer.state is OfferState.DECLINED and offer.source == OFF_DUTY
    }
    had_it = {who for who, offer in newest.items() if offer.state is OfferState.RELEASED}
    return declined | (had_it & _lost_the_job(tx, incident_id) if had_it else set())


def _lost_the_job(tx: Tx, incident_id: str) -> set[str]:
    """Who last lost it by no word of hers. An offer does not say why it was given back; the log does."""
    why = {told["responder"]: told["why"] for told in log.said(tx, [incident_id], Released.type)}
    # Her own word, in this very step, comes after whatever the log says so far.
    why |= {told.responder: told.why for told in tx.recorded(incident_id) if isinstance(told, Released)}
    return {who for who, reason in why.items() if reason in (OFF_DUTY, REASSIGNED)}
