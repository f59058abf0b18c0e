"""What one task counts of one column: the mutable twins of the profiles, one row of each array per slot of rows."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from signals.bins import CategoricalBins, NumericBins, ValueType
from signals.distinct import EXACT_UP_TO
from signals.few_values import DistinctNumbers, UnseenTexts
from signals.growing import longer
from signals.keys import Keys
from signals.lookup import Lookup
from signals.slots import Fold
from signals.state import StateRows
from signals.values import read_numbers, read_texts

__all__ = ["CategoricalCounter", "Counter", "NumericCounter", "Part", "block_of"]


class Part:
    """The parts of a column's state as `StateRows` number them."""

    PROFILE = 0
    """counts: the scalars below, then the cells of the bins. For numbers also sums: of (value - center) by cell;
    total: sum of squares of (value - center); low, high."""
    UNSEEN = 1
    """value: a value outside the vocabulary; n."""
    DISTINCT = 2
    """value: a distinct number as text."""
    REGISTERS = 3
    """ranks: the registers of the distinct values' sketch."""
    SAMPLE = 4
    """value: a sample of numbers, as hex of float64; cell: the piece of the dataset that it is of."""


ROWS, NULLS, NANS, UNREADABLE, INFINITE = range(5)
SCALARS = 5


class Counter(Protocol):
    """Counts one column of the batches of a piece of the dataset, then of the next piece."""

    def add(self, array: pa.Array, keys: Keys) -> None:
        """Count one batch of the column."""
        ...

    def keep(self, array: pa.Array) -> None:
        """Keep these values as they are, for fitting bins."""
        ...

    def write(self, rows: StateRows, column: int, fold: Fold, origin: int) -> None:
        """Write the state of everything that was added, and begin anew."""
        ...


@dataclass
class NumericCounter:
    """Counts numbers into frozen cells; see `signals.profile.NumericProfile` for what each array is."""

    bins: NumericBins
    distinct_up_to: int = 0
    """How many distinct values are told apart exactly; 0: they are not counted."""
    estimate: bool = True
    """Whether distinct values beyond that are estimated, or just known to be more."""

    def __post_init__(self) -> None:
        self._lookup = Lookup.for_edges(self.bins.edges) if self.bins.cells > 1 else None
        self._clear()

    def _clear(self) -> None:
        self._scalars = np.zeros((0, SCALARS), np.int64)
        self._counts = np.zeros((0, self.bins.cells), np.int64)
        self._sums = np.zeros((0, self.bins.cells))
        self._squares = np.zeros(0)
        self._low = np.zeros(0)
        self._high = np.zeros(0)
        self._distinct: dict[int, DistinctNumbers] = {}
        self._sample: list[npt.NDArray[np.float64]] = []

    def _make_room(self, slots: int) -> None:
        self._scalars = longer(self._scalars, slots)
        self._counts, self._sums = longer(self._counts, slots), longer(self._sums, slots)
        self._squares = longer(self._squares, slots)
        self._low, self._high = longer(self._low, slots, np.inf), longer(self._high, slots, -np.inf)

    def add(self, array: pa.Array, keys: Keys) -> None:
        self._make_room(keys.room)
        self._scalars[keys.at, ROWS] += keys.sizes
        read = read_numbers(array, self.bins.value_type)
        if read.null_count:
            readable = read.is_valid().to_numpy(zero_copy_only=False)
            null = (
                array.is_null().to_numpy(zero_copy_only=False) if array.null_count else np.zeros(len(array), np.bool_)
            )
            self._scalars[keys.at, NULLS] += keys.tally(null)
            self._scalars[keys.at, UNREADABLE] += keys.tally(~readable & ~null)
            read, keys = read.drop_null(), keys.where(readable)
        self._count(read.to_numpy(zero_copy_only=False), keys)

    def _count(self, x: npt.NDArray[np.float64], keys: Keys) -> None:
        if not len(x):
            return
        if np.isnan(x.min()):  # the minimum of numbers with a NaN is NaN
            number = ~np.isnan(x)
            self._scalars[keys.at, NANS] += keys.tally(~number)
            x, keys = x[number], keys.where(number)
            if not len(x):
                return
        if self.distinct_up_to:
            self._count_distinct(x, keys)
        cells = self.bins.cells
        cell = self._lookup.cells(x) if self._lookup else np.zeros(len(x), np.intp)
        index = keys.index(cell, cells)
        np.add.at(self._counts.reshape(-1), index, 1)
        low, high = keys.least(x), keys.greatest(x)
        if np.isinf(low.min()) or np.isinf(high.max()):
            finite = np.isfinite(x)
            self._scalars[keys.at, INFINITE] += keys.tally(~finite)
            x, keys = x[finite], keys.where(finite)
            if not len(x):
                return
            index = keys.index(cell[finite], cells)
            low, high = keys.least(x), keys.greatest(x)
        at = keys.at
        with np.errstate(over="ignore", invalid="ignore"):  # sums of huge numbers overflow; metrics say so
            from_center = x - self.bins.center
            np.add.at(self._sums.reshape(-1), index, from_center)
            self._squares[at] += keys.squares(from_center)
        self._low[at] = np.minimum(self._low[at], low)
        self._high[at] = np.maximum(self._high[at], high)

    def _count_distinct(self, x: npt.NDArray[np.float64], keys: Keys) -> None:
        for slot, mine in zip(keys.slots.tolist(), np.split(x, keys.starts[1:]), strict=True):
            self._distinct.setdefault(slot, DistinctNumbers(self.distinct_up_to, self.estimate)).add(mine)

    def keep(self, array: pa.Array) -> None:
        read = read_numbers(array, self.bins.value_type).drop_null()
        self._sample.append(read.to_numpy(zero_copy_only=False))

    def write(self, rows: StateRows, column: int, fold: Fold, origin: int) -> None:
        arrays = {
            "counts": block_of(fold, self._scalars, self._counts),
            "sums": fold.of(self._sums),
            "total": fold.of(self._squares),
            "low": fold.of(self._low, np.minimum),
            "high": fold.of(self._high, np.maximum),
        }
        rows.add_arrays(fold.keys, column, Part.PROFILE, origin, arrays)
        for key, slots in fold.members().items() if self._distinct else ():
            found = DistinctNumbers(self.distinct_up_to, self.estimate)
            for each in (self._distinct[slot] for slot in slots if slot in self._distinct):
                found.join(each)
            texts = found.texts
            rows.add(key, column, Part.DISTINCT, cells=np.zeros(len(texts)), values=texts)
            _write_registers(rows, key, column, found.registers)
        if self._sample:
            sample = np.concatenate(self._sample)
            rows.add(0, column, Part.SAMPLE, cells=origin, values=[sample.tobytes().hex()], n=len(sample))
        self._clear()


