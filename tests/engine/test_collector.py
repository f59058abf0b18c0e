"""What Azure's data collector wrote is read like any other data: by event time, row by row, whatever is wrong in it."""

import json
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from engine.batches import Dataset, Span
from engine.collector import open_through_spark
from engine.collector.dataset import CollectorDataset
from engine.datasets import open_dataset
from engine.errors import DataError
from engine.frame_feed import FrameDataset
from engine.frames import frame_of
from engine.monitor import Columns, Context, Data, Source
from tests.engine.collected import collect, event, write_events
from tests.engine.labs import NOW, Lab, assert_same_rows, values

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
START = NOW - 2 * DAY


@pytest.fixture
def lab(spark, tmp_path) -> Lab:
    return Lab(spark, tmp_path)


def made(rows: int, seed: int = 1) -> pd.DataFrame:
    """Two days of rows."""
    random = np.random.default_rng(seed)
    return pd.DataFrame({
        "age": random.integers(20, 80, rows),
        "amount": np.round(random.lognormal(5, 1, rows), 2),
        "sex": random.choice(["f", "m"], rows),
        "married": random.random(rows) < 0.4,
        "limit": np.where(random.random(rows) < 0.1, np.nan, random.normal(100, 10, rows)),
    })  # fmt: skip


def records(frame: pd.DataFrame) -> list[dict]:
    return [
        {name: None if isinstance(value, float) and np.isnan(value) else value for name, value in row.items()}
        for row in frame.astype(object).to_dict("records")
    ]


def at(number: int) -> datetime:
    return START + number * timedelta(minutes=5)


def opened(lab: Lab, name: str, **keys) -> Dataset:
    return open_dataset(lab.spark, Data(Source(path=str(lab.folder / name), **keys), Context.MODEL_INPUTS), Span())


def rows_of(dataset: Dataset, *names: str) -> list[tuple]:
    return sorted(map(tuple, frame_of(dataset, Columns(), names=names).collect()), key=repr)


def quality(**keys) -> dict:
    every = ("null_value_rate", "data_type_error_rate", "out_of_bounds_rate")
    thresholds = dict.fromkeys(every, 0.5)
    numerical = {"numerical": thresholds, "categorical": thresholds}
    return {"type": "data_quality", **keys, "metric_thresholds": numerical}


