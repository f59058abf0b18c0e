"""How a model's predictions came out: the states of labelled rows, by bucket and piece, in one pass over the rows."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import reduce
from time import process_time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import from_arrow_schema

from engine.ground_truth import labelled
from engine.joins import ORPHAN_LOOKBACK, Join, Layer, Measure, RankedBy, Wanted, layers_of
from engine.label_rows import GROUP, RANK, in_segment, segment_words
from engine.piece_rows import EVER, PIECE_SCHEMA, Found, Keys, Known, counted_of, merged_pieces, rows_of
from engine.pieces import Counted, Performance
from engine.spark import collect
from engine.windows import Window
from signals.coverage import Coverage
from signals.error_sums import Errors
from signals.outcomes import Outcomes
from signals.rankings import Rankings
from signals.segments import EVERYTHING, Segment

__all__ = ["performances"]

ONE_GROUP = ("bucket", "since", GROUP)
"""Rows that are equal in these are items of one ranked group."""
AT_ONCE = 250_000
"""Rows that are sorted by piece at once, so that a piece's rows of many batches are counted together."""


def performances(join: Join) -> tuple[dict[Window, list[Counted]], float]:
    """By bucket what was counted for each measure of a join, and the CPU seconds that tasks spent counting.

    Raises:
        DataError: when data cannot be read.
    """
    rows = labelled(join)
    if join.ranked_by:  # a group's rows meet in one task, one after the other
        rows = rows.repartition(GROUP).sortWithinPartitions(*ONE_GROUP)
    return counted_of(collect(merged_pieces(_states(rows, join))), join)


def _states(rows: DataFrame, join: Join) -> DataFrame:
    # The join itself knows Spark, and so cannot travel.
    keys, layers, pairs, measures = Keys(len(join.all_cutoffs)), layers_of(join.buckets), join.pairs, join.measures
    segments = join.segments if segment_words(join) else ()
    together = ONE_GROUP if join.ranked_by else ()

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        began = process_time()
        found: Found = {}
        for table in _gathered(batches, together):
            for key, part in _by_piece(table, keys):
                known = _known(part)
                for number, measure in enumerate(measures):
                    pair = pairs.index(measure.pair)
                    mine = _of_segment(part, measure, pair, segments)
                    if mine.num_rows:
                        _add(found, (key, number), _counted(mine, pair, measure), known)
            for number, measure in enumerate(measures):
                if Wanted.ORPHANS in measure.wanted:
                    for bucket, orphans in _orphans(table, pairs.index(measure.pair), layers):
                        _add(found, (int(keys.of(bucket, -1, -1)), number), orphans, EVER)
        yield from rows_of(found, process_time() - began)

    return rows.mapInArrow(work, from_arrow_schema(PIECE_SCHEMA))


def _gathered(batches: Iterator[pa.RecordBatch], together: Sequence[str]) -> Iterator[pa.Table]:
    """Many rows at a time; those that follow each other and are equal in these columns are not taken apart."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(each.num_rows for each in held) >= AT_ONCE:
            table = pa.Table.from_batches(held)
            last = _like_the_last(table, together) if together else 0
            if table.num_rows > last:
                yield table.slice(0, table.num_rows - last)
                held = table.slice(table.num_rows - last).to_batches()
    if held:
        yield pa.Table.from_batches(held)


def _like_the_last(table: pa.Table, names: Sequence[str]) -> int:
    """How many rows at the end are equal to the last one in these columns; none where that has a null."""
    same = [pc.equal(table[name], table[name][-1]) for name in names]
    return pc.sum(reduce(pc.and_, same)).as_py() or 0


def _by_piece(table: pa.Table, keys: Keys) -> Iterator[tuple[int, pa.Table]]:
    """The predictions' rows of each piece."""
    mine = table.filter(pc.greater_equal(table["bucket"], 0))
    if not mine.num_rows:
        return
    bucket, since, until = (mine[name].to_numpy().astype(np.int64) for name in ("bucket", "since", "until"))
    key = keys.of(bucket, since, until)
    order = np.argsort(key, kind="stable")
    mine, key = mine.take(pa.array(order)), key[order]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(key)], strict=True):
        yield int(key[start]), mine.slice(start, end - start)


