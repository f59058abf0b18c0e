"""What one task counts of one column: the mutable twins of the profiles, one array for all buckets of a scan."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from signals.bins import CategoricalBins, NumericBins, ValueType
from signals.distinct import EXACT_UP_TO, sketch, sketch_numbers
from signals.keys import Keys
from signals.lookup import Lookup
from signals.profile import most_frequent
from signals.state import StateRows
from signals.values import read_numbers, read_texts

__all__ = ["CategoricalCounter", "Counter", "NumericCounter", "Part"]


class Part:
    """The parts of a column's state as `StateRows` number them."""

    SCALARS = 0
    """Cells: the SCALAR_* numbers below; n."""
    CELLS = 1
    """Cells of the bins; n, and for numbers total: the sum of (value - center)."""
    MOMENTS = 2
    """total: sum of squares of (value - center); low, high."""
    UNSEEN = 3
    """value: a value outside the vocabulary; n."""
    DISTINCT = 4
    """value: a distinct number as text."""
    REGISTERS = 5
    """Cells: registers of the distinct values' sketch; high: their rank."""
    SAMPLE = 6
    """value: a task's sample of numbers, as hex of float64; cell: the task."""


ROWS, NULLS, NANS, UNREADABLE, INFINITE = range(5)


class Counter(Protocol):
    """Counts one column of the batches of a task."""

    def add(self, array: pa.Array, keys: Keys, sample: npt.NDArray[np.intp] | None) -> None:
        """Count one batch of the column; `sample` are the rows to keep as they are, for fitting bins."""
        ...

    def write(self, rows: StateRows, column: int, task: int) -> None:
        """Write the state of everything that was added."""
        ...


@dataclass
class NumericCounter:
    """Counts numbers into frozen cells; see `signals.profile.NumericProfile` for what each array is."""

    bins: NumericBins
    buckets: int
    distinct_up_to: int = 0
    """How many distinct values are told apart exactly; 0: they are not counted."""
    estimate: bool = True
    """Whether distinct values beyond that are estimated, or just known to be more."""

    def __post_init__(self) -> None:
        cells = self.bins.cells
        self._lookup = Lookup.for_edges(self.bins.edges) if cells > 1 else None
        self._scalars = np.zeros((self.buckets, 5), np.int64)
        self._counts = np.zeros((self.buckets, cells), np.int64)
        self._sums = np.zeros((self.buckets, cells))
        self._squares = np.zeros(self.buckets)
        self._low = np.full(self.buckets, np.inf)
        self._high = np.full(self.buckets, -np.inf)
        self._distinct: dict[int, DistinctNumbers] = {}
        self._sample: list[npt.NDArray[np.float64]] = []

    def add(self, array: pa.Array, keys: Keys, sample: npt.NDArray[np.intp] | None) -> None:
        scalars = self._scalars[keys.span]
        scalars[:, ROWS] += keys.rows(len(array))
        read = read_numbers(array, self.bins.value_type)
        if sample is not None:
            self._sample.append(read.take(pa.array(sample)).drop_null().to_numpy(zero_copy_only=False))
        if read.null_count:
            readable = read.is_valid().to_numpy(zero_copy_only=False)
            null = (
                array.is_null().to_numpy(zero_copy_only=False) if array.null_count else np.zeros(len(array), np.bool_)
            )
            scalars[:, NULLS] += keys.tally(null)
            scalars[:, UNREADABLE] += keys.tally(~readable & ~null)
            read, keys = read.drop_null(), keys.where(readable)
        self._count(read.to_numpy(zero_copy_only=False), keys)

    def _count(self, x: npt.NDArray[np.float64], keys: Keys) -> None:
        if not len(x):
            return
        if np.isnan(x.min()):  # the minimum of numbers with a NaN is NaN
            number = ~np.isnan(x)
            self._scalars[keys.span, NANS] += keys.tally(~number)
            x, keys = x[number], keys.where(number)
            if not len(x):
                return
        if self.distinct_up_to:
            self._count_distinct(x, keys)
        cell = self._lookup.cells(x) if self._lookup else np.zeros(len(x), np.intp)
        self._counts[keys.span] += keys.counts(cell, self.bins.cells)
        low, high = keys.least(x), keys.greatest(x)
        if np.isinf(np.min(low)) or np.isinf(np.max(high)):
            finite = np.isfinite(x)
            self._scalars[keys.span, INFINITE] += keys.tally(~finite)
            x, cell, keys = x[finite], cell[finite], keys.where(finite)
            low, high = keys.least(x), keys.greatest(x)
        with np.errstate(over="ignore", invalid="ignore"):  # sums of huge numbers overflow; metrics say so
            from_center = x - self.bins.center
            self._sums[keys.span] += keys.sums(cell, self.bins.cells, from_center)
            self._squares[keys.span] += keys.squares(from_center)
        self._low[keys.span] = np.minimum(self._low[keys.span], low)
        self._high[keys.span] = np.maximum(self._high[keys.span], high)

    def _count_distinct(self, x: npt.NDArray[np.float64], keys: Keys) -> None:
        for bucket in range(keys.count):
            found = self._distinct.setdefault(keys.first + bucket, DistinctNumbers(self.distinct_up_to, self.estimate))
            found.add(x if keys.local is None else x[keys.local == bucket])

    def write(self, rows: StateRows, column: int, task: int) -> None:
        _write_scalars(rows, column, self._scalars)
        bucket, cell = np.nonzero(self._counts)
        rows.add(
            bucket,
            column,
            Part.CELLS,
            cells=cell,
            n=self._counts[bucket, cell],
            total=self._sums[bucket, cell],
        )
        known = np.flatnonzero(self._high >= self._low)
        rows.add(
            known, column, Part.MOMENTS, cells=np.zeros(len(known)),
            total=self._squares[known], low=self._low[known], high=self._high[known],
        )  # fmt: skip
        for bucket_, distinct in self._distinct.items():
            distinct.write(rows, bucket_, column)
        if self._sample:
            sample = np.concatenate(self._sample)
            rows.add(0, column, Part.SAMPLE, cells=task, values=[sample.tobytes().hex()], n=len(sample))


