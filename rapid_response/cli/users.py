"""`users add|list|disable`: local accounts."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from rapid_response.cli.refusals import usage
from rapid_response.cli.tables import table
from rapid_response.core.vocabulary import Role

commands = typer.Typer(help="Local accounts.", no_args_is_help=True, rich_markup_mode=None)

_Name = Annotated[str, typer.Argument(help="The account's name, which is typed to sign in.")]


@commands.command("add")
def add(
    name: _Name,
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    password_stdin: Annotated[
        bool,
        typer.Option("--password-stdin", help="Read the password from the first line of standard input."),
    ] = False,
    responder: Annotated[
        str | None, typer.Option(help="The responder's id, where it is not the account's name.")
    ] = None,
) -> None:
    """Add an account; without --password-stdin a password is made, and printed alone, once."""
    from rapid_response.access.accounts import add_user
    from rapid_response.access.passphrases import new_passphrase
    from rapid_response.access.passwords import Passwords, check_policy
    from rapid_response.cli.opening import opened
    from rapid_response.settings import read_settings

    settings = read_settings()
    given = _from_stdin() if password_stdin else None
    with opened(settings) as database:
        password = given or new_passphrase(database.ids)
        check_policy(password, name)
        hashed = Passwords().hash(password)
        account = database.run_now(lambda tx: add_user(tx, name, role, hashed, responder_id=responder))
    print(f"Added {account.name} ({account.role.value}).", file=sys.stderr)
    if given is None:
        print(password)


@commands.command("list")
def list_() -> None:
    """All accounts by name, disabled ones too."""
    from rapid_response.access.accounts import list_users
    from rapid_response.cli.opening import opened
    from rapid_response.settings import read_settings

    settings = read_settings()
    with opened(settings) as database:
        accounts, real = database.look_now(list_users), database.clock.real()
    rows = []
    for account in accounts:
        locked = account.locked_until is not None and account.locked_until > real
        state = "disabled" if account.disabled_at else "locked" if locked else "active"
        made = account.created_at.astimezone(settings.time_zone)
        rows.append(
            (account.name, account.role.value, account.responder_id or "-", state, f"{made:%d %b %Y}")
        )
    print(table(("name", "role", "responder", "state", "added"), rows))


@commands.command("disable")
def disable(name: _Name) -> None:
    """Close an account and end its sessions at once; its name is never used again."""
    from rapid_response.access.accounts import disable_user
    from rapid_response.cli.opening import opened
    from rapid_response.settings import read_settings

    with opened(read_settings()) as database:
        account = database.run_now(lambda tx: disable_user(tx, name))
    print(f"Disabled {account.name}.")


def _from_stdin() -> str:
    try:
        password = sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise usage("The password on standard input is not UTF-8 text.") from None
    if not password:
        raise usage("There is no password on standard input: write it there, on one line.")
    return password
