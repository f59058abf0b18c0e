"""A component makes the rows that are watched: called by window, checked, cut, kept, and to blame where it fails."""

import textwrap
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from engine.errors import DefinitionError
from engine.monitor import Monitor
from engine.store import Store
from tests.engine.labs import NOW, Lab, assert_same_rows, by_name, values

DAY = timedelta(days=1)
CODE = '''
import json, os
from pathlib import Path
import pandas as pd

HERE = os.path.dirname(__file__)


def _log(start, end):
    with open(os.path.join(HERE, "calls.txt"), "a") as file:
        file.write(f"{start} {end}\\n")


def _rows(input_data):
    paths = [os.path.join(input_data, name) for name in sorted(os.listdir(input_data))]
    lines = [json.loads(line) for path in paths for line in Path(path).read_text().splitlines()]
    return pd.DataFrame([{"at": line["at"], **line["row"]} for line in lines])


def _inside(rows, start, end):
    at = pd.to_datetime(rows["at"], utc=True)
    return rows[(at >= pd.Timestamp(start)) & (at < pd.Timestamp(end))]


def dated(data_window_start, data_window_end, input_data):
    """Rows with their time."""
    _log(data_window_start, data_window_end)
    return _inside(_rows(input_data), data_window_start, data_window_end)


def plain(data_window_start, data_window_end, input_data):
    """Rows without a time, as Azure's example has it."""
    _log(data_window_start, data_window_end)
    return _inside(_rows(input_data), data_window_start, data_window_end).drop(columns="at")


def by_spark(data_window_start, data_window_end, input_data, spark):
    frame = spark.read.schema("at string, row struct<x double, word string, id bigint>").json(input_data)
    inside = frame.where(f"at >= '{data_window_start}' and at < '{data_window_end}'")
    return inside.select("row.*")


def written(data_window_start, data_window_end, input_data, preprocessed_input_data):
    rows = plain(data_window_start, data_window_end, input_data)
    rows.to_parquet(os.path.join(preprocessed_input_data, "rows.parquet"))


def documented(data_window_start, data_window_end, input_data, preprocessed_data):
    written(data_window_start, data_window_end, input_data, preprocessed_data)


def of_frame(data_window_start, data_window_end, input_data):
    return input_data.selectExpr("x * 2 as x", "at")


def whole(data_window_start, data_window_end, input_data):
    _log(data_window_start, data_window_end)
    return _rows(input_data).drop(columns="at")


def nothing(data_window_start, data_window_end, input_data):
    return None


def a_list(data_window_start, data_window_end, input_data):
    return [1]


def no_columns(data_window_start, data_window_end, input_data):
    return pd.DataFrame(index=range(3))


def twice(data_window_start, data_window_end, input_data):
    return pd.DataFrame([[1, 2]], columns=["x", "x"])


def misspelt(data_window_start, data_window_end, input_data):
    return dated(data_window_start, data_window_end, input_data).rename(columns={"at": "att", "x": "xx"})


def fails(data_window_start, data_window_end, input_data):
    raise ValueError("no such table: transactions")


def fails_late(data_window_start, data_window_end, input_data, spark):
    def broken(batches):
        for batch in batches:
            raise RuntimeError("a row is broken")
            yield batch
    return spark.range(5).selectExpr("cast(id as double) as x").mapInPandas(broken, "x double")


def asks_for_more(data_window_start, data_window_end, input_date):
    return None


def mixed(data_window_start, data_window_end, input_data):
    rows = plain(data_window_start, data_window_end, input_data)
    rows["x"] = [value if place % 4 else f"n/a {place}" for place, value in enumerate(rows["x"])]
    return rows
'''


@pytest.fixture
def lab(spark, tmp_path):
    (tmp_path / "components").mkdir()
    (tmp_path / "components" / "prep.py").write_text(CODE)
    return Lab(spark, tmp_path)


