"""Metrics of numbers against scikit-learn on raw rows, also where numbers are ugly."""

from functools import reduce
from operator import add
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from sklearn import metrics as sklearn

from signals.catalogue import Family, find_metric, metrics_of
from signals.error_sums import Errors
from signals.measurement import Measurement, Undefined
from signals.metrics import METRICS

N = 20_000
Floats = npt.NDArray[np.float64]


def measure(name: str, errors: Errors) -> Measurement | Undefined:
    return (find_metric(name) or METRICS[name]).compute(errors)


def value(name: str, errors: Errors) -> float:
    answer = measure(name, errors)
    assert isinstance(answer, Measurement), answer
    return answer.value


def errors_of(actual: Any, prediction: Any, naive: Any = None) -> Errors:
    return Errors.of(pa.array(actual), pa.array(prediction), None if naive is None else pa.array(naive))


@pytest.fixture(scope="module")
def rows() -> tuple[Floats, Floats]:
    rng = np.random.default_rng(3)
    actual = rng.gamma(2, 10, N)
    return actual, actual * rng.normal(1.05, 0.2, N)


def test_metrics_are_those_of_scikit_learn(rows: tuple[Floats, Floats]) -> None:
    actual, prediction = rows
    errors = errors_of(actual, prediction)
    error = np.abs(prediction - actual)
    expected = {
        "mae": sklearn.mean_absolute_error(*rows),
        "mse": sklearn.mean_squared_error(*rows),
        "rmse": sklearn.root_mean_squared_error(*rows),
        "mape": sklearn.mean_absolute_percentage_error(*rows),
        "smape": float(np.mean(2 * error / (np.abs(actual) + np.abs(prediction)))),
        "wape": error.sum() / np.abs(actual).sum(),
        "r_squared": sklearn.r2_score(*rows),
        "mean_error": float(np.mean(prediction - actual)),
        "prediction_average": prediction.mean(),
        "actuals_average": actual.mean(),
    }
    assert {name: value(name, errors) for name in expected} == pytest.approx(expected, rel=1e-12)


def test_mase_is_the_error_over_that_of_the_previous_value(rows: tuple[Floats, Floats]) -> None:
    actual, prediction = rows
    naive = np.abs(np.diff(actual, prepend=np.nan))
    expected = np.mean(np.abs(prediction - actual)) / np.mean(naive[1:])
    assert value("mase", errors_of(actual, prediction, naive)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e9, -1e12])
def test_r_squared_keeps_its_digits_far_from_zero(offset: float, rows: tuple[Floats, Floats]) -> None:
    actual, prediction = (np.round(column * 1024) / 1024 + offset for column in rows)
    parts = [errors_of(actual[part], prediction[part]) for part in np.array_split(np.arange(N), 11)]
    expected = sklearn.r2_score(actual - offset, prediction - offset)
    assert value("r_squared", reduce(add, parts)) == pytest.approx(expected, abs=1e-10)


def test_rows_with_an_actual_value_of_0_are_left_out_of_mape_and_counted() -> None:
    answer = measure("mape", errors_of([0.0, 10.0, -20.0], [1.0, 11.0, -15.0]))
    assert isinstance(answer, Measurement)
    assert answer.value == pytest.approx((0.1 + 0.25) / 2)
    assert answer.rows == 2
    assert answer.details["rows_with_actual_0"] == 1


def test_a_row_where_both_numbers_are_0_has_no_symmetric_error() -> None:
    assert value("smape", errors_of([0.0, 1.0], [0.0, -1.0])) == 1.0


@pytest.mark.parametrize(
    ("name", "errors", "reason"),
    [
        ("mape", errors_of([0.0, 0.0], [1.0, 2.0]), "the actual value is 0 in all 2 rows"),
        ("wape", errors_of([0.0, 0.0], [1.0, 2.0]), "the actual value is 0 in all 2 rows"),
        ("r_squared", errors_of([0.1] * 3, [1.0, 2.0, 3.0]),
         "all 3 actual values are equal: there is no variance to explain"),
        ("mase", errors_of([1.0, 2.0], [1.0, 2.0]),
         "no row has a previous actual value: the order of the labelled rows in time is not known"),
        ("mase", errors_of([1.0, 1.0], [1.0, 2.0], [None, 0.0]),
         "the actual value never changes in 1 steps: a naive forecast has no error"),
        ("mae", errors_of([1.0, 2.0], [None, float("nan")]), "none of the 2 labelled rows has a prediction"),
        ("mse", errors_of([1e200, -1e200], [0.0, 0.0]), "the numbers are too large: their sums overflow"),
    ],
)  # fmt: skip
def test_what_has_no_value_has_a_reason(name: str, errors: Errors, reason: str) -> None:
    assert measure(name, errors) == Undefined(reason)


def test_equal_actual_values_stay_equal_when_states_are_added() -> None:
    parts = [errors_of([0.1] * n, [0.2] * n) for n in (3, 7, 1000)]
    assert isinstance(measure("r_squared", reduce(add, parts)), Undefined)


def test_absent_and_infinite_numbers_are_counted_apart() -> None:
    nan, inf = float("nan"), float("inf")
    errors = errors_of([1.0, None, nan, inf, 2.0, 3.0], [2.0, 1.0, 1.0, 1.0, -inf, None])
    assert (errors.rows, errors.unlabelled, errors.unpredicted) == (1, 3, 2)
    answer = measure("mae", errors)
    assert isinstance(answer, Measurement)
    assert (answer.value, answer.interval) == (1.0, None)
    assert answer.details["rows_without_prediction"] == 2


@pytest.mark.parametrize("kind", [pa.int64(), pa.float32(), pa.decimal128(12, 2), pa.string()])
def test_numbers_may_be_of_any_type(kind: pa.DataType) -> None:
    actual = pa.array(["1", "2", "5"]).cast(kind)
    for column in (actual, actual.dictionary_encode()):
        assert value("mae", Errors.of(column, pa.array([2, 2, 3]))) == 1.0


def test_integers_beyond_2_to_53_and_huge_numbers_do_no_harm() -> None:
    integers = errors_of([2**60, 2**60 + 4096], [2**60 + 2048, 2**60 + 4096])
    assert value("mae", integers) == 1024.0
    for entry in metrics_of(Family.REGRESSION):
        answer = entry.compute(errors_of([1e308, -1e308, 3.0], [-1e308, 1e300, 1e-300], [1e308, 1e-320, None]))
        assert isinstance(answer, Undefined) or np.isfinite(answer.value)
