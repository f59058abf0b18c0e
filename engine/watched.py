"""Which columns a signal watches, under which names they stand on both sides, and what is wrong with any of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pyarrow as pa

from engine.monitor import Columns, MetricRequest, Monitor, Signal, SignalType
from engine.roles import attribution_columns
from signals.bins import ValueType
from signals.catalogue import Kind
from signals.metrics import METRICS
from signals.values import column_type_of, list_type_of, value_type_of

__all__ = ["Watched", "attributed", "role_names", "watched_columns"]

LISTS = {
    ValueType.VECTOR: (Kind.EMBEDDING, "an embedding", "metric_thresholds.embedding"),
    ValueType.LIST: (Kind.LIST, "a list of strings", "data_quality's metric_thresholds.list"),
}


@dataclass(frozen=True, slots=True)
class Watched:
    """One column that a signal watches.

    Attributes:
        group: what result rows call it.
        column: its name in production.
        baseline: its name in the baseline; None for a column without one.
        trouble: why it is not profiled; None when it is.
        nested: whether that is because no metric that is asked is about such a column at all.
    """

    group: str
    column: str
    baseline: str | None
    trouble: str | None = None
    nested: bool = False


def role_names(monitor: Monitor) -> set[str]:
    """Every column that plays a role in any of the monitor's data, and so is no feature."""
    found: set[str] = set()
    for signal in monitor.signals:
        for data in (*signal.production, *([signal.reference] if signal.reference else [])):
            roles = data.columns
            names = (roles.timestamp, roles.correlation_id, roles.prediction, roles.score, roles.actual)
            of_ranking = (roles.group, roles.rank)
            found |= {name for name in (*names, *of_ranking) if name} | set(data.source.partitions)
    return found


def attributed(monitor: Monitor, columns: Mapping[str, pa.DataType]) -> set[str]:
    """Those of a dataset's columns that any of the monitor's data takes for attributions, and so are no features."""
    sides = [data for signal in monitor.signals for data in (*signal.production, signal.reference) if data]
    return {name for data in sides for name in attribution_columns(data.columns, columns).values()}


def watched_columns(  # noqa: PLR0917 - production and baseline, each with its columns and roles
    signal: Signal,
    production: Mapping[str, pa.DataType],
    baseline: Mapping[str, pa.DataType] | None,
    production_roles: Columns,
    baseline_roles: Columns | None,
    roles: Collection[str],
) -> list[Watched]:
    """What the signal watches: its features, or the predictions.

    Without a list of features these are all columns of production and of the baseline that play no role in the
    monitor; one that only one side has is watched too, so that its loss is told.
    """
    if signal.type is SignalType.PREDICTION_DRIFT:
        return _predictions(_Sides(signal, production, baseline), production_roles, baseline_roles)
    every = (*production, *(name for name in baseline or {} if name not in production))
    names = signal.features.names or tuple(name for name in every if name not in roles)
    sides = _Sides(signal, production, baseline)
    return [sides.watched(name, name, needs_baseline=baseline is not None) for name in names]


@dataclass(frozen=True, slots=True)
class _Sides:
    """The columns of both sides, and the signal that watches some of them."""

    signal: Signal
    production: Mapping[str, pa.DataType]
    baseline: Mapping[str, pa.DataType] | None

    def watched(self, name: str, other: str, *, needs_baseline: bool = True) -> Watched:
        """A column of production and the baseline's that it is compared with."""
        missing = self._missing(name, other, needs_baseline=needs_baseline)
        nested = None if missing else self._nested(name, other) or self._unasked(name, other)
        return Watched(name, name, other, missing or nested, nested is not None)

    def _missing(self, name: str, other: str, *, needs_baseline: bool) -> str | None:
        if name not in self.production:
            return f"the column {name!r} is missing in production"
        if needs_baseline and other not in (self.baseline or {}):
            return f"the column {other!r} is missing in the baseline"
        return None

    def _nested(self, name: str, other: str) -> str | None:
        """What has no distribution; lists that the baseline has, too, are another matter."""
        before = (self.baseline or {}).get(other)
        lists = before is None or list_type_of(before)
        for side, kind in (("production", self.production[name]), ("the baseline", before)):
            if kind is not None and (column_type_of(kind) if lists else value_type_of(kind)) is None:
                return f"the column {name!r} is nested or binary in {side} ({kind}): it has no distribution"
        return None

    def _unasked(self, name: str, other: str) -> str | None:
        """Lists have metrics of their own, which nobody gets unasked."""
        arrow = (self.baseline or {}).get(other, self.production[name])
        found = list_type_of(arrow)
        if found is None:
            return None
        kind, what, where = LISTS[found]
        if any(self._asks(request, name, kind) for request in self.signal.metrics):
            return None
        return f"the column {name!r} is {what} ({arrow}): no metric of {where} is asked of it"

    def _asks(self, request: MetricRequest, name: str, kind: Kind) -> bool:
        if kind not in METRICS[request.metric].kinds or request.feature not in (None, name):
            return False
        listed = self.signal.features.names is not None
        return request.feature == name or request.kind is kind or (request.kind is None and listed)


def _predictions(sides: _Sides, now: Columns, before: Columns | None) -> list[Watched]:
    before = before or Columns()
    # A training set has the target and perhaps no prediction: then the target is what predictions are compared with.
    pairs = [(now.prediction, before.prediction or before.actual or now.prediction), (now.score, before.score)]
    return [sides.watched(column, other) for column, other in pairs if column is not None and other is not None]
