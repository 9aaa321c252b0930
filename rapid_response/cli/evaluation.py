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

import rapid_response
from rapid_response.access.accounts import add_user, list_users
from rapid_response.access.keys import create_key, list_keys
from rapid_response.access.passphrases import new_passphrase
from rapid_response.access.passwords import Passwords
from rapid_response.cli.refusals import usage
from rapid_response.cli.tables import table
from rapid_response.core.vocabulary import ContactRole, Role, Scope
from rapid_response.definition import read
from rapid_response.steps import load_service
from rapid_response.steps.service import stored_definition
from rapid_response.storage.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from rapid_response.core.definition import Responder
    from rapid_response.settings import Settings
    from rapid_response.storage.database import Database
    from rapid_response.storage.tx import Tx

_SAMPLE = "bromley.yaml"
_KEY = "evaluation"
#: At most so many people get a sign-in: whoever is offered a job in an evaluation must be able to see it.
_MOST_PEOPLE = 12
#: What somebody signs in as who holds a role on the rota, the highest first.
_ROLES: Mapping[ContactRole, Role] = {
    ContactRole.HEAD_OF_SERVICE: Role.HEAD_OF_SERVICE,
    ContactRole.TEAM_LEADER: Role.TEAM_LEADER,
    ContactRole.DUTY_OFFICER: Role.DUTY_OFFICER,
    ContactRole.HATE_CRIME_LEAD: Role.HATE_CRIME_LEAD,
    ContactRole.DESK: Role.HANDLER,
}


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
        _make(database, settings, kept, passwords or Passwords())
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


def _make(database: Database, settings: Settings, kept: Path, passwords: Passwords) -> None:
    """One account a role and one for each person, one key: written down first, or nobody could use them."""
    wanted = _wanted(database, settings.time_zone)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        hashes = list(threads.map(lambda account: passwords.hash(account.password), wanted))

    has_key = any(key.name == _KEY for key in database.look_now(list_keys))

    def step(tx: Tx) -> None:
        key = None if has_key else create_key(tx, _KEY, tuple(Scope)).secret
        for account, hashed in zip(wanted, hashes, strict=True):
            add_user(tx, account.name, Role(account.role), hashed, responder_id=account.responder)
        _write(kept, SignIns(wanted, key))

    database.run_now(step)


def _wanted(database: Database, zone: ZoneInfo) -> tuple[Account, ...]:
    definition = database.look_now(lambda connection: stored_definition(connection, zone))
    people = sorted(definition.responders if definition else (), key=lambda person: person.id)
    accounts = [
        Account(role.value, role.value, new_passphrase(database.ids))
        for role in Role
        if role is not Role.RESPONDER
    ]
    accounts += [
        Account(person.id, _role(person).value, new_passphrase(database.ids), person.id)
        for person in people[:_MOST_PEOPLE]
    ]
    return tuple(accounts)


def _role(person: Responder) -> Role:
    """Whoever is told by text to sign in and decide must be able to."""
    return next((role for contact, role in _ROLES.items() if contact in person.roles), Role.RESPONDER)


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
