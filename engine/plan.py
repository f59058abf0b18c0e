"""What has to be read for these scheduled times: for each signal its windows and its baseline's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.buckets import step_of_monitor
from engine.monitor import Monitor, Signal
from engine.windows import Window, resolve

__all__ = ["SignalPlan", "plan_of", "planned"]


@dataclass(frozen=True)
class SignalPlan:
    """One signal at several scheduled times.

    Attributes:
        monitor: whose signal it is.
        signal: the signal.
        windows: by scheduled time.
        baselines: by scheduled time the window of the baseline; None where it is used whole, or there is none.
        step: the length of the buckets that windows are made of.
    """

    monitor: Monitor
    signal: Signal
    windows: dict[datetime, Window]
    baselines: dict[datetime, Window | None]
    step: timedelta

    @property
    def distinct_windows(self) -> tuple[Window, ...]:
        """The windows, in order, each once."""
        return tuple(sorted(set(self.windows.values())))

    @property
    def distinct_baselines(self) -> tuple[Window | None, ...]:
        """The baseline's windows, each once; the one element None for a baseline that is used whole."""
        dated = sorted({window for window in self.baselines.values() if window is not None})
        return tuple(dated) or (None,)


def plan_of(monitor: Monitor, times: Sequence[datetime]) -> list[SignalPlan]:
    """The windows of every signal of a monitor at these scheduled times (aware)."""
    step = step_of_monitor(monitor)
    return [planned(monitor, signal, times, step) for signal in monitor.signals]


def planned(monitor: Monitor, signal: Signal, times: Sequence[datetime], step: timedelta) -> SignalPlan:
    """The windows of one signal at these scheduled times (aware), made of buckets of this length."""
    window = signal.custom.window if signal.custom else signal.production[0].window
    if window is None:
        raise ValueError(f"{signal.name}: production data needs a window")
    reference = signal.reference.window if signal.reference else None
    return SignalPlan(
        monitor,
        signal,
        {time: resolve(window, time) for time in times},
        {time: None if reference is None else resolve(reference, time) for time in times},
        step,
    )