def test_it_gives_the_rows_that_the_same_data_give_as_parquet(lab):
    frame = made(576)
    collect(lab.folder / "collected", records(frame), at, batch=3)
    frame["time"] = [at(3 * (number // 3)) for number in range(len(frame))]
    frame["correlationid"] = [f"request-{number // 3}_{number % 3}" for number in range(len(frame))]
    lab.write("written", frame)
    before = made(400, 2)
    lab.write("before", before)
    found = []
    for name in ("collected", "written"):
        keys = {"production_data": lab.data(name), "reference_data": lab.data("before")}
        monitor = lab.monitor(drift={"type": "data_drift", **keys}, quality=quality(**keys))
        found.append(lab.evaluate(monitor))
    assert found[0].run.status == "completed", found[0].run
    assert_same_rows(*found, ignore=["config_hash", "dataset"])
    assert {row.group for row in found[0].rows} >= {*before.columns}
    assert max(row.row_count for row in found[0].rows) == 288


def test_a_window_is_cut_by_when_events_were_not_by_the_folder_that_they_lie_in(lab):
    start, end = NOW - DAY, NOW
    folder = lab.folder / "inputs"
    # Flushed late, or early: each folder holds events of another hour, on both sides of both ends of the window.
    write_events(folder, start - HOUR, [event(start - HOUR, [{"x": 1.0}]), event(start, [{"x": 2.0}])])
    write_events(folder, start, [event(start - timedelta(seconds=1), [{"x": 3.0}]), event(start + HOUR, [{"x": 4.0}])])
    write_events(folder, end, [event(end - timedelta(seconds=1), [{"x": 5.0}]), event(end, [{"x": 6.0}])])
    write_events(folder, end + 20 * DAY, [event(end - HOUR, [{"x": 7.0}, {"x": 8.0}])])
    lab.write("before", pd.DataFrame({"x": [0.0, 9.0]}))
    found = lab.evaluate(lab.monitor(q=quality(production_data=lab.data("inputs"), reference_data=lab.data("before"))))
    assert {row.row_count for row in found.rows} == {5}  # 2, 4, 5, 7 and 8


def test_what_the_envelope_says_is_no_feature_and_may_be_filtered_by(lab):
    for day, later in ((NOW - 2 * DAY, 7), (NOW - DAY, 4)):
        events = [
            event(day, [{"x": float(n)}, {"x": float(n)}], f"c{n}", modelversion="1" if n < later else "2")
            for n in range(10)
        ]
        write_events(lab.folder / "inputs", day, events)
    keys = {"production_data": lab.data("inputs")}
    second = [{"dimension_type": "tag", "name": "modelversion", "operator": "equals", "values": ["2"]}]
    found = lab.evaluate(lab.monitor(all=quality(**keys), second=quality(**keys, filters=second)))
    assert {(row.signal, row.group, row.row_count, row.baseline_row_count) for row in found.rows} == {
        ("all", "x", 20, 20),
        ("second", "x", 12, 6),
    }


def test_a_column_of_numbers_with_some_texts_stays_one_of_numbers_and_they_are_data_type_errors(lab):
    random = np.random.default_rng(3)
    drawn = random.random(4_000)
    amounts = [
        "n/a" if draw < 0.01 else True if draw < 0.02 else None if draw < 0.05 else [1] if draw < 0.06 else value
        for draw, value in zip(drawn, random.normal(100, 10, 4_000).tolist(), strict=True)
    ]
    collect(
        lab.folder / "inputs",
        [{"amount": value} for value in amounts],
        lambda n: NOW - 2 * DAY + n * timedelta(seconds=43),
    )
    lab.write("before", pd.DataFrame({"amount": random.normal(100, 10, 500)}))
    past = lab.data("inputs", {"lookback_window_size": "P1D", "lookback_window_offset": "P1D"})
    monitor = lab.monitor(
        trained=quality(production_data=lab.data("inputs"), reference_data=lab.data("before")),
        past=quality(production_data=lab.data("inputs"), reference_data={"data_window": past["data_window"]}),
    )
    found = lab.evaluate(monitor)
    inside = [value for n, value in enumerate(amounts) if NOW - DAY <= NOW - 2 * DAY + n * timedelta(seconds=43) < NOW]
    wrong = [value for value in inside if value is not None and not isinstance(value, float)]
    assert len(wrong) > 30
    for signal in ("trained", "past"):
        measured = values(found)
        share = len(wrong) / sum(value is not None for value in inside)
        assert measured[signal, "amount", "data_type_error_rate"] == pytest.approx(share)
        assert measured[signal, "amount", "null_value_rate"] == pytest.approx(inside.count(None) / len(inside))


def test_files_may_differ_in_columns_and_types(lab):
    hours = [NOW - DAY + number * HOUR for number in range(5)]
    by_hour = [
        [{"x": 1, "gone": 1.5, "word": "a"}],
        [{"x": 2.5, "gone": None, "word": "b"}],
        [{"x": None, "word": 7}],
        [{"x": 4, "new": True, "nested": {"a": 1}, "vector": [1, 2.5]}],
        [{}],
    ]
    for hour, rows in zip(hours, by_hour, strict=True):
        write_events(lab.folder / "inputs", hour, [event(hour, rows)])
    past = [event(NOW - 2 * DAY, [{"x": 1.0, "gone": 1.0, "word": "a", "new": False}])]
    write_events(lab.folder / "inputs", NOW - 2 * DAY, past)
    found = lab.evaluate(lab.monitor(q=quality(production_data=lab.data("inputs"))))
    rates = {group: value for (_, group, metric), value in values(found).items() if metric == "null_value_rate"}
    assert rates == {"x": 2 / 5, "gone": 4 / 5, "word": 2 / 5, "new": 4 / 5}
    assert not [row for row in found.rows if row.status == "error"]
    left_out = " ".join(note for note in found.run.notes if "left out" in note)
    assert "the column 'nested' is nested" in left_out
    assert "the column 'vector' is an embedding" in left_out


def test_nested_values_are_json_to_who_asks_for_them(lab):
    rows = [{"x": 1, "nested": {"a": [1, "b"]}, "vector": [1, 2.5], "words": ["a", "b"]}, {"x": 2}]
    write_events(lab.folder / "inputs", NOW, [event(NOW, rows)])
    first, second = rows_of(opened(lab, "inputs"), "x", "nested", "vector", "words")
    assert (json.loads(first[1]), first[2:]) == ({"a": [1, "b"]}, ([1.0, 2.5], ["a", "b"]))
    assert second[1:] == (None, None, None)


def test_whatever_is_broken_is_counted_and_told_and_the_rest_is_read(lab):
    at = NOW - HOUR
    folder = lab.folder / "inputs"
    good = [event(at, [{"x": 1.0}, {"x": 2.0}]), event(at, [{"x": 3.0}])]
    write_events(folder, at - 9 * HOUR, [], "a.jsonl")
    write_events(folder, at, ["{broken", *good, '{"specversion": "1.0", "ti'], "b.jsonl")
    write_events(folder, at, [*good, event(at, [7.5, 8.5]), event(at, [{"x": 4.0}, None])], "c.jsonl.gz")
    cut = write_events(folder, at, good * 3000, "d.jsonl.gz")
    cut.write_bytes(cut.read_bytes()[:-2000])
    write_events(folder, at, [event("?", [{"x": 5.0}])], "e.jsonl")
    (folder / "notes.txt").write_text("no data")
    lab.write("before", pd.DataFrame({"x": [0.0, 9.0]}))
    found = lab.evaluate(lab.monitor(q=quality(production_data=lab.data("inputs"), reference_data=lab.data("before"))))
    assert found.run.status == "completed"
    assert 3 + 3 + 1 < max(row.row_count for row in found.rows) < 3 + 3 + 1 + 9000
    notes = " ".join(found.run.notes)
    for text in (
        "lines left out that are no CloudEvents (broken or cut off): 2 (first: ",
        "b.jsonl, line 1: ",
        "events left out whose data are no rows with named columns: 1",
        "rows left out that are no JSON objects: 1",
        "files that cannot be read to their end: 1",
        "rows of events without a readable time, which are in no window: 1",
    ):
        assert text in notes, text
    assert "notes.txt" not in notes


def test_a_payload_of_its_own_is_read_where_it_lies_and_told_where_it_cannot_be(lab):
    at = NOW - HOUR
    folder, elsewhere = lab.folder / "inputs", lab.folder / "elsewhere" / "big.json"
    elsewhere.parent.mkdir()
    elsewhere.write_text(json.dumps([{"x": 4.0}]))
    events = [
        event(at, [{"x": 1.0}]),
        event(at, None, "beside", dataref="beside.json"),
        event(at, None, "root", dataref="payloads/root.jsonl"),
        event(at, None, "absolute", dataref=str(elsewhere)),
        event(at, None, "uri", dataref=elsewhere.as_uri()),
        event(at, None, "gone", dataref="gone.json"),
        *(event(at, None, "blob", dataref=f"wasbs://c@a.blob.core.windows.net/{n}.json") for n in range(3)),
        event(at, None, "odd", dataref="odd.json"),
    ]
    path = write_events(folder, at, events)
    (path.parent / "beside.json").write_text(json.dumps([{"x": 2.0}, {"x": 2.5}]))
    (path.parent / "odd.json").write_text("<html>")
    (folder / "payloads").mkdir()
    (folder / "payloads" / "root.jsonl").write_text('{"x": 3.0}\n{"x": 3.5}\n')
    dataset = opened(lab, "inputs")
    assert rows_of(dataset, "correlationid", "x") == [
        ("absolute_0", 4.0), ("beside_0", 2.0), ("beside_1", 2.5), ("c_0", 1.0), ("root_0", 3.0), ("root_1", 3.5),
        ("uri_0", 4.0),
    ]  # fmt: skip
    told = [note for note in dataset.notes if "payload cannot" in note]
    assert len(told) == 1
    assert "events left out whose payload cannot be opened here: 5" in told[0]
    assert "line 6: gone.json: no such file" in told[0]
    assert not [note for note in dataset.notes if "beside.json" in note or "payloads/root" in note]


def test_it_is_found_by_itself_and_ordinary_json_lines_are_not_taken_for_it(lab):
    write_events(lab.folder / "collected", NOW, ["", "{half", event(NOW, [{"x": 1}])])
    (lab.folder / "plain").mkdir()
    (lab.folder / "plain" / "rows.jsonl").write_text('{"x": 1, "data": "d"}\n')
    assert isinstance(opened(lab, "collected"), CollectorDataset)
    assert isinstance(opened(lab, "plain"), FrameDataset)
    assert isinstance(opened(lab, "collected", format="collector"), CollectorDataset)
    (lab.folder / "other").mkdir()
    for name in ("a.txt", "b.txt"):
        (lab.folder / "other" / name).write_text("text")
    with pytest.raises(DataError, match="no data files"):
        opened(lab, "other", format="collector")


def test_lines_that_only_spark_can_open_give_the_same_rows(lab):
    frame = records(made(60))
    collect(lab.folder / "inputs", frame, at, batch=4)
    write_events(lab.folder / "inputs", NOW, ["{half", event(NOW, None, dataref="payload.json")])
    by_files = opened(lab, "inputs")
    by_spark = open_through_spark(lab.spark, "lines", str(lab.folder / "inputs"))
    assert by_spark.columns == by_files.columns
    assert rows_of(by_spark, *by_files.columns) == rows_of(by_files, *by_files.columns)
    assert by_spark.count_rows() == by_files.count_rows() == 60
    assert len(by_spark.notes) == 2
    with pytest.raises(DataError, match="cannot read"):
        open_through_spark(lab.spark, "lines", str(lab.folder / "nowhere"))
