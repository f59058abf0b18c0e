"""Bounded samples: the same rows whatever the tasks, of every window, and even."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.batches import Dataset, Span
from engine.datasets import open_dataset
from engine.frame_feed import FrameDataset
from engine.monitor import Columns, Context, Data, Source
from engine.sampling import SampledColumn, sample_rows
from engine.windows import Window
from signals.bins import ValueType
from signals.catalogue import Kind
from signals.segments import Condition, FilterOperator, Segment
from tests.engine.labs import NOW

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

COLUMNS = (
    SampledColumn("x", ValueType.DOUBLE, Kind.NUMERICAL),
    SampledColumn("city", ValueType.STRING, Kind.CATEGORICAL),
)
ROLES = Columns(timestamp="at")
HOUR = timedelta(hours=1)


@pytest.fixture
def rows() -> pd.DataFrame:
    random, n = np.random.default_rng(0), 12_000
    at = NOW + pd.to_timedelta(random.integers(0, 48 * 3600, n), unit="s")
    return pd.DataFrame(
        {"x": random.random(n), "city": random.choice(np.array(["a", "b", None], object), n), "at": at}
    ).astype({"at": "datetime64[us, UTC]"})


def files(spark: SparkSession, folder: Path, rows: pd.DataFrame, parts: int) -> Dataset:
    for number in range(parts):
        table = pa.Table.from_pandas(rows.iloc[number::parts], preserve_index=False)
        pq.write_table(table, folder / f"{number}.parquet", row_group_size=700)
    return open_dataset(spark, Data(Source(path=str(folder)), Context.TRAINING), Span())


def drawn(dataset: Dataset, windows: list[Window | None], size: int, **given: Segment) -> list[list[tuple]]:
    found = sample_rows(dataset, ROLES, COLUMNS, windows, size, **given)
    return [
        list(zip(*(each.to_pylist() for each in found[window].columns.values()), strict=True)) for window in windows
    ]


def test_a_sample_is_the_same_whatever_the_files_and_tasks(
    spark: SparkSession, tmp_path: Path, rows: pd.DataFrame
) -> None:
    (tmp_path / "many").mkdir()
    (tmp_path / "one").mkdir()
    one = drawn(files(spark, tmp_path / "one", rows, 1), [None], 500)
    many = drawn(files(spark, tmp_path / "many", rows.sample(frac=1, random_state=1), 7), [None], 500)
    frame = FrameDataset("frame", spark.createDataFrame(rows.sample(frac=1, random_state=2)).repartition(9))
    assert one == many == drawn(frame, [None], 500)
    assert len(one[0]) == 500
    x = np.array([row[0] for row in one[0]])
    assert abs(x.mean() - 0.5) < 4 * np.sqrt(1 / 12 / 500)
    assert len(drawn(frame, [None], 20_000)[0]) == 12_000


def test_every_window_has_its_own_sample_of_its_own_rows(spark: SparkSession, rows: pd.DataFrame) -> None:
    frame = FrameDataset("frame", spark.createDataFrame(rows).repartition(3))
    windows: list[Window | None] = [
        Window(NOW, NOW + 24 * HOUR), Window(NOW + HOUR, NOW + 2 * HOUR), Window(NOW - HOUR, NOW),
    ]  # fmt: skip
    segment = Segment((Condition("city", FilterOperator.EQUALS, ("b",), ValueType.STRING),))
    found = sample_rows(frame, ROLES, COLUMNS, windows, 1_000, segment=segment)
    for window in windows:
        assert window is not None
        inside = rows[(rows["at"] >= window.start) & (rows["at"] < window.end) & (rows["city"] == "b")]
        sample = found[window]
        assert sample.rows == len(inside)
        assert len(sample.columns["x"]) == min(1_000, len(inside))
        assert set(sample.columns["x"].to_pylist()) <= set(inside["x"])
        assert drawn(frame, [window], 1_000, segment=segment)[0] == list(
            zip(*(each.to_pylist() for each in sample.columns.values()), strict=True)
        )


def test_few_different_rows_are_drawn_in_their_proportions(spark: SparkSession, tmp_path: Path) -> None:
    alike = pd.DataFrame({"x": [0.0] * 9_000 + [1.0] * 3_000, "city": "a"}).sample(frac=1, random_state=0)
    (found,) = drawn(files(spark, tmp_path, alike, 3), [None], 2_000)
    share = np.mean([row[0] for row in found])
    assert abs(share - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 2_000)
