"""`keys add|list|revoke`: API keys of partners' systems."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from rapid_response.cli.tables import table
from rapid_response.core.vocabulary import Scope

commands = typer.Typer(help="API keys.", no_args_is_help=True, rich_markup_mode=None)

_Name = Annotated[str, typer.Argument(help="Whose key it is, such as “Anytown Police”.")]


@commands.command("add")
def add(
    name: _Name,
    scope: Annotated[
        list[Scope] | None,
        typer.Option(help="What the key may do; several times for several. [default: report]"),
    ] = None,
) -> None:
    """Make a key; its secret alone is printed on standard output, once."""
    from rapid_response.access.keys import create_key
    from rapid_response.cli.opening import opened
    from rapid_response.settings import read_settings

    with opened(read_settings()) as database:
        key = database.run_now(lambda tx: create_key(tx, name, scope or ()))
    scopes = ", ".join(s.value for s in Scope if s in key.scopes)
    print(f"Made the key {key.name} ({scopes}); keep its secret, it is not shown again.", file=sys.stderr)
    print(key.secret)


@commands.command("list")
def list_() -> None:
    """All keys by name, revoked ones too."""
    from rapid_response.access.keys import list_keys
    from rapid_response.cli.opening import opened
    from rapid_response.settings import read_settings

    settings = read_settings()
    with opened(settings) as database:
        found = database.look_now(list_keys)
    rows = []
    for key in found:
        scopes = ",".join(s.value for s in Scope if s in key.scopes)
        used = f"{key.used_at.astimezone(settings.time_zone):%d %b %Y %H:%M}" if key.used_at else "never"
        rows.append((key.name, scopes, "revoked" if key.revoked_at else "active", used))
    print(table(("name", "scopes", "state", "last used"), rows))


@commands.command("revoke")
def revoke(name: _Name) -> None:
    """End a key, on every node within seconds."""
    from rapid_response.access.keys import revoke_key
    from rapid_response.cli.opening import opened
    from rapid_response.settings import read_settings

    with opened(read_settings()) as database:
        database.run_now(lambda tx: revoke_key(tx, name))
    print(f"Revoked {name}.")
