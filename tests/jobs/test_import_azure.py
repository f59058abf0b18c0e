"""`driftline import azure`: Azure's own files in, files that mean the same out, and a report of every line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from typer.testing import Result

from engine.definitions import load_monitor
from engine.monitor import Monitor
from jobs.azure_keys import AZURE_KEYS, METRICS_IN_AZURE
from signals.catalogue import find_metric
from tests.engine.definition_samples import OUT_OF_BOX
from tests.seeds.sdk_runs import SNIPPETS, dumped, words

Driftline = Callable[..., Result]

SEEDS = {
    "out-of-box": OUT_OF_BOX,
    "out-of-box-sdk": "out-of-box",
    "advanced-sdk": "advanced",
    "performance": (SNIPPETS / "model-performance.yaml").read_text(),
    "performance-sdk": "model-performance",
    "collected-sdk": "collected-data",
    "custom": (SNIPPETS / "custom-signal.yaml").read_text(),
}
"""The seed's examples: YAML, or the name of a snippet that the SDK dumps."""


def written(folder: Path, seed: str) -> Path:
    text = SEEDS[seed]
    file = folder / f"{seed}.yaml"
    file.write_text(text if "\n" in text else dumped(text))
    return file


def pasted(report: str, root: Path) -> None:
    """Do as the report says: paste every snippet into its file, and write the functions that are named."""
    for part in re.split(r"^missing in ", report, flags=re.MULTILINE)[1:]:
        file, text = part.split(":\n", 1)
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.strip() + "\n")
        for module, function in re.findall(r"entry: (\w+):(\w+)", text):
            (path.parent / "components").mkdir(exist_ok=True)
            (path.parent / "components" / f"{module}.py").write_text(f"def {function}(**given): ...\n")


def meaning(file: Path) -> Monitor:
    return replace(load_monitor(file), config_hash="", path=None)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_example_is_imported_and_means_the_same(driftline: Driftline, tmp_path: Path, seed: str) -> None:
    source = written(tmp_path, seed)
    first = driftline("import", "azure", source, "--out", "conf/monitors")
    assert first.exit_code == 0, first.output
    pasted(first.stdout, tmp_path)
    (tidy,) = (tmp_path / "conf" / "monitors").iterdir()
    beside = tidy.with_name("source.yaml")
    beside.write_text(source.read_text())  # where the names mean the same
    assert meaning(tidy) == meaning(beside)
    beside.unlink()
    assert driftline("validate", "conf").exit_code == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_comments_on_every_line_change_nothing_and_come_once(driftline: Driftline, tmp_path: Path, seed: str) -> None:
    source = written(tmp_path, seed)
    plain = yaml.safe_load(driftline("import", "azure", source).stdout)
    lines = [re.sub(r"\s+#.*", "", line) for line in source.read_text().splitlines() if line.strip()]
    source.write_text("\n".join(f"# above {n}.\n{line} # beside {n}." for n, line in enumerate(lines)))
    text = driftline("import", "azure", source).stdout
    assert yaml.safe_load(text) == plain
    said = re.findall(r"# \w+ \d+\.", text)
    assert len(said) == len(set(said))
    kept = [n for n, line in enumerate(lines) if re.match(r"\s*(- )?(name|hours|emails|path|metric_name|type):", line)]
    assert {f"# beside {n}." for n in kept} <= set(said)


def test_every_key_of_the_source_is_told_with_its_line(driftline: Driftline, tmp_path: Path) -> None:
    source = written(tmp_path, "performance")
    result = driftline("import", "azure", source, "--format", "json")
    (schedule,) = json.loads(result.stdout)["schedules"]
    lines = source.read_text().splitlines()
    told = {line["line"]: line for line in schedule["lines"] if line["line"]}
    assert set(told) == {number for number, line in enumerate(lines, 1) if re.match(r"\s*[$\w]+:", line)}
    assert all(lines[number - 1].strip().startswith(f"{line['key'][-1]}:") for number, line in told.items())


