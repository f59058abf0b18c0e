"""Which columns a signal watches, under which names they stand on both sides, and what is wrong with any of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pyarrow as pa

from engine.monitor import Columns, Monitor, Signal, SignalType
from engine.roles import attribution_columns
from signals.values import value_type_of

__all__ = ["Watched", "attributed", "role_names", "watched_columns"]

NO_DISTRIBUTION = ": it has no distribution"


@dataclass(frozen=True, slots=True)
class Watched:
    """One column that a signal watches.

    Attributes:
        group: what result rows call it.
        column: its name in production.
        baseline: its name in the baseline; None for a column without one.
        trouble: why it cannot be profiled; None when it can.
    """

    group: str
    column: str
    baseline: str | None
    trouble: str | None = None

    @property
    def nested(self) -> bool:
        """Whether the trouble is that such a column has no distribution at all."""
        return self.trouble is not None and self.trouble.endswith(NO_DISTRIBUTION)


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
        return _predictions(production, baseline, production_roles, baseline_roles)
    every = (*production, *(name for name in baseline or {} if name not in production))
    names = signal.features.names or tuple(name for name in every if name not in roles)
    needs_baseline = baseline is not None
    return [_feature(name, production, baseline or {}, needs_baseline=needs_baseline) for name in names]


def _feature(
    name: str, production: Mapping[str, pa.DataType], baseline: Mapping[str, pa.DataType], *, needs_baseline: bool
) -> Watched:
    return Watched(name, name, name, _trouble(name, production, baseline, name, needs_baseline=needs_baseline))


def _predictions(
    production: Mapping[str, pa.DataType],
    baseline: Mapping[str, pa.DataType] | None,
    now: Columns,
    before: Columns | None,
) -> list[Watched]:
    before = before or Columns()
    # A training set has the target and perhaps no prediction: then the target is what predictions are compared with.
    pairs = [(now.prediction, before.prediction or before.actual or now.prediction), (now.score, before.score)]
    found: list[Watched] = []
    for column, other in pairs:
        if column is None or other is None:
            continue
        found.append(Watched(column, column, other, _trouble(column, production, baseline or {}, other)))
    return found


def _trouble(
    name: str,
    production: Mapping[str, pa.DataType],
    baseline: Mapping[str, pa.DataType],
    other: str,
    *,
    needs_baseline: bool = True,
) -> str | None:
    if name not in production:
        return f"the column {name!r} is missing in production"
    if needs_baseline and other not in baseline:
        return f"the column {other!r} is missing in the baseline"
    for side, kind in (("production", production[name]), ("the baseline", baseline.get(other))):
        if kind is not None and value_type_of(kind) is None:
            return f"the column {name!r} is nested or binary in {side} ({kind}){NO_DISTRIBUTION}"
    return None
