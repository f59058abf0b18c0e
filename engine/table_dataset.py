"""An MLTable as a dataset: Parquet through the file feed, delimited files and JSON lines through the frame feed."""

from dataclasses import replace

from pyspark.sql import SparkSession

from engine.batches import Dataset, Span
from engine.errors import DataError
from engine.file_dataset import FileDataset
from engine.file_pruning import time_of
from engine.file_set import FileSet
from engine.files import DataFile, fingerprint
from engine.frame_feed import FrameDataset
from engine.frame_files import FrameFiles
from engine.mltable import PATH_COLUMN, MLTable
from engine.monitor import Data, Source
from engine.partitions import PartitionTime
from engine.spark import SPARK_ERRORS, said_by
from engine.table_columns import shaped
from engine.table_files import TableFiles, list_table
from engine.table_frames import table_frame

__all__ = ["open_table"]


def open_table(spark: SparkSession, data: Data, table: MLTable, title: str, span: Span) -> Dataset:
    """The rows that a table's definition means; see `engine.datasets.open_dataset`.

    Raises:
        DataError: when there are no such files, or they cannot be read; it names them.
    """
    listed = list_table(table.paths)
    if listed is None or table.format != "parquet":
        return _through_spark(spark, data.source, table, title, listed)
    files = FileSet(
        tuple(_told(file, table) for file in listed.files),
        listed.filesystem,
        listed.root,
        PartitionTime(data.source.partitions),
        converted=table.converted,
    )
    columns = shaped(files.columns(span, time_of(data.columns)), table.steps)
    dataset = FileDataset(title, spark, columns, files, fingerprint(listed.files), conversions=table.conversions)
    return dataset if span == Span() else dataset.within(data.columns, [span.window])


def _told(file: DataFile, table: MLTable) -> DataFile:
    return replace(file, partitions={**file.partitions, PATH_COLUMN: file.path}) if table.path_column else file


def _through_spark(
    spark: SparkSession, source: Source, table: MLTable, title: str, listed: TableFiles | None
) -> FrameDataset:
    try:
        frame = table_frame(spark, table, listed, source.options)
        frame.schema  # noqa: B018 - so that Spark looks now, where the source is known
    except SPARK_ERRORS as error:
        raise DataError(f"cannot read {title} as {table.format}: {said_by(error)}") from error
    files = FrameFiles.of(frame, listed.files if listed else (), PartitionTime(source.partitions))
    print_ = fingerprint(listed.files) if listed else None
    return FrameDataset(title, frame, print_, files, source.append_only, steps=table.steps)
