"""A connection that is lost during COMMIT: what was stored is found by its own id, and done once (G16)."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from functools import partial

import psycopg
import pytest
from psycopg.errors import lookup
from sqlalchemy import Connection, func, select, text

from rapid_response.core.clock import ManualClock
from rapid_response.core.ids import SystemIds
from rapid_response.storage import postgres
from rapid_response.storage.database import Database
from rapid_response.storage.failures import DatabaseUnavailable, InDoubt
from rapid_response.storage.jobs import looks_itself
from rapid_response.storage.migrate import migrate
from rapid_response.storage.tables import IdempotencyRow, IncidentRow, OfferRow, ReportRow, TallyRow
from rapid_response.storage.tx import Tx
from tests.builders import paid_today
from tests.conftest import NOON
from tests.harness import ASHA, Town
from tests.postgres import PrivateServer, private_server
from tests.spine.test_database import put, putting, stored

_WAIT = 20.0


@pytest.fixture(scope="module")
def server() -> Iterator[PrivateServer]:
    """A server whose settings and life are ours alone."""
    with private_server() as made:
        yield made


@pytest.fixture
def url(server: PrivateServer) -> Iterator[str]:
    handle = server.handle
    made = handle.create_database()
    database = Database(made, clock=ManualClock(NOON), ids=SystemIds())
    migrate(database)
    database.close_now()
    yield made
    handle.drop_database(made)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    made = Database(url, clock=ManualClock(NOON), ids=SystemIds())
    yield made
    made.close_now()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask again at once, lest the tests wait."""
    monkeypatch.setattr(postgres, "_ASK_AGAIN_WITHIN", timedelta(milliseconds=20))


class Killer:
    """Ends connections of one database that are in the middle of their COMMIT."""

    def __init__(self, server: PrivateServer, url: str) -> None:
        self._server = server
        self._name = url.rpartition("/")[2].partition("?")[0]
        self.killed = 0

    def one(self) -> None:
        """Wait for a COMMIT under way, and end its connection."""
        with psycopg.connect(self._server.admin_url, autocommit=True) as connection:
            give_up_at = time.monotonic() + _WAIT
            while time.monotonic() < give_up_at:
                ended = connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = %s AND query = 'COMMIT' AND state = 'active'",
                    [self._name],
                ).fetchall()
                if ended:
                    self.killed += 1
                    return
                time.sleep(0.01)

    def in_background(self) -> threading.Thread:
        thread = threading.Thread(target=self.one)
        thread.start()
        return thread


@pytest.fixture
def killer(server: PrivateServer, url: str) -> Killer:
    return Killer(server, url)