def told(driftline: Driftline, source: Path) -> dict[str, tuple[str, str | None]]:
    result = driftline("import", "azure", source, "--format", "json")
    assert result.exit_code == 0, result.output
    (schedule,) = json.loads(result.stdout)["schedules"]
    return {".".join(map(str, line["key"])): (line["understood"], line["azure"]) for line in schedule["lines"]}


def test_what_is_understood_is_said_in_our_words(driftline: Driftline, tmp_path: Path) -> None:
    lines = told(driftline, written(tmp_path, "performance-sdk"))
    signal = "create_monitor.monitoring_signals.model_performance"
    assert lines["trigger"][0] == "every day at 03:15 UTC"
    assert lines[f"{signal}.production_data.data_column_names.target_column"][0] == "prediction: DEFAULT_NEXT_MONTH"
    assert lines[f"{signal}.reference_data.data_column_names.target_column"][0] == "actual: ground_truth"
    understood, azure = lines[f"{signal}.metric_thresholds.classification.accuracy"]
    assert understood == "breach when < 0.5"
    assert azure
    assert "inner join" in azure
    assert lines["create_monitor.compute.instance_type"][0] == "left out"


def test_what_an_alias_repeats_is_told_at_the_alias(driftline: Driftline, tmp_path: Path) -> None:
    window = "data_window: &week {lookback_window_size: P7D}"
    first, second = DRIFT.replace("}}\n      reference", f"}}, {window}}}\n      reference", 1).split("    quality:")
    second = second.replace("{path: data/in}}", "{path: data/in}, data_window: *week}")
    source = _schedule(tmp_path, f"{first}    quality:{second}")
    result = driftline("import", "azure", source, "--format", "json")
    (schedule,) = json.loads(result.stdout)["schedules"]
    lines = source.read_text().splitlines()
    found = [lines[line["line"] - 1] for line in schedule["lines"] if line["key"][-1] == "lookback_window_size"]
    assert ["&week" in found[0], "*week" in found[1]] == [True, True]
    assert schedule["yaml"].count("data_window: {lookback_window_size: P7D}") == 2


def test_what_is_not_written_is_said_too(driftline: Driftline, tmp_path: Path) -> None:
    lines = told(driftline, written(tmp_path, "performance"))
    signal = "create_monitor.monitoring_signals.fraud_detection_model_performance"
    assert lines[f"{signal}.production_data.data_window"][0] == "P7D, up to the scheduled time"
    assert f"{signal}.alert_enabled" in lines
    assert f"{signal}.features" not in lines, "performance has no features"
    plain = told(driftline, written(tmp_path, "out-of-box"))
    assert plain["create_monitor.monitoring_signals"][0].startswith("data_drift, prediction_drift, data_quality")


def test_thresholds_are_said_as_they_judge(driftline: Driftline, tmp_path: Path) -> None:
    lines = told(driftline, _schedule(tmp_path, DRIFT))
    thresholds = "create_monitor.monitoring_signals.drift.metric_thresholds"
    assert lines[f"{thresholds}.categorical.chi_squared_test"][0] == (
        "pearsons_chi_squared_test: breach when p-value < 0.02"
    )
    assert lines[f"{thresholds}.numerical.jensen_shannon_distance"][0] == "breach when > 0.01"
    quality = "create_monitor.monitoring_signals.quality.metric_thresholds.numerical.null_value_rate"
    assert "relative_to: baseline" in str(lines[quality][1])
    alerts = "create_monitor.monitoring_signals.drift.alert_enabled"
    assert lines[alerts] == ("false: there is no alert_notification", None)
    heard = told(driftline, _schedule(tmp_path, DRIFT + "  alert_notification: {emails: [a@b.c]}\n"))
    assert heard[alerts] == ("true: there is an alert_notification", "false")


