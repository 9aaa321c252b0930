"""Copies of the SQLite file: made while it is served, checked before they are believed, put back with care.

A copy is one file and, beside it, a manifest that says what it is: its digest, its schema, what it holds. No
word of a case stands in the manifest. Copying the file by hand instead would miss what stands in the
write-ahead log, and could catch it half-written (reliability.md 2).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL

from rapid_response.core import failpoints
from rapid_response.core.clock import Clock
from rapid_response.core.ids import Ids, SystemIds
from rapid_response.storage import log, schema
from rapid_response.storage.checking import damage
from rapid_response.storage.database import Database
from rapid_response.storage.failures import DatabaseUnavailable
from rapid_response.storage.migrate import migrate
from rapid_response.storage.tx import Tx

FORMAT = 1
_BLOCK = 1024 * 1024
#: What SQLite keeps beside a file while it is open.
_BESIDE = ("-wal", "-shm", "-journal")


class CopyProblem(Exception):
    """A copy could not be made or is not fit to be put back; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a copy is. `made_at` is real time; the log's head tells whether a later log follows from it."""

    format: int
    made_at: str
    release: str
    schema: str
    bytes: int
    sha256: str
    sqlite: str
    incidents: int
    open_incidents: int
    reports: int
    events: int
    seal: int
    seal_root: str | None

    @property
    def moment(self) -> datetime:
        """When it was made."""
        return datetime.fromisoformat(self.made_at)


def manifest_of(copy: Path) -> Path:
    """Where the manifest of a copy is."""
    return copy.with_name(f"{copy.name}.manifest.json")


# --- making -----------------------------------------------------------------------------------------------


def make(source: Path, copy: Path, *, release: str, made_at: datetime) -> Manifest:
    """Copy a database that may be served meanwhile; nothing has the copy's name before it was checked.

    Raises :class:`CopyProblem`.
    """
    for path in (copy, manifest_of(copy)):
        if path.exists():
            raise CopyProblem(f"There is a file {path} already: name a new one, lest a good copy be lost.")
    _need_room(copy.parent, source.stat().st_size)
    draft = copy.with_name(f"{copy.name}.{os.getpid()}.part")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _copy(source, draft)
        failpoints.reach(failpoints.BACKUP_COPIED)
        manifest = _describe(draft, release, made_at)
        draft.replace(copy)
        failpoints.reach(failpoints.BACKUP_NAMED)
        _write(manifest_of(copy), json.dumps(asdict(manifest), indent=2) + "\n")
        _sync(copy.parent)
    except OSError as error:
        _remove(copy)
        raise CopyProblem(
            f"{copy} could not be written ({error.strerror}): check the folder and its room."
        ) from error
    finally:
        _remove(draft)
    return manifest


def _need_room(folder: Path, needed: int) -> None:
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise CopyProblem(f"There is no folder {folder}: make it first.") from error
    if free < needed + _BLOCK:
        raise CopyProblem(
            f"The copy needs {needed // _BLOCK + 1:,} MB, and {folder} has {free // _BLOCK:,} MB free: "
            "make room."
        )


def _copy(source: Path, draft: Path) -> None:
    """In one go, by SQLite itself: what is committed by now, and nothing else."""
    try:
        with closing(_open(source, "ro")) as live, closing(sqlite3.connect(draft)) as copy:
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
    except sqlite3.Error as error:
        raise CopyProblem(
            f"{source} could not be read ({error}): it may be damaged, see “Database damaged” in the runbook."
        ) from error


def _describe(draft: Path, release: str, made_at: datetime) -> Manifest:
    """Checks the copy, and says what it is."""

    def read(connection: Any) -> dict[str, Any]:
        def one(query: str) -> Any:
            return connection.exec_driver_sql(query).scalar()

        if (fault := damage(connection)) is not None:
            raise CopyProblem(
                f"The copy is damaged, so the database is ({fault}): see “Database damaged” in the runbook."
            )
        return {
            "schema": schema.current(connection) or "none",
            "incidents": one("SELECT count(*) FROM incidents"),
            "open_incidents": one("SELECT count(*) FROM incidents WHERE is_open"),
            "reports": one("SELECT count(*) FROM reports"),
            "events": one("SELECT count(*) FROM events"),
            "seal": one("SELECT max(number) FROM seals") or 0,
            "seal_root": one("SELECT root FROM seals ORDER BY number DESC LIMIT 1"),
        }

    with _alone(draft) as database:
        held = database.look_now(read)
    _back_to_one_file(draft)
    return Manifest(
        format=FORMAT,
        made_at=made_at.isoformat(),
        release=release,
        bytes=draft.stat().st_size,
        sha256=digest(draft),
        sqlite=sqlite3.sqlite_version,
        **held,
    )


# --- putting back -----------------------------------------------------------------------------------------


