"""`doctor`: each thing that would break the promise is named."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rapid_response.cli.examining import installation
from rapid_response.core.clock import SystemClock
from rapid_response.core.states import AvailabilityKind, MessageChannel, MessageState, Purpose
from rapid_response.sla.rules import Kind
from rapid_response.storage.database import Database
from rapid_response.storage.tables import (
    AgendaRow,
    AvailabilityRow,
    ClockMarkRow,
    DeliveryRow,
    MessageRow,
    NodeRow,
)
from rapid_response.storage.tx import Tx
from tests.commands.conftest import BROMLEY, Command, Done
from tests.databases import TestDatabases
from tests.gateways.fake_twilio import ACCOUNT, NUMBER, TOKEN, FakeTwilio

Write = Callable[[Tx], None]


@pytest.fixture(autouse=True)
def nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is one where nothing listens, so that no other program on this machine answers."""
    monkeypatch.setenv("RAPID_RESPONSE_BASE_URL", "http://127.0.0.1:1")


@pytest.fixture
def serving(loaded: str, database: Database) -> Database:
    """The sample service, and a process that swept a moment ago."""
    database.run_now(lambda tx: tx.add(NodeRow, id="node", started_at=tx.real, swept_at=tx.real))
    return database


def levels(done: Done) -> dict[str, str]:
    """Each sentence, and its level."""
    assert done.err == ""
    found: dict[str, str] = {}
    for line in done.out.splitlines():
        level, sentence = line.split(": ", 1)
        found[sentence] = level
    assert set(found.values()) <= {"ok", "warn", "FAIL"}
    return found


def level_of(done: Done, words: str) -> str:
    """The level of the one sentence with those words."""
    [level] = [level for sentence, level in levels(done).items() if words in sentence]
    return level


def test_the_sample_service_could_keep_its_promise(serving: Database, command: Command) -> None:
    done = command("doctor")
    assert done.status == 0
    assert "FAIL" not in done.out
    assert level_of(done, "settings are understood") == "ok"
    assert level_of(done, "SQLite") == "ok"
    assert level_of(done, "disk") in ("ok", "warn")
    assert level_of(done, "clock agrees") == "ok"
    assert level_of(done, "on duty for every skill") == "ok"
    assert level_of(done, "duty officer is on the rota now") == "ok"
    assert level_of(done, "1 process serves") == "ok"
    assert level_of(done, "No deadline is overdue") == "ok"
    # What is made up, or simulated, is said; it becomes a failure with a real provider.
    assert level_of(done, "simulated phones") == "warn"
    assert level_of(done, "hotline") == "warn"
    assert level_of(done, "Nobody answers at http://127.0.0.1:1") == "warn"


def test_before_the_first_migration(command: Command, folder: Path) -> None:
    done = command("doctor")
    assert done.status == 1
    assert level_of(done, "run `rapid-response migrate`") == "FAIL"
    assert list(folder.iterdir()) == []


def test_an_unmigrated_database(command: Command, folder: Path) -> None:
    (folder / "rapid_response.db").touch(0o600)
    done = command("doctor")
    assert done.status == 1
    assert level_of(done, "run `rapid-response migrate`") == "FAIL"


