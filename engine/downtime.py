"""In which hours is a monitor not evaluated, and when is it due but for them? Pure arithmetic, as triggers are."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from engine.local_clock import instant
from engine.triggers import Trigger

__all__ = ["Calendar", "Downtime", "Interrupted", "interrupted"]

TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Downtime:
    """Hours in which a monitor is not evaluated: once, or every so many days.

    Attributes:
        start: when it begins for the first time; aware.
        length: elapsed time, whatever clocks do meanwhile; shorter than the days after which it begins again.
        every_days: after so many days it begins again, at the same time on the wall clock; None: it does not.
        time_zone: whose wall clock; an IANA name. A time that a clock change skips or repeats means what it means in
            a trigger.
    """

    start: datetime
    length: timedelta
    every_days: int | None = None
    time_zone: str = "UTC"

    def until(self, time: datetime) -> datetime | None:
        """When the downtime ends that this time falls into; None: it falls into none."""
        return max((until for _, until in self.between(time, time + TICK)), default=None)

    def between(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Every downtime, from when until when, that has a part in [start, end): in order."""
        # One earlier than days alone would say: clock changes make some of them longer.
        turn = max(0, (start - self.start).days // self.every_days - 1) if self.every_days else 0
        while (begin := self._begin(turn)) < end:
            if begin + self.length > start:
                yield begin, begin + self.length
            if self.every_days is None:
                return
            turn += 1

    def _begin(self, turn: int) -> datetime:
        if turn == 0:
            return self.start
        zone = ZoneInfo(self.time_zone)
        local = self.start.astimezone(zone).replace(tzinfo=None)
        return instant(local + timedelta(turn * (self.every_days or 0)), zone)


@dataclass(frozen=True)
class Interrupted:
    """A trigger that is not due in a downtime; it answers as a trigger does."""

    trigger: Trigger
    downtime: Downtime

    @property
    def start_time(self) -> datetime | None:
        """Nothing is due before it."""
        return self.trigger.start_time

    def due(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The instants in [start, end) at which the trigger fires outside of the downtime: UTC, in order, each once."""
        at = start
        for begin, until in self.downtime.between(start, end):
            yield from self.trigger.due(at, begin)
            at = max(at, until)
        yield from self.trigger.due(at, end)


Calendar = Trigger | Interrupted
"""When a monitor is due."""


def interrupted(trigger: Trigger, downtime: Downtime | None) -> Calendar:
    """The trigger, but for a downtime where there is one."""
    return trigger if downtime is None else Interrupted(trigger, downtime)