@dataclass
class DistinctNumbers:
    """Distinct numbers: themselves while they are few, then a sketch, or only the knowledge that they are more."""

    up_to: int
    estimate: bool
    values: set[float] = field(default_factory=set[float])
    registers: npt.NDArray[np.uint8] | None = None

    def add(self, x: npt.NDArray[np.float64]) -> None:
        """Take in these numbers; -0.0 is 0.0."""
        if self.registers is None and len(self.values) <= self.up_to:
            self.values.update((np.unique(x)[: self.up_to + 1] + 0.0).tolist())
            if len(self.values) <= self.up_to or not self.estimate:
                return
            self.registers = sketch_numbers(np.array(sorted(self.values)))
        if self.registers is not None:
            self.registers = np.maximum(self.registers, sketch_numbers(x + 0.0))

    def write(self, rows: StateRows, key: int, column: int) -> None:
        """Write the values, or the sketch's registers."""
        if self.registers is None:
            texts = [repr(value) for value in sorted(self.values)[: self.up_to + 1]]
            rows.add(key, column, Part.DISTINCT, cells=np.zeros(len(texts)), values=texts)
        else:
            _write_registers(rows, key, column, self.registers)


@dataclass
class CategoricalCounter:
    """Counts categories into a frozen vocabulary; see `signals.profile.CategoricalProfile`."""

    bins: CategoricalBins
    buckets: int
    named: int = EXACT_UP_TO
    """How many values outside the vocabulary are kept by name; memory is bounded by some multiples of it."""

    def __post_init__(self) -> None:
        self._vocabulary = pa.array(self.bins.categories, pa.string())
        self._scalars = np.zeros((self.buckets, 5), np.int64)
        self._counts = np.zeros((self.buckets, self.bins.cells), np.int64)
        self._unseen: dict[int, UnseenTexts] = {}

    def add(self, array: pa.Array, keys: Keys, sample: npt.NDArray[np.intp] | None) -> None:
        scalars = self._scalars[keys.span]
        scalars[:, ROWS] += keys.rows(len(array))
        array, keys = self._without_nans(array, keys)
        read = read_texts(array, self.bins.value_type)
        codes = read.indices
        if codes.null_count:
            readable = codes.is_valid().to_numpy(zero_copy_only=False)
            null = array.is_null().to_numpy(zero_copy_only=False)
            scalars[:, NULLS] += keys.tally(null)
            scalars[:, UNREADABLE] += keys.tally(~readable & ~null)
            codes, keys = codes.drop_null(), keys.where(readable)
        if len(codes):
            self._count(codes.to_numpy(zero_copy_only=False), read.dictionary, keys)

    def _without_nans(self, array: pa.Array, keys: Keys) -> tuple[pa.Array, Keys]:
        if not pa.types.is_floating(array.type) or self.bins.value_type is ValueType.STRING:
            return array, keys
        nan = pc.fill_null(pc.is_nan(array), fill_value=False).to_numpy(zero_copy_only=False)
        if not nan.any():
            return array, keys
        self._scalars[keys.span, NANS] += keys.tally(nan)
        return array.filter(pa.array(~nan)), keys.where(~nan)

    def _count(self, codes: npt.NDArray[np.integer], dictionary: pa.Array, keys: Keys) -> None:
        other = len(self.bins.categories)
        known = pc.fill_null(pc.index_in(dictionary, self._vocabulary), other)
        cell_of_code = known.to_numpy(zero_copy_only=False).astype(np.intp)
        cell = cell_of_code[codes]
        self._counts[keys.span] += keys.counts(cell, self.bins.cells)
        unseen = cell == other
        if not unseen.any():
            return
        local = np.zeros(len(codes), np.intp) if keys.local is None else keys.local
        pairs, counts = np.unique(local[unseen] * len(dictionary) + codes[unseen], return_counts=True)
        buckets, seen = np.divmod(pairs, len(dictionary))
        texts = dictionary.take(pa.array(seen)).to_pylist()
        for bucket in np.unique(buckets).tolist():
            mine = np.flatnonzero(buckets == bucket)
            found = self._unseen.setdefault(keys.first + bucket, UnseenTexts(self.named))
            found.add([texts[i] for i in mine], counts[mine].tolist())

    def write(self, rows: StateRows, column: int, task: int) -> None:
        _write_scalars(rows, column, self._scalars)
        bucket, cell = np.nonzero(self._counts)
        rows.add(bucket, column, Part.CELLS, cells=cell, n=self._counts[bucket, cell])
        for key, unseen in self._unseen.items():
            unseen.write(rows, key, column)


