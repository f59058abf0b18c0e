"""Whatever is written, the answer is a monitor or a list of problems."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.definitions import load_monitor, monitor_from
from engine.errors import DefinitionError, Problem
from engine.monitor import Monitor, Signal
from tests.engine.definition_samples import ADVANCED, ASSETS, COLLECTED, COMPONENTS, MODEL, OUT_OF_BOX, PERFORMANCE

SAMPLES = [yaml.safe_load(text) for text in (ADVANCED, COLLECTED, COMPONENTS, OUT_OF_BOX, PERFORMANCE)]
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates() | st.datetimes()
    | st.sampled_from(["P1D", "azureml:truth:1", "default", "day", "data_drift", "", "azureml:"])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("conf")
    (root / "models").mkdir()
    (root / "models" / "credit.yaml").write_text(MODEL)
    (root / "assets.yaml").write_text(f"{ASSETS}components: [{{name: mine, version: 1, entry: 'mine:run'}}]")
    (root / "mine.py").write_text("def run(): ...")
    return root


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container with a key or place of it."""
    found: list[tuple[Any, Any]] = []
    steps = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for step in steps:
        found += [(value, step), *places(value[step])]
    return found


def outcome(read: Callable[[], Monitor]) -> tuple[Signal, ...] | tuple[Problem, ...]:
    """The signals, or the problems."""
    try:
        return read().signals
    except DefinitionError as error:
        return error.problems


@given(st.data())
def test_a_definition_with_anything_in_any_place_never_crashes(root: Path, data: st.DataObject) -> None:
    definition = deepcopy(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(1, 3))):
        container, step = data.draw(st.sampled_from(places(definition)))
        container[step] = data.draw(VALUES)
    assert outcome(lambda: monitor_from(definition, root))


@given(
    st.sampled_from([ADVANCED, COMPONENTS, PERFORMANCE]),
    st.integers(0, 2000),
    st.text("{}[]:,-&*!|>'\"%@`#? \n\tab", max_size=4),
)
def test_a_file_with_anything_between_its_letters_never_crashes(root: Path, text: str, place: int, noise: str) -> None:
    path = root / "noisy.yaml"
    path.write_text(text[:place] + noise + text[place:], encoding="utf-8")
    assert outcome(lambda: load_monitor(path))
