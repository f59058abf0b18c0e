"""A bounded sample of a dataset's rows, by window: always the same rows, however Spark cuts the data into tasks.

Every row has a hash of what is read of it, and the rows with the least hashes are the sample, in that order. So it is
drawn without a look at the others, and its order has nothing to do with the data's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.batches import Batch, Batches, Dataset, Work
from engine.joins import Layer, layers_of
from engine.label_rows import read_at
from engine.monitor import Columns
from engine.spark import collect
from engine.windows import Window
from signals.bins import ValueType
from signals.catalogue import Kind
from signals.hashing import row_hashes
from signals.segments import EVERYTHING, Segment
from signals.values import read_numbers, read_texts

__all__ = ["Sample", "SampledColumn", "sample_rows"]

MARGIN = 1.25
"""So many more rows than are wanted are let through by the tasks, because hashes are only even on average."""
WINDOW, HASH, ROWS = "window", "hash", "rows"
COUNT = -1
"""The hash of a line that only says how many rows a task saw."""


@dataclass(frozen=True, slots=True)
class SampledColumn:
    """A column, and how it is read: numbers as doubles, categories as texts."""

    name: str
    value_type: ValueType
    kind: Kind

    @property
    def type(self) -> pa.DataType:
        return pa.float64() if self.kind is Kind.NUMERICAL else pa.string()

    def read(self, batch: Batch) -> pa.Array:
        """The batch's values; null where there are none that can be read so."""
        found = batch.arrays.get(self.name)
        if self.kind is Kind.NUMERICAL:
            return pa.nulls(batch.size, pa.float64()) if found is None else read_numbers(found, self.value_type)
        texts = pa.nulls(batch.size, pa.string()) if found is None else found
        return read_texts(texts, self.value_type)


@dataclass(frozen=True)
class Sample:
    """Some rows of a window.

    Attributes:
        columns: by name doubles or dictionaries of texts, in the order of the rows' hashes.
        rows: how many rows the window has.
    """

    columns: Mapping[str, pa.Array]
    rows: int


def sample_rows(
    dataset: Dataset,
    roles: Columns,
    columns: Sequence[SampledColumn],
    windows: Sequence[Window | None],
    size: int,
    *,
    segment: Segment = EVERYTHING,
) -> dict[Window | None, Sample]:
    """At most `size` rows of each window, in one Spark job, or two where windows are of uneven size.

    Args:
        dataset: where they are.
        roles: which column tells the time.
        columns: what is wanted of them.
        windows: stretches of time; the only one None: all rows.
        size: how many rows of each.
        segment: among which rows.

    Raises:
        DataError: when the data cannot be read.
    """
    dated = [window for window in windows if window is not None]
    part = dataset.within(roles, dated, (segment,)) if dated else dataset
    rate = min(1.0, MARGIN * size * len(windows) / max(1, part.count_rows()))
    while True:
        work = _Drawing(tuple(columns), roles, tuple(layers_of(dated)), size, rate, segment)
        found = collect(part.map(work.work(), work.names, work.schema))
        rows, drawn = _counted(found, len(windows))
        short = [n for n, here in zip(rows, drawn, strict=True) if here < min(size, n)]
        if not short or rate == 1.0:
            break
        # Too few were let through, by as much as the smallest of those windows needs; and twice as many for luck.
        rate = min(1.0, max(2 * rate, 2 * size / min(short)))
    return {window: _sample(found, columns, place, size, rows[place]) for place, window in enumerate(windows)}


def _counted(found: pa.Table, windows: int) -> tuple[list[int], list[int]]:
    """By window how many rows there are, and how many of them are here."""
    window, rows = found[WINDOW].to_numpy(), found[ROWS].to_numpy()
    lines = found[HASH].to_numpy() == COUNT
    total = np.bincount(window[lines], rows[lines], windows).astype(np.int64)
    return total.tolist(), np.bincount(window[~lines], minlength=windows).tolist()