@pytest.fixture
def commits_hang_stored(server: PrivateServer, killer: Killer) -> Iterator[threading.Thread]:
    """The next COMMIT is durable and then waits, for a copy of the server that is not there, and is ended.

    A second connection's COMMIT goes through: the setting is taken back before the first one is ended.
    """

    def end_it() -> None:
        killer.one()

    server.say("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    server.say("SELECT pg_reload_conf()")
    time.sleep(0.3)

    def kill_then_mend() -> None:
        end_it()
        server.say("ALTER SYSTEM RESET synchronous_standby_names")
        server.say("SELECT pg_reload_conf()")

    thread = threading.Thread(target=kill_then_mend)
    thread.start()
    yield thread
    thread.join(_WAIT)
    server.say("ALTER SYSTEM RESET synchronous_standby_names")
    server.say("SELECT pg_reload_conf()")
    time.sleep(0.2)


def slow_commit(database: Database) -> None:
    """From now on the COMMIT of a step that puts “slow” takes long, and stores nothing if it is cut short."""

    def step(tx: Tx) -> None:
        tx.execute(
            text(
                "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN PERFORM pg_sleep(8); RETURN NULL; END $$"
            )
        )
        tx.execute(
            text(
                "CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON tallies DEFERRABLE INITIALLY DEFERRED "
                "FOR EACH ROW WHEN (NEW.name LIKE 'slow%') EXECUTE FUNCTION dawdle()"
            )
        )

    database.run_now(step)


def found(name: str, tx: Tx) -> str | None:
    return name if tx.get(TallyRow, (name, "")) is not None else None


@pytest.mark.long
def test_g16_a_commit_that_was_stored_is_found_and_not_done_again(
    database: Database, killer: Killer, commits_hang_stored: threading.Thread
) -> None:
    runs: list[int] = []

    def step(tx: Tx) -> str:
        runs.append(1)
        return put(tx, "once")

    answer = database.submit(step, stored=lambda tx: found("once", tx)).result(_WAIT)
    assert (answer, len(runs), killer.killed) == ("once", 1, 1)
    assert stored(database) == ["once"]


@pytest.mark.long
def test_g16_a_commit_that_was_not_stored_is_done_again(database: Database, killer: Killer) -> None:
    slow_commit(database)
    thread = killer.in_background()
    runs: list[str] = []

    def step(tx: Tx) -> str:
        runs.append("slow 1" if not runs else "quick")
        return put(tx, runs[-1])

    answer = database.submit(step, stored=lambda tx: found("slow 1", tx)).result(_WAIT)
    thread.join(_WAIT)
    assert (answer, killer.killed) == ("quick", 1)
    assert stored(database) == ["quick"]


@pytest.mark.long
def test_g16_a_step_without_an_id_of_its_own_is_in_doubt_and_is_not_run_again(
    database: Database, killer: Killer, commits_hang_stored: threading.Thread
) -> None:
    runs: list[int] = []

    def step(tx: Tx) -> str:
        runs.append(1)
        return put(tx, "perhaps")

    with pytest.raises(InDoubt):
        database.submit(step).result(_WAIT)
    assert runs == [1]
    assert stored(database) == ["perhaps"]  # as it happens


@pytest.mark.long
def test_g16_a_step_that_finds_itself_is_simply_run_again(
    database: Database, commits_hang_stored: threading.Thread
) -> None:
    def step(tx: Tx) -> str:
        return "known already" if found("mine", tx) else put(tx, "mine")

    assert database.submit(step, stored=looks_itself).result(_WAIT) == "known already"
    assert stored(database) == ["mine"]


@pytest.mark.parametrize("times", [1, 2])
def test_g16_a_step_that_is_cut_off_before_its_commit_is_run_once_more(
    database: Database, times: int
) -> None:
    """The server ends a connection, because its machine paused or its settings say so: nothing was stored."""
    runs: list[int] = []

    def step(tx: Tx) -> str:
        runs.append(1)
        put(tx, "mine")
        if len(runs) <= times:
            tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return "done"

    if times == 1:
        assert database.run_now(step) == "done"
    else:
        with pytest.raises(DatabaseUnavailable) as refused:
            database.run_now(step)
        assert not isinstance(refused.value, InDoubt)
    assert len(runs) == 2
    assert stored(database) == (["mine"] if times == 1 else [])


@pytest.mark.long
def test_g16_nobody_waits_for_ever_for_a_server_that_is_gone(
    server: PrivateServer, database: Database
) -> None:
    """It dies during the COMMIT and does not come back: the caller hears that nobody knows."""
    slow_commit(database)

    def die() -> None:
        time.sleep(0.5)
        server.stop()

    thread = threading.Thread(target=die)
    thread.start()
    with pytest.raises(InDoubt):
        database.submit(putting("slow 2"), stored=lambda tx: found("slow 2", tx)).result(_WAIT)
    thread.join(_WAIT)
    with pytest.raises(DatabaseUnavailable) as refused:
        database.run_now(putting("later"))
    assert not isinstance(refused.value, InDoubt)
    server.start()
    assert database.run_now(putting("later")) == "later"
    assert stored(database) == ["later"]


# --- a report ---------------------------------------------------------------------------------------------


@pytest.fixture
async def town(url: str) -> AsyncIterator[Town]:
    async with Town(url, NOON) as made:
        yield made


def count(connection: Connection, row: type) -> int:
    counted: int = connection.execute(select(func.count()).select_from(row)).scalar_one()
    return counted


@pytest.mark.long
@pytest.mark.parametrize("key", [None, "a key of the caller's"])
async def test_g16_a_report_in_doubt_is_answered_and_is_one(
    town: Town, killer: Killer, request: pytest.FixtureRequest, key: str | None
) -> None:
    """Its connection is ended once the server has stored it: 201, one incident, one offer, one text."""
    request.getfixturevalue("commits_hang_stored")
    headers = {"Idempotency-Key": key} if key else {}
    answer = await town.post("/api/v1/reports", paid_today(), headers=headers)
    assert answer.status_code == 201, answer.text
    assert killer.killed == 1
    shown = answer.json()
    assert (shown["status"], shown["rule_id"], shown["clock"]["state"]) == ("dispatching", "R11", "running")
    assert shown["advice"]
    for row in (ReportRow, IncidentRow, OfferRow):
        assert await town.app.database.look(partial(count, row=row)) == 1
    if key:
        again = await town.post("/api/v1/reports", paid_today(), headers=headers)
        assert again.content == answer.content
        assert await town.app.database.look(lambda c: count(c, IdempotencyRow)) == 1
    await town.settle()
    assert len(await town.texts(ASHA)) == 1


@pytest.mark.long
async def test_g16_an_action_in_doubt_says_that_nobody_knows(
    town: Town, request: pytest.FixtureRequest
) -> None:
    case = await town.takes(paid_today())
    request.getfixturevalue("commits_hang_stored")
    answer = await town.post(f"/api/v1/incidents/{case.reference}/actions/note", {"body": "Rang twice."})
    assert answer.status_code == 503
    assert "not known whether this was stored" in answer.json()["detail"]
    assert "+442079460001" in answer.json()["detail"]


# --- a server that restarts -------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
async def test_g16_a_restart_costs_seconds_and_nothing_that_was_acknowledged(
    town: Town, server: PrivateServer, how: signal.Signals
) -> None:
    """Gone: 503 with the number to ring, on the page too. Back: everything goes on, with nobody's help."""
    before = await town.takes(paid_today())
    server.stop(how)
    refused = await town.post("/api/v1/reports", paid_today())
    assert refused.status_code == 503
    assert refused.headers["content-type"] == "application/problem+json"
    assert "+442079460001" in refused.json()["detail"]
    page = await town.http.get("/report?now=1", headers={"accept": "text/html"})
    assert page.status_code == 503
    assert "020 7946 0001" in page.text
    ready = await town.ready()
    assert "The database cannot be reached." in ready["reasons"]
    with pytest.raises(DatabaseUnavailable):
        await town.app.worker.ringer.ring_due()
    server.start()
    assert (await town.post("/api/v1/reports", paid_today())).status_code == 201
    await town.settle()
    assert (await before.now())["status"] == "dispatching"
    assert await town.audit() == {}


def test_g16_states_of_a_server_that_cannot_now_are_unavailable(database: Database) -> None:
    """Out of room, shutting down, a copy that cannot be written, a lock never given back: 503, not 500."""
    for state in ("53100", "57P03", "25006", "58030", "55P03"):

        def step(tx: Tx, state: str = state) -> None:
            tx.execute(text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"))

        with pytest.raises(DatabaseUnavailable) as refused:
            database.run_now(step)
        # What the log is told: the driver's class, and the state by which a manual explains it.
        assert refused.value.for_log()["code"] == state
        assert refused.value.for_log()["reason"] == lookup(state).__name__
    assert stored(database) == []
    assert database.run_now(putting("goes on")) == "goes on"
