"""Alive, ready, and how it does: for those with a key."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.errors import Problem
from engine.monitor import Monitor
from engine.triggers import Frequency, Recurrence, Trigger
from server.database import Database
from server.due import DueBatch, Timetable, Watched
from server.keys import Role, create_key, revoke_key
from server.limits import HEADER
from server.loaded import Loaded
from server.policies import Policy
from server.pulse import Pulse
from server.queue import Ending, Queue
from server.registry import Registry
from server.tables import MonitorRecord
from server.web import application
from tests.server.conftest import NOW
from tests.server.test_queue import make_monitors


class Client:
    """Asks the application."""

    def __init__(self, database, now=NOW) -> None:
        self.pulse = Pulse(timetable=Timetable(Policy()))
        self.app = application(database, self.pulse, lambda: now)

    def get(self, path: str, key: str | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://driftline") as client:
                return await client.get(path, headers={HEADER: key} if key else {})

        return asyncio.run(ask())


@pytest.fixture
def client(database) -> Client:
    return Client(database)


def make_key(database, role: Role = Role.VIEWER) -> str:
    with database.session() as session:
        return create_key(Registry(session, "test", NOW), role.value, role, bound=False).secret


def test_it_is_alive_whatever_else(client):
    assert client.get("/healthz").json() == {"status": "alive"}


def test_it_is_ready_while_steps_go_well(client):
    assert client.get("/readyz").status_code == 503
    client.pulse.beat(NOW - timedelta(seconds=5), well=True)
    assert client.get("/readyz").json() == {"status": "ready", "seconds_since_step": 5}
    client.pulse.beat(NOW, well=False)
    assert client.get("/readyz").json()["status"] == "the last step failed"
    client.pulse.beat(NOW - timedelta(minutes=5), well=True)
    assert client.get("/readyz").status_code == 503


def test_nothing_else_is_answered_without_a_key(client, database):
    key = make_key(database)
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", "driftline_wrong").status_code == 401
    assert client.get("/metrics", key).status_code == 200
    with database.session() as session:
        revoke_key(Registry(session, "test", NOW), "viewer")
    assert client.get("/metrics", key).status_code == 401


def test_metrics_are_those_of_the_database(client, database):
    ids = make_monitors(database, 2)
    queue = Queue(database, "one")
    times = [NOW - timedelta(minutes=minutes) for minutes in (30, 20, 10)]
    queue.claim([DueBatch(time, None, (ids[0],)) for time in times], NOW - timedelta(minutes=30))
    done, failed = queue.take(NOW - timedelta(minutes=2), 2)
    queue.end({done: Ending(0), failed: Ending(1, "no")}, NOW)
    with database.session() as session:
        told = session.get_one(MonitorRecord, ids[0])
        told.evaluated_for, told.breached = done.time, {"drift": 3, "quality": 0}
    queue.again(ids[1], NOW - timedelta(days=3650), NOW)  # by hand, which is late for nobody
    client.pulse.timetable.watch([Watched(ids[0], "m0", None, minutely(), NOW)])
    found = asked(client, database)
    assert found["driftline_runs", "done"] == found["driftline_runs", "failed"] == 1
    assert found["driftline_runs", "skipped"] == found["driftline_deliveries", "dead"] == 0  # so that a first one rises
    assert found["driftline_queue_depth",] == 2
    assert found["driftline_monitor_lag_seconds", "m0"] == 600
    assert found["driftline_monitor_lag_seconds", "m1"] == 0
    assert found["driftline_run_duration_seconds", "m0"] == 120
    assert found["driftline_breached_checks", "m0", "drift"] == 3
    assert found["driftline_breached_checks", "m0", "quality"] == 0
    assert found["driftline_next_due_seconds",] == 60


def asked(client: Client, database: Database) -> dict[tuple[str, ...], float]:
    """The samples of `/metrics`, by their names and labels."""
    text = client.get("/metrics", make_key(database)).text
    families = text_string_to_metric_families(text)
    return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}


def test_metrics_say_what_cannot_be_loaded_and_what_is_in_downtime(client, database):
    data = {"input_data": {"path": "nowhere.parquet"}}
    trigger = {"type": "recurrence", "frequency": "hour"}
    body = {"monitoring_signals": {"quality": {"type": "data_quality", "production_data": data}}}
    downtimes = {"at_work": None, "paused": {"start": NOW.isoformat(), "hours": 1}}
    monitors = {
        name: Monitor.from_dict({"name": name, "trigger": trigger, "create_monitor": {**body, "downtime": downtime}})
        for name, downtime in downtimes.items()
    }
    client.pulse.loaded = Loaded(monitors, {"gone": [Problem("monitors/gone.yaml", "", "is not what it was")]})
    found = asked(client, database)
    told = {name[1:]: value for name, value in found.items() if name[0] == "driftline_monitor_broken"}
    assert told == {("at_work",): 0, ("paused",): 0, ("gone",): 1}
    assert found["driftline_monitor_in_downtime", "at_work"] == 0
    assert found["driftline_monitor_in_downtime", "paused"] == 1


def minutely() -> Trigger:
    return Trigger(Recurrence(Frequency.MINUTE))