def _sample(found: pa.Table, columns: Sequence[SampledColumn], place: int, size: int, rows: int) -> Sample:
    own = found.filter(pc.and_(pc.equal(found[WINDOW], place), pc.not_equal(found[HASH], COUNT)))
    order = np.argsort(own[HASH].to_numpy(), kind="stable")[:size]
    own = own.take(pa.array(order)).combine_chunks()
    read = {column.name: own[f"c{number}"].combine_chunks() for number, column in enumerate(columns)}
    texts = {column.name for column in columns if column.kind is Kind.CATEGORICAL}
    return Sample({name: each.dictionary_encode() if name in texts else each for name, each in read.items()}, rows)


# ------------------------------------------------------------------------------------------------------- in tasks


@dataclass(frozen=True)
class _Drawing:
    """What a task draws."""

    columns: tuple[SampledColumn, ...]
    roles: Columns
    layers: tuple[Layer, ...]
    size: int
    rate: float
    segment: Segment

    @property
    def names(self) -> tuple[str, ...]:
        of_time = [self.roles.timestamp] if self.roles.timestamp and self.layers else []
        wanted = (*(column.name for column in self.columns), *of_time, *self.segment.columns)
        return tuple(dict.fromkeys(wanted))

    @property
    def schema(self) -> pa.Schema:
        read = [(f"c{number}", column.type) for number, column in enumerate(self.columns)]
        return pa.schema([(WINDOW, pa.int32()), (HASH, pa.int64()), (ROWS, pa.int64()), *read])

    def work(self) -> Work:
        def draw(batches: Batches, task: int) -> Iterator[pa.RecordBatch]:
            held: dict[int, pa.Table] = {}
            rows: dict[int, int] = {}
            seen: dict[int, int] = {}
            for batch in batches:
                read = [column.read(batch) for column in self.columns]
                seen[batch.origin] = seen.get(batch.origin, -1) + 1
                hashes = self._hashes(batch, read, seen[batch.origin])
                for window, mine in self._places(batch):
                    rows[window] = rows.get(window, 0) + len(mine)
                    passed = mine[hashes[mine] <= self.rate * 2.0**63]
                    held[window] = self._least(held.get(window), self._table(window, hashes, read, passed))
            for window, count in rows.items():
                yield from _line(window, count, self.schema)
                yield from held[window].to_batches()

        return draw

    def _hashes(self, batch: Batch, read: Sequence[pa.Array], number: int) -> npt.NDArray[np.int64]:
        """int64[rows], 0 or more, of the batch of this number in its piece; and of the time, which tells rows apart."""
        at = [pa.array(read_at(batch.arrays, self.roles, batch.size))] if self.layers else []
        return (row_hashes([*read, *at], (batch.origin << 20) + number) >> np.uint64(1)).astype(np.int64)

    def _places(self, batch: Batch) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
        """The windows that the batch has rows of, and which."""
        wanted = self.segment.mask(batch.arrays, batch.size)
        if not self.layers:
            yield 0, np.flatnonzero(wanted)
            return
        at = read_at(batch.arrays, self.roles, batch.size)
        for layer in self.layers:
            place = layer.places(at)
            for each in np.unique(place[place >= 0]).tolist():
                yield int(layer.numbers[each]), np.flatnonzero((place == each) & wanted)

    def _table(
        self, window: int, hashes: npt.NDArray[np.int64], read: Sequence[pa.Array], rows: npt.NDArray[np.intp]
    ) -> pa.Table:
        arrays = [pa.array(np.full(len(rows), window, np.int32)), pa.array(hashes[rows]), pa.array(np.ones(len(rows)))]
        taken = [each.take(pa.array(rows)).cast(column.type) for each, column in zip(read, self.columns, strict=True)]
        return pa.Table.from_arrays([*arrays[:2], arrays[2].cast(pa.int64()), *taken], schema=self.schema)

    def _least(self, held: pa.Table | None, more: pa.Table) -> pa.Table:
        """Both together, and no more than are wanted once they are twice as many."""
        both = more if held is None else pa.concat_tables([held, more])
        if both.num_rows <= 2 * self.size:
            return both
        order = np.argsort(both[HASH].to_numpy(), kind="stable")[: self.size]
        return both.take(pa.array(order)).combine_chunks()


def _line(window: int, count: int, schema: pa.Schema) -> list[pa.RecordBatch]:
    said = {WINDOW: window, HASH: COUNT, ROWS: count}
    return pa.Table.from_pylist([{name: said.get(name) for name in schema.names}], schema).to_batches()
