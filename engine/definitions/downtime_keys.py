"""How it is written when a monitor is not evaluated (Arize's downtimeStart, DurationHrs and FrequencyDays)."""

from collections.abc import Iterator
from datetime import timedelta

from engine.definitions.shape import Complaint, Shape, key
from engine.definitions.words import NearMoment, aware_in
from engine.downtime import Downtime

__all__ = ["DowntimeKeys"]


class DowntimeKeys(Shape):
    """Hours in which nothing is evaluated: what falls due in them never is, also not later. A run by hand is."""

    start: NearMoment = key(
        description="When it begins for the first time; in the trigger's `time_zone` unless it has an offset."
    )
    hours: int = key(ge=1, le=87_600, description="How many hours it lasts: real ones, whatever clocks do.")
    every_days: int | None = key(
        default=None,
        ge=1,
        le=3_650,
        description="It begins again after so many days, at the same time on the clocks of the trigger's `time_zone`; "
        "once when left out.",
    )

    def complaints(self) -> Iterator[Complaint]:
        if self.every_days and self.hours >= 24 * self.every_days:
            days = "every day" if self.every_days == 1 else f"all of every {self.every_days} days"
            message = f"{self.hours} hours are {days}: the monitor would never be evaluated"
            yield Complaint(("hours",), message, "fewer hours, or `driftline monitors disable`")

    def downtime(self, time_zone: str) -> Downtime:
        """The downtime that is meant, of a monitor whose trigger has that time zone."""
        return Downtime(aware_in(self.start, time_zone), timedelta(hours=self.hours), self.every_days, time_zone)
