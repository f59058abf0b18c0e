"""When does a definition count as the same?"""

import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.definitions import monitor_from
from tests.engine.definition_samples import ASSETS, DAILY, MODEL

DEFINITION: dict[str, Any] = yaml.safe_load(
    "name: m\n"
    + DAILY
    + """
tags: {a: 1, b: 2}
create_monitor:
  monitoring_target: {model_id: credit}
  monitoring_signals:
    drift:
      type: data_drift
      features: [x, y]
      filters: [{feature: state, value: CA}]
      metric_thresholds: {numerical: {psi: 0.1, ks: null}, features: {x: {psi: 1}, y: {js: {low: 0, high: 1}}}}
    performance:
      type: model_performance
      production_data: {data_column_names: {score: null}, data_window: {lookback_window_size: P2D}}
      metric_thresholds: {classification: {accuracy: 0.5, recall: {threshold: 0.1, operator: '<'}}}
"""
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("conf"))


def write(root: Path, model: str = MODEL, assets: str = ASSETS) -> Path:
    (root / "models").mkdir(parents=True)
    (root / "models" / "credit.yaml").write_text(model)
    (root / "assets.yaml").write_text(assets)
    return root


def shuffled(value: Any, dice: random.Random) -> Any:
    if isinstance(value, dict):
        return {key: shuffled(value[key], dice) for key in dice.sample(list(value), len(value))}
    return [shuffled(item, dice) for item in value] if isinstance(value, list) else value


@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(root: Path, dice: random.Random) -> None:
    written = yaml.safe_dump(shuffled(DEFINITION, dice), sort_keys=False)
    assert monitor_from(yaml.safe_load(written), root).config_hash == monitor_from(DEFINITION, root).config_hash


def test_where_the_files_are_does_not_matter(root: Path, tmp_path: Path) -> None:
    moved = write(tmp_path / "elsewhere")
    assert monitor_from(DEFINITION, moved).config_hash == monitor_from(DEFINITION, root).config_hash


CHANGES = {
    "a threshold": "drift.metric_thresholds.numerical.psi: 0.2",
    "a threshold of nothing": "drift.metric_thresholds.numerical.psi: null",
    "a role of nothing": "performance.production_data.data_column_names.score: p",
    "a filter": "drift.filters: [{feature: state, value: NY}]",
    "a filter's operator": "drift.filters: [{feature: state, operator: not_equals, value: CA}]",
    "a segment": "drift.data_segment: {feature_name: state, feature_values: [CA]}",
    "the order of features": "drift.features: [y, x]",
    "a window": "performance.production_data.data_window.lookback_window_size: P3D",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_said_matters(root: Path, change: str) -> None:
    changed = yaml.safe_load(yaml.safe_dump(DEFINITION))
    ((path, value),) = yaml.safe_load(change).items()
    *way, last = path.split(".")
    block = changed["create_monitor"]["monitoring_signals"]
    for step in way:
        block = block[step]
    block[last] = value
    assert monitor_from(changed, root).config_hash != monitor_from(DEFINITION, root).config_hash


def test_the_model_and_the_assets_that_are_used_matter_and_others_do_not(root: Path, tmp_path: Path) -> None:
    reference = monitor_from(DEFINITION, root).config_hash
    other_model = write(tmp_path / "model", model=MODEL.replace("path: ../data/in", "path: ../data/inputs"))
    other_asset = write(tmp_path / "asset", assets=ASSETS.replace("truth-2", "truth-two"))
    other_version = write(tmp_path / "version", assets=ASSETS.replace("truth-1", "truth-one"))
    assert monitor_from(DEFINITION, other_model).config_hash != reference
    assert monitor_from(DEFINITION, other_asset).config_hash != reference
    assert monitor_from(DEFINITION, other_version).config_hash == reference
