"""What would a metric have said that nobody asked for? Measured now, from the profiles that are kept.

A row says on which profiles it stands; another metric of the same feature in the same run stands on them, too.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from engine.instants import instant_of, instants_in, time_of
from engine.judgements import DYNAMIC, Check, Judgements, Value
from engine.kept_windows import window_profiles
from engine.replays import Setting
from engine.results import AGGREGATE
from engine.store import Store
from engine.store.profiles import ProfileKey
from engine.windows import Window
from signals.binning import Binning, BinningMethod
from signals.bins import Bins
from signals.catalogue import Family, Metric
from signals.change import Change
from signals.columns import measure_column
from signals.measurement import Measurement
from signals.metrics import METRICS
from signals.profile import Profile
from signals.verdicts import Status

__all__ = ["Remeasured", "remeasure", "unmeasured"]

RUNS_AT_ONCE = 30
"""Rows with all their evidence are long: of so many runs they are read at a time."""
TIMES = ("scheduled_for", "window_start", "window_end", "baseline_start", "baseline_end")
WORDS = (
    "signal", "signal_type", "group", "group_dimension", "metric_name", "metric_value", "status", "threshold_kind",
    "details",
)  # fmt: skip
FAMILIES = {
    "data_drift": Family.DRIFT,
    "prediction_drift": Family.DRIFT,
    "data_quality": Family.QUALITY,
}
"""What can be told from the profiles that a signal of this type stands on."""

JUDGED = (Status.OK, Status.BREACHED)
MICROSECOND = timedelta(microseconds=1)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """One feature in one run, and what its rows stand on.

    Attributes:
        signal, group, dimension: which feature, of which segment.
        family: of the metrics that its profiles can tell.
        run: the run's place among the times.
        judged: whether its values were judged; too few rows are too few for every metric.
        current, baseline: the profiles, each a window's, with its dataset; None: there is no baseline.
        binning, nulls: how it is compared.
    """

    signal: str
    group: str
    dimension: str | None
    family: Family
    run: int
    judged: bool
    current: tuple[str, ProfileKey]
    baseline: tuple[str, ProfileKey] | None
    binning: Binning
    nulls: str


@dataclass(frozen=True, slots=True)
class Remeasured:
    """What could be measured.

    Attributes:
        values: of checks that there were not.
        missing: by metric, of how many values the profiles are not kept.
    """

    values: Sequence[Value] = ()
    missing: Mapping[str, int] = field(default_factory=dict[str, int])


def unmeasured(judgements: Judgements, settings: Sequence[Setting]) -> list[Setting]:
    """The settings of metrics that no row of the range has, and that profiles can tell."""
    told = [setting for setting in settings if METRICS[setting.metric].family in FAMILIES.values()]
    return [setting for setting in told if not setting.assigned(judgements).places]


def remeasure(store: Store, monitor: str, judgements: Judgements, settings: Sequence[Setting]) -> Remeasured:
    """Measure what these settings are about in every run, as far as its profiles are kept.

    Raises:
        StoreError: the store cannot be read.
    """
    found = list(_standings(store, monitor, judgements, {setting.signal for setting in settings}))
    bins = store.find_bins({each.current[1].bins_id for each in found})
    profiles = _profiles(store, found, bins)
    values, missing = list[Value](), defaultdict[str, int](int)
    for each in found:
        for metric in _asked(each, settings, bins):
            sides = _sides(each, profiles)
            if sides is None:
                missing[metric.name] += 1
            else:
                values.append(_value(each, metric, *sides))
    return Remeasured(tuple(sorted(values, key=lambda value: value.run)), dict(missing))


def _asked(standing: Standing, settings: Sequence[Setting], bins: Mapping[str, Bins]) -> list[Metric]:
    """The metrics that are to be measured of a feature; those that are not for its kind are not."""
    known = bins.get(standing.current[1].bins_id)
    found: dict[str, Metric] = {}
    for setting in settings:
        metric = METRICS[setting.metric]
        meant = setting.holds_for(Check(standing.signal, standing.group, standing.dimension, metric.name))
        if meant and metric.family is standing.family and (known is None or known.kind in metric.kinds):
            found[metric.name] = metric
    return list(found.values())


def _value(standing: Standing, metric: Metric, current: Profile, baseline: Profile | None) -> Value:
    check = Check(standing.signal, standing.group, standing.dimension, metric.name)
    change = None if baseline is None else Change(current, baseline, standing.binning, standing.nulls)
    result = measure_column(metric, current, baseline, change)
    value = result.value if isinstance(result, Measurement) else np.nan
    return Value(check, standing.run, value, standing.judged and not np.isnan(value))


# ----------------------------------------------------------------------------------------------------- profiles


def _profiles(
    store: Store, standings: Sequence[Standing], bins: Mapping[str, Bins]
) -> dict[tuple[str, ProfileKey], Profile]:
    wanted: defaultdict[str, set[ProfileKey]] = defaultdict(set)
    for each in standings:
        for dataset, key in (each.current, *([each.baseline] if each.baseline else [])):
            wanted[dataset].add(key)
    return {
        (dataset, key): profile
        for dataset, keys in wanted.items()
        for key, profile in window_profiles(store, dataset, keys, bins).items()
    }


def _sides(
    standing: Standing, profiles: Mapping[tuple[str, ProfileKey], Profile]
) -> tuple[Profile, Profile | None] | None:
    """Both sides' profiles; None where one of them is not kept."""
    current = profiles.get(standing.current)
    baseline = profiles.get(standing.baseline) if standing.baseline else None
    return None if current is None or (standing.baseline and baseline is None) else (current, baseline)


