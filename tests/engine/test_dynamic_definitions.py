"""How a dynamic threshold is written, what it then means, and what is said where it means nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.definitions import json_schema, monitor_from
from engine.errors import DefinitionError
from engine.monitor import Monitor
from signals.thresholds import DynamicThreshold, FixedThreshold, Operator, RangeThreshold, Threshold
from signals.usual import SpreadMethod

ABOVE, BELOW = Operator.GREATER_THAN, Operator.LESS_THAN
DAILY = "{type: recurrence, frequency: day}"
DRIFT = ("data_drift", "numerical", "jensen_shannon_distance")


def definition(threshold: str, metric: tuple[str, str, str] = DRIFT, trigger: str = DAILY) -> dict[str, Any]:
    kind, block, name = metric
    return yaml.safe_load(f"""
        name: m
        trigger: {trigger}
        create_monitor:
          monitoring_signals:
            s:
              type: {kind}
              production_data:
                input_data: {{path: in}}
                data_column_names: {{timestamp: at, prediction: said, actual: really}}
              metric_thresholds: {{{block}: {{{name}: {threshold}}}}}
        """)


def monitor(threshold: str, *how: Any) -> Monitor:
    return monitor_from(definition(threshold, *how), Path("/nowhere"))


def read(threshold: str, *how: Any) -> Threshold | None:
    return monitor(threshold, *how).signals[0].metrics[0].threshold


def problems(threshold: str, *how: Any) -> list[str]:
    with pytest.raises(DefinitionError) as error:
        monitor(threshold, *how)
    start = "definition: create_monitor.monitoring_signals.s.metric_thresholds"
    return [str(problem).removeprefix(start).lstrip(".") for problem in error.value.problems]


@pytest.mark.parametrize("written", ["{dynamic: true}", "{dynamic: 'True'}", "{dynamic: {}}"])
def test_in_short_it_has_every_default(written: str) -> None:
    assert read(written) == DynamicThreshold(
        ABOVE, SpreadMethod.STANDARD_DEVIATION, k=2, lookback=timedelta(days=14), min_points=5
    )


def test_every_key_of_it_is_read() -> None:
    written = "{dynamic: {method: median_absolute_deviation, k: 3.5, lookback: P28D, min_points: 9}, operator: '<'}"
    assert read(written) == DynamicThreshold(
        BELOW, SpreadMethod.MEDIAN_ABSOLUTE_DEVIATION, k=3.5, lookback=timedelta(days=28), min_points=9
    )


def test_the_methods_have_short_names() -> None:
    found = [read(f"{{dynamic: {{method: {name}}}}}") for name in ("std", "MAD")]
    assert [each.method for each in found if isinstance(each, DynamicThreshold)] == list(SpreadMethod)


@pytest.mark.parametrize("written", ["{dynamic: false}", "{dynamic: null}", "{}"])
def test_switched_off_nothing_is_judged(written: str) -> None:
    assert read(written) is None


@pytest.mark.parametrize(
    ("written", "wins"),
    [
        ("{dynamic: true, threshold: 0}", FixedThreshold(0, ABOVE)),
        ("{dynamic: {k: 3}, threshold: 0.2, operator: less_than}", FixedThreshold(0.2, BELOW)),
        ("{dynamic: true, low: 0, high: 0.5}", RangeThreshold(0, 0.5)),
    ],
)
def test_a_written_bound_wins_over_a_dynamic_one(written: str, wins: Threshold) -> None:
    assert read(written) == wins


@pytest.mark.parametrize(
    ("metric", "operator"),
    [
        (("data_drift", "numerical", "two_sample_kolmogorov_smirnov_test"), BELOW),
        (("prediction_drift", "categorical", "jensen_shannon_distance"), ABOVE),
        (("data_quality", "numerical", "null_value_rate"), ABOVE),
        (("data_quality", "dataset", "row_count"), BELOW),
        (("model_performance", "classification", "accuracy"), BELOW),
        (("model_performance", "regression", "mean_absolute_error"), ABOVE),
        (("model_performance", "coverage", "ground_truth_coverage"), BELOW),
    ],
)
def test_in_every_family_it_bounds_the_side_that_is_bad(metric: tuple[str, str, str], operator: Operator) -> None:
    assert read("{dynamic: true}", metric) == DynamicThreshold(operator)
    assert read("{dynamic: true, operator: both}", metric) == DynamicThreshold(None)


def test_a_metric_that_is_bad_in_neither_direction_says_which_one_is_meant() -> None:
    mean = ("data_quality", "numerical", "mean")
    assert problems("{dynamic: true}", mean) == [
        "numerical.mean: mean is bad in neither direction, so it needs an operator "
        "(write {dynamic: true, operator: both} for a change in either direction)"
    ]
    assert read("{dynamic: true, operator: both}", mean) == DynamicThreshold(None)
    assert read("{dynamic: true, operator: '>'}", mean) == DynamicThreshold(ABOVE)


JS = "numerical.jensen_shannon_distance"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{dynamic: 3}", [f"{JS}.dynamic: 3 is not a mapping (key: value)"]),
        ("{dynamic: yesss}", [f"{JS}.dynamic: 'yesss' is not a mapping (key: value)"]),
        ("{dynamc: true}", [f"{JS}.dynamc: unknown key (did you mean dynamic?)"]),
        ("{dynamic: {kk: 2}}", [f"{JS}.dynamic.kk: unknown key (did you mean k?)"]),
        ("{dynamic: {k: -1}}", [f"{JS}.dynamic.k: -1 must be 0 or more"]),
        ("{dynamic: {k: .inf}}", [f"{JS}.dynamic.k: inf is not a finite number"]),
        ("{dynamic: {min_points: 1}}", [f"{JS}.dynamic.min_points: 1 must be 2 or more"]),
        ("{dynamic: {lookback: P0D}}", [f"{JS}.dynamic.lookback: 'P0D' has no length (such as P14D)"]),
        ("{dynamic: {lookback: P1M}}", [f"{JS}.dynamic.lookback: 'P1M' is no fixed length of time (give months and years in days)"]),  # noqa: E501
        ("{dynamic: {method: mean}}", [f"{JS}.dynamic.method: 'mean' is not one of standard_deviation, median_absolute_deviation"]),  # noqa: E501
        ("{dynamic: true, operator: '=='}", [f"{JS}.operator: equals cannot go with dynamic (greater_than, less_than or both)"]),  # noqa: E501
        ("{dynamic: true, relative_to: baseline}", [f"{JS}.relative_to: cannot go with dynamic (keep one of them)"]),
        ("{threshold: 1, operator: both}", [f"{JS}.operator: both is for dynamic thresholds (a range has low and high)"]),  # noqa: E501
        ("{dynamic: false, operator: both}", [f"{JS}.operator: both is for dynamic thresholds (a range has low and high)"]),  # noqa: E501
        ("{dynamic: true, low: 1}", [f"{JS}.high: is missing (a range has both; for one bound write threshold)"]),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_said(written: str, said: list[str]) -> None:
    assert problems(written) == said


def test_all_that_is_wrong_with_it_is_said_at_once() -> None:
    assert len(problems("{dynamic: {k: -1, lookback: P1M, min_points: 1, method: mean, kk: 1}}")) == 5


# ----------------------------------------------------------------------------------------------------- the trigger


WEEKLY = "{type: recurrence, frequency: week}"
WEEKDAYS = "{type: cron, expression: 15 3 * * 1-5}"


@pytest.mark.parametrize(
    ("trigger", "written", "needed"),
    [
        (WEEKLY, "{dynamic: true}", "P35D"),
        (WEEKLY, "{dynamic: {min_points: 2, lookback: P13D}}", "P14D"),
        (DAILY, "{dynamic: {lookback: PT119H}}", "P5D"),
        (WEEKDAYS, "{dynamic: {min_points: 5, lookback: P6D}}", "P7D"),
        ("{type: cron, expression: 0 0 1 * *}", "{dynamic: {min_points: 3}}", "P89D"),
    ],
)
def test_a_lookback_that_never_holds_enough_runs_would_judge_nothing_for_ever(
    trigger: str, written: str, needed: str
) -> None:
    (said,) = problems(written, DRIFT, trigger)
    assert said.startswith(": jensen_shannon_distance: the lookback holds fewer than min_points = ")
    assert said.endswith(f"runs (dynamic: {{lookback: {needed}}} or longer)")


@pytest.mark.parametrize(
    ("trigger", "written"),
    [
        (WEEKLY, "{dynamic: {lookback: P35D}}"),
        (WEEKLY, "{dynamic: true, threshold: 0.1}"),
        (DAILY, "{dynamic: {lookback: P5D}}"),
        (WEEKDAYS, "{dynamic: {min_points: 4, lookback: P4D}}"),
        ("{type: recurrence, frequency: minute, interval: 15}", "{dynamic: {lookback: PT75M}}"),
        ("{type: recurrence, frequency: day, start_time: 2024-01-01, end_time: 2024-01-03}", "{dynamic: true}"),
    ],
)
def test_a_lookback_that_holds_enough_runs_is_fine(trigger: str, written: str) -> None:
    assert read(written, DRIFT, trigger) is not None


# --------------------------------------------------------------------------------------------------------- the rest


def test_it_is_part_of_what_the_definition_says() -> None:
    hashes = [monitor(written).config_hash for written in ("{dynamic: true}", "{dynamic: {k: 3}}", "{dynamic: {k: 3.0}}")]  # fmt: skip  # noqa: E501
    assert hashes[0] != hashes[1] == hashes[2]


def test_editors_know_its_keys() -> None:
    schema = json_schema()["$defs"]
    assert set(schema["DynamicKeys"]["properties"]) == {"method", "k", "lookback", "min_points"}
    assert {"$ref": "#/$defs/DynamicKeys"} in schema["ThresholdKeys"]["properties"]["dynamic"]["anyOf"]
    assert "both" in str(schema["ThresholdKeys"]["properties"]["operator"])
