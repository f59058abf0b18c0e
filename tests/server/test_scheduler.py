"""A scheduler's steps with runs that end as a test says: retries, time limits, overlaps, handing over."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.errors import StoreError
from engine.triggers import Frequency, Recurrence, Trigger
from server.database import Database
from server.due import DueBatch, Timetable, Watched
from server.errors import RegistryError
from server.policies import CatchUp, Overlap, Policy, Retries
from server.queue import Ending, Origin, Queue, State, Task
from server.scheduler import Scheduler
from server.tables import Application
from tests.server.registered import NOW, make_monitors

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
RETRIES = Policy(retries=Retries(most=2, first=MINUTE, longest=HOUR))


@dataclass
class Run:
    """A process that goes on until somebody sets its code."""

    task: Task
    files: Sequence[Path]
    code: int | None = None
    killed: bool = False
    obeys: bool = True
    kept: int = 0
    log: str = "a.log"

    def poll(self) -> int | None:
        return self.code

    def keep(self) -> None:
        self.kept += 1

    def end(self) -> None:
        self.killed, self.code = True, 143 if self.obeys else self.code

    def wait(self) -> None:
        assert self.code is not None

    def output(self) -> str:
        return "the last line"


@dataclass
class Runs:
    """Every run that was started, in order.

    Attributes:
        refuses: what comes of starting one.
        elapsed: by the clock of their scheduler's that nobody can set, in seconds.
    """

    started: list[Run] = field(default_factory=list)
    refuses: OSError | None = None
    elapsed: float = 0

    def start(self, task: Task, files: Sequence[Path]) -> Run:
        if self.refuses:
            raise self.refuses
        self.started.append(Run(task, files))
        return self.started[-1]


@pytest.fixture(params=["sqlite"])  # what differs between the databases is tested with the queue
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'registry.db'}"


def scheduler(
    database: Database, runs: Runs, policy: Policy = RETRIES, *, owner: str = "one", every: int = 1000, most: int = 5
) -> Scheduler:
    """One that watches three monitors, of two models, from NOW on."""
    made = Timetable(policy)
    trigger = Trigger(Recurrence(Frequency.MINUTE, every), start_time=NOW + MINUTE)
    made.watch([Watched(number, f"m{number - 1}", f"model{number % 2}", trigger, NOW) for number in (1, 2, 3)])
    return Scheduler(
        Queue(database, owner),
        made,
        runs,
        lambda names: ([Path(name) for name in names], {}),
        policy,
        most,
        elapsed=lambda: runs.elapsed,
    )


def at(minute: float, *schedulers: Scheduler) -> None:
    """A step of each, that many minutes after NOW by both of its clocks."""
    for each in schedulers:
        each.launcher.elapsed = minute * 60
        each.step(NOW + minute * MINUTE)


@pytest.fixture(autouse=True)
def three_monitors(database: Database) -> None:
    assert make_monitors(database, 3) == [1, 2, 3]


def records(database: Database, model: str | None = None) -> list[Application]:
    with database.reading() as session:
        asked = select(Application).order_by(Application.scheduled_for, Application.id)
        return list(session.scalars(asked.where(Application.model == model) if model else asked))


def states(database: Database, model: str | None = None) -> list[str]:
    return [each.state for each in records(database, model)]


def test_what_is_due_is_started_once_together_with_its_models_others(database):
    runs = Runs()
    one = scheduler(database, runs)
    one.step(NOW)
    assert runs.started == []
    for seconds in (60, 61, 62):
        one.step(NOW + timedelta(seconds=seconds))
    assert sorted(run.task.monitors for run in runs.started) == [("m0", "m2"), ("m1",)]
    assert one.going == 2


def test_what_ended_well_is_done_and_told(database):
    runs, told = Runs(), list[tuple[tuple[str, ...], int | None]]()
    one = scheduler(database, runs)
    one.ended = lambda task, ending, _now: told.append((task.monitors, ending.exit_code))
    one.step(NOW + MINUTE)
    runs.started[0].code, runs.started[1].code = 0, 10  # 10: something exceeds its threshold
    one.step(NOW + 2 * MINUTE)
    assert states(database) == [State.DONE, State.DONE]
    assert sorted(told) == sorted([(runs.started[0].task.monitors, 0), (runs.started[1].task.monitors, 10)])
    assert {each.finished_at for each in records(database)} == {NOW + 2 * MINUTE}


def test_a_failure_is_tried_again_later_each_time_and_told_when_it_is_for_good(database):
    runs, told = Runs(), list[str | None]()
    one = scheduler(database, runs, most=1)
    one.ended = lambda _task, ending, _now: told.append(ending.error)
    one.step(NOW + MINUTE)
    runs.started[0].code = 0
    at, attempts = NOW + MINUTE, list[float]()
    while at < NOW + 10 * MINUTE:
        at += MINUTE / 4
        one.step(at)
        if runs.started[-1].code is None:
            attempts.append((at - NOW) / MINUTE)
            runs.started[-1].code = 3
    # The first ends a step later and is tried a minute after that, and then two.
    assert attempts == [1.25, 2.5, 4.75]
    assert [run.task.attempt for run in runs.started[1:]] == [1, 2, 3]
    assert states(database, runs.started[1].task.model) == [State.FAILED]
    assert told == [None, "data cannot be read\nthe last line"]


def test_a_wrong_definition_is_not_tried_again(database):
    runs = Runs()
    one = scheduler(database, runs)
    one.step(NOW + MINUTE)
    for run in runs.started:
        run.code = 2
    one.step(NOW + 2 * MINUTE)
    assert states(database) == [State.FAILED] * 2
    assert {each.attempt for each in records(database)} == {1}


def test_what_was_killed_for_its_memory_says_so_and_is_tried_again(database):
    runs = Runs()
    one = scheduler(database, runs)
    one.step(NOW + MINUTE)
    runs.started[0].code = 137
    one.step(NOW + 2 * MINUTE)
    (record,) = records(database, runs.started[0].task.model)
    assert (record.state, record.attempt, record.exit_code) == (State.QUEUED, 2, 137)
    assert "the machine had no memory left" in (record.error or "")


def test_what_hangs_is_ended_at_its_time_limit_and_tried_again(database):
    runs = Runs()
    one = scheduler(database, runs, Policy(time_limit=10 * MINUTE))
    for minute in range(1, 11):
        at(minute, one)
    assert not any(run.killed for run in runs.started)
    at(11, one)
    assert all(run.killed for run in runs.started)
    at(11.1, one)
    assert len(runs.started) == 2
    assert {(each.state, each.attempt) for each in records(database)} == {(State.QUEUED, 2)}
    assert "time limit of 0:10:00" in (records(database)[0].error or "")


def test_no_step_waits_for_what_does_not_end_at_once_and_it_counts_as_going_on_until_it_is_gone(database):
    runs, others = Runs(), Runs()
    one, other = scheduler(database, runs, Policy(time_limit=MINUTE)), scheduler(database, others, owner="other")
    at(1, one)
    for run in runs.started:
        run.obeys = False
    for minute in range(2, 20):
        at(minute, one, other)
    assert all(run.killed and run.kept for run in runs.started)
    assert states(database) == [State.RUNNING] * 2
    assert others.started == []
    for run in runs.started:
        run.code = 137
    at(20, one)
    assert {(each.state, each.attempt) for each in records(database)} == {(State.QUEUED, 2)}
    assert "time limit of 0:01:00" in (records(database)[0].error or "")


def test_what_cannot_be_started_is_tried_again(database):
    runs = Runs(refuses=OSError(28, "No space left on device"))
    one = scheduler(database, runs)
    one.step(NOW + MINUTE)
    assert states(database) == [State.QUEUED] * 2
    assert "No space left" in (records(database)[0].error or "")
    runs.refuses = None
    one.step(NOW + 2 * MINUTE)
    assert [run.task.attempt for run in runs.started] == [2, 2]


def test_no_more_go_on_at_once_than_there_is_room_for(database):
    runs = Runs()
    one = scheduler(database, runs, most=1)
    one.step(NOW + MINUTE)
    one.step(NOW + 2 * MINUTE)
    assert len(runs.started) == 1
    runs.started[0].code = 0
    one.step(NOW + 3 * MINUTE)
    assert len(runs.started) == 2


def test_two_share_the_work_and_neither_does_the_others(database):
    runs, others = Runs(), Runs()
    one, other = scheduler(database, runs, most=1), scheduler(database, others, owner="other", most=1)
    for each in (one, other):
        each.step(NOW + MINUTE)
    assert {run.task.model for run in (*runs.started, *others.started)} == {"model0", "model1"}
    assert len(runs.started) == len(others.started) == 1


# ------------------------------------------------------------------------------------------------------- overlaps


def overlapping(database: Database, overlap: Overlap, catch_up: CatchUp = CatchUp.ALL) -> tuple[Runs, Scheduler]:
    """Due every minute; the first run of model0 goes on for ever, model1's are ended at once."""
    runs = Runs()
    return runs, scheduler(database, runs, Policy(catch_up, overlap=overlap), every=1)


