"""Both kinds of database have the same tables, made once however many start at once."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text

from server.database import Database
from server.errors import RegistryError
from server.tables import Base, Organization
from tests.server.conftest import NOW


def test_migrations_make_exactly_the_tables_that_the_code_knows(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, Base.metadata) == []


def test_several_that_start_at_once_make_the_tables_once(database_url):
    databases = [Database(database_url) for _ in range(4)]
    errors: list[BaseException] = []

    def upgrade(database: Database) -> None:
        try:
            database.upgrade()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=upgrade, args=(each,)) for each in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with databases[0].engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    for database in databases:
        database.close()


def test_a_newer_registry_is_refused(database):
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RegistryError, match="newer driftline"):
        database.upgrade()


def test_a_failed_transaction_leaves_nothing(database):
    def fail() -> None:
        with database.session() as session:
            session.add(Organization(name="gone", created_at=NOW))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.reading() as session:
        assert session.scalars(select(Organization)).all() == []


def test_times_come_back_as_they_were_given(database):
    with database.session() as session:
        session.add(Organization(name="a", created_at=NOW))
    with database.reading() as session:
        assert session.scalar(select(Organization.created_at)) == NOW


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://a/b", "SQLite file or a PostgreSQL URL"),
        ("sqlite://", "needs a file"),
        ("postgresql://:secret@@@", "registry"),
    ],
)
def test_what_is_no_registry_is_said_and_no_password_is(url, why):
    with pytest.raises(RegistryError, match=why) as found:
        Database(url).upgrade()
    assert "secret" not in str(found.value)


def test_nobody_waits_for_long_for_a_database_that_does_not_answer():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(RegistryError, match="timeout"):  # of 10 seconds, but that the URL says something else
            Database(f"postgresql://ada@127.0.0.1:{silent.getsockname()[1]}/none?connect_timeout=2").upgrade()
        assert time.monotonic() - began < 8


def test_a_database_that_cannot_be_reached_is_said_without_its_password():
    with pytest.raises(RegistryError) as found:
        Database("postgresql://ada:secret@127.0.0.1:9/none").upgrade()
    assert "127.0.0.1" in str(found.value)
    assert "secret" not in str(found.value)
