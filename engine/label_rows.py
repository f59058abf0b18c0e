"""Predictions and labels as Spark joins them: an id as text, instants as numbers, every column of one type."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import reduce

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.batches import Batches, Work
from engine.joins import ORPHAN_LOOKBACK, Join, layers_of
from engine.monitor import Columns
from engine.plain import read_ids, read_plain
from signals.bins import ValueType
from signals.segments import EVERYTHING, masks
from signals.timestamps import UNDATED, read_instants
from signals.values import value_type_of

__all__ = [
    "GROUP", "ID", "OUTSIDE", "RANK", "TIME", "in_segment", "label_columns", "label_schema", "label_type",
    "labels_work", "prediction_columns", "prediction_schema", "predictions_work", "ranking_words", "read_at",
    "segment_words",
]  # fmt: skip

OUTSIDE = -1
"""The bucket of a prediction that lies in none, and is read so that its label is not taken for an orphan."""
ID, TIME = "id", "at"
"""The columns of the correlation id and of the prediction's instant."""
GROUP, RANK = "group", "rank"
"""The columns of a ranked item's group, as an id, and of its rank."""
PER_WORD = 63
"""So many segments are one int64 column, a bit for each."""

Mask = npt.NDArray[np.bool_]


# ----------------------------------------------------------------------------------------- the predictions' rows


def prediction_columns(join: Join) -> tuple[str, ...]:
    roles = (join.roles.timestamp, join.roles.correlation_id)
    pairs = [name for pair in join.pairs for name in (pair.prediction, pair.score)]
    actuals = [] if join.truth else [pair.actual for pair in join.pairs]
    filtered = [name for segment in join.segments for name in segment.columns]
    ranking = [join.ranked_by.group, join.ranked_by.rank] if join.ranked_by else []
    return tuple(dict.fromkeys(name for name in (*roles, *pairs, *actuals, *filtered, *ranking) if name is not None))


def prediction_schema(join: Join) -> pa.Schema:
    columns = join.production.columns
    numbers = [(name, pa.int32()) for name in ("bucket", "cut", "last_cut")]
    fields = [*numbers, (ID, pa.string()), (TIME, pa.int64()), *((name, pa.int64()) for name in segment_words(join))]
    fields += [(name, pa.string() if name == GROUP else pa.float64()) for name in ranking_words(join)]
    for number, pair in enumerate(join.pairs):
        fields += [(f"prediction_{number}", label_type(columns, pair.prediction)), (f"score_{number}", pa.float64())]
        fields += [] if join.truth else [(f"actual_{number}", label_type(columns, pair.actual))]
    return pa.schema(fields)


def predictions_work(join: Join) -> Work:
    """Predictions with their bucket, each once where buckets do not overlap, and with columns of one type each."""
    roles, pairs, prejoined, orphans, segments = join.roles, join.pairs, join.truth is None, join.orphans, join.segments
    layers, (first_cuts, last_cuts) = layers_of(join.buckets), join.cuts()
    earliest = min(layer.starts[0] for layer in layers) - ORPHAN_LOOKBACK // timedelta(microseconds=1)
    latest = max(layer.ends[-1] for layer in layers)
    schema, words, ranked_by = prediction_schema(join), segment_words(join), join.ranked_by

    def work(batches: Batches, task: int) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            at = read_at(batch.arrays, roles, batch.size)
            own: dict[str, pa.Array] = {TIME: pa.array(at)}
            own[ID] = read_ids(batch.arrays.get(roles.correlation_id or ""), batch.size)
            if ranked_by is not None:
                own[GROUP] = read_ids(batch.arrays.get(ranked_by.group), batch.size)
                own[RANK] = read_plain(batch.arrays.get(ranked_by.rank or ""), pa.float64(), batch.size)
            for number, pair in enumerate(pairs):
                names = {"prediction": pair.prediction, "score": pair.score}
                names |= {"actual": pair.actual} if prejoined else {}
                for role, name in names.items():
                    kind = schema.field(f"{role}_{number}").type
                    own[f"{role}_{number}"] = read_plain(batch.arrays.get(name or ""), kind, batch.size)
            members = masks(segments or (EVERYTHING,), batch.arrays, batch.size)
            own |= dict(zip(words, _as_words(members), strict=True)) if words else {}
            wanted, inside = members.any(axis=0), np.zeros(batch.size, np.bool_)
            for layer in layers:
                place = layer.places(at)
                rows = np.flatnonzero((place >= 0) & wanted)
                inside[rows] = True
                bucket = layer.numbers[place[rows]]
                yield from _taken(own, rows, bucket, first_cuts[bucket], last_cuts[bucket], schema)
            if orphans:
                before = np.flatnonzero(~inside & (at >= earliest) & (at < latest))
                none = np.zeros(len(before), np.int32)
                yield from _taken(own, before, none + OUTSIDE, none, none, schema)

    return work


