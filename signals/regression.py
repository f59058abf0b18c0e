"""How far are predicted numbers from the true ones? The metrics of `signals.error_sums.Errors`."""

from dataclasses import replace
from math import inf, isfinite, sqrt
from typing import Any

from signals.catalogue import Bad, Family, metric
from signals.error_sums import Errors
from signals.intervals import Interval, around, mean
from signals.measurement import Measurement, Undefined
from signals.power_sums import Moments

__all__ = [
    "actuals_average", "mase", "mean_absolute_error", "mean_absolute_percentage_error", "mean_error",
    "mean_squared_error", "prediction_average", "r_squared", "root_mean_squared_error", "smape", "wape",
]  # fmt: skip

ERROR: dict[str, Any] = {"family": Family.REGRESSION, "bad": Bad.HIGHER, "range": (0.0, inf)}
AVERAGE: dict[str, Any] = {"family": Family.REGRESSION, "bad": Bad.NONE, "range": (-inf, inf)}
SHARE: dict[str, Any] = {"family": Family.REGRESSION, "bad": Bad.HIGHER, "range": (0.0, 2.0)}
R2: dict[str, Any] = {"family": Family.REGRESSION, "bad": Bad.LOWER, "range": (-inf, 1.0)}
HYNDMAN = "Hyndman & Koehler 2006, Another look at measures of forecast accuracy"


@metric("mean_absolute_error", unit="target's unit", source=HYNDMAN, aliases=("mae",), **ERROR)
def mean_absolute_error(errors: Errors) -> Measurement | Undefined:
    """Mean of |prediction - actual|."""
    return _mean(errors, errors.absolute, errors.square)


@metric("mean_squared_error", unit="target's unit squared", source=HYNDMAN, aliases=("mse",), **ERROR)
def mean_squared_error(errors: Errors) -> Measurement | Undefined:
    """Mean of (prediction - actual)²."""
    return _mean(errors, errors.square, errors.fourth)


@metric("root_mean_squared_error", unit="target's unit", source=HYNDMAN, aliases=("rmse",), **ERROR)
def root_mean_squared_error(errors: Errors) -> Measurement | Undefined:
    """Square root of the mean of (prediction - actual)²."""
    squared = mean_squared_error(errors)
    if isinstance(squared, Undefined):
        return squared
    interval = None if squared.interval is None else (sqrt(squared.interval[0]), sqrt(squared.interval[1]))
    return replace(squared, value=sqrt(squared.value), interval=interval)


@metric("mean_absolute_percentage_error", unit="share of the actual value", source=HYNDMAN, aliases=("mape",), **ERROR)
def mean_absolute_percentage_error(errors: Errors) -> Measurement | Undefined:
    """Mean of |prediction - actual| / |actual|, as a share; rows with an actual value of 0 are left out and counted."""
    left_out = errors.rows - errors.relative_rows
    if errors.rows and not errors.relative_rows:
        return Undefined(f"the actual value is 0 in all {errors.rows:,} rows")
    rows = errors.relative_rows
    return _mean(errors, errors.relative, errors.relative_2, rows, rows_with_actual_0=left_out)


@metric("smape", unit="share", source="Makridakis 1993, Accuracy measures", **SHARE)
def smape(errors: Errors) -> Measurement | Undefined:
    """Mean of 2·|prediction - actual| / (|actual| + |prediction|), in [0, 2]; a row where both are 0 has no error."""
    return _mean(errors, errors.symmetric, errors.symmetric_2, high=2.0)


@metric("wape", unit="share of the actual values", source="Kolassa & Schütz 2007, Advantages of the MAD/mean", **ERROR)
def wape(errors: Errors) -> Measurement | Undefined:
    """Sum of |prediction - actual| / sum of |actual|."""
    if not errors.rows:
        return _no_rows(errors)
    if not errors.size:
        return Undefined(f"the actual value is 0 in all {errors.rows:,} rows")
    value = errors.absolute / errors.size
    squares = errors.square - 2 * value * errors.size_error + value * value * errors.size_2
    return _measured(errors, value, around(value, squares / errors.size / errors.size, 0.0))