def test_what_azure_does_otherwise_is_said_where_it_is_seen(driftline: Driftline, tmp_path: Path) -> None:
    calm = told(driftline, _schedule(tmp_path, DRIFT))
    thresholds = "create_monitor.monitoring_signals.drift.metric_thresholds"
    assert calm[thresholds][1] is None
    assert calm["trigger.interval"][1], "it is 2"
    for other in ("{jensen_shannon_distance: 0}", "{jensen_shannon_distance: 0.01, psi: 0.1}"):
        text = DRIFT.replace("{jensen_shannon_distance: 0.01}", other).replace("interval: 2", "interval: 1")
        lines = told(driftline, _schedule(tmp_path, text))
        assert "drops a threshold of 0" in str(lines[thresholds][1])
        assert lines["trigger.interval"][1] is None
    trigger = "trigger: {{type: cron, expression: '{}'}}"
    start, end = DRIFT.index("trigger:"), DRIFT.index("create_monitor")
    for expression, seen in (("15 3 * * 1", False), ("15 3 1 * *", True)):
        text = DRIFT[:start] + trigger.format(expression) + "\n" + DRIFT[end:]
        assert bool(told(driftline, _schedule(tmp_path, text))["trigger.expression"][1]) is seen


DRIFT = """
name: drifting
trigger: {type: Recurrence, frequency: Week, interval: 2, schedule: {hours: [], minutes: []}}
create_monitor:
  monitoring_signals:
    drift:
      type: data_drift
      production_data: {input_data: {path: data/in, type: uri_folder}}
      reference_data: {input_data: {path: data/train}, data_context: training}
      metric_thresholds:
        numerical: {jensen_shannon_distance: 0.01}
        categorical: {chi_squared_test: 0.02}
    quality:
      type: data_quality
      production_data: {input_data: {path: data/in}}
      metric_thresholds: {numerical: {null_value_rate: 0.05}}
"""


def _schedule(folder: Path, text: str) -> Path:
    (folder / "azure").mkdir(exist_ok=True)
    path = folder / "azure" / "schedule.yaml"
    path.write_text(text)
    return path


def test_relative_paths_lead_to_the_same_files(driftline: Driftline, tmp_path: Path) -> None:
    source = _schedule(tmp_path, DRIFT)
    assert driftline("import", "azure", source, "--out", "conf/monitors").exit_code == 0
    tidy = tmp_path / "conf" / "monitors" / "drifting.yaml"
    assert "path: ../../azure/data/in" in tidy.read_text()
    assert meaning(tidy) == meaning(source)


