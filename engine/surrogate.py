"""What does a target depend on? A random forest learns it, and is asked how much worse it gets without each feature.

A forest of Spark ML is grown on one half of the rows. In the other half the values of one feature at a time are dealt
out anew among the rows: what the forest's error grows by is the feature's importance (Breiman 2001; Fisher, Rudin &
Dominici 2019). A feature that only looks useful, as one with many categories does to a tree, makes nothing worse there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from engine.errors import DataError
from engine.spark import SPARK_ERRORS, collect, parallelism, said_by
from signals.encoding import Encoded, Target
from signals.measurement import Undefined

__all__ = ["FEWEST_ROWS", "Surrogate", "fit_surrogate"]

FEWEST_ROWS = 50
"""Fewer rows with a target are not learnt from."""
TREES, DEPTH, BINS, LEAF = 30, 6, 64, 5
SEED = 20130101
ROWS_PER_FEATURE = 10_000
"""So many rows are looked at for each feature, the same ones several times where they are fewer."""
MOST_REPEATS = 5
VALUES_AT_ONCE = 40_000_000
"""So many numbers are handed to the forest at most, unless `FEWEST_HELD_OUT` rows are more."""
FEWEST_HELD_OUT = 1_000
WHOLE = -1
"""The place of no feature: the rows as they are."""
ROWS = pa.schema([("place", pa.int32()), ("x", pa.list_(pa.float64())), ("y", pa.float64())])
ERRORS = pa.schema([("place", pa.int32()), ("error", pa.float64()), ("rows", pa.int64())])
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Surrogate:
    """What a forest learnt.

    Attributes:
        importances: float64[features], how much its squared error grows without each, 0 or more.
        explained: the share of the target's variance that it explains in rows that it has not seen; at most 1.
    """

    importances: Floats
    explained: float


def fit_surrogate(spark: SparkSession, features: Encoded, target: Target) -> Surrogate | Undefined:
    """Grow a forest and ask it for the features' importances; the same for the same rows in the same order.

    The order has to have nothing to do with the rows: every other one is held out.

    Raises:
        DataError: when this session has no Spark ML.
    """
    rows = np.flatnonzero(target.known)
    if len(rows) < FEWEST_ROWS:
        return Undefined(f"it is known in {len(rows):,} rows, and a surrogate needs {FEWEST_ROWS}")
    seen, held_out = rows[::2], rows[1::2]
    x, y = features.x, target.y
    if len(np.unique(y[seen])) < 2 or not np.ptp(y[held_out]):
        return Undefined("it is nearly always the same")
    metadata = _metadata(features)
    try:
        model = _forest(target).fit(_vectors(_frame(spark, x[seen], y[seen]), metadata))
    except SPARK_ERRORS as error:
        hint = "columns with attributions (data_column_names.attributions) need none"
        raise DataError(f"Spark ML cannot fit a surrogate in this session: {said_by(error)}; {hint}") from error
    held_out = held_out[: max(FEWEST_HELD_OUT, VALUES_AT_ONCE // x.shape[1] ** 2)]
    errors = _errors(_dealt(spark, x[held_out], y[held_out]), metadata, model, target.classes)
    grown = np.array([errors[place] - errors[WHOLE] for place in range(x.shape[1])])
    return Surrogate(np.maximum(grown, 0.0), 1 - errors[WHOLE] / _spread(y[held_out], target.classes))


def _forest(target: Target) -> Any:
    # Imported where it is needed, which most runs do without; and pyspark gives its estimators no types.
    from pyspark.ml.classification import RandomForestClassifier
    from pyspark.ml.regression import RandomForestRegressor

    kind = RandomForestRegressor if target.classes is None else RandomForestClassifier
    # A third of the features at each node, for classes too: with few that matter the usual root is blind too often.
    return kind(
        numTrees=TREES, maxDepth=DEPTH, maxBins=BINS, minInstancesPerNode=LEAF, seed=SEED,
        featureSubsetStrategy="onethird",
    )  # fmt: skip


def _frame(spark: SparkSession, x: Floats, y: Floats) -> DataFrame:
    """Rows in one partition, in their order: what Spark draws depends on both."""
    return spark.createDataFrame(_rows(0, x, y)).coalesce(1)


def _rows(place: int, x: Floats, y: Floats) -> pa.Table:
    values = pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), x.shape[1]).cast(pa.list_(pa.float64()))
    return pa.Table.from_arrays([pa.array(np.full(len(y), place, np.int32)), values, pa.array(y)], schema=ROWS)


def _metadata(features: Encoded) -> dict[str, object]:
    """Which elements of a vector are categories, as Spark ML writes it beside a column."""
    places = range(len(features.names))
    numeric = [{"idx": place, "name": f"f{place}"} for place in places if place not in features.arities]
    nominal = [
        {"idx": place, "name": f"f{place}", "vals": [str(code) for code in range(count)]}
        for place, count in features.arities.items()
    ]
    known = {name: each for name, each in (("numeric", numeric), ("nominal", nominal)) if each}
    return {"ml_attr": {"attrs": known, "num_attrs": len(features.names)}}


def _vectors(rows: DataFrame, metadata: dict[str, object]) -> DataFrame:
    from pyspark.ml.functions import array_to_vector

    vector = array_to_vector(F.col("x")).alias("features", metadata=metadata)
    return rows.select("place", vector, F.col("y").alias("label"))


# ------------------------------------------------------------------------------------------------------ permuting


def _dealt(spark: SparkSession, x: Floats, y: Floats) -> DataFrame:
    """The rows as they are, and once more for each feature with its values dealt out anew, in several tasks."""
    places = spark.range(WHOLE, x.shape[1], 1, parallelism(spark))
    return places.mapInArrow(partial(_deal, x=x, y=y), from_arrow_schema(ROWS))


def _deal(batches: Iterator[pa.RecordBatch], x: Floats, y: Floats) -> Iterator[pa.RecordBatch]:
    repeats = max(1, min(MOST_REPEATS, ROWS_PER_FEATURE // len(y), VALUES_AT_ONCE // (x.shape[1] * x.size)))
    for batch in batches:
        for place in batch.column(0).to_pylist():
            if place == WHOLE:
                yield from _rows(place, x, y).to_batches()
                continue
            order = np.random.default_rng([SEED, place])
            for _ in range(repeats):
                dealt = x.copy()
                dealt[:, place] = x[order.permutation(len(x)), place]
                yield from _rows(place, dealt, y).to_batches()


def _errors(rows: DataFrame, metadata: dict[str, object], model: Any, classes: int | None) -> dict[int, float]:
    """By place the mean squared error; of classes that of all their probabilities together (Brier 1950)."""
    from pyspark.ml.functions import vector_to_array

    said = model.transform(_vectors(rows, metadata))
    answer = F.array("prediction") if classes is None else vector_to_array(F.col("probability"))
    answers = said.select("place", answer.alias("x"), F.col("label").alias("y"))
    summed = collect(answers.mapInArrow(partial(_squared, classes=classes), from_arrow_schema(ERRORS)))
    totals: dict[int, tuple[float, int]] = {}
    for row in sorted(summed.to_pylist(), key=lambda row: (row["place"], row["error"])):
        error, count = totals.get(row["place"], (0.0, 0))
        totals[row["place"]] = (error + row["error"], count + row["rows"])
    return {place: error / count for place, (error, count) in totals.items()}


def _squared(batches: Iterator[pa.RecordBatch], classes: int | None) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if not batch.num_rows:
            continue
        said = batch.column(1).flatten().to_numpy().reshape(batch.num_rows, -1)
        y = batch.column(2).to_numpy()
        # A class that no row to learn from has is one that the forest does not know.
        true = y[:, None] if classes is None else (y[:, None] == np.arange(max(classes, said.shape[1])))
        told = np.zeros(true.shape)
        told[:, : said.shape[1]] = said
        error = ((told - true) ** 2).sum(axis=1)
        place = batch.column(0).to_numpy()
        places = np.unique(place)
        sums = [float(error[place == each].sum()) for each in places]
        sizes = [int((place == each).sum()) for each in places]
        yield pa.RecordBatch.from_arrays([pa.array(places, pa.int32()), pa.array(sums), pa.array(sizes)], schema=ERRORS)


def _spread(y: Floats, classes: int | None) -> float:
    """The mean squared error of who only knows how frequent each value is."""
    if classes is None:
        return float(np.var(y))
    shares = np.bincount(y.astype(np.intp), minlength=classes) / len(y)
    return float(1 - (shares**2).sum())
