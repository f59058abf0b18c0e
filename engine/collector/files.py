"""The files of a collection: which may hold events of some time, and what was found in them?"""

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

import isodate
import pyarrow as pa
from pyspark.sql import SparkSession

from engine.collector.columns import Kind, column_type, is_mixed
from engine.collector.feed import CollectorFeed, looks_of
from engine.collector.lines import ATTRIBUTES
from engine.collector.looks import KEPT, Look
from engine.collector.opening import Folder
from engine.collector.reading import Layout
from engine.dated_rows import when_by_piece
from engine.file_set import Time
from engine.files import DataFile
from engine.monitor import Columns
from engine.partitions import STEPS
from engine.time_ranges import Stretch, overlapping, rows_with_any, stretches_in
from engine.windows import Window

__all__ = ["MARGIN", "CollectorFiles", "folder_time", "layout_of"]

AFFORDABLE = 256 << 20
"""Bytes: of so many files each is looked into, whatever its folder says."""
MARGIN = timedelta(days=2)
"""How far from its folder's time an event of a larger collection may be. The collector writes within minutes."""
DATED = re.compile(r"(?:^|/)([12]\d{3})/(\d\d)(?:/(\d\d)(?:/(\d\d)(?:/(\d\d))?)?)?$")
"""Folders that tell when their files were written: by month, day, hour or minute, at the collector's rolling rate."""


@dataclass(frozen=True)
class CollectorFiles:
    """All files of a collection, by path; what was found in them is kept."""

    spark: SparkSession
    folder: Folder
    files: tuple[DataFile, ...]
    _looks: dict[int, Look] = field(default_factory=dict[int, Look])
    _dated: dict[Time, dict[int, Sequence[Stretch]]] = field(default_factory=dict[Time, dict[int, Sequence[Stretch]]])

    @cached_property
    def folders(self) -> Sequence[Sequence[Stretch] | None]:
        """When the events of each file may be, where its folder tells and there is too much to look into all."""
        if sum(file.size for file in self.files) <= AFFORDABLE:
            return [None] * len(self.files)
        return [stretches_in(_around(folder_time(file.path))) for file in self.files]

    def near(self, spans: Sequence[Window]) -> list[int]:
        """The files whose events may be in any of these spans, as far as folders tell."""
        return rows_with_any(overlapping(self.folders, spans))

    def far(self, looks: Mapping[int, Look]) -> int:
        """How many of these files have events further from their folder's time than `near` allows."""
        dated = [(limits[0], look.stretches) for place, look in looks.items() if (limits := self.folders[place])]
        return sum(low < first or high > last for (first, last), found in dated for low, high in _ends(found))

    def looks(self, places: Iterable[int]) -> dict[int, Look]:
        """What is in these files: one Spark job, where one of them was not looked into yet.

        Raises:
            DataError: when a file cannot be opened.
        """
        wanted = [*places]
        kept = {place: KEPT.get(self.folder.uri, self.files[place]) for place in wanted if place not in self._looks}
        self._looks.update({place: look for place, look in kept.items() if look is not None})
        unknown = {place: self.files[place] for place, look in kept.items() if look is None}
        for place, look in looks_of(self.spark, self.folder, unknown).items():
            self._looks[place] = look
            KEPT.put(self.folder.uri, self.files[place], look)
        return {place: self._looks[place] for place in wanted}

    def rows_at(self, places: Sequence[int], time: Time, layout: Layout) -> list[Sequence[Stretch]]:
        """When the rows of these files are: of their events, or by a column of the rows' own, which is read once.

        Raises:
            DataError: when a file cannot be opened.
        """
        if layout.envelope.get(time[0]) == "time":
            return [look.stretches for look in self.looks(places).values()]
        known = self._dated.setdefault(time, {})
        unknown = [place for place in places if place not in known]
        if unknown:
            roles = Columns(timestamp=time[0], timestamp_format=time[1])
            found = when_by_piece(self.feed(unknown, layout), roles)
            known |= {place: found.get(str(place), []) for place in unknown}
        return [known[place] for place in places]

    def feed(self, places: Iterable[int], layout: Layout) -> CollectorFeed:
        """These files, to be mapped over."""
        return CollectorFeed(self.spark, self.folder, {place: self.files[place] for place in places}, layout)


def layout_of(looks: Iterable[Look]) -> Layout:
    """The columns of files: their rows' own, and beside them what their events' envelopes tell.

    A row's own column keeps its name, by which a baseline and a definition know it; an attribute of the envelope that
    is called the same then is ``event_time``, say.
    """
    kinds: dict[str, dict[Kind, int]] = {}
    attributes = {"correlationid", "time"}
    for look in looks:
        attributes |= {*look.attributes}
        for name, found in look.kinds.items():
            every = kinds.setdefault(name, {})
            every |= {kind: every.get(kind, 0) + count for kind, count in found.items()}
    columns = {name: column_type(found) for name, found in kinds.items() if _writable(name)}
    envelope = {_free(name, columns): name for name in ATTRIBUTES if name in attributes}
    types = {name: pa.timestamp("us", "UTC") if each == "time" else pa.string() for name, each in envelope.items()}
    mixed = frozenset(name for name in columns if is_mixed(kinds[name]))
    return Layout(columns | types, envelope, mixed)


def _writable(name: str) -> bool:
    """Whether it can be written at all: JSON may have half a surrogate pair."""
    return name.encode(errors="replace").decode() == name


def _free(name: str, taken: Mapping[str, object]) -> str:
    while name in taken:
        name = f"event_{name}"
    return name


def folder_time(path: str) -> Window | None:
    """When a file was written, as its folder tells; None where it does not."""
    found = DATED.search(posixpath.dirname(path))
    if not found:
        return None
    numbers = [int(number) for number in found.groups() if number]
    try:
        year, month, day, hour, minute = [*numbers, *(1, 0, 0)[len(numbers) - 2 :]]
        start = datetime(year, month, day, hour, minute, tzinfo=UTC)
        length = [*STEPS.values(), "PT1M"][len(numbers) - 1]
        return Window(start, start + isodate.parse_duration(length))
    except (OverflowError, ValueError):
        return None


def _ends(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The one stretch that holds all of these; none where there are none."""
    return [(stretches[0][0], stretches[-1][1])] if stretches else []


def _around(window: Window | None) -> Window | None:
    return window and Window(window.start - MARGIN, window.end + MARGIN)
