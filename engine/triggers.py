"""When is a monitor due? Pure arithmetic on a trigger: nothing here knows what time it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from engine.cron import Cron
from engine.recurrence import Frequency, Recurrence

__all__ = ["Cron", "Frequency", "Recurrence", "Trigger"]


@dataclass(frozen=True)
class Trigger:
    """A recurrence or a cron expression in a time zone.

    A local time that does not exist (clocks go forward) is shifted forward by the gap, and fires once with whatever
    is due there anyway; one that occurs twice (clocks go back) fires at its first occurrence only. Recurrences of
    minutes and hours, and cron expressions for every hour, follow elapsed time and are not touched by either.

    Attributes:
        rule: what recurs; `engine.recurrence` says what it counts from.
        time_zone: an IANA name.
        start_time, end_time: aware; nothing is due before the one, nor at or after the other.
    """

    rule: Recurrence | Cron
    time_zone: str = "UTC"
    start_time: datetime | None = None
    end_time: datetime | None = None

    def due(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The instants in [start, end) at which the trigger fires: UTC, in order, each once."""
        first = max(start, self.start_time) if self.start_time else start
        last = min(end, self.end_time) if self.end_time else end
        if first >= last:
            return
        latest: datetime | None = None
        for at in self.rule.between(first, last, ZoneInfo(self.time_zone), self.start_time):
            # Two local times may mean one instant, even on two days (Samoa had no 30 December 2011).
            if latest is None or at > latest:
                latest = at
                yield at.astimezone(UTC)
