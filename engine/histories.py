"""What did a check come to before? Its earlier values, those of the store and those of this very backfill."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from engine.monitor import Monitor
from engine.results import CheckKey, MetricRow
from engine.store import Store
from signals.thresholds import DynamicThreshold

__all__ = ["Histories", "Point"]

Point = tuple[datetime, float]
"""A scheduled time and the value that was found for it."""


class Histories:
    """The earlier values of a monitor's checks that have a dynamic threshold.

    A backfill hands in the rows of each time before it judges the next, so that it judges as if the times had been
    evaluated one after the other. What the store holds of these times is about to be replaced, and does not count.

    Args:
        store: where earlier runs are; None: only what is added counts.
        monitor: its definition says which checks need a history, and how long a one.
        times: the scheduled times of this evaluation, ascending.

    Raises:
        StoreError: the store cannot be read.
    """

    def __init__(self, store: Store | None, monitor: Monitor, times: Sequence[datetime]) -> None:
        lookbacks = _lookbacks(monitor)
        self._metrics = frozenset(lookbacks)
        self._points: dict[CheckKey, list[Point]] = {}
        if store and lookbacks:
            start = times[0] - max(lookbacks.values())
            stored, replaced = store.history(monitor.name, self._metrics, start, times[-1]), set(times)
            for check, points in stored.items():
                self._points[check] = [point for point in points if point[0] not in replaced]

    def before(self, check: CheckKey, time: datetime, lookback: timedelta) -> list[Point]:
        """The check's values of ``time - lookback <= t < time``, in order of time."""
        points = self._points.get(check, [])
        first, last = (bisect_left(points, at, key=lambda point: point[0]) for at in (time - lookback, time))
        return points[first:last]

    def add(self, rows: Iterable[MetricRow]) -> None:
        """Take in the rows of one time, later than all that were added before."""
        for row in rows:
            if row.counts and row.metric_value is not None and (row.signal, row.metric_name) in self._metrics:
                points = self._points.setdefault(row.key, [])
                place = bisect_left(points, row.scheduled_for, key=lambda point: point[0])
                points.insert(place, (row.scheduled_for, row.metric_value))


def _lookbacks(monitor: Monitor) -> dict[tuple[str, str], timedelta]:
    """By signal and metric how far back a dynamic threshold looks at most."""
    found: dict[tuple[str, str], timedelta] = {}
    for signal in monitor.signals:
        for request in signal.metrics:
            if isinstance(request.threshold, DynamicThreshold):
                known = found.get((signal.name, request.metric), timedelta(0))
                found[signal.name, request.metric] = max(known, request.threshold.lookback)
    return found
