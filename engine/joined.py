"""Several production datasets as one: each row of the first with what the others say of its correlation id."""

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from engine.batches import Dataset, Span
from engine.datasets import frame_of, open_dataset, title_of
from engine.errors import DataError
from engine.frame_feed import FrameDataset
from engine.monitor import Data
from engine.roles import find_roles
from engine.spark import SPARK_ERRORS, said_by

__all__ = ["open_production"]


def open_production(spark: SparkSession, datas: Sequence[Data], span: Span, frames: Mapping[str, DataFrame]) -> Dataset:
    """The production data of a signal.

    One dataset is opened as it is. Several are joined by correlation id: every row of the first stays once, with the
    columns that the others add; of rows of another dataset with the same id one is taken.

    Raises:
        DataError: when data cannot be read, or have no correlation id to be joined by.
    """
    first = datas[0]
    if len(datas) == 1:
        return open_dataset(spark, first, span, frames)
    title = " + ".join(title_of(data.source) for data in datas)
    found = [_side(spark, data, frames) for data in datas]
    try:
        return FrameDataset(title, reduce(_left_join, found)[0])
    except SPARK_ERRORS as error:
        raise DataError(f"cannot join {title}: {said_by(error)}") from error


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
