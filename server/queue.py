"""Runs in the database: claimed once, taken by one, and taken over from whoever died.

Every step is one transaction, so that any number of schedulers may do it at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import Connection, CursorResult, RowMapping, Table, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql

from engine.instants import instant_of, time_of
from server.database import Database
from server.due import DueBatch
from server.tables import Application, Claim, MonitorRecord

__all__ = ["Ending", "Origin", "Queue", "State", "Task"]

APPLICATIONS, CLAIMS = cast(Table, Application.__table__), cast(Table, Claim.__table__)


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class Origin(StrEnum):
    """Why a run is there."""

    SCHEDULE = "schedule"
    HAND = "hand"


@dataclass(frozen=True)
class Task:
    """A run that this process has taken.

    Attributes:
        id: the application's.
        time: what its monitors are evaluated for.
        monitors: their names.
        attempt: from 1 on.
    """

    id: int
    time: datetime
    model: str | None
    monitors: tuple[str, ...]
    attempt: int


@dataclass(frozen=True)
class Ending:
    """How an attempt ended.

    Attributes:
        exit_code: the process's; None where it had none to give.
        error: what is to be told; None where it went well.
        again_at: when it is tried again; None: it is not.
    """

    exit_code: int | None
    error: str | None = None
    log: str | None = None
    again_at: datetime | None = None


class Queue:
    """The runs of a registry.

    Args:
        database: where they are.
        owner: this process's name; no other's.
        lease: how long what it took is its own without a sign of life.
    """

    def __init__(self, database: Database, owner: str, lease: timedelta = timedelta(minutes=2)) -> None:
        self.database, self.owner, self.lease = database, owner, lease

    # ------------------------------------------------------------------------------------------------- claimed

    def claim(self, batches: Sequence[DueBatch], now: datetime, origin: Origin = Origin.SCHEDULE) -> list[int]:
        """Put what is due into the queue, all of it at once.

        A monitor's time that somebody has claimed before is left out, and so is a run of which nothing is left.

        Returns:
            The ids of the new applications.
        """
        if not batches:
            return []
        with self.database.begin() as connection:
            ids = _new_applications(connection, batches, now, origin)
            rows = [
                {"scheduled_for": instant_of(batch.time), "monitor_id": monitor, "application_id": number}
                for number, batch in zip(ids, batches, strict=True)
                for monitor in batch.monitors
            ]
            claimed = _claim(connection, rows)
            if claimed == len(rows):
                return ids
            empty = select(APPLICATIONS.c.id).where(
                APPLICATIONS.c.id.in_(ids), ~APPLICATIONS.c.id.in_(select(CLAIMS.c.application_id))
            )
            gone = set(connection.scalars(empty))
            connection.execute(delete(APPLICATIONS).where(APPLICATIONS.c.id.in_(gone)))
            return [number for number in ids if number not in gone]

    def claimed_until(self) -> dict[int, datetime]:
        """By monitor the latest time that was claimed."""
        latest = select(CLAIMS.c.monitor_id, func.max(CLAIMS.c.scheduled_for)).group_by(CLAIMS.c.monitor_id)
        with self.database.begin(reading=True) as connection:
            return {row[0]: row[1] for row in connection.execute(latest)}

    def again(self, monitor: int, time: datetime, now: datetime) -> int:
        """Queue a run by hand: of a time that was claimed before, or of a new one; the application's id."""
        with self.database.begin() as connection:
            (number,) = _new_applications(connection, [DueBatch(time, None, (monitor,))], now, Origin.HAND)
            mine = (CLAIMS.c.monitor_id == monitor) & (CLAIMS.c.scheduled_for == time)
            moved = connection.execute(update(CLAIMS).where(mine).values(application_id=number))
            if not moved.rowcount:
                row = {"scheduled_for": instant_of(time), "monitor_id": monitor, "application_id": number}
                _claim(connection, [row])
            return number

    # --------------------------------------------------------------------------------------------------- taken

    def take(self, now: datetime, most: int, busy: Sequence[str] = ()) -> list[Task]:
        """Take queued runs, the oldest first, at most so many.

        Args:
            now: what the clock says.
            most: how many this process has room for.
            busy: models of which a run goes on, so that no other one is started.
        """
        if most < 1:
            return []
        ready = (
            select(APPLICATIONS)
            .where(APPLICATIONS.c.state == State.QUEUED, APPLICATIONS.c.not_before <= now)
            .order_by(APPLICATIONS.c.scheduled_for, APPLICATIONS.c.id)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        if busy:
            ready = ready.where(APPLICATIONS.c.model.is_(None) | ~APPLICATIONS.c.model.in_(busy))
        with self.database.begin() as connection:
            found = connection.execute(ready).mappings().all()
            numbers = [row["id"] for row in found]
            if not numbers:
                return []
            values = {"state": State.RUNNING, "owner": self.owner, "lease_until": now + self.lease, "started_at": now}
            connection.execute(update(APPLICATIONS).where(APPLICATIONS.c.id.in_(numbers)).values(**values))
            names = _names(connection, numbers)
        return [_task(row, names.get(row["id"], ())) for row in found]

    def running_models(self) -> list[str]:
        """The models of which a run goes on, whoever's it is."""
        running = select(APPLICATIONS.c.model).where(
            APPLICATIONS.c.state == State.RUNNING, APPLICATIONS.c.model.is_not(None)
        )
        with self.database.begin(reading=True) as connection:
            return sorted({model for model in connection.scalars(running) if model})

    def live(self, now: datetime) -> set[int]:
        """A sign of life: what this process owns stays its own; answers what that is."""
        mine = (APPLICATIONS.c.owner == self.owner) & (APPLICATIONS.c.state == State.RUNNING)
        with self.database.begin() as connection:
            connection.execute(update(APPLICATIONS).where(mine).values(lease_until=now + self.lease))
            return set(connection.scalars(select(APPLICATIONS.c.id).where(mine)))

    def take_over(self, now: datetime) -> int:
        """Queue again what belongs to those who gave no sign of life for a lease; how many these are."""
        lost = (APPLICATIONS.c.state == State.RUNNING) & (APPLICATIONS.c.lease_until < now)
        values: dict[Any, Any] = {
            APPLICATIONS.c.state: State.QUEUED,
            APPLICATIONS.c.attempt: APPLICATIONS.c.attempt + 1,
            APPLICATIONS.c.not_before: now,
            APPLICATIONS.c.error: func.coalesce(APPLICATIONS.c.owner, "its owner") + " gave no sign of life",
            APPLICATIONS.c.owner: None,
        }
        with self.database.begin() as connection:
            return connection.execute(update(APPLICATIONS).where(lost).values(values)).rowcount

    # --------------------------------------------------------------------------------------------------- ended

    def end(self, endings: Mapping[Task, Ending], now: datetime) -> list[Task]:
        """Write down how attempts ended; answers those that were still this process's own.

        What somebody else has taken over meanwhile is theirs to end.
        """
        kept: list[Task] = []
        with self.database.begin() as connection:
            for task, ending in endings.items():
                done = connection.execute(_ended(task, ending, now, self.owner))
                if done.rowcount:
                    kept.append(task)
        return kept

    def give_back(self, tasks: Sequence[Task], now: datetime) -> None:
        """Queue what this process took and will not finish, so that somebody else goes on with it at once."""
        mine = APPLICATIONS.c.id.in_([task.id for task in tasks]) & (APPLICATIONS.c.owner == self.owner)
        with self.database.begin() as connection:
            connection.execute(
                update(APPLICATIONS)
                .where(mine, APPLICATIONS.c.state == State.RUNNING)
                .values(state=State.QUEUED, owner=None, not_before=now)
            )

    def forget(self, before: datetime) -> int:
        """Delete runs that ended, and were due before that time; each monitor's latest claim stays. How many."""
        latest = select(CLAIMS.c.monitor_id, func.max(CLAIMS.c.scheduled_for).label("last")).group_by(
            CLAIMS.c.monitor_id
        )
        with self.database.begin() as connection:
            oldest = min((time for _, time in connection.execute(latest)), default=before)
            ended = APPLICATIONS.c.state.in_([State.DONE, State.FAILED, State.SKIPPED])
            old = ended & (APPLICATIONS.c.scheduled_for < min(before, oldest))
            connection.execute(
                delete(CLAIMS).where(
                    CLAIMS.c.scheduled_for < min(before, oldest),
                    CLAIMS.c.application_id.in_(select(APPLICATIONS.c.id).where(old)),
                )
            )
            return connection.execute(delete(APPLICATIONS).where(old)).rowcount


def _new_applications(connection: Connection, batches: Sequence[DueBatch], now: datetime, origin: Origin) -> list[int]:
    rows = [
        {
            "scheduled_for": batch.time,
            "model": batch.model,
            "origin": origin,
            "state": State.QUEUED,
            "attempt": 1,
            "not_before": now,
        }
        for batch in batches
    ]
    made = connection.execute(insert(APPLICATIONS).returning(APPLICATIONS.c.id, sort_by_parameter_order=True), rows)
    return [row.id for row in made]


def _claim(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert claims that nobody has; how many these are. In one go: there may be thousands a minute."""
    if connection.dialect.name == "sqlite":
        driver = connection.connection.cursor()
        before = driver.connection.total_changes
        driver.executemany(
            "INSERT OR IGNORE INTO claims (scheduled_for, monitor_id, application_id) VALUES (?, ?, ?)",
            [tuple(row.values()) for row in rows],
        )
        return driver.connection.total_changes - before
    typed = [{**row, "scheduled_for": time_of(row["scheduled_for"])} for row in rows]
    done: CursorResult[Any] = connection.execute(
        postgresql.insert(CLAIMS).on_conflict_do_nothing().returning(CLAIMS.c.monitor_id), typed
    )
    return len(done.all())


def _names(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[str, ...]]:
    chosen = (
        select(CLAIMS.c.application_id, MonitorRecord.name)
        .join(MonitorRecord, MonitorRecord.id == CLAIMS.c.monitor_id)
        .where(CLAIMS.c.application_id.in_(numbers))
        .order_by(MonitorRecord.name)
    )
    found: dict[int, list[str]] = {}
    for number, name in connection.execute(chosen):
        found.setdefault(number, []).append(name)
    return {number: tuple(names) for number, names in found.items()}


def _task(row: RowMapping, names: tuple[str, ...]) -> Task:
    return Task(row["id"], row["scheduled_for"], row["model"], names, row["attempt"])


def _ended(task: Task, ending: Ending, now: datetime, owner: str) -> Any:
    mine = (
        (APPLICATIONS.c.id == task.id)
        & (APPLICATIONS.c.owner == owner)
        & (APPLICATIONS.c.attempt == task.attempt)
        & (APPLICATIONS.c.state == State.RUNNING)
    )
    values: dict[str, Any] = {"exit_code": ending.exit_code, "error": ending.error, "log": ending.log}
    if ending.again_at is not None:
        values |= {
            "state": State.QUEUED,
            "owner": None,
            "attempt": task.attempt + 1,
            "not_before": ending.again_at,
        }
    else:
        values |= {"state": State.FAILED if ending.error else State.DONE, "finished_at": now}
    return update(APPLICATIONS).where(mine).values(**values)
