"""Custom signals from the definition to the rows: a component file is called, checked, judged, and never trusted."""

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.errors import DataError
from engine.results import MetricRow, RunStatus, Status
from engine.run import Evaluation
from engine.store import Store
from tests.engine.labs import NOW, Lab, by_name

DAY = timedelta(days=1)
ROLES = {"timestamp": "at"}
STD_DEVIATION = """
    from pyspark.sql import DataFrame
    from pyspark.sql import functions as F

    def run(production_data: DataFrame, std_deviation_threshold: float, spark):
        numbers = [name for name, kind in production_data.dtypes if kind == "double"]
        found = production_data.agg(*(F.stddev(name).alias(name) for name in numbers)).first()
        rows = [(name, "std_deviation", found[name], std_deviation_threshold) for name in numbers]
        schema = "group string, metric_name string, metric_value double, threshold_value double"
        return spark.createDataFrame(rows, schema)
"""


@pytest.fixture
def lab(spark, tmp_path) -> Lab:
    return Lab(spark, tmp_path)


@pytest.fixture
def rows(lab) -> pd.DataFrame:
    """Three days, of which the second is restless."""
    random = np.random.default_rng(5)
    at = pd.date_range(NOW - 3 * DAY, periods=900, freq=DAY / 300).astype("datetime64[us, UTC]")
    scale = np.where((at >= NOW - 2 * DAY) & (at < NOW - DAY), 5.0, 1.0)
    frame = pd.DataFrame({"at": at, "calm": random.normal(0, 1, 900), "restless": random.normal(0, 1, 900) * scale})
    lab.write("rows", frame)
    return frame


@pytest.fixture
def evaluate(lab) -> Callable[..., Evaluation]:
    """Evaluates one custom signal whose component has this code."""

    def run(code: str, time=NOW, store: Store | None = None, **keys: Any) -> Evaluation:
        write(lab.folder, code)
        return lab.evaluate(lab.monitor(custom=custom(**keys)), time, store=store)

    return run


def write(folder: Path, code: str) -> None:
    (folder / "mine.py").write_text(dedent(code))


def custom(**keys: Any) -> dict[str, Any]:
    data = {"input_data": {"path": "rows"}, "data_column_names": ROLES}
    usual = {"input_data": {"production_data": data}, "metric_thresholds": {"m": 2}}
    return {"type": "custom", "component_id": "mine:run", **usual, **keys}


def returning(*values: tuple, **more: Any) -> str:
    """The code of a component that returns these rows."""
    columns = ["group", "metric_name", "metric_value", "threshold_value", *more]
    rows = [(*value, *more.values()) for value in values]
    return f"import pandas as pd\nnan = float('nan')\ndef run(): return pd.DataFrame({rows!r}, columns={columns!r})"


def only(evaluation: Evaluation) -> MetricRow:
    (row,) = evaluation.rows
    return row


# ------------------------------------------------------------------------------------------------------ a story


def test_the_standard_deviation_of_every_number_is_judged_day_by_day(lab, rows, tmp_path):
    write(tmp_path, STD_DEVIATION)
    thresholds = [{"metric_name": "std_deviation", "threshold": 2}]
    store = Store(tmp_path / "store")
    monitor = lab.monitor(custom=custom(metric_thresholds=thresholds))
    times = [NOW - 2 * DAY, NOW - DAY, NOW]
    found = lab.evaluate_all(monitor, times, store)

    for evaluation, time in zip(found, times, strict=True):
        day = rows[(rows["at"] >= time - DAY) & (rows["at"] < time)]
        for name in ("calm", "restless"):
            row = by_name(evaluation)["custom", name, "std_deviation"]
            assert row.metric_value == pytest.approx(day[name].std(), rel=1e-12)
            assert (row.threshold_value, row.threshold_kind, row.operator) == (2.0, "fixed", "greater_than")
            assert row.breached is bool(day[name].std() > 2)
            assert (row.signal_type, row.row_count, row.group_dimension) == ("custom", None, "aggregate")
            assert row.details["component"] == "mine:run"
    assert [len(evaluation.breaches) for evaluation in found] == [0, 1, 0]
    stored = store.read_metrics(monitor="lab")
    assert sorted(zip(stored["group"].to_pylist(), stored["breached"].to_pylist(), strict=True)) == [
        ("calm", False), ("calm", False), ("calm", False),
        ("restless", False), ("restless", False), ("restless", True),
    ]  # fmt: skip


