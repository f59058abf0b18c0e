"""How labels reach the predictions that they belong to: a join by correlation id that drops and multiplies nothing.

Of several labels of one id the latest counts. A label that became known after a window's end counts only within the
allowed delay, so that the same window always gets the same labels. Rows without a label stay, unlabelled; labels
without a row are orphans.

Windows of different ends may see different labels of one row. So a row is handed on in pieces, one for each stretch of
cutoffs between which none of its labels became known: mostly one, and two where its label came in between.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import Window as Over
from pyspark.sql import functions as F

from engine.batches import Dataset
from engine.joins import Join
from engine.label_rows import (
    ID,
    OUTSIDE,
    TIME,
    label_columns,
    label_schema,
    labels_work,
    prediction_columns,
    prediction_schema,
    predictions_work,
    ranking_words,
    segment_words,
)

__all__ = ["labelled"]

DAY = 86_400_000_000
ALONE = {"bucket": OUTSIDE, "cut": 0, "last_cut": 0}
"""What is true of a label without a prediction: it is in no bucket."""
UNSEEN = {"first": True, "first_at": 2**63 - 1, "last_at": -(2**63)}
"""And it was predicted at no time."""


def labelled(join: Join) -> DataFrame:
    """One row per prediction, bucket and piece; where orphans are asked for, also one per label without a prediction.

    Columns: ``bucket`` (-1 outside of all); ``since`` and ``until``, the places of the first cutoff that the row is for
    and of the first that it is not for any more; ``known_from``, when the latest of its labels that count became known,
    and ``known_to``, when the next one does; the segments' words; ``group`` and ``rank`` where items are ranked; and
    for each pair number i ``prediction_i``, ``score_i``, ``actual_i``, ``naive_i``, ``labels_i`` (how many labels of
    this id count), ``late_i`` (it has labels, but none that counts) and ``digest_i`` (of what counts, and of the row's
    instant). For orphans also ``known_at_i`` (when the id's last label became known), ``first`` (one row of each id)
    and the id's first and last prediction, ``first_at`` and ``last_at``; instants are microseconds.
    """
    predictions = join.production.map(predictions_work(join), prediction_columns(join), prediction_schema(join))
    numbers = range(len(join.pairs))
    if join.truth is None:
        own = {name: value for number in numbers for name, value in _own_label(number).items()}
        rows = predictions.withColumns({**_whole(), **own})
    else:
        joined = _joined(predictions, _latest_labels(join, join.truth), orphans=join.orphans)
        pieces = _in_pieces(joined, every=join.by_cutoff) if join.cutoffs else joined.withColumns(_whole())
        rows = _with_labels(pieces, numbers)
    of_orphans = [*UNSEEN, *(f"known_at_{number}" for number in numbers)] if join.orphans else []
    words = (*segment_words(join), *ranking_words(join))
    return rows.select("bucket", *_whole(), *words, *of_orphans, *_pair_columns(join))


def _own_label(number: int) -> dict[str, Column]:
    return {f"labels_{number}": F.lit(1), f"late_{number}": F.lit(False)}


def _joined(predictions: DataFrame, labels: DataFrame, *, orphans: bool) -> DataFrame:
    if not orphans:
        joined = predictions.join(labels, ID, "left")
    else:
        same = Over.partitionBy(ID)  # as the join needs them anyway
        numbered = predictions.withColumns(
            {
                "first": F.row_number().over(same.orderBy(TIME, "bucket")) == 1,
                "first_at": F.min(TIME).over(same),
                "last_at": F.max(TIME).over(same),
            }
        )
        joined = numbered.join(labels, ID, "full")
        joined = joined.withColumns(
            {name: F.coalesce(name, F.lit(value)) for name, value in {**ALONE, **UNSEEN}.items()}
        )
    return joined.withColumn("found", F.coalesce("found", F.array()))


# ------------------------------------------------------------------------------------------------------- pieces


def _whole() -> dict[str, Column]:
    """The one piece of a row whose labels always count."""
    unknown = F.lit(None).cast("long")
    return {"since": F.lit(0), "until": F.lit(1), "known_from": unknown, "known_to": unknown}


def _in_pieces(joined: DataFrame, *, every: bool) -> DataFrame:
    """Each row as often as its labels change from its bucket's first cutoff to its last; or once for every cutoff."""
    later = F.filter("found", lambda label: (label["cut"] > F.col("cut")) & (label["cut"] <= F.col("last_cut")))
    changes = F.concat(F.array("cut"), F.transform(later, lambda label: label["cut"]))
    starts = F.sequence("cut", "last_cut") if every else changes
    pieces = joined.withColumn("starts", starts).select("*", F.posexplode("starts").alias("place", "since"))
    counting = F.filter("found", lambda label: label["cut"] <= F.col("since"))
    coming = F.filter("found", lambda label: label["cut"] > F.col("since"))
    found = {
        "until": F.coalesce(F.try_element_at("starts", F.col("place") + 2), F.col("last_cut") + 1),
        "known_from": F.try_element_at(counting, F.lit(-1))["to_at"],
        "known_to": F.try_element_at(coming, F.lit(1))["from_at"],
    }
    if "first" in joined.columns:
        found["first"] = F.col("first") & (F.col("place") == 0)
    return pieces.withColumns(found)


def _with_labels(pieces: DataFrame, numbers: range) -> DataFrame:
    rows = pieces.withColumn("counting", F.filter("found", lambda label: label["cut"] <= F.col("since")))
    return rows.withColumns({name: value for number in numbers for name, value in _label_of(number).items()})


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
    latest: dict[str, Column] = {"from_at": F.min("known_at"), "to_at": F.max("known_at")}
    for number in range(len(join.pairs)):
        actual = F.col(f"actual_{number}")
        label = F.when(actual.isNotNull(), F.struct("known_at", actual.alias("actual")))
        latest |= {f"latest_{number}": F.max(label), f"n_{number}": F.count(actual).cast("int")}
    # Hashed by id once, rows serve both groupings and the join.
    by_cutoff = rows.repartition(ID).groupBy(ID, "cut")
    by_cutoff = by_cutoff.agg(*(column.alias(name) for name, column in latest.items()))
    found = F.sort_array(F.collect_list(F.struct("cut", *latest)))
    return by_cutoff.groupBy(ID).agg(found.alias("found"))


# -------------------------------------------------------------------------------------------------------- pairs


def _pair_columns(join: Join) -> list[Column]:
    found: list[Column] = []
    for number in range(len(join.pairs)):
        said, score, actual, labels = (
            F.col(f"{name}_{number}") for name in ("prediction", "score", "actual", "labels")
        )
        naive = _naive(number) if join.naive else F.lit(None).cast("double")
        # Hashing passes over nulls, so that they are said apart.
        absent = [column.isNull() for column in (said, score, actual)]
        digest = F.xxhash64(TIME, said, score, actual, labels, *absent, *_ranking_digest(join))
        found += [said, score, actual, labels, F.col(f"late_{number}")]
        found += [naive.alias(f"naive_{number}"), digest.alias(f"digest_{number}")]
    return found


def _ranking_digest(join: Join) -> list[Column]:
    """What else of a ranked item matters."""
    words = [F.col(name) for name in ranking_words(join)]
    return [*words, *(word.isNull() for word in words)]


def _naive(number: int) -> Column:
    """The difference from the previous labelled row of the same bucket and day, by the labels that count then.

    Days are independent, so that no task sorts everything.
    """
    order = Over.partitionBy("bucket", "since", F.floor(F.col(TIME) / DAY)).orderBy(TIME, ID)
    value = F.col(f"actual_{number}").try_cast("double")
    before = order.rowsBetween(Over.unboundedPreceding, -1)
    return F.abs(value - F.last(value, ignorenulls=True).over(before))
