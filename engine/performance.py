"""How a model's predictions came out: the states of labelled rows, by window, in one pass over the joined rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Flag, auto
from time import process_time

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import from_arrow_schema

from engine.files import instants
from engine.ground_truth import labelled
from engine.label_rows import ORPHAN_LOOKBACK, Join
from engine.spark import merged
from engine.windows import Window
from signals.coverage import Coverage
from signals.error_sums import Errors
from signals.kernel import TASK
from signals.outcomes import Outcomes
from signals.state import STATE_SCHEMA, StateRows

__all__ = ["Performance", "Wanted", "performances"]

AT_ONCE = 250_000
"""Rows that are sorted by window at once, so that a window's rows of many batches are counted together."""
STATES = 3
"""A pair's states: its outcomes, its errors and its coverage, in this order."""


class Wanted(Flag):
    """What a pair is measured as."""

    OUTCOMES = auto()
    ERRORS = auto()


@dataclass(frozen=True)
class Performance:
    """One pair's state in one window."""

    outcomes: Outcomes
    errors: Errors
    coverage: Coverage

    def __add__(self, other: "Performance") -> "Performance":
        return Performance(self.outcomes + other.outcomes, self.errors + other.errors, self.coverage + other.coverage)


def performances(join: Join, wanted: Sequence[Wanted]) -> tuple[dict[Window, list[Performance]], float]:
    """For each window the performance of each pair of a join, and the CPU seconds that tasks spent counting.

    Args:
        join: what is joined.
        wanted: for each pair what it is measured as.
    """
    rows = merged(_states(labelled(join), join, tuple(wanted)))
    cpu_seconds = pc.sum(rows.filter(pc.equal(rows["column"], TASK))["total"]).as_py()
    found = {
        window: [_read(rows, key, number) for number in range(len(join.pairs))]
        for key, window in enumerate(join.windows)
    }
    return found, cpu_seconds or 0.0


def _states(rows: DataFrame, join: Join, wanted: tuple[Wanted, ...]) -> DataFrame:
    starts = instants([window.start for window in join.windows])
    ends = instants([window.end for window in join.windows])
    orphans_too = join.orphans  # the join itself knows Spark, and so cannot travel

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        began = process_time()
        found: dict[tuple[int, int], Performance] = {}
        for table in _gathered(batches):
            for window, part in _by_window(table):
                for number, want in enumerate(wanted):
                    _add(found, (window, number), _counted(part, number, want))
            for number in range(len(wanted)) if orphans_too else ():
                for window, orphans in _orphans(table, number, starts, ends):
                    _add(found, (window, number), orphans)
        states = StateRows()
        for (window, number), performance in found.items():
            performance.outcomes.to_rows(states, window, STATES * number)
            performance.errors.to_rows(states, window, STATES * number + 1)
            performance.coverage.to_rows(states, window, STATES * number + 2)
        states.add(0, TASK, 0, total=process_time() - began)
        yield from states.table().to_batches()

    return rows.mapInArrow(work, from_arrow_schema(STATE_SCHEMA))


def _gathered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(each.num_rows for each in held) >= AT_ONCE:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def _by_window(table: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """The predictions' rows of each window."""
    mine = table.filter(pc.greater_equal(table["window"], 0)).sort_by("window")
    if not mine.num_rows:
        return
    window = mine["window"].to_numpy()
    starts = np.flatnonzero(np.diff(window, prepend=-1))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(window)], strict=True):
        yield int(window[start]), mine.slice(start, end - start)


def _counted(rows: pa.Table, number: int, wanted: Wanted) -> Performance:
    prediction, score, actual, naive, labels, late = (
        rows[f"{name}_{number}"].combine_chunks()
        for name in ("prediction", "score", "actual", "naive", "labels", "late")
    )
    has_label = pc.is_valid(actual)
    coverage = Coverage(
        rows=rows.num_rows,
        labelled=pc.sum(has_label).as_py() or 0,
        late=pc.sum(late).as_py() or 0,
        truth_rows=pc.sum(labels).as_py() or 0,
        duplicate_truth_rows=pc.sum(pc.max_element_wise(pc.subtract(labels, 1), 0)).as_py() or 0,
    )
    return Performance(
        Outcomes.of(actual, prediction, score) if Wanted.OUTCOMES in wanted else Outcomes.empty(),
        Errors.of(actual, prediction, naive) if Wanted.ERRORS in wanted else Errors.empty(),
        coverage,
    )


def _orphans(
    table: pa.Table, number: int, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> Iterator[tuple[int, Performance]]:
    """A pair's labels that became known in a window without a prediction of it, or of some time before."""
    ids = table.filter(pc.and_(table["first"], pc.is_valid(table[f"known_at_{number}"])))
    known_at, first_at, last_at = (ids[name].to_numpy() for name in (f"known_at_{number}", "first_at", "last_at"))
    lookback = ORPHAN_LOOKBACK // timedelta(microseconds=1)
    for window, (start, end) in enumerate(zip(starts, ends, strict=True)):
        known = (known_at >= start) & (known_at < end)
        count = int(np.count_nonzero(known & ((last_at < start - lookback) | (first_at >= end))))
        if count:
            yield window, Performance(Outcomes.empty(), Errors.empty(), Coverage(orphans=count, truth_rows=count))


def _add(found: dict[tuple[int, int], Performance], key: tuple[int, int], more: Performance) -> None:
    found[key] = found[key] + more if key in found else more


def _read(rows: pa.Table, key: int, number: int) -> Performance:
    mine = rows.filter(pc.equal(rows["key"], key))
    states = [mine.filter(pc.equal(mine["column"], STATES * number + place)) for place in range(STATES)]
    return Performance(Outcomes.from_rows(states[0]), Errors.from_rows(states[1]), Coverage.from_rows(states[2]))