def frame(days: int = 6, per_day: int = 40) -> pd.DataFrame:
    dice, count = np.random.default_rng(3), 6 * 40
    at = [NOW - days * DAY + float(share) * days * DAY for share in np.sort(dice.uniform(0, 1, count))]
    return pd.DataFrame({
        "at": [moment.isoformat() for moment in at], "x": dice.normal(0, 1, count) + np.arange(count) / 100,
        "word": dice.choice(["a", "b", "c"], count), "id": range(count),
    })  # fmt: skip


def write(lab: Lab, rows: pd.DataFrame, name: str = "raw") -> None:
    """Files of events, as no reader of tables understands them."""
    (lab.folder / name).mkdir(exist_ok=True)
    for day, part in rows.groupby(rows["at"].str[:10]):
        lines = part[["at"]].assign(row=part.drop(columns="at").to_dict("records"))
        lines.to_json(lab.folder / name / f"{day}.jsonl", orient="records", lines=True)


def of(rows: pd.DataFrame, start: datetime, end: datetime) -> pd.DataFrame:
    at = pd.to_datetime(rows["at"], utc=True, format="ISO8601")
    return rows[(at >= start) & (at < end)]


def calls(lab: Lab) -> list[tuple[str, ...]]:
    """The windows that the component was asked for since the last look."""
    path = lab.folder / "components" / "calls.txt"
    found = [tuple(line.split()) for line in path.read_text().splitlines()] if path.exists() else []
    path.unlink(missing_ok=True)
    return found


def asked(start: datetime, end: datetime) -> tuple[str, ...]:
    return tuple(f"{moment:%Y-%m-%dT%H:%M:%S}.000Z" for moment in (start, end))


RATES = {"null_value_rate": None, "data_type_error_rate": None}
DATASET = {"row_count": None, "freshness_seconds": None}
QUALITY = {"numerical": {**RATES, "mean": None}, "categorical": RATES, "dataset": DATASET}


def data(lab: Lab, function: str, size: str = "P1D", offset: str = "P0D", source="raw", **roles) -> dict:
    window = {"lookback_window_size": size, "lookback_window_offset": offset}
    return {**lab.data(source, window, **roles), "pre_processing_component": f"prep:{function}"}


def monitor(lab: Lab, function: str, size: str = "P1D", reference: dict | None = None, **roles) -> Monitor:
    past = reference or data(lab, function, "P2D", size, **roles)
    quality = {"type": "data_quality", "production_data": data(lab, function, size, **roles), "reference_data": past,
               "metric_thresholds": QUALITY}  # fmt: skip
    return lab.monitor(quality=quality)


# --------------------------------------------------------------------------------------------------- the story


@pytest.mark.parametrize("function", ["dated", "plain", "by_spark", "written", "documented"])
def test_what_a_component_returns_is_what_is_measured(lab, function):
    rows = frame()
    write(lab, rows)
    roles = {"timestamp": "at"} if function == "dated" else {}
    found = lab.evaluate(monitor(lab, function, **roles))
    today = of(rows, NOW - DAY, NOW)
    numbers = values(found)
    assert numbers["quality", "dataset", "row_count"] == len(today)
    assert numbers["quality", "x", "mean"] == pytest.approx(today["x"].mean())
    assert numbers["quality", "word", "null_value_rate"] == 0
    said = any("its rows carry no timestamp" in note for note in found.run.notes)
    assert said == (function != "dated")
    fresh = (NOW - pd.to_datetime(today["at"], utc=True).max()).total_seconds() if function == "dated" else None
    assert by_name(found)["quality", "dataset", "freshness_seconds"].metric_value == fresh


def test_rows_with_a_time_are_made_by_one_call_for_all_windows(lab):
    rows = frame()
    write(lab, rows)
    times = [NOW - 2 * DAY, NOW - DAY, NOW]
    together = lab.evaluate_all(monitor(lab, "dated", timestamp="at"), times)
    assert calls(lab) == [asked(NOW - 5 * DAY, NOW)]  # the first window's baseline to the last window's end
    for time, one in zip(times, together, strict=True):
        alone = lab.evaluate(monitor(lab, "dated", timestamp="at"), time)
        assert_same_rows(one, alone, ignore=("bins_id",))  # bins are fitted to the first baseline
        assert values(one)["quality", "dataset", "row_count"] == len(of(rows, time - DAY, time))