def test_a_server_that_does_not_answer(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPID_RESPONSE_DATABASE_URL", "postgresql+psycopg://user:hush@127.0.0.1:1/town")
    done = command("doctor")
    assert done.status == 1
    assert level_of(done, "RAPID_RESPONSE_SECRET_KEY must be set") == "FAIL"
    assert level_of(done, "database does not answer") == "FAIL"
    assert "hush" not in done.out


def test_postgresql_that_may_lose_what_it_took(
    command: Command, databases: TestDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server of the tests does not wait for the disk; a live one must."""
    monkeypatch.setenv("RAPID_RESPONSE_DATABASE_URL", databases.fresh("postgresql"))
    monkeypatch.setenv("RAPID_RESPONSE_SECRET_KEY", "k" * 32)
    done = command("doctor")
    assert level_of(done, "PostgreSQL") == "ok"
    if "fsync=on" in done.out:
        assert level_of(done, "may lose what it has acknowledged") == "FAIL"
        assert done.status == 1


def test_without_a_service(migrated: str, command: Command) -> None:
    done = command("doctor")
    assert done.status == 1
    assert level_of(done, "No service definition is loaded") == "FAIL"


def test_gaps_in_the_rota(migrated: str, command: Command, folder: Path) -> None:
    """Nobody at night: hugh is gone, and ben, who is always on."""
    kept = [
        line.replace("on_call: [ben]", "on_call: [asha]")
        for line in BROMLEY.read_text().splitlines()
        if "responder: hugh" not in line and "responder: ben" not in line
    ]
    (folder / "gaps.yaml").write_text("\n".join(kept))
    assert command("load", "gaps.yaml").status == 0
    done = command("doctor")
    assert done.status == 1
    assert "FAIL: Nobody with the skill doorstep_crime is on duty from" in done.out


def test_gaps_because_people_are_away(serving: Database, command: Command) -> None:
    def off(tx: Tx) -> None:
        for responder in ("ben", "gemma"):
            tx.add(
                AvailabilityRow,
                id=responder,
                responder_id=responder,
                kind=AvailabilityKind.OFF,
                from_at=tx.now,
            )

    serving.run_now(off)
    done = command("doctor")
    assert done.status == 1
    assert "FAIL: With those away, nobody with the skill" in done.out


def _parked_deadline(tx: Tx) -> None:
    tx.add(AgendaRow, incident_id="case", kind=Kind.BREACH.value, due_at=tx.now, parked_at=tx.now, attempts=5)


def _late_deadline(tx: Tx) -> None:
    tx.add(AgendaRow, incident_id="case", kind=Kind.BREACH.value, due_at=tx.now - timedelta(minutes=2))


def _parked_delivery(tx: Tx) -> None:
    tx.add(DeliveryRow, stream="case", seq=1, subscription="figures", parked_at=tx.now)


def _unsent(tx: Tx) -> None:
    tx.add(
        MessageRow,
        id="m",
        dedupe_key="m",
        purpose=Purpose.OFFER,
        channel=MessageChannel.SMS,
        to_number="+447700900101",
        recipient="asha",
        body="",
        state=MessageState.PENDING,
        created_at=tx.now - timedelta(minutes=2),
        next_attempt_at=tx.real,
    )


def _ahead(tx: Tx) -> None:
    tx.add(ClockMarkRow, id=1, real_at=tx.real, domain_at=tx.real + timedelta(hours=3), speed=1)


def _dead(tx: Tx) -> None:
    node = tx.need(NodeRow, "node")
    node.swept_at = tx.real - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("write", "words", "level"),
    [
        (_parked_deadline, "1 deadlines are parked", "FAIL"),
        (_late_deadline, "more than a minute overdue", "FAIL"),
        (_parked_delivery, "figures are parked", "warn"),
        (_unsent, "have waited for more than a minute", "warn"),
        (_ahead, "3:00:00 ahead of real time", "warn"),
        (_dead, "No process serves", "warn"),
    ],
)
def test_work_that_waits(serving: Database, command: Command, write: Write, words: str, level: str) -> None:
    serving.run_now(write)
    done = command("doctor")
    assert level_of(done, words) == level
    assert done.status == (1 if level == "FAIL" else 0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"CLOCK_SPEED": "60"}, "60 times as fast"),
        ({"OIDC_ISSUER": "https://login.example.org"}, "RAPID_RESPONSE_OIDC_ISSUER is not heeded yet"),
        ({"EVALUATION": "1", "BASE_URL": "https://town.invalid"}, "Evaluation is on at https://town.invalid"),
    ],
)
def test_settings_worth_a_look(
    serving: Database, command: Command, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], words: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"RAPID_RESPONSE_{name}", value)
    assert level_of(command("doctor"), words) == "warn"


# ---------------------------------------------------------------- with Twilio


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTwilio]:
    """Twilio's double, in a thread of its own, and settings that lead to it."""
    made = FakeTwilio(SystemClock())
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(made.listen(), loop).result(10)
    settings = {
        "MESSAGES": "twilio",
        "BASE_URL": "https://rr.example.org",
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_FROM": NUMBER,
        "TWILIO_API_BASE_URL": made.base_url,
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"RAPID_RESPONSE_{name}", value)
    monkeypatch.setattr(installation, "_ANSWERS_WITHIN_SECONDS", 0.2)
    yield made
    asyncio.run_coroutine_threadsafe(made.stop_listening(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def test_twilio_is_asked(serving: Database, command: Command, double: FakeTwilio) -> None:
    host = double.base_url.removeprefix("http://")
    assert level_of(command("doctor"), f"{host} knows the account") == "ok"
    # What is only made up harms people once messages go out for real.
    assert level_of(command("doctor"), "hotline") == "FAIL"


def test_what_twilio_says_breaks_the_promise(serving: Database, command: Command, double: FakeTwilio) -> None:
    double.numbers[NUMBER] |= {"sms_url": "", "voice_fallback_url": ""}
    done = command("doctor")
    assert done.status == 1
    wanted = "send a webhook to https://rr.example.org/webhooks/twilio/sms"
    assert level_of(done, wanted) == "FAIL"
    assert level_of(done, "no fallback for calls") == "FAIL"


def test_credentials_that_are_wrong(
    serving: Database, command: Command, double: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPID_RESPONSE_TWILIO_AUTH_TOKEN", "hush")
    done = command("doctor")
    assert level_of(done, "does not accept the account's SID") == "FAIL"
    assert "hush" not in done.out


def test_twilio_that_is_out_of_reach(
    serving: Database, command: Command, double: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPID_RESPONSE_TWILIO_API_BASE_URL", "http://127.0.0.1:1")
    assert level_of(command("doctor"), "127.0.0.1:1 cannot be reached") == "FAIL"


def test_files_that_others_can_read(command: Command, folder: Path) -> None:
    (folder / "rapid_response.db.secret").write_text("k" * 32)
    (folder / "rapid_response.db.secret").chmod(0o644)
    assert level_of(command("doctor"), "rapid_response.db.secret") == "warn"


def test_evaluation_accounts_on_a_public_address(
    serving: Database, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Path(f"{serving.path}.evaluation-sign-ins.json")
    kept.touch(0o600)
    monkeypatch.setenv("RAPID_RESPONSE_BASE_URL", "https://town.invalid")
    done = command("doctor")
    kept.unlink()
    assert level_of(done, "There are evaluation accounts") == "warn"
