"""The sheet that goes with a hand-over: what the other service was given, word for word, and signed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import Connection
from sqlmodel import Session

from rapid_response.access.permissions import Permission
from rapid_response.console import filling
from rapid_response.console.access_pages import ask_why, must_say_why
from rapid_response.console.moments import full_words
from rapid_response.console.views.sharing import TransferView
from rapid_response.console.visit_pages import NeedsAny, Visit
from rapid_response.console.words import QUESTIONS, field_words, plain
from rapid_response.core.facts import TIME_FACTS
from rapid_response.steps import casefile
from rapid_response.steps.errors import NotFound
from rapid_response.steps.transferring import PURPOSE
from rapid_response.storage.tables import TransferRow

router = APIRouter(include_in_schema=False)

Reader = Annotated[Visit, Depends(NeedsAny(Permission.TRANSFER_READ))]

_HEADINGS = {
    "location": "Where",
    "victim": "Who it happened to",
    "safe_contact": "What is safe",
    "facts": "What is happening",
    "suspect": "The suspect, as reported",
}
_NO_SHEET = "There is no such hand-over. Look on the page of the incident."


@router.api_route("/incidents/{reference}/transfers/{transfer_id}", methods=["GET", "HEAD"])
async def get_transfer(reference: str, transfer_id: str, visit: Reader) -> Response:
    """The sheet; whoever may hand a case over may read what was handed over, and that is kept."""
    zone = visit.pages.desk.zone

    def read(connection: Connection) -> tuple[filling.Looking, TransferRow] | None:
        found = filling.read(connection, reference.upper(), zone)
        transfer = Session(connection).get(TransferRow, transfer_id)
        if found is None or transfer is None or transfer.incident_id != found[0].incident.id:
            return None
        case, names = found
        return filling.Looking(visit.principal, case, names, visit.definition, zone, visit.now), transfer

    looked = await visit.look(read)
    if looked is None:
        raise NotFound(_NO_SHEET)
    looking, transfer = looked
    if await must_say_why(visit, reference):
        return await ask_why(visit, reference)
    await visit.run(partial(casefile.seen, reference=reference.upper(), what="page_transfer"))
    digest = hashlib.sha256(transfer.document.encode()).hexdigest()
    signed = visit.pages.desk.signer.holds(transfer.signature, PURPOSE, transfer.id, digest)
    view = TransferView(
        reference=looking.case.incident.reference,
        transfer=filling.transfer(transfer, looking),
        parts=tuple(_parts(json.loads(transfer.document), zone)) if transfer.document else (),
        digest=transfer.digest,
        signature=transfer.signature,
        holds=not transfer.document or (signed and digest == transfer.digest),
    )
    return await visit.page(view)


def _parts(document: Mapping[str, Any], zone: ZoneInfo) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    for name, heading in _HEADINGS.items():
        lines = tuple(_lines(name, document[name], zone))
        if lines:
            yield heading, lines
    for number, report in enumerate(document["reports"], start=1):
        caller = tuple(_lines("caller", report["caller"], zone))
        yield f"Report {number}", (*caller, ("What was said", str(report["narrative"])))


def _lines(part: str, values: Mapping[str, Any], zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if value in (None, "", []):
            continue
        words = QUESTIONS.get(name, name) if part == "facts" else field_words(f"{part}.{name}")
        is_time = part == "facts" and name in TIME_FACTS
        yield words, full_words(datetime.fromisoformat(value), zone) if is_time else _said(value)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(plain(str(item)) for item in value)
    return str(value)
