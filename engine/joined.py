"""Several production datasets as one: each row of the first with what the others say of its correlation id."""

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from engine.batches import Dataset, Span
from engine.datasets import frame_of, open_dataset, title_of
from engine.errors import DataError
from engine.frame_feed import FrameDataset
from engine.monitor import Columns, Data
from engine.roles import find_roles

__all__ = ["open_production"]


def open_production(
    spark: SparkSession, datas: Sequence[Data], span: Span, frames: Mapping[str, DataFrame]
) -> tuple[Dataset, Columns, list[str]]:
    """The production data of a signal, its roles, and notes on what was found out about it.

    One dataset is opened as it is. Several are joined by correlation id: every row of the first stays once, with the
    columns that the others add; of rows of another dataset with the same id one is taken.

    Raises:
        DataError: when data cannot be read, or have no correlation id to be joined by.
    """
    first = datas[0]
    if len(datas) == 1:
        dataset = open_dataset(spark, first, span, frames)
        return dataset, *find_roles(dataset.title, first.columns, dataset.columns)
    found = [_side(spark, data, frames) for data in datas]
    frame = reduce(_left_join, found)[0]
    title = " + ".join(title_of(data.source) for data in datas)
    dataset = FrameDataset(title, frame)
    declared = reduce(_merged_roles, [data.columns for data in datas])
    return dataset, *find_roles(title, declared, dataset.columns)


def _side(spark: SparkSession, data: Data, frames: Mapping[str, DataFrame]) -> tuple[DataFrame, str]:
    frame = frame_of(spark, data.source, frames)
    title = title_of(data.source)
    roles, _ = find_roles(title, data.columns, FrameDataset(title, frame).columns)
    if roles.correlation_id is None or roles.correlation_id not in frame.columns:
        raise DataError(f"{title}: to be joined it needs a correlation id: name it in data_column_names.correlation_id")
    return frame, roles.correlation_id


def _left_join(one: tuple[DataFrame, str], other: tuple[DataFrame, str]) -> tuple[DataFrame, str]:
    left, left_id = one
    right, right_id = other
    added = [name for name in right.columns if name != right_id and name not in left.columns]
    key = "driftline join key"
    labels = right.select(_column(right_id).cast("string").alias(key), *(_column(name) for name in added))
    joined = left.join(labels.dropDuplicates([key]), _column(left_id).cast("string") == _column(key), "left")
    return joined.drop(key), left_id


def _column(name: str) -> Column:
    return F.col(f"`{name.replace('`', '``')}`")


def _merged_roles(one: Columns, other: Columns) -> Columns:
    return Columns(
        timestamp=one.timestamp or other.timestamp,
        timestamp_format=one.timestamp_format if one.timestamp else other.timestamp_format,
        correlation_id=one.correlation_id or other.correlation_id,
        prediction=one.prediction or other.prediction,
        score=one.score or other.score,
        actual=one.actual or other.actual,
    )