def test_rows_without_a_time_are_those_of_the_window_that_was_asked_for(lab):
    rows = frame()
    write(lab, rows)
    times = [NOW - DAY, NOW]
    together = lab.evaluate_all(monitor(lab, "plain", size="P2D"), times)  # windows that overlap
    windows = [asked(time - offset * DAY - 2 * DAY, time - offset * DAY) for time in times for offset in (0, 2)]
    assert set(calls(lab)) == {asked(NOW - 5 * DAY, NOW), *windows}  # each once, and all once, for their columns
    for time, one in zip(times, together, strict=True):
        assert values(one)["quality", "dataset", "row_count"] == len(of(rows, time - 2 * DAY, time))
        assert values(one)["quality", "x", "mean"] == pytest.approx(of(rows, time - 2 * DAY, time)["x"].mean())


def test_a_window_is_one_call_and_not_one_for_each_of_its_days(lab):
    write(lab, frame())
    training = lab.data("train")
    lab.write("train", frame().drop(columns="at"))
    found = lab.evaluate(monitor(lab, "plain", size="P3D", reference=training))
    assert calls(lab) == [asked(NOW - 3 * DAY, NOW)]
    assert values(found)["quality", "dataset", "row_count"] == len(of(frame(), NOW - 3 * DAY, NOW))


def test_a_reference_that_is_used_whole_is_asked_for_all_of_time(lab):
    write(lab, frame())
    reference = {**lab.data("raw"), "pre_processing_component": "prep:whole"}
    found = lab.evaluate(monitor(lab, "plain", reference=reference))
    assert ("1970-01-01T00:00:00.000Z", "2200-01-01T00:00:00.000Z") in calls(lab)
    assert by_name(found)["quality", "x", "null_value_rate"].baseline_row_count == len(frame())


def test_a_table_or_an_mltable_is_handed_over_as_a_frame(lab):
    rows = frame()
    rows["at"] = pd.to_datetime(rows["at"], utc=True, format="ISO8601")
    own = {"mine": lab.spark.createDataFrame(rows)}
    reference = data(lab, "of_frame", "P2D", "P1D", {"table": "mine"})
    quality = {"type": "data_quality", "production_data": data(lab, "of_frame", source={"table": "mine"}),
               "reference_data": reference, "metric_thresholds": QUALITY}  # fmt: skip
    by_table = lab.evaluate(lab.monitor(quality=quality), frames=own)
    lab.write("table", rows)
    (lab.folder / "table" / "MLTable").write_text("paths: [{pattern: '*.parquet'}]\ntransformations: [read_parquet]\n")
    quality |= {"production_data": data(lab, "of_frame", source="table"), "reference_data": data(lab, "of_frame", "P2D", "P1D", "table")}  # fmt: skip # noqa: E501
    by_mltable = lab.evaluate(lab.monitor(quality=quality))
    today = rows[rows["at"] >= NOW - DAY]
    for found in (by_table, by_mltable):
        assert values(found)["quality", "x", "mean"] == pytest.approx(2 * today["x"].mean())


def test_predictions_and_inputs_may_both_be_made_and_are_joined_with_labels(lab):
    rows = frame()
    rows["said"] = (rows["x"] > 1).astype(int)
    write(lab, rows)
    truth = pd.DataFrame({"key": rows["id"], "true": (rows["word"] == "a").astype(int)})
    lab.write("truth", truth)
    roles = {"prediction": "said", "correlation_id": "id"}
    signal = {
        "type": "model_performance", "production_data": data(lab, "plain", "P2D", **roles),
        "reference_data": lab.data("truth", actual="true", correlation_id="key"),
        "metric_thresholds": {"classification": {"accuracy": None}},
    }  # fmt: skip
    times = [NOW - DAY, NOW]
    found = lab.evaluate_all(lab.monitor(performance=signal), times)
    for time, one in zip(times, found, strict=True):
        window = of(rows, time - 2 * DAY, time).merge(truth, left_on="id", right_on="key")
        expected = (window["said"] == window["true"]).mean()
        assert values(one)["performance", "said", "accuracy"] == pytest.approx(expected)
        assert values(one)["performance", "said", "ground_truth_coverage"] == 1


