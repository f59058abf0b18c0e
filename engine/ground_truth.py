"""How labels reach the predictions that they belong to: a join by correlation id that drops and multiplies nothing.

Of several labels of one id the latest counts. A label that became known after a window's end counts only within the
allowed delay, so that the same window always gets the same labels. Rows without a label stay, unlabelled; labels
without a row are orphans.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import Window as Over
from pyspark.sql import functions as F

from engine.batches import Dataset
from engine.label_rows import (
    ID,
    TIME,
    Join,
    Pair,
    label_columns,
    label_ddl,
    labels_work,
    prediction_columns,
    prediction_ddl,
    predictions_work,
)

__all__ = ["labelled"]

DAY = 86_400_000_000


def labelled(join: Join) -> DataFrame:
    """One row per prediction and window, and one per orphan label.

    Columns: ``window`` (null for an orphan, -1 outside of all), ``known_at`` (microseconds), ``labels`` (how many
    labels of this id count), ``late`` (it has labels, but none that counts), and for each pair number i
    ``prediction_i``, ``score_i``, ``actual_i``, ``naive_i``.
    """
    predictions = join.production.map(predictions_work(join), prediction_columns(join), prediction_ddl(join))
    if join.truth is None:
        rows = predictions.withColumns(
            {"labels": F.lit(1), "late": F.lit(False), "known_at": F.lit(None).cast("bigint")}
        )
    else:
        rows = _with_labels(predictions, _latest_labels(join, join.truth), join.pairs)
    return rows.select("window", "known_at", "labels", "late", *_pair_columns(join))


def _with_labels(predictions: DataFrame, labels: DataFrame, pairs: Sequence[Pair]) -> DataFrame:
    joined = predictions.join(labels, ID, "full")
    counting = F.filter(F.coalesce("found", F.array()), lambda label: label["cut"] <= F.coalesce("cut", F.lit(2**30)))
    joined = joined.withColumn("counting", F.when(F.col("found").isNotNull(), counting))
    last = F.try_element_at("counting", F.lit(-1))["latest"]
    return joined.withColumns(
        {
            "labels": F.coalesce(F.aggregate("counting", F.lit(0), lambda total, label: total + label["n"]), F.lit(0)),
            "late": F.col("found").isNotNull() & (F.size("counting") == 0),
            "known_at": last["known_at"],
            **{f"actual_{number}": last[f"actual_{number}"] for number in range(len(pairs))},
        }
    )


def _latest_labels(join: Join, truth: Dataset) -> DataFrame:
    """One row per id: for each cutoff the latest label that it allows and the one before does not."""
    rows = truth.map(labels_work(join), label_columns(join), label_ddl(join))
    actuals = [f"actual_{number}" for number in range(len(join.pairs))]
    # Hashed by id once, rows serve both groupings and the join.
    by_cutoff = rows.repartition(ID).groupBy(ID, "cut")
    latest = by_cutoff.agg(F.max(F.struct("known_at", *actuals)).alias("latest"), F.count("*").cast("int").alias("n"))
    return latest.groupBy(ID).agg(F.sort_array(F.collect_list(F.struct("cut", "latest", "n"))).alias("found"))


def _pair_columns(join: Join) -> list[Column]:
    found: list[Column] = []
    for number in range(len(join.pairs)):
        actual = F.col(f"actual_{number}")
        naive = F.lit(None).cast("double")
        if join.naive:
            # The previous labelled row of the same day: days are independent, so that no task sorts everything.
            order = Over.partitionBy("window", F.floor(F.col(TIME) / DAY)).orderBy(TIME, ID)
            value = actual.try_cast("double")
            before = order.rowsBetween(Over.unboundedPreceding, -1)
            naive = F.abs(value - F.last(value, ignorenulls=True).over(before))
        found += [F.col(f"prediction_{number}"), F.col(f"score_{number}"), actual, naive.alias(f"naive_{number}")]
    return found
