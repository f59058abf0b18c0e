"""Features' rows, divided by the values of other columns: counted in one scan per side, whatever was asked of it."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, TypeVar

from engine.baselines import frozen_bins
from engine.comparisons import bins_groups
from engine.dimensions import Dimension, dimension_of
from engine.errors import DataError
from engine.profiling import Profiled, ProfiledData, ProfileRequest, profile
from engine.readings import Readings
from engine.sides import Comparison, Side
from engine.store import Store
from engine.watched import Watched
from engine.windows import Window
from signals.bins import Bins
from signals.carriers import Partition
from signals.catalogue import near_names
from signals.kernel import ScannedColumn
from signals.measurement import Undefined
from signals.profile import Profile
from signals.segments import EVERYTHING, Segment
from signals.values import value_type_of

__all__ = ["Asked", "Divided", "Place", "divide", "trouble_with"]

NOW, BEFORE = 0, 1
"""Which side: production or the baseline."""
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, eq=False)
class Asked:
    """What is to be divided.

    Attributes:
        found: a signal that has a baseline, and is without trouble.
        features: some of its columns, those with bins.
        dimensions: the columns to divide them by; `trouble_with` has no word against them.
        times: scheduled times of its plan.
    """

    found: Comparison
    features: tuple[Watched, ...]
    dimensions: tuple[str, ...]
    times: tuple[datetime, ...]

    def window(self, side: int, time: datetime) -> Window | None:
        """A side's window at a scheduled time."""
        return self.found.plan.windows[time] if side == NOW else self.found.plan.baselines[time]

    def request(self, side: int, columns: Iterable[ScannedColumn], segment: Segment = EVERYTHING) -> "Job":
        """What is needed of a side: columns over its windows, of the rows that are the signal's and in a segment."""
        windows = tuple(dict.fromkeys(self.window(side, time) for time in self.times))
        rows = Segment(self.found.sides[side].segment.conditions + segment.conditions)
        return Job(
            self.found.sides[side],
            ProfileRequest(tuple(columns), windows, self.found.sides[side].step(self.found.plan), rows),
        )


class Job(NamedTuple):
    """What is to be counted of a side."""

    side: Side
    request: ProfileRequest


class Place(NamedTuple):
    """One feature at one scheduled time, by one dimension."""

    time: datetime
    feature: str
    dimension: str


Divided = dict[Place, Partition | Undefined]


def trouble_with(found: Comparison, dimension: str) -> str | None:
    """Why rows of a signal cannot be divided by a column; None when they can."""
    for side in found.sides:
        title, columns = side.dataset.title, side.dataset.columns
        if dimension not in columns:
            near = near_names(dimension, list(columns), 3)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it has {', '.join(columns)}"
            return f"{title} has no column {dimension!r} to explain by; {hint}"
        if value_type_of(columns[dimension]) is None:
            return f"{title}: {dimension!r} is nested or binary ({columns[dimension]}), so nothing is explained by it"
    return None


def divide(asked: Sequence[Asked], readings: Readings, store: Store | None) -> list[Divided]:
    """Divide features' rows; an answer that is no partition says why.

    Raises:
        DataError: when data cannot be read, or changed meanwhile.
    """
    found: list[Divided] = []
    dimensions = _dimensions(asked, readings, store)
    jobs = {
        (number, side, segment): each.request(side, _columns(each, side), segment)
        for number, each in enumerate(asked)
        for side in (NOW, BEFORE)
        for segment in (EVERYTHING, *(one for dimension in dimensions[number].values() for one in dimension.segments))
    }
    counted = _counted(jobs, readings, store)
    for number, each in enumerate(asked):
        mine = {(side, segment): one for (owner, side, segment), one in counted.items() if owner == number}
        found.append(
            {
                Place(time, feature.group, name): _partition(each, feature, time, dimension, mine)
                for (time, name), dimension in dimensions[number].items()
                for feature in each.features
            }
        )
    return found


# ---------------------------------------------------------------------------------------------------- by which values


def _dimensions(
    asked: Sequence[Asked], readings: Readings, store: Store | None
) -> list[dict[tuple[datetime, str], Dimension]]:
    """How rows are divided, for each of what is asked by time and dimension."""
    bins = [_bins_of_dimensions(each, readings, store) for each in asked]
    jobs = {
        (number, side): each.request(side, [ScannedColumn(name, bins[number][name]) for name in each.dimensions])
        for number, each in enumerate(asked)
        for side in (NOW, BEFORE)
    }
    counted = _counted(jobs, readings, store)

    def of(number: int, time: datetime, name: str) -> Dimension:
        window = asked[number].window
        return dimension_of(name, *(counted[number, side].profiles[window(side, time)][name] for side in (NOW, BEFORE)))

    return [
        {(time, name): of(number, time, name) for time in each.times for name in each.dimensions}
        for number, each in enumerate(asked)
    ]


def _bins_of_dimensions(asked: Asked, readings: Readings, store: Store | None) -> Mapping[str, Bins]:
    """The dimensions' own bins, frozen as if they were features: by them their values are known."""
    [(_, request)] = bins_groups([asked.found])
    frozen = frozen_bins(asked.found.sides[BEFORE].dataset, replace(request, columns=asked.dimensions), store)
    if frozen.report:
        readings.count(frozen.report.rows_read, frozen.report.cpu_seconds)
    return frozen.bins


# ----------------------------------------------------------------------------------------------------------- counting


def _column(feature: Watched, side: int) -> str:
    return feature.column if side == NOW else feature.baseline or feature.column


def _columns(asked: Asked, side: int) -> list[ScannedColumn]:
    known = asked.found.bins
    return [ScannedColumn(_column(each, side), known[_column(each, BEFORE)]) for each in asked.features]


def _counted(jobs: Mapping[Key, Job], readings: Readings, store: Store | None) -> dict[Key, Profiled]:
    """Count what is needed, all of the same data together."""
    places: dict[str, list[Key]] = {}
    for key, job in jobs.items():
        places.setdefault(job.side.place, []).append(key)
    found: dict[Key, Profiled] = {}
    for keys in places.values():
        side = jobs[keys[0]].side
        data = ProfiledData(side.dataset, side.roles, side.key)
        found |= zip(keys, profile(data, [jobs[key].request for key in keys], readings, store), strict=True)
    return found


def _partition(
    asked: Asked,
    feature: Watched,
    time: datetime,
    dimension: Dimension,
    counted: Mapping[tuple[int, Segment], Profiled],
) -> Partition | Undefined:
    sides: list[dict[str, Profile]] = []
    for side, where in ((NOW, "the window"), (BEFORE, "the baseline")):
        window, column = asked.window(side, time), _column(feature, side)
        if counted[side, EVERYTHING].vanished[window]:
            return Undefined(f"some rows of {where} are no longer in the source, and only their sum is kept")
        of = [counted[side, segment].profiles[window][column] for segment in (EVERYTHING, *dimension.segments)]
        try:
            sides.append(dimension.divided(of[0], of[1:]))
        except ValueError:
            title = asked.found.sides[side].dataset.title
            raise DataError(f"{title} changed while it was read; explain it again") from None
    signal = asked.found.plan.signal
    return Partition(sides[NOW], sides[BEFORE], signal.binning, signal.nulls)