def test_a_component_gets_the_windows_rows_its_literals_its_thresholds_and_its_times(evaluate, rows):
    code = """
    import pandas as pd
    def run(production_data, m_threshold: str, other_threshold, word, number: int, data_window_start, data_window_end):
        times = production_data.agg({"at": "min"}).first()[0], production_data.agg({"at": "max"}).first()[0]
        said = [m_threshold, other_threshold, word, number, data_window_start, data_window_end]
        said += [times[0].isoformat() >= "2024-03-09", times[1].isoformat() < "2024-03-10"]
        rows = [(repr(said), "m", production_data.count(), None), (",".join(production_data.columns), "other", 1, None)]
        return pd.DataFrame(rows, columns=["group", "metric_name", "metric_value", "threshold_value"])
    """
    thresholds = {"m": 2, "other": {"threshold": 0.5, "operator": "less_than"}}
    found = evaluate(code, metric_thresholds=thresholds, inputs={"word": "x", "number": {"value": "3"}, "unused": 1})
    said, columns = found.rows
    assert said.group == repr(["2", 0.5, "x", 3, "2024-03-09T00:00:00.000Z", "2024-03-10T00:00:00.000Z", True, True])
    assert (said.metric_value, said.breached) == (300.0, True)
    assert (columns.group, columns.breached) == ("at,calm,restless", False)


def test_each_dataset_has_its_own_window_and_fixed_data_is_whole(evaluate, lab, rows):
    code = """
    import pandas as pd
    def run(**given):
        frames = {name: frame.count() for name, frame in given.items() if hasattr(frame, "columns")}
        rows = [(name, "m", count, 1e9) for name, count in frames.items()]
        return pd.DataFrame(rows, columns=["group", "metric_name", "metric_value", "threshold_value"])
    """
    lab.write("undated", pd.DataFrame({"n": [1, 2]}))
    block = {"input_data": {"path": "rows"}, "data_column_names": ROLES}
    two = {"lookback_window_size": "P2D", "lookback_window_offset": "P1D"}
    data = {
        "day": block,
        "before": block | {"data_window": two},
        "whole": block | {"data_context": "test"},
        "part": block | {"data_context": "test", "data_window": two},
        "undated": {"input_data": {"path": "undated"}},
    }
    found = evaluate(code, input_data=data)
    assert {row.group: row.metric_value for row in found.rows} == {
        "day": 300, "before": 600, "whole": 900, "part": 600, "undated": 2
    }  # fmt: skip
    assert any("undated has no timestamp column: custom gets all of it" in note for note in found.run.notes)


def test_times_of_one_window_are_one_call(lab, rows, tmp_path):
    count = tmp_path / "calls.txt"
    code = f"""
    import pandas as pd
    def run(production_data):
        with open({str(count)!r}, "a") as file:
            file.write("called\\n")
        return pd.DataFrame([("a", "m", 1, 1)], columns=["group", "metric_name", "metric_value", "threshold_value"])
    """
    write(tmp_path, code)
    fixed = {"window_start": "2024-03-07", "window_end": "2024-03-09"}
    data = {"production_data": {"input_data": {"path": "rows"}, "data_column_names": ROLES, "data_window": fixed}}
    lab.evaluate_all(lab.monitor(custom=custom(input_data=data)), [NOW - DAY, NOW])
    assert count.read_text() == "called\n"
    lab.evaluate_all(lab.monitor(custom=custom()), [NOW - DAY, NOW])
    assert count.read_text() == "called\n" * 3


# -------------------------------------------------------------------------------------------- what is returned


def test_the_definition_says_how_a_returned_threshold_is_meant(evaluate, rows):
    code = returning(("a", "low", 1, 2), ("a", "high", 1, 2), ("b", "low", 3, None), ("a", "unknown", 3, 2))
    found = evaluate(code, metric_thresholds={"low": {"threshold": 9, "operator": "<"}, "high": 9})
    judged = {(row.group, row.metric_name): (row.breached, row.threshold_value, row.operator) for row in found.rows}
    assert judged == {
        ("a", "low"): (True, 2.0, "less_than"),
        ("a", "high"): (False, 2.0, "greater_than"),
        ("b", "low"): (True, 9.0, "less_than"),
        ("a", "unknown"): (True, 2.0, "greater_than"),
    }
    assert by_name(found)["custom", "a", "low"].details["defined_threshold"] == 9.0


def test_a_null_threshold_on_both_sides_records_the_value(evaluate, rows):
    row = only(evaluate(returning(("a", "m", 5, None)), metric_thresholds={"m": None}))
    assert (row.status, row.metric_value, row.threshold_value) == (Status.OK, 5.0, None)