def of_model0(runs: Runs) -> list[float]:
    return [(run.task.time - NOW) / MINUTE for run in runs.started if run.task.model == "model0"]


def test_a_run_waits_for_its_models_previous_one_also_in_another_process(database):
    runs, one = overlapping(database, Overlap.WAIT)
    others = Runs()
    other = scheduler(database, others, one.policy, owner="other", every=1)
    for minute in (1, 2, 3):
        one.step(NOW + minute * MINUTE)
        other.step(NOW + minute * MINUTE)
    assert of_model0(runs) == [1]
    assert others.started == []
    runs.started[0].code = runs.started[1].code = 0
    one.step(NOW + 3.5 * MINUTE)
    assert of_model0(runs) == [1, 2]


def test_runs_go_on_beside_each_other_where_that_is_wanted(database):
    runs, one = overlapping(database, Overlap.PARALLEL)
    for minute in (1, 2):
        one.step(NOW + minute * MINUTE)
    assert of_model0(runs) == [1, 2]


def test_what_falls_due_while_its_models_previous_run_goes_on_is_skipped_and_says_why(database):
    runs, one = overlapping(database, Overlap.SKIP)
    for minute in (1, 2, 3):
        one.step(NOW + minute * MINUTE)
    runs.started[0].code = runs.started[1].code = 0
    one.step(NOW + 3.5 * MINUTE)
    one.step(NOW + 4 * MINUTE)
    assert of_model0(runs) == [1, 4]
    assert states(database, "model0") == [State.DONE, State.SKIPPED, State.SKIPPED, State.RUNNING]
    skipped = records(database, "model0")[1]
    assert skipped.error == f"skipped: the run of {(NOW + MINUTE).isoformat()} still went on"
    assert skipped.finished_at == NOW + 2 * MINUTE


