"""What a store says of one run: its record and its rows, as mappings."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from engine.errors import NoResultsError
from engine.store import Store
from engine.table_rows import records

__all__ = ["opened", "run_rows"]

JSON_COLUMNS = ("details", "event", "fingerprints", "notes")


def run_rows(
    store: Store, monitor: str, time: datetime
) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]] | None:
    """The record and the rows of a monitor's run for a scheduled time; None where the store has no such run.

    Raises:
        StoreError: the store cannot be read.
    """
    end = time + timedelta(microseconds=1)
    try:
        runs = opened(store.read_runs(monitor=monitor, start=time, end=end))
    except NoResultsError:
        return None
    return (runs[0], opened(store.read_metrics(monitor=monitor, start=time, end=end))) if runs else None


def opened(table: pa.Table) -> list[dict[str, Any]]:
    """A table's rows, with what is kept as JSON text opened up."""
    rows = records(table)
    for row in rows:
        for name in JSON_COLUMNS:
            if isinstance(row.get(name), str):
                row[name] = json.loads(row[name])
    return rows