def test_no_number_is_undefined_and_never_a_breach(evaluate, rows):
    code = """
    import pandas as pd
    def run(spark):
        schema = "group string, metric_name string, metric_value double, threshold_value double, group_pivot string"
        values = {"a": (float("nan"), ""), "b": (float("inf"), "CA"), "c": (None, "")}
        rows = [(group, "m", value, 1.0, pivot) for group, (value, pivot) in values.items()]
        return spark.createDataFrame(rows, schema)
    """
    found = evaluate(code)
    assert [(row.status, row.breached, row.metric_value) for row in found.rows] == [(Status.UNDEFINED, None, None)] * 3
    assert [row.reason for row in found.rows] == [
        "the component returned no metric_value",
        "the component returned inf as metric_value",
        "the component returned no metric_value",
    ]
    assert [row.group_dimension for row in found.rows] == ["aggregate", "CA", "aggregate"]
    assert found.run.status is RunStatus.COMPLETED


def test_text_that_is_no_number_is_an_error_of_its_row(evaluate, rows):
    found = evaluate(returning(("a", "m", "44,896", 2), ("b", "m", "3", "2")))
    assert [(row.status, row.breached) for row in found.rows] == [(Status.ERROR, None), (Status.BREACHED, True)]


def test_an_empty_result_leaves_a_row_for_each_metric_that_is_named(evaluate, rows):
    row = only(evaluate(returning()))
    assert (row.status, row.reason) == (Status.UNDEFINED, "the component returned no metric 'm'; it returned no rows")


def test_a_dynamic_threshold_stands_on_the_values_of_earlier_runs_of_the_same_part_of_a_group(lab, rows, tmp_path):
    code = """
    import pandas as pd
    def run(data_window_start):
        day = int(data_window_start[8:10])
        values = {"CA": {7: 1.0, 8: 1.1, 9: 5.0}[day], "TX": {7: 5.0, 8: 5.1, 9: 5.0}[day]}
        rows = [("a", state, "m", value, 9) for state, value in values.items()]
        columns = ["group", "group_dimension", "metric_name", "metric_value", "threshold_value"]
        return pd.DataFrame(rows, columns=columns)
    """
    write(tmp_path, code)
    monitor = lab.monitor(custom=custom(metric_thresholds={"m": {"dynamic": {"min_points": 2}}}))
    store = Store(tmp_path / "store")
    found = [lab.evaluate(monitor, time, store=store) for time in (NOW - 2 * DAY, NOW - DAY, NOW)]
    statuses = [{row.group_dimension: row.status for row in each.rows} for each in found]
    short = Status.INSUFFICIENT_DATA
    assert statuses == [{"CA": short, "TX": short}] * 2 + [{"CA": Status.BREACHED, "TX": Status.OK}]
    assert {row.threshold_kind for row in found[-1].rows} == {"dynamic"}
    (check,) = store.breached_since("lab", NOW + DAY)
    assert check.group_dimension == "CA"


def test_a_component_that_writes_as_azures_do_is_read_back(evaluate, rows):
    code = """
    def run(production_data, signal_metrics: str, m_threshold: str):
        from pyspark.sql import functions as F
        rows = production_data.select(
            F.lit("calm").alias("group"), F.lit("m").alias("metric_name"), F.lit(m_threshold).alias("threshold_value"),
            F.lit(3.5).cast("float").alias("metric_value"), F.lit("").alias("group_pivot"),
        ).limit(1)
        rows.write.mode("overwrite").parquet(signal_metrics)
    """
    row = only(evaluate(code))
    assert (row.group, row.metric_value, row.threshold_value, row.breached) == ("calm", 3.5, 2.0, True)


# -------------------------------------------------------------------------------------------- what goes wrong


FAILING = {
    "def run(production_data):\n    raise ValueError('out of\\nideas')": "ValueError in mine.py, line 2: out of ideas",
    "def run(production_data, missing): ...": "run asks for 'missing', which it is not given",
    "import nowhere_at_all\ndef run(): ...": "ModuleNotFoundError in mine.py, line 1: No module named 'nowhere_at_all'",
    "def run(): ...": "mine:run returned nothing and not a DataFrame",
    "import pandas as pd\ndef run(): return pd.DataFrame({'group': ['a']})": "mine:run returned no column metric_name",
    returning(("a", "m", 1, 1), ("a", "m", 2, 1)): "mine:run returned 'm' of 'a' 2 times",
    "def run(production_data): return production_data.select('nowhere')": "AnalysisException in mine.py, line 1",
}


@pytest.mark.parametrize("code", FAILING)
def test_what_goes_wrong_is_a_failed_run_with_a_sentence_where_there_is_nothing_else(evaluate, rows, tmp_path, code):
    store = Store(tmp_path / "store")
    with pytest.raises(DataError) as raised:
        evaluate(code, store=store)
    assert FAILING[code] in str(raised.value)
    (row,) = store.read_metrics(monitor="lab").to_pylist()
    assert (row["status"], row["metric_name"], row["breached"]) == ("error", "m", None)
    assert FAILING[code] in row["reason"]


