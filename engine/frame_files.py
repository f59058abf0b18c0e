"""Which files does Spark read a DataFrame from, and which of them may have rows of some time?"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from engine.file_set import Time
from engine.files import DataFile
from engine.partitions import PartitionTime
from engine.spark import SPARK_ERRORS
from engine.time_ranges import Stretch, contained, overlapping, rows_with_any, stretches_in
from engine.windows import Window

__all__ = ["FILE", "FrameFiles"]

FILE = "_metadata.file_path"
"""Spark's hidden column that tells which file a row is of."""
SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:/+")


@dataclass(frozen=True)
class FrameFiles:
    """The files of a DataFrame.

    Attributes:
        files: by path.
        uris: how Spark names each.
        times: the partition columns that tell the time.
    """

    files: tuple[DataFile, ...]
    uris: tuple[str, ...]
    times: PartitionTime
    _dated: dict[Time, dict[int, Sequence[Stretch]]] = field(default_factory=dict[Time, dict[int, Sequence[Stretch]]])

    @classmethod
    def of(cls, frame: DataFrame, listed: Sequence[DataFile], times: PartitionTime) -> "FrameFiles | None":
        """Those of the listed files that Spark reads; None where it reads others, or nothing was listed."""
        known = {file.path.lstrip("/"): file for file in listed}
        found = {_plain(uri): uri for uri in _uris(frame)} if known else {}
        if not found or not found.keys() <= known.keys():
            return None
        names = sorted(found)
        return cls(tuple(known[name] for name in names), tuple(found[name] for name in names), times)

    def held(self, time: Time | None, windows: Sequence[Window]) -> npt.NDArray[np.bool_]:
        """bool[files, windows]: which files may have rows of which windows, as far as is known by now."""
        folders = self._folders()
        held = overlapping(folders, windows)
        if time is None:
            return held
        dated = self._dated.get(time, {})
        finer = overlapping([dated.get(place) for place in range(len(self.files))], windows)
        return held & (contained(folders, windows) | finer)

    def untold(self, time: Time, windows: Sequence[Window]) -> list[int]:
        """The files of which only their rows can tell which of the windows they are in."""
        folders = self._folders()
        unsure = rows_with_any(overlapping(folders, windows) & ~contained(folders, windows))
        known = self._dated.get(time, {})
        return [place for place in unsure if place not in known]

    def learn(self, time: Time, places: Sequence[int], found: Mapping[str, Sequence[Stretch]]) -> None:
        """Take in when the rows of files are, by Spark's name of the file, as it was looked up."""
        by_path = {_plain(uri): when for uri, when in found.items()}
        known = self._dated.setdefault(time, {})
        known |= {place: by_path.get(_plain(self.uris[place]), []) for place in places}

    def among(self, places: Sequence[int]) -> Column:
        """The condition that a row is of one of these files; Spark does not open the others."""
        names = [self.uris[place] for place in places]
        # Spark itself writes local files both ways.
        return F.col(FILE).isin([*names, *(name.replace("file:///", "file:/", 1) for name in names)])

    def _folders(self) -> list[Sequence[Stretch] | None]:
        return [stretches_in(self.times.window(file.partitions)) for file in self.files]


def _uris(frame: DataFrame) -> list[str]:
    """How Spark names the files; none where it does not tell which of them a row is of."""
    if "_metadata" in map(str.lower, frame.columns):  # the data's own, which hides Spark's
        return []
    try:
        frame.select(FILE).schema  # noqa: B018 - so that Spark looks now
        return frame.inputFiles()
    except SPARK_ERRORS:
        return []


def _plain(uri: str) -> str:
    return unquote(SCHEME.sub("", uri))
