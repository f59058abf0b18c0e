"""What every metric that a signal asks for says of every group: numbers with their evidence, or reasons."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from engine.answered import Answered
from engine.measured import DATASET, Measured, broken
from engine.monitor import MetricRequest, Signal
from engine.performed import measure_performance
from engine.scored import Scored
from engine.sides import Comparison
from engine.watched import Watched
from engine.windows import Window
from signals.catalogue import Family, Kind, Metric
from signals.change import Change
from signals.columns import measure_column
from signals.measurement import Measurement, Undefined
from signals.metrics import METRICS
from signals.profile import CategoricalProfile, Profile, most_frequent
from signals.quality import Dataset
from signals.segments import AGGREGATE

__all__ = ["measure"]

NAMED = 20
"""How many unseen values the evidence names."""


def measure(found: Comparison | Scored | Answered, scheduled_for: datetime) -> list[Measured]:
    """Every metric that a signal asks for, at one scheduled time."""
    if isinstance(found, Answered):
        return found.at(scheduled_for)
    answers = (
        measure_performance(found, scheduled_for)
        if isinstance(found, Scored)
        else _measure_comparison(found, scheduled_for)
    )
    remark, segment = _gone(found.vanished(scheduled_for)), found.segment
    if remark is None and segment == AGGREGATE:
        return answers
    own = (AGGREGATE, None)
    return [replace(each, remark=remark, segment=segment if each.segment in own else each.segment) for each in answers]


def _gone(vanished: Mapping[str, int]) -> str | None:
    """Why these answers are not what a scan of the source would find today; None: they are."""
    said = " and ".join(f"{count:,} of {name}" for name, count in vanished.items() if count)
    return f"buckets that are no longer in the source are counted as they were kept: {said}" if said else None


def _measure_comparison(found: Comparison, scheduled_for: datetime) -> list[Measured]:
    signal, window = found.plan.signal, found.plan.windows[scheduled_for]
    if found.trouble:
        return [broken(DATASET, request, found.trouble) for request in _each_once(signal)]
    current, baseline = found.current(window), found.baseline(found.plan.baselines[scheduled_for])
    importances = found.importances.get(found.plan.baselines[scheduled_for])
    shares = importances.shares if importances else {}
    answers: list[Measured] = []
    for watched in found.watched_at(scheduled_for):
        before = baseline.get(watched.baseline or "")
        measured = _measure_column(found, watched, current.get(watched.column), before)
        answers += (replace(each, importance=shares.get(watched.group)) for each in measured)
    answers += _measure_dataset(found, window, baseline)
    return answers


# ------------------------------------------------------------------------------------------------------ columns


def _measure_column(
    found: Comparison, watched: Watched, current: Profile | None, baseline: Profile | None
) -> Iterator[Measured]:
    signal, known = found.plan.signal, current or baseline
    kind = known.bins.kind if known else None
    requests = list(_requests(signal, watched.group, kind))
    if watched.trouble:
        yield from (broken(watched.group, request, watched.trouble) for request in requests)
        return
    if current is None:
        return
    change = None if baseline is None else Change(current, baseline, signal.binning, signal.nulls)
    evidence = _standing_on(found, watched, current)
    for request in requests:
        result = measure_column(METRICS[request.metric], current, baseline, change)
        yield Measured(watched.group, request, _with(evidence, result), current.rows)


def _requests(signal: Signal, group: str, kind: Kind | None) -> Iterator[MetricRequest]:
    """What is asked of a column; what is asked of it by name wins over what is asked of all."""
    named = {request.metric for request in signal.metrics if request.feature == group}
    seen: set[str] = set()
    for request in signal.metrics:
        metric = METRICS[request.metric]
        meant = request.feature == group or (request.feature is None and request.metric not in named)
        fits = kind is None or (kind in metric.kinds and request.kind in (None, kind))
        if not meant or not fits or metric.family is Family.DATASET or (kind is None and request.metric in seen):
            continue
        seen.add(request.metric)
        yield request


def _standing_on(found: Comparison, watched: Watched, current: Profile) -> dict[str, Any]:
    """What a value stands on: the kept profiles and their bins, and the values that the baseline does not have."""
    evidence: dict[str, Any] = {"bins_id": current.bins.id}
    evidence |= {name: side.key for name, side in zip(("dataset", "baseline_dataset"), found.sides, strict=False)}
    segments = zip(("segment", "baseline_segment"), (side.segment for side in found.sides), strict=False)
    evidence |= {name: segment.name for name, segment in segments if segment.conditions}
    if watched.baseline != watched.column:
        evidence["baseline_column"] = watched.baseline
    if isinstance(current, CategoricalProfile) and current.unseen and current.bins.complete:
        evidence["unseen"] = most_frequent(current.unseen, NAMED)
    return evidence


def _with(evidence: dict[str, Any], result: Measurement | Undefined) -> Measurement | Undefined:
    return result if isinstance(result, Undefined) else replace(result, details={**result.details, **evidence})


# ------------------------------------------------------------------------------------------------------ dataset


def _measure_dataset(found: Comparison, window: Window, baseline: Mapping[str, Profile]) -> Iterator[Measured]:
    asked = [request for request in found.plan.signal.metrics if METRICS[request.metric].family is Family.DATASET]
    rows = found.rows(window)
    duplicates = found.duplicates[window] if found.duplicates else None
    dataset = Dataset(
        rows=rows,
        baseline_rows=next((profile.rows for profile in baseline.values()), None),
        duplicate_ids=duplicates.repeats if duplicates else None,
        ids=duplicates.ids if duplicates else None,
        latest=found.latest(window),
        window_end=window.end,
    )
    for request in asked:
        metric: Metric = METRICS[request.metric]
        yield Measured(DATASET, request, metric.compute(dataset), rows)


def _each_once(signal: Signal) -> Iterator[MetricRequest]:
    seen: set[str] = set()
    for request in signal.metrics:
        if request.metric not in seen:
            seen.add(request.metric)
            yield request