def test_what_was_missed_before_is_made_up_for_and_not_skipped(database):
    runs, one = overlapping(database, Overlap.SKIP)
    for step in range(3):
        one.step(NOW + 3.2 * MINUTE + step * MINUTE / 10)
        for run in runs.started:
            run.code = 0
    assert of_model0(runs) == [1, 2, 3]


def test_a_run_by_hand_and_a_second_try_are_never_skipped(database):
    runs, one = overlapping(database, Overlap.SKIP)
    one.step(NOW + MINUTE)
    number = one.queue.again(1, NOW + 1.5 * MINUTE, NOW + 1.5 * MINUTE)
    one.step(NOW + 1.6 * MINUTE)
    assert number in {run.task.id for run in runs.started}
    next(run for run in runs.started if run.task.model == "model0").code = 1
    one.step(NOW + 1.7 * MINUTE)
    one.step(NOW + 2 * MINUTE)  # the next run of the model starts while the first one waits for its second try
    assert states(database, "model0") == [State.QUEUED, State.RUNNING]
    one.step(NOW + 2.8 * MINUTE)
    assert states(database, "model0") == [State.QUEUED, State.RUNNING]


# --------------------------------------------------------------------------------------------------- handing over


def test_what_somebody_else_has_taken_over_is_ended_here(database):
    runs, others = Runs(), Runs()
    one, heir = scheduler(database, runs), scheduler(database, others, owner="heir")
    at(1, one, heir)
    at(4, heir)  # the first gave no sign of life for three minutes
    assert [run.task.attempt for run in others.started] == [2, 2]
    runs.started[0].code = 0  # it ended well, but too late
    at(4, one)
    assert runs.started[1].killed
    at(4.1, one)
    assert one.going == 0
    assert states(database) == [State.RUNNING] * 2
    for run in others.started:
        run.code = 0
    at(5, heir)
    assert states(database) == [State.DONE] * 2


