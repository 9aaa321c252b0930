"""Sheets for partners: of one case, by what each partner needs, or of all that tell of one vehicle."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import Connection

from rapid_response.access.permissions import Permission
from rapid_response.console import filling
from rapid_response.console.access_pages import ask_why, must_say_why
from rapid_response.console.filling import Names
from rapid_response.console.forms.posted import FieldError, Filled
from rapid_response.console.forms.privacy import read_vehicle
from rapid_response.console.moments import full_words
from rapid_response.console.timeline import pounds
from rapid_response.console.views.sharing import DisclosuresView, DisclosureView
from rapid_response.console.visit_pages import NeedsAny, Visit
from rapid_response.console.words import QUESTIONS, field_words, plain
from rapid_response.core.facts import TIME_FACTS
from rapid_response.steps import casefile, disclosing
from rapid_response.steps.errors import Invalid, NotFound
from rapid_response.storage.log import record_view
from rapid_response.storage.tables import DisclosureRow
from rapid_response.storage.tx import Tx

router = APIRouter(include_in_schema=False)

Reader = Annotated[Visit, Depends(NeedsAny(Permission.DISCLOSURE_READ))]
Exporter = Annotated[Visit, Depends(NeedsAny(Permission.CASE_EXPORT))]

_NO_SHEET = "There is no such sheet. Look on the page of the incident."

#: The lines of a sheet that are no field of a report.
_LINES: Mapping[str, str] = {
    "reference": "Our reference",
    "received_at": "Reported",
    "category": "What it is",
    "subtype": "Kind",
    "ward": "Ward",
    "statutory_strands": "Hostility about",
    "safeguarding_because": "Why an adult may be at risk",
    "safe_contact": "How to reach the person safely",
    "narrative": "What was said",
}


@router.api_route("/incidents/{reference}/disclosures/{disclosure_id}", methods=["GET", "HEAD"])
async def get_disclosure(reference: str, disclosure_id: str, visit: Reader) -> Response:
    """One sheet of one case, as it was when it was made; it prints."""
    if await must_say_why(visit, reference):
        return await ask_why(visit, reference)
    found = await visit.look(partial(casefile.read_case, reference=reference.upper()))
    row = await visit.look(partial(disclosing.read_disclosure, disclosure_id=disclosure_id))
    if found is None or row is None or row.incident_id != found.incident.id:
        raise NotFound(_NO_SHEET)
    await visit.run(partial(casefile.seen, reference=reference.upper(), what="page_disclosure"))
    return await _sheet(visit, row, found.incident.reference)


@router.api_route("/disclosures", methods=["GET", "HEAD"])
async def get_disclosures(visit: Exporter) -> Response:
    """All reports of one vehicle: a form, and the sheets that were made before."""
    return await _list(visit, Filled())


@router.post("/disclosures")
async def post_disclosure(visit: Exporter) -> Response:
    """Make the sheet; who asks, and on what authority, is kept with it."""
    _, parsed = await visit.filled_in(read_vehicle, "registration")
    if not parsed.ok:
        return await _list(visit, parsed.filled, status=422)
    body = parsed.body
    step = partial(
        disclosing.disclose_vehicle,
        registration=body["registration"],
        to=body["to"],
        authority=body["authority"],
    )
    try:
        disclosure_id = await visit.run(step)
    except Invalid as refused:
        fault = FieldError(refused.field or "registration", refused.detail)
        return await _list(visit, Filled(parsed.filled.values, (fault,)), status=422)
    return visit.go(f"/disclosures/{disclosure_id}")


@router.api_route("/disclosures/{sheet_id}", methods=["GET", "HEAD"])
async def get_vehicle_sheet(sheet_id: str, visit: Exporter) -> Response:
    """One sheet of more than one case."""
    row = await visit.look(partial(disclosing.read_disclosure, disclosure_id=sheet_id))
    if row is None or row.incident_id is not None:
        raise NotFound(_NO_SHEET)
    await visit.run(lambda tx: _seen(tx, row))
    return await _sheet(visit, row, "")


def _seen(tx: Tx, row: DisclosureRow) -> None:
    """Each case on the sheet was looked at."""
    references = [case["reference"] for case in disclosing.sheet_of(row)]
    for reference in references:
        casefile.seen(tx, reference, "page_disclosure")
    if not references:
        record_view(tx, "page_disclosure", None)


async def _list(visit: Visit, filled: Filled, *, status: int = 200) -> Response:
    def read(connection: Connection) -> DisclosuresView:
        names = filling.read_names(connection, visit.pages.desk.zone)
        made = disclosing.vehicle_disclosures(connection)
        return DisclosuresView(tuple(filling.disclosure(row, names, visit.principal) for row in made), filled)

    return await visit.page(await visit.look(read), status=status)


async def _sheet(visit: Visit, row: DisclosureRow, reference: str) -> Response:
    zone = visit.pages.desk.zone
    names: Names = await visit.look(lambda c: filling.read_names(c, zone))
    view = DisclosureView(
        disclosure=filling.disclosure(row, names, visit.principal),
        cases=tuple(tuple(_lines(case, row.fields, zone)) for case in disclosing.sheet_of(row)),
        digest=row.digest,
        holds=row.erased_at is not None or hashlib.sha256(row.document.encode()).hexdigest() == row.digest,
        is_erased_in_part=bool(row.erased_at and row.document),
        reference=reference,
        vehicle=disclosing.vehicle_of(row),
    )
    return await visit.page(view)


def _lines(case: Mapping[str, Any], fields: Iterable[str], zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    """The lines of one case, those of the case itself first."""
    order = [*_LINES, *sorted(name for name in fields if name not in _LINES)]
    for name in order:
        if name in case:
            yield _heading(name), _said(name, case[name], zone)


def _heading(name: str) -> str:
    part, _, rest = name.partition(".")
    if name in _LINES:
        return _LINES[name]
    if part == "facts":
        return "Money" if rest == "amount_pence" else QUESTIONS.get(rest, plain(rest))
    return field_words(name)


def _said(name: str, value: Any, zone: ZoneInfo) -> str:
    match value:
        case str() if name == "received_at" or name.removeprefix("facts.") in TIME_FACTS:
            return full_words(datetime.fromisoformat(value), zone)
        case bool():
            return "Yes" if value else "No"
        case int() if name == "facts.amount_pence":
            return pounds(value)
        case dict():
            return "; ".join(
                f"{field_words(f'{name}.{key}')}: {'yes' if said else 'no'}"
                if isinstance(said, bool)
                else str(said)
                for key, said in value.items()
            )
        case list() if name == "narrative":
            return "\n".join(str(said) for said in value)
        case list() if name == "safeguarding_because":
            return ", ".join(filling.BECAUSE.get(code, code) for code in value)
        case list():
            return ", ".join(plain(str(item)) if name in _LINES else str(item) for item in value)
        case str() if name in ("category", "subtype", "facts.payment_method"):
            return plain(value)
    return str(value)
