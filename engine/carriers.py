"""Which values of other columns carried the shift of features that breached? Evidence for rows that are judged."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from datetime import datetime

from pyspark.sql import DataFrame, SparkSession

from engine.comparisons import freeze
from engine.divided import Asked, Divided, divide, trouble_with
from engine.errors import DataError
from engine.monitor import Monitor
from engine.plan import SignalPlan, plan_of
from engine.readings import Readings
from engine.results import MetricRow
from engine.sides import Comparison, open_sides
from engine.store import Store
from engine.watched import Watched
from signals.bin_names import OTHER
from signals.carriers import Carrier, Partition, carriers, own_value, together
from signals.measurement import Undefined
from signals.prices import SPLITTABLE
from signals.verdicts import Status

__all__ = ["MOST_CARRIERS", "Explanation", "explain", "with_carriers"]

MOST_CARRIERS = 10
"""How many values of a dimension evidence names: those that carry most, either way."""

Name = tuple[str, str]
"""A monitor's and a signal's."""


@dataclass(frozen=True)
class Explanation:
    """What the values of one dimension carried of one metric's shift.

    Attributes:
        dimension: the column.
        carriers: the values that carry most, either way, from the largest share to the least.
        rest: all others together; None where there are none.
        more: how many others there are, rare values as one.
        own: by value the metric of its rows alone; only of values where it was asked for and there is one.
        reason: why the shift cannot be split; None when it can.
    """

    dimension: str
    carriers: tuple[Carrier, ...] = ()
    rest: Carrier | None = None
    more: int = 0
    own: Mapping[str, float] = field(default_factory=dict[str, float])
    reason: str | None = None


def explain(
    spark: SparkSession,
    monitor: Monitor,
    time: datetime,
    *,
    feature: str,
    metrics: Mapping[str, Sequence[str]],
    dimensions: Sequence[str],
    store: Store | None = None,
    frames: Mapping[str, DataFrame] | None = None,
) -> dict[tuple[str, str], list[Explanation]]:
    """What the values of these columns carried of a feature's shift, by signal and metric.

    Args:
        spark: the caller's session.
        monitor: whose feature it is.
        time: the scheduled time.
        feature: the group of one of its columns.
        metrics: canonical names, by the name of the signal that measures them.
        dimensions: columns.
        store: where bins and profiles are kept; what is counted for the answer is kept there, too.
        frames: the caller's own DataFrames by table name.

    Raises:
        DataError: a dimension is no column of the data, or they cannot be read.
    """
    readings = Readings(spark, frames or {})
    plans = [_narrowed(plan, feature) for plan in plan_of(monitor, [time]) if plan.signal.name in metrics]
    found = open_sides(plans, readings)
    _refuse([each.trouble for each in found])
    _refuse([trouble_with(each, name) for each in found for name in dimensions])
    freeze(found, readings, store)
    _refuse([each.trouble for each in found])
    asked = [Asked(each, _features(each, {feature}), tuple(dimensions), (time,)) for each in found if each.reference]
    return {
        (each.found.plan.signal.name, metric): [
            _explanation(metric, place.dimension, part, own=True) for place, part in divided.items()
        ]
        for each, divided in zip(asked, divide(asked, readings, store), strict=True)
        for metric in metrics[each.found.plan.signal.name]
    }


def _refuse(troubles: Sequence[str | None]) -> None:
    if wrong := [trouble for trouble in troubles if trouble]:
        raise DataError("\n".join(dict.fromkeys(wrong)))


def _narrowed(plan: SignalPlan, feature: str) -> SignalPlan:
    """The plan with this feature alone: nothing else has to be binned."""
    features = plan.signal.features
    if features.names is not None and feature not in features.names:
        return plan
    return replace(plan, signal=replace(plan.signal, features=replace(features, names=(feature,))))


def with_carriers(
    rows: Sequence[MetricRow], found: Sequence[Comparison], readings: Readings, store: Store | None
) -> list[MetricRow]:
    """The rows, those that breached with what carried them among their details, where their signal says by what.

    ``carried_by`` is a list of ``[dimension, value, share, mix, within, current_rows, baseline_rows]``, of each
    dimension the values that carry most (`signals.carriers.Carrier`); ``carried_by_rest`` has by dimension how many
    other values there are and, in the same order, what they carry together; ``not_carried_by`` says by dimension why a
    shift cannot be split. Data that cannot be read a second time leave the rows as they are, with a note in the run.
    """
    asked = _asked(rows, found, readings)
    try:
        divided = dict(zip(asked, divide(list(asked.values()), readings, store), strict=True))
    except DataError as error:
        readings.note(f"breaches are not explained: {error}")
        return list(rows)
    return [_with_details(row, divided.get((row.monitor, row.signal), {})) for row in rows]


def _asked(rows: Sequence[MetricRow], found: Sequence[Comparison], readings: Readings) -> dict[Name, Asked]:
    """What has to be divided for these rows, by monitor and signal."""
    breaches: dict[Name, list[MetricRow]] = {}
    for row in rows:
        if row.status is Status.BREACHED and row.metric_name in SPLITTABLE:
            breaches.setdefault((row.monitor, row.signal), []).append(row)
    asked: dict[Name, Asked] = {}
    for each in found:
        name = (each.plan.monitor.name, each.plan.signal.name)
        features = _features(each, {row.group for row in breaches.get(name, [])})
        dimensions = _dimensions(each, readings) if features and each.reference else ()
        if dimensions:
            times = tuple(dict.fromkeys(row.scheduled_for for row in breaches[name]))
            asked[name] = Asked(each, features, dimensions, times)
    return asked


def _features(found: Comparison, groups: set[str]) -> tuple[Watched, ...]:
    return tuple(
        each for each in found.watched if each.group in groups and not each.trouble and each.baseline in found.bins
    )


def _dimensions(found: Comparison, readings: Readings) -> tuple[str, ...]:
    """The signal's dimensions that there are; the others are noted."""
    wrong = {name: trouble_with(found, name) for name in found.plan.signal.explain_by}
    for trouble in wrong.values():
        if trouble:
            readings.note(f"{found.plan.signal.name}: {trouble}", found.sides[0].dataset.title)
    return tuple(name for name, trouble in wrong.items() if not trouble)


