"""Which minutes does a cron expression name?

``MINUTES HOURS DAYS MONTHS DAYS-OF-WEEK``, as crontab(5) reads it: 0 and 7 are Sunday, names in any case, ``*``,
``a-b``, ``a,b`` and steps; where both kinds of day are restricted, either makes a day due.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from engine.local_clock import instants_of

__all__ = ["Cron"]

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEK_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True)
class Field:
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()

    def values(self, text: str) -> frozenset[int]:
        """The numbers that ``1-5,10,*/15`` means in this field.

        Raises:
            ValueError: with a sentence about what is wrong.
        """
        return frozenset(value for part in text.split(",") for value in self._part(part))

    def _part(self, part: str) -> range:
        span, _, step = part.partition("/")
        if "/" in part and not (step.isdecimal() and int(step)):
            raise ValueError(f"{self.name}: {part!r} needs a step of 1 or more after the '/'")
        low, dash, high = span.partition("-")
        first = self.low if span == "*" else self._number(low)
        # As in crontab: "5/15" is "5-59/15".
        last = self._number(high) if dash else (self.high if span == "*" or step else first)
        if last < first:
            raise ValueError(f"{self.name}: {span!r} runs backwards")
        return range(first, last + 1, int(step or 1))

    def _number(self, text: str) -> int:
        if text.lower() in self.words:
            return self.words.index(text.lower()) + self.low
        if not (text.isdecimal() and self.low <= int(text) <= self.high):
            raise ValueError(f"{self.name}: {text!r} is not between {self.low} and {self.high}")
        return int(text)


FIELDS = (
    Field("minutes", 0, 59),
    Field("hours", 0, 23),
    Field("days", 1, 31),
    Field("months", 1, 12, MONTHS),
    Field("days of the week", 0, 7, WEEK_DAYS),
)


@dataclass(frozen=True)
class Cron:
    """A cron expression in words that can be computed with; `parse` makes it.

    Where the hours are ``*``, it fires every real hour: twice in the hour that occurs twice. Otherwise a time that
    occurs twice fires once, and one that does not exist fires an hour later, as `engine.local_clock` says.
    """

    expression: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    week_days: frozenset[int]
    any_day: bool
    any_week_day: bool

    @classmethod
    def parse(cls, expression: str) -> "Cron":
        """Read an expression of five fields.

        Raises:
            ValueError: with a sentence about what is wrong.
        """
        fields = expression.split()
        if len(fields) != len(FIELDS):
            raise ValueError(f"{expression!r} has {len(fields)} fields, not 5: minute hour day month day-of-week")
        minutes, hours, days, months, week = (field.values(text) for field, text in zip(FIELDS, fields, strict=True))
        # Python counts days of the week from Monday.
        week_days = frozenset((day - 1) % 7 for day in week)
        any_day, any_week_day = (fields[at].startswith("*") for at in (2, 4))
        if any_week_day and min(days) > max(LONGEST[month - 1] for month in months):
            raise ValueError(f"{expression!r} never fires: none of its months has a day {min(days)}")
        return cls(" ".join(fields), minutes, hours, days, months, week_days, any_day, any_week_day)

    def between(self, start: datetime, end: datetime, zone: ZoneInfo, anchor: datetime | None) -> Iterator[datetime]:
        """UTC instants in [start, end), in order. Nothing is counted, so the anchor does not matter."""
        del anchor
        day = start.astimezone(zone).date() - timedelta(1)
        last = end.astimezone(zone).date() + timedelta(1)
        times = [time(hour, minute) for hour in self.hours for minute in self.minutes]
        every_hour = len(self.hours) == 24
        while day <= last:
            if self._is_due(day.month, day.day, day.weekday()):
                instants = instants_of(day, times, zone, both_occurrences=every_hour)
                yield from (at for at in instants if start <= at < end)
            day += timedelta(1)

    def _is_due(self, month: int, day: int, week_day: int) -> bool:
        if month not in self.months:
            return False
        by_day, by_week_day = day in self.days, week_day in self.week_days
        # As in crontab, a field that starts with "*" restricts nothing on its own: "either" is for two restrictions.
        return by_day and by_week_day if self.any_day or self.any_week_day else by_day or by_week_day
