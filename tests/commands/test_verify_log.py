"""`verify-log`."""

from sqlalchemy import text

from rapid_response.storage.database import Database
from rapid_response.storage.log import seal
from tests.commands.conftest import Command, one_sentence


def test_an_untouched_log_holds(database: Database, command: Command) -> None:
    assert command("verify-log").out == "The log holds: 0 events in 0 chains, 0 seals.\n"
    command("keys", "add", "police")
    sealed = database.run_now(seal)
    assert sealed is not None
    done = command("verify-log")
    assert done.status == 0
    assert done.out == f"The log holds: 1 event in 1 chain, 1 seal.\nLast seal: 1 {sealed[1]}\n"


def test_the_first_broken_link_is_named(database: Database, command: Command) -> None:
    for name in ("police", "bank", "charity"):
        command("keys", "add", name)
    with database.engine().begin() as connection:
        connection.execute(text("""UPDATE events SET data = '{"account":"x","change":"y"}' WHERE seq = 2"""))
    done = command("verify-log")
    assert (done.status, done.out) == (1, "")
    assert "event 2 of " in done.err
    assert done.err.count("\n") == 1


def test_a_log_cut_short_shows(database: Database, command: Command) -> None:
    for name in ("police", "bank"):
        command("keys", "add", name)
    with database.engine().begin() as connection:
        connection.execute(text("DELETE FROM events WHERE seq = 2"))
    done = command("verify-log")
    assert done.status == 1
    assert one_sentence(done.err)