# ---------------------------------------------------------------------------------------------------- standings


def _standings(
    store: Store, monitor: str, judgements: Judgements, signals: Collection[str | None]
) -> Iterator[Standing]:
    """One per feature and run."""
    times = judgements.times
    places = {instant_of(time): place for place, time in enumerate(times)}
    for first in range(0, len(times), RUNS_AT_ONCE):
        last = min(first + RUNS_AT_ONCE, len(times)) - 1
        found: dict[tuple[Any, ...], Standing] = {}
        for row in _rows(store, monitor, times[first], times[last]):
            if row["scheduled_for"] in places and (None in signals or row["signal"] in signals):
                key = (row["scheduled_for"], row["signal"], row["group"], row["group_dimension"])
                found[key] = _standing(row, places[row["scheduled_for"]], found.get(key))
        yield from found.values()


def _rows(store: Store, monitor: str, first: datetime, last: datetime) -> Iterator[Row]:
    """The values of features in these runs, with their evidence."""
    names = (*TIMES, *WORDS)
    table = store.read_metrics(monitor=monitor, start=first, end=last + MICROSECOND, columns=names)
    columns = [*(instants_in(table[name]) for name in TIMES), *(table[name].to_pylist() for name in WORDS)]
    for cells in zip(*columns, strict=True):
        row = dict(zip(names, cells, strict=True))
        if row["metric_value"] is not None and _family(row["metric_name"]) is FAMILIES.get(row["signal_type"]):
            yield row | {"details": json.loads(row["details"])}


def _family(metric: str) -> Family | None:
    return METRICS[metric].family if metric in METRICS else None


def _standing(row: Row, run: int, known: Standing | None) -> Standing:
    """What a row tells; not every row of a feature tells how it is compared."""
    found = known or _new_standing(row, run)
    details, judged = row["details"], row["status"] in JUDGED or row["threshold_kind"] == DYNAMIC
    if "edges" in details:
        found = replace(found, binning=Binning(BinningMethod.EDGES, edges=tuple(details["edges"])))
    if isinstance(details.get("nulls"), str):  # of quality it is how many there are
        found = replace(found, nulls=details["nulls"])
    return replace(found, judged=found.judged or judged)


def _new_standing(row: Row, run: int) -> Standing:
    details, segment = row["details"], row["details"].get("segment", AGGREGATE)
    bins_id = details.get("bins_id", "")
    current = ProfileKey(row["group"], bins_id, _window(row["window_start"], row["window_end"]), segment)
    baseline = ProfileKey(
        details.get("baseline_column", row["group"]),
        bins_id,
        _window(row["baseline_start"], row["baseline_end"]),
        details.get("baseline_segment", AGGREGATE),
    )
    return Standing(
        signal=row["signal"],
        group=row["group"],
        dimension=row["group_dimension"],
        family=FAMILIES[row["signal_type"]],
        run=run,
        judged=False,
        current=(details.get("dataset", ""), current),
        baseline=(details["baseline_dataset"], baseline) if "baseline_dataset" in details else None,
        binning=Binning(),
        nulls="bin",
    )


def _window(start: int | None, end: int | None) -> Window | None:
    return None if start is None or end is None else Window(time_of(start), time_of(end))
