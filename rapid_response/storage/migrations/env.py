"""How Alembic runs a revision or drafts one.

The product hands over an open connection (`rapid_response.storage.migrate`). The `alembic` program, as called
by `make migration`, has none: it then compares the models with a scratch database at the newest revision.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from rapid_response.core import failpoints


def _applied(*_: object, **__: object) -> None:
    failpoints.reach(failpoints.MIGRATE_STEP)


given: Connection | None = context.config.attributes.get("connection")

if given is not None:
    context.configure(given, on_version_apply=_applied)
    with context.begin_transaction():
        context.run_migrations()
else:
    from rapid_response.storage.migrations import draft

    with draft.scratch() as scratch:
        context.configure(
            scratch,
            target_metadata=draft.models(),
            render_as_batch=draft.last() > 0,  # SQLite changes a table by making it anew
            render_item=draft.plain_type,
            process_revision_directives=draft.number,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