def _of_segment(part: pa.Table, measure: Measure, pair: int, segments: Sequence[Segment]) -> pa.Table:
    mask = np.ones(part.num_rows, np.bool_)
    if measure.predicted != EVERYTHING:
        mask &= in_segment(part, segments.index(measure.predicted))
    if measure.labelled != EVERYTHING:
        actual = part[f"actual_{pair}"].combine_chunks()
        mask &= measure.labelled.mask({measure.pair.actual: actual}, part.num_rows)
    return part if mask.all() else part.filter(pa.array(mask))


def _counted(rows: pa.Table, number: int, measure: Measure) -> Performance:
    wanted = measure.wanted
    prediction, score, actual, naive, labels, late, digest = (
        rows[f"{name}_{number}"].combine_chunks()
        for name in ("prediction", "score", "actual", "naive", "labels", "late", "digest")
    )
    before = naive if Wanted.NAIVE in wanted else None
    coverage = Coverage(
        rows=rows.num_rows,
        labelled=pc.sum(pc.is_valid(actual)).as_py() or 0,
        late=pc.sum(late).as_py() or 0,
        truth_rows=pc.sum(labels).as_py() or 0,
        duplicate_truth_rows=pc.sum(pc.max_element_wise(pc.subtract(labels, 1), 0)).as_py() or 0,
    )
    return Performance(
        Outcomes.of(actual, prediction, score, of_all=Wanted.PREDICTIONS in wanted)
        if Wanted.OUTCOMES in wanted
        else Outcomes.empty(),
        Errors.of(actual, prediction, before) if Wanted.ERRORS in wanted else Errors.empty(),
        coverage,
        int(np.sum(digest.to_numpy().view(np.uint64), dtype=np.uint64)),  # it wraps around, as it is meant to
        _rankings(rows, score, actual, measure.ranked_by) if measure.ranked_by else Rankings.empty(),
    )


def _rankings(rows: pa.Table, score: pa.Array, actual: pa.Array, ranked_by: RankedBy) -> Rankings:
    group, rank = rows[GROUP].combine_chunks(), rows[RANK].combine_chunks()
    points = score if ranked_by.rank is None else pc.negate(rank)
    return Rankings.of(group, points, actual, ranked_by.ats, ranked_by.relevant)


def _known(part: pa.Table) -> Known:
    last, following = pc.max(part["known_from"]).as_py(), pc.min(part["known_to"]).as_py()
    return EVER[0] if last is None else last, EVER[1] if following is None else following


def _orphans(table: pa.Table, number: int, layers: Sequence[Layer]) -> Iterator[tuple[int, Performance]]:
    """A pair's labels that became known in a bucket without a prediction of it, or of some time before."""
    ids = table.filter(pc.and_(table["first"], pc.is_valid(table[f"known_at_{number}"])))
    known_at, first_at, last_at = (ids[name].to_numpy() for name in (f"known_at_{number}", "first_at", "last_at"))
    lookback = ORPHAN_LOOKBACK // timedelta(microseconds=1)
    for layer in layers:
        place = layer.places(known_at)
        missed = (last_at < layer.starts[place] - lookback) | (first_at >= layer.ends[place])
        counts = np.bincount(place[(place >= 0) & missed], minlength=len(layer.numbers))
        for found in np.flatnonzero(counts).tolist():
            coverage = Coverage(orphans=int(counts[found]), truth_rows=int(counts[found]))
            yield int(layer.numbers[found]), Performance(Outcomes.empty(), Errors.empty(), coverage)


def _add(found: Found, key: tuple[int, int], more: Performance, known: Known) -> None:
    if key in found:
        held, (since, until) = found[key]
        more, known = held + more, (max(since, known[0]), min(until, known[1]))
    found[key] = more, known
