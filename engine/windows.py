"""Which stretch of time a run looks at: half-open [start, end), UTC, worked out from the scheduled time."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import isodate

from engine.monitor import FixedWindow, LookbackWindow, WindowDefinition
from engine.triggers import Cron, Frequency, Trigger

__all__ = ["Role", "Window", "default_window", "reference_window", "resolve"]

Role = Literal["production", "reference"]


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """``start <= t < end``; both aware, both UTC."""

    start: datetime
    end: datetime

    def __hash__(self) -> int:
        return hash(self.start)  # enough to tell buckets apart, and half the work

    def __post_init__(self) -> None:
        if self.start.tzinfo is not UTC or self.end.tzinfo is not UTC:
            raise ValueError("a window's ends are in UTC")


def resolve(definition: WindowDefinition, scheduled_for: datetime) -> Window:
    """The window of the run that was scheduled for this (aware) time.

    Durations are taken from the UTC calendar: a day is 24 hours whatever the clocks of a country do, and a month back
    from a day that the shorter month lacks is that month's last day (31 March - P1M = 28 or 29 February).
    """
    if isinstance(definition, FixedWindow):
        return Window(definition.start.astimezone(UTC), definition.end.astimezone(UTC))
    end = scheduled_for.astimezone(UTC) - isodate.parse_duration(definition.offset)
    return Window(end - isodate.parse_duration(definition.size), end)


def default_window(trigger: Trigger, role: Role) -> LookbackWindow:
    """The window where a definition names none, as Azure has it.

    A production window covers the trigger's interval of i days, weeks (7i days) or months (30i days), one day for
    minutes and hours, and seven for cron. Its reference is twice as long and ends where it starts.
    """
    production = LookbackWindow(size=f"P{_days(trigger)}D", offset="P0D")
    if role == "production":
        return production
    return LookbackWindow(size=f"P{2 * _days(trigger)}D", offset=production.size)


def reference_window(production: WindowDefinition) -> WindowDefinition:
    """The recent past of a production window: twice as long, and ending where it starts."""
    if isinstance(production, FixedWindow):
        length = production.end - production.start
        return FixedWindow(production.start - 2 * length, production.start)
    size, offset = isodate.parse_duration(production.size), isodate.parse_duration(production.offset)
    return LookbackWindow(isodate.duration_isoformat(size + size), isodate.duration_isoformat(offset + size))


def _days(trigger: Trigger) -> int:
    if isinstance(trigger.rule, Cron):
        return 7
    per_interval = {Frequency.DAY: 1, Frequency.WEEK: 7, Frequency.MONTH: 30}
    return per_interval.get(trigger.rule.frequency, 0) * trigger.rule.interval or 1
