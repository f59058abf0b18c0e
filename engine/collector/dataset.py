"""A collection as a dataset: rows with the columns that were logged, dated by their events."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from engine.batches import Span, Work
from engine.collector.files import MARGIN, CollectorFiles, layout_of
from engine.collector.looks import Look
from engine.collector.opening import Folder
from engine.collector.reading import Layout
from engine.collector.troubles import Troubles
from engine.errors import DataError
from engine.file_pruning import Cut, Mask, prints_of, time_of
from engine.files import DataFile, fingerprint
from engine.monitor import Columns
from engine.time_ranges import overlapping, rows_with_any
from engine.windows import Window

if TYPE_CHECKING:
    from signals.segments import Segment

__all__ = ["CollectorDataset", "open_collection"]


@dataclass(frozen=True)
class CollectorDataset:
    """A collection of events; see `engine.batches.Dataset`.

    Attributes:
        files: all of its files.
        layout: its columns.
        cuts: what is wanted of it.
    """

    title: str
    files: CollectorFiles
    layout: Layout
    fingerprint: str
    notes: tuple[str, ...] = ()
    cuts: tuple[Cut, ...] = ()
    by_window = False

    @property
    def columns(self) -> Mapping[str, pa.DataType]:
        """See `engine.batches.Dataset`."""
        return self.layout.columns

    @property
    def mixed(self) -> frozenset[str]:
        """See `engine.batches.Dataset`."""
        return self.layout.mixed

    @property
    def envelope(self) -> frozenset[str]:
        """See `engine.batches.Dataset`."""
        return frozenset(self.layout.envelope)

    @cached_property
    def places(self) -> Sequence[int]:
        """The files that may hold rows that are wanted.

        Raises:
            DataError: when a file that is needed cannot be opened.
        """
        places = [*range(len(self.files.files))]
        for cut in self.cuts:
            if cut.spans:
                places = [places[row] for row in rows_with_any(self._held(places, cut.roles, cut.spans))]
        return places

    @property
    def pieces(self) -> int:
        """See `engine.batches.Dataset`."""
        return len(self.places)

    def pieces_in(self, roles: Columns, spans: Sequence[Window]) -> int:
        """See `engine.batches.Dataset.pieces_in`."""
        return int(np.count_nonzero(self._held(self.places, roles, spans)))

    def count_rows(self) -> int:
        """See `engine.batches.Dataset.count_rows`: they were counted when the files were looked into."""
        return sum(look.rows for look in self.files.looks(self.places).values())

    def map(self, work: Work, names: tuple[str, ...], schema: pa.Schema) -> DataFrame:
        """See `engine.batches.Dataset.map`."""
        return self.files.feed(self.places, self.layout).map(work, names, schema)

    def within(self, roles: Columns, spans: Sequence[Window], segments: "Sequence[Segment]" = ()) -> "CollectorDataset":
        """See `engine.batches.Dataset.within`."""
        return replace(self, cuts=(*self.cuts, Cut(roles, tuple(spans), tuple(segments))))

    def fingerprints(self, roles: Columns, buckets: Sequence[Window]) -> dict[Window, str | None]:
        """See `engine.batches.Dataset.fingerprints`: the state of the files with rows of each bucket."""
        every = self.files.files
        places = [*range(len(every))]
        try:
            held = self._held(places, roles, buckets)
            looks = self.files.looks(rows_with_any(held))
            prints = {place: _with_payloads(every[place], look) for place, look in looks.items()}
        except DataError:  # told when the rows themselves are read
            return dict.fromkeys(buckets)
        return prints_of([prints.get(place, file) for place, file in enumerate(every)], held, buckets)

    def _held(self, places: Sequence[int], roles: Columns, spans: Sequence[Window]) -> Mask:
        """bool[places, spans]: which of these files may hold rows of which spans."""
        time = time_of(roles)
        if time is None or time[0] not in self.columns:
            return np.ones((len(places), len(spans)), np.bool_)
        held = np.zeros((len(places), len(spans)), np.bool_)
        near = np.ones_like(held)
        if self.layout.envelope.get(time[0]) == "time":
            near = overlapping([self.files.folders[place] for place in places], spans)
        rows = rows_with_any(near)
        held[rows] = overlapping(self.files.rows_at([places[row] for row in rows], time, self.layout), spans)
        return held & near


def open_collection(  # noqa: PLR0917 - where it is, and what is wanted of it
    spark: SparkSession, title: str, folder: Folder, listed: Sequence[DataFile], roles: Columns, span: Span
) -> CollectorDataset:
    """The dataset that a collection is over a span.

    Args:
        spark: the session.
        title: how messages name it.
        folder: where it is.
        listed: the files there, by path.
        roles: as they are declared.
        span: the time that is needed at all.

    Raises:
        DataError: when a file cannot be opened.
    """
    files = CollectorFiles(spark, folder, tuple(listed))
    looks = files.looks(files.near([span.window]))
    layout = _layout(looks, span)
    if roles.timestamp is not None and layout.envelope.get(roles.timestamp) != "time":
        # No folder tells when rows are by a column of their own.
        looks = files.looks(range(len(files.files)))
        layout = layout_of(looks.values())
    notes = (*_notes(title, files, looks),)
    dataset = CollectorDataset(title, files, layout, fingerprint(files.files), notes)
    return dataset if span == Span() else dataset.within(_dated(roles, layout), [span.window])


def _layout(looks: Mapping[int, Look], span: Span) -> Layout:
    """The columns of the files with events in the span; of the newest with rows, where there are none."""
    every = [*looks.values()]
    if span == Span():
        return layout_of(every)
    inside = rows_with_any(overlapping([look.stretches for look in every], [span.window]))
    return layout_of([every[row] for row in inside] or [look for look in every if look.rows][-1:])


def _dated(roles: Columns, layout: Layout) -> Columns:
    """The roles, with the events' time as the timestamp where none is declared."""
    if roles.timestamp is not None:
        return roles
    return replace(roles, timestamp=next(name for name, each in layout.envelope.items() if each == "time"))


def _with_payloads(file: DataFile, look: Look) -> DataFile:
    """The file's state, which is another one when a payload that could not be opened can be."""
    return replace(file, path=f"{file.path} without {look.unopened}") if look.unopened else file


def _notes(title: str, files: CollectorFiles, looks: Mapping[int, Look]) -> Iterator[str]:
    """What a reader should know of these files."""
    payloads = {path for look in looks.values() for path in look.payloads}
    lines = {files.files[place].path: look for place, look in looks.items() if files.files[place].path not in payloads}
    yield from Troubles.together(
        {kind: (count, f"{path}, {first}") for kind, (count, first) in look.troubles.items()}
        for path, look in lines.items()
    ).notes(title)
    undated = sum(look.undated for look in lines.values() if not look.stretches)
    if undated:  # of the others the scan tells
        yield f"{title}: rows of events without a readable time, which are in no window: {undated:,}"
    types = sorted({name for look in lines.values() for name in look.types})
    if len(types) > 1:
        yield f"{title}: holds events of {' and '.join(types)}; one collection's folder is meant"
    far = files.far(looks)
    if far:
        yield (
            f"{title}: files with events more than {MARGIN.days} days from their folder's time, "
            f"which windows so far from it may miss: {far:,}"
        )
