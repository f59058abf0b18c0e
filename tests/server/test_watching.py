"""What a scheduler watches follows the registry: changed monitors go on where they were, broken ones are left out."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.definitions import load_all
from server.changes import changes_between
from server.database import Database
from server.desired import read_desired
from server.due import DueBatch, Timetable
from server.keys import Role, create_key
from server.policies import Policy
from server.queue import Ending, Queue, State
from server.registry import Registry
from server.runs import list_runs
from server.scheduler import Scheduler
from server.service import Service
from server.tables import AuditEntry, MonitorVersion
from server.watching import Watching
from server.workspace import Workspace
from tests.server.conftest import NOW
from tests.server.test_registry import ASSETS, MODEL, MONITOR
from tests.server.test_scheduler import Runs, records

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A folder like `conf/`, with two monitors of one model, due every day at midnight."""
    folder = tmp_path / "conf"
    for name, text in {
        "monitors/one.yaml": MONITOR.format(name="one", threshold=0.01),
        "monitors/two.yaml": MONITOR.format(name="two", threshold=0.02),
        "models/shop.yaml": MODEL,
        "assets.yaml": ASSETS,
        "components/functions.py": "ANSWER = 42\n",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def watching(database: Database, tmp_path: Path) -> Watching:
    return Watching(database, Queue(database, "one"), Workspace(tmp_path / "definitions"))


def apply(database: Database, conf: Path, now: datetime = NOW, *, prune: bool = False, space: str = "default") -> None:
    with database.session() as session:
        registry = Registry(session, "test:ada", now, space)
        registry.carry_out(changes_between(registry.current(), read_desired([conf]), prune=prune))


def evaluated(database: Database, time: datetime, *monitors: int) -> None:
    """As if these had been evaluated for that time."""
    queue = Queue(database, "somebody")
    queue.claim([DueBatch(time, "shop", monitors)], time)
    queue.end({task: Ending(0) for task in queue.take(time, 1)}, time)


def since(watching: Watching, now: datetime = NOW) -> dict[str, datetime]:
    found = watching.changed(now)
    assert found is not None
    return {each.name: each.since for each in found}


def test_an_empty_registry_is_watched_too(watching):
    assert watching.changed(NOW) == []
    assert watching.changed(NOW) is None


def test_monitors_are_watched_from_when_they_were_applied_and_read_again_only_after_a_change(database, watching, conf):
    apply(database, conf)
    assert since(watching) == {"one": NOW, "two": NOW}
    assert watching.changed(NOW + DAY) is None


def test_what_changes_no_definition_is_not_read_again(database, watching, conf):
    apply(database, conf)
    watching.changed(NOW)
    with database.session() as session:
        create_key(Registry(session, "test:ada", NOW), "ci", Role.VIEWER, bound=False)
    assert watching.changed(NOW) is None


def test_a_monitors_file_can_be_evaluated_as_it_stands(database, watching, conf):
    apply(database, conf)
    watching.changed(NOW)
    files, why = watching.files(["one", "two", "never heard of"])
    assert why == {"never heard of": "skipped: its monitor is deleted"}
    monitors, problems = load_all(files)
    assert ([monitor.name for monitor in monitors], problems) == (["one", "two"], [])
    assert (files[0].parent.parent / "components/functions.py").read_text() == "ANSWER = 42\n"
    assert not files[0].is_relative_to(conf)


def test_a_changed_monitor_is_watched_anew_from_where_it_was_left(database, watching, conf):
    apply(database, conf)
    watching.changed(NOW)
    (before,), _ = watching.files(["one"])
    evaluated(database, NOW + DAY, 1, 2)
    evaluated(database, NOW + 2 * DAY, 2)
    (conf / "monitors/one.yaml").write_text(MONITOR.format(name="one", threshold=0.5))
    apply(database, conf, NOW + 2 * DAY)
    assert since(watching) == {"one": NOW + DAY, "two": NOW + 2 * DAY}
    (after,), _ = watching.files(["one"])
    assert "0.5" in after.read_text()
    assert "0.01" in before.read_text()  # a run that was started a moment ago still reads what it was started with


def test_a_restarted_process_goes_on_where_the_former_was(database, watching, conf, tmp_path):
    apply(database, conf)
    evaluated(database, NOW + DAY, 1, 2)
    restarted = Watching(database, Queue(database, "two"), Workspace(tmp_path / "elsewhere"))
    assert since(restarted, NOW + 9 * DAY) == {"one": NOW + DAY, "two": NOW + DAY}


def test_what_was_forgotten_is_not_made_up_for(database, watching, conf):
    apply(database, conf)
    evaluated(database, NOW + DAY, 1, 2)
    watching.queue.forget(NOW + 500 * DAY)
    assert since(watching) == {"one": NOW + 500 * DAY, "two": NOW + 500 * DAY}


def test_disabled_monitors_are_not_watched_and_nothing_is_made_up_for_when_they_are_again(database, watching, conf):
    apply(database, conf)
    assert set(since(watching)) == {"one", "two"}
    with database.session() as session:
        Registry(session, "test:ada", NOW + MINUTE).set_enabled("one", enabled=False)
    assert set(since(watching)) == {"two"}
    assert watching.files(["one"]) == ([], {"one": "skipped: its monitor is disabled"})
    with database.session() as session:
        Registry(session, "test:ada", NOW + 30 * DAY).set_enabled("one", enabled=True)
    assert since(watching) == {"one": NOW + 30 * DAY, "two": NOW}


def test_a_deleted_monitor_is_no_longer_watched(database, watching, conf):
    apply(database, conf)
    watching.changed(NOW)
    (conf / "monitors/one.yaml").unlink()
    apply(database, conf, prune=True)
    assert set(since(watching)) == {"two"}


def test_monitors_of_every_space_are_watched_each_beside_its_own_models(database, watching, conf, tmp_path):
    apply(database, conf)
    other = tmp_path / "other"
    (other / "monitors").mkdir(parents=True)
    (other / "models").mkdir()
    (other / "monitors/three.yaml").write_text(MONITOR.format(name="three", threshold=0.3))
    (other / "models/shop.yaml").write_text(MODEL.replace("azureml:orders:1", "/data/others"))
    apply(database, other, space="other")
    assert set(since(watching)) == {"one", "two", "three"}
    (three,), _ = watching.files(["three"])
    assert "/data/others" in (three.parent.parent / "models/shop.yaml").read_text()


def broken(database: Database, name: str) -> None:
    """As when what a definition needs is gone since it was applied: here, what this driftline can read."""
    with database.session() as session:
        version = session.scalars(select(MonitorVersion).where(MonitorVersion.text.contains(f"name: {name}"))).one()
        version.text = version.text.replace("data_quality", "data_qualm")
        session.add(AuditEntry(at=NOW, actor="test", action="update", kind="monitor", name=name))


def test_a_broken_monitor_is_said_and_the_others_are_run(database, watching, conf, caplog):
    apply(database, conf)
    broken(database, "one")
    runs, policy = Runs(), Policy()
    scheduler = Scheduler(watching.queue, Timetable(policy), runs, watching.files, policy)
    service = Service(watching, scheduler)
    with caplog.at_level(logging.INFO, logger="driftline.server"):
        service.step(NOW)
        service.step(NOW + DAY)
    assert [run.task.monitors for run in runs.started] == [("two",)]
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(said) == 1
    assert "data_qualm" in said[0]
    assert service.pulse.well


def test_what_was_deleted_since_it_was_due_is_not_run_and_the_others_are(database, watching, conf):
    apply(database, conf)
    runs, policy = Runs(), Policy()
    scheduler = Scheduler(watching.queue, Timetable(policy), runs, watching.files, policy, most=5)
    service = Service(watching, scheduler)
    service.step(NOW)
    for days in (1, 2):
        watching.queue.claim(scheduler.timetable.due(NOW + days * DAY), NOW + days * DAY)
    watching.queue.again(1, NOW + DAY, NOW + DAY)  # alone in its run
    with database.session() as session:
        Registry(session, "test:ada", NOW + 2 * DAY).delete("one")
    for minute in range(1, 5):
        service.step(NOW + 2 * DAY + minute * MINUTE)
        for run in runs.started:
            run.code = 0
    assert service.pulse.well
    assert [run.task.monitors for run in runs.started] == [("two",), ("two",)]
    alone = records(database)[1]
    assert (alone.state, alone.error) == (State.SKIPPED, "none of its monitors can be evaluated any more")


def test_what_was_disabled_or_broke_since_it_was_due_is_skipped_and_says_why_and_the_others_are_run(
    database, watching, conf
):
    (conf / "monitors/three.yaml").write_text(MONITOR.format(name="three", threshold=0.03))
    apply(database, conf)
    runs, policy, told = Runs(), Policy(), list[tuple[tuple[str, ...], str | None]]()
    scheduler = Scheduler(watching.queue, Timetable(policy), runs, watching.files, policy)
    scheduler.ended = lambda task, ending, _now: told.append((task.monitors, ending.error))
    service = Service(watching, scheduler)
    service.step(NOW)
    watching.queue.claim(scheduler.timetable.due(NOW + DAY), NOW + DAY)
    with database.session() as session:
        Registry(session, "test:ada", NOW + DAY).set_enabled("one", enabled=False)
    path = watching.monitors["two"].path
    assert path is not None
    path.write_text(path.read_text().replace("data_quality", "data_qualm"))  # as when a file that it needs is gone
    for minute in range(3):
        service.step(NOW + DAY + minute * MINUTE)
        for run in runs.started:
            run.code = 0
    assert service.pulse.well
    assert [(run.task.monitors, [path.stem for path in run.files]) for run in runs.started] == [
        (("one", "three", "two"), ["three"])
    ]
    with database.reading() as session:
        found = {each.monitor: (each.state, each.error or "") for each in list_runs(session, None, None, 9)}
    assert found["one"] == (State.SKIPPED, "skipped: its monitor is disabled")
    assert found["two"][0] == State.SKIPPED
    assert "data_qualm" in found["two"][1]
    assert found["three"] == (State.DONE, "")
    assert dict(told) == {(name,): error or None for name, (_, error) in found.items()}
