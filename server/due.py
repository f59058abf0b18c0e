"""Which monitors are due at which times? Those that share a trigger share the arithmetic. Pure; time is handed in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from engine.downtime import Calendar
from server.policies import Policy

__all__ = ["DueBatch", "Timetable", "Watched"]

TICK = timedelta(microseconds=1)
LOOK_AHEAD = (timedelta(hours=2), timedelta(days=2), timedelta(days=40), timedelta(days=800), timedelta(days=3000))
"""How far the next due time is looked for, step by step; from one leap day to the next it may be eight years."""


@dataclass(frozen=True)
class Watched:
    """A monitor as the scheduler knows it.

    Attributes:
        id, name: the registry's.
        model: those of one model that are due together are evaluated together; None: it stands alone.
        trigger: when it is due, but for its downtime.
        since: times after this one are still to be decided.
    """

    id: int
    name: str
    model: str | None
    trigger: Calendar
    since: datetime


@dataclass(frozen=True)
class DueBatch:
    """Monitors that are evaluated together for one scheduled time."""

    time: datetime
    model: str | None
    monitors: tuple[int, ...]


@dataclass
class _Group:
    """Monitors of one model and trigger, decided up to the same time."""

    trigger: Calendar
    model: str | None
    monitors: list[int]
    since: datetime
    upcoming: datetime | None = None


@dataclass
class Timetable:
    """When the monitors are due, from where each of them was left.

    Attributes:
        policy: what happens to times that were missed.
    """

    policy: Policy
    _groups: list[_Group] = field(default_factory=list[_Group])

    def watch(self, monitors: Iterable[Watched]) -> None:
        """Watch these monitors, and no others."""
        groups: dict[tuple[Calendar, str | None, int | None, datetime], _Group] = {}
        for monitor in monitors:
            alone = None if monitor.model is not None else monitor.id
            key = (monitor.trigger, monitor.model, alone, monitor.since)
            group = groups.setdefault(key, _Group(monitor.trigger, monitor.model, [], monitor.since))
            group.monitors.append(monitor.id)
        self._groups = list(groups.values())
        after = cache(_after)
        for group in self._groups:
            group.upcoming = after(group.trigger, group.since)

    def due(self, now: datetime) -> list[DueBatch]:
        """What has become due by now and is to be evaluated, the oldest first; again, until `decided` says so."""
        found: dict[tuple[datetime, str | None, int | None], list[int]] = {}
        between = cache(_between)  # many groups ask the same
        for group in self._arrived(now):
            for time in self.policy.chosen(between(group.trigger, group.upcoming, now), now):
                alone = None if group.model is not None else group.monitors[0]
                found.setdefault((time, group.model, alone), []).extend(group.monitors)
        ordered = sorted(found.items(), key=lambda each: (each[0][0], str(each[0][1]), each[0][2] or 0))
        return [DueBatch(time, model, tuple(sorted(members))) for (time, model, _), members in ordered]

    def decided(self, now: datetime) -> None:
        """What was due by now has been seen to."""
        after = cache(_after)
        for group in self._arrived(now):
            group.since = max(group.since, now)
            group.upcoming = after(group.trigger, group.since)

    def next_due(self) -> datetime | None:
        """When something is due next; None: never."""
        return min((group.upcoming for group in self._groups if group.upcoming), default=None)

    def _arrived(self, now: datetime) -> list[_Group]:
        return [group for group in self._groups if group.upcoming and group.upcoming <= now]


def _after(trigger: Calendar, since: datetime) -> datetime | None:
    first = max(since + TICK, trigger.start_time or since)
    for reach in LOOK_AHEAD:
        found = next(trigger.due(first, first + reach), None)
        if found is not None:
            return found
    return None


def _between(trigger: Calendar, first: datetime | None, last: datetime) -> Sequence[datetime]:
    return tuple(trigger.due(first, last + TICK)) if first else ()