def test_two_made_datasets_are_joined_by_id(lab):
    rows = frame()
    write(lab, rows)
    write(lab, pd.DataFrame({"at": rows["at"], "id": rows["id"], "y": rows["x"] * 3}), "other")
    both = [data(lab, "plain", correlation_id="id"), data(lab, "plain", source="other", correlation_id="id")]
    lab.write("train", pd.DataFrame({"x": rows["x"], "y": rows["x"] * 3}))
    signal = {"type": "data_quality", "production_data": both, "reference_data": lab.data("train"),
              "metric_thresholds": {"numerical": {"mean": None, "null_value_rate": None}}}  # fmt: skip
    found = values(lab.evaluate(lab.monitor(s=signal)))
    today = of(rows, NOW - DAY, NOW)
    assert set(calls(lab)) == {asked(NOW - DAY, NOW)}
    assert found["s", "y", "mean"] == pytest.approx(3 * today["x"].mean())
    assert found["s", "y", "null_value_rate"] == 0


# ------------------------------------------------------------------------------------------------------- kept


@pytest.mark.parametrize("function", ["dated", "plain"])
def test_unchanged_files_and_code_are_not_counted_again(lab, function, tmp_path_factory):
    write(lab, frame())
    store = Store(tmp_path_factory.mktemp("store"))
    watched = monitor(lab, function, **({"timestamp": "at"} if function == "dated" else {}))
    first = lab.evaluate(watched, store=store)
    again = lab.evaluate(watched, store=store)
    assert (first.run.rows_read > 0, again.run.rows_read) == (True, 0)
    assert_same_rows(first, again)
    code = lab.folder / "components" / "prep.py"
    code.write_text(CODE.replace('.drop(columns="at")', '.drop(columns="at").head(5)')
                    .replace("data_window_end)\n\n\ndef plain", "data_window_end).head(5)\n\n\ndef plain"))  # fmt: skip
    edited = lab.evaluate(watched, store=store)
    assert edited.run.rows_read > 0
    write(lab, pd.concat([frame(), frame()]))
    assert lab.evaluate(watched, store=store).run.rows_read > 0


def test_dated_folders_tell_which_windows_have_changed(lab, tmp_path_factory):
    rows = frame()
    for day, part in rows.groupby(rows["at"].str[:10]):
        write(lab, part, f"raw/date={day}") if (lab.folder / "raw").exists() else (lab.folder / "raw").mkdir()
        write(lab, part, f"raw/date={day}")
    code = CODE.replace("paths = [os.path.join(input_data, name) for name in sorted(os.listdir(input_data))]",
                        "paths = [os.path.join(at, name) for at, _, names in os.walk(input_data) for name in names]")  # fmt: skip # noqa: E501
    (lab.folder / "components" / "prep.py").write_text(code)
    lab.write("train", rows.drop(columns="at"))
    source = {"path": "raw", "partitions": {"date": "day"}}
    signal = {"type": "data_quality", "production_data": data(lab, "plain", source=source),
              "reference_data": lab.data("train"), "metric_thresholds": QUALITY}  # fmt: skip
    times = [NOW - DAY, NOW]
    store = Store(tmp_path_factory.mktemp("store"))
    lab.evaluate_all(lab.monitor(s=signal), times, store=store)
    today = of(rows, NOW - DAY, NOW)
    write(lab, pd.concat([today, today]), f"raw/date={NOW - DAY:%Y-%m-%d}")
    found = lab.evaluate_all(lab.monitor(s=signal), times, store=store)
    assert [values(each)["s", "dataset", "row_count"] for each in found] == [
        len(of(rows, NOW - 2 * DAY, NOW - DAY)), 2 * len(today),
    ]  # fmt: skip
    assert sum(each.run.rows_read for each in found) == 2 * 2 * len(today)  # told of the run, which had two times


