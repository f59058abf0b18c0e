"""Runs in the database: claimed once, taken by one, and taken over from whoever died.

Every step is one transaction, so that any number of schedulers may do it at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Select, Table, bindparam, delete, func, insert, or_, select, update

from server import claims
from server.claims import Origin
from server.database import Database
from server.due import DueBatch
from server.tables import Application

__all__ = ["LEASE", "Ending", "Origin", "Queue", "Sign", "State", "Task"]

APPLICATIONS = cast(Table, Application.__table__)
LEASE = timedelta(minutes=2)
"""How long a run is its owner's without a sign of life."""


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


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
        skipped: by name the monitors that were not evaluated, and why.
    """

    exit_code: int | None
    error: str | None = None
    log: str | None = None
    again_at: datetime | None = None
    skipped: Mapping[str, str] = field(default_factory=dict[str, str])


class Sign(NamedTuple):
    """The latest sign of life of a run that goes on: it changes for as long as its owner lives."""

    id: int
    attempt: int
    owner: str
    alive_at: datetime


# Statements of every step are made once: making one takes longer than SQLite needs to answer it.
CHOSEN = APPLICATIONS.c.id.in_(bindparam("chosen", expanding=True))
RUNNING = APPLICATIONS.c.state == State.RUNNING
READY = (APPLICATIONS.c.state == State.QUEUED) & (APPLICATIONS.c.not_before <= bindparam("now"))
OLDEST_FIRST = (APPLICATIONS.c.scheduled_for, APPLICATIONS.c.id)
MINE = CHOSEN & RUNNING & (APPLICATIONS.c.owner == bindparam("mine"))

NEW = insert(APPLICATIONS).returning(APPLICATIONS.c.id, sort_by_parameter_order=True)
_task = select(*(APPLICATIONS.c[name] for name in ("id", "scheduled_for", "model", "attempt")))
GOING = _task.where(CHOSEN)
TAKE: Select[Any] = (
    _task.where(READY).order_by(*OLDEST_FIRST).limit(bindparam("most")).with_for_update(skip_locked=True)
)
_busy = select(APPLICATIONS.c.model).where(RUNNING, APPLICATIONS.c.model.is_not(None))
_place = func.row_number().over(partition_by=APPLICATIONS.c.model, order_by=OLDEST_FIRST).label("place")
_queues = select(APPLICATIONS.c.id, APPLICATIONS.c.model, _place).where(
    READY, or_(APPLICATIONS.c.model.is_(None), APPLICATIONS.c.model.not_in(_busy))
)
_first = _queues.subquery()
TAKE_IN_TURN = TAKE.where(
    APPLICATIONS.c.id.in_(select(_first.c.id).where(or_(_first.c.place == 1, _first.c.model.is_(None))))
)
TAKEN = (
    update(APPLICATIONS)
    .where(CHOSEN)
    .values(state=State.RUNNING, owner=bindparam("mine"), alive_at=bindparam("now"), started_at=bindparam("now"))
)
SIGNS = select(*(APPLICATIONS.c[name] for name in Sign._fields)).where(RUNNING)
LIVE = update(APPLICATIONS).where(MINE).values(alive_at=bindparam("now"))
STILL_MINE = (
    select(*(APPLICATIONS.c[name] for name in ("id", "attempt", "not_before", "owner"))).where(MINE).with_for_update()
)
ENDED = (
    update(APPLICATIONS)
    .where(APPLICATIONS.c.id == bindparam("number"))
    .values({name: bindparam(name) for name in (
        "state", "exit_code", "error", "log", "owner", "attempt", "not_before", "finished_at",
    )})
)  # fmt: skip
LAPSED = (
    RUNNING
    & (APPLICATIONS.c.id == bindparam("number"))
    & (APPLICATIONS.c.owner == bindparam("dead"))
    & (APPLICATIONS.c.alive_at == bindparam("last"))
)
TAKE_OVER = (
    update(APPLICATIONS)
    .where(LAPSED)
    .values({
        APPLICATIONS.c.state: State.QUEUED,
        APPLICATIONS.c.attempt: APPLICATIONS.c.attempt + 1,
        APPLICATIONS.c.error: APPLICATIONS.c.owner + " gave no sign of life",
        APPLICATIONS.c.owner: None,
    })
)  # fmt: skip
INHERIT = update(APPLICATIONS).where(LAPSED).values(owner=bindparam("mine"), alive_at=bindparam("now"))
AT_ONCE = (
    update(APPLICATIONS)
    .where(APPLICATIONS.c.id == bindparam("number"), APPLICATIONS.c.state == State.QUEUED)
    .values(not_before=bindparam("now"))
)
_running, _late = APPLICATIONS.alias("running"), APPLICATIONS.alias("late")
OVERLAPPING = (
    select(_late.c.id, func.min(_running.c.scheduled_for))
    .join(_running, _running.c.model == _late.c.model)
    .where(
        _late.c.state == State.QUEUED,
        _late.c.origin == Origin.SCHEDULE,
        _late.c.attempt == 1,
        _running.c.state == State.RUNNING,
        _running.c.started_at <= _late.c.scheduled_for,
    )
    .group_by(_late.c.id)
)
SKIPPED = (
    update(APPLICATIONS)
    .where(APPLICATIONS.c.id == bindparam("number"), APPLICATIONS.c.state == State.QUEUED)
    .values(state=State.SKIPPED, error=bindparam("error"), finished_at=bindparam("now"))
)


class Queue:
    """The runs of a registry.

    Args:
        database: where they are.
        owner: this process's name; no other's.
        lease: how long what it took is its own without a sign of life.
    """

    def __init__(self, database: Database, owner: str, lease: timedelta = LEASE) -> None:
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
            new = dict(zip(ids, batches, strict=True))
            claimed = claims.claim(connection, new)
            if claimed == sum(len(batch.monitors) for batch in batches):
                return ids
            left = claims.names(connection, {number: batch.time for number, batch in new.items()})
            connection.execute(
                delete(APPLICATIONS).where(CHOSEN), {"chosen": [each for each in ids if each not in left]}
            )
            return [number for number in ids if number in left]

    def note(self) -> None:
        """Write on monitors' records up to where their times were claimed: they are watched from there on."""
        with self.database.begin() as connection:
            claims.note(connection)

    def again(self, monitor: int, time: datetime, now: datetime) -> int:
        """Queue a run by hand, of a time that was claimed before, or of a new one; the application's id.

        One that waits for this time is not waited for any longer, and one that goes on is the answer: no time is
        evaluated twice at once.
        """
        with self.database.begin() as connection:
            going = claims.open_application(connection, time, monitor)
            if going is not None:
                connection.execute(AT_ONCE, {"number": going, "now": now})
                return going
            (number,) = _new_applications(connection, [DueBatch(time, None, (monitor,))], now, Origin.HAND)
            claims.move(connection, time, monitor, number)
            return number

    # --------------------------------------------------------------------------------------------------- taken

    def take(self, now: datetime, most: int, *, in_turn: bool = False) -> list[Task]:
        """Take queued runs, the oldest first, at most so many.

        Args:
            now: what the clock says.
            most: how many this process has room for.
            in_turn: of a model one at a time, and none while one of it goes on, whoever's that is.
        """
        if most < 1:
            return []
        with self.database.begin() as connection:
            found = connection.execute(TAKE_IN_TURN if in_turn else TAKE, {"now": now, "most": most}).all()
            chosen = [row.id for row in found]
            if not chosen:
                return []
            connection.execute(TAKEN, {"chosen": chosen, "mine": self.owner, "now": now})
            return _tasks(connection, found)

    def skip_overlapping(self, now: datetime) -> int:
        """Write down as skipped what fell due while a run of its model went on that still does; how many these are."""
        with self.database.begin() as connection:
            rows = [
                {"number": number, "now": now, "error": f"skipped: the run of {time.isoformat()} still went on"}
                for number, time in connection.execute(OVERLAPPING)
            ]
            return connection.execute(SKIPPED, rows).rowcount if rows else 0

    def live(self, tasks: Sequence[Task], now: datetime) -> set[Task]:
        """A sign of life: those of these attempts that are still this process's own stay so, and are answered."""
        asked = {"chosen": [task.id for task in tasks], "mine": self.owner}
        with self.database.begin() as connection:
            connection.execute(LIVE, {**asked, "now": now})
            mine = {(row.id, row.attempt) for row in connection.execute(STILL_MINE, asked)}
        return {task for task in tasks if (task.id, task.attempt) in mine}

    def signs(self) -> list[Sign]:
        """The latest sign of life of each run that goes on, whoever's it is."""
        with self.database.begin(reading=True) as connection:
            return [Sign(*row) for row in connection.execute(SIGNS)]

    def take_over(self, lapsed: Sequence[Sign]) -> int:
        """Queue again the runs of which nobody has seen another sign of life since these; how many they are."""
        if not lapsed:
            return 0
        with self.database.begin() as connection:
            return sum(connection.execute(TAKE_OVER, _of(sign)).rowcount for sign in lapsed)

    def inherit(self, lapsed: Sequence[Sign], now: datetime) -> list[Task]:
        """Make such runs this process's own as they are, to end them."""
        if not lapsed:
            return []
        with self.database.begin() as connection:
            mine = [
                sign.id
                for sign in lapsed
                if connection.execute(INHERIT, {**_of(sign), "mine": self.owner, "now": now}).rowcount
            ]
            return _tasks(connection, connection.execute(GOING, {"chosen": mine}).all())

    # --------------------------------------------------------------------------------------------------- ended

    def end(self, endings: Mapping[Task, Ending], now: datetime) -> list[Task]:
        """Write down how attempts ended; answers those that were still this process's own.

        What somebody else has taken over meanwhile is theirs to end.
        """
        if not endings:
            return []
        by_id = {task.id: task for task in endings}
        with self.database.begin() as connection:
            mine = connection.execute(STILL_MINE, {"chosen": list(by_id), "mine": self.owner}).all()
            kept = [row for row in mine if row.attempt == by_id[row.id].attempt]
            own = [by_id[row.id] for row in kept]
            if kept:
                rows = [_ended(row, task, endings[task], now) for row, task in zip(kept, own, strict=True)]
                connection.execute(ENDED, rows)
            for task in own:
                if endings[task].again_at is None:  # otherwise they may be evaluated yet
                    claims.skip(connection, task.time, task.id, endings[task].skipped)
        return own

    def give_back(self, tasks: Sequence[Task]) -> None:
        """Queue what this process took and will not finish, so that somebody else goes on with it at once."""
        if not tasks:
            return
        asked = {"chosen": [task.id for task in tasks], "mine": self.owner}
        given = update(APPLICATIONS).where(MINE).values(state=State.QUEUED, owner=None)
        with self.database.begin() as connection:
            connection.execute(given, asked)

    def forget(self, before: datetime) -> int:
        """Delete runs that ended, and were due before that time; how many."""
        ended = APPLICATIONS.c.state.in_([State.DONE, State.FAILED, State.SKIPPED])
        with self.database.begin() as connection:
            return claims.forget(connection, before, ended)


