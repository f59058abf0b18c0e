"""When? The only place that reads the clock: what time it is, and which run is due at it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import typer

from engine.errors import DefinitionError, Problem

if TYPE_CHECKING:
    from engine.monitor import Monitor
    from engine.triggers import Trigger

__all__ = ["due_or_latest", "is_due", "latest_due", "now", "parse_time"]

REACHES = [timedelta(hours=2), timedelta(days=2), timedelta(days=40), timedelta(days=800), timedelta(days=12_000)]
"""How far back a due time is looked for, step by step: a trigger that fires every minute has millions of them."""


def now() -> datetime:
    """What the clock says."""
    return datetime.now(UTC)


def parse_time(text: str) -> datetime:
    """An ISO-8601 date or time, as UTC; one without a zone is UTC.

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is not a time in ISO-8601, such as 2013-07-02T03:15Z or 2013-07-02 (without a zone: UTC)"
        raise typer.BadParameter(message) from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def latest_due(trigger: Trigger, before: datetime) -> datetime | None:
    """The last time before this one at which the trigger fired; None where it never did."""
    end = min(before, trigger.end_time) if trigger.end_time else before
    for reach in REACHES:
        times = list(trigger.due(end - reach, end))
        if times:
            return times[-1]
    return None


def due_or_latest(monitor: Monitor, at: datetime | None) -> datetime:
    """This scheduled time, or else the latest at which the monitor was due.

    Raises:
        DefinitionError: it has not been due yet.
    """
    found = at or latest_due(monitor.trigger, now())
    if found is None:
        hint = "say --at to evaluate it for a time of your choice"
        raise DefinitionError([Problem(str(monitor.path), "trigger", "has not been due yet", hint)])
    return found


def is_due(trigger: Trigger, time: datetime) -> bool:
    """Whether the trigger fires at exactly this time."""
    return any(True for _ in trigger.due(time, time + timedelta(microseconds=1)))
