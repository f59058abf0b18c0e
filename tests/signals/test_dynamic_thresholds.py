"""Does a dynamic threshold follow a check's own history, whatever its order and unit?"""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import median_abs_deviation

from signals.measurement import Measurement, Undefined
from signals.thresholds import DynamicThreshold, Operator
from signals.usual import SpreadMethod, usual_of
from signals.verdicts import Status, ThresholdKind, Verdict, judge

ABOVE, BELOW, EITHER = Operator.GREATER_THAN, Operator.LESS_THAN, None
STD, MAD = SpreadMethod
STEADY = [0.10, 0.12, 0.11, 0.09, 0.13]

HISTORIES = st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=40)
METHODS = pytest.mark.parametrize("method", list(SpreadMethod))


def verdict(value: float, threshold: DynamicThreshold, history: list[float], **given) -> Verdict:
    return judge(Measurement(value, 100), threshold, history=history, **given)


def bound(threshold: DynamicThreshold, history: list[float], value: float = 0.0) -> float:
    found = verdict(value, threshold, history).threshold_value
    assert found is not None
    return found


# ---------------------------------------------------------------------------------------------------- the oracles


@given(history=HISTORIES, k=st.floats(0.5, 10))
def test_the_bounds_are_mean_and_standard_deviation_as_numpy_has_them(history: list[float], k: float) -> None:
    low, high = bound(DynamicThreshold(BELOW, k=k), history), bound(DynamicThreshold(ABOVE, k=k), history)
    mean, spread = np.mean(history), k * np.std(history, ddof=1)
    assert (low, high) == pytest.approx((mean - spread, mean + spread), rel=2e-9, abs=1e-9 * max(map(abs, history)))


@given(history=HISTORIES, k=st.floats(0.5, 10))
def test_the_bounds_are_median_and_scaled_deviation_as_scipy_has_them(history: list[float], k: float) -> None:
    low, high = bound(DynamicThreshold(BELOW, MAD, k), history), bound(DynamicThreshold(ABOVE, MAD, k), history)
    center, spread = np.median(history), k * 1.4826 * median_abs_deviation(history)
    assert (low, high) == pytest.approx((center - spread, center + spread), rel=2e-9, abs=1e-9 * max(map(abs, history)))


def test_a_history_by_pencil() -> None:
    usual = usual_of([1.0, 2.0, 3.0, 4.0, 100.0], MAD)
    assert (usual.center, usual.deviation, usual.points) == (3.0, 1.0, 5)
    assert usual.high(2) == 3 + 2 * 1.4826
    usual = usual_of([1.0, 3.0], STD)
    assert (usual.center, usual.deviation) == (2.0, math.sqrt(2))


# -------------------------------------------------------------------------------------------------------- the laws


@METHODS
@given(history=HISTORIES, dice=st.randoms(use_true_random=False))
def test_the_order_of_the_history_does_not_matter_to_the_last_bit(method, history, dice) -> None:
    shuffled = dice.sample(history, len(history))
    assert usual_of(shuffled, method) == usual_of(history, method)


@METHODS
@given(history=HISTORIES, shift=st.floats(-1e6, 1e6), operator=st.sampled_from([ABOVE, BELOW]))
def test_what_shifts_all_values_shifts_the_bound(method, history, shift, operator) -> None:
    threshold = DynamicThreshold(operator, method)
    shifted = [value + shift for value in history]
    assert bound(threshold, shifted) == pytest.approx(bound(threshold, history) + shift, rel=1e-8, abs=1e-2)


@METHODS
@given(history=HISTORIES, scale=st.floats(0.01, 100), operator=st.sampled_from([ABOVE, BELOW]))
def test_another_unit_scales_the_bound(method, history, scale, operator) -> None:
    threshold = DynamicThreshold(operator, method)
    scaled = [value * scale for value in history]
    assert bound(threshold, scaled) == pytest.approx(bound(threshold, history) * scale, rel=1e-6, abs=1e-6)