@dataclass
class UnseenTexts:
    """Values outside the vocabulary: all of them while they are few, then the frequent ones and a sketch of all."""

    named: int
    counts: dict[str, int] = field(default_factory=dict[str, int])
    registers: npt.NDArray[np.uint8] | None = None

    def add(self, texts: list[str], counts: list[int]) -> None:
        """Take in these values, each as often as counted."""
        if self.registers is not None:
            self.registers = np.maximum(self.registers, sketch(texts))
        for text, count in zip(texts, counts, strict=True):
            self.counts[text] = self.counts.get(text, 0) + count
        if len(self.counts) > 10 * self.named:
            if self.registers is None:
                self.registers = sketch(self.counts)
            self.counts = most_frequent(self.counts, 5 * self.named)

    def write(self, rows: StateRows, key: int, column: int) -> None:
        """Write the named values, and the sketch where they are not all."""
        if self.registers is None and len(self.counts) > self.named:
            self.registers = sketch(self.counts)
        kept = most_frequent(self.counts, self.named)
        rows.add(key, column, Part.UNSEEN, cells=np.zeros(len(kept)), values=list(kept), n=list(kept.values()))
        if self.registers is not None:
            _write_registers(rows, key, column, self.registers)


def _write_scalars(rows: StateRows, column: int, scalars: npt.NDArray[np.int64]) -> None:
    bucket, scalar = np.nonzero(scalars)
    rows.add(bucket, column, Part.SCALARS, cells=scalar, n=scalars[bucket, scalar])


def _write_registers(rows: StateRows, key: int, column: int, registers: npt.NDArray[np.uint8]) -> None:
    used = np.flatnonzero(registers)
    rows.add(key, column, Part.REGISTERS, cells=used, high=registers[used].astype(np.float64))
