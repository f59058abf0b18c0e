"""When are the rows of a dataset? One Spark job over the timestamp column alone."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from engine.batches import Batch, Batches, Work
from engine.instants import instants_of
from engine.monitor import Columns
from engine.spark import collect
from engine.time_ranges import Stretch
from engine.windows import Window
from signals.keys import Buckets
from signals.timestamps import UNDATED, TimeFormat, read_instants

__all__ = ["Tally", "joined", "stretches_at", "tally", "when_by_piece"]

GAP = 3_600_000_000
"""Microseconds without a row that are told: an hour. So stretches are few, and a bucket of an hour or more that one
overlaps has rows of it."""
FARTHEST = 2**61
WHEN = pa.schema([("piece", pa.string()), ("low", pa.int64()), ("high", pa.int64())])
TALLY = pa.schema([("step", pa.int64()), ("rows", pa.int64()), ("low", pa.int64()), ("high", pa.int64())])
Instants = npt.NDArray[np.int64]

Tally = tuple[int, int, int]
"""How many rows there are, and the instants of the first and the last."""


class Mapped(Protocol):
    """What Spark can map over; see `engine.batches.Dataset.map`."""

    def map(self, work: Work, names: tuple[str, ...], schema: pa.Schema) -> DataFrame: ...


def when_by_piece(rows: Mapped, roles: Columns, piece: str | None = None) -> dict[str, list[Stretch]]:
    """When the rows of each piece are: stretches with no gap longer than an hour; a piece without dated rows is absent.

    Args:
        rows: what to look into.
        roles: which column tells the time.
        piece: the column that tells a row's piece; None: the batch's origin.

    Raises:
        DataError: when the rows cannot be read.
    """
    name = roles.timestamp or ""
    work = _looking(name, roles.timestamp_format, piece)
    found: dict[str, list[Stretch]] = {}
    for row in collect(rows.map(work, (name,) if piece is None else (name, piece), WHEN)).to_pylist():
        found.setdefault(row["piece"], []).append((row["low"], row["high"]))
    return {each: joined(stretches) for each, stretches in found.items()}


def tally(rows: Mapped, roles: Columns, buckets: Sequence[Window]) -> dict[Window, Tally]:
    """How many rows each bucket has, and its first and last instant; a bucket without rows is absent.

    Raises:
        DataError: when the rows cannot be read.
    """
    edges = sorted({moment for bucket in buckets for moment in (bucket.start, bucket.end)})
    number = {moment: place for place, moment in enumerate(edges)}
    steps = Buckets(instants_of(edges), np.arange(len(edges) - 1))
    name = roles.timestamp or ""
    by_step: dict[int, list[Tally]] = {}
    for row in collect(rows.map(_tallying(name, roles.timestamp_format, steps), (name,), TALLY)).to_pylist():
        by_step.setdefault(row["step"], []).append((row["rows"], row["low"], row["high"]))
    found: dict[Window, Tally] = {}
    for bucket in buckets:
        own = [each for step in range(number[bucket.start], number[bucket.end]) for each in by_step.get(step, [])]
        if own:
            found[bucket] = (sum(n for n, _, _ in own), min(low for _, low, _ in own), max(high for *_, high in own))
    return found


def stretches_at(moments: Instants) -> list[Stretch]:
    """The stretches with no gap longer than an hour that hold these instants."""
    moments = np.unique(np.clip(moments, -FARTHEST, FARTHEST))
    if not len(moments):
        return []
    parts = np.split(moments, np.flatnonzero(np.diff(moments) > GAP) + 1)
    return [(int(part[0]), int(part[-1])) for part in parts]


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same stretches, those together as one that have no gap longer than an hour between them."""
    found: list[Stretch] = []
    for low, high in sorted(stretches):
        if found and low - found[-1][1] <= GAP:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found


# --------------------------------------------------------------------------------------------------- in the tasks


def _looking(name: str, form: TimeFormat, piece: str | None) -> Work:
    def work(batches: Batches, task: int) -> Iterator[pa.RecordBatch]:
        found: dict[str, list[Stretch]] = {}
        for batch in batches:
            for own, timestamps in _by_piece(batch, name, piece):
                found[own] = joined([*found.get(own, []), *stretches_at(_dated(pc.unique(timestamps), form))])
        rows = [{"piece": own, "low": low, "high": high} for own, each in found.items() for low, high in each]
        yield pa.RecordBatch.from_pylist(rows, schema=WHEN)

    return work


def _by_piece(batch: Batch, name: str, piece: str | None) -> Iterator[tuple[str, pa.Array]]:
    timestamps = batch.arrays.get(name)
    if timestamps is None:
        return
    if piece is None:
        yield str(batch.origin), timestamps
        return
    pieces = batch.arrays[piece]
    for own in pc.unique(pieces).to_pylist():
        yield own, timestamps.filter(pc.equal(pieces, own))


def _tallying(name: str, form: TimeFormat, steps: Buckets) -> Work:
    count = len(steps.bucket)

    def work(batches: Batches, task: int) -> Iterator[pa.RecordBatch]:
        rows = np.zeros(count, np.int64)
        low, high = np.full(count, FARTHEST), np.full(count, -FARTHEST)
        for batch in batches:
            timestamps = batch.arrays.get(name)
            moments = np.zeros(0, np.int64) if timestamps is None else _dated(timestamps, form)
            step = steps.of(moments)
            moments, step = moments[step >= 0], step[step >= 0]
            np.add.at(rows, step, 1)
            np.minimum.at(low, step, moments)
            np.maximum.at(high, step, moments)
        filled = np.flatnonzero(rows)
        yield pa.RecordBatch.from_arrays([filled, rows[filled], low[filled], high[filled]], schema=TALLY)

    return work


def _dated(timestamps: pa.Array, form: TimeFormat) -> Instants:
    moments = read_instants(timestamps, form)
    return moments[moments != UNDATED]
