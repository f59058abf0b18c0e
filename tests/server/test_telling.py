"""From runs in a store to mails in a mailbox: who hears of what, and how often."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.formats.json import JSONFormat
from sqlalchemy import select

from engine.monitor import Monitor
from engine.results import RunStatus
from engine.store import Store
from server.database import Database
from server.json_logs import JsonLines
from server.links import Link
from server.message import Message
from server.notices import RUN
from server.outbox import Outbox, Parcel
from server.picture import picture_of
from server.policies import Retries
from server.tables import Alert, Delivery, MonitorRecord, Organization, Space
from server.telling import tell
from signals.alerting import AlertState
from tests.jobs.conftest import a_row, a_run
from tests.server.conftest import NOW

DAY = timedelta(days=1)
LINK = Link("https://x.example/{monitor}/{signal}")
START = datetime(2026, 11, 1, tzinfo=NOW.tzinfo)


class World:
    """A monitor `flights`, whose runs are written by hand, and its mailbox."""

    def __init__(self, database: Database, folder: Path, **keys: Any) -> None:
        self.database, self.store = database, Store(folder / "store")
        self.monitor = Monitor.from_dict(definition(**keys), folder)
        self.mails: list[Parcel] = []
        with database.session() as session:
            organization = Organization(name="default", created_at=NOW)
            session.add(organization)
            session.flush()
            space = Space(organization_id=organization.id, name="default", created_at=NOW)
            session.add(space)
            session.flush()
            times = {"watched_since": NOW, "created_at": NOW, "updated_at": NOW}
            session.add(MonitorRecord(space_id=space.id, name="flights", version=1, enabled=True, muted=False, **times))

    def evaluate(self, day: int, error: str | None = None, **values: float | None) -> list[Message]:
        """A day's run, with the PSI of these features (threshold 0.1); the messages that it leads to."""
        run = a_run(START + day * DAY, **({"status": RunStatus.FAILED, "error": error} if error else {}))
        self.store.write([run], [a_row(run, feature, value) for feature, value in values.items()])
        return self.tell(day)

    def tell(self, day: int, error: str | None = None) -> list[Message]:
        tell(
            self.database,
            self.store,
            self.monitor,
            START + day * DAY,
            now=NOW,
            error=error,
            picture=picture_of,
            link=LINK,
        )
        before = len(self.mails)
        Outbox(self.database, lambda parcel: self.mails.append(parcel) or "ok", Retries()).step(NOW)
        return [parcel.message for parcel in self.mails[before:]]

    def record(self) -> MonitorRecord:
        with self.database.reading() as session:
            return session.scalars(select(MonitorRecord)).one()

    def mute(self, *, muted: bool, until: datetime | None = None) -> None:
        with self.database.session() as session:
            record = session.scalars(select(MonitorRecord)).one()
            record.muted, record.muted_until = muted, until

    def states(self) -> dict[str, str]:
        with self.database.reading() as session:
            return {each.group: each.state for each in session.scalars(select(Alert)) if each.metric != RUN}


def definition(**keys: Any) -> dict[str, Any]:
    data = {"input_data": {"path": "nowhere.parquet"}}
    return {
        "name": "flights",
        "trigger": {"type": "recurrence", "frequency": "day", "interval": 1},
        "create_monitor": {
            "monitoring_signals": {"drift": {"type": "data_drift", "production_data": data, "reference_data": data}},
            "alert_notification": {"emails": ["ada@example.com"]},
            **keys,
        },
    }


@pytest.fixture
def world(database, tmp_path) -> World:
    return World(database, tmp_path)


def subjects(messages: list[Message]) -> list[str]:
    return [message.subject for message in messages]


