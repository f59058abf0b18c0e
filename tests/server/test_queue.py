"""Every due time is claimed once, taken by one, and taken over from whoever died."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from server.database import Database
from server.due import DueBatch
from server.queue import Ending, Origin, Queue, State
from server.tables import Application, Claim, MonitorRecord
from tests.server.registered import NOW, make_monitors

MINUTE = timedelta(minutes=1)


@pytest.fixture
def monitors(database) -> list[int]:
    """Five monitors."""
    return make_monitors(database, 5)


def batch(minute: int, *monitors: int, model: str | None = None) -> DueBatch:
    return DueBatch(NOW + minute * MINUTE, model, monitors)


def states(database: Database) -> list[tuple[str, int]]:
    with database.reading() as session:
        return [(each.state, each.attempt) for each in session.scalars(select(Application).order_by(Application.id))]


def test_a_time_is_claimed_once_whoever_asks(database, monitors):
    one, other = Queue(database, "one"), Queue(database, "other")
    assert len(one.claim([batch(1, *monitors[:3])], NOW)) == 1
    assert other.claim([batch(1, *monitors[:3])], NOW) == []
    assert len(other.claim([batch(1, *monitors)], NOW)) == 1  # the two that nobody had
    tasks = one.take(NOW, 10)
    assert [task.monitors for task in tasks] == [("m0", "m1", "m2"), ("m3", "m4")]


def test_many_that_claim_and_take_at_once_share_the_work(database_url, database, monitors):
    taken: list[tuple[int, str]] = []

    def work(name: str) -> None:
        own = Database(database_url)
        queue = Queue(own, name)
        for minute in range(20):
            queue.claim([batch(minute, *monitors)], NOW)
            taken.extend((task.id, name) for task in queue.take(NOW + timedelta(hours=1), 3))
        own.close()

    threads = [threading.Thread(target=work, args=(f"s{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({number for number, _ in taken}) == len(taken) == 20
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Claim)) == 100


def test_an_attempt_that_failed_is_tried_again_when_it_is_time(database, monitors):
    queue = Queue(database, "one")
    queue.claim([batch(0, monitors[0])], NOW)
    (task,) = queue.take(NOW, 1)
    queue.end({task: Ending(1, "out of memory", again_at=NOW + MINUTE)}, NOW)
    assert queue.take(NOW, 1) == []
    (again,) = queue.take(NOW + MINUTE, 1)
    assert (again.id, again.attempt, again.monitors) == (task.id, 2, ("m0",))
    queue.end({again: Ending(0)}, NOW + MINUTE)
    assert states(database) == [(State.DONE, 2)]


def test_the_dead_are_taken_over_and_come_back_too_late(database, monitors):
    dead, heir = Queue(database, "dead"), Queue(database, "heir")
    dead.claim([batch(0, *monitors)], NOW)
    (task,) = dead.take(NOW, 1)
    assert heir.take_over(NOW + MINUTE) == 0  # its lease lasts
    assert heir.take_over(NOW + 3 * MINUTE) == 1
    (taken,) = heir.take(NOW + 3 * MINUTE, 1)
    assert taken.attempt == 2
    assert dead.live([task], NOW + 3 * MINUTE) == set()
    assert dead.end({task: Ending(0)}, NOW + 3 * MINUTE) == []
    assert heir.end({taken: Ending(0)}, NOW + 3 * MINUTE) == [taken]


def test_a_sign_of_life_keeps_what_is_owned(database, monitors):
    queue, other = Queue(database, "one"), Queue(database, "other")
    queue.claim([batch(0, *monitors)], NOW)
    (task,) = queue.take(NOW, 1)
    assert queue.live([task], NOW + MINUTE) == {task.id}
    assert other.take_over(NOW + 2.5 * MINUTE) == 0


def test_a_busy_models_next_run_waits(database, monitors):
    queue = Queue(database, "one")
    queue.claim([batch(0, monitors[0], model="a"), batch(1, monitors[0], model="a"), batch(1, monitors[1])], NOW)
    assert [task.model for task in queue.take(NOW, 5, in_turn=True)] == ["a", None]
    assert queue.take(NOW, 5, in_turn=True) == []
    assert [task.model for task in queue.take(NOW, 5)] == ["a"]


def test_what_is_given_back_is_taken_by_somebody_else_at_once(database, monitors):
    queue, other = Queue(database, "one"), Queue(database, "other")
    queue.claim([batch(0, *monitors)], NOW)
    queue.give_back(queue.take(NOW, 1), NOW)
    assert [task.attempt for task in other.take(NOW, 1)] == [1]


def test_a_run_by_hand_takes_the_claim_of_its_time(database, monitors):
    queue = Queue(database, "one")
    queue.claim([batch(0, monitors[0])], NOW)
    (first,) = queue.take(NOW, 1)
    queue.end({first: Ending(0)}, NOW)
    number = queue.again(monitors[0], NOW, NOW)
    (again,) = queue.take(NOW, 1)
    assert (again.id, again.monitors, again.time) == (number, ("m0",), NOW)
    queue.again(monitors[0], NOW - MINUTE, NOW)  # a time that was never due
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Claim)) == 2
        assert session.scalar(select(Application.origin).where(Application.id == number)) == Origin.HAND


def test_what_is_old_and_ended_is_forgotten_and_never_made_up_for(database, monitors):
    queue = Queue(database, "one")
    queue.claim([batch(0, *monitors), batch(1, *monitors[:1]), batch(2, *monitors)], NOW)
    queue.end({task: Ending(0) for task in queue.take(NOW + MINUTE, 2)}, NOW)
    assert queue.forget(NOW + MINUTE) == 1
    assert queue.forget(NOW + timedelta(days=1)) == 1  # the third has not ended
    assert queue.forget(NOW + timedelta(days=1)) == 0
    assert watched(database) == [2] * 5


def watched(database: Database) -> list[float]:
    """From which minute on each monitor is watched."""
    with database.reading() as session:
        found = list(session.scalars(select(MonitorRecord.watched_since).order_by(MonitorRecord.id)))
    return [(time - NOW) / MINUTE for time in found]


def test_monitors_are_watched_from_their_latest_time_that_was_claimed(database, monitors):
    queue = Queue(database, "one")
    queue.note()
    assert watched(database) == [0] * 5
    queue.claim([batch(3, *monitors[:2]), batch(1, *monitors[:3])], NOW)
    queue.note()
    assert watched(database) == [3, 3, 1, 0, 0]
    queue.claim([batch(2, *monitors)], NOW)  # made up for: later ones were claimed before
    for _ in range(2):
        queue.note()
        assert watched(database) == [3, 3, 2, 2, 2]


def test_a_run_by_hand_leaves_what_is_due_before_it_to_be_evaluated(database, monitors):
    queue = Queue(database, "one")
    queue.claim([batch(1, *monitors)], NOW)
    queue.again(monitors[0], NOW + 5 * MINUTE, NOW)
    queue.claim([batch(5, monitors[1])], NOW)
    queue.note()
    assert watched(database) == [1, 5, 1, 1, 1]


def test_what_is_claimed_is_noted_also_after_everything_was_forgotten(database, monitors):
    queue = Queue(database, "one")
    for minute in (1, 2):
        queue.claim([batch(minute, *monitors)], NOW)
        queue.end({task: Ending(0) for task in queue.take(NOW, 5)}, NOW)
    queue.note()
    assert queue.forget(NOW + timedelta(days=1)) == 2
    queue.claim([batch(3000, *monitors)], NOW)
    queue.note()
    assert watched(database) == [3000] * 5
