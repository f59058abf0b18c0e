"""What is kept of a collection is read again only where its files changed."""

import json
import os
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from engine.batches import NO_ROWS, Dataset, Span
from engine.datasets import open_dataset
from engine.monitor import Columns, Context, Data, Source
from engine.spark import Meter
from engine.store import Store
from engine.windows import Window
from tests.engine.collected import event, write_events
from tests.engine.labs import NOW, Lab, assert_same_rows

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAYS = [Window(NOW + day * DAY, NOW + (day + 1) * DAY) for day in range(4)]
TIME = Columns("time")

ticks = count(1_700_000_000)
"""Seconds at which files are written; a real clock may stand still between two of them."""


def write(folder: Path, hour: float, *times: float, name: str = "i0.jsonl", **more) -> Path:
    """A file in the folder of an hour, with a row at each of these hours."""
    events = [
        event(NOW + time * HOUR, [{"x": time, "happened": (NOW + 2 * time * HOUR).isoformat()}], **more)
        for time in times
    ]
    path = write_events(folder, NOW + hour * HOUR, events, name)
    tick = next(ticks)
    os.utime(path, (tick, tick))
    return path


def opened(spark, path: Path, span: Span | None = None, **roles) -> Dataset:
    return open_dataset(spark, Data(Source(path=str(path)), Context.MODEL_INPUTS, Columns(**roles)), span or Span())


def prints(spark, path: Path, roles: Columns = TIME) -> list[str | None]:
    return list(opened(spark, path).fingerprints(roles, DAYS).values())


def changed(before: list[str | None], after: list[str | None]) -> list[int]:
    return [day for day in range(4) if before[day] != after[day]]


def test_a_file_changes_the_days_of_its_events_and_no_others(spark, tmp_path):
    write(tmp_path, 5, 4.9, 5)
    write(tmp_path, 24, 23.9, 24)
    write(tmp_path, 49, 49)
    before = prints(spark, tmp_path)
    assert len(set(before)) == 4
    assert before[3] == NO_ROWS
    assert prints(spark, tmp_path) == before
    write(tmp_path, 80, 49.5, name="late.jsonl")  # flushed a day later than it should be
    after = prints(spark, tmp_path)
    assert changed(before, after) == [2]
    write(tmp_path, 24, 23.9, 24, 24.1)
    assert changed(after, prints(spark, tmp_path)) == [0, 1]


def test_a_column_of_the_rows_own_may_tell_the_time(spark, tmp_path):
    write(tmp_path, 5, 5)
    write(tmp_path, 20, 20)
    own = Columns("happened")
    assert [print_ == NO_ROWS for print_ in prints(spark, tmp_path, own)] == [False, False, True, True]
    dataset = opened(spark, tmp_path, Span(DAYS[1].start, DAYS[1].end), timestamp="happened")
    assert dataset.count_rows() == 1
    assert dataset.pieces == 1


def test_a_payload_that_comes_later_changes_the_day_of_its_event(spark, tmp_path):
    path = write(tmp_path, 5, 5)
    write(tmp_path, 30, 30)
    away = event(NOW + 5 * HOUR, None, dataref="away.json")
    path.write_text(path.read_text() + json.dumps(away) + "\n")
    before = prints(spark, tmp_path)
    assert prints(spark, tmp_path) == before
    (path.parent / "away.json").write_text("[{}]")
    assert changed(before, prints(spark, tmp_path)) == [0]


def test_only_what_a_window_needs_is_read(spark, tmp_path):
    for hour in range(0, 96, 6):
        write(tmp_path, hour, hour, hour - 0.1)
    dataset = opened(spark, tmp_path, Span(DAYS[1].start, DAYS[2].end))
    assert dataset.count_rows() == 18  # of 9 files: the last begins a tenth of an hour before the end
    one = dataset.within(TIME, [DAYS[1]])
    assert (one.pieces, one.count_rows()) == (5, 10)
    assert dataset.pieces_in(TIME, DAYS[1:3]) == 10
    with Meter(spark) as meter:
        again = opened(spark, tmp_path, Span(DAYS[1].start, DAYS[2].end))
        again.fingerprints(TIME, DAYS)
    assert meter.spark_jobs == 0  # every file was looked into


def test_a_large_collection_is_looked_into_near_the_windows_folders_alone(spark, tmp_path, monkeypatch):
    monkeypatch.setattr("engine.collector.files.AFFORDABLE", 0)
    write(tmp_path, -24 * 30, -24 * 30)
    broken = write(tmp_path, -24 * 10, -24 * 10)
    write(tmp_path, 24 * 2, 5, name="late.jsonl")
    write(tmp_path, 24 * 3.5, 6, name="too_late.jsonl")
    write(tmp_path, 5, 5)
    broken.write_text("broken")
    dataset = opened(spark, tmp_path, Span(DAYS[0].start, DAYS[0].end))
    assert dataset.count_rows() == 2
    assert dataset.notes == ()
    far = opened(spark, tmp_path, Span(DAYS[3].start, DAYS[3].end))
    assert [note for note in far.notes if "more than 2 days from their folder's time" in note]


def test_a_stored_collection_is_read_once_and_a_late_file_again(spark, tmp_path):
    lab, folder = Lab(spark, tmp_path), tmp_path / "inputs"
    for day in range(-8, 0):
        for hour in range(0, 24, 8):
            write(folder, 24 * day + hour, *[24 * day + hour + minute / 60 for minute in range(20)])
    monitor = lab.monitor(drift={"type": "data_drift", "production_data": lab.data("inputs"), "features": ["x"]})
    store = Store(tmp_path / "store")
    first = lab.evaluate(monitor, store=store)
    assert first.run.rows_read
    again = lab.evaluate(monitor, store=store)
    assert again.run.rows_read == 0
    assert_same_rows(first, again)
    write(folder, 3, *[-1.0] * 30, name="late.jsonl")
    late = lab.evaluate(monitor, store=store)
    assert late.run.rows_read == 90  # the last day's three files, and the late one
    assert (first.rows[0].row_count, late.rows[0].row_count) == (60, 90)


@pytest.mark.parametrize("hours", [(), (5,)])
def test_a_collection_without_events_in_the_span_has_the_columns_of_its_newest_file(spark, tmp_path, hours):
    write(tmp_path, -2000, -2000)
    write(tmp_path, 5, *hours)
    dataset = opened(spark, tmp_path, Span(DAYS[3].start, DAYS[3].end))
    assert {"x", "time", "correlationid"} <= set(dataset.columns)
    assert dataset.count_rows() == 0