@METHODS
@given(history=HISTORIES)
def test_upside_down_the_upper_bound_is_the_lower_one(method, history) -> None:
    upper = bound(DynamicThreshold(ABOVE, method), history)
    assert bound(DynamicThreshold(BELOW, method), [-value for value in history]) == -upper


@METHODS
@given(history=HISTORIES, smaller=st.floats(0, 5), more=st.floats(0, 5))
def test_a_larger_k_is_never_stricter(method, history, smaller, more) -> None:
    wide = bound(DynamicThreshold(ABOVE, method, smaller + more), history)
    assert wide >= bound(DynamicThreshold(ABOVE, method, smaller), history)


@METHODS
@given(history=HISTORIES)
def test_with_k_of_0_the_bound_is_the_centre(method, history) -> None:
    center = usual_of(history, method).center
    assert bound(DynamicThreshold(ABOVE, method, k=0), history) == pytest.approx(center, rel=2e-9, abs=0)


@given(
    history=HISTORIES,
    value=st.floats(-3e6, 3e6),
    operator=st.sampled_from([ABOVE, BELOW, EITHER, Operator.GREATER_THAN_OR_EQUAL, Operator.LESS_THAN_OR_EQUAL]),
    method=st.sampled_from(list(SpreadMethod)),
)
def test_a_value_breaches_exactly_where_it_stands_so_to_the_bound_that_is_told(history, value, operator, method):
    found = verdict(value, DynamicThreshold(operator, method), history)
    assert found.operator is not None
    assert found.threshold_value is not None
    assert found.breached is found.operator.holds(value, found.threshold_value)
    assert operator in (found.operator, EITHER)


# ---------------------------------------------------------------------------------------------------- the verdicts


def test_a_breach_tells_the_bound_and_what_it_stands_on() -> None:
    found = verdict(0.2, DynamicThreshold(ABOVE), STEADY)
    assert (found.status, found.breached, found.operator) == (Status.BREACHED, True, ABOVE)
    assert found.threshold_kind is ThresholdKind.DYNAMIC
    assert found.threshold_value == pytest.approx(0.11 + 2 * np.std(STEADY, ddof=1))
    assert found.usual == usual_of(STEADY, STD)


def test_what_is_usual_is_fine_and_tells_its_bound_too() -> None:
    found = verdict(0.12, DynamicThreshold(ABOVE), STEADY)
    assert (found.status, found.breached) == (Status.OK, False)
    assert found.threshold_value == bound(DynamicThreshold(ABOVE), STEADY)


@pytest.mark.parametrize(("value", "breached", "operator"), [(0.0, True, BELOW), (0.10, False, BELOW), (0.12, False, ABOVE), (0.2, True, ABOVE)])  # fmt: skip  # noqa: E501
def test_a_threshold_on_both_sides_is_breached_on_either(value, breached, operator) -> None:
    found = verdict(value, DynamicThreshold(EITHER), STEADY)
    assert (found.breached, found.operator) == (breached, operator)
    assert found.threshold_value == bound(DynamicThreshold(operator), STEADY)


def test_one_sided_a_change_for_the_better_is_no_breach() -> None:
    assert verdict(0.0, DynamicThreshold(ABOVE), STEADY).breached is False
    assert verdict(9.0, DynamicThreshold(BELOW), STEADY).breached is False


@pytest.mark.parametrize(("points", "said"), [(0, "0 earlier values"), (1, "1 earlier value"), (4, "4 earlier values")])
def test_a_history_that_is_too_short_says_how_many_values_it_has_and_needs(points: int, said: str) -> None:
    found = verdict(9.0, DynamicThreshold(ABOVE), STEADY[:points])
    reason = f"{said} in its history, fewer than min_points = 5"
    assert found == Verdict(Status.INSUFFICIENT_DATA, None, None, ThresholdKind.DYNAMIC, ABOVE, reason)


