"""A registry as `driftline doctor` finds it, on both kinds of database."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from jobs.checkup import Finding, looked
from jobs.server_checkups import server_checkups
from server.settings import ServerKeys


@pytest.fixture
def settings(database_url, tmp_path) -> ServerKeys:
    return ServerKeys(database=database_url, state=str(tmp_path / "state"))


def found(settings: ServerKeys) -> dict[str, Finding]:
    return {each.name: each for each in map(looked, server_checkups(settings))}


def test_one_without_tables_is_no_trouble(settings):
    registry = found(settings)["registry"]
    assert registry.well
    assert ("is empty" if settings.database.startswith("postgresql") else "is not there yet") in registry.said


def test_one_with_tables_is_written_and_its_clock_compared(database, settings):
    findings = found(settings)
    assert [*findings] == ["registry", "clock of the registry", "definitions", "contacts", "secrets", "mail"]
    assert all(each.well for each in findings.values())
    assert findings["registry"].said.endswith("can be read and written, revision 0001")
    expected = "this machine's own" if database.is_sqlite else "the database's clock agrees within 10 s"
    assert findings["clock of the registry"].said == expected


def test_one_that_a_newer_driftline_made_is_found(database, settings):
    with database.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    findings = found(settings)
    assert not findings["registry"].well
    assert "newer driftline" in findings["registry"].said
    assert "definitions" not in findings


def test_one_that_can_only_be_read_is_found(database, settings):
    if database.is_sqlite:
        pytest.skip("root may write any file")
    name = settings.database.rpartition("/")[2]
    with database.session() as session:
        session.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    database.close()
    registry = found(settings)["registry"]
    assert "read-only transaction" in registry.said
    assert registry.exit_code == 5


def test_looking_makes_no_file(tmp_path):
    findings = found(ServerKeys(database=str(tmp_path / "none" / "registry.db"), state=str(tmp_path / "state")))
    assert findings["registry"].well
    assert not any(Path(tmp_path).iterdir())