def test_signs_of_life_keep_a_long_run_from_being_taken_over(database):
    runs, others = Runs(), Runs()
    one, other = scheduler(database, runs), scheduler(database, others, owner="other")
    for minute in range(1, 60):
        at(minute, one)
        at(minute + 0.5, other)
    assert others.started == []
    assert one.going == 2


def test_what_was_taken_and_then_forgotten_by_its_process_is_taken_over(database):
    runs = Runs()
    one = scheduler(database, runs)
    one.queue.claim(one.timetable.due(NOW + MINUTE), NOW + MINUTE)
    one.queue.take(NOW + MINUTE, 1)  # and then something went wrong
    for minute in range(1, 5):
        at(minute, one)
    assert len(runs.started) == 2


def test_a_stop_hands_over_at_once_and_ends_what_goes_on(database):
    runs, others = Runs(), Runs()
    one, heir = scheduler(database, runs), scheduler(database, others, owner="heir")
    one.step(NOW + MINUTE)
    one.stop()
    assert all(run.killed for run in runs.started)
    assert one.going == 0
    heir.step(NOW + MINUTE)
    assert [run.task.attempt for run in others.started] == [1, 1]


def test_a_run_that_ends_its_scheduler_each_time_is_given_up_after_the_last_attempt_and_told(database):
    told, attempts = list[tuple[tuple[str, ...], str | None]](), list[int]()
    for number in range(3):
        runs = Runs()
        one = scheduler(database, runs, owner=f"server{number}")
        at(1 + 4 * number, one)
        at(4 + 4 * number, one)  # and then it dies
        attempts += [run.task.attempt for run in runs.started]
    assert attempts == [1, 1, 2, 2, 3, 3]
    last = scheduler(database, Runs(), owner="last")
    last.ended = lambda task, ending, _now: told.append((task.monitors, ending.error))
    at(13, last)
    at(16, last)
    why = "server2, which evaluated it, gave no sign of life; that was attempt 3, and the last one"
    assert sorted(told) == [(("m0", "m2"), why), (("m1",), why)]
    assert {(each.state, each.error) for each in records(database)} == {(State.FAILED, why)}
    at(30, last)
    assert last.going == 0


def test_what_was_given_up_and_could_not_be_told_is_told_later(database):
    dead, broken, told = scheduler(database, Runs(), Policy(retries=Retries(0))), True, list[str | None]()
    at(1, dead)
    heir = scheduler(database, Runs(), Policy(retries=Retries(0)), owner="heir")

    def ended(task: Task, _ending: Ending, _now: datetime) -> None:
        if broken:
            raise StoreError("the store cannot be read")
        told.append(task.model)

    heir.ended = ended
    at(2, heir)
    with pytest.raises(StoreError):
        at(5, heir)
    assert states(database) == [State.RUNNING] * 2
    broken = False
    at(6, heir)
    at(9, heir)
    assert sorted(told) == ["model0", "model1"]
    assert states(database) == [State.FAILED] * 2


def test_a_run_that_was_handed_over_many_times_is_still_at_its_first_attempt(database):
    for number in range(9):
        runs = Runs()
        one = scheduler(database, runs, owner=f"server{number}")
        one.step(NOW + MINUTE)
        one.stop()
        assert [run.task.attempt for run in runs.started] == [1, 1]


