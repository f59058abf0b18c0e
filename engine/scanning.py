"""One Spark job that profiles any number of columns over any number of windows of a dataset."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import process_time

import numpy as np
import pyarrow as pa

from engine.batches import Batches, Dataset, Span, Work
from engine.instants import instants_of, time_of
from engine.monitor import Columns
from engine.spark import collect, large_batches, merged
from engine.windows import Window
from signals.kernel import Scan, ScanPlan
from signals.keys import Buckets
from signals.state import STATE_SCHEMA, merge_rows

__all__ = ["buckets_of", "scan_rows", "span_of", "timed"]


MERGED_HERE = 20_000
"""So many states of one column, piece and key (2 KB each) are merged on the driver: where they are few, Spark's shuffle
costs more than the scan. More are merged by Spark, so that the driver's memory stays bounded."""
AT_ONCE = 4_000
"""State rows that a task hands over at once."""


def scan_rows(dataset: Dataset, plan: ScanPlan) -> pa.Table:
    """The merged state rows of a scan: one Spark job."""
    states = dataset.map(_counting(plan), plan.names, STATE_SCHEMA)
    if _few(dataset, plan):
        return merge_rows(collect(states))
    with large_batches(states.sparkSession, plan.width + 1):
        return merged(states)


def _few(dataset: Dataset, plan: ScanPlan) -> bool:
    """Whether the states of all pieces are few, or hardly more than what they will be merged to."""
    spans = [] if plan.buckets is None else _wanted(plan.buckets)
    roles = Columns(timestamp=plan.timestamp, timestamp_format=plan.time_format)
    pieces = dataset.pieces_in(roles, spans) if spans else dataset.pieces
    states = plan.states * len(plan.segments)
    return pieces is not None and pieces * states <= max(MERGED_HERE, 2 * plan.keys * plan.states)


def _wanted(buckets: Buckets) -> list[Window]:
    moments = [time_of(edge) for edge in buckets.edges.tolist()]
    return [Window(moments[step], moments[step + 1]) for step in np.flatnonzero(buckets.bucket >= 0).tolist()]


def timed(plan: ScanPlan, roles: Columns, buckets: Buckets | None) -> ScanPlan:
    """The plan, cut into buckets by the dataset's timestamp."""
    if buckets is None:
        return plan
    return replace(plan, timestamp=roles.timestamp, time_format=roles.timestamp_format, buckets=buckets)


def buckets_of(windows: Sequence[Window]) -> tuple[Buckets, dict[Window, list[int]]]:
    """The steps of time between all ends of all windows, and which of them make up each window."""
    moments = sorted({moment for window in windows for moment in (window.start, window.end)})
    number = {moment: place for place, moment in enumerate(moments)}
    wanted = np.zeros(max(0, len(moments) - 1), np.bool_)
    for window in windows:
        wanted[number[window.start] : number[window.end]] = True
    bucket = np.where(wanted, np.cumsum(wanted) - 1, -1).astype(np.intp)
    members = {window: bucket[number[window.start] : number[window.end]].tolist() for window in windows}
    return Buckets(instants_of(moments), bucket), members


def span_of(windows: Sequence[Window]) -> Span:
    """The stretch of time that holds all windows."""
    return Span(min(window.start for window in windows), max(window.end for window in windows))


def _counting(plan: ScanPlan) -> Work:
    at_once = max(1, AT_ONCE // max((column.states for column in plan.columns), default=1))

    def work(batches: Batches, task: int) -> Iterator[pa.RecordBatch]:
        began = process_time()
        counted = Scan(plan)
        for batch in batches:
            counted.add(batch.arrays, batch.size, batch.origin)
            if counted.rows_waiting >= at_once:
                yield from counted.take_rows().combine_chunks().to_batches()
        yield from counted.rows(process_time() - began).combine_chunks().to_batches()

    return work