def _of(sign: Sign) -> dict[str, Any]:
    return {"number": sign.id, "dead": sign.owner, "last": sign.alive_at}


def _tasks(connection: Connection, found: Sequence[Any]) -> list[Task]:
    names = claims.names(connection, {row.id: row.scheduled_for for row in found})
    return [Task(row.id, row.scheduled_for, row.model, names.get(row.id, ()), row.attempt) for row in found]


def _new_applications(connection: Connection, batches: Sequence[DueBatch], now: datetime, origin: Origin) -> list[int]:
    rows = [
        {
            "scheduled_for": batch.time,
            "model": batch.model,
            "origin": origin,
            "state": State.QUEUED,
            "attempt": 1,
            # Not the clock's time where that is later: it may be put back.
            "not_before": min(now, batch.time) if origin is Origin.SCHEDULE else now,
        }
        for batch in batches
    ]
    return [row.id for row in connection.execute(NEW, rows)]


def _ended(row: Any, task: Task, ending: Ending, now: datetime) -> dict[str, Any]:
    known: dict[str, Any] = {"number": row.id, "exit_code": ending.exit_code, "error": ending.error, "log": ending.log}
    if ending.again_at is not None:
        again = {"owner": None, "attempt": row.attempt + 1, "not_before": ending.again_at, "finished_at": None}
        return known | again | {"state": State.QUEUED}
    kept = {"owner": row.owner, "attempt": row.attempt, "not_before": row.not_before, "finished_at": now}
    nothing_left = ending.skipped.keys() >= set(task.monitors)
    state = State.SKIPPED if nothing_left else State.FAILED if ending.error else State.DONE
    return known | kept | {"state": state}