def _taken(  # noqa: PLR0917 - a column each
    arrays: Mapping[str, pa.Array],
    rows: npt.NDArray[np.intp],
    bucket: npt.NDArray[np.integer],
    cut: npt.NDArray[np.int32],
    last_cut: npt.NDArray[np.int32],
    schema: pa.Schema,
) -> Iterator[pa.RecordBatch]:
    if not len(rows):
        return
    places = pa.array(rows)
    taken = {name: array.take(places) for name, array in arrays.items()}
    taken |= {"bucket": pa.array(bucket, pa.int32()), "cut": pa.array(cut), "last_cut": pa.array(last_cut)}
    yield pa.RecordBatch.from_arrays([taken[name] for name in schema.names], schema=schema)


def ranking_words(join: Join) -> tuple[str, ...]:
    """The columns that say how items are ranked; none where none are."""
    return (GROUP, RANK) if join.ranked_by else ()


# ----------------------------------------------------------------------------------------------------- segments


def segment_words(join: Join) -> tuple[str, ...]:
    """The columns that say in which segments a prediction is; none where all predictions are wanted."""
    if join.segments in ((), (EVERYTHING,)):
        return ()
    return tuple(f"segments_{word}" for word in range(-(-len(join.segments) // PER_WORD)))


def in_segment(rows: pa.Table, number: int) -> Mask:
    """bool[rows]: which of these predictions are in the segment of this number."""
    words = rows[f"segments_{number // PER_WORD}"].to_numpy()
    return (words >> (number % PER_WORD)) & 1 > 0


def _as_words(members: Mask) -> Iterator[pa.Array]:
    for first in range(0, len(members), PER_WORD):
        mine = members[first : first + PER_WORD].astype(np.int64)
        yield pa.array((mine << np.arange(len(mine))[:, None]).sum(axis=0))


# ------------------------------------------------------------------------------------------------ the labels' rows


def label_columns(join: Join) -> tuple[str, ...]:
    roles = (join.truth_roles.timestamp, join.truth_roles.correlation_id)
    return tuple(dict.fromkeys(name for name in (*roles, *(pair.actual for pair in join.pairs)) if name is not None))


def label_schema(join: Join) -> pa.Schema:
    columns = {} if join.truth is None else join.truth.columns
    actuals = [(f"actual_{number}", label_type(columns, pair.actual)) for number, pair in enumerate(join.pairs)]
    return pa.schema([(ID, pa.string()), ("known_at", pa.int64()), ("cut", pa.int32()), *actuals])


def labels_work(join: Join) -> Work:
    """Labels with the first cutoff that allows them; rows without an id or with no label at all are none."""
    roles, pairs, cutoffs = join.truth_roles, join.pairs, join.all_cutoffs
    schema = label_schema(join)

    def work(batches: Batches, task: int) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            known_at = read_at(batch.arrays, roles, batch.size)
            # A label of unknown age has always been known.
            cut = np.where(known_at == UNDATED, 0, np.searchsorted(cutoffs, known_at)).astype(np.int32)
            actuals = [
                read_plain(batch.arrays.get(pair.actual), schema.field(f"actual_{number}").type, batch.size)
                for number, pair in enumerate(pairs)
            ]
            ids = read_ids(batch.arrays.get(roles.correlation_id or ""), batch.size)
            dated = pa.array(known_at, mask=known_at == UNDATED)
            rows = pa.RecordBatch.from_arrays([ids, dated, pa.array(cut), *actuals], schema=schema)
            labelled = reduce(pc.or_, [pc.is_valid(actual) for actual in actuals])
            yield rows.filter(pc.and_(pc.is_valid(ids), labelled))

    return work


# ------------------------------------------------------------------------------------------------------- columns


def read_at(arrays: Mapping[str, pa.Array], roles: Columns, size: int) -> npt.NDArray[np.int64]:
    """int64[size], microseconds: when rows happened, or labels became known."""
    found = arrays.get(roles.timestamp or "")
    return np.full(size, UNDATED) if found is None else read_instants(found, roles.timestamp_format)


LABEL_TYPES = {ValueType.INTEGER: pa.int64(), ValueType.DOUBLE: pa.float64(), ValueType.BOOLEAN: pa.bool_()}
"""All others are text."""


def label_type(columns: Mapping[str, pa.DataType], name: str | None) -> pa.DataType:
    """The type in which predictions and labels of a column travel."""
    value_type = value_type_of(columns[name]) if name is not None and name in columns else None
    return LABEL_TYPES.get(value_type or ValueType.STRING, pa.string())
