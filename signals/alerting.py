"""Who hears of what, and when: a check's alert state, from one evaluation to the next.

A check that begins to breach is told of once, not at every evaluation: an alert is a transition. It may take M of the
last N evaluations to begin, a threshold of its own to end, and it may be told again every so often. An evaluation that
was not judged (no data, too few rows) neither begins nor ends an alert.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

__all__ = ["AlertRule", "AlertState", "Notice", "Seen", "Standing", "after"]


class AlertState(StrEnum):
    """What people see beside a check."""

    CLEARED = "cleared"
    TRIGGERED = "triggered"
    NO_DATA = "no_data"
    """The latest evaluation was not judged; whether an alert goes on behind it is in `Standing.since`."""


class Notice(StrEnum):
    """Why people are told of a check."""

    TRIGGERED = "triggered"
    STILL = "still"
    """It is told again, as `AlertRule.again_after` asks."""
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class AlertRule:
    """When a check's breaches become an alert.

    Attributes:
        breaches, of: so many of the last so many judged evaluations have to breach, the present one among them.
        again_after: an alert that goes on is told again after this; None: never.
        recovery: whether its end is told.

    Raises:
        ValueError: it could never be kept (more breaches than evaluations, none at all).
    """

    breaches: int = 1
    of: int = 1
    again_after: timedelta | None = None
    recovery: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.breaches <= self.of:
            raise ValueError(f"{self.breaches} of {self.of} evaluations cannot breach")


@dataclass(frozen=True, slots=True)
class Seen:
    """One evaluation of a check.

    Attributes:
        time: its scheduled time.
        breached: None: it was not judged.
        clear: whether the value is good enough for an alert to end, which hysteresis asks for apart from `breached`.
    """

    time: datetime
    breached: bool | None
    clear: bool = True


@dataclass(frozen=True, slots=True)
class Standing:
    """How a check stands after some evaluations.

    Attributes:
        recent: the last judged evaluations, as many as the rule looks at, the oldest first.
        latest: the scheduled time of the last evaluation, judged or not; None: there was none.
        judged: whether that one was judged.
        since: of the alert that goes on the scheduled time of the first of the breaches that began it; None: none does.
        told: the scheduled time at which people were last told of it; None: they were not yet.
    """

    recent: tuple[Seen, ...] = ()
    latest: datetime | None = None
    judged: bool = False
    since: datetime | None = None
    told: datetime | None = None

    @property
    def state(self) -> AlertState:
        """What people see."""
        if not self.judged:
            return AlertState.NO_DATA
        return AlertState.CLEARED if self.since is None else AlertState.TRIGGERED


def after(standing: Standing, seen: Seen, rule: AlertRule, *, silent: bool = False) -> tuple[Standing, Notice | None]:
    """The standing after one more evaluation, and what is to be told of it.

    While it is to be silent (a mute) nothing is; an alert that began meanwhile and still goes on is told afterwards.
    An evaluation of the same time as the latest one replaces it (it was done again) and is told only where the alert
    has not been; one of an earlier time changes nothing: what was told then cannot be taken back.
    """
    if standing.latest is not None and seen.time < standing.latest:
        return standing, None
    recent = tuple(each for each in standing.recent if each.time != seen.time)
    if seen.breached is None:
        return replace(standing, recent=recent, latest=seen.time, judged=False), None
    recent = (*recent, seen)[-rule.of :]
    found = replace(standing, recent=recent, latest=seen.time, judged=True)
    enough = sum(bool(each.breached) for each in recent) >= rule.breaches
    if standing.since is None:
        if not (seen.breached and enough):
            return found, None
        first = next(each.time for each in recent if each.breached)
        return _told(replace(found, since=first), seen, rule, silent=silent)
    if not seen.breached and seen.clear and not enough:
        tells = rule.recovery and standing.told is not None and not silent
        return replace(found, since=None, told=None), Notice.RECOVERED if tells else None
    return _told(found, seen, rule, silent=silent)


def _told(standing: Standing, seen: Seen, rule: AlertRule, *, silent: bool) -> tuple[Standing, Notice | None]:
    """An alert that goes on, told where it has not been, or not for long enough."""
    if silent:
        return standing, None
    if standing.told is None:
        return replace(standing, told=seen.time), Notice.TRIGGERED
    if rule.again_after is None or seen.time - standing.told < rule.again_after:
        return standing, None
    return replace(standing, told=seen.time), Notice.STILL
