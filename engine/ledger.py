"""Which profiles are needed, which of them are known, and what they add up to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import product
from typing import NamedTuple

import numpy as np

from engine.batches import NO_ROWS
from engine.buckets import tiles
from engine.counting import Bucket, Counted
from engine.store.profiles import ProfileKey, StoredProfile
from engine.windows import Window
from signals.bins import NumericBins, ValueType
from signals.kernel import ScannedColumn
from signals.profile import NumericProfile, Profile, sum_profiles
from signals.segments import EVERYTHING, Segment

__all__ = ["MOMENTS", "TIMELINE", "Cell", "Ledger", "Need", "ProfileRequest", "needs_of", "timeline_key", "union"]

TIMELINE = ""
"""The name under which a bucket's rows and its latest timestamp are kept: the profile of no column."""
MOMENTS = NumericBins(ValueType.TIMESTAMP, np.zeros(0), np.nan, np.nan)
MOMENTS_ID = MOMENTS.id


class Cell(NamedTuple):
    """A column in its bins."""

    column: str
    bins_id: str


@dataclass(frozen=True)
class ProfileRequest:
    """What one signal needs of a dataset.

    Attributes:
        columns: in which bins which columns are counted; each name once.
        windows: when; the one window None for all of it.
        step: the length of the buckets that windows are made of.
        segment: which rows.
    """

    columns: tuple[ScannedColumn, ...]
    windows: tuple[Window | None, ...]
    step: timedelta
    segment: Segment = EVERYTHING

    @property
    def cells(self) -> dict[Cell, ScannedColumn]:
        return {Cell(column.name, column.bins.id): column for column in self.columns}

    def tiles(self, window: Window | None) -> tuple[Bucket, ...]:
        """The buckets that make up a window."""
        return (None,) if window is None else tiles(window, self.step)


@dataclass
class Need:
    """What is needed of one bucket: these columns of each of these segments."""

    columns: dict[Cell, ScannedColumn] = field(default_factory=dict[Cell, ScannedColumn])
    segments: tuple[Segment, ...] = ()

    def add(self, columns: Mapping[Cell, ScannedColumn], segments: Sequence[Segment]) -> None:
        """Need these too; of two ways to count a column the one that tells more distinct values."""
        self.segments += tuple(segment for segment in segments if segment not in self.segments)
        for cell, column in columns.items():
            if cell not in self.columns or column.distinct_up_to > self.columns[cell].distinct_up_to:
                self.columns[cell] = column

    def keys(self, bucket: Bucket) -> Iterator[tuple[ProfileKey, bool]]:
        """Every profile that is needed, and whether with its distinct values."""
        for segment in self.segments:
            yield timeline_key(bucket, segment), False
            for cell, column in self.columns.items():
                yield ProfileKey(*cell, bucket, segment.name), column.distinct_up_to > 0


def needs_of(requests: Sequence[ProfileRequest]) -> dict[Bucket, Need]:
    """What all requests together need, by bucket."""
    needs: dict[Bucket, Need] = {}
    for request in requests:
        cells = request.cells
        for bucket in dict.fromkeys(tile for window in request.windows for tile in request.tiles(window)):
            needs.setdefault(bucket, Need()).add(cells, [request.segment])
    return needs


def union(needs: Sequence[Need]) -> Need:
    """What all of these need."""
    found = Need()
    for need in needs:
        found.add(need.columns, need.segments)
    return found


def timeline_key(bucket: Bucket, segment: Segment) -> ProfileKey:
    return ProfileKey(TIMELINE, MOMENTS_ID, bucket, segment.name)


@dataclass
class Ledger:
    """The profiles that are known.

    Attributes:
        profiles: by what they are the profile of.
        vanished: buckets that are no longer in the source, and only in the store.
    """

    profiles: dict[ProfileKey, Profile] = field(default_factory=dict[ProfileKey, Profile])
    vanished: set[Bucket] = field(default_factory=set[Bucket])
    _sums: dict[tuple[ProfileKey, timedelta], Profile] = field(
        default_factory=dict[tuple[ProfileKey, timedelta], Profile]
    )

    def missing(self, bucket: Bucket, need: Need) -> Need | None:
        """The columns and segments of which something is not known yet; None where all is."""
        if not self.profiles:
            return need
        unknown = {key for key, _ in need.keys(bucket) if key not in self.profiles}
        if not unknown:
            return None
        names = {key.segment for key in unknown}
        cells = {Cell(key.column, key.bins_id) for key in unknown}
        columns = {cell: column for cell, column in need.columns.items() if cell in cells}
        return Need(columns, tuple(segment for segment in need.segments if segment.name in names))

    def take(
        self, stored: Mapping[ProfileKey, StoredProfile], bucket: Bucket, need: Need, fingerprint: str | None
    ) -> None:
        """Take what is kept of a bucket: where its source is as it was, or has nothing of it any more."""
        held = [(stored[key], distinct) for key, distinct in need.keys(bucket) if key in stored] if stored else []
        if fingerprint == NO_ROWS and any(each.profile.rows for each, _ in held):
            self.vanished.add(bucket)
        for each, distinct in held:
            if distinct and each.profile.distinct is None:
                continue
            if each.fingerprint == fingerprint or bucket in self.vanished:
                self.profiles[each.key] = each.profile

    def add(self, counted: Counted, need: Need) -> None:
        """Take in what was counted just now."""
        for bucket, segment in product(counted.buckets, need.segments):
            place = (bucket, segment.name)
            for cell, each in zip(need.columns, counted.profiles[place], strict=True):
                self.profiles.setdefault(ProfileKey(*cell, *place), each)
            self.profiles.setdefault(
                timeline_key(bucket, segment),
                _timeline(counted.rows.get(place, 0), counted.latest.get(place, -np.inf)),
            )

    def sum(self, key: ProfileKey, request: ProfileRequest) -> Profile:
        """The profile of a window: its buckets' in the order of time, worked out once."""
        known = (key, request.step)
        if known not in self._sums:
            parts = [self.profiles[key._replace(bucket=tile)] for tile in request.tiles(key.bucket)]
            self._sums[known] = sum_profiles(parts)
        return self._sums[known]


def _timeline(rows: int, latest: float) -> NumericProfile:
    empty = NumericProfile.empty(MOMENTS)
    return replace(empty, rows=rows, counts=np.array([rows], np.int64), high=latest)