def test_a_function_that_fails_in_a_task_says_so_in_one_line(evaluate, rows):
    code = """
    def broken(batches):
        for batch in batches:
            raise ValueError("in the task")
            yield batch
    def run(production_data):
        schema = "group string, metric_name string, metric_value double, threshold_value double"
        return production_data.mapInPandas(broken, schema)
    """
    with pytest.raises(DataError) as raised:
        evaluate(code)
    assert str(raised.value) == "component mine:run: PythonException in mine.py, line 4: ValueError: in the task"


def test_data_that_cannot_be_read_is_said_with_its_file(evaluate, rows, tmp_path):
    (file,) = (tmp_path / "rows").glob("*.parquet")
    intact = file.read_bytes()
    file.write_bytes(intact[:4] + b"x" * (len(intact) // 2) + intact[4 + len(intact) // 2 :])
    with pytest.raises(DataError) as raised:
        evaluate("def run(production_data): return production_data.toPandas()")
    assert f"cannot read {file}" in str(raised.value)


def test_the_other_signals_and_the_other_times_go_on(lab, rows, tmp_path):
    code = """
    import pandas as pd
    def run(data_window_start):
        if data_window_start.startswith("2024-03-08"):
            raise ValueError("not on that day")
        return pd.DataFrame([("a", "m", 1, 1)], columns=["group", "metric_name", "metric_value", "threshold_value"])
    """
    write(tmp_path, code)
    gone = {"production_data": {"input_data": {"path": "gone"}, "data_column_names": ROLES}}
    monitor = lab.monitor(sometimes=custom(), never=custom(input_data=gone))
    first, second = lab.evaluate_all(monitor, [NOW - DAY, NOW])
    assert {row.signal: row.status for row in first.rows} == {"sometimes": Status.ERROR, "never": Status.ERROR}
    assert {row.signal: row.status for row in second.rows} == {"sometimes": Status.OK, "never": Status.ERROR}
    assert "not on that day" in str(by_name(first)["sometimes", "dataset", "m"].reason)
    assert (first.run.status, second.run.status) == (RunStatus.COMPLETED, RunStatus.COMPLETED)


def test_a_window_that_was_asked_for_needs_a_timestamp(evaluate, lab, rows):
    lab.write("undated", pd.DataFrame({"n": [1, 2]}))
    data = {"production_data": {"input_data": {"path": "undated"}, "data_window_size": "P1D"}}
    with pytest.raises(DataError, match=r"undated has no timestamp column: name it in data_column_names\.timestamp"):
        evaluate(returning(("a", "m", 1, 1)), input_data=data)


def test_a_component_whose_file_went_away_is_said(lab, rows, tmp_path):
    write(tmp_path, returning(("a", "m", 1, 1)))
    monitor = lab.monitor(custom=custom())
    (tmp_path / "mine.py").unlink()
    with pytest.raises(DataError, match="component mine:run: ModuleNotFoundError"):
        lab.evaluate(monitor)


# ---------------------------------------------------------------------------------------------------- secrets


SECRETIVE = """
    import os
    import pandas as pd
    def run():
        if os.environ["URL"] != "http://x":
            raise KeyError
        if os.environ["FAIL"] == "yes":
            raise ValueError(f"401 for {os.environ['TOKEN']}")
        value = len(os.environ["TOKEN"])
        return pd.DataFrame([("a", "m", value, 1)], columns=["group", "metric_name", "metric_value", "threshold_value"])
"""


def connection(fail: str) -> Mapping[str, Any]:
    return {"environment_variables": {"URL": "http://x", "FAIL": fail}, "secret_config": {"TOKEN": "${MY_SECRET}"}}


def test_a_component_sees_its_connections_variables_and_nobody_sees_them_afterwards(evaluate, rows, monkeypatch):
    monkeypatch.setenv("MY_SECRET", "hush-hush")
    row = only(evaluate(SECRETIVE, connection=connection("no")))
    assert row.metric_value == 9.0
    assert not {"URL", "FAIL", "TOKEN"} & os.environ.keys()


def test_a_secret_is_in_no_error_no_row_and_no_record(evaluate, rows, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("MY_SECRET", "hush-hush")
    store = Store(tmp_path / "store")
    with pytest.raises(DataError) as raised:
        evaluate(SECRETIVE, store=store, connection=connection("yes"))
    assert "ValueError in mine.py, line 8: 401 for ***" in str(raised.value)
    kept = f"{store.read_metrics().to_pylist()} {store.read_runs().to_pylist()} {capfd.readouterr()}"
    assert "401 for ***" in kept
    assert "hush-hush" not in kept
    monkeypatch.delenv("MY_SECRET")
    with pytest.raises(DataError, match=r"connection.secret_config.TOKEN: the environment has no variable") as raised:
        evaluate(SECRETIVE, connection=connection("no"))
    assert "MY_SECRET" not in str(raised.value)