def test_an_alert_is_told_when_it_begins_and_when_it_ends(world):
    assert world.evaluate(0, distance=0.05, carrier=0.05) == []
    assert subjects(world.evaluate(1, distance=0.4, carrier=0.2)) == ["flights: 2 checks breached (distance, carrier)"]
    assert world.evaluate(2, distance=0.5, carrier=0.2) == []
    assert subjects(world.evaluate(3, distance=0.05, carrier=0.2)) == ["flights: 1 check recovered (distance)"]
    assert world.states() == {"distance": AlertState.CLEARED, "carrier": AlertState.TRIGGERED}


def test_one_message_says_all_of_a_run_with_the_worst_first(world):
    (message,) = world.evaluate(0, distance=0.2, carrier=0.9, dest=None)
    lines = message.text.splitlines()
    assert lines[2] == "Breached now (2)"
    assert lines[3] == "• carrier · population_stability_index · drift: 0.9 > 0.1"
    assert lines[4] == "    since this run · 9 times the threshold · 1,234 rows"
    assert "<b>0.9 &gt; 0.1</b>" in (message.html or "")


def test_the_registry_says_how_many_checks_breached_in_the_latest_run(world):
    world.evaluate(2, a=0.2, b=0.05, c=0.3)
    assert (world.record().evaluated_for, world.record().breached) == (START + 2 * DAY, {"drift": 2})
    world.evaluate(1, a=0.05)  # of before
    world.evaluate(3, error="no data")
    assert (world.record().evaluated_for, world.record().breached) == (START + 3 * DAY, {})
    world.tell(4, error="the process died")
    assert world.record().evaluated_for == START + 3 * DAY


def test_the_log_says_what_became_of_a_run_with_its_monitor_window_and_id(world, caplog):
    caplog.set_level("INFO", "driftline.server")
    world.evaluate(0, a=0.2, b=0.05)
    world.tell(1, error="it was killed")
    fine, failed = (json.loads(JsonLines().format(record)) for record in caplog.records)
    assert fine["message"] == "flights of 1 Nov 2026 00:00 UTC is evaluated: 1 of 2 checks breached; 1 message"
    start, end = fine["window"].split("/")
    assert datetime.fromisoformat(start) < datetime.fromisoformat(end) <= START
    assert (fine["monitor"], fine["scheduled_for"]) == ("flights", START.isoformat())
    assert fine["run_id"] == a_run(START).run_id
    assert (failed["level"], failed["message"]) == (
        "error",
        "flights of 2 Nov 2026 00:00 UTC failed: it was killed; 1 message",
    )
    assert failed["run_id"] == "flights/2026-11-02T00:00:00Z/0"


def test_a_run_that_is_told_again_after_a_crash_is_told_once(world):
    assert len(world.evaluate(0, distance=0.4)) == 1
    assert world.tell(0) == []
    with world.database.reading() as session:
        assert len(session.scalars(select(Delivery)).all()) == 1


def test_a_muted_monitor_is_evaluated_and_tells_nobody_until_the_mute_ends(world):
    world.mute(muted=True, until=NOW + DAY)
    assert world.evaluate(0, distance=0.4, carrier=0.3) == []
    assert world.states()["distance"] == AlertState.TRIGGERED
    assert world.evaluate(1, distance=0.4, carrier=0.05) == []
    world.mute(muted=True, until=NOW)  # and now it is over
    assert subjects(world.evaluate(2, distance=0.4, carrier=0.05)) == ["flights: 1 check breached (distance)"]


def test_a_run_that_fails_is_told_once_and_its_recovery_too(world):
    (failed,) = world.evaluate(0, error="inputs: cannot be read", distance=None)
    assert failed.subject == "flights: could not be evaluated"
    assert "inputs: cannot be read" in failed.text
    assert world.evaluate(1, error="inputs: cannot be read", distance=None) == []
    assert subjects(world.evaluate(2, distance=0.05)) == ["flights: evaluated again"]


def test_a_process_that_left_nothing_in_the_store_is_told_too(world):
    world.evaluate(0, distance=0.05)
    (message,) = world.tell(1, error="it was killed (137): most often for using more memory than there is")
    assert "137" in message.text


