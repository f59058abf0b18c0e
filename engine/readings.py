"""What one evaluation reads: each dataset opened once, with what was found out about it on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import DataFrame, SparkSession

from engine.batches import Dataset, Span
from engine.errors import DataError
from engine.joined import open_production
from engine.monitor import Columns, Data
from engine.roles import find_roles, merged_roles
from signals.kernel import TaskReport
from signals.timestamps import TimeFormat

__all__ = ["Readings"]


@dataclass
class Readings:
    """The datasets of one evaluation.

    Attributes:
        spark: the session.
        frames: the caller's own DataFrames by table name.
        rows_read: rows that tasks read so far.
        cpu_seconds: CPU seconds that tasks spent counting so far.
        notes: what was found out, each once.
        errors: data that could not be read, each once.
        fingerprints: the state of every source, by title.
    """

    spark: SparkSession
    frames: Mapping[str, DataFrame] = field(default_factory=dict[str, DataFrame])
    rows_read: int = 0
    cpu_seconds: float = 0.0
    notes: list[str] = field(default_factory=list[str])
    errors: list[str] = field(default_factory=list[str])
    fingerprints: dict[str, str] = field(default_factory=dict[str, str])
    _opened: dict[str, Dataset] = field(default_factory=dict[str, Dataset])

    def opened(self, datas: Sequence[Data], span: Span) -> tuple[Dataset, Columns]:
        """The dataset of these definitions over a span, and its roles; the same dataset for the same question.

        Raises:
            DataError: when it cannot be read.
        """
        how = [(data.source, data.columns.timestamp, data.columns.correlation_id) for data in datas]
        key = repr((how, span))
        if key not in self._opened:
            self._opened[key] = open_production(self.spark, datas, span, self.frames)
        dataset = self._opened[key]
        if dataset.fingerprint:
            self.fingerprints[dataset.title] = dataset.fingerprint
        roles, notes = find_roles(
            dataset.title, reduce(merged_roles, [data.columns for data in datas]), dataset.columns
        )
        for note in notes:
            self.note(note)
        return dataset, roles

    def note(self, text: str) -> None:
        """Keep a note, once."""
        if text not in self.notes:
            self.notes.append(text)

    def failed(self, error: DataError) -> str:
        """Keep an error, once; its text."""
        text = str(error)
        if text not in self.errors:
            self.errors.append(text)
        return text

    def count(self, rows: int, cpu_seconds: float) -> None:
        """Add what tasks read and spent."""
        self.rows_read += rows
        self.cpu_seconds += cpu_seconds

    def report(self, title: str, roles: Columns, report: TaskReport) -> None:
        """Take in what the tasks of a scan say of themselves."""
        self.count(report.rows_read, report.cpu_seconds)
        if report.undated:
            self.note(f"{title}: {report.undated:,} rows without a readable {roles.timestamp!r} are in no window")
        found = [form for form in report.time_formats if form is not TimeFormat.TIMESTAMP]
        if found and roles.timestamp_format is TimeFormat.AUTO:
            self.note(f"{title}: found {roles.timestamp!r} to be written as {' and '.join(found)}")