def check(copy: Path) -> Manifest:
    """What a copy is, once it is known to be whole. Raises :class:`CopyProblem`."""
    if not copy.is_file():
        raise CopyProblem(f"There is no file {copy}.")
    manifest = _read_manifest(copy)
    if digest(copy) != manifest.sha256:
        raise CopyProblem(
            f"{copy} is not the file that was copied: its digest is not its manifest's. Take another copy."
        )
    if manifest.schema not in schema.known():
        raise CopyProblem(
            f"{copy} is at schema {manifest.schema}, which this release does not know: "
            f"restore it with release {manifest.release}."
        )
    return manifest


def _read_manifest(copy: Path) -> Manifest:
    path = manifest_of(copy)
    try:
        manifest = Manifest(**json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        raise CopyProblem(f"{path} is missing, without which nobody knows whether {copy} is whole.") from None
    except (OSError, ValueError, TypeError):
        raise CopyProblem(f"{path} is no manifest of a copy that this release can read.") from None
    if manifest.format != FORMAT:
        raise CopyProblem(
            f"{path} is of format {manifest.format}: restore it with release {manifest.release}."
        )
    return manifest


def put_back(
    copy: Path,
    target: Path,
    *,
    clock: Clock,
    ids: Ids,
    first_step: Callable[[Tx], None],
    despite_log: bool = False,
) -> Path | None:
    """Put a checked copy in the place of a database that nobody serves; returns where the old one is kept.

    `first_step` is done in the copy before it gets the name: no process ever meets it without. Raises
    :class:`CopyProblem`. There is never a moment without a database in that place: it is the old one, whole,
    until it is the copy; whenever this is broken off, it can be done again.
    """
    _clear_away(target)
    _need_room(target.parent, copy.stat().st_size)
    draft = target.with_name(f"{target.name}.{os.getpid()}.restoring")
    try:
        shutil.copyfile(copy, draft)
        draft.chmod(0o600)
        _prepare(draft, clock, ids, first_step, despite_log)
        failpoints.reach(failpoints.RESTORE_READY)
        aside = _keep(target, clock.real())
        failpoints.reach(failpoints.RESTORE_KEPT)
        draft.replace(target)
        _sync(target.parent)
    except OSError as error:
        raise CopyProblem(
            f"{target} could not be written ({error.strerror}): check the folder and its room."
        ) from error
    finally:
        _remove(draft)
    return aside


def _prepare(
    draft: Path, clock: Clock, ids: Ids, first_step: Callable[[Tx], None], despite_log: bool
) -> None:
    with _alone(draft, clock, ids) as database:
        if (fault := database.look_now(damage)) is not None:
            raise CopyProblem(f"The copy is damaged ({fault}): take another one.")
        migrate(database)
        broken = database.look_now(log.verify).broken
        if broken is not None and not despite_log:
            raise CopyProblem(
                f"The copy's log does not hold (first broken link: {broken}). Take another copy or, if there "
                "is none, add --despite-log and tell the data protection officer."
            )
        database.run_now(first_step)
    _back_to_one_file(draft)


def _clear_away(target: Path) -> None:
    """What a restore left that was broken off; nobody else restores here, nor serves."""
    for draft in target.parent.glob(f"{target.name}.*.restoring"):
        _remove(draft)
    for kept in target.parent.glob(f"{target.name}.before-restore-*"):
        if target.exists() and kept.samefile(target):
            kept.unlink()


def _keep(target: Path, now: datetime) -> Path | None:
    """Keep the old database, whatever state it is in, under a name of its own."""
    if not target.exists() or not target.stat().st_size:
        return None
    # To the microsecond: of two restores in one second neither may write over what the other kept.
    kept = target.with_name(f"{target.name}.before-restore-{now:%Y%m%dT%H%M%S%fZ}")
    _fold(target)
    for ending in _BESIDE:
        # Only beside one that SQLite cannot read any more; it belongs to no other file.
        beside = Path(f"{target}{ending}")
        if beside.exists():
            beside.rename(f"{kept}{ending}")
    try:
        kept.hardlink_to(target)
    except FileExistsError:
        raise
    except OSError:
        # Not every file system knows a second name.
        shutil.copyfile(target, kept)
        kept.chmod(0o600)
    return kept


def _fold(target: Path) -> None:
    """All that a database holds into its one file, if SQLite can still read it."""
    try:
        with closing(sqlite3.connect(target, timeout=1)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise CopyProblem(
                f"Another program has {target} open: let it come to its end, and restore again."
            ) from error


# --- files ------------------------------------------------------------------------------------------------


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    summed = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            summed.update(block)
    return summed.hexdigest()


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode={mode}", uri=True, timeout=30)


class _NoClock:
    """For what is only looked at."""

    def now(self) -> datetime:
        raise DatabaseUnavailable("nothing is written to a copy")

    real = now


@contextmanager
def _alone(path: Path, clock: Clock | None = None, ids: Ids | None = None) -> Iterator[Database]:
    """A file that nobody else knows yet, as a database."""
    url = URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)
    database = Database(url, clock=clock or _NoClock(), ids=ids or SystemIds())
    try:
        yield database
    finally:
        database.close_now()


def _back_to_one_file(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make the folder's entries durable, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(draft: Path) -> None:
    for ending in ("", *_BESIDE, ".write-lock"):
        with suppress(FileNotFoundError):
            Path(f"{draft}{ending}").unlink()
