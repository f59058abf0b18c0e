"""How many messages are people willing to read, and how many is that over the time that is looked at?"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Self

import isodate

__all__ = ["AlertBudget"]

PERIODS = {"day": "P1D", "week": "P7D", "month": "P1M", "quarter": "P3M", "year": "P1Y"}
WORDING = re.compile(r"\s*(\d+)\s*/\s*([a-z]+?)s?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AlertBudget:
    """So many messages per period of the calendar."""

    messages: int
    period: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """``3/month``; day, week, month, quarter and year.

        Raises:
            ValueError: it is none.
        """
        found = WORDING.fullmatch(text)
        period = found[2].lower() if found else ""
        if not found or period not in PERIODS:
            raise ValueError(f"{text!r} is not a budget such as 3/month; periods are {', '.join(PERIODS)}")
        return cls(int(found[1]), period)

    def __str__(self) -> str:
        return f"{self.messages}/{self.period}"

    def allowed(self, times: Sequence[datetime]) -> int:
        """How many messages there may be in as much time as these runs are of: whole ones."""
        start, end = _stretch(times)
        return math.floor(self.messages * _periods(start, end, self.period) + 1e-9)


def _stretch(times: Sequence[datetime]) -> tuple[datetime, datetime]:
    """From the first run to where the one after the last would be."""
    steps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    step = timedelta(seconds=median(steps)) if steps else timedelta(days=1)
    return times[0].astimezone(UTC), times[-1].astimezone(UTC) + step


def _periods(start: datetime, end: datetime, period: str) -> float:
    """How many periods of the calendar lie in [start, end)."""
    length, count = isodate.parse_duration(PERIODS[period]), 0
    while start + (count + 1) * length <= end:
        count += 1
    since, until = start + count * length, start + (count + 1) * length
    return count + (end - since) / (until - since)
