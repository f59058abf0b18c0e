"""When does "every second week on Monday at 03:15" fall?

What it counts from (the anchor) is the trigger's `start_time`; without one, 1970-01-01 00:00 in the trigger's time
zone, and for weeks the Monday of that week (1969-12-29). So "every 3 days" names the same days to everybody who asks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import product
from zoneinfo import ZoneInfo

from engine.local_clock import instant, instants_of

__all__ = ["Frequency", "Recurrence"]

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock time, in whichever zone the trigger has
MONDAY = 0


class Frequency(StrEnum):
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


STEPS = {Frequency.MINUTE: timedelta(minutes=1), Frequency.HOUR: timedelta(hours=1)}


@dataclass(frozen=True)
class Recurrence:
    """Every `interval` minutes, hours, days, weeks or months.

    Minutes and hours are elapsed time, so a clock change neither skips nor repeats one. Days, weeks and months are
    those of the local calendar; a month without its day 31 is left out.

    Attributes:
        hours, minutes: every combination of them is a time of day; without hours the anchor's hour, without minutes
            minute 0, without both the anchor's time. For `hour`, minutes are minutes of the local hour.
        week_days: Monday is 0. For `week` without them the anchor's. For `month` every such day of the month.
        month_days: for `month`; without them and week days the anchor's day. With both, either makes a day due.
    """

    frequency: Frequency
    interval: int = 1
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    week_days: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()

    def between(self, start: datetime, end: datetime, zone: ZoneInfo, anchor: datetime | None) -> Iterator[datetime]:
        """UTC instants in [start, end), in order. `anchor` is aware; an instant may come twice."""
        if self.frequency in STEPS:
            yield from self._elapsed(start, end, zone, anchor or instant(EPOCH, zone))
            return
        since = anchor.astimezone(zone).replace(tzinfo=None) if anchor else EPOCH
        # A day more on either side: a local time may be shifted over midnight.
        first, last = (_local_date(at, zone) + timedelta(days) for at, days in ((start, -1), (end, 1)))
        times = self._times(since)
        for day in self._days(first, last, since, anchored=anchor is not None):
            yield from (at for at in instants_of(day, times, zone) if start <= at < end)

    def _elapsed(self, start: datetime, end: datetime, zone: ZoneInfo, anchor: datetime) -> Iterator[datetime]:
        step = STEPS[self.frequency] * self.interval
        # A step early: minutes of the hour may put an instant later than its step.
        at = anchor.astimezone(UTC) + (start - anchor) // step * step - step
        while at < end + STEPS[self.frequency]:
            yield from (hit for hit in self._minutes_of_hour(at, zone) if start <= hit < end)
            at += step

    def _minutes_of_hour(self, at: datetime, zone: ZoneInfo) -> list[datetime]:
        if self.frequency is not Frequency.HOUR or not self.minutes:
            return [at]
        local = at.astimezone(zone)
        return [local.replace(minute=minute, second=0).astimezone(UTC) for minute in sorted(self.minutes)]

    def _times(self, since: datetime) -> list[time]:
        if not self.hours and not self.minutes:
            return [since.time()]
        pairs = product(self.hours or (since.hour,), self.minutes or (0,))
        return [time(hour, minute) for hour, minute in pairs]

    def _days(self, first: date, last: date, since: datetime, *, anchored: bool) -> Iterator[date]:
        origin = since.date()
        if self.frequency is Frequency.DAY:
            return _every(self.interval, origin, max(first, origin), last)
        if self.frequency is Frequency.WEEK:
            return self._week_days(first, last, origin, self.week_days or ((origin.weekday() if anchored else MONDAY),))
        return self._month_days(first, last, origin)

    def _week_days(self, first: date, last: date, origin: date, week_days: tuple[int, ...]) -> Iterator[date]:
        monday = origin - timedelta(origin.weekday())
        for week in _every(7 * self.interval, monday, max(first - timedelta(6), monday), last):
            yield from (week + timedelta(day) for day in sorted(week_days))

    def _month_days(self, first: date, last: date, origin: date) -> Iterator[date]:
        listed = self.month_days or (() if self.week_days else (origin.day,))
        for day in _every(1, origin, max(first, origin.replace(day=1)), last):
            months = (day.year - origin.year) * 12 + day.month - origin.month
            if months % self.interval == 0 and (day.day in listed or day.weekday() in self.week_days):
                yield day


def _every(days: int, origin: date, first: date, last: date) -> Iterator[date]:
    """Each date ``origin + k * days`` from `first` to `last`, both included."""
    for offset in range((origin - first).days % days, (last - first).days + 1, days):
        yield first + timedelta(offset)


def _local_date(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()
