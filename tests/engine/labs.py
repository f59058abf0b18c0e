"""A lab: data written as Parquet, a monitor over it made from a few keys, and its results by name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession

from engine.monitor import Monitor
from engine.results import MetricRow
from engine.run import Evaluation, evaluate_all
from engine.store import Store

NOW = datetime(2024, 3, 10, tzinfo=UTC)
"""The scheduled time of most tests; their window is the day before."""
ROLES = {"timestamp": "at", "correlation_id": "id", "prediction": "said", "score": "score", "actual": "true"}


class Lab:
    """Evaluates monitors over data in a folder of its own."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.spark, self.folder = spark, folder

    def write(self, name: str, data: pa.Table | pd.DataFrame, **options: Any) -> Path:
        """Write a part of a dataset: ``inputs``, ``inputs/second``, ..."""
        table = data if isinstance(data, pa.Table) else pa.Table.from_pandas(data, preserve_index=False)
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path / f"part-{len(list(path.iterdir()))}.parquet", **options)
        return path

    def data(
        self, source: str | Mapping[str, Any], window: Mapping[str, str] | None = None, **roles: str | None
    ) -> dict:
        """A dataset of a signal: a written one by its name, or an `input_data` block."""
        block: dict[str, Any] = {"input_data": {"path": source} if isinstance(source, str) else dict(source)}
        if window is not None:
            block["data_window"] = dict(window)
        if roles:
            block["data_column_names"] = roles
        return block

    def monitor(self, name: str = "lab", **signals: Mapping[str, Any]) -> Monitor:
        """A monitor of these signals."""
        return Monitor.from_dict(
            {
                "name": name,
                "trigger": {"type": "recurrence", "frequency": "day", "interval": 1},
                "create_monitor": {"monitoring_signals": {each: dict(keys) for each, keys in signals.items()}},
            },
            self.folder,
        )

    def evaluate_all(
        self,
        monitor: Monitor,
        times: Sequence[datetime],
        store: Store | None = None,
        frames: Mapping[str, DataFrame] | None = None,
    ) -> list[Evaluation]:
        """Evaluate several scheduled times in one go."""
        return evaluate_all(self.spark, monitor, times, store=store, frames=frames)

    def evaluate(self, monitor: Monitor, time: datetime = NOW, **given: Any) -> Evaluation:
        """Evaluate one scheduled time."""
        return self.evaluate_all(monitor, [time], **given)[0]


def by_name(evaluation: Evaluation) -> dict[tuple[str, str, str], MetricRow]:
    """The rows by signal, group and metric; fails where two have the same name."""
    found = {(row.signal, row.group, row.metric_name): row for row in evaluation.rows}
    assert len(found) == len(evaluation.rows)
    return found


def values(evaluation: Evaluation) -> dict[tuple[str, str, str], float]:
    """The values by signal, group and metric, of rows that have one."""
    return {name: row.metric_value for name, row in by_name(evaluation).items() if row.metric_value is not None}


def numbers_of(row: MetricRow) -> tuple[float, float, float]:
    """The value between the ends of its interval; fails where it has none."""
    assert row.metric_value is not None
    assert row.interval_low is not None
    assert row.interval_high is not None
    return row.interval_low, row.metric_value, row.interval_high


def assert_same_rows(one: Evaluation, other: Evaluation, ignore: Sequence[str] = ()) -> None:
    """Both have the same rows, but for which run says so, for the order in which sums were added up, and for what is to
    be ignored: fields of rows, and keys of their details."""
    here, there = by_name(one), by_name(other)
    assert set(here) == set(there)
    fields = set(MetricRow.__dataclass_fields__) - {"run_id", "evaluated_at", *ignore}
    for name, row in here.items():
        for field in fields:
            one, other = (_without(getattr(each, field), ignore) for each in (row, there[name]))
            _assert_alike(one, other, (*name, field))


def _without(value: Any, ignored: Sequence[str]) -> Any:
    return {key: each for key, each in value.items() if key not in ignored} if isinstance(value, Mapping) else value


def _assert_alike(one: Any, other: Any, where: tuple) -> None:
    if isinstance(one, Mapping):
        assert set(one) == set(other), where
        for key in one:
            _assert_alike(one[key], other[key], (*where, key))
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), where
        for place, (a, b) in enumerate(zip(one, other, strict=True)):
            _assert_alike(a, b, (*where, place))
    elif isinstance(one, float) and isinstance(other, float):
        assert math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9), (where, one, other)
    else:
        assert one == other, (where, one, other)
