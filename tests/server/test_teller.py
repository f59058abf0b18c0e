"""Monitors that were evaluated together are told each for itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.errors import StoreError
from engine.monitor import Monitor
from engine.store import Store
from server.database import Database
from server.lineage_sinks import Lineage
from server.queue import Ending, Queue, Task
from server.tables import Delivery
from server.teller import Teller
from server.watching import Watching
from server.workspace import Workspace
from tests.jobs.conftest import AT, a_row, a_run
from tests.server.registered import NOW, make_monitors
from tests.server.test_telling import definition

ENDED = Ending(0)
TASK = Task(1, AT, None, ("m0", "gone", "m1"), 1)


@pytest.fixture
def told(database, tmp_path) -> tuple[Teller, Path, list[Any]]:
    """Two monitors whose run breached, who tells of them, and what a catalogue hears."""
    make_monitors(database, 2)
    store = Store(tmp_path / "store")
    runs = [a_run(monitor=name) for name in ("m0", "m1")]
    store.write(runs, [a_row(run, "distance", 0.4) for run in runs])
    watching = Watching(database, Queue(database, "me"), Workspace(tmp_path / "definitions"))
    for name in ("m0", "m1"):
        watching.monitors[name] = Monitor.from_dict({**definition(), "name": name}, tmp_path)
    heard: list[Any] = []
    lineage = Lineage(heard.extend, store, "driftline")
    return Teller(database, store, watching, lineage=lineage), tmp_path / "store", heard


def keys(database: Database) -> list[str]:
    with database.reading() as session:
        return [key.partition("/")[0] for key in session.scalars(select(Delivery.dedupe_key))]


def heard_of(lineage: Lineage | None, heard: list[Any]) -> list[str]:
    assert lineage is not None
    lineage.close()
    return [event["job"]["name"] for event in heard if event["eventType"] != "START"]


def test_each_monitor_of_a_run_is_told_and_one_that_was_deleted_is_left_out(database, told, caplog):
    caplog.set_level("INFO", "driftline.server")
    teller, _, heard = told
    teller.ended(TASK, ENDED, NOW)
    assert keys(database) == ["m0", "m1"]
    assert heard_of(teller.lineage, heard) == ["m0", "m1"]
    assert "deleted, disabled or broken meanwhile" in caplog.text


def test_one_that_cannot_be_told_keeps_no_other_from_it_and_all_is_told_once_in_the_end(database, told):
    teller, store, heard = told
    (rows,) = (store / "signal_metrics").glob("monitor=m0/*.parquet")
    whole = rows.read_bytes()
    rows.write_bytes(whole[:100])
    with pytest.raises(StoreError):
        teller.ended(TASK, ENDED, NOW)
    assert keys(database) == ["m1"]
    rows.write_bytes(whole)
    teller.ended(TASK, ENDED, NOW + timedelta(minutes=1))
    assert sorted(keys(database)) == ["m0", "m1"]
    assert heard_of(teller.lineage, heard) == ["m0", "m1"]


def test_one_that_nobody_can_put_into_words_is_logged_and_holds_nothing_up(database, told, caplog):
    teller, _, _ = told
    run = a_run(monitor="m0")
    teller.store.write([run], [a_row(run, "distance", 0.4, details={"contributions": ["not what the engine writes"]})])
    teller.ended(TASK, ENDED, NOW)
    assert keys(database) == ["m1"]
    assert "m0: its run of 2013-07-02T03:15:00+00:00 cannot be told" in caplog.text
