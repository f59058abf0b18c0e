"""What Azure's data collector wrote is read like any other data: by event time, row by row, whatever is wrong in it."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

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
