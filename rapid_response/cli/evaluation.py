"""What `make run` needs beyond `serve`: a migrated database, the sample service and somebody to sign in as.

Passwords are kept as hashes, so those that were made are written to a file that only this user can read,
beside the database, and a second start can print them again.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlmodel import col

import rapid_response
from rapid_response.access.accounts import add_user, list_users
from rapid_response.access.keys import create_key, list_keys
from rapid_response.access.passphrases import new_passphrase
from rapid_response.access.passwords import Passwords
from rapid_response.cli.refusals import usage
from rapid_response.cli.tables import table
from rapid_response.core.vocabulary import Role, Scope
from rapid_response.definition import read
from rapid_response.steps import load_service
from rapid_response.storage.migrate import migrate
from rapid_response.storage.tables import ResponderRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from rapid_response.settings import Settings
    from rapid_response.storage.database import Database
    from rapid_response.storage.tx import Tx

_SAMPLE = "bromley.yaml"
_KEY = "evaluation"
#: At most so many responders get a sign-in: whoever is offered a job in an evaluation must be able to see it.
_MOST_RESPONDERS = 12


@dataclass(frozen=True, slots=True)
class Account:
    """A sign-in that was made."""

    name: str
    role: str
    password: str
    responder: str | None = None


@dataclass(frozen=True, slots=True)
class SignIns:
    """All that was made, as it is kept."""

    accounts: tuple[Account, ...]
    api_key: str | None


def prepare(database: Database, settings: Settings, passwords: Passwords | None = None) -> str:
    """Make the database ready to be tried out; returns what to print, with `{base_url}` still in it."""
    migrate(database)
    if database.look_now(load_service.export) is None:
        service = read(sample())
        database.run_now(lambda tx: load_service.load(tx, service))
    kept = kept_in(settings)
    if not database.look_now(list_users):
        _make(database, kept, passwords or Passwords())
    return _welcome(database, kept, settings)


def sample() -> Path:
    """The sample service: in the installed package, the checkout, or beside the image's environment."""
    package = Path(rapid_response.__file__).parent
    places = (
        package / "_sample" / _SAMPLE,
        package.parent / "deploy" / _SAMPLE,
        Path(sys.prefix).parent / "deploy" / _SAMPLE,
    )
    for place in places:
        if place.is_file():
            return place
    raise usage("The sample service is not part of this installation: run `rapid-response load FILE.yaml`.")


def kept_in(settings: Settings) -> Path:
    """The file beside the database; for PostgreSQL, in the working directory."""
    beside = settings.sqlite_path or Path("rapid_response")
    return beside.with_name(f"{beside.name}.evaluation-sign-ins.json")


def _make(database: Database, kept: Path, passwords: Passwords) -> None:
    """One account a role, two responders, one key: written down first, or nobody could ever use them."""
    wanted = _wanted(database)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        hashes = list(threads.map(lambda account: passwords.hash(account.password), wanted))

    has_key = any(key.name == _KEY for key in database.look_now(list_keys))

    def step(tx: Tx) -> None:
        key = None if has_key else create_key(tx, _KEY, tuple(Scope)).secret
        for account, hashed in zip(wanted, hashes, strict=True):
            add_user(tx, account.name, Role(account.role), hashed, responder_id=account.responder)
        _write(kept, SignIns(wanted, key))

    database.run_now(step)


def _wanted(database: Database) -> tuple[Account, ...]:
    listed = database.look_now(_responders)
    responders = listed[:_MOST_RESPONDERS]
    accounts = [
        Account(role.value, role.value, new_passphrase(database.ids))
        for role in Role
        if role is not Role.RESPONDER
    ]
    accounts += [
        Account(name, Role.RESPONDER.value, new_passphrase(database.ids), name) for name in responders
    ]
    return tuple(accounts)


def _responders(connection: Connection) -> list[str]:
    return list(
        connection.execute(
            select(col(ResponderRow.id)).where(col(ResponderRow.active)).order_by(col(ResponderRow.id))
        ).scalars()
    )


def _write(kept: Path, sign_ins: SignIns) -> None:
    draft = kept.with_name(f"{kept.name}.{os.getpid()}")
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(asdict(sign_ins), file, indent=2)
    draft.replace(kept)


def _read(kept: Path) -> SignIns | None:
    try:
        found = json.loads(kept.read_text("utf-8"))
        return SignIns(tuple(Account(**account) for account in found["accounts"]), found["api_key"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _welcome(database: Database, kept: Path, settings: Settings) -> str:
    live = {account.name for account in database.look_now(list_users) if account.disabled_at is None}
    sign_ins = _read(kept)
    lines = [
        "rapid-response, for evaluation: messages go to simulated phones, none leaves this computer.",
        "",
        "  Sign in           {base_url}/sign-in",
        "  Report something  {base_url}/report",
        "  Simulated phones  {base_url}/simulator",
        "",
    ]
    if sign_ins is None:
        lines += [
            "There were accounts before this start, and their passwords are not kept here.",
            "`rapid-response users list` shows them, `rapid-response users add` makes more.",
        ]
        return "\n".join([*lines, ""])
    rows = [(a.role, a.name, a.password) for a in sign_ins.accounts if a.name in live]
    lines.append(table(("role", "name", "password"), rows))
    if sign_ins.api_key is not None:
        lines += ["", f"An API key that may do everything: {sign_ins.api_key}"]
    if settings.clock_speed > 1:
        lines += ["", f"The service's time runs {settings.clock_speed:g} times as fast as yours."]
    return "\n".join([*lines, "", f"They are kept in {kept}. Ctrl-C stops.", ""])