# ---------------------------------------------------------------------------------------------------- to blame


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("nothing", "component prep:nothing returned nothing and not a DataFrame"),
        ("a_list", "component prep:a_list returned a list and not a DataFrame"),
        ("no_columns", "component prep:no_columns returned a DataFrame without columns"),
        ("twice", "component prep:twice returned several columns that are called 'x'"),
        ("fails", "component prep:fails: ValueError in prep.py, line "),
        ("fails_late", "component prep:fails_late: "),
        ("asks_for_more", "asks for 'input_date', which it is not given (did you mean input_data?"),
    ],
)
def test_what_goes_wrong_in_a_component_is_said_and_the_other_signals_go_on(lab, function, said):
    write(lab, frame())
    lab.write("train", frame().drop(columns="at"))
    wrong, right = (
        {"type": "data_quality", "production_data": data(lab, name), "reference_data": lab.data("train"),
         "metric_thresholds": {"numerical": {"null_value_rate": None}}, "features": ["x"]}
        for name in (function, "plain")
    )  # fmt: skip
    found = by_name(lab.evaluate(lab.monitor(wrong=wrong, right=right)))
    assert found["right", "x", "null_value_rate"].metric_value == 0
    reasons = [row.reason or "" for (signal, _, _), row in found.items() if signal == "wrong"]
    assert reasons
    assert all(said in reason for reason in reasons)
    assert all("\n" not in reason for reason in reasons)


def test_the_text_of_an_error_is_told_with_its_line(lab):
    write(lab, frame())
    found = by_name(lab.evaluate(_beside(lab, "fails")))
    line = CODE.splitlines().index('    raise ValueError("no such table: transactions")') + 1
    reason = why(found)
    assert reason.endswith(f"prep.py, line {line}: no such table: transactions")


def test_an_error_that_spark_finds_is_told_with_its_text(lab):
    write(lab, frame())
    found = by_name(lab.evaluate(_beside(lab, "fails_late")))
    reason = why(found)
    assert "RuntimeError: a row is broken" in reason


def why(found) -> str:
    """The one reason of all rows of the signal that is wrong."""
    (reason,) = {row.reason for (signal, _, _), row in found.items() if signal == "wrong"}
    return reason or ""


def _beside(lab: Lab, function: str) -> Monitor:
    lab.write("train", frame().drop(columns="at"))
    signals = {
        name: {"type": "data_quality", "production_data": data(lab, each), "reference_data": lab.data("train")}
        for name, each in (("wrong", function), ("right", "plain"))
    }
    return lab.monitor(**signals)


def test_a_column_that_may_have_been_meant_for_the_timestamp_is_no_reason_to_guess(lab):
    write(lab, frame())
    signals = {
        "wrong": {"type": "data_quality", "production_data": data(lab, "misspelt", timestamp="at"),
                  "reference_data": data(lab, "plain", "P2D", "P1D")},
        "right": {"type": "data_quality", "production_data": data(lab, "plain"),
                  "reference_data": data(lab, "plain", "P2D", "P1D")},
    }  # fmt: skip
    found = by_name(lab.evaluate(lab.monitor(**signals)))
    reason = why(found)
    assert "through prep:misspelt has no column 'at' (its timestamp); did you mean 'att'?" in reason


def test_a_column_that_is_not_returned_is_that_columns_row(lab):
    write(lab, frame())
    lab.write("train", frame().drop(columns="at"))
    signal = {"type": "data_quality", "production_data": data(lab, "misspelt"), "reference_data": lab.data("train"),
              "metric_thresholds": {"numerical": {"null_value_rate": None}}, "features": ["x", "id"]}  # fmt: skip
    found = by_name(lab.evaluate(lab.monitor(s=signal)))
    assert found["s", "x", "null_value_rate"].reason == "the column 'x' is missing in production"
    assert found["s", "id", "null_value_rate"].metric_value == 0


