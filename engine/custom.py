"""Custom signals: what does a component of the user's own say of each window?"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from engine.answered import Answered, answered_each
from engine.batches import Dataset, Span
from engine.component_modules import source_digest
from engine.components import iso, read_from
from engine.custom_answers import custom_answers
from engine.custom_rows import CustomRow, custom_rows
from engine.errors import DataError
from engine.frames import frame_of
from engine.measured import DATASET, Measured
from engine.monitor import Columns, Custom, MetricRequest
from engine.plan import SignalPlan
from engine.readings import Readings
from engine.roles import require
from engine.scanning import span_of
from engine.store import Store
from engine.windows import Window, resolve
from signals.thresholds import FixedThreshold

__all__ = ["answer_custom"]

OUTPUT = "signal_metrics"
Opened = Mapping[str, tuple[Dataset, Columns]]


def answer_custom(
    plans: Sequence[SignalPlan], readings: Readings, store: Store | None, *, refresh: bool
) -> list[Answered]:
    """Call each signal's component, once for each of its windows; nothing of it is kept, so it is always called.

    What goes wrong at one time is said in the rows of that time.
    """
    del store, refresh
    for plan in plans:
        for name, span in _spans(plan).items():
            readings.expect((_custom(plan).data[name],), span)
    return [_answered(plan, readings) for plan in plans]


def _custom(plan: SignalPlan) -> Custom:
    assert plan.signal.custom is not None
    return plan.signal.custom


def _spans(plan: SignalPlan) -> dict[str, Span]:
    """By dataset what is needed of it at all."""
    return {
        name: span_of([resolve(data.window, time) for time in plan.windows]) if data.window else Span()
        for name, data in _custom(plan).data.items()
    }


def _answered(plan: SignalPlan, readings: Readings) -> Answered:
    custom = _custom(plan)
    try:
        opened = {name: readings.opened((custom.data[name],), span) for name, span in _spans(plan).items()}
        called = _Calls(plan, readings, opened)
    except DataError as error:
        return Answered(plan, trouble=readings.failed(error))
    return answered_each(plan, readings, called.at)


class _Calls:
    """A component with what it is called with; times of one window are one call."""

    def __init__(self, plan: SignalPlan, readings: Readings, opened: Opened) -> None:
        self._plan, self._custom, self._readings, self._opened = plan, _custom(plan), readings, opened
        self._whole = {name for name, data in self._custom.data.items() if data.window is None or self._undated(name)}
        self._found: dict[tuple[Window, ...], list[CustomRow]] = {}

    def at(self, time: datetime) -> list[Measured]:
        """The component's answers at a scheduled time.

        Raises:
            DataError: it failed, or what it returned is no table of metrics.
        """
        windows = {
            name: resolve(data.window, time)
            for name, data in self._custom.data.items()
            if data.window and name not in self._whole
        }
        own = self._plan.windows[time]
        key = (own, *windows.values())
        if key not in self._found:
            self._found[key] = self._called(own, windows)
        return custom_answers(self._plan.signal, self._found[key], source_digest(self._custom.component))

    def _undated(self, name: str) -> bool:
        """Whether a dataset that nobody asked to cut cannot be cut; one that is to be cut has to be."""
        (dataset, roles) = self._opened[name]
        if name in self._custom.whole_if_undated and roles.timestamp is None:
            self._readings.note(
                f"{dataset.title} has no timestamp column: {self._plan.signal.name} gets all of it", dataset.title
            )
            return True
        require(dataset.title, "timestamp", roles.timestamp, dataset.columns)
        return False

    def _called(self, window: Window, windows: Mapping[str, Window]) -> list[CustomRow]:
        custom, spark = self._custom, self._readings.spark
        frames = {name: frame_of(dataset, roles, windows.get(name)) for name, (dataset, roles) in self._opened.items()}
        dates = {"data_window_start": iso(window.start), "data_window_end": iso(window.end)}
        given = {**dates, **_thresholds(self._plan.signal.metrics), **custom.literals, **frames}
        name = custom.component.name
        return read_from(
            spark, custom.component, custom.connection, given, OUTPUT, lambda found: custom_rows(name, found, DATASET)
        )


def _thresholds(metrics: Sequence[MetricRequest]) -> dict[str, Any]:
    """What a component gets as ``<metric_name>_threshold``."""
    fixed = ((each.metric, each.threshold) for each in metrics)
    return {f"{name}_threshold": each.value for name, each in fixed if isinstance(each, FixedThreshold)}