def test_just_enough_values_are_enough() -> None:
    assert verdict(9.0, DynamicThreshold(ABOVE, min_points=2), STEADY[:2]).breached is True


def test_too_few_rows_are_told_before_too_short_a_history_and_are_no_part_of_one() -> None:
    found = verdict(9.0, DynamicThreshold(ABOVE), [], min_rows=101)
    assert (found.status, found.threshold_kind) == (Status.INSUFFICIENT_DATA, None)
    assert found.reason == "100 rows, fewer than min_rows = 101"
    assert judge(Undefined("none"), DynamicThreshold(ABOVE), history=STEADY).threshold_kind is None


# ----------------------------------------------------------------------------------------------- without any spread


@METHODS
@pytest.mark.parametrize("operator", [ABOVE, BELOW, EITHER])
@pytest.mark.parametrize("always", [0.0, 0.1, -7.3, 1 / 3, 1e9])
def test_what_always_was_the_same_may_stay_so(method, operator, always) -> None:
    threshold, history = DynamicThreshold(operator, method), [always] * 7
    assert bound(threshold, history) == pytest.approx(always, rel=2e-9, abs=0)
    noise = [always * (1 + step * 1e-15) for step in (-3, -1, 0, 1, 3)]
    assert [verdict(value, threshold, history).breached for value in noise] == [False] * 5


@METHODS
def test_where_reaching_the_bound_is_asked_to_breach_zeros_for_ever_do(method) -> None:
    assert verdict(0.0, DynamicThreshold(Operator.GREATER_THAN_OR_EQUAL, method), [0.0] * 7).breached is True


@METHODS
def test_noise_in_a_history_that_is_steady_but_for_it_breaches_no_more(method) -> None:
    history = [0.1 + 0.2, 0.3, 0.3, 0.1 + 0.2, 0.3, 0.3]
    assert verdict(0.3 * (1 + 1e-13), DynamicThreshold(EITHER, method), history).breached is False


@METHODS
def test_what_always_was_the_same_breaches_as_soon_as_it_changes_for_the_worse(method) -> None:
    for always, worse in ((0.0, 1e-6), (0.1, 0.1001), (-7.3, -7.2)):
        assert verdict(worse, DynamicThreshold(ABOVE, method), [always] * 7).breached is True
        assert verdict(-worse, DynamicThreshold(BELOW, method), [-always] * 7).breached is True
        assert verdict(2 * always - worse, DynamicThreshold(ABOVE, method), [always] * 7).breached is False


def test_one_outlier_moves_the_mean_and_not_the_median() -> None:
    history = [*STEADY, 50.0]
    assert verdict(1.0, DynamicThreshold(ABOVE, STD), history).breached is False
    assert verdict(1.0, DynamicThreshold(ABOVE, MAD), history).breached is True


@METHODS
@pytest.mark.parametrize("history", [[1.7e308, -1.7e308] * 4, [1.7e308, 1.7e308, 0.0] * 2, [1e300, 0.0] * 3])
def test_values_beyond_what_a_float_holds_are_not_judged(method, history) -> None:
    found = verdict(1.0, DynamicThreshold(ABOVE, method, k=1e9), history)
    assert (found.status, found.breached) == (Status.UNDEFINED, None)
    assert found.reason == "the earlier values are too large to take a threshold from"


# ---------------------------------------------------------------------------------------------- what there is not


@pytest.mark.parametrize(
    "keys",
    [{"operator": Operator.EQUALS}, {"operator": Operator.NOT_EQUALS}, {"k": -0.1}, {"k": math.nan}, {"min_points": 1},
     {"lookback": timedelta(0)}],
)  # fmt: skip
def test_a_threshold_that_could_judge_nothing_is_refused(keys) -> None:
    with pytest.raises(ValueError, match=r"dynamic threshold|at least"):
        DynamicThreshold(**{"operator": ABOVE} | keys)
