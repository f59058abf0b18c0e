"""The registry's database: a SQLite file for one machine, PostgreSQL for several.

Its tables are made and brought up to date here.
"""

import os
import sqlite3
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from server.errors import RegistryError

__all__ = ["Database"]

BUSY = 30_000
"""Milliseconds that a writer waits for another one's transaction (SQLite)."""
PASSWORDS = ("password", "sslpassword")
"""Where PostgreSQL's URLs may hold one, too."""
PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""Otherwise PostgreSQL's client waits for a server that is cut off until the system gives up, for hours. A URL may say
something else."""
READING = "driftline_reading"
MIGRATING = 6_470_017
"""The advisory lock under which PostgreSQL is migrated, by one at a time."""


class Database:
    """One registry.

    Args:
        url: ``sqlite:///registry.db``, ``postgresql://user@host/name``, or the path of a SQLite file.
        pool_size: connections that are held open at most (PostgreSQL).

    Raises:
        RegistryError: the URL means no database that can be served. Every method raises it when the database cannot be
            reached; the text never holds a password.
    """

    def __init__(self, url: str, *, pool_size: int = 5) -> None:
        self.engine = _engine(url, pool_size)
        shown = self.engine.url.difference_update_query(PASSWORDS)
        self.name = shown.render_as_string(hide_password=True)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    def __repr__(self) -> str:
        return f"Database({self.name!r})"

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file on this machine."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def session(self) -> Generator[Session]:
        """A transaction: committed at the end, rolled back by an exception. SQLite has one at a time; others wait."""
        with self._said(), self._sessions.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Generator[Session]:
        """A transaction that changes nothing, and so waits for no writer."""
        with self._said(), self._sessions() as session:
            session.connection(execution_options={READING: True})
            yield session

    @contextmanager
    def begin(self, *, reading: bool = False) -> Generator[Connection]:
        """A transaction without the objects of a session: for statements over many rows."""
        engine = self.engine.execution_options(**{READING: reading})
        with self._said(), engine.begin() as connection:
            yield connection

    def upgrade(self) -> None:
        """Make the tables, or bring them to this version's shape; those of a newer driftline are refused."""
        with self._said(), self.engine.begin() as connection, as_file(files("server") / "migrations") as folder:
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATING})
            _refuse_newer(connection, folder, self.name)
            command.upgrade(_config(folder, connection), "head")

    def check(self) -> tuple[str | None, str]:
        """The revision of its tables (None: there are none yet) and the newest one that is known; it can be written."""
        with self._said(), self.engine.begin() as connection, as_file(files("server") / "migrations") as folder:
            _refuse_newer(connection, folder, self.name)
            current = MigrationContext.configure(connection).get_current_revision()
            if current is not None:
                connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
            return current, ScriptDirectory(str(folder)).get_current_head() or ""

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def _said(self) -> Generator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise RegistryError(f"the registry {self.name}: {_first_line(error)}") from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RegistryError(f"the registry's folder {folder} cannot be made: {error.strerror}") from error


def _engine(url: str, pool_size: int) -> Engine:
    try:
        parsed = make_url(url if "://" in url else f"sqlite:///{Path(url).expanduser().absolute()}")
    except (ArgumentError, ValueError):  # a port that is none, and may be a password
        raise RegistryError("the registry's URL is not one: such as sqlite:///registry.db") from None
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise RegistryError("the registry needs a file: it is read by several processes")
        _make_folder(Path(parsed.database).parent)
        engine = create_engine(parsed, connect_args={"timeout": BUSY / 1000})
        event.listen(engine, "do_connect", _make_private)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if kind == "postgresql":
        patience = {name: seconds for name, seconds in PATIENCE.items() if name not in parsed.query}
        parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(parsed, pool_size=pool_size, pool_pre_ping=True, pool_recycle=1800, connect_args=patience)
    raise RegistryError(f"the registry cannot be kept in {kind}: give a SQLite file or a PostgreSQL URL")


def _make_private(_dialect: Any, _record: Any, arguments: Sequence[Any], _options: Any) -> None:
    """A file that is new is its owner's alone: it holds secrets, though sealed, and digests of keys."""
    with suppress(FileExistsError):
        os.close(os.open(arguments[0], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says, not where the driver guesses
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY}")
    _write_ahead(cursor)
    for pragma in ("synchronous = NORMAL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    # SQLite does not wait for others that open the same new file at the same moment: it says at once that it is locked.
    until = time.monotonic() + BUSY / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # The write lock first: a reader that becomes a writer may find that it came too late.
    reads = connection.get_execution_options().get(READING, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _config(folder: Path, connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    return config


def _refuse_newer(connection: Connection, folder: Path, name: str) -> None:
    known = {script.revision for script in ScriptDirectory(str(folder)).walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise RegistryError(f"the registry {name} was made by a newer driftline (revision {current}): upgrade this one")


def _first_line(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip().splitlines() or [type(error).__name__])[0]
