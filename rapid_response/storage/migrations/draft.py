"""Drafts revisions from the models; for developers, never at run time.

make migration m="add the ward to incidents"         a revision for what changed; read it before use
python -m rapid_response.storage.migrations.draft    0001_first.py anew: before the first release only
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from alembic import command
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Enum, MetaData, create_engine
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from rapid_response.storage.columns import UtcDateTime
from rapid_response.storage.migrate import configuration
from rapid_response.storage.schema import MIGRATIONS

#: Every module with tables. By name: storage must not import what lies above it, but the schema is one.
_MODELS = ("rapid_response.storage.tables", "rapid_response.simulator.tables")
FIRST = "0001"


def models() -> MetaData:
    """The schema as the models have it."""
    for name in _MODELS:
        import_module(name)
    return SQLModel.metadata


def plain_type(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """How a column type is written into a revision: plainly, so that later changes to ours leave it alone."""
    if kind != "type":
        return False
    if isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, AutoString | Enum):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return False


def number(_context: MigrationContext, _revision: Any, directives: list[MigrationScript]) -> None:
    """Revisions are numbered: 0001, 0002 …; nothing changed, nothing written."""
    script = directives[0]
    if script.upgrade_ops is not None and script.upgrade_ops.is_empty():
        directives[:] = []
        sys.stderr.write("The models say nothing new: no revision is needed.\n")
        return
    script.rev_id = f"{last() + 1:04}"


def last() -> int:
    """The number of the newest revision; 0 before the first."""
    return max((int(path.name[:4]) for path in (MIGRATIONS / "versions").glob("[0-9]*.py")), default=0)


@contextmanager
def scratch() -> Iterator[Connection]:
    """An SQLite database at the newest revision, gone afterwards.

    Another process migrates it: Alembic cannot run within Alembic.
    """
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/scratch.db"
        if last():
            subprocess.run([sys.executable, "-m", __name__, url], check=True)  # noqa: S603 - ourselves
        engine = create_engine(url)
        with engine.connect() as connection:
            yield connection
        engine.dispose()


def write_first() -> Path:
    """The first revision anew, from the models as they are."""
    for old in (MIGRATIONS / "versions").glob("[0-9]*.py"):
        if not old.name.startswith(FIRST):
            raise SystemExit(f"{old.name} builds on the first revision: use `make migration` instead.")
        old.unlink()
    command.revision(configuration(), "first", autogenerate=True)
    path = next((MIGRATIONS / "versions").glob(f"{FIRST}_*.py"))
    for tool in (["format", "--quiet"], ["check", "--fix", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *tool, str(path)], check=True)  # noqa: S603 - ruff
    return path


def _upgrade(url: str) -> None:
    from rapid_response.core.clock import SystemClock
    from rapid_response.core.ids import SystemIds
    from rapid_response.storage.database import Database
    from rapid_response.storage.migrate import migrate

    database = Database(url, clock=SystemClock(), ids=SystemIds())
    migrate(database)
    database.close_now()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _upgrade(sys.argv[1])
    else:
        sys.stdout.write(f"{write_first()}\n")
