"""Which key gets in where, and what looking leaves behind: every route of the API, by one table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from rapid_response.access.keys import create_key, revoke_key
from rapid_response.access.permissions import SCOPE_PERMISSIONS, Permission
from rapid_response.core.incident import Action
from rapid_response.core.vocabulary import Role, Scope
from rapid_response.storage.tables import AccessRow, InboundMessageRow
from tests.builders import roofers_now
from tests.harness import Town
from tests.journeys.browser import browser_of, on_sqlite
from tests.journeys.test_pages_access import walk

P = Permission
INCIDENT = "/api/v1/incidents/{reference}"
#: What each route asks of a key.
ROUTES: Mapping[tuple[str, str], Permission] = {
    ("POST", "/api/v1/reports"): P.REPORT_TAKE,
    ("GET", "/api/v1/reports/board"): P.BOARD_VIEW,
    ("GET", "/api/v1/incidents"): P.CASE_LIST,
    ("GET", INCIDENT): P.CASE_VIEW,
    ("GET", f"{INCIDENT}/events"): P.TIMELINE_VIEW,
    ("GET", f"{INCIDENT}/deliveries"): P.TIMELINE_VIEW,
    ("POST", f"{INCIDENT}/actions/{{action}}"): P.CASE_ACT,
    ("POST", "/api/v1/responders/{responder_id}/availability"): P.AVAILABILITY_ANY,
    ("GET", "/api/v1/rota/asked"): P.ROTA_VIEW,
    ("GET", "/api/v1/rota/gaps"): P.ROTA_VIEW,
    ("GET", "/openapi.json"): P.API_DESCRIPTION,
}
#: What asks for no key: it answers anybody, or asks for a signature or a token of its own.
KEYLESS = ("/health/", "/metrics", "/webhooks/", "/simulator/")
#: As each view of a case stands in the access log.
VIEWS = {
    INCIDENT: "api",
    f"{INCIDENT}/events": "api_events",
    f"{INCIDENT}/deliveries": "api_deliveries",
}
NO_SUCH = "RR-2026-NONE"


@pytest.fixture
async def live(database_url: str, start: datetime) -> AsyncIterator[Town]:
    """A service as it runs when it is no evaluation: nothing is described to everybody."""
    async with Town(database_url, start, evaluation=False) as town:
        yield town


async def key_of(town: Town, name: str, *scopes: Scope) -> dict[str, str]:
    key = await town.app.database.run(lambda tx: create_key(tx, name, scopes))
    return {"authorization": f"Bearer {key.secret}"}


async def ask(town: Town, method: str, path: str, headers: Mapping[str, str], **parts: str) -> httpx.Response:
    address = path.format(**{"responder_id": "asha", "action": "note", "reference": NO_SUCH} | parts)
    body: dict[str, Any] | None = {} if method == "POST" else None
    return await town.http.request(method, address, headers=headers, json=body)


def machines_routes(town: Town) -> set[tuple[str, str]]:
    """Every address that is no page, a file, or open by its nature."""
    found = set()
    for route in walk(town.app.asgi.routes):
        path = str(getattr(route, "path", ""))
        module = getattr(getattr(route, "endpoint", None), "__module__", "")
        is_ours = module.startswith("rapid_response.") and not module.startswith("rapid_response.console")
        if is_ours and not path.startswith(KEYLESS):
            found |= {(method, path) for method in route.methods if method != "HEAD"}
    return found


@on_sqlite
async def test_every_route_asks_for_its_scope(live: Town) -> None:
    """Whatever a key may not do it may not do to anything: whether a case exists makes no difference."""
    town = live
    assert machines_routes(town) == set(ROUTES)
    reference = (await town.reports(**roofers_now()))["reference"]
    wrong = {}
    for scope in Scope:
        headers = await key_of(town, scope.value, scope)
        for (method, path), wanted in ROUTES.items():
            answers = [await ask(town, method, path, headers, reference=r) for r in (reference, NO_SUCH)]
            statuses = {answer.status_code for answer in answers}
            allowed = wanted in SCOPE_PERMISSIONS[scope]
            if allowed == bool(statuses & {401, 403}):
                wrong[f"{method} {path} with {scope}"] = statuses
            if not allowed:
                assert answers[0].text == answers[1].text
            assert all(reference not in a.text for a in answers if not allowed)
    assert wrong == {}


@on_sqlite
async def test_no_action_is_open_to_a_key_that_may_not_act(live: Town) -> None:
    reference = (await live.reports(**roofers_now()))["reference"]
    path = f"{INCIDENT}/actions/{{action}}"
    headers = await key_of(live, "all else", *(s for s in Scope if s is not Scope.ACT))
    before = await live.events(reference)
    for action in Action:
        answer = await ask(live, "POST", path, headers, reference=reference, action=action.value)
        assert answer.status_code == 403, action
    assert await live.events(reference) == before


@on_sqlite
async def test_without_a_living_key_there_is_nothing(live: Town) -> None:
    """No key, one that was revoked, none of ours, or a person's session: the same answer everywhere."""
    town = live
    revoked = await key_of(town, "old", *Scope)
    assert (await town.http.get("/api/v1/incidents", headers=revoked)).status_code == 200
    await town.app.database.run(lambda tx: revoke_key(tx, "old"))
    town.clock.advance(timedelta(seconds=5))
    async with await browser_of(town, "lee", Role.TEAM_LEADER) as leader:
        cookies = "; ".join(f"{name}={value}" for name, value in leader.http.cookies.items())
        signed_in = {"authorization": "", "cookie": cookies}
        given = ({"authorization": ""}, revoked, {"authorization": "Bearer rr_none"}, signed_in)
        for method, path in ROUTES:
            answers = [await ask(town, method, path, headers) for headers in given]
            assert {answer.status_code for answer in answers} == {401}, path
            assert len({answer.text for answer in answers}) == 1