def test_missing_data_are_no_recovery(world):
    world.evaluate(0, distance=0.4)
    assert world.evaluate(1, distance=None) == []
    assert world.states() == {"distance": AlertState.NO_DATA}
    assert subjects(world.evaluate(2, distance=0.05)) == ["flights: 1 check recovered (distance)"]


def test_two_of_three_and_again_after_are_the_monitors_own(database, tmp_path):
    world = World(database, tmp_path, alerting={"breaches": 2, "of": 3, "again_after": "P2D"})
    told = [
        bool(world.evaluate(day, distance=value)) for day, value in enumerate([0.4, 0.05, 0.4, 0.4, 0.4, 0.05, 0.05])
    ]
    assert told == [False, False, True, False, True, False, True]


def test_a_message_says_since_when_it_has_been_breaching_and_not_since_when_it_is_an_alert(database, tmp_path):
    world = World(database, tmp_path, alerting={"breaches": 3, "of": 5, "again_after": "P1D"})
    told = [world.evaluate(day, distance=value) for day, value in enumerate([0.05, 0.4, 0.05, 0.4, 0.4, 0.4])]
    assert [len(messages) for messages in told] == [0, 0, 0, 0, 1, 1]
    assert all("since 2 Nov 2026 00:00 UTC" in message.text for messages in told for message in messages)


def test_a_breach_comes_with_a_picture_and_a_link_and_a_run_that_failed_with_a_link(world):
    (breach,) = world.evaluate(0, distance=0.4)
    (failed,) = world.tell(1, error="killed (137)")
    assert (breach.picture or b"").startswith(b"\x89PNG")
    assert "cid:picture" in (breach.html or "")
    assert failed.picture is None
    assert [each.link for each in (breach, failed)] == ["https://x.example/flights/drift", "https://x.example/flights/"]


def test_a_process_that_left_nothing_is_told_to_machines_in_a_whole_event(world):
    (message,) = world.tell(1, error="killed (137)")
    data: Any = from_http_event(*structured({**message.event, "id": "1"})).get_data()
    assert (data["RunStatus"], data["RunProperties"]["error"]) == ("Failed", "killed (137)")


def structured(event: dict[str, Any]) -> tuple[HTTPMessage, JSONFormat]:
    headers = {"Content-Type": "application/cloudevents+json"}
    return HTTPMessage(headers, json.dumps(event).encode()), JSONFormat()


def test_an_alert_ends_only_below_the_bound_that_clears_it(world):
    def evaluate(day: int, value: float) -> list[str]:
        run = a_run(START + day * DAY)
        world.store.write([run], [a_row(run, "distance", value, details={"clear": 0.05})])
        return subjects(world.tell(day))

    assert evaluate(0, 0.2) == ["flights: 1 check breached (distance)"]
    assert evaluate(1, 0.08) == []  # below its threshold, and not yet well below
    assert evaluate(2, 0.04) == ["flights: 1 check recovered (distance)"]


def test_signals_that_do_not_alert_are_not_told(database, tmp_path):
    world = World(database, tmp_path)
    run = a_run(START)
    world.store.write([run], [a_row(run, "distance", 0.4, signal="quiet")])
    assert world.tell(0) == []


def test_many_breaches_are_one_message_that_can_be_read(world):
    (message,) = world.evaluate(0, **{f"feature_{number}": 0.2 + number / 1000 for number in range(60)})
    assert message.subject.startswith("flights: 60 checks breached (feature_59, feature_58, feature_57 and 57 more)")
    assert "• and 40 more" in message.text
    assert len(message.text) < 6_000


def test_the_first_run_of_all_may_fail_before_anything_is_stored(database, tmp_path):
    world = World(database, tmp_path)
    (message,) = world.tell(1, error="Spark did not start")
    assert "could not be evaluated" in message.subject
