"""Which files and row groups may hold rows of some time, and of some segment? All others are not read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.batches import NO_ROWS
from engine.errors import DataError
from engine.file_feed import Split
from engine.file_set import FileSet, Group, Outline, Time
from engine.files import DataFile, fingerprint
from engine.monitor import Columns
from engine.time_ranges import contained, overlapping, rows_with_any
from engine.windows import Window

if TYPE_CHECKING:
    from signals.segments import Segment

__all__ = ["Cut", "Held", "held_by", "pairs_of", "prints_of", "splits_of", "time_of"]

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Cut:
    """What is wanted of a dataset: rows of any of these spans (none: of all time), of any of these segments."""

    roles: Columns
    spans: tuple[Window, ...] = ()
    segments: "tuple[Segment, ...]" = ()

    @property
    def time(self) -> Time | None:
        """What tells the time of its rows."""
        return time_of(self.roles)


def time_of(roles: Columns) -> Time | None:
    """The column that tells the time and how it is written; None without one."""
    return None if roles.timestamp is None else (roles.timestamp, roles.timestamp_format)


def splits_of(files: FileSet, cuts: Sequence[Cut]) -> list[Split]:
    """The row groups that may hold rows of every cut, by path and number.

    Raises:
        DataError: when the footer of a file that is needed cannot be read; it names the file.
    """
    groups, outlines = _groups_of(files, cuts)
    own = {place: files.own(place, outlines[place].schema) for place in {place for place, _ in groups}}
    return [
        Split(files.files[place].path, number, outlines[place].rows[number], own[place], rank)
        for rank, (place, number) in enumerate(groups)
    ]


def pairs_of(files: FileSet, cuts: Sequence[Cut], roles: Columns, spans: Sequence[Window]) -> int:
    """How many pairs there are of a row group that may hold rows of every cut and a span of which it may, too.

    Raises:
        DataError: when the footer of a file that is needed cannot be read; it names the file.
    """
    groups, _ = _groups_of(files, cuts)
    time = time_of(roles)
    if time is None or not groups:
        return len(groups) * len(spans)
    dated = files.dated(sorted({place for place, _ in groups}), time)
    return int(np.count_nonzero(overlapping([dated[group] for group in groups], spans)))


def _groups_of(files: FileSet, cuts: Sequence[Cut]) -> tuple[list[Group], dict[int, Outline]]:
    """The row groups that may hold rows of every cut, and what is known of their files."""
    places = list(range(len(files.files)))
    for cut in cuts:
        places = _files_within(files, places, cut)
    outlines = _outlines(files, places, cuts)
    groups = [(place, number) for place in places for number in range(len(outlines[place].rows))]
    for cut in cuts:
        groups = _groups_of_segments(files, _groups_within(files, groups, cut), cut)
    return groups, outlines


def _outlines(files: FileSet, places: Sequence[int], cuts: Sequence[Cut]) -> dict[int, Outline]:
    for cut in cuts:
        if cut.spans and cut.time is not None:
            files.dated(places, cut.time)  # so that footers are read once for both
    found: dict[int, Outline] = {}
    for place, outline in files.outlines(places).items():
        if isinstance(outline, DataError):
            raise outline
        found[place] = outline
    return found


def _files_within(files: FileSet, places: Sequence[int], cut: Cut) -> list[int]:
    """By folders and, where there is one, the table's log."""
    if not cut.spans:
        return [*places]
    inside = overlapping([files.folders[place] for place in places], cut.spans)
    time = cut.time
    if time is not None:
        inside &= overlapping([files.logged(place, time) for place in places], cut.spans)
    return [places[row] for row in rows_with_any(inside)]


def _groups_within(files: FileSet, groups: Sequence[Group], cut: Cut) -> list[Group]:
    time = cut.time
    if not cut.spans or time is None:
        return [*groups]
    dated = files.dated(sorted({place for place, _ in groups}), time)
    inside = overlapping([dated[group] for group in groups], cut.spans)
    return [groups[row] for row in rows_with_any(inside)]


def _groups_of_segments(files: FileSet, groups: Sequence[Group], cut: Cut) -> list[Group]:
    names = {name for segment in cut.segments for name in segment.columns}
    if not cut.segments or any(not segment.columns for segment in cut.segments):
        return [*groups]
    ranges = files.ranges(sorted({place for place, _ in groups}), names)
    return [group for group in groups if any(segment.may_hold(ranges[group]) for segment in cut.segments)]


# ------------------------------------------------------------------------------------------------- by bucket


@dataclass(frozen=True)
class Held:
    """Which files may hold rows of which buckets.

    Attributes:
        files: bool[files, buckets].
        untold: row groups of which only their rows can tell when they are.
    """

    files: Mask
    untold: tuple[Group, ...]


def held_by(files: FileSet, roles: Columns, buckets: Sequence[Window]) -> Held:
    """Which files may hold rows of which buckets, by folders, else by the table's log, else by statistics.

    A file whose folders lie within one bucket is not opened, nor is one that the log tells about. One that cannot be
    opened may hold rows of any bucket that its folders allow.
    """
    held = overlapping(files.folders, buckets)
    time = time_of(roles)
    if time is None:
        return Held(held, ())
    sure = contained(files.folders, buckets)
    unsure = rows_with_any(held & ~sure)
    finer = np.zeros_like(held)
    logged = {place: when for place in unsure if (when := files.logged(place, time)) is not None}
    finer[[*logged]] = overlapping([*logged.values()], buckets)
    opened = [place for place in unsure if place not in logged]
    dated = files.dated(opened, time)
    np.logical_or.at(finer, np.array([place for place, _ in dated], np.intp), overlapping([*dated.values()], buckets))
    finer[[place for place, outline in files.outlines(opened).items() if isinstance(outline, DataError)]] = True
    untold = tuple(group for group, when in dated.items() if when is None)
    return Held(held & (sure | finer), untold)


def prints_of(files: Sequence[DataFile], held: Mask, buckets: Sequence[Window]) -> dict[Window, str | None]:
    """By bucket the state of the files that may hold rows of it."""
    prints: dict[Window, str | None] = {}
    for number, bucket in enumerate(buckets):
        own = [files[place] for place in np.flatnonzero(held[:, number]).tolist()]
        prints[bucket] = fingerprint(own) if own else NO_ROWS
    return prints
