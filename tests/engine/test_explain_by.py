"""How the dimensions of an explanation are written."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from engine.definitions import json_schema, monitor_from
from engine.errors import DefinitionError
from engine.monitor import Signal


def signal(explain_by: str, kind: str = "data_drift") -> Signal:
    definition = yaml.safe_load(f"""
        name: m
        trigger: {{type: recurrence, frequency: day}}
        create_monitor:
          monitoring_signals:
            s:
              type: {kind}
              production_data:
                input_data: {{path: in}}
                data_column_names: {{timestamp: at, prediction: said, actual: really}}
              explain_by: {explain_by}
        """)
    return monitor_from(definition, Path("/nowhere")).signals[0]


@pytest.mark.parametrize("kind", ["data_drift", "data_quality", "prediction_drift"])
@pytest.mark.parametrize(("written", "meant"), [("origin", ("origin",)), ("[origin, carrier]", ("origin", "carrier"))])
def test_a_signal_is_explained_by_one_column_or_several(kind: str, written: str, meant: tuple[str, ...]) -> None:
    assert signal(written, kind).explain_by == meant


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("[a, b, a]", "'a' is listed twice"),
        ("[]", "is empty"),
        ("[1]", "[0]: 1 is not text"),
        ("{a: b}", "not"),
    ],
)
def test_what_is_wrong_with_dimensions_is_said(written: str, problem: str) -> None:
    with pytest.raises(DefinitionError) as error:
        signal(written)
    assert "monitoring_signals.s.explain_by" in str(error.value)
    assert problem in str(error.value)


def test_performance_is_not_explained_by_columns() -> None:
    with pytest.raises(DefinitionError, match=r"explain_by: unknown key"):
        signal("origin", "model_performance")


def test_editors_know_the_key() -> None:
    assert '"explain_by"' in str(json_schema()).replace("'", '"')
