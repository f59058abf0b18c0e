"""What is said about a definition that is wrong: everything, at its key and line, with a hint."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from engine.definitions import load_all, load_monitor, monitor_from
from engine.errors import DefinitionError

Problems = Callable[[str], list[str]]

MODEL = """
name: credit
endpoint_deployment_ids: [azureml:credit-default:main]
data_column_names: {timestamp: at}
model_inputs: {input_data: {path: in}}
"""


@pytest.fixture
def problems(tmp_path: Path) -> Problems:
    def problems(text: str) -> list[str]:
        (tmp_path / "models").mkdir(exist_ok=True)
        (tmp_path / "models" / "credit.yaml").write_text(MODEL)
        (tmp_path / "assets.yaml").write_text("assets: [{name: reference, version: 1, path: ref}]")
        path = tmp_path / "monitor.yaml"
        path.write_text(dedent(text).lstrip("\n"))
        with pytest.raises(DefinitionError) as error:
            load_monitor(path)
        found = sorted(error.value.problems, key=lambda problem: (problem.line or 0, problem.key))
        return [str(problem).removeprefix(f"{path}:").lstrip() for problem in found]

    return problems


@pytest.fixture
def of_signal(problems: Problems) -> Problems:
    """The problems of one signal, without the way to it."""

    def of_signal(keys: str) -> list[str]:
        found = problems(
            "name: m\ntrigger: {type: recurrence, frequency: day, interval: 1}\n"
            "create_monitor:\n  monitoring_target: {model_id: credit}\n  monitoring_signals: {s: " + keys + "}\n"
        )
        assert all(problem.startswith("5: create_monitor.monitoring_signals.s") for problem in found)
        return [problem.removeprefix("5: create_monitor.monitoring_signals.s.") for problem in found]

    return of_signal


def test_every_problem_of_a_file_is_said_at_once(problems: Problems) -> None:
    assert problems("""
        name: bad name!
        trigger:
          type: recurrence
          frequency: dayly
          interval: 0
          schedule: {hours: 99, minutes: [15, 75], week_days: moonday}
          timezone: Europe/Berln
        create_monitor:
          monitoring_target:
            endpoint_deployment_id: azureml:credit-defalt:main
          monitoring_signals:
            drift:
              type: data_drift
              production_data:
                input_data: {path: azureml:reference:2}
                data_window: {lookback_window_size: 1D}
              reference_data:
                input_data: {path: azureml:refrence:1}
                data_contxt: training
              metric_thresholds:
                numerical:
                  jensen_shanon_distance: 0.1
                  psi: high
                  population_stability_index: 0.2
                  accuracy: 0.9
                categorical:
                  two_sample_kolmogorov_smirnov_test: 0.05
            attribution: {type: feature_attribution_drift, metric_thresholds: {ndgc: 0.9}}
            typo: {type: data_drif}
            quality:
              type: data_quality
              reference_data: {input_data: {path: azureml:refrence:1}}
          alert_notification: {emails: [bob]}
        """) == [
        "1: name: 'bad name!' is not a name (letters, digits, '_', '-' and '.', starting with a letter or digit)",
        "4: trigger.frequency: 'dayly' is not one of minute, hour, day, week, month (did you mean day?)",
        "5: trigger.interval: 0 must be 1 or more",
        "6: trigger.schedule.hours: 99 must be 23 or less",
        "6: trigger.schedule.minutes[1]: 75 must be 59 or less",
        "6: trigger.schedule.week_days: 'moonday' is not one of monday, tuesday, wednesday, thursday, friday, "
        "saturday, sunday (did you mean monday?)",
        "7: trigger.timezone: 'Europe/Berln' is not a time zone (did you mean Europe/Berlin?)",
        "10: create_monitor.monitoring_target.endpoint_deployment_id: no model has the deployment "
        "'azureml:credit-defalt:main' (did you mean credit-default:main?)",
        "15: create_monitor.monitoring_signals.drift.production_data.input_data.path: asset 'reference' has no "
        "version 2 (it has 1)",
        "16: create_monitor.monitoring_signals.drift.production_data.data_window.lookback_window_size: '1D' is not "
        "an ISO-8601 duration (such as P1D, PT12H, P7D or P1M)",
        "18: create_monitor.monitoring_signals.drift.reference_data.input_data.path: no asset is named 'refrence' "
        "(did you mean reference?)",
        "19: create_monitor.monitoring_signals.drift.reference_data.data_contxt: unknown key "
        "(did you mean data_context?)",
        "22: create_monitor.monitoring_signals.drift.metric_thresholds.numerical.jensen_shanon_distance: unknown "
        "metric (did you mean jensen_shannon_distance?)",
        "23: create_monitor.monitoring_signals.drift.metric_thresholds.numerical.psi: 'high' is not a number",
        "24: create_monitor.monitoring_signals.drift.metric_thresholds.numerical.population_stability_index: is the "
        "same metric as psi (keep one of them)",
        "25: create_monitor.monitoring_signals.drift.metric_thresholds.numerical.accuracy: accuracy is a "
        "classification metric (it belongs to classification of model_performance)",
        "27: create_monitor.monitoring_signals.drift.metric_thresholds.categorical."
        "two_sample_kolmogorov_smirnov_test: two_sample_kolmogorov_smirnov_test is not for categorical features",
        "28: create_monitor.monitoring_signals.attribution.metric_thresholds.ndgc: unknown metric",
        "29: create_monitor.monitoring_signals.typo.type: 'data_drif' is not one of data_drift, prediction_drift, "
        "data_quality, feature_attribution_drift, model_performance, custom, generation_token_statistics, "
        "generation_safety_quality (did you mean data_drift?)",
        "32: create_monitor.monitoring_signals.quality.reference_data.input_data.path: no asset is named 'refrence' "
        "(did you mean reference?)",
        "33: create_monitor.alert_notification.emails[0]: 'bob' is not an e-mail address",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["is empty"]),
        ("- a\n- b\n", ["is not a mapping (key: value)"]),
        ("name: [a\nb: c\n", ["2: is not YAML: while parsing a flow sequence, expected ',' or ']', but got ':'"]),
        ("name: a\n\tb: c\n", ["2: is not YAML: while scanning for the next token, found character '\\t' that cannot start any token"]),  # noqa: E501
        ("{}", ["create_monitor: is missing", "name: is missing", "trigger: is missing"]),
        (
            "name: m\nname: n\ntrigger: {type: cron, expression: '* * * * *'}\n"
            "create_monitor: {monitoring_target: {model_id: credit, model_id: credit}}\n",
            [
                "2: name: is written twice (keep one of them)",
                "4: create_monitor.monitoring_target.model_id: is written twice (keep one of them)",
            ],
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_as_yaml(problems: Problems, text: str, expected: list[str]) -> None:
    assert problems(text)[: len(expected)] == expected


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="cannot be read: No such file or directory"):
        load_monitor(tmp_path / "nowhere.yaml")


def test_a_file_that_is_not_text_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(DefinitionError, match="cannot be read: it is not UTF-8 text"):
        load_monitor(tmp_path / "m.yaml")


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ("{type: cron}", ["trigger.expression: is missing"]),
        ("{frequency: day}", ["trigger.type: is missing"]),
        ("{type: cronn, expression: '* * * * *'}", ["trigger.type: 'cronn' is not one of recurrence, cron (did you mean cron?)"]),  # noqa: E501
        ("{type: cron, expression: '0 25 * * *'}", ["trigger.expression: hours: '25' is not between 0 and 23"]),
        ("{type: recurrence, frequency: hour, schedule: {hours: 3}}", ["trigger.schedule.hours: does not go with frequency hour (with hour go: minutes)"]),  # noqa: E501
        ("{type: recurrence, frequency: day, pattern: {weekdays: monday}}", ["trigger.pattern.weekdays: does not go with frequency day (with day go: hours, minutes)"]),  # noqa: E501
        ("{type: recurrence, frequency: day, timezone: UTC, time_zone: UTC}", ["trigger.timezone: says the same as time_zone (keep one of them)"]),  # noqa: E501
        ("{type: recurrence, frequency: day, start_time: 2013-02-01, end_time: 2013-01-01}", ["trigger.end_time: is not after start_time"]),  # noqa: E501
        ("{type: recurrence, frequency: day, start_time: soon}", ["trigger.start_time: 'soon' is not an ISO-8601 date or time (such as 2013-07-01T00:00:00Z)"]),  # noqa: E501
        ("{type: recurrence, frequency: day, interval: 1.5}", ["trigger.interval: 1.5 is not a whole number"]),
        ("daily", ["trigger: 'daily' is not a mapping (key: value)"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_trigger(problems: Problems, trigger: str, expected: list[str]) -> None:
    text = f"name: m\ntrigger: {trigger}\ncreate_monitor: {{monitoring_target: {{model_id: credit}}}}\n"
    trigger_problems = [line for line in problems(text) if "trigger" in line]
    assert trigger_problems == [f"2: {line}" for line in expected]


QUALITY = "{type: data_quality, metric_thresholds: {numerical: {null_value_rate: X}}}"
RATE = "metric_thresholds.numerical.null_value_rate"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (QUALITY.replace("X", "{operator: '>'}"), [f"{RATE}.threshold: is missing (operator says how to judge by it)"]),
        (QUALITY.replace("X", "{threshold: 1, low: 0}"), [
            f"{RATE}.high: is missing (a range has both; for one bound write threshold)",
            f"{RATE}.threshold: cannot go with low and high (keep either it or the range)",
        ]),
        (QUALITY.replace("X", "{low: 2, high: 1}"), [f"{RATE}.low: is above high"]),
        (QUALITY.replace("X", ".nan"), [f"{RATE}: nan is not a finite number"]),
        (QUALITY.replace("X", "{threshold: 1, operator: above}"), [f"{RATE}.operator: 'above' is not one of greater_than, greater_than_or_equal, less_than, less_than_or_equal, equals, not_equals, both"]),  # noqa: E501
        (QUALITY.replace("X", "[0.1, 0.2]"), [f"{RATE}[1]: is a second threshold of the same metric (keep one of them)"]),  # noqa: E501
        (QUALITY.replace("X", "[]"), [f"{RATE}: is empty"]),
        (QUALITY.replace("X", "{threshold: 1, label: a}"), [f"{RATE}.label: null_value_rate is not a metric of one class"]),  # noqa: E501
        ("{type: data_quality, metric_thresholds: {numerical: {mean: 3}}}", ["metric_thresholds.numerical.mean: mean is bad in neither direction, so it needs an operator (write {threshold: 3, operator: greater_than} or {low: …, high: …})"]),  # noqa: E501
        ("{type: data_quality, metric_thresholds: {numerical: {row_count: 3}}}", ["metric_thresholds.numerical.row_count: row_count is a dataset metric (it belongs to dataset of data_quality)"]),  # noqa: E501
        ("{type: data_drift, metric_thresholds: {numerical: {psi: {threshold: 1, relative_to: baseline}}}}", ["metric_thresholds.numerical.psi.relative_to: population_stability_index has no value of the baseline to be added to"]),  # noqa: E501
        ("{type: data_drift, features: [a, b], metric_thresholds: {features: {c: {psi: 1}}}, feature_type_override: {A: numerical}}", [  # noqa: E501
            "feature_type_override.A: is not one of the signal's features (did you mean a?)",
            "metric_thresholds.features.c: is not one of the signal's features (one of: a, b)",
        ]),
        ("{type: data_drift, features: []}", ["features: is empty (list the features, or write all_features)"]),
        ("{type: data_drift, features: [a, a]}", ["features: 'a' is listed twice"]),
        ("{type: data_drift, features: [a, no]}", ["features[1]: False is not text (put it in quotes)"]),
        ("{type: data_drift, features: age}", ["features: 'age' is neither a list nor all_features (write [age] for this one feature)"]),  # noqa: E501
        ("{type: data_drift, features: {top_n_feature_importance: 0}}", ["features.top_n_feature_importance: 0 must be 1 or more"]),  # noqa: E501
        ("{type: data_drift, features: {top_n: 5}}", ["features.top_n: unknown key (one of: top_n_feature_importance)", "features.top_n_feature_importance: is missing"]),  # noqa: E501
        ("{type: data_drift, features: {top_n_feature_importance: 5}, feature_importance: false}", ["feature_importance: cannot go with top_n_feature_importance (leave it out)"]),  # noqa: E501
        ("{type: data_drift, binning: {method: edges}}", ["binning.edges: is missing (method edges needs them)"]),
        ("{type: data_drift, binning: {method: quantile, edges: [1, 0]}}", [
            "binning.edges: are not in ascending order (each once, from the lowest)",
            "binning.edges: cannot go with method quantile (keep one of them)",
        ]),
        ("{type: data_drift, nulls: dorp}", ["nulls: 'dorp' is not one of bin, drop (did you mean drop?)"]),
        ("{type: data_drift, production_data: {input_data: {path: x}, pre_processing_component: azureml:x:1}}", ["production_data.pre_processing_component: no component is named 'x' (add it to assets.yaml)"]),  # noqa: E501
        ("{type: data_drift, pre_processing_component: azureml:x:1}", ["pre_processing_component: unknown key"]),
        ("{type: data_drift, production_data: []}", ["production_data: is empty"]),
        ("{type: data_drift, production_data: {input_data: {}}}", ["production_data.input_data.path: is missing (say where the rows are: path, table or query)"]),  # noqa: E501
        ("{type: data_drift, production_data: {input_data: {path: a, table: b}}}", ["production_data.input_data.table: cannot go with path (keep one of them)"]),  # noqa: E501
        ("{type: data_drift, production_data: {input_data: {path: 'azureml://datastores/x'}}}", ["production_data.input_data.path: 'azureml://datastores/x' is an address in Azure's datastores, which driftline does not know (give the storage's own address (abfss://…, wasbs://…, s3://…, a path), here or in assets.yaml)"]),  # noqa: E501
        ("{type: data_drift, production_data: {data_window: {window_start: 2013-01-02, window_end: 2013-01-01}}}", ["production_data.data_window.window_end: is not after window_start"]),  # noqa: E501
        ("{type: data_drift, production_data: {data_window: {window_start: 2013-01-02, lookback_window_size: P1D}}}", [
            "production_data.data_window.lookback_window_size: cannot go with a fixed window (keep either window_start and window_end, or it)",  # noqa: E501
            "production_data.data_window.window_end: is missing (a fixed window has a start and an end)",
        ]),
        ("{type: data_drift, production_data: {data_window: {lookback_window_size: P0D}}}", ["production_data.data_window.lookback_window_size: 'P0D' has no length (such as P1D)"]),  # noqa: E501
        ("{type: data_drift, production_data: {data_window: {lookback_window_size: P0.5M}}}", ["production_data.data_window.lookback_window_size: 'P0.5M' has a fraction of a month or year (give it in days)"]),  # noqa: E501
        ("{type: data_drift, production_data: {data_window: {lookback_window_offset: -P1D}}}", ["production_data.data_window.lookback_window_offset: '-P1D' is negative"]),  # noqa: E501
        ("{type: data_drift, production_data: {data_window: {}, data_window_size: P1D}}", ["production_data.data_window_size: cannot go with data_window (keep one of them)"]),  # noqa: E501
        ("{type: data_drift, production_data: {data_column_names: {prediction: a, target_column: b}}}", ["production_data.data_column_names.target_column: says the same as prediction (keep one of them)"]),  # noqa: E501
        ("{type: prediction_drift}", ["production_data.input_data: is missing, and the model 'credit' has no model_outputs (say where the rows are)"]),  # noqa: E501
        ("{type: prediction_drift, production_data: {input_data: {path: x}}}", ["production_data.data_column_names.prediction: is missing (which column is the prediction?)"]),  # noqa: E501
        ("{type: prediction_drift, production_data: {input_data: {path: x}, data_column_names: {prediction: p}}, reference_data: {input_data: {path: y}}}", [  # noqa: E501
            "reference_data.data_column_names.target_column: is missing (which column is compared with the prediction?)",  # noqa: E501
        ]),
        ("{type: model_performance, production_data: {input_data: {path: x}, data_column_names: {prediction: p}}, metric_thresholds: {regression: {mae: 1}}}", [  # noqa: E501
            "reference_data: is missing, and the monitor names no model with ground truth (give the ground truth, or data_column_names.actual where production_data has it already)",  # noqa: E501
        ]),
        ("{type: model_performance, production_data: {input_data: {path: x}}, reference_data: {input_data: {path: y}}, ground_truth: {max_delay: P1D}}", [  # noqa: E501
            "metric_thresholds: is missing: no metric is named (name metrics under classification, regression or ranking, or say monitoring_target.ml_task)",  # noqa: E501
            "production_data.data_column_names.correlation_id: is missing (which column joins predictions and ground truth?)",  # noqa: E501
            "production_data.data_column_names.prediction: is missing (which column is the prediction?)",
            "reference_data.data_column_names.actual: is missing (which column is the truth?)",
            "reference_data.data_column_names.correlation_id: is missing (which column joins predictions and ground truth?)",  # noqa: E501
            "reference_data.data_column_names.timestamp: is missing (ground_truth.max_delay needs to know when a label became known)",  # noqa: E501
        ]),
        ("{type: model_performance, ground_truth: {max_delay: P1M, min_coverage: 2}}", [
            "ground_truth.max_delay: 'P1M' is no fixed length of time (give months and years in days)",
            "ground_truth.min_coverage: 2 must be 1 or less",
        ]),
        ("{type: model_performance, metric_thresholds: {classification: {multi_class_recall: 0.5}}}", ["metric_thresholds.classification.multi_class_recall.label: is missing (which class is it about?)"]),  # noqa: E501
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_signal(of_signal: Problems, keys: str, expected: list[str]) -> None:
    assert of_signal(keys) == expected


def test_a_monitor_without_signals_and_without_a_model_watches_nothing(problems: Problems) -> None:
    text = "name: m\ntrigger: {type: recurrence, frequency: day}\ncreate_monitor: {compute: {}}\n"
    assert problems(text) == [
        "3: create_monitor.monitoring_signals: is missing, and the monitor names no model (name signals, or a model or "
        "deployment whose data the default three can watch)"
    ]


def test_a_model_id_and_a_deployment_name_the_same_model(problems: Problems, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "other.yaml").write_text("name: other\nmodel_inputs: {input_data: {table: t}}")
    target = "{model_id: other, endpoint_deployment_id: azureml:credit-default:main}"
    text = (
        "name: m\ntrigger: {type: recurrence, frequency: day}\ncreate_monitor:\n"
        f"  monitoring_target: {target}\n  monitoring_signals: {{s: {{type: data_drift}}}}\n"
    )
    assert "4: create_monitor.monitoring_target.endpoint_deployment_id: is a deployment of another model than model_id" in problems(text)  # fmt: skip  # noqa: E501


def test_a_broken_model_file_is_named_where_it_may_be_the_cause(problems: Problems, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "other.yaml").write_text("name: other\nmodel_input: {input_data: {table: t}}")
    text = (
        "name: m\ntrigger: {type: recurrence, frequency: day}\ncreate_monitor: {monitoring_target: {model_id: other}}\n"
    )
    found = problems(text)
    assert found[-1] == ("3: create_monitor.monitoring_target.model_id: no model is named 'other' (one of: credit)")
    assert "model_input: unknown key (did you mean model_inputs?)" in found[0]


def test_a_mapping_is_told_its_keys_without_lines(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as error:
        monitor_from({"name": "m", "trigger": {"type": "cron", "expression": "x"}, "create_monitor": {}}, tmp_path)
    assert str(error.value) == "definition: trigger.expression: 'x' has 1 fields, not 5: minute hour day month day-of-week"  # fmt: skip  # noqa: E501


# Several files


MONITOR = "name: {name}\ntrigger: {{type: recurrence, frequency: day}}\ncreate_monitor: {{monitoring_target: {{model_id: credit}}, monitoring_signals: {{s: {{type: data_drift}}}}}}\n"  # noqa: E501


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    for name, text in {
        "monitors/a.yaml": MONITOR.format(name="same"),
        "monitors/b.yml": MONITOR.format(name="same"),
        "monitors/.draft.yaml": "nonsense",
        "monitors/nested/c.yaml": MONITOR.format(name="c"),
        "models/credit.yaml": MODEL,
        "models/wrong.yaml": "name: credit\nendpoint_deployment_id: credit-default:main\nmodel_inputs: 7\n",
        "models/twice.yaml": "name: credit\nendpoint_deployment_id: credit-default:main\n",
        "assets.yaml": "assets:\n  - {name: a, version: 1, path: x}\n  - {name: a, version: '1', path: y}\n",
        "notes.yaml": "hello: world",
        "notes.txt": "hello",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_all_problems_of_all_files_are_said_at_once(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(conf.parent)
    folder = Path(conf.name)
    monitors, problems = load_all([folder, folder / "monitors" / "a.yaml"])
    assert [monitor.name for monitor in monitors] == ["same", "c"]
    assert [str(problem).removeprefix(f"{conf.name}/") for problem in problems] == [
        "assets.yaml:3: assets[1]: azureml:a:1 is there twice",
        "models/twice.yaml:2: endpoint_deployment_id: the deployment 'credit-default:main' is in "
        f"{conf.name}/models/credit.yaml already",
        f"models/twice.yaml:1: name: the model 'credit' is in {conf.name}/models/credit.yaml already",
        "models/wrong.yaml:3: model_inputs: 7 is not a mapping (key: value)",
        f"monitors/b.yml:1: name: the monitor 'same' is in {conf.name}/monitors/a.yaml already",
        "notes.yaml: is neither a monitor, nor a model, nor assets (a monitor has trigger and create_monitor, a model "
        "stands in models/, and assets in assets.yaml)",
    ]


def test_a_sound_monitor_does_not_mind_a_broken_neighbour(conf: Path) -> None:
    assert load_monitor(conf / "monitors" / "a.yaml").name == "same"


def test_a_model_outside_the_folder_of_models_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "credit.yaml").write_text(MODEL)
    _, problems = load_all([tmp_path / "credit.yaml"])
    assert [problem.message for problem in problems] == ["is not where models or assets are looked for"]


def test_a_path_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    _, problems = load_all([tmp_path / "nowhere"])
    assert [problem.message for problem in problems] == ["cannot be read: No such file or directory"]
