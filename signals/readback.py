"""Merged state rows as profiles and samples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from signals.bins import Bins, CategoricalBins, NumericBins
from signals.blocks import Blocks
from signals.counters import INFINITE, NANS, NULLS, ROWS, SCALARS, UNREADABLE, Part
from signals.distinct import Distinct
from signals.profile import CategoricalProfile, NumericProfile, Profile, VectorProfile, most_frequent
from signals.scan_plan import ScannedColumn

__all__ = ["profiles_of", "sample_of"]

Places = npt.NDArray[np.intp]


def profiles_of(rows: pa.Table, columns: Sequence[ScannedColumn], keys: int = 1) -> list[list[Profile]]:
    """Merged state rows as profiles: one list per key, in the order of the columns."""
    states, names = _States.of(rows), _Names.of(rows)
    by_column = [_profiles(states, names, number, column, keys) for number, column in enumerate(columns)]
    return [list(profiles) for profiles in zip(*by_column, strict=True)] if columns else [[] for _ in range(keys)]


def sample_of(rows: pa.Table, column: int) -> npt.NDArray[np.float64]:
    """The column's sampled numbers, in the order of their origins."""
    mine = rows.filter(pc.and_(pc.equal(rows["column"], column), pc.equal(rows["part"], Part.SAMPLE)))
    pieces = sorted(zip(mine["cell"].to_pylist(), mine["value"].to_pylist(), strict=True))
    return np.concatenate([np.zeros(0), *(np.frombuffer(bytes.fromhex(piece)) for _, piece in pieces)])


@dataclass(frozen=True)
class _Names:
    """What has a name, by (key, column): values with their counts, and registers of sketches."""

    values: dict[tuple[int, int], dict[str, int]]
    registers: dict[tuple[int, int], npt.NDArray[np.uint8]]

    @classmethod
    def of(cls, rows: pa.Table) -> "_Names":
        named = rows.filter(pc.is_in(rows["part"], pa.array([Part.UNSEEN, Part.DISTINCT], pa.int8())))
        values: dict[tuple[int, int], dict[str, int]] = {}
        columns = (named[name].to_pylist() for name in ("key", "column", "value", "n"))
        for key, column, value, n in zip(*columns, strict=True):
            if column >= 0:
                values.setdefault((key, column), {})[value] = n or 0
        sketched = rows.filter(pc.is_valid(rows["ranks"]))
        keys, numbers = sketched["key"].to_pylist(), sketched["column"].to_pylist()
        if not keys:
            return cls(values, {})
        registers = Blocks.of(sketched["ranks"]).take(np.arange(len(keys)), np.uint8)
        return cls(values, dict(zip(zip(keys, numbers, strict=True), registers, strict=True)))

    def distinct(self, key: int, column: int, *, numbers: bool) -> Distinct:
        found = Distinct.of(self.values.get((key, column), ()), numbers=numbers)
        registers = self.registers.get((key, column))
        return found if registers is None else found | Distinct(registers=registers, numbers=numbers)


@dataclass(frozen=True)
class _States:
    """The arrays of profiles, by column."""

    key: npt.NDArray[np.int32]
    column: npt.NDArray[np.int32]
    counts: Blocks
    sums: Blocks
    moments: npt.NDArray[np.float64]

    @classmethod
    def of(cls, rows: pa.Table) -> "_States":
        mine = rows.filter(pc.and_(pc.equal(rows["part"], Part.PROFILE), pc.is_valid(rows["counts"])))
        moments = np.stack([mine[name].to_numpy() for name in ("total", "low", "high")], axis=1)
        counts, sums = Blocks.of(mine["counts"]), Blocks.of(mine["sums"])
        return cls(mine["key"].to_numpy(), mine["column"].to_numpy(), counts, sums, moments)

    def of_column(self, number: int, bins: Bins, keys: int) -> "_Columns":
        mine = np.flatnonzero(self.column == number)
        counts, sums = np.zeros((len(mine) + 1, SCALARS + bins.cells), np.int64), np.zeros((len(mine) + 1, bins.sums))
        moments = np.array([[0.0, np.inf, -np.inf]] * (len(mine) + 1))
        if len(mine):
            counts[:-1], moments[:-1] = self.counts.take(mine, np.int64), self.moments[mine]
            if self.sums.lengths[mine[0]]:
                sums[:-1] = self.sums.take(mine, np.float64)
        place = np.full(keys, len(mine))
        place[self.key[mine]] = np.arange(len(mine))
        return _Columns(place.tolist(), counts[:, :SCALARS].tolist(), counts[:, SCALARS:], sums, moments.tolist())


@dataclass(frozen=True)
class _Columns:
    """One column's states: of key k in row ``place[k]``; the last row is that of no rows."""

    place: list[int]
    scalars: list[list[int]]
    counts: npt.NDArray[np.int64]
    sums: npt.NDArray[np.float64]
    moments: list[list[float]]


def _profiles(states: _States, names: _Names, number: int, column: ScannedColumn, keys: int) -> Iterator[Profile]:
    """One column's profile by key."""
    bins, found = column.bins, states.of_column(number, column.bins, keys)
    for key, place in enumerate(found.place):
        scalars, counts = found.scalars[place], found.counts[place]
        tally = {
            "rows": scalars[ROWS], "nulls": scalars[NULLS], "nans": scalars[NANS], "unreadable": scalars[UNREADABLE],
        }  # fmt: skip
        if isinstance(bins, NumericBins):
            squares, low, high = found.moments[place]
            yield NumericProfile(
                **tally, bins=bins, counts=counts, sums=found.sums[place], squares=squares, low=low, high=high,
                infinite=scalars[INFINITE],
                distinct=names.distinct(key, number, numbers=True) if column.distinct_up_to else None,
            )  # fmt: skip
        elif isinstance(bins, CategoricalBins):
            unseen = most_frequent(names.values.get((key, number), {}), column.named)
            distinct = names.distinct(key, number, numbers=False)
            yield CategoricalProfile(**tally, bins=bins, counts=counts, unseen=unseen, distinct=distinct)
        else:
            sums, squares = found.sums[place], found.moments[place][0]
            yield VectorProfile(**tally, bins=bins, counts=counts, sums=sums, squares=squares, distinct=None)
