"""How the signals of a generating model are written, in Azure's spellings, and what is said where they are wrong."""

from pathlib import Path

import pytest
import yaml

from engine.errors import DefinitionError
from engine.monitor import Component, LookbackWindow, Monitor, Signal
from signals.catalogue import Family, metrics_of
from signals.thresholds import FixedThreshold, Operator

ONE = "input_data: {path: rows}"
TOKENS = f"type: generation_token_statistics, production_data: {{{ONE}}}"
QUALITY = f"type: generation_safety_quality, production_data: {{{ONE}}}, scoring_component: 'mine:run'"
AZURES = """
type: generation_safety_quality
alert_enabled: true
production_data:
  - input_data: {path: inputs, type: mltable}
    data_window_size: P7D
    data_column_names: {correlation_id: inference_correlation_id, prompt_column: question}
  - input_data: {path: outputs, type: mltable}
    data_window_size: P7D
    data_column_names: {completion_column: answer, correlation_id: inference_correlation_id}
workspace_connection_id: fake_workspace_connection_id
sampling_rate: 0.5
scoring_component: mine:run
metric_thresholds:
  groundedness: {aggregated_groundedness_pass_rate: 0.01, acceptable_groundedness_score_per_instance: 4}
  fluency: {aggregated_fluency_pass_rate: 0.02}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text("def run(): ...")
    return tmp_path


def signal(root: Path, keys: str) -> Signal:
    written = yaml.safe_load(keys if keys.startswith("\n") else f"{{{keys}}}")
    trigger = {"type": "recurrence", "frequency": "day", "interval": 1}
    body = {"monitoring_signals": {"s": written}, "monitoring_target": {"ml_task": "question_answering"}}
    return Monitor.from_dict({"name": "lab", "trigger": trigger, "create_monitor": body}, root).signals[0]


def complaints(root: Path, keys: str) -> list[str]:
    with pytest.raises(DefinitionError) as raised:
        signal(root, keys)
    prefix = "definition: create_monitor.monitoring_signals.s."
    return [str(problem).removeprefix(prefix) for problem in raised.value.problems]


def test_every_token_count_is_recorded_and_those_with_a_threshold_are_judged(root):
    found = signal(root, f"{TOKENS}, metric_thresholds: {{totaltoken: {{total_token_count: 0, avg_prompt_count: 9}}}}")
    assert [each.metric for each in found.metrics] == [each.name for each in metrics_of(Family.TOKENS)]
    judged = {each.metric: each.threshold for each in found.metrics if each.threshold}
    assert judged == {
        "total_token_count": FixedThreshold(0.0, Operator.GREATER_THAN),
        "average_prompt_count": FixedThreshold(9.0, Operator.GREATER_THAN),
    }
    assert not any(each.threshold for each in signal(root, TOKENS).metrics)


def test_the_columns_of_counts_have_the_names_of_both_spellings(root):
    for names in (
        "prompt_tokens: p, completion_tokens: c, total_tokens: t",
        "prompt_count: p, completion_count: c, total_count: t",
    ):
        found = signal(root, TOKENS.replace(ONE, f"{ONE}, data_column_names: {{{names}, group: g, timestamp: at}}"))
        columns = {"prompt_tokens": "p", "completion_tokens": "c", "total_tokens": "t", "group": "g"}
        assert found.generation.columns == columns
        assert found.production[0].columns.timestamp == "at"


def test_azures_example_reads_once_it_says_who_scores(root):
    found = signal(root, AZURES)
    assert found.generation.component == Component("mine:run", root, "mine", "run")
    assert found.generation.columns == {"prompt": "question", "completion": "answer"}
    assert found.generation.sampling_rate == 0.5
    assert [data.window for data in found.production] == [LookbackWindow("P7D", "P0D")] * 2
    assert {each.metric: each.threshold for each in found.metrics} == {
        "aggregated_groundedness_pass_rate": FixedThreshold(0.01, Operator.LESS_THAN),
        "aggregated_fluency_pass_rate": FixedThreshold(0.02, Operator.LESS_THAN),
    }
    assert found.generation.acceptable == {
        "aggregated_groundedness_pass_rate": 4.0, "aggregated_fluency_pass_rate": 3.0
    }  # fmt: skip


FLUENCY = "metric_thresholds: {fluency: {aggregated_fluency_pass_rate: 0.7}}"
WRONG = {
    f"{QUALITY}, metric_thresholds: {{}}": "metric_thresholds: names no quality (one of: groundedness, relevance",
    QUALITY: "metric_thresholds: is missing",
    f"{QUALITY.partition(', scoring')[0]}, {FLUENCY}": "scoring_component: is missing (name the",
    f"{QUALITY.replace('run', 'rum')}, {FLUENCY}": "has no function 'rum' (did you mean run?)",
    f"{QUALITY}, {FLUENCY}, sampling_rate: 0": "sampling_rate: 0 is not above 0 and at most 1",
    f"{QUALITY}, {FLUENCY}, sampling_rate: 1.1": "sampling_rate: 1.1 is not above 0",
    f"{QUALITY}, {FLUENCY.replace('aggregated_fluency', 'aggregated_relevance')}": "is of relevance (write it under",
    f"{QUALITY}, {FLUENCY.replace('0.7', 'x')}": "fluency.aggregated_fluency_pass_rate",
    f"{QUALITY}, {FLUENCY.replace('fluency:', 'flueny:')}": "metric_thresholds.flueny: unknown key (did you mean",
    f"{TOKENS}, metric_thresholds: {{totaltoken: {{total_tokn_count: 1}}}}": "did you mean total_token_count?",
    f"{TOKENS}, metric_thresholds: {{totaltoken: {{accuracy: 1}}}}": "accuracy is a classification metric",
    f"{TOKENS}, reference_data: {{}}": "reference_data: unknown key",
    TOKENS.replace(ONE, ""): "production_data.input_data: is missing",
    TOKENS.replace(ONE, f"{ONE}, data_column_names: {{promt_tokens: p}}"): "unknown key (did you mean prompt_tokens?)",
}


@pytest.mark.parametrize("keys", WRONG)
def test_what_is_wrong_is_said_at_its_key(root, keys):
    (said,) = complaints(root, keys)
    assert WRONG[keys] in said


def test_several_datasets_need_what_they_are_joined_by(root):
    keys = f"type: generation_token_statistics, production_data: [{{{ONE}}}, {{input_data: {{path: b}}}}]"
    assert [each.partition(":")[0] for each in complaints(root, keys)] == [
        f"production_data[{place}].data_column_names.correlation_id" for place in (0, 1)
    ]