def test_editors_find_the_schema_from_the_file(driftline: Driftline, tmp_path: Path) -> None:
    driftline("import", "azure", _schedule(tmp_path, DRIFT), "--out", "conf/monitors")
    first = (tmp_path / "conf" / "monitors" / "drifting.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../schema.json"


def test_without_a_folder_the_file_is_all_that_is_on_stdout(driftline: Driftline, tmp_path: Path) -> None:
    result = driftline("import", "azure", _schedule(tmp_path, DRIFT))
    (tmp_path / "piped.yaml").write_text(result.stdout)
    assert load_monitor(tmp_path / "piped.yaml").name == "drifting"
    assert "understood as" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["azure", "piped.yaml"], "nothing else is written"


def test_nothing_is_overwritten_unless_it_is_said(driftline: Driftline, tmp_path: Path) -> None:
    source = _schedule(tmp_path, DRIFT)
    there = tmp_path / "out" / "drifting.yaml"
    there.parent.mkdir()
    there.write_text("mine\n")
    refused = driftline("import", "azure", source, "--out", "out")
    assert refused.exit_code == 2
    assert "is there already" in refused.stdout
    assert there.read_text() == "mine\n"
    assert driftline("import", "azure", source, "--out", "out", "--force").exit_code == 0
    assert there.read_text() != "mine\n"


def test_what_names_are_looked_up_in_has_to_be_right(driftline: Driftline, tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "assets.yaml").write_text("assets: [{name: a}]")
    result = driftline("import", "azure", _schedule(tmp_path, DRIFT), "--out", "conf/monitors")
    assert result.exit_code == 2
    assert "assets.yaml" in result.stderr
    assert not (tmp_path / "conf" / "monitors").exists()


def test_names_that_are_known_need_nothing(driftline: Driftline, tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "assets.yaml").write_text("assets: [{name: known, version: 1, path: x}]")
    text = DRIFT.replace("path: data/in, type", "path: azureml:known:1, type").replace("data/train", "azureml:other:7")
    result = driftline("import", "azure", _schedule(tmp_path, text), "--format", "json")
    (schedule,) = json.loads(result.stdout)["schedules"]
    assert schedule["missing"] == {"assets.yaml": OTHER}


OTHER = """\
assets:
  - name: other
    version: 7
    type: uri_folder
    path: ../data/other
"""


WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"


@pytest.mark.parametrize(
    ("written", "short"),
    [
        (f"azureml:{WORKSPACE}/data/known/versions/3", "azureml:known:3"),
        (f"{WORKSPACE}/data/known/versions/3", "azureml:known:3"),
        ("azureml://registries/r/data/known/versions/3", "azureml:known:3"),
        ("azureml:known:3", "azureml:known:3"),
        ("azureml:known@latest", "azureml:known@latest"),
    ],
)
def test_a_resource_id_of_azure_s_becomes_a_name(
    driftline: Driftline, tmp_path: Path, written: str, short: str
) -> None:
    text = DRIFT.replace("data/train", written)
    result = driftline("import", "azure", _schedule(tmp_path, text))
    assert f"path: {short}}}" in result.stdout


def test_a_deployment_s_resource_id_becomes_a_name(driftline: Driftline, tmp_path: Path) -> None:
    text = OUT_OF_BOX.replace("azureml:credit-default:main", f"{WORKSPACE}/onlineEndpoints/credit/deployments/blue")
    result = driftline("import", "azure", _schedule(tmp_path, text))
    assert "endpoint_deployment_id: azureml:credit:blue" in result.stdout


def test_a_datastore_s_address_is_a_problem_and_not_a_name(driftline: Driftline, tmp_path: Path) -> None:
    address = "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/x/"
    result = driftline(
        "import", "azure", _schedule(tmp_path, DRIFT.replace("data/train", address).replace("data/in", "azureml:a:1"))
    )
    assert result.exit_code == 2
    assert address in result.stderr


def test_two_schedules_of_one_name_are_not_one_file(driftline: Driftline, tmp_path: Path) -> None:
    source = _schedule(tmp_path, DRIFT)
    other = tmp_path / "other.yaml"
    other.write_text(DRIFT)
    result = driftline("import", "azure", source, other, "--out", "out", "--force")
    assert result.exit_code == 2
    assert "is in" in result.stdout


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (DRIFT.replace("jensen_shannon_distance", "jensen_shanon_distance"), "did you mean jensen_shannon_distance?"),
        (DRIFT.replace("production_data", "target_data", 1), "unknown key"),
        (DRIFT.replace("[], minutes: []", "99, minutes: 0"), "99 must be 23 or less"),
        (DRIFT.replace("create_monitor", "create_job"), "is a schedule of a job"),
        ("properties: {action: {actionType: CreateMonitor}}", "az ml schedule show -n NAME -o yaml"),
        ("name: [", "is not YAML"),
        (DRIFT.replace("      production_data: {input_data: {path: data/in, type: uri_folder}}\n", ""), "input_data"),
    ],
)
def test_a_problem_is_told_and_nothing_of_that_file_is_written(
    driftline: Driftline, tmp_path: Path, text: str, sentence: str
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(text)
    result = driftline("import", "azure", broken, written(tmp_path, "out-of-box"), "--out", "conf/monitors")
    assert result.exit_code == 2
    assert sentence in result.stdout
    assert [path.name for path in (tmp_path / "conf" / "monitors").iterdir()] == [
        "credit_default_model_monitoring.yaml"
    ]


def test_json_that_the_command_line_of_azure_shows_is_read(driftline: Driftline, tmp_path: Path) -> None:
    shown = {
        "id": "/subscriptions/s/resourceGroups/g/providers/x/schedules/shown",
        "name": "shown",
        "is_enabled": True,
        "creation_context": {"created_by": "me"},
        "provisioning_state": "Succeeded",
        "properties": {},
        "tags": {},
        "trigger": {"type": "cron", "expression": "15 3 * * *", "time_zone": "W. Europe Standard Time"},
        "create_monitor": {
            "compute": {"instance_type": "standard_e4s_v3", "runtime_version": "3.4"},
            "monitoring_target": {"ml_task": "Classification", "endpoint_deployment_id": "azureml:a:b"},
        },
    }
    file = tmp_path / "shown.json"
    file.write_text(json.dumps(shown, indent=2))
    result = driftline("import", "azure", file)
    assert result.exit_code == 0, result.output
    assert result.stdout == SHOWN


SHOWN = """\
# yaml-language-server: $schema=../schema.json
name: shown

trigger:
  type: cron
  time_zone: Europe/Berlin
  expression: 15 3 * * *

create_monitor:
  monitoring_target:
    ml_task: classification
    endpoint_deployment_id: azureml:a:b
"""

BLOCKS = {
    "MonitorScheduleSchema": "schedule",
    "RecurrenceTriggerSchema": "trigger",
    "CronTriggerSchema": "trigger",
    "RecurrencePatternSchema": "pattern",
    "MonitorDefinitionSchema": "create_monitor",
    "ServerlessSparkComputeSchema": "compute",
    "MonitoringTargetSchema": "monitoring_target",
    "AlertNotificationSchema": "alert_notification",
    "DataDriftSignalSchema": "signal",
    "DataQualitySignalSchema": "signal",
    "PredictionDriftSignalSchema": "signal",
    "FeatureAttributionDriftSignalSchema": "signal",
    "ModelPerformanceSignalSchema": "signal",
    "CustomMonitoringSignalSchema": "signal",
    "GenerationSafetyQualitySchema": "signal",
    "GenerationTokenStatisticsSchema": "signal",
    "MonitorFeatureFilterSchema": "features",
    "DataSegmentSchema": "data_segment",
    "ConnectionSchema": "connection",
    "ProductionDataSchema": "data",
    "ReferenceDataSchema": "data",
    "FADProductionDataSchema": "data",
    "LlmDataSchema": "data",
    "DataInputSchema": "input_data",
    "MLTableInputSchema": "input_data",
    "BaselineDataRangeSchema": "data_window",
    "DataDriftMetricThresholdSchema": "metric_thresholds",
    "DataQualityMetricThresholdSchema": "metric_thresholds",
    "PredictionDriftMetricThresholdSchema": "metric_thresholds",
    "FeatureAttributionDriftMetricThresholdSchema": "metric_thresholds",
    "ModelPerformanceMetricThresholdSchema": "metric_thresholds",
    "CustomMonitoringMetricThresholdSchema": "metric_thresholds",
    "GenerationSafetyQualityMetricThresholdSchema": "metric_thresholds",
    "GenerationTokenStatisticsMonitorMetricThresholdSchema": "metric_thresholds",
}
"""Where each of Azure's schemas stands in our table."""
METRIC_SCHEMAS = (
    "NumericalDriftMetricsSchema",
    "CategoricalDriftMetricsSchema",
    "DataQualityMetricsNumericalSchema",
    "DataQualityMetricsCategoricalSchema",
    "ModelPerformanceClassificationThresholdsSchema",
    "ModelPerformanceRegressionThresholdsSchema",
)
RECORDS = {"CreationContextSchema"}
"""What Azure writes about a schedule, and nobody into one."""


def test_every_key_of_azure_s_schema_is_in_the_table() -> None:
    known = {block: set(keys) for block, keys in AZURE_KEYS.items()}
    for schema, block in BLOCKS.items():
        keys = {"$schema" if key == "schema_ignored" else key for key in words()[schema]}
        assert keys - set(METRICS_IN_AZURE) <= known[block], schema
    assert set(words()) == {*BLOCKS, *METRIC_SCHEMAS, *RECORDS}


@pytest.mark.parametrize("schema", METRIC_SCHEMAS)
def test_of_every_metric_of_azure_s_it_is_said_what_is_another_number(schema: str) -> None:
    for name in words()[schema]:
        found = find_metric(name)
        assert found, name
        assert METRICS_IN_AZURE[found.name]
