"""How the pieces that tasks count travel: rows that merge by sum, minimum and maximum, and back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from engine.joins import Join
from engine.pieces import DIGITS, Counted, Performance, Piece
from engine.windows import Window
from signals.coverage import Coverage
from signals.error_sums import Errors
from signals.outcomes import Outcomes
from signals.rankings import Rankings
from signals.state import STATE_SCHEMA, StateRows

__all__ = ["EVER", "PIECE_SCHEMA", "Found", "Keys", "Known", "counted_of", "merged_pieces", "rows_of"]

STATE = ("part", "cell", "value", "n", "total", "low", "high")
"""What there is of `signals.state.STATE_SCHEMA`, beside whose state it is."""
PIECE_SCHEMA = pa.schema(
    [("key", pa.int64()), ("column", pa.int32()), *((name, STATE_SCHEMA.field(name).type) for name in STATE)]
)
"""Rows of states whose key is a piece's."""
STATES = 4
"""A measure's states, in this order: its outcomes, its errors, its coverage and its rankings."""
DIGEST, KNOWN = 1, 2
"""Parts of the coverage's state beside its own. DIGEST has the halves of the digest's 64 bits as cells, with n; KNOWN
has as low the least ``known_to`` and as high the greatest ``known_from``."""
WORK = -1
"""The column of what a task says of itself: the CPU seconds that it spent."""
HALF = 32

Known = tuple[float, float]
"""The greatest `known_from` and the least `known_to` of some rows, in microseconds."""
EVER: Known = (-np.inf, np.inf)
Found = dict[tuple[int, int], tuple[Performance, Known]]
"""By piece and measure the state."""

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Keys:
    """Pieces as numbers: a bucket, and from which cutoff to which. Orphans are the piece from -1 to -1."""

    cutoffs: int

    def of(self, bucket: Integers | int, since: Integers | int, until: Integers | int) -> Integers:
        """int64[n]: the numbers."""
        width = self.cutoffs + 3
        return np.asarray((bucket * width + since + 1) * width + until + 1, np.int64)

    def parts(self, key: int) -> tuple[int, int]:
        """The bucket and the first cutoff of a number."""
        width = self.cutoffs + 3
        bucket, since = divmod(key // width, width)
        return bucket, since - 1


# ------------------------------------------------------------------------------------------------------- as rows


def rows_of(found: Found, cpu_seconds: float) -> Iterator[pa.RecordBatch]:
    """What a task found as rows of `PIECE_SCHEMA`, with the CPU seconds that it took."""
    states = StateRows()  # numbered as they come: a piece's number may be too large for it
    for place, ((_, measure), (performance, known)) in enumerate(found.items()):
        _write(states, place, STATES * measure, performance, known)
    states.add(0, WORK, 0, total=cpu_seconds)
    table = states.table()
    numbers = np.array([key for key, _ in found] or [0], np.int64)[table["key"].to_numpy()]
    columns = [pa.array(numbers), *(table[name] for name in PIECE_SCHEMA.names[1:])]
    yield from pa.Table.from_arrays(columns, schema=PIECE_SCHEMA).to_batches()


def _write(states: StateRows, place: int, column: int, performance: Performance, known: Known) -> None:
    performance.outcomes.to_rows(states, place, column)
    performance.errors.to_rows(states, place, column + 1)
    performance.coverage.to_rows(states, place, column + 2)
    performance.rankings.to_rows(states, place, column + 3)
    halves = [performance.digest % 2**HALF, performance.digest >> HALF]
    states.add(place, column + 2, DIGEST, cells=range(2), n=halves)
    states.add(place, column + 2, KNOWN, low=known[1], high=known[0])


def merged_pieces(states: DataFrame) -> DataFrame:
    """The rows of all tasks, merged."""
    merged = {"n": F.sum("n"), "total": F.sum("total"), "low": F.min("low"), "high": F.max("high")}
    by_cell = states.groupBy(*(name for name in PIECE_SCHEMA.names if name not in merged))
    return by_cell.agg(*(column.alias(name) for name, column in merged.items()))


# ----------------------------------------------------------------------------------------------------- from rows


def counted_of(rows: pa.Table, join: Join) -> tuple[dict[Window, list[Counted]], float]:
    """By bucket what was counted for each measure of the join, and the CPU seconds of all tasks."""
    cpu_seconds = pc.sum(rows.filter(pc.equal(rows["column"], WORK))["total"]).as_py()
    keys, states = Keys(len(join.all_cutoffs)), _by_state(rows)
    pieces: dict[tuple[int, int], list[tuple[int, Piece]]] = {}
    for key, measure in sorted({(key, column // STATES) for key, column in states if column != WORK}):
        bucket, since = keys.parts(key)
        pieces.setdefault((bucket, measure), []).append((since, _read(states, key, measure, _only_at(join, since))))
    first_cuts, _ = join.cuts()
    found: dict[Window, list[Counted]] = {}
    for number, bucket in enumerate(join.buckets):
        mine = [pieces.get((number, measure), []) for measure in range(len(join.measures))]
        found[bucket] = [_counted(each, int(first_cuts[number])) for each in mine]
    return found, cpu_seconds or 0.0


def _counted(pieces: Sequence[tuple[int, Piece]], first_cut: int) -> Counted:
    # Each row is in one piece that begins with its bucket's first cutoff.
    rows = sum(piece.performance.coverage.rows for since, piece in pieces if since == first_cut)
    return Counted(rows, tuple(piece for _, piece in pieces))


def _only_at(join: Join, since: int) -> datetime | None:
    """The one cutoff that a piece is for, where rows are compared with others."""
    if not join.by_cutoff or not join.cutoffs or since < 0:
        return None
    return sorted({cutoff for asked in join.cutoffs for cutoff in asked})[since]


def _by_state(rows: pa.Table) -> dict[tuple[int, int], pa.Table]:
    """The rows of each key and column."""
    key, column = rows["key"].to_numpy(), rows["column"].to_numpy()
    order = np.lexsort((column, key))
    rows, key, column = rows.take(pa.array(order)), key[order], column[order]
    starts = np.flatnonzero((np.diff(key, prepend=-1) != 0) | (np.diff(column, prepend=WORK - 1) != 0))
    return {
        (int(key[start]), int(column[start])): rows.slice(start, end - start)
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(key)], strict=True)
    }


def _read(states: Mapping[tuple[int, int], pa.Table], key: int, measure: int, only_at: datetime | None) -> Piece:
    outcomes, errors, coverage = (states[key, STATES * measure + place] for place in range(STATES - 1))
    rankings = states.get((key, STATES * measure + STATES - 1), coverage.slice(0, 0))
    halves = coverage.filter(pc.equal(coverage["part"], DIGEST)).sort_by("cell")["n"].to_pylist()
    known = coverage.filter(pc.equal(coverage["part"], KNOWN)).to_pylist()[0]
    performance = Performance(
        Outcomes.from_rows(outcomes),
        Errors.from_rows(errors),
        Coverage.from_rows(coverage),
        (halves[0] + (halves[1] << HALF)) % DIGITS,
        Rankings.from_rows(rankings),
    )
    if only_at:
        return Piece(only_at, only_at + timedelta(microseconds=1), performance)
    return Piece(_moment(known["high"]), _moment(known["low"]), performance)


def _moment(micros: float) -> datetime | None:
    """The instant; None for an infinite one, and for years beyond the calendar."""
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    except OverflowError:
        return None
