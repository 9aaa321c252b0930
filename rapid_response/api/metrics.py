"""`GET /metrics`: for Prometheus, by token or from private addresses only."""

from __future__ import annotations

import secrets
from datetime import datetime
from functools import partial
from ipaddress import ip_address

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import Connection

from rapid_response.access.keys import bearer
from rapid_response.api.context import Context, MayNot, NotSignedIn, Service
from rapid_response.audit.readiness import Node
from rapid_response.core.rota import is_open
from rapid_response.reporting.metrics import Snapshot, exposition, read_snapshot
from rapid_response.steps.service import NoService, service_for
from rapid_response.steps.service import Service as ServiceAsLoaded
from rapid_response.storage import work
from rapid_response.storage.failures import DatabaseUnavailable, suspect_damage

router = APIRouter()

#: The worker's loop that counts events; how many of its passes are waited for, and how long for each.
_COUNTING = "deliver"
_PASSES, _WITHIN_SECONDS = 3, 0.5
_SEND_IT = "Send the token of METRICS_TOKEN as Authorization: Bearer TOKEN."
_ELSEWHERE = "Without METRICS_TOKEN, figures are given to private addresses alone. Set one, and send it."


@router.get("/metrics", include_in_schema=False)
async def get_metrics(request: Request, context: Service) -> Response:
    """All figures, as they are now; with the database away those of this node, and an alert on the others."""
    _check(request, context)
    snapshot = None
    try:
        await _until_counted(context)
        snapshot = await context.database.look(lambda c: _snapshot(c, context))
    except DatabaseUnavailable as error:
        suspect_damage(context.node.pulse, error)
    return Response(exposition(snapshot, _of_this_node(context.node)), media_type=CONTENT_TYPE_LATEST)


async def _until_counted(context: Context) -> None:
    """Wait a moment for what was committed before: events are counted once a second, or now for us.

    Where nobody counts, or there is too much of it, the figures are those of a moment ago.
    """
    pulse = context.node.pulse
    if _COUNTING not in pulse.passed_at or _COUNTING in pulse.failing:
        return
    newest = await context.database.look(work.last_waiting)
    for _ in range(_PASSES):
        if newest is None or not await context.database.look(partial(work.waits_up_to, delivery=newest)):
            return
        if not await pulse.comes_round(_COUNTING, _WITHIN_SECONDS):
            return


def _check(request: Request, context: Context) -> None:
    """Raises unless the asker has the token or, where none is set, asks directly from a private address."""
    if context.metrics_token is not None:
        given = bearer(request.headers.get("authorization")) or ""
        if not secrets.compare_digest(given.encode(), context.metrics_token.encode()):
            raise NotSignedIn(_SEND_IT)
        return
    # Through a proxy everybody comes from its private address: there only the token tells who asks.
    if any(name in request.headers for name in ("x-forwarded-for", "forwarded", "x-real-ip")):
        raise NotSignedIn(_SEND_IT)
    try:
        address = ip_address(request.client.host if request.client else "")
    except ValueError:
        raise MayNot(_ELSEWHERE) from None
    if not (address.is_loopback or address.is_private):
        raise MayNot(_ELSEWHERE)


def _of_this_node(node: Node) -> dict[str, float]:
    """What the database does not know."""
    gauges = {}
    disk = node.disk()
    if disk is not None and disk.total:
        gauges["disk_free_ratio"] = disk.free / disk.total
        gauges["disk_free_bytes"] = disk.free
    oldest = node.pulse.oldest()
    if oldest is not None:
        gauges["loop_age_seconds"] = max(0.0, (node.clock.real() - oldest[1]).total_seconds())
    return gauges


def _snapshot(connection: Connection, context: Context) -> Snapshot:
    now = context.database.clock.now()
    try:
        service = service_for(connection, context.desk.zone, now)
    except NoService:
        return read_snapshot(connection, now, {})
    return read_snapshot(connection, now, _cover(service, now))


def _cover(service: ServiceAsLoaded, now: datetime) -> dict[str, float]:
    """Who could be sent now, and whether anybody need be: outside opening hours no clock starts."""
    definition, on_duty = service.definition, service.on_duty(now)
    return {
        "responders_on_duty": sum(1 for r in definition.responders if r.skills and r.id in on_duty),
        "coverage_open": float(is_open(definition.sla, definition.zone, now)),
    }
