"""Of which steps of time are windows made? Their profiles are kept, so that a window of many is a sum.

A window is cut from its end backwards into steps of one length. So the windows of all runs of a monitor share their
steps, whatever the trigger's time of day is; where a country's clocks change, a new grid begins with the new hour.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import isodate

from engine.monitor import FixedWindow, LookbackWindow, Monitor, WindowDefinition
from engine.triggers import Trigger
from engine.windows import Window

__all__ = ["WHOLE", "step_of", "step_of_monitor", "tiles"]

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WHOLE = timedelta.max
"""The step of windows that are not cut into buckets."""
MOST = 2_500
"""A window of more steps than this is kept in one piece."""
LOOKED_AT = 60
"""Due times that tell a trigger's interval."""
SINCE = datetime(2024, 1, 1, tzinfo=UTC)


def tiles(window: Window, step: timedelta) -> tuple[Window, ...]:
    """The steps that make up a window, in order; the first may be shorter."""
    count = math.ceil((window.end - window.start) / step)
    if count > MOST:
        return (window,)
    edges = [window.end - number * step for number in range(count)] + [window.start]
    return tuple(Window(start, end) for start, end in pairwise(reversed(edges)))


@cache
def step_of(trigger: Trigger, definitions: frozenset[WindowDefinition]) -> timedelta:
    """The greatest common step of a monitor's windows, of their distances, and of its trigger's interval.

    A multiple of a day is a day and a multiple of an hour an hour, so that monitors share steps; a calendar month is a
    number of days.
    """
    lookbacks = [each for each in definitions if isinstance(each, LookbackWindow)]
    offsets = [_seconds(each.offset) for each in lookbacks]
    lengths = [_seconds(each.size) for each in lookbacks]
    lengths += [offset - min(offsets) for offset in offsets]
    lengths += [int((each.end - each.start).total_seconds()) for each in definitions if isinstance(each, FixedWindow)]
    common = math.gcd(*lengths, *_intervals(trigger)) or int(DAY.total_seconds())
    step = timedelta(seconds=common)
    return next((whole for whole in (DAY, HOUR) if step % whole == timedelta(0)), step)


def step_of_monitor(monitor: Monitor) -> timedelta:
    """The step of all windows of a monitor."""
    datas = [data for signal in monitor.signals for data in (*signal.production, signal.reference) if data]
    return step_of(monitor.trigger, frozenset(data.window for data in datas if data.window))


def _seconds(duration: str) -> int:
    parsed = isodate.parse_duration(duration)
    return int((parsed if isinstance(parsed, timedelta) else parsed.tdelta).total_seconds())


def _intervals(trigger: Trigger) -> Iterable[int]:
    """Seconds between due times on the trigger's own clock, where a day is always 24 hours."""
    since = trigger.start_time or SINCE
    due = islice(trigger.due(since, since + timedelta(days=800)), LOOKED_AT)
    local: Sequence[datetime] = [time.astimezone(ZoneInfo(trigger.time_zone)).replace(tzinfo=None) for time in due]
    return {int((later - earlier).total_seconds()) for earlier, later in pairwise(local)}
