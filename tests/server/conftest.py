"""A registry on SQLite and on a real PostgreSQL, which is started here where Debian's package is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from server.database import Database
from server.registry import Registry
from tests.conftest import free_port

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Postgres:
    """A PostgreSQL server of our own, on loopback, in a temporary folder; it never runs as root."""

    def __init__(self, folder: Path, bin_: Path) -> None:
        self.folder, self.bin, self.port = folder, bin_, free_port()
        self._user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._user:
            shutil.chown(folder, "postgres")
        self._run("initdb", "-D", folder / "data", "-U", "driftline", "--auth=trust", "-E", "UTF8", "--no-sync")
        self.start()

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off"
        self._run("pg_ctl", "-D", self.folder / "data", "-o", options, "-l", self.folder / "log", "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", self.folder / "data", "-m", mode, "-w", "stop")

    def url(self, name: str) -> str:
        return f"postgresql://driftline@127.0.0.1:{self.port}/{name}"

    def _run(self, name: str, *words: str | Path) -> None:
        command = [*self._user, str(self.bin / name), *map(str, words)]
        done = subprocess.run(
            command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
        )
        assert done.returncode == 0, f"{name}: {done.stderr}"


def postgres_bin() -> Path | None:
    """Where `initdb` is: on the PATH, or where Debian puts it."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((place for place in reversed(places) if (place / "initdb").exists()), None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server of the whole test run."""
    where = postgres_bin()
    if where is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    # Not in pytest's own folder, which is closed to the user that PostgreSQL runs as.
    with tempfile.TemporaryDirectory(prefix="driftline-postgres-") as folder:
        server = Postgres(Path(folder), where)
        yield server
        server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty registry's URL, on both kinds of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'registry.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return empty_database(server, request.node.nodeid)


def empty_database(server: Postgres, test: str) -> str:
    """The URL of a database of the test's own."""
    name = f"t{abs(hash(test))}"
    maker = Database(server.url("postgres"))
    with maker.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    maker.close()
    return server.url(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A registry with its tables."""
    made = Database(database_url)
    made.upgrade()
    yield made
    made.close()


@pytest.fixture
def registry(database: Database) -> Iterator[Registry]:
    """One transaction of it."""
    with database.session() as session:
        yield Registry(session, "test:ada", NOW)
