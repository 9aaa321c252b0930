"""`serve`: web app, webhooks and worker in one process."""

from __future__ import annotations

import gc
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from rapid_response.cli.refusals import Refused, usage

if TYPE_CHECKING:
    from fastapi import FastAPI

    from rapid_response.assembly import Parts
    from rapid_response.settings import Settings
    from rapid_response.storage.database import Database

_GRACE_SECONDS = 10
_OUR_PORT = 8000


class _Stopped(Exception):
    """Somebody asked the process to stop."""


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = _OUR_PORT,
    evaluation: Annotated[
        bool,
        typer.Option(
            "--evaluation",
            help="Migrate, load the sample service, make a sign-in for each role and print it.",
        ),
    ] = False,
) -> None:
    """Serve the web app and webhooks, and keep the promise, until stopped."""
    gc.disable()  # what is loaded now stays for good: it is looked through once all is there
    try:
        _serve(host, port, evaluation)
    finally:
        gc.enable()


def _serve(host: str, port: int, evaluation: bool) -> None:
    from rapid_response.settings import read_settings

    settings = read_settings(**({"evaluation": True} if evaluation else {}))
    welcome = _prepare(settings)
    with _bound(host, port) as listener, _stoppable():
        settings = _at_home(settings, listener.getsockname()[1])
        _run(settings, listener, (welcome or "").replace("{base_url}", settings.base_url))


@contextmanager
def _stoppable() -> Iterator[None]:
    """End well when asked to: the server, once it has closed down, passes on the signal that it got."""

    def stop(_number: int, _frame: object) -> None:
        raise _Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with suppress(_Stopped):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _prepare(settings: Settings) -> str | None:
    """See that the database is fit to be served, or in evaluation make it so; what to print then."""
    from rapid_response.cli.opening import raw
    from rapid_response.storage.schema import check_schema

    with raw(settings, may_be_new=settings.evaluation) as database:
        settings.signing_key()
        database.claim_serving()
        _refuse_damaged(database, settings)
        if settings.evaluation:
            from rapid_response.cli import evaluation

            return evaluation.prepare(database, settings)
        check_schema(database)
    return None


def _refuse_damaged(database: Database, settings: Settings) -> None:
    """A damaged file gives wrong answers, and each day of use damages it more; what is open is saved."""
    if not database.is_sqlite:
        return
    from rapid_response.storage.checking import damage, is_waited_for
    from rapid_response.storage.failures import DatabaseDamaged

    if not is_waited_for(database.path):
        return
    try:
        found = database.look_now(damage)
    except DatabaseDamaged as error:
        found = str(error)
    if found is None:
        return
    raise Refused(
        f"The database file is damaged ({found}) and is not served. {_saved_sheet(database, settings)} "
        "Keep the file, and follow “Database damaged” in docs/runbook.md."
    )


def _saved_sheet(database: Database, settings: Settings) -> str:
    """The open incidents, as far as they can still be read."""
    from rapid_response.audit.sheet import rescue

    try:
        path = rescue(database, settings.time_zone)
    except Exception:  # whatever is broken in it
        return "The open incidents could not be read from it."
    return f"The open incidents, as far as they could be read, are in {path}: print it."


def _bound(host: str, port: int) -> socket.socket:
    """Ours from now on; whoever calls is turned away until there is somebody to answer."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise _taken(host, port, error) from None
    return listener


def _taken(host: str, port: int, error: OSError) -> Refused:
    return usage(
        f"Port {port} on {host} cannot be opened ({error.strerror}): stop the program that has it, "
        "or choose another with --port."
    )


def _at_home(settings: Settings, port: int) -> Settings:
    """Links that lead here: the default address goes with the port, one that was set stays as it is."""
    if "base_url" in settings.model_fields_set or port == _OUR_PORT:
        return settings
    return settings.model_copy(update={"base_url": f"http://127.0.0.1:{port}"})


def _run(settings: Settings, listener: socket.socket, welcome: str) -> None:
    from rapid_response import logs
    from rapid_response.assembly import assemble
    from rapid_response.cli.server import Served, Server, config

    def began() -> None:
        if welcome:
            print(welcome, flush=True)

    def refused(error: OSError) -> Refused:
        host, port = listener.getsockname()[:2]
        return _taken(host, port, error)

    logs.set_up(settings.log_format, settings.log_level)
    parts = assemble(settings)
    served = Served(parts, partial(_web, parts, settings))
    server = Server(
        config(
            served,
            proxy_headers=settings.trusted_proxies is not None,
            forwarded_allow_ips=settings.trusted_proxies or "",
            timeout_graceful_shutdown=_GRACE_SECONDS,
        ),
        began,
        refused,
    )
    try:
        server.run(sockets=[listener])
    except SystemExit:
        if served.error is not None:
            raise served.error from None
        raise Refused("The service did not start: the log above says why.") from None


def _web(parts: Parts, settings: Settings) -> FastAPI:
    """The web side, which takes half a second to load: nothing that is overdue waits for it."""
    from rapid_response.app import web

    return web(parts, settings)