@on_sqlite
async def test_each_look_at_a_case_is_on_record_once_and_no_refusal_is(town: Town) -> None:
    reference = (await town.reports(**roofers_now()))["reference"]
    by_reading = await key_of(town, "a partner", Scope.READ)
    for path, what in VIEWS.items():
        before = len(await town.rows(AccessRow))
        assert (await ask(town, "GET", path, by_reading, reference=NO_SUCH)).status_code == 404
        assert len(await town.rows(AccessRow)) == before
        assert (await ask(town, "GET", path, by_reading, reference=reference)).status_code == 200
        (row,) = (await town.rows(AccessRow))[before:]
        assert (row.what, row.incident_id is not None) == (what, True)
        assert row.viewer.startswith("key:")


@on_sqlite
async def test_no_answer_of_the_api_is_to_be_kept(town: Town) -> None:
    """A case, its people and its refusals: neither a proxy nor a client stores them."""
    reference = (await town.reports(**roofers_now()))["reference"]
    headers = await key_of(town, "a partner", *Scope)
    for method, path in ROUTES:
        for asked in (headers, {"authorization": ""}):
            answer = await ask(town, method, path, asked, reference=reference)
            assert answer.headers.get("cache-control") == "no-store", (path, answer.status_code)


@on_sqlite
async def test_no_webhook_is_believed_without_its_signature(town: Town) -> None:
    """Nor with a key of the API: each that there is."""
    hooks = {route.path for route in walk(town.app.asgi.routes) if "/webhooks/" in getattr(route, "path", "")}
    assert len(hooks) > 5
    form = {"From": "+447700900101", "To": "+442079460001", "Body": "OK", "CallSid": "CA" + "7" * 32}
    for path in hooks:
        for headers in ({}, {"x-twilio-signature": "bm90IG91cnM="}):
            address = path.replace("{elsewhere:path}", "elsewhere")
            answer = await town.http.post(address, data=form, headers=headers)
            assert (answer.status_code, answer.content) == (403, b""), path
    assert await town.rows(InboundMessageRow) == []