# ------------------------------------------------------------------------------------------------------- trouble


def test_what_cannot_be_told_stays_unfinished_and_the_others_go_on(database):
    runs, told = Runs(), list[str | None]()
    one = scheduler(database, runs, every=1)
    broken = True

    def ended(task: Task, _ending: Ending, _now: datetime) -> None:
        if broken and task.model == "model0":
            raise StoreError("the store cannot be read")
        told.append(task.model)

    one.ended = ended
    one.step(NOW + MINUTE)
    for run in runs.started:
        run.code = 0
    with pytest.raises(StoreError, match="cannot be read"):
        one.step(NOW + 2 * MINUTE)
    assert told == ["model1"]
    assert states(database, "model0") == [State.RUNNING, State.QUEUED]
    assert states(database, "model1") == [State.DONE, State.RUNNING]
    broken = False
    one.step(NOW + 2.5 * MINUTE)
    assert told == ["model1", "model0"]
    assert states(database, "model0") == [State.DONE, State.RUNNING]


def test_runs_of_a_monitor_are_told_in_their_order_also_when_the_first_cannot_be_told_yet(database):
    runs, told = Runs(), list[tuple[datetime, str | None]]()
    policy = Policy(overlap=Overlap.PARALLEL)
    one = scheduler(database, runs, policy, every=1)
    broken = True

    def ended(task: Task, _ending: Ending, _now: datetime) -> None:
        if broken and task.model == "model0" and task.time == NOW + MINUTE:
            raise StoreError("the store cannot be read")
        told.append((task.time, task.model))

    one.ended = ended
    one.step(NOW + MINUTE)
    one.step(NOW + 2 * MINUTE)
    for run in reversed(runs.started):
        run.code = 0
    with pytest.raises(StoreError, match="cannot be read"):
        one.step(NOW + 2.5 * MINUTE)
    assert told == [(NOW + MINUTE, "model1"), (NOW + 2 * MINUTE, "model1")]
    broken = False
    one.step(NOW + 2.6 * MINUTE)
    assert told[2:] == [(NOW + MINUTE, "model0"), (NOW + 2 * MINUTE, "model0")]


@pytest.fixture
def outage(database: Database, tmp_path: Path) -> Callable[[], AbstractContextManager[None]]:
    """For a while the database has no tables."""

    @contextmanager
    def away() -> Generator[None]:
        database.close()
        (tmp_path / "registry.db").rename(tmp_path / "away")
        yield
        database.close()
        (tmp_path / "away").replace(tmp_path / "registry.db")

    return away


def test_without_the_database_what_ended_meanwhile_is_written_down_later(database, outage):
    runs = Runs()
    one = scheduler(database, runs)
    one.step(NOW + MINUTE)
    runs.started[0].code = 0
    with outage(), pytest.raises(RegistryError):
        one.step(NOW + 2 * MINUTE)
    assert one.going == 2
    one.step(NOW + 2.5 * MINUTE)
    assert sorted(states(database)) == [State.DONE, State.RUNNING]


def test_without_the_database_what_falls_due_meanwhile_is_run_later(database, outage):
    runs = Runs()
    one = scheduler(database, runs, every=1, most=50)
    with outage():
        for minute in (1, 2, 3):
            with pytest.raises(RegistryError):
                one.step(NOW + minute * MINUTE)
    one.queue = Interrupted(database, "one")  # it is back, and gone again in mid-step
    with pytest.raises(RegistryError):
        one.step(NOW + 3.1 * MINUTE)
    for tenth in range(2, 6):
        one.step(NOW + (3 + tenth / 10) * MINUTE)
        for run in runs.started:
            run.code = 0
    assert of_model0(runs) == [1, 2, 3]


class Interrupted(Queue):
    """Its database is gone for the first claim."""

    failures = 1

    def claim(self, batches: Sequence[DueBatch], now: datetime, origin: Origin = Origin.SCHEDULE) -> list[int]:
        if self.failures:
            self.failures -= 1
            raise RegistryError("the server closed the connection")
        return super().claim(batches, now, origin)
