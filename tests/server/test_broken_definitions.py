"""A definition that was right when it was applied and cannot be loaded any more is told, once, and its recovery too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.errors import StoreError
from engine.store import Store
from server.broken import tell_broken
from server.changes import changes_between
from server.contacts import contacts_in
from server.database import Database
from server.desired import read_desired
from server.due import Timetable
from server.policies import Policy
from server.queue import Queue
from server.registry import Registry
from server.scheduler import Scheduler
from server.service import Service
from server.tables import Alert, Delivery
from server.telling import tell
from server.watching import Watching
from server.workspace import Workspace
from tests.jobs.conftest import a_run
from tests.server.conftest import NOW
from tests.server.test_scheduler import Runs

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
OWN = """
name: own
trigger: {type: recurrence, frequency: day}
create_monitor:
  alert_notification: {emails: [ada@example.com], integrations: [ops]}
  alerting: {breaches: 3, of: 5}
  monitoring_signals:
    own:
      type: custom
      component_id: own:run
      input_data: {rows: {input_data: {path: in.parquet}}}
      metric_thresholds: [{metric_name: deviation, threshold: 2}]
"""


@pytest.fixture
def component(tmp_path: Path) -> Path:
    """The file that the monitor needs."""
    path = tmp_path / "conf" / "components" / "own.py"
    path.parent.mkdir(parents=True)
    path.write_text("def run(**given): ...\n")
    (tmp_path / "conf" / "assets.yaml").write_text("assets: []\n")
    monitor = tmp_path / "conf" / "monitors" / "own.yaml"
    monitor.parent.mkdir()
    monitor.write_text(OWN)
    return path


@pytest.fixture
def service(database: Database, tmp_path: Path, component: Path) -> Service:
    with database.session() as session:
        registry = Registry(session, "test:ada", NOW)
        registry.carry_out(changes_between(registry.current(), read_desired([tmp_path / "conf"]), prune=False))
    return started(database, tmp_path)


def started(database: Database, tmp_path: Path) -> Service:
    queue = Queue(database, "one")
    watching = Watching(database, queue, Workspace(tmp_path / "definitions"))
    scheduler = Scheduler(queue, Timetable(Policy()), Runs(), watching.files, Policy())
    return Service(watching, scheduler, broken=partial(tell_broken, database, Store(tmp_path / "store"), None))


def changed(database: Database, now: datetime) -> None:
    """Something in the registry, so that it is read again."""
    with database.session() as session:
        Registry(session, "test:ada", now).log("change", "monitor", "own", None, None)


def mails(database: Database) -> Sequence[tuple[str, str]]:
    with database.reading() as session:
        found = session.scalars(select(Delivery).order_by(Delivery.id)).all()
    return [(each.address, each.message["subject"]) for each in found]


def test_its_contacts_hear_of_it_once_whoever_starts_again_and_of_its_recovery(database, service, component, tmp_path):
    service.step(NOW)
    assert mails(database) == []
    component.unlink()
    changed(database, NOW + MINUTE)
    for minute in (1, 2):
        service.step(NOW + minute * MINUTE)
    told = [("ada@example.com", "own: could not be evaluated"), ("ops", "own: could not be evaluated")]
    assert mails(database) == told
    started(database, tmp_path).step(NOW + 3 * MINUTE)
    assert mails(database) == told
    with database.reading() as session:
        message = session.scalars(select(Delivery.message)).first()
        assert session.scalars(select(Alert.state)).all() == ["triggered"]
    assert message is not None
    assert "its definition cannot be loaded any more" in message["text"]
    assert "monitors/own.yaml:10: " in message["text"]
    assert f"there is no module 'own' in {component.parent} (" in message["text"]
    assert service.pulse.loaded.broken.keys() == {"own"}

    component.write_text("def run(**given): ...\n")
    service.step(NOW + 4 * MINUTE)
    assert service.pulse.loaded.broken
    service.tidy(NOW + HOUR)  # each hour
    service.step(NOW + HOUR)
    assert not service.pulse.loaded.broken
    assert service.scheduler.timetable.next_due() == NOW + DAY / 2
    store, run = Store(tmp_path / "store"), a_run(NOW + DAY, monitor="own", run_id="own@1")
    store.write([run], [])
    tell(database, store, service.watching.monitors["own"], run.scheduled_for, now=NOW + DAY)
    assert mails(database)[2:] == [("ada@example.com", "own: evaluated again"), ("ops", "own: evaluated again")]


def test_what_could_not_be_told_is_told_at_the_next_step(database, service, component):
    component.unlink()
    told = list[str]()

    def tell_at_the_second_time(broken: dict[str, object], _now: datetime) -> None:
        told.extend(broken)
        if len(told) == 1:
            raise StoreError("the disk is full")

    service.broken = tell_at_the_second_time
    for minute in range(3):
        service.step(NOW + minute * MINUTE)
    assert told == ["own", "own"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a list",
        "name: x",
        "create_monitor: 1",
        "{",
        "when: 2026-13-45",
        OWN.replace("[ada@example.com]", "[nobody]"),
    ],
)
def test_a_text_that_names_nobody_who_could_be_told_names_nobody(text):
    assert contacts_in(text).emails == ()


def test_contacts_are_read_from_a_text_whose_rest_is_wrong():
    found = contacts_in(OWN.replace("type: custom", "type: costume"))
    assert (found.emails, found.integrations) == (("ada@example.com",), ("ops",))
