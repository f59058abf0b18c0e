"""A monitor's scheduled times that somebody has seen to: each once, thousands a minute. Within others' transactions."""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Select,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql

from engine.instants import instant_of
from server.due import DueBatch
from server.tables import Application, Claim, Mark, MonitorRecord

__all__ = ["Origin", "claim", "forget", "move", "names", "note", "open_application", "skip"]

CLAIMS, APPLICATIONS, MONITORS, MARKS = (
    cast(Table, each.__table__) for each in (Claim, Application, MonitorRecord, Mark)
)
SEPARATOR = "\n"
"""Stands in no name."""


class Origin(StrEnum):
    """Why a run is there."""

    SCHEDULE = "schedule"
    HAND = "hand"


UNLESS_CLAIMED = postgresql.insert(CLAIMS).on_conflict_do_nothing().returning(CLAIMS.c.monitor_id)
NAMES = (
    select(CLAIMS.c.application_id, func.aggregate_strings(MONITORS.c.name, SEPARATOR))
    .join(MONITORS, MONITORS.c.id == CLAIMS.c.monitor_id)
    .where(
        CLAIMS.c.scheduled_for.in_(bindparam("times", expanding=True)),
        CLAIMS.c.application_id.in_(bindparam("applications", expanding=True)),
    )
    .group_by(CLAIMS.c.application_id)
)
NOTED = MARKS.c.name == "claims"
"""The mark of the latest application whose claims are on monitors' records."""
_new = (APPLICATIONS.c.id > bindparam("noted")) & (APPLICATIONS.c.origin == Origin.SCHEDULE)
LATEST: Select[int, datetime] = (
    select(CLAIMS.c.monitor_id, func.max(CLAIMS.c.scheduled_for))
    .where(
        CLAIMS.c.scheduled_for.in_(select(APPLICATIONS.c.scheduled_for).where(_new)),  # the key begins with it
        CLAIMS.c.application_id.in_(select(APPLICATIONS.c.id).where(_new)),
    )
    .group_by(CLAIMS.c.monitor_id)
    .order_by(CLAIMS.c.monitor_id)
)
WATCHED_FROM = (
    update(MONITORS)
    .where(MONITORS.c.id == bindparam("monitor"), MONITORS.c.watched_since < bindparam("time"))
    .values(watched_since=bindparam("time"))
)
SKIP = (
    update(CLAIMS)
    .where(
        CLAIMS.c.scheduled_for == bindparam("time"),
        CLAIMS.c.application_id == bindparam("application"),
        CLAIMS.c.monitor_id.in_(select(MONITORS.c.id).where(MONITORS.c.name == bindparam("name"))),
    )
    .values(skipped=bindparam("reason"))
)
WATCHED = update(MONITORS).where(MONITORS.c.watched_since < bindparam("time")).values(watched_since=bindparam("time"))


def claim(connection: Connection, batches: Mapping[int, DueBatch]) -> int:
    """Insert the claims of applications, by their ids, that nobody has; how many these are."""
    if connection.dialect.name == "sqlite":
        driver = connection.connection.cursor()
        before = driver.connection.total_changes
        driver.executemany(
            "INSERT OR IGNORE INTO claims (scheduled_for, monitor_id, application_id) "
            "SELECT ?, value, ? FROM json_each(?)",
            [(instant_of(batch.time), number, json.dumps(batch.monitors)) for number, batch in batches.items()],
        )
        return driver.connection.total_changes - before
    rows = [
        {"scheduled_for": batch.time, "monitor_id": monitor, "application_id": number}
        for number, batch in batches.items()
        for monitor in batch.monitors
    ]
    done: CursorResult[Any] = connection.execute(UNLESS_CLAIMED, rows)
    return len(done.all())


def move(connection: Connection, time: datetime, monitor: int, application: int) -> None:
    """Make it that application's, whoever has claimed it before."""
    mine = (CLAIMS.c.monitor_id == monitor) & (CLAIMS.c.scheduled_for == time)
    if not connection.execute(update(CLAIMS).where(mine).values(application_id=application, skipped=None)).rowcount:
        values = {"scheduled_for": time, "monitor_id": monitor, "application_id": application}
        connection.execute(insert(CLAIMS).values(values))


def open_application(connection: Connection, time: datetime, monitor: int) -> int | None:
    """Whose claim it is, where that has not ended."""
    asked = (
        select(APPLICATIONS.c.id)
        .join(CLAIMS, CLAIMS.c.application_id == APPLICATIONS.c.id)
        .where(CLAIMS.c.scheduled_for == time, CLAIMS.c.monitor_id == monitor, APPLICATIONS.c.finished_at.is_(None))
        .with_for_update()
    )
    return connection.scalar(asked)


def names(connection: Connection, applications: Mapping[int, datetime]) -> Mapping[int, tuple[str, ...]]:
    """By application its monitors' names, in order.

    Args:
        connection: a transaction.
        applications: their scheduled times by their ids.
    """
    asked = {"applications": list(applications), "times": list(set(applications.values()))}
    return {number: tuple(sorted(joined.split(SEPARATOR))) for number, joined in connection.execute(NAMES, asked)}


def skip(connection: Connection, time: datetime, application: int, reasons: Mapping[str, str]) -> None:
    """Write down which monitors of an application were not evaluated, and why."""
    for name, reason in reasons.items():
        connection.execute(SKIP, {"time": time, "application": application, "name": name, "reason": reason})


def note(connection: Connection) -> None:
    """Write on monitors' records up to where they were claimed, by what was claimed since this was done before.

    Claims by hand do not count: what is due before such a time is still to be evaluated.
    """
    noted = connection.scalar(select(MARKS.c.number).where(NOTED).with_for_update()) or 0  # one at a time
    newest = connection.scalar(select(func.max(APPLICATIONS.c.id))) or 0
    # SQLite begins at 1 again once all applications are forgotten.
    claimed = connection.execute(LATEST, {"noted": noted if noted <= newest else 0}).all()
    if claimed:
        connection.execute(WATCHED_FROM, [{"monitor": row[0], "time": row[1]} for row in claimed])
    connection.execute(update(MARKS).where(NOTED).values(number=newest))


def forget(connection: Connection, before: datetime, ended: ColumnElement[bool]) -> int:
    """Delete what was due before that time, up to the oldest run that has not ended; how many applications.

    Monitors are watched from that time on, so that nothing of it is made up for.

    Args:
        connection: a transaction.
        before: what is older is forgotten.
        ended: the condition on applications.
    """
    oldest = connection.scalar(select(func.min(APPLICATIONS.c.scheduled_for)).where(~ended))
    until = min(before, oldest or before)
    connection.execute(WATCHED, {"time": until})
    connection.execute(delete(CLAIMS).where(CLAIMS.c.scheduled_for < until))
    return connection.execute(delete(APPLICATIONS).where(APPLICATIONS.c.scheduled_for < until)).rowcount
