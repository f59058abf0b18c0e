"""Every due time is claimed once, taken by one, and taken over from whoever died."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from server.database import Database
from server.due import DueBatch
from server.errors import RegistryError
from server.queue import Ending, Origin, Queue, State
from server.runs import find_run, list_runs, trigger_run
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
    dead, heir, other = (Queue(database, name) for name in ("dead", "heir", "other"))
    dead.claim([batch(0, *monitors)], NOW)
    (task,) = dead.take(NOW, 1)
    (sign,) = heir.signs()
    assert (sign.id, sign.owner, sign.alive_at) == (task.id, "dead", NOW)
    assert (heir.take_over([sign]), other.take_over([sign])) == (1, 0)  # whoever is first
    (taken,) = heir.take(NOW, 1)
    assert taken.attempt == 2
    assert dead.live([task], NOW) == set()
    assert dead.end({task: Ending(0)}, NOW) == []
    assert heir.end({taken: Ending(0)}, NOW) == [taken]


def test_whoever_gives_another_sign_of_life_keeps_what_is_his(database, monitors):
    queue, other = Queue(database, "one"), Queue(database, "other")
    queue.claim([batch(0, *monitors)], NOW)
    (task,) = queue.take(NOW, 1)
    signs = other.signs()
    assert queue.live([task], NOW + MINUTE) == {task}
    assert other.take_over(signs) == 0
    assert other.inherit(signs, NOW + MINUTE) == []
    assert other.signs() == [signs[0]._replace(alive_at=NOW + MINUTE)]


def test_what_is_inherited_to_be_ended_is_as_it_was(database, monitors):
    dead, heir = Queue(database, "dead"), Queue(database, "heir")
    dead.claim([batch(0, *monitors)], NOW)
    (task,) = dead.take(NOW, 1)
    assert heir.inherit(heir.signs(), NOW + MINUTE) == [task]
    assert dead.live([task], NOW) == set()
    assert heir.live([task], NOW) == {task}


def test_why_a_monitor_was_not_evaluated_is_kept_until_it_is(database, monitors):
    queue = Queue(database, "one")
    queue.claim([batch(0, *monitors)], NOW)
    (task,) = queue.take(NOW, 1)
    skipped = {"m1": "skipped: its monitor is disabled"}
    queue.end({task: Ending(1, "failed", again_at=NOW, skipped={**skipped, "m2": "skipped: it is back by then"})}, NOW)
    (task,) = queue.take(NOW, 1)
    queue.end({task: Ending(0, skipped=skipped)}, NOW)
    shown = {None: 5, "done": 4, "skipped": 1, "failed": 0}
    with database.reading() as session:
        assert {state: len(list_runs(session, None, state, 99)) for state in shown} == shown
        found = find_run(session, "m1", NOW)
    assert (found.state, found.error, found.exit_code) == (
        State.SKIPPED,
        "skipped: its monitor is disabled",
        None,
    )
    queue.again(monitors[1], NOW, NOW)
    queue.end({each: Ending(0) for each in queue.take(NOW, 1)}, NOW)
    with database.reading() as session:
        assert find_run(session, "m1", NOW).state == State.DONE


def test_a_busy_models_next_run_waits(database, monitors):
    queue = Queue(database, "one")
    queue.claim([batch(0, monitors[0], model="a"), batch(1, monitors[0], model="a"), batch(1, monitors[1])], NOW)
    assert [task.model for task in queue.take(NOW, 5, in_turn=True)] == ["a", None]
    assert queue.take(NOW, 5, in_turn=True) == []
    assert [task.model for task in queue.take(NOW, 5)] == ["a"]


def test_what_is_given_back_is_taken_by_somebody_else_at_once(database, monitors):
    queue, other = Queue(database, "one"), Queue(database, "other")
    queue.claim([batch(0, *monitors)], NOW)
    queue.give_back(queue.take(NOW, 1))
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


def test_a_run_by_hand_of_a_time_that_waits_or_goes_on_is_that_run(database, monitors):
    queue = Queue(database, "one")
    queue.claim([batch(0, *monitors)], NOW)
    (task,) = queue.take(NOW, 1)
    assert queue.again(monitors[0], NOW, NOW) == task.id
    queue.end({task: Ending(1, "failed", again_at=NOW + MINUTE)}, NOW)
    assert queue.again(monitors[0], NOW, NOW) == task.id
    assert [(each.id, each.attempt) for each in queue.take(NOW, 5)] == [(task.id, 2)]  # at once


def test_whoever_triggers_a_run_need_not_know_when_it_was_due(database, monitors):
    assert trigger_run(database, "m0", None, NOW + MINUTE / 3, "test:ada") == NOW  # it has none yet
    queue = Queue(database, "one")
    (task,) = queue.take(NOW + MINUTE, 5)
    assert (task.monitors, task.time) == (("m0",), NOW)
    queue.end({task: Ending(0)}, NOW)
    assert trigger_run(database, "m0", None, NOW + 9 * MINUTE, "test:ada") == NOW
    assert trigger_run(database, "m0", NOW - MINUTE, NOW + 9 * MINUTE, "test:ada") == NOW - MINUTE
    assert [each.time for each in queue.take(NOW + 9 * MINUTE, 5)] == [NOW - MINUTE, NOW]
    with database.session() as session:
        session.execute(update(MonitorRecord).values(enabled=False))
    with pytest.raises(RegistryError, match=r"'m0' is disabled.*driftline monitors enable m0"):
        trigger_run(database, "m0", None, NOW, "test:ada")


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
