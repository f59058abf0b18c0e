"""What one evaluation reads: each dataset opened once, with what was found out about it on the way."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from hashlib import blake2b

from pyspark.sql import DataFrame, SparkSession

from engine.batches import Dataset, Span
from engine.errors import DataError
from engine.joined import open_production
from engine.monitor import Columns, Data, Monitor
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
        errors: data that could not be read, each once.
        fingerprints: the state of every source, by title.
    """

    spark: SparkSession
    frames: Mapping[str, DataFrame] = field(default_factory=dict[str, DataFrame])
    rows_read: int = 0
    cpu_seconds: float = 0.0
    errors: list[str] = field(default_factory=list[str])
    fingerprints: dict[str, str] = field(default_factory=dict[str, str])
    _notes: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    _titles: dict[str, str] = field(default_factory=dict[str, str])
    _spans: dict[str, Span] = field(default_factory=dict[str, Span])
    _opened: dict[str, Dataset | DataError] = field(default_factory=dict[str, "Dataset | DataError"])

    def expect(self, datas: Sequence[Data], span: Span) -> None:
        """Say before anything is opened that this stretch of a dataset will be needed, so that it is opened once."""
        key = _source_key(datas)
        self._spans[key] = _hull(self._spans[key], span) if key in self._spans else span

    def opened(self, datas: Sequence[Data], span: Span) -> tuple[Dataset, Columns]:
        """The dataset of these definitions over at least this span, and its roles.

        Raises:
            DataError: when it cannot be read.
        """
        self.expect(datas, span)
        source = _source_key(datas)
        wanted = repr((source, self._spans[source], [data.source.type for data in datas]))
        if wanted not in self._opened:
            self._opened[wanted] = self._open(datas, self._spans[source])
        dataset = self._opened[wanted]
        if isinstance(dataset, DataError):
            raise dataset
        self._titles[source] = dataset.title
        declared = reduce(merged_roles, [data.columns for data in datas])
        roles, notes = find_roles(dataset.title, declared, dataset.columns)
        for note in notes:
            self.note(note, dataset.title)
        return dataset, roles

    def key(self, datas: Sequence[Data], roles: Columns) -> str:
        """Under which profiles of these data are kept: where they come from, and what tells their time."""
        return _digest(_source_key(datas), roles.timestamp, roles.timestamp_format)

    def _open(self, datas: Sequence[Data], span: Span) -> "Dataset | DataError":
        try:
            dataset = open_production(self.spark, datas, span, self.frames)
        except DataError as error:
            return error
        if dataset.fingerprint:
            self.fingerprints[dataset.title] = dataset.fingerprint
        for source in (data.source for data in datas):
            if source.type == "mltable" and source.mltable is None and source.path:
                said = "holds no file MLTable, and is read as it is (Azure would refuse it)"
                self.note(f"{source.path}: {said}", dataset.title)
        for note in dataset.notes:
            self.note(note, dataset.title)
        return dataset

    def note(self, text: str, about: str = "") -> None:
        """Keep a note, once; it is told to whoever reads the dataset of this title (empty: to all)."""
        if (about, text) not in self._notes:
            self._notes.append((about, text))

    def titles(self, monitor: Monitor) -> set[str]:
        """The datasets that a monitor has read."""
        keys = [_source_key(each) for signal in monitor.signals for each in signal.datasets]
        return {self._titles[key] for key in keys if key in self._titles}

    def notes(self, titles: Collection[str]) -> list[str]:
        """What was found out about these datasets."""
        return [text for about, text in self._notes if not about or about in titles]

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
            self.note(
                f"{title}: {report.undated:,} rows without a readable {roles.timestamp!r} are in no window", title
            )
        found = [form for form in report.time_formats if form is not TimeFormat.TIMESTAMP]
        if found and roles.timestamp_format is TimeFormat.AUTO:
            self.note(f"{title}: found {roles.timestamp!r} to be written as {' and '.join(found)}", title)


def _source_key(datas: Sequence[Data]) -> str:
    """Equal for definitions of the same rows and columns, whatever roles they give to them."""
    joined = [data.columns.correlation_id for data in datas] if len(datas) > 1 else []
    sources = ", ".join(data.source.identity for data in datas)
    return f"([{sources}], {joined!r}, {datas[0].columns.timestamp!r})"


def _digest(*parts: object) -> str:
    return blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def _hull(one: Span, other: Span) -> Span:
    """The stretch that holds both."""
    starts, ends = (one.start, other.start), (one.end, other.end)
    return Span(
        None if None in starts else min(start for start in starts if start),
        None if None in ends else max(end for end in ends if end),
    )
