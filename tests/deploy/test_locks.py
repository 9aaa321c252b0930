"""What is installed is pinned and hashed, and nothing kept here names a machine it was made on."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN = ROOT / "requirements.lock"
DEV = ROOT / "requirements-dev.lock"
PIN = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)", re.MULTILINE)

each_lock = pytest.mark.parametrize("lock", [RUN, DEV], ids=["run", "dev"])


def pins(lock: Path) -> set[tuple[str, str]]:
    return set(PIN.findall(lock.read_text()))


def normalised(requirement: str) -> str:
    name = re.match(r"[\w.-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name.group()).lower()


@each_lock
def test_every_line_is_a_pin_or_its_hash(lock: Path) -> None:
    for line in lock.read_text().splitlines():
        assert re.fullmatch(r"[a-z0-9-]+==\S+( ; .+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line), line


@each_lock
def test_a_lock_names_no_address(lock: Path) -> None:
    assert not re.search(r"https?:|file:|://|find-links|index-url|trusted-host", lock.read_text())


def test_both_locks_agree() -> None:
    assert pins(RUN) <= pins(DEV)


def test_locks_hold_what_is_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {normalised(each) for each in project["dependencies"]} <= {name for name, _ in pins(RUN)}
    assert {normalised(each) for each in project["optional-dependencies"]["dev"]} <= {
        name for name, _ in pins(DEV)
    }


def test_what_builds_the_package_is_pinned() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]
    assert all("==" in requirement for requirement in build["requires"])


def kept_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_folder_of_the_machine_it_was_written_on() -> None:
    somebodys_folder = re.compile(r"(?<![\w./}$-])/(?:home|root|Users|work|workspace)/[\w.]")
    found: list[str] = []
    for path in kept_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture, say
        found += [
            f"{path.relative_to(ROOT)}: {line.strip()[:80]}"
            for line in text.splitlines()
            if somebodys_folder.search(line)
        ]
    assert found == []
