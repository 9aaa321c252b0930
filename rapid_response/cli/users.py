"""`users add|list|disable|enable|password|role`: local accounts."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from rapid_response.cli.refusals import usage
from rapid_response.cli.tables import table
from rapid_response.core.vocabulary import Role

if TYPE_CHECKING:
    from rapid_response.access.accounts import Account
    from rapid_response.storage.tx import Tx

commands = typer.Typer(help="Local accounts.", no_args_is_help=True, rich_markup_mode=None)

_Name = Annotated[str, typer.Argument(help="The account's name, which is typed to sign in.")]
_Role = Annotated[Role, typer.Option(help="What the person may do.")]
_FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
]
_Responder = Annotated[
    str | None, typer.Option(help="The responder's id, where it is not the account's name.")
]


@commands.command("add")
def add(name: _Name, role: _Role, password_stdin: _FromStdin = False, responder: _Responder = None) -> None:
    """Add an account; without --password-stdin a password is made, and printed alone, once."""
    from rapid_response.access.accounts import add_user

    account = _with_password(
        name, password_stdin, lambda tx, hashed: add_user(tx, name, role, hashed, responder_id=responder)
    )
    print(f"Added {account.name} ({account.role.value}).", file=sys.stderr)
    _say_unlinked(account)


@commands.command("password")
def password(name: _Name, password_stdin: _FromStdin = False) -> None:
    """Give an account a new password, made and printed as by add; lifts its lock, ends its sessions."""
    from rapid_response.access.accounts import set_password

    account = _with_password(name, password_stdin, lambda tx, hashed: set_password(tx, name, hashed))
    print(f"{account.name} has a new password.", file=sys.stderr)


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
    """Close an account and end its sessions at once; its name is never given to anybody else."""
    from rapid_response.access.accounts import disable_user

    print(f"Disabled {_changed(lambda tx: disable_user(tx, name)).name}.")


@commands.command("enable")
def enable(name: _Name) -> None:
    """Open a disabled account again, with the password it had."""
    from rapid_response.access.accounts import enable_user

    print(f"Enabled {_changed(lambda tx: enable_user(tx, name)).name}.")


@commands.command("role")
def role(name: _Name, role: _Role, responder: _Responder = None) -> None:
    """Give an account another role, and end its sessions."""
    from rapid_response.access.accounts import set_role

    account = _changed(lambda tx: set_role(tx, name, role, responder_id=responder))
    print(f"{account.name} has the role {account.role.value}.")
    _say_unlinked(account)


def _say_unlinked(account: Account) -> None:
    """An account that is nobody's in the service definition sees no job, and nobody would know why."""
    if account.role is Role.RESPONDER and account.responder_id is None:
        print(
            "It belongs to no responder, so it sees no job: say whose it is with `rapid-response users role "
            f"{shlex.quote(account.name)} --role responder --responder ID`.",
            file=sys.stderr,
        )


def _changed(change: Callable[[Tx], Account]) -> Account:
    from rapid_response.cli.opening import opened
    from rapid_response.settings import read_settings

    with opened(read_settings()) as database:
        return database.run_now(change)


def _with_password(name: str, from_stdin: bool, change: Callable[[Tx, str], Account]) -> Account:
    """Change an account with the hash of a password: the one given, or one that is made, and then printed."""
    from rapid_response.access.passphrases import new_passphrase
    from rapid_response.access.passwords import Passwords, check_policy
    from rapid_response.cli.opening import opened
    from rapid_response.settings import read_settings

    settings = read_settings()
    given = _from_stdin() if from_stdin else None
    with opened(settings) as database:
        chosen = given or new_passphrase(database.ids)
        check_policy(chosen, name)
        hashed = Passwords().hash(chosen)
        account = database.run_now(lambda tx: change(tx, hashed))
    if given is None:
        print(chosen)
    return account


def _from_stdin() -> str:
    try:
        password = sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise usage("The password on standard input is not UTF-8 text.") from None
    if not password:
        raise usage("There is no password on standard input: write it there, on one line.")
    return password
