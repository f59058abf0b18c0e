from __future__ import annotations

import math

import pytest

from signals.measurement import Measurement, Undefined
from signals.thresholds import FixedThreshold, Operator, RangeThreshold
from signals.verdicts import Status, ThresholdKind, Verdict, judge

ABOVE_A_TENTH = FixedThreshold(0.1, Operator.GREATER_THAN)


def measured(value: float, rows: int = 100, **details: float) -> Measurement:
    return Measurement(value, rows, details=details)


@pytest.mark.parametrize(
    ("operator", "breaching"),
    [
        (Operator.GREATER_THAN, {2.0}),
        (Operator.GREATER_THAN_OR_EQUAL, {1.0, 2.0}),
        (Operator.LESS_THAN, {0.0}),
        (Operator.LESS_THAN_OR_EQUAL, {0.0, 1.0}),
        (Operator.EQUALS, {1.0}),
        (Operator.NOT_EQUALS, {0.0, 2.0}),
    ],
)
def test_a_value_breaches_when_it_stands_so_to_its_threshold(operator, breaching):
    threshold = FixedThreshold(1.0, operator)
    assert {value for value in (0.0, 1.0, 2.0) if judge(measured(value), threshold).breached} == breaching


def test_a_breach_tells_its_threshold():
    assert judge(measured(0.2), ABOVE_A_TENTH) == Verdict(
        Status.BREACHED, True, 0.1, ThresholdKind.FIXED, Operator.GREATER_THAN
    )


def test_a_threshold_of_zero_is_a_threshold():
    verdict = judge(measured(0.001), FixedThreshold(0.0, Operator.GREATER_THAN))
    assert (verdict.breached, verdict.threshold_value) == (True, 0.0)


def test_without_a_threshold_a_value_is_recorded_and_fine():
    assert judge(measured(1e9), None) == Verdict(Status.OK, breached=False)


@pytest.mark.parametrize("operator", list(Operator))
def test_nan_never_breaches(operator):
    for result, threshold in (
        (measured(math.nan), FixedThreshold(1.0, operator)),
        (measured(1.0), FixedThreshold(math.nan, operator)),
        (measured(math.nan), RangeThreshold(0.0, 1.0)),
        (measured(5.0), RangeThreshold(0.0, math.nan)),
    ):
        verdict = judge(result, threshold)
        assert (verdict.status, verdict.breached) == (Status.UNDEFINED, None)
        assert verdict.reason in ("the value is not a number", "the threshold is not a number")


@pytest.mark.parametrize(
    ("value", "breached", "bound", "operator"),
    [
        (-0.1, True, 0.0, Operator.LESS_THAN),
        (0.0, False, 0.0, Operator.LESS_THAN),
        (0.4, False, 0.0, Operator.LESS_THAN),
        (0.6, False, 1.0, Operator.GREATER_THAN),
        (1.0, False, 1.0, Operator.GREATER_THAN),
        (1.1, True, 1.0, Operator.GREATER_THAN),
    ],
)
def test_both_bounds_of_a_range_are_inside_and_the_nearer_one_is_told(value, breached, bound, operator):
    verdict = judge(measured(value), RangeThreshold(0.0, 1.0))
    assert (verdict.breached, verdict.threshold_value, verdict.operator) == (breached, bound, operator)
    assert verdict.threshold_kind is ThresholdKind.RANGE


def test_an_open_range_has_one_bound():
    assert judge(measured(-1e300), RangeThreshold(-math.inf, 1.0)).breached is False
    assert judge(measured(2.0), RangeThreshold(-math.inf, 1.0)).threshold_value == 1.0


def test_a_threshold_relative_to_the_baseline_adds_the_baselines_value():
    threshold = FixedThreshold(0.01, Operator.GREATER_THAN, relative_to_baseline=True)
    verdict = judge(measured(0.06, baseline_value=0.04), threshold)
    assert verdict.breached is True
    assert verdict.threshold_value == pytest.approx(0.05)
    assert verdict.threshold_kind is ThresholdKind.RELATIVE
    assert judge(measured(0.045, baseline_value=0.04), threshold).breached is False


def test_relative_to_a_baseline_without_a_value_nothing_is_judged():
    verdict = judge(measured(0.06), FixedThreshold(0.01, Operator.GREATER_THAN, relative_to_baseline=True))
    assert (verdict.status, verdict.breached) == (Status.UNDEFINED, None)
    assert verdict.reason == "the threshold is relative to the baseline, for which this metric has no value"


def test_fewer_rows_than_asked_for_are_not_judged():
    verdict = judge(measured(0.9, rows=29), ABOVE_A_TENTH, min_rows=30)
    assert (verdict.status, verdict.breached) == (Status.INSUFFICIENT_DATA, None)
    assert verdict.reason == "29 rows, fewer than min_rows = 30"
    assert verdict.threshold_value == 0.1
    assert judge(measured(0.9, rows=30), ABOVE_A_TENTH, min_rows=30).breached is True


def test_an_empty_window_breaches_the_threshold_on_its_row_count():
    few = FixedThreshold(10.0, Operator.LESS_THAN)
    assert judge(measured(0.0, rows=0), few, min_rows=0, rows=0).breached is True


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        (0, Status.NO_DATA),
        (5, Status.INSUFFICIENT_DATA),
        (500, Status.UNDEFINED),
        (None, Status.UNDEFINED),
    ],
)
def test_a_metric_without_a_value_says_whether_rows_were_missing(rows, status):
    verdict = judge(Undefined("no values"), ABOVE_A_TENTH, min_rows=30, rows=rows)
    assert (verdict.status, verdict.breached, verdict.reason) == (status, None, "no values")


def test_only_ok_and_breached_carry_a_flag():
    results = (measured(0.2), measured(0.05), measured(math.nan), Undefined("none"), measured(0.2, rows=1))
    for verdict in (judge(result, ABOVE_A_TENTH, min_rows=2) for result in results):
        assert (verdict.breached is None) is (verdict.status not in (Status.OK, Status.BREACHED))
