"""The tables say what they hold, in the store as in the documentation."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from docs import tables_page
from engine.results import MetricRow, Run
from engine.store import Store
from engine.tables import RUNS, SIGNAL_METRICS, TABLES, TableDefinition
from engine.version import ENGINE_VERSION
from tests.engine.store_samples import a_run

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_says_what_it_means(table: TableDefinition) -> None:
    assert [field.name for field in table.schema if not field.metadata[b"comment"].endswith((b".", b"..."))] == []
    assert {*table.key, *table.partition_by, *table.statistics} <= set(table.schema.names)


@pytest.mark.parametrize(("record", "table"), [(MetricRow, SIGNAL_METRICS), (Run, RUNS)])
def test_a_record_has_the_columns_of_its_table(record: type[MetricRow | Run], table: TableDefinition) -> None:
    assert [field.name for field in fields(record)] == table.schema.names


def test_the_store_tells_the_meaning_to_its_readers(tmp_path: Path) -> None:
    Store(tmp_path).write([a_run()], [])
    for table in (SIGNAL_METRICS, RUNS):
        delta = DeltaTable(tmp_path / table.name)
        assert delta.metadata().description == table.summary
        assert pa.schema(delta.schema().to_arrow()).equals(table.schema, check_metadata=True)


def test_the_page_on_tables_is_the_one_that_the_schemas_make() -> None:
    """If this fails, run `make docs`."""
    assert (ROOT / "docs" / "tables.md").read_text() == tables_page.page()


def test_the_engine_s_version_is_the_project_s() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == ENGINE_VERSION