@metric("mase", unit="ratio", source=HYNDMAN, **ERROR)
def mase(errors: Errors) -> Measurement | Undefined:
    """Mean of |prediction - actual| over that of the naive forecast, the previous actual value in the order of time."""
    n, naive_rows = errors.rows, errors.naive_rows
    if not n:
        return _no_rows(errors)
    if not naive_rows:
        return Undefined("no row has a previous actual value: the order of the labelled rows in time is not known")
    if not errors.naive:
        return Undefined(f"the actual value never changes in {naive_rows:,} steps: a naive forecast has no error")
    scale = errors.naive / naive_rows
    value = errors.absolute / n / scale
    # A row's influence is (|e| - mean|e|) / (n·scale) - value·(d - scale) / Σd, the latter where d is known.
    of_error = errors.square - errors.absolute * (errors.absolute / n)
    of_naive = errors.naive_2 - errors.naive * scale
    of_both = errors.naive_error - scale * errors.error_beside_naive
    variance = of_error / n / scale / n / scale + value * value * (of_naive / errors.naive / errors.naive)
    variance -= 2 * value * (of_both / n / scale / errors.naive)
    return _measured(errors, value, around(value, variance, 0.0), naive_mean_absolute_error=scale)


@metric("r_squared", unit="share of the variance", source="Draper & Smith 1998", aliases=("r2",), **R2)
def r_squared(errors: Errors) -> Measurement | Undefined:
    """1 - sum of (prediction - actual)² / sum of (actual - mean actual)²."""
    if not errors.rows:
        return _no_rows(errors)
    sums = errors.actuals.around_mean().sums
    spread = float(sums[0, 2])
    if not spread:
        return Undefined(f"all {errors.rows:,} actual values are equal: there is no variance to explain")
    unexplained = errors.square / spread
    squares = errors.fourth - 2 * unexplained * float(sums[2, 2]) + unexplained * unexplained * float(sums[0, 4])
    return _measured(errors, 1 - unexplained, around(1 - unexplained, squares / spread / spread, high=1.0))


@metric("mean_error", unit="target's unit", source=HYNDMAN, **AVERAGE)
def mean_error(errors: Errors) -> Measurement | Undefined:
    """Mean of prediction - actual: positive where the model promises too much."""
    return _mean(errors, errors.error, errors.square, low=-inf)


@metric("prediction_average", unit="target's unit", source="Arize, performance metrics (predictionAverage)", **AVERAGE)
def prediction_average(errors: Errors) -> Measurement | Undefined:
    """Mean of the predictions of labelled rows."""
    return _average(errors, errors.predictions)


@metric("actuals_average", unit="target's unit", source="Arize, performance metrics (actualsAverage)", **AVERAGE)
def actuals_average(errors: Errors) -> Measurement | Undefined:
    """Mean of the actual values of rows with a prediction."""
    return _average(errors, errors.actuals)


def _mean(
    errors: Errors,
    total: float,
    squares: float,
    rows: int | None = None,
    *,
    low: float = 0.0,
    high: float = inf,
    **details: object,
) -> Measurement | Undefined:
    """The mean of a term of these sums, over all rows or over so many."""
    if not errors.rows:
        return _no_rows(errors)
    n = errors.rows if rows is None else rows
    return _measured(errors, total / n, mean(n, total, squares, low, high), rows=n, **details)


def _average(errors: Errors, moments: Moments) -> Measurement | Undefined:
    """The mean of the moments' values."""
    if not errors.rows:
        return _no_rows(errors)
    n, centered = errors.rows, moments.around_mean()
    variance = float(centered.sums[0, 2]) / (n - 1) / n if n > 1 else None
    return _measured(errors, centered.center, None if variance is None else around(centered.center, variance))


def _measured(
    errors: Errors, value: float, interval: Interval | None, rows: int | None = None, **details: object
) -> Measurement | Undefined:
    if not isfinite(value):
        return Undefined("the numbers are too large: their sums overflow")
    if errors.unpredicted:
        details["rows_without_prediction"] = errors.unpredicted
    return Measurement(value, errors.rows if rows is None else rows, interval=interval, details=details)


def _no_rows(errors: Errors) -> Undefined:
    if errors.unpredicted:
        return Undefined(f"none of the {errors.unpredicted:,} labelled rows has a prediction")
    return Undefined("there are no labelled rows")
