"""How a custom signal is written, in Azure's spellings and ours, and what is said where it is written wrongly."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.errors import DefinitionError
from engine.monitor import Component, Context, FixedWindow, LookbackWindow, Monitor, Signal
from signals.thresholds import DynamicThreshold, FixedThreshold, Operator, RangeThreshold

MINIMAL = "component_id: azureml:mine:1, metric_thresholds: [{metric_name: m, threshold: 2}]"
DEFAULT = LookbackWindow("P7D", "P0D")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "components").mkdir()
    (tmp_path / "components" / "mine.py").write_text("def run(): ...")
    (tmp_path / "assets.yaml").write_text(
        "assets: [{name: rows, version: 1, path: data/rows}]\n"
        "components: [{name: mine, version: 1, entry: 'mine:run'}]\n"
    )
    return tmp_path


def monitor(root: Path, signal: str | dict[str, Any], **create: Any) -> Monitor:
    keys = yaml.safe_load(f"{{type: custom, {signal}}}") if isinstance(signal, str) else signal
    trigger = {"type": "recurrence", "frequency": "day", "interval": 7}
    body = {"monitoring_signals": {"mine": keys}, **create}
    return Monitor.from_dict({"name": "lab", "trigger": trigger, "create_monitor": body}, root)


def signal(root: Path, keys: str) -> Signal:
    return monitor(root, keys).signals[0]


def complaints(root: Path, keys: str) -> list[str]:
    with pytest.raises(DefinitionError) as raised:
        monitor(root, keys)
    prefix = "definition: create_monitor.monitoring_signals.mine"
    return [str(problem).removeprefix(prefix).removeprefix(".") for problem in raised.value.problems]


# ------------------------------------------------------------------------------------------------- what is read


def test_the_component_is_found_by_name_and_nothing_else_is_needed(root):
    found = signal(root, MINIMAL)
    assert found.custom.component == Component("azureml:mine:1", root / "components", "mine", "run")
    assert (found.custom.data, found.custom.window, found.alert_enabled) == ({}, DEFAULT, False)
    (request,) = found.metrics
    assert (request.metric, request.threshold) == ("m", FixedThreshold(2.0, Operator.GREATER_THAN))
    assert monitor(root, MINIMAL, alert_notification={"emails": []}).signals[0].alert_enabled


def test_datasets_are_read_in_the_words_of_newer_and_older_examples(root):
    newer = "input_data: {rows: {input_data: {type: uri_folder, path: 'azureml:rows:1'}, data_context: test}}"
    older = "input_datasets: {rows: {input_dataset: {type: uri_folder, path: 'azureml:rows:1'}, dataset_context: test}}"
    for written in (newer, older):
        data = signal(root, f"{written}, {MINIMAL}").custom.data["rows"]
        assert (data.source.path, data.context, data.window) == (str(root / "data" / "rows"), Context.TEST, None)


def test_fixed_data_is_whole_and_other_data_is_cut_to_the_triggers_window(root):
    written = """
      input_data: {
        seen: {input_data: {path: a}, data_context: model_inputs}, plain: {input_data: {path: b}},
        whole: {input_data: {path: c}, data_context: training},
        part: {input_data: {path: d}, data_context: test,
               data_window: {lookback_window_size: P30D, lookback_window_offset: P7D}},
        fixed: {input_data: {path: e}, data_window: {window_start: 2024-01-01, window_end: 2024-02-01}}}"""
    custom = signal(root, f"{written}, {MINIMAL}").custom
    windows = {name: data.window for name, data in custom.data.items()}
    assert isinstance(windows.pop("fixed"), FixedWindow)
    assert windows == {"seen": DEFAULT, "plain": DEFAULT, "whole": None, "part": LookbackWindow("P30D", "P7D")}
    assert custom.whole_if_undated == {"seen", "plain", "whole"}
    assert custom.window == DEFAULT


def test_the_signals_window_is_that_of_the_first_dataset_that_has_one(root):
    whole, cut = "{input_data: {path: a}, data_context: test}", "{input_data: {path: b}, data_window_size: P1D}"
    written = f"input_data: {{a: {whole}, b: {cut}}}"
    assert signal(root, f"{written}, {MINIMAL}").custom.window == LookbackWindow("P1D", "P0D")


def test_literals_are_written_bare_or_as_azure_writes_them(root):
    azure = "b: {type: literal, value: x}, d: {type: uri_file, path: 'azureml:rows:1'}"
    written = f"inputs: {{a: 2, {azure}, c: true, e: {{path: f.csv}}, f: 2024-01-01}}"
    literals = signal(root, f"{written}, {MINIMAL}").custom.literals
    rows, file = str(root / "data" / "rows"), str(root / "f.csv")
    assert literals == {"a": 2, "b": "x", "c": True, "d": rows, "e": file, "f": "2024-01-01"}


def test_thresholds_are_a_list_or_a_mapping(root):
    as_list = "metric_thresholds: [{metric_name: a, threshold: 0}, {metric_name: b, threshold: 1, operator: <}]"
    as_mapping = "metric_thresholds: {a: 0, b: {threshold: 1, operator: less_than}}"
    for written in (as_list, as_mapping):
        first, second = signal(root, f"component_id: 'mine:run', {written}").metrics
        assert first.threshold == FixedThreshold(0.0, Operator.GREATER_THAN)
        assert second.threshold == FixedThreshold(1.0, Operator.LESS_THAN)


def test_thresholds_may_be_ranges_dynamic_left_to_the_component_or_none(root):
    written = "{a: {low: 0, high: 1}, b: {dynamic: {lookback: P90D}}, c: {operator: less_than}, d: null}"
    found = signal(root, f"component_id: 'mine:run', metric_thresholds: {written}")
    thresholds = {each.metric: each.threshold for each in found.metrics}
    assert thresholds["a"] == RangeThreshold(0.0, 1.0)
    assert isinstance(thresholds["b"], DynamicThreshold)
    assert (thresholds["c"], thresholds["d"]) == (None, None)
    assert found.custom.operators["c"] is Operator.LESS_THAN


def test_a_connection_has_variables_and_the_names_of_secrets(root):
    secrets = "{A: MY_KEY, B: '${MY_KEY}', C: 'env:MY_KEY'}"
    for name in ("connection", "workspace_connection"):
        written = f"{name}: {{environment_variables: {{URL: 'http://x', N: 3}}, secret_config: {secrets}}}"
        custom = signal(root, f"{written}, {MINIMAL}").custom
        assert custom.connection.environment == {"URL": "http://x", "N": "3"}
        assert custom.connection.secrets == dict.fromkeys("ABC", "MY_KEY")
        assert "MY_KEY" not in repr(custom)


def test_a_version_that_is_the_latest_one_is_part_of_the_definitions_digest(root):
    latest = MINIMAL.replace(":1", "@latest")
    before = monitor(root, latest).config_hash
    (root / "assets.yaml").write_text(
        "components: [{name: mine, version: 1, entry: 'mine:run'}, {name: mine, version: 2, entry: 'mine:run'}]\n"
    )
    assert monitor(root, latest).config_hash != before
    assert monitor(root, MINIMAL).signals[0].custom.component.name == "azureml:mine:1"


# --------------------------------------------------------------------------------------------- what is refused


RUN = "component_id: 'mine:run'"
BY = f"{RUN}, metric_thresholds: "
WRONG = {
    "component_id: azureml:mien:1, metric_thresholds: {m: 1}": "component_id: no component is named 'mien'",
    "component_id: 'os:system', metric_thresholds: {m: 1}": "component_id: there is no module 'os'",
    "component_id: 'mine:rum', metric_thresholds: {m: 1}": "has no function 'rum' (did you mean run?)",
    "metric_thresholds: {m: 1}": "component_id: is missing",
    RUN: "metric_thresholds: is missing",
    f"{BY}[]": "metric_thresholds: is empty",
    f"{BY}[{{threshold: 1}}]": "metric_thresholds[0].metric_name: is missing",
    f"{BY}[{{metric_name: m, treshold: 1}}]": "[0].treshold: unknown key (did you mean threshold?)",
    f"{BY}{{m: {{treshold: 1}}}}": "m.treshold: unknown key (did you mean threshold?)",
    f"{BY}{{m: {{threshold: x}}}}": "metric_thresholds.m.threshold: 'x' is not a number",
    f"{BY}[{{metric_name: m}}, {{metric_name: m}}]": "[1].metric_name: m has a threshold already",
    f"{BY}{{m: {{threshold: 1, relative_to: baseline}}}}": "m.relative_to: a component's metric has no",
    f"{BY}{{m: {{threshold: 1, label: x}}}}": "m.label: m is not a metric of one class",
    f"{MINIMAL}, inputs: {{a: [1]}}": "inputs.a: [1] is neither text, nor a number",
    f"{MINIMAL}, inputs: {{a: .nan}}": "inputs.a: nan is not a finite number",
    f"{MINIMAL}, inputs: {{a: null}}": "inputs.a.value: is missing",
    f"{MINIMAL}, inputs: {{a: {{value: 1, path: x}}}}": "inputs.a.path: cannot go with value",
    f"{MINIMAL}, inputs: {{a: {{path: 'azureml:rwos:1'}}}}": "inputs.a.path: no asset is named 'rwos'",
    f"{MINIMAL}, inputs: {{a: 1}}, input_data: {{a: {{input_data: {{path: x}}}}}}": "inputs.a: is the name of",
    f"{MINIMAL}, input_data: {{a: {{}}}}": "input_data.a.input_data: is missing",
    f"{MINIMAL}, input_data: {{a: {{input_data: {{path: 'azureml:rwos:1'}}}}}}": "input_data.path: no asset is",
    f"{MINIMAL}, input_datasets: {{a: {{input_dataset: {{}}}}}}": "input_datasets.a.input_dataset.path: is missing",
    f"{MINIMAL}, production_data: {{}}": "production_data: unknown key",
    f"{MINIMAL}, connection: {{secrets: {{}}}}": "connection.secrets: unknown key",
    f"{MINIMAL}, connection: {{environment_variables: {{A: x}}, secret_config: {{A: B}}}}": "A: is in environ",
}


@pytest.mark.parametrize("keys", WRONG)
def test_what_is_wrong_is_said_at_its_key(root, keys):
    (said,) = complaints(root, keys)
    assert WRONG[keys] in said


def test_a_secret_that_is_written_down_is_refused_and_not_repeated(root):
    found = complaints(root, f"{MINIMAL}, connection: {{secret_config: {{A: 'sk-123 abc', B: MY_KEY}}}}")
    assert found == [
        "connection.secret_config.A: is not the name of an environment variable "
        "(keep the secret in driftline's environment, and give the name of its variable)"
    ]


def test_everything_wrong_is_said_at_once(root):
    found = complaints(
        root,
        "component_id: azureml:mien:1, metric_thresholds: {m: 1}, input_data: {a: {input_data: {path: azureml:x:1}}}, "
        "inputs: {b: {path: azureml:y:1}}",
    )
    assert [each.partition(":")[0] for each in found] == [
        "component_id",
        "input_data.a.input_data.path",
        "inputs.b.path",
    ]
