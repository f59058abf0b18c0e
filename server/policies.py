"""What happens to runs that are late, that failed, or whose predecessor still goes on: policies by name. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

__all__ = ["CatchUp", "Overlap", "Policy", "Retries"]


class CatchUp(StrEnum):
    """Which of the times that were missed, while nothing ran, are made up for."""

    ALL = "all"
    """Every one, the oldest first, at most `Policy.most` of them: the latest ones."""
    LATEST = "latest"
    """The latest one only."""
    NONE = "none"
    """None that is older than `Policy.grace`."""


class Overlap(StrEnum):
    """What happens to a run that is due while the model's previous one still goes on."""

    WAIT = "wait"
    """It starts when the other one has ended."""
    PARALLEL = "parallel"
    """It starts at once."""
    SKIP = "skip"
    """It is not evaluated; the run's record says so."""


@dataclass(frozen=True)
class Retries:
    """How often a run that failed is tried again, and when.

    Attributes:
        most: tries after the first one.
        first: how long after the first failure; each further time it is twice as long.
        longest: but never longer than this.
    """

    most: int = 3
    first: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(hours=1)

    def after(self, attempt: int) -> timedelta | None:
        """How long to wait after that attempt (from 1 on) has failed; None: no more."""
        if attempt > self.most:
            return None
        return min(self.longest, self.first * 2 ** min(attempt - 1, 30))


@dataclass(frozen=True)
class Policy:
    """How runs are dealt with.

    Attributes:
        catch_up, most, grace: which missed times are evaluated; a time within `grace` was not missed at all.
        overlap: what becomes of a run while the model's previous one goes on.
        time_limit: after this a run's process is ended.
        retries: what follows a failure.
    """

    catch_up: CatchUp = CatchUp.ALL
    most: int = 100
    grace: timedelta = timedelta(minutes=5)
    overlap: Overlap = Overlap.WAIT
    time_limit: timedelta = timedelta(hours=2)
    retries: Retries = Retries()

    def chosen(self, due: Sequence[datetime], now: datetime) -> list[datetime]:
        """Of times that were due by now, in order, those that are evaluated, in order."""
        match self.catch_up:
            case CatchUp.ALL:
                return list(due[-self.most :])
            case CatchUp.LATEST:
                return list(due[-1:])
            case CatchUp.NONE:
                return [time for time in due if now - time <= self.grace]