@dataclass
class CategoricalCounter:
    """Counts categories into a frozen vocabulary; see `signals.profile.CategoricalProfile`."""

    bins: CategoricalBins
    named: int = EXACT_UP_TO
    """How many values outside the vocabulary are kept by name; memory is bounded by some multiples of it."""

    def __post_init__(self) -> None:
        self._vocabulary = pa.array(self.bins.categories, pa.string())
        self._clear()

    def _clear(self) -> None:
        self._scalars = np.zeros((0, SCALARS), np.int64)
        self._counts = np.zeros((0, self.bins.cells), np.int64)
        self._unseen: dict[int, UnseenTexts] = {}

    def add(self, array: pa.Array, keys: Keys) -> None:
        self._scalars, self._counts = longer(self._scalars, keys.room), longer(self._counts, keys.room)
        self._scalars[keys.at, ROWS] += keys.sizes
        array, keys = self._without_nans(array, keys)
        read = read_texts(array, self.bins.value_type)
        codes = read.indices
        if codes.null_count:
            readable = codes.is_valid().to_numpy(zero_copy_only=False)
            null = array.is_null().to_numpy(zero_copy_only=False)
            self._scalars[keys.at, NULLS] += keys.tally(null)
            self._scalars[keys.at, UNREADABLE] += keys.tally(~readable & ~null)
            codes, keys = codes.drop_null(), keys.where(readable)
        if len(codes):
            self._count(codes.to_numpy(zero_copy_only=False), read.dictionary, keys)

    def keep(self, array: pa.Array) -> None:
        """Vocabularies are fitted to counts, not to samples."""

    def _without_nans(self, array: pa.Array, keys: Keys) -> tuple[pa.Array, Keys]:
        if not pa.types.is_floating(array.type) or self.bins.value_type is ValueType.STRING:
            return array, keys
        nan = pc.fill_null(pc.is_nan(array), fill_value=False).to_numpy(zero_copy_only=False)
        if not nan.any():
            return array, keys
        self._scalars[keys.at, NANS] += keys.tally(nan)
        return array.filter(pa.array(~nan)), keys.where(~nan)

    def _count(self, codes: npt.NDArray[np.integer], dictionary: pa.Array, keys: Keys) -> None:
        other, cells = len(self.bins.categories), self.bins.cells
        known = pc.fill_null(pc.index_in(dictionary, self._vocabulary), other)
        cell_of_code = known.to_numpy(zero_copy_only=False).astype(np.intp)
        cell = cell_of_code[codes]
        np.add.at(self._counts.reshape(-1), keys.index(cell, cells), 1)
        unseen = cell == other if (cell_of_code == other).any() else np.zeros(0, np.bool_)
        if unseen.any():
            self._count_unseen(codes, np.flatnonzero(unseen), dictionary, keys)

    def _count_unseen(
        self, codes: npt.NDArray[np.integer], rows: npt.NDArray[np.intp], dictionary: pa.Array, keys: Keys
    ) -> None:
        width = len(dictionary)
        runs = np.searchsorted(keys.starts, rows, side="right") - 1
        pairs, counts = np.unique(runs * width + codes[rows], return_counts=True)
        run, seen = np.divmod(pairs, width)
        texts = dictionary.take(pa.array(seen)).to_pylist()
        starts = np.flatnonzero(np.diff(run, prepend=-1))
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(run)], strict=True):
            found = self._unseen.setdefault(int(keys.slots[run[start]]), UnseenTexts(self.named))
            found.add(texts[start:end], counts[start:end].tolist())

    def write(self, rows: StateRows, column: int, fold: Fold, origin: int) -> None:
        rows.add_arrays(
            fold.keys, column, Part.PROFILE, origin, {"counts": block_of(fold, self._scalars, self._counts)}
        )
        for key, slots in fold.members().items() if self._unseen else ():
            found = UnseenTexts(self.named)
            for each in (self._unseen[slot] for slot in slots if slot in self._unseen):
                found.join(each)
            kept = found.kept()
            rows.add(key, column, Part.UNSEEN, cells=np.zeros(len(kept)), values=kept, n=list(kept.values()))
            _write_registers(rows, key, column, found.registers)
        self._clear()


def block_of(fold: Fold, scalars: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """int64[keys, scalars and cells]: how both travel, by key."""
    return np.concatenate((fold.of(scalars), fold.of(counts)), axis=1)


def _write_registers(rows: StateRows, key: int, column: int, registers: npt.NDArray[np.uint8] | None) -> None:
    if registers is not None:
        rows.add_arrays(np.array([key]), column, Part.REGISTERS, 0, {"ranks": registers[np.newaxis]})