def _with_details(row: MetricRow, divided: Divided) -> MetricRow:
    """The row with its carriers; a column is not explained by itself, because its bins say that already."""
    if row.status is not Status.BREACHED or row.metric_name not in SPLITTABLE:
        return row
    mine = [
        _explanation(row.metric_name, place.dimension, each)
        for place, each in divided.items()
        if (place.time, place.feature) == (row.scheduled_for, row.group) and place.dimension != row.group
    ]
    said = {
        "carried_by": [[each.dimension, *astuple(one)] for each in mine for one in each.carriers],
        "carried_by_rest": {each.dimension: [each.more, *astuple(each.rest)[1:]] for each in mine if each.rest},
        "not_carried_by": {each.dimension: each.reason for each in mine if each.reason},
    }
    return replace(row, details={**row.details, **{name: each for name, each in said.items() if each}})


def _explanation(metric: str, dimension: str, partition: Partition | Undefined, *, own: bool = False) -> Explanation:
    if isinstance(partition, Undefined):
        return Explanation(dimension, reason=partition.reason)
    found = carriers(metric, partition)
    if isinstance(found, Undefined):
        return Explanation(dimension, reason=found.reason)
    known = [each for each in found if each.value != OTHER]  # rare values are one more of the others, not a value
    named = sorted(known, key=lambda each: -abs(each.share))[:MOST_CARRIERS]
    others = [each for each in found if each not in named]
    values = {each.value: own_value(metric, partition, each.value) for each in named if own}
    return Explanation(
        dimension,
        tuple(each for each in found if each in named),
        together(others, "the rest") if others else None,
        len(others),
        {value: each for value, each in values.items() if each is not None},
    )
