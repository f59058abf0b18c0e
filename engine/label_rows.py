"""Predictions and labels as Spark joins them: an id as text, instants as numbers, every column of one type."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.batches import Batches, Dataset, Work
from engine.files import instants
from engine.monitor import Columns
from engine.plain import read_ids, read_plain
from engine.windows import Window
from signals.bins import ValueType
from signals.timestamps import UNDATED, read_instants
from signals.values import value_type_of

__all__ = [
    "ID", "ORPHAN_LOOKBACK", "OUTSIDE", "TIME", "Join", "Pair", "label_columns", "label_schema", "labels_work",
    "prediction_columns", "prediction_schema", "predictions_work",
]  # fmt: skip

ORPHAN_LOOKBACK = timedelta(days=30)
"""How far before a window its labels' predictions are looked for: a label that became known in the window is an orphan
when no prediction of the window, or of this time before it, has its id. Read only where orphans are asked for."""

OUTSIDE = -1
"""The window number of a prediction that lies in none, and is read so that its label is not taken for an orphan."""
ID, TIME = "id", "at"
"""The columns of the correlation id and of the prediction's instant."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What is compared: a prediction (and score) with an actual; None where there is no such column."""

    prediction: str | None
    score: str | None
    actual: str


@dataclass(frozen=True)
class Join:
    """Everything that the join of one production dataset with its ground truth needs.

    Attributes:
        production, roles: the predictions, and their timestamp and correlation id.
        truth, truth_roles: the labels; None where the predictions already carry them.
        pairs: what is compared.
        windows: in order.
        max_delay: how long after a window's end its labels still count; None: for ever.
        naive: whether the absolute difference from the previous actual is needed (MASE).
        orphans: whether labels without a prediction are counted.
    """

    production: Dataset
    roles: Columns
    truth: Dataset | None
    truth_roles: Columns
    pairs: tuple[Pair, ...]
    windows: tuple[Window, ...]
    max_delay: timedelta | None = None
    naive: bool = False
    orphans: bool = False

    @property
    def cutoffs(self) -> npt.NDArray[np.int64]:
        """int64[c], increasing: until when labels count, each window's by its end; empty where they always do."""
        if self.max_delay is None:
            return np.zeros(0, np.int64)
        return np.unique(instants([window.end + self.max_delay for window in self.windows]))


# ----------------------------------------------------------------------------------------- the predictions' rows


def prediction_columns(join: Join) -> tuple[str, ...]:
    roles = (join.roles.timestamp, join.roles.correlation_id)
    pairs = [name for pair in join.pairs for name in (pair.prediction, pair.score)]
    actuals = [] if join.truth else [pair.actual for pair in join.pairs]
    return tuple(dict.fromkeys(name for name in (*roles, *pairs, *actuals) if name is not None))


def prediction_schema(join: Join) -> pa.Schema:
    columns = join.production.columns
    fields = [("window", pa.int32()), (ID, pa.string()), (TIME, pa.int64()), ("cut", pa.int32())]
    for number, pair in enumerate(join.pairs):
        fields += [(f"prediction_{number}", _label_type(columns, pair.prediction)), (f"score_{number}", pa.float64())]
        fields += [] if join.truth else [(f"actual_{number}", _label_type(columns, pair.actual))]
    return pa.schema(fields)


def predictions_work(join: Join) -> Work:
    """Predictions by window, with their columns read as one type each."""
    roles, pairs, prejoined, orphans = join.roles, join.pairs, join.truth is None, join.orphans
    starts = instants([window.start for window in join.windows])
    ends = instants([window.end for window in join.windows])
    delay = None if join.max_delay is None else join.max_delay // timedelta(microseconds=1)
    cuts = np.zeros(len(ends), np.int32) if delay is None else np.searchsorted(join.cutoffs, ends + delay)
    earliest = starts.min() - ORPHAN_LOOKBACK // timedelta(microseconds=1)
    schema = prediction_schema(join)

    def work(batches: Batches, task: int) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            at = _instants(batch.arrays, roles, batch.size)
            arrays = {
                ID: read_ids(batch.arrays.get(roles.correlation_id or ""), batch.size),
                TIME: pa.array(at),
            }
            for number, pair in enumerate(pairs):
                own = {"prediction": pair.prediction, "score": pair.score}
                own |= {"actual": pair.actual} if prejoined else {}
                for role, name in own.items():
                    kind = schema.field(f"{role}_{number}").type
                    arrays[f"{role}_{number}"] = read_plain(batch.arrays.get(name or ""), kind, batch.size)
            inside = np.zeros(batch.size, np.bool_)
            for window in np.flatnonzero(
                (starts <= at.max(initial=UNDATED)) & (ends > at.min(initial=UNDATED))
            ).tolist():
                rows = np.flatnonzero((at >= starts[window]) & (at < ends[window]))
                inside[rows] = True
                yield from _taken(arrays, rows, window, int(cuts[window]), schema)
            if orphans:
                before = np.flatnonzero(~inside & (at >= earliest) & (at < ends.max()))
                yield from _taken(arrays, before, OUTSIDE, 0, schema)

    return work


def _taken(
    arrays: Mapping[str, pa.Array], rows: npt.NDArray[np.intp], window: int, cut: int, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    if not len(rows):
        return
    places = pa.array(rows)
    own = {"window": pa.array(np.full(len(rows), window, np.int32)), "cut": pa.array(np.full(len(rows), cut, np.int32))}
    taken = {**own, **{name: array.take(places) for name, array in arrays.items()}}
    yield pa.RecordBatch.from_arrays([taken[name] for name in schema.names], schema=schema)


# ------------------------------------------------------------------------------------------------ the labels' rows


def label_columns(join: Join) -> tuple[str, ...]:
    roles = (join.truth_roles.timestamp, join.truth_roles.correlation_id)
    return tuple(dict.fromkeys(name for name in (*roles, *(pair.actual for pair in join.pairs)) if name is not None))


def label_schema(join: Join) -> pa.Schema:
    columns = {} if join.truth is None else join.truth.columns
    actuals = [(f"actual_{number}", _label_type(columns, pair.actual)) for number, pair in enumerate(join.pairs)]
    return pa.schema([(ID, pa.string()), ("known_at", pa.int64()), ("cut", pa.int32()), *actuals])


def labels_work(join: Join) -> Work:
    """Labels with the first cutoff that allows them; rows without an id or with no label at all are none."""
    roles, pairs, cutoffs = join.truth_roles, join.pairs, join.cutoffs
    schema = label_schema(join)

    def work(batches: Batches, task: int) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            known_at = _instants(batch.arrays, roles, batch.size)
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


def _instants(arrays: Mapping[str, pa.Array], roles: Columns, size: int) -> npt.NDArray[np.int64]:
    found = arrays.get(roles.timestamp or "")
    return np.full(size, UNDATED) if found is None else read_instants(found, roles.timestamp_format)


LABEL_TYPES = {ValueType.INTEGER: pa.int64(), ValueType.DOUBLE: pa.float64(), ValueType.BOOLEAN: pa.bool_()}
"""All others are text."""


def _label_type(columns: Mapping[str, pa.DataType], name: str | None) -> pa.DataType:
    value_type = value_type_of(columns[name]) if name is not None and name in columns else None
    return LABEL_TYPES.get(value_type or ValueType.STRING, pa.string())
