"""A definition that is written tidily means what it meant."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import Result

from engine.definitions import monitor_from
from engine.definitions.monitor_keys import Schedule
from engine.definitions.tidy import keys_of, tidy
from engine.errors import DefinitionError
from engine.monitor import Monitor
from jobs.tidy_yaml import yaml_text
from tests.engine.definition_samples import ADVANCED, ASSETS, COLLECTED, MODEL, OUT_OF_BOX, PERFORMANCE, SPELLINGS
from tests.engine.test_definitions_fuzz import VALUES, places

OTHERS = """
name: others
trigger: {type: cron, expression: 15 3 * * mon, time_zone: W. Europe Standard Time}
create_monitor:
  monitoring_target: {model_id: credit}
  monitoring_signals:
    top: {type: data_drift, features: {top_n_feature_importance: 3}}
    attribution:
      type: feature_attribution_drift
      reference_data: {target_column_name: DEFAULT_NEXT_MONTH, input_data: {path: azureml:truth@latest}}
      metric_thresholds: {normalized_discounted_cumulative_gain: 0.9}
    own:
      type: custom
      component_id: own:run
      input_data:
        production_data: {input_data: {path: azureml:truth:1}, data_window: {lookback_window_size: P7D}}
      inputs: {depth: 3, label: {type: literal, value: "3"}}
      connection: {environment_variables: {A: b}, secret_config: {C: D}}
      metric_thresholds:
        - {metric_name: deviation, threshold: 2}
        - {metric_name: other, threshold: 0.5, operator: less_than}
    tokens:
      type: generation_token_statistics
      production_data: {input_data: {path: azureml:truth:1}, data_column_names: {prompt_count: p, group: g}}
      metric_thresholds: {totaltoken: {total_token_count: 100}}
    answers:
      type: generation_safety_quality
      production_data:
        - input_data: {path: azureml:truth:1}
          data_column_names: {prompt_column: p, completion_column: c, context_column: x}
      scoring_component: own:run
      sampling_rate: 0.5
      metric_thresholds:
        groundedness: {aggregated_groundedness_pass_rate: 0.7, acceptable_groundedness_score_per_instance: 4}
        fluency: {aggregated_fluency_pass_rate: 0.8}
"""
COMPONENTS = """
components:
  - {name: production_data_preprocessing, version: 1.0.0, entry: own:run}
"""
SAMPLES = [yaml.safe_load(text) for text in (ADVANCED, COLLECTED, OUT_OF_BOX, PERFORMANCE, OTHERS)]
FLIGHTS = Path(__file__).parents[2] / "conf" / "monitors" / "flights.yaml"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("conf")
    (root / "models").mkdir()
    (root / "models" / "credit.yaml").write_text(MODEL)
    (root / "assets.yaml").write_text(ASSETS + COMPONENTS)
    (root / "own.py").write_text("def run(**given): ...\n")
    return root


def meaning(definition: dict[str, Any], root: Path) -> Monitor:
    """What is evaluated, without the digest of how it is written."""
    return replace(monitor_from(definition, root), config_hash="", path=None)


def tidied(definition: dict[str, Any]) -> str:
    return yaml_text(tidy(Schedule.model_validate(definition)))


@pytest.mark.parametrize("sample", [ADVANCED, COLLECTED, OUT_OF_BOX, PERFORMANCE, OTHERS])
def test_azure_s_examples_mean_the_same_when_they_are_tidy(root: Path, sample: str) -> None:
    definition = yaml.safe_load(sample)
    assert meaning(yaml.safe_load(tidied(definition)), root) == meaning(definition, root)


@given(st.data())
def test_whatever_can_be_read_is_the_same_when_it_is_tidy(root: Path, data: st.DataObject) -> None:
    definition = deepcopy(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(0, 2))):
        container, step = data.draw(st.sampled_from(places(definition)))
        container[step] = data.draw(VALUES)
    try:
        before = meaning(definition, root)
    except DefinitionError:
        return
    text = tidied(definition)
    assert meaning(yaml.safe_load(text), root) == before
    assert tidied(yaml.safe_load(text)) == text, "tidy is tidy"


@pytest.mark.parametrize("signal", [each for pair in SPELLINGS for each in pair])
def test_a_tidy_definition_has_canonical_words_only(signal: str) -> None:
    definition = {
        "name": "one",
        "trigger": {"type": "recurrence", "frequency": "day"},
        "create_monitor": {"monitoring_signals": {"signal": yaml.safe_load(signal)}},
    }
    found = yaml.safe_load(tidied(definition))
    assert [each.key for each in keys_of(Schedule.model_validate(found), found) if each.key != each.canonical] == []


def test_our_own_example_means_the_same() -> None:
    definition = yaml.safe_load(FLIGHTS.read_text())
    root = FLIGHTS.parent
    assert meaning(yaml.safe_load(tidied(definition)), root) == meaning(definition, root)


def test_a_tidy_file_is_one_that_a_person_would_have_written() -> None:
    assert tidied(SAMPLES[2]) == OUT_OF_BOX_TIDY


OUT_OF_BOX_TIDY = """\
name: credit_default_model_monitoring
display_name: Credit default model monitoring
description: Credit default model monitoring setup with minimal configurations

trigger:
  type: recurrence
  frequency: day
  schedule:
    hours: 3
    minutes: 15

create_monitor:
  monitoring_target:
    ml_task: classification
    endpoint_deployment_id: azureml:credit-default:main

  alert_notification:
    emails: [abc@example.com, def@example.com]
"""


@pytest.mark.parametrize(
    "value",
    ["yes", "3", "", " x", "a: b", "a #b", "- a", "[a", "{a", "a\nb", "\t", "é", "'", '"', "null", "*a", "az:a:1"],
)  # fmt: skip
def test_any_text_is_read_back_as_it_was(value: str) -> None:
    document = {"a": value, "b": [value, {}, []], "e": {}, "input_data": {"path": value}, value or "c": [{"d": value}]}
    assert yaml.safe_load(yaml_text(document)) == document


COMMENTED = """\
# what this is
name: a
description: "a # b" # what it does

# when
trigger: # daily
  # at night
  frequency: day   #   of the week
  type: recurrence
create_monitor:
  monitoring_signals:
    drift:
      type: data_drift
      features: [SEX, AGE] # two
      production_data:
        # a window
        - data_window:
            lookback_window_size: P3D # three days
      metric_thresholds:
        numerical:
          psi: 0.1 # strict
      explain_by:
        - state # where
        - year
# the end
"""
COMMENTED_TIDY = """\
# what this is
name: a
description: 'a # b' # what it does

# when
trigger: # daily
  type: recurrence
  # at night
  frequency: day #   of the week

create_monitor:
  monitoring_signals:
    drift:
      type: data_drift
      production_data:
        # a window
        data_window:
          lookback_window_size: P3D # three days
      explain_by:
        - state # where
        - year
      features: [SEX, AGE] # two
      metric_thresholds:
        numerical:
          population_stability_index: 0.1 # strict
# the end
"""


def test_comments_come_along_with_their_keys(driftline: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "credit.yaml").write_text(MODEL)
    (tmp_path / "assets.yaml").write_text(ASSETS)
    source = tmp_path / "source.yaml"
    target = "  monitoring_target: {model_id: credit}\n"
    source.write_text(COMMENTED.replace("  monitoring_signals", f"{target}  monitoring_signals"))
    result = driftline("import", "azure", source)
    assert result.exit_code == 0, result.output
    _, text = result.stdout.split("\n", 1)
    assert text.replace("  monitoring_target:\n    model_id: credit\n\n", "") == COMMENTED_TIDY
