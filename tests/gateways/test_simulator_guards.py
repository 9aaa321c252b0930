"""X2: with the simulator no real phone can be reached: no credentials, no adapter, no connection outside."""

from __future__ import annotations

import ipaddress
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NOON
from tests.databases import TestDatabases
from tests.harness import ASHA, Town

ROOT = Path(__file__).parents[2]


async def test_x2_a_whole_story_opens_no_connection_to_another_machine(
    databases: TestDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[Any] = []

    def guarded(real: Any) -> Any:
        def connect(self: socket.socket, address: Any) -> Any:
            connected.append(address)
            inside = self.family == socket.AF_UNIX or ipaddress.ip_address(address[0]).is_loopback
            assert inside, f"a connection to {address}"
            return real(self, address)

        return connect

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))

    def no_names(*_: Any, **__: Any) -> Any:
        raise AssertionError("a name was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", no_names)
    async with Town(databases.fresh("sqlite"), NOON) as town:
        case = await town.takes(
            {"channel": "phone", "narrative": "cash", "answers": {"payment_pending": True}}
        )
        assert "is yours" in await case.hears(ASHA, "OK {n}")
        await town.rings_hotline("+447700900456", "a man at my door")
        await town.pass_time(minutes=16)
        await case.hears(ASHA, "HERE {n}")
        assert await case.status() == "on_scene"
    assert connected == []


@pytest.mark.long
def test_x2_no_adapter_that_can_reach_a_network_is_even_loaded(tmp_path: Path) -> None:
    script = """
import sys
from rapid_response.app import build
from rapid_response.settings import Settings
app = build(Settings(), works=False)
assert type(app.gateway).__name__ == "SimulatorGateway"
loaded = [name for name in sys.modules if name.startswith(("twilio.rest", "rapid_response.messaging.twilio"))]
assert loaded == [], loaded
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
