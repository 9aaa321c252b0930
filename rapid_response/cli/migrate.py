"""`migrate`."""

from __future__ import annotations


def migrate() -> None:
    """Bring the database to the newest schema; safe twice, and from several nodes at once."""
    from rapid_response.cli.opening import raw
    from rapid_response.settings import read_settings
    from rapid_response.storage.migrate import migrate as bring_up
    from rapid_response.storage.schema import newest

    with raw(read_settings(), may_be_new=True) as database:
        before = bring_up(database)
    if before == newest():
        print(f"The database is at schema {before}, the newest: nothing to do.")
    else:
        print(f"The database is now at schema {newest()} (before: {before or 'none'}).")
