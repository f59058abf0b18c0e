"""What became of predictions, for all signals that ask: one join per production dataset and ground truth."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from engine.batches import Span
from engine.errors import DataError
from engine.label_rows import ORPHAN_LOOKBACK, Join, Pair
from engine.monitor import Signal
from engine.performance import Performance, Wanted, performances
from engine.plan import SignalPlan
from engine.readings import Readings
from engine.roles import require
from engine.scanning import span_of
from engine.windows import Window
from signals.catalogue import Family
from signals.metrics import METRICS

__all__ = ["Scored", "score"]

OF_ALL_LABELS = {"orphan_ground_truth_rate", "duplicate_ground_truth_rate"}
"""Metrics that are not only about labels that have a prediction."""


@dataclass
class Scored:
    """One performance signal's states, as far as its data could be read.

    Attributes:
        plan: the signal and its windows.
        group: what result rows call the prediction.
        performance: by window.
        truth_dated: whether labels tell when they became known, without which no orphan can be told.
        trouble: why nothing could be read; None when it could.
    """

    plan: SignalPlan
    group: str = "dataset"
    performance: dict[Window, Performance] = field(default_factory=dict[Window, Performance])
    truth_dated: bool = False
    trouble: str | None = None


def score(plans: Sequence[SignalPlan], readings: Readings) -> list[Scored]:
    """Join and count what these signals measure; those that join the same data share one join."""
    found = [Scored(plan) for plan in plans]
    orphans = any(request.metric in OF_ALL_LABELS for plan in plans for request in plan.signal.metrics)
    joins: dict[str, list[tuple[Scored, Join]]] = {}
    for each in found:
        try:
            join = _join(each, readings, orphans=orphans)
        except DataError as error:
            each.trouble = readings.failed(error)
            continue
        sides = (id(join.production), join.roles.timestamp, join.roles.correlation_id, id(join.truth))
        same = (sides, join.truth_roles.timestamp, join.truth_roles.correlation_id, join.windows, join.max_delay)
        joins.setdefault(repr(same), []).append((each, join))
    for members in joins.values():
        try:
            _count(members, readings)
        except DataError as error:
            for each, _ in members:
                each.trouble = readings.failed(error)
    return found


def _join(found: Scored, readings: Readings, *, orphans: bool) -> Join:
    signal, windows = found.plan.signal, found.plan.distinct_windows
    orphans = orphans and signal.reference is not None
    span = span_of(windows)
    earliest = span.start - ORPHAN_LOOKBACK if orphans and span.start else span.start
    production, roles = readings.opened(signal.production, Span(earliest, span.end))
    require(production.title, "timestamp", roles.timestamp, production.columns)
    found.group = roles.prediction or roles.score or "dataset"
    for role, name in (("prediction", roles.prediction), ("score", roles.score)):
        if name is not None:
            require(production.title, role, name, production.columns)
    if signal.reference is None:
        actual = require(production.title, "actual", roles.actual, production.columns)
        return Join(production, roles, None, roles, (Pair(roles.prediction, roles.score, actual),), windows)
    truth, truth_roles = readings.opened((signal.reference,), Span())
    require(production.title, "correlation_id", roles.correlation_id, production.columns)
    require(truth.title, "correlation_id", truth_roles.correlation_id, truth.columns)
    actual = require(truth.title, "actual", truth_roles.actual, truth.columns)
    found.truth_dated = truth_roles.timestamp in truth.columns
    pair = Pair(roles.prediction, roles.score, actual)
    delay = signal.ground_truth.max_delay
    return Join(production, roles, truth, truth_roles, (pair,), windows, delay, orphans=orphans)


def _count(members: Sequence[tuple[Scored, Join]], readings: Readings) -> None:
    first = members[0][1]
    pairs = tuple(dict.fromkeys(join.pairs[0] for _, join in members))
    wanted = {pair: Wanted(0) for pair in pairs}
    for found, join in members:
        wanted[join.pairs[0]] |= _wanted(found.plan.signal)
    naive = any(request.metric == "mase" for found, _ in members for request in found.plan.signal.metrics)
    join = replace(first, pairs=pairs, naive=naive)
    counted, cpu_seconds = performances(join, [wanted[pair] for pair in pairs])
    sides = [side for side in (join.production, join.truth) if side is not None and side.tasks is not None]
    readings.count(sum(side.count_rows() for side in sides), cpu_seconds)
    for found, own in members:
        place = pairs.index(own.pairs[0])
        found.performance = {window: each[place] for window, each in counted.items()}


def _wanted(signal: Signal) -> Wanted:
    families = {METRICS[request.metric].family for request in signal.metrics}
    outcomes = Wanted.OUTCOMES if Family.CLASSIFICATION in families else Wanted(0)
    errors = Wanted.ERRORS if Family.REGRESSION in families else Wanted(0)
    return outcomes | errors
