"""The containers: hardened alike, nothing reachable from other machines, every mounted file there."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
ONE_SHOT = {"migrate", "migrate-postgres"}

each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


@each_service
def test_a_container_can_do_little_harm(service: dict[str, Any]) -> None:
    user, _, group = service["user"].partition(":")
    assert user.isdigit()
    assert user != "0"
    assert group.isdigit()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert any(mount.startswith("/tmp") for mount in service["tmpfs"])  # noqa: S108
    assert not {"privileged", "devices", "pid", "ipc"} & set(service)
    assert service.get("network_mode") in {None, "none"}


@each_service
def test_a_container_cannot_take_the_machine(service: dict[str, Any]) -> None:
    assert service["pids_limit"] > 0
    assert service["mem_limit"]
    assert service["cpus"] > 0
    assert service["logging"]["options"]["max-size"]
    assert int(service["logging"]["options"]["max-file"]) > 0


@each_service
def test_an_image_is_a_fixed_release(service: dict[str, Any]) -> None:
    tag = service["image"].rpartition(":")[2]
    assert re.fullmatch(r"v?\d+(\.\d+)+(@sha256:[0-9a-f]{64})?", tag)


@each_service
def test_ports_are_open_to_this_machine_only(service: dict[str, Any]) -> None:
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@each_service
def test_secrets_are_files(service: dict[str, Any]) -> None:
    for name, value in service.get("environment", {}).items():
        if re.search("PASSWORD|SECRET|TOKEN|KEY", name):
            assert re.search("_FILE$", name), name
            assert value.removeprefix("/run/secrets/") in service["secrets"]
    assert all(
        COMPOSE["secrets"][name]["file"].startswith("./secrets/") for name in service.get("secrets", [])
    )
    assert "secrets/" in (ROOT / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_stays_up_and_says_when_it_cannot_serve(name: str) -> None:
    service = SERVICES[name]
    if name in ONE_SHOT:
        assert service["restart"] == "no"
        assert service["command"] == ["migrate"]
        return
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD"


def test_plain_up_starts_one_node_on_sqlite_and_nothing_else() -> None:
    assert {name for name, service in SERVICES.items() if "profiles" not in service} == {"app", "migrate"}
    on_the_file = {name for name, service in SERVICES.items() if "data:/data" in service.get("volumes", [])}
    assert on_the_file == {"app", "migrate"}
    assert SERVICES["app"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_nodes_on_postgresql_wait_for_the_newest_schema() -> None:
    for node in ("node-1", "node-2"):
        waits_for = SERVICES[node]["depends_on"]
        assert waits_for["migrate-postgres"] == {"condition": "service_completed_successfully"}
        assert waits_for["db"] == {"condition": "service_healthy"}
        assert SERVICES[node]["profiles"] == ["postgres"]


def test_only_nodes_reach_the_database() -> None:
    assert COMPOSE["networks"]["back"] == {"internal": True}
    assert SERVICES["db"]["networks"] == ["back"]
    assert "ports" not in SERVICES["db"]
    assert {name for name, service in SERVICES.items() if "back" in service.get("networks", [])} == {
        "db",
        "migrate-postgres",
        "node-1",
        "node-2",
    }


@each_service
def test_mounted_files_are_there_and_read_only(service: dict[str, Any]) -> None:
    for mount in service.get("volumes", []):
        source, _, target = mount.partition(":")
        if source.startswith("./"):
            assert (ROOT / source).exists(), source
            assert target.endswith(":ro"), mount
        else:
            assert source in COMPOSE["volumes"]


def test_the_image_is_built_from_the_lock_and_runs_as_nobody_in_particular() -> None:
    assert DOCKERFILE.count("\nFROM ") == 2
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "--require-hashes --only-binary :all: -r requirements.lock" in DOCKERFILE
    assert "pip install" not in final
    assert "\nUSER 10001:10001\n" in final
    assert "\nSTOPSIGNAL SIGTERM\n" in final
    assert "/health/ready" in final
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
