"""Everything that is named somewhere is done somewhere: subscriptions, agenda kinds, events, routes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr

from rapid_response.access.permissions import PUBLIC_PERMISSIONS, Permission
from rapid_response.api.context import Needs
from rapid_response.app import build
from rapid_response.console.timeline import TELLERS
from rapid_response.console.visit_pages import NeedsAny, signed_in
from rapid_response.core.events import EVENT_TYPES, Event
from rapid_response.reporting import tallies
from rapid_response.settings import Settings
from rapid_response.sla.rules import Kind
from rapid_response.steps import ring
from rapid_response.webhooks import twilio
from rapid_response.wiring import HANDLERS, SUBSCRIPTIONS, WITH_SECOND_READER

# --- events -----------------------------------------------------------------------------------------------


def test_every_subscription_has_a_handler_and_every_handler_hears_something() -> None:
    named = {name for names in WITH_SECOND_READER.values() for name in names}
    assert named == HANDLERS.keys()


def test_without_a_second_reader_nothing_is_queued_for_one() -> None:
    assert {name for names in SUBSCRIPTIONS.values() for name in names} == HANDLERS.keys() - {"second.queue"}
    for type_, names in SUBSCRIPTIONS.items():
        assert set(names) <= set(WITH_SECOND_READER[type_])


def test_only_events_that_exist_are_subscribed_to() -> None:
    assert WITH_SECOND_READER.keys() <= EVENT_TYPES.keys()
    assert set(tallies.COUNTED) == {
        type_ for type_, names in SUBSCRIPTIONS.items() if "reporting.tally" in names
    }


def test_a_subscriptions_name_fits_its_column() -> None:
    assert all(0 < len(name) <= 40 for name in HANDLERS)


def test_every_event_has_one_name_that_fits_its_column() -> None:
    named = {(cls.__name__, cls.type) for cls in _below(Event)}
    assert {type_ for _, type_ in named} == EVENT_TYPES.keys()
    assert len(named) == len(EVENT_TYPES)
    assert all(0 < len(type_) <= 40 for type_ in EVENT_TYPES)


def _below(cls: type[Event]) -> Iterator[type[Event]]:
    for child in cls.__subclasses__():
        yield child
        yield from _below(child)


def test_every_event_can_be_told_to_a_person() -> None:
    assert TELLERS.keys() == EVENT_TYPES.keys()


# --- the agenda -------------------------------------------------------------------------------------------


def test_everything_that_can_stand_on_the_agenda_is_done_by_somebody() -> None:
    done = {str(kind) for kind in (*ring._DO, *ring._SERVICE_WIDE)}
    assert done == {kind.value for kind in Kind}
    assert not ring._DO.keys() & ring._SERVICE_WIDE.keys()


# --- routes -----------------------------------------------------------------------------------------------

#: What anybody may ask for. A new route is not open by being forgotten: it must be written here.
PUBLIC = {
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/"),
    ("GET", "/report"),
    ("POST", "/report"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/sign-out"),
    ("GET", "/static"),
    # Whoever can ring the hotline can ring the simulated network.
    ("GET", "/simulator"),
    ("GET", "/simulator/messages"),
    ("GET", "/simulator/calls"),
    ("GET", "/simulator/faults"),
    ("POST", "/simulator/faults"),
    ("POST", "/simulator/reply"),
    ("POST", "/simulator/call"),
    ("POST", "/simulator/answer-call"),
}
#: Asks in its own first lines: for its token, or a key that may; for whose a session is, idle or not.
GUARDS_ITSELF = {("GET", "/metrics"), ("POST", "/j/code-9")}


Routes = dict[tuple[str, str], list[Any]]


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Routes:
    """Every route of the whole service, with all that must say yes before it is answered."""
    settings = Settings(
        database_url=f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('routes')}/none.db",
        secret_key=SecretStr("a secret key only for tests, long enough"),
    )
    app = build(settings, works=False)
    app.database.close_now()
    found: Routes = {}
    for route in iter_route_contexts(app.asgi.routes):
        dependant = getattr(route, "dependant", None)
        calls = list(_calls(dependant)) if dependant is not None else []
        for method in (route.methods or {"GET"}) - {"HEAD"}:
            # The first of an address answers; one that stands behind it is never asked.
            found.setdefault((method, str(route.path)), calls)
    return found


def _calls(dependant: Any) -> Iterator[Any]:
    for below in dependant.dependencies:
        yield below.call
        yield from _calls(below)


def test_the_walk_meets_the_whole_service(routes: Routes) -> None:
    for some in (("POST", "/api/v1/reports"), ("GET", "/j/{number}"), ("POST", "/webhooks/twilio/sms")):
        assert some in routes
    assert len(routes) > 40


def test_every_route_asks_for_a_permission_or_is_listed_as_public(
    routes: Routes,
) -> None:
    unguarded = {where for where, calls in routes.items() if not any(_guards(call) for call in calls)}
    assert unguarded == PUBLIC | GUARDS_ITSELF


def _guards(call: Any) -> bool:
    return isinstance(call, Needs | NeedsAny) or call in (signed_in, twilio._genuine)


def test_no_guard_is_one_that_everybody_passes(routes: Routes) -> None:
    for where, calls in routes.items():
        for call in calls:
            if isinstance(call, Needs):
                assert call.permission not in PUBLIC_PERMISSIONS, where
            if isinstance(call, NeedsAny):
                assert call.permissions, where
                assert not PUBLIC_PERMISSIONS & set(call.permissions), where


def test_every_webhook_checks_that_it_is_genuine(routes: Routes) -> None:
    webhooks = {where: calls for where, calls in routes.items() if where[1].startswith("/webhooks/")}
    assert len(webhooks) >= 8
    assert all(twilio._genuine in calls for calls in webhooks.values())


def test_outside_evaluation_nothing_describes_the_service_to_strangers(
    routes: Routes,
) -> None:
    assert not {path for _, path in routes} & {"/docs", "/redoc"}
    guards = [call for call in routes["GET", "/openapi.json"] if isinstance(call, Needs)]
    assert [guard.permission for guard in guards] == [Permission.API_DESCRIPTION]
