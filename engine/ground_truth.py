"""How labels reach the predictions that they belong to: a join by correlation id that drops and multiplies nothing.

Of several labels of one id the latest counts. A label that became known after a window's end counts only within the
allowed delay, so that the same window always gets the same labels. Rows without a label stay, unlabelled; labels
without a row are orphans.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import Window as Over
from pyspark.sql import functions as F

from engine.batches import Dataset
from engine.label_rows import (
    ID,
    OUTSIDE,
    TIME,
    Join,
    label_columns,
    label_schema,
    labels_work,
    prediction_columns,
    prediction_schema,
    predictions_work,
)

__all__ = ["labelled"]

DAY = 86_400_000_000
ALONE = {"window": OUTSIDE, "first": True, "first_at": 2**63 - 1, "last_at": -(2**63)}
"""What is true of a label without a prediction: it is in no window, and was predicted at no time."""


def labelled(join: Join) -> DataFrame:
    """One row per prediction and window; where orphans are asked for, also one per label without a prediction.

    Columns: ``window`` (-1 outside of all), and for each pair number i ``prediction_i``, ``score_i``, ``actual_i``,
    ``naive_i``, ``labels_i`` (how many labels of this id count), ``late_i`` (it has labels, but none that counts).
    For orphans also ``known_at_i`` (when the id's last label became known), ``first`` (one row of each id) and the
    id's first and last prediction, ``first_at`` and ``last_at``; instants are microseconds.
    """
    predictions = join.production.map(predictions_work(join), prediction_columns(join), prediction_schema(join))
    numbers = range(len(join.pairs))
    if join.truth is None:
        rows = predictions.withColumns(
            {name: value for number in numbers for name, value in _own_label(number).items()}
        )
    else:
        rows = _with_labels(_joined(predictions, _latest_labels(join, join.truth), orphans=join.orphans), numbers)
    of_orphans = [*ALONE, *(f"known_at_{number}" for number in numbers)] if join.orphans else ["window"]
    return rows.select(*of_orphans, *_pair_columns(join))


def _own_label(number: int) -> dict[str, Column]:
    return {f"labels_{number}": F.lit(1), f"late_{number}": F.lit(False)}


def _joined(predictions: DataFrame, labels: DataFrame, *, orphans: bool) -> DataFrame:
    if not orphans:
        return predictions.join(labels, ID, "left")
    same = Over.partitionBy(ID)  # as the join needs them anyway
    numbered = predictions.withColumns(
        {
            "first": F.row_number().over(same.orderBy(TIME, "window")) == 1,
            "first_at": F.min(TIME).over(same),
            "last_at": F.max(TIME).over(same),
        }
    )
    joined = numbered.join(labels, ID, "full")
    return joined.withColumns({name: F.coalesce(name, F.lit(value)) for name, value in ALONE.items()})


def _with_labels(joined: DataFrame, numbers: range) -> DataFrame:
    last_cut = F.coalesce("cut", F.lit(2**30))
    joined = joined.withColumn("found", F.coalesce("found", F.array()))
    joined = joined.withColumn("counting", F.filter("found", lambda label: label["cut"] <= last_cut))
    return joined.withColumns({name: value for number in numbers for name, value in _label_of(number).items()})


def _label_of(number: int) -> dict[str, Column]:
    """What an id's labels say of one pair; a label that says nothing of it is none of its."""

    def count(labels: str) -> Column:
        return F.aggregate(labels, F.lit(0), lambda total, label: total + label[f"n_{number}"])

    def last(labels: str) -> Column:
        return F.try_element_at(F.filter(labels, lambda label: label[f"n_{number}"] > 0), F.lit(-1))[f"latest_{number}"]

    return {
        f"labels_{number}": count("counting"),
        f"late_{number}": (count("found") > 0) & (count("counting") == 0),
        f"actual_{number}": last("counting")["actual"],
        f"known_at_{number}": last("found")["known_at"],
    }


def _latest_labels(join: Join, truth: Dataset) -> DataFrame:
    """One row per id: for each cutoff the latest label of each pair that it allows and the one before does not."""
    rows = truth.map(labels_work(join), label_columns(join), label_schema(join))
    latest: dict[str, Column] = {}
    for number in range(len(join.pairs)):
        actual = F.col(f"actual_{number}")
        label = F.when(actual.isNotNull(), F.struct("known_at", actual.alias("actual")))
        latest |= {f"latest_{number}": F.max(label), f"n_{number}": F.count(actual).cast("int")}
    # Hashed by id once, rows serve both groupings and the join.
    by_cutoff = rows.repartition(ID).groupBy(ID, "cut")
    by_cutoff = by_cutoff.agg(*(column.alias(name) for name, column in latest.items()))
    return by_cutoff.groupBy(ID).agg(F.sort_array(F.collect_list(F.struct("cut", *latest))).alias("found"))


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
        own = ("prediction", "score", "actual", "labels", "late")
        found += [*(F.col(f"{name}_{number}") for name in own), naive.alias(f"naive_{number}")]
    return found
