"""What a task reads: batches of named Arrow columns, whatever feed they come from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pyarrow as pa
from pyspark.sql import DataFrame

__all__ = ["Batch", "Batches", "Dataset", "Span", "Work"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows: their columns by name (a file may lack some), and how many they are."""

    arrays: Mapping[str, pa.Array]
    size: int


Batches = Iterator[Batch]
Work = Callable[[Batches, int], Iterator[pa.RecordBatch]]
"""What a task does with its batches; the second argument is its number."""


@dataclass(frozen=True, slots=True)
class Span:
    """The stretch of time that is needed at all, half-open; None is unbounded. Reading more is allowed, less is not."""

    start: datetime | None = None
    end: datetime | None = None


class Dataset(Protocol):
    """A dataset that Spark can map over.

    Attributes:
        title: how messages name it.
        columns: its columns' Arrow types by name, in order.
        fingerprint: text that changes when the data change; None where that cannot be told.
        tasks: in how many tasks it is read; None where only Spark knows.
    """

    @property
    def title(self) -> str: ...

    @property
    def columns(self) -> Mapping[str, pa.DataType]: ...

    @property
    def fingerprint(self) -> str | None: ...

    @property
    def tasks(self) -> int | None: ...

    def map(self, work: Work, names: tuple[str, ...], schema: pa.Schema) -> DataFrame:
        """Hand batches of the named columns to `work` in tasks; a frame of `schema` with what it yields."""
        ...

    def count_rows(self) -> int:
        """How many rows there are, before any window is cut; a bound from above where that is cheaper."""
        ...