def test_values_of_several_types_are_counted_as_errors_and_crash_nothing(lab):
    rows = frame()
    write(lab, rows)
    lab.write("train", rows.drop(columns="at"))
    found = values(lab.evaluate(monitor(lab, "mixed", reference=lab.data("train"))))
    count = len(of(rows, NOW - DAY, NOW))
    assert found["quality", "x", "data_type_error_rate"] == pytest.approx(-(-count // 4) / count)


def test_an_empty_window_has_no_rows_and_that_is_all(lab):
    write(lab, frame())
    lab.write("train", frame().drop(columns="at"))
    for function in ("dated", "plain"):
        found = by_name(lab.evaluate(monitor(lab, function, reference=lab.data("train")), NOW + 9 * DAY))
        assert found["quality", "dataset", "row_count"].metric_value == 0


def test_an_input_that_is_not_there_is_said(lab):
    write(lab, frame())
    lab.write("train", frame().drop(columns="at"))
    signals = {
        name: {"type": "data_quality", "production_data": data(lab, "plain", source=source),
               "reference_data": lab.data("train")}
        for name, source in (("wrong", "nowhere"), ("right", "raw"))
    }  # fmt: skip
    found = by_name(lab.evaluate(lab.monitor(**signals)))
    reason = why(found)
    assert reason.endswith("nowhere: no such file or folder")


# -------------------------------------------------------------------------------------------------- definitions


def problems(lab: Lab, signal: dict, **files: str) -> str:
    for name, text in files.items():
        path = lab.folder / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.with_suffix(".yaml").write_text(textwrap.dedent(text))
    with pytest.raises(DefinitionError) as error:
        lab.monitor(s=signal)
    return str(error.value)


def test_names_of_components_are_looked_up(lab):
    (lab.folder / "assets.yaml").write_text("components: [{name: mine, version: 1, entry: 'prep:plain', label: good}]")
    for name in ("azureml:mine:1", "azureml:mine@good", "azureml:mine"):
        block = {**data(lab, "plain"), "pre_processing_component": name}
        found = lab.monitor(s={"type": "data_quality", "production_data": block}).signals[0]
        assert found.production[0].source.preprocessing.function == "plain"
        # The past of what a component made is made by it, too.
        assert found.reference.source == found.production[0].source
    block["pre_processing_component"] = "azureml:mien:1"
    said = problems(lab, {"type": "data_quality", "production_data": block})
    assert "production_data.pre_processing_component: no component is named 'mien' (did you mean mine?)" in said


def test_a_models_data_may_be_made_by_a_component_and_a_signal_may_name_another(lab):
    (lab.folder / "models").mkdir()
    (lab.folder / "models" / "m.yaml").write_text(
        "name: m\nmodel_inputs: {input_data: {path: ../raw}, pre_processing_component: 'prep:plain'}\n"
    )
    signals = {
        "own": {"type": "data_quality"},
        "other": {"type": "data_quality", "production_data": {"pre_processing_component": "prep:dated"}},
        "past": {"type": "data_quality",
                 "reference_data": {"data_context": "model_inputs", "pre_processing_component": "prep:dated"}},
    }  # fmt: skip
    create = {"monitoring_target": {"model_id": "m"}, "monitoring_signals": signals}
    trigger = {"type": "recurrence", "frequency": "day", "interval": 1}
    found = {
        signal.name: (
            signal.production[0].source.preprocessing.function,
            signal.reference.source.preprocessing.function,
        )
        for signal in Monitor.from_dict({"name": "m", "trigger": trigger, "create_monitor": create}, lab.folder).signals
    }
    assert found == {"own": ("plain", "plain"), "other": ("dated", "dated"), "past": ("plain", "dated")}


def test_another_component_is_another_definition_and_another_dataset(lab):
    one, other = monitor(lab, "plain"), monitor(lab, "dated")
    assert one.config_hash != other.config_hash
    identities = {each.signals[0].production[0].source.identity for each in (one, other)}
    assert len(identities) == 2


def test_times_are_written_as_azure_writes_them(lab):
    write(lab, frame())
    lab.write("train", frame().drop(columns="at"))
    at = datetime(2024, 3, 9, 4, 31, 57, 12_345, tzinfo=UTC)
    lab.evaluate(monitor(lab, "plain", reference=lab.data("train")), at)
    assert calls(lab) == [("2024-03-08T04:31:57.012Z", "2024-03-09T04:31:57.012Z")]
