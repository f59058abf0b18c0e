"""How `trigger` is written: a recurrence or a cron expression (Azure's RecurrenceTrigger and CronTrigger)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from engine.cron import Cron
from engine.definitions.shape import Complaint, Shape, complain, did_you_mean, key
from engine.definitions.words import NearMoment, OneOf, aware_in, lower_type
from engine.local_clock import canonical_zone, zone_names
from engine.recurrence import Frequency, Recurrence
from engine.triggers import Trigger

__all__ = ["CronTrigger", "Pattern", "RecurrenceTrigger", "TriggerKeys"]

WEEK_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _zone(name: Any) -> str:
    zone = canonical_zone(name) if isinstance(name, str) else None
    if zone is None:
        hint = did_you_mean(str(name), zone_names()) or "an IANA name such as Europe/Berlin, or a Windows one"
        raise complain(f"{name!r} is not a time zone", hint)
    return zone


def _listed(value: Any) -> Any:
    """One item as a list of one; an empty list, as Azure's SDK writes it, says no more than a missing key."""
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else [value]


def _expression(text: str) -> str:
    try:
        return Cron.parse(text).expression
    except ValueError as error:
        raise complain(str(error)) from None


Hour = Annotated[int, Field(ge=0, le=23)]
Minute = Annotated[int, Field(ge=0, le=59)]
MonthDay = Annotated[int, Field(ge=1, le=31)]
WeekDay = Annotated[str, OneOf(WEEK_DAYS)]
Hours = Annotated[tuple[Hour, ...], BeforeValidator(_listed, json_schema_input_type=Hour | tuple[Hour, ...])]
Minutes = Annotated[tuple[Minute, ...], BeforeValidator(_listed, json_schema_input_type=Minute | tuple[Minute, ...])]
WeekDays = Annotated[
    tuple[WeekDay, ...], BeforeValidator(_listed, json_schema_input_type=WeekDay | tuple[WeekDay, ...])
]
MonthDays = Annotated[
    tuple[MonthDay, ...], BeforeValidator(_listed, json_schema_input_type=MonthDay | tuple[MonthDay, ...])
]
TimeZone = Annotated[str, AfterValidator(_zone)]


class Pattern(Shape):
    """At which times of a day, and on which days; every combination of hours and minutes is one."""

    hours: Hours = key(default=(), description="Hours of the day, 0 to 23; one or a list.")
    minutes: Minutes = key(default=(), description="Minutes of the hour, 0 to 59; one or a list.")
    week_days: WeekDays = key(
        "week_days", "weekdays", default=(), description="Days of the week, for `week` and `month`; one or a list."
    )
    month_days: MonthDays = key(
        "month_days",
        "monthdays",
        default=(),
        description="Days of the month, 1 to 31, for `month`; a month without such a day is left out.",
    )


def _never(value: Any) -> Any:
    """None for the last day that there is, as it is written where an end has to be."""
    return None if str(value).startswith("9999-12-31") else value


End = Annotated[NearMoment | None, BeforeValidator(_never, json_schema_input_type=str | None)]
CENTURY = {
    Frequency.MINUTE: 52_594_920,
    Frequency.HOUR: 876_582,
    Frequency.DAY: 36_525,
    Frequency.WEEK: 5_217,
    Frequency.MONTH: 1_200,
}


class _Times(Shape):
    start_time: NearMoment | None = key(
        default=None,
        description="Nothing is due before it, and intervals count from it; in `time_zone` unless it has an offset.",
    )
    end_time: End = key(default=None, description="Nothing is due at it or after it.")
    time_zone: TimeZone = key(
        "time_zone",
        "timezone",
        default="UTC",
        description="An IANA name (`Europe/Berlin`) or a Windows one (`W. Europe Standard Time`).",
    )

    def complaints(self) -> Iterator[Complaint]:
        start, end = self._aware(self.start_time), self._aware(self.end_time)
        if start and end and end <= start:
            yield Complaint(("end_time",), "is not after start_time")

    def _aware(self, moment: datetime | None) -> datetime | None:
        return None if moment is None else aware_in(moment, self.time_zone)


class RecurrenceTrigger(_Times):
    """Every so many minutes, hours, days, weeks or months."""

    type: Literal["recurrence"] = key(description="`recurrence`.")
    frequency: Annotated[str, OneOf(tuple(Frequency))] = key(description="The unit of the interval.")
    interval: int = key(default=1, ge=1, description="Every how many of them.")
    schedule: Pattern = key(
        "schedule", "pattern", default=Pattern(), description="Times of day and days; the start's when left out."
    )

    def complaints(self) -> Iterator[Complaint]:
        yield from super().complaints()
        allowed = {
            Frequency.MINUTE: (),
            Frequency.HOUR: ("minutes",),
            Frequency.DAY: ("hours", "minutes"),
            Frequency.WEEK: ("hours", "minutes", "week_days"),
        }.get(Frequency(self.frequency), tuple(Pattern.model_fields))
        for name in Pattern.model_fields:
            if getattr(self.schedule, name) and name not in allowed:
                hint = f"with {self.frequency} go: {', '.join(allowed)}" if allowed else "leave the pattern out"
                yield Complaint(("schedule", name), f"does not go with frequency {self.frequency}", hint)
        if self.interval > CENTURY[Frequency(self.frequency)]:
            yield Complaint(("interval",), "is longer than a century")

    def trigger(self) -> Trigger:
        """The trigger that is meant."""
        pattern = self.schedule
        rule = Recurrence(
            frequency=Frequency(self.frequency),
            interval=self.interval,
            hours=pattern.hours,
            minutes=pattern.minutes,
            week_days=tuple(WEEK_DAYS.index(day) for day in pattern.week_days),
            month_days=pattern.month_days,
        )
        return Trigger(rule, self.time_zone, self._aware(self.start_time), self._aware(self.end_time))


class CronTrigger(_Times):
    """As crontab(5) says: `MINUTES HOURS DAYS MONTHS DAYS-OF-WEEK`, where 0 and 7 are Sunday."""

    type: Literal["cron"] = key(description="`cron`.")
    expression: Annotated[str, AfterValidator(_expression)] = key(description="The five fields.")

    def trigger(self) -> Trigger:
        """The trigger that is meant."""
        rule = Cron.parse(self.expression)
        return Trigger(rule, self.time_zone, self._aware(self.start_time), self._aware(self.end_time))


TriggerKeys = Annotated[RecurrenceTrigger | CronTrigger, Field(discriminator="type"), BeforeValidator(lower_type)]
