"""A 95 % interval holds the truth about 95 times in 100: proved by drawing many windows from a known model."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from scipy.special import expit
from scipy.stats import binomtest

from signals.catalogue import Family, find_metric
from signals.error_sums import Errors
from signals.intervals import around, around_share, hanley_mcneil, macro, mean, wilson
from signals.measurement import Measurement
from signals.metrics import METRICS
from signals.outcomes import Outcomes
from signals.scorecard import Scorecard

WINDOWS = 500
Rows = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]
Draw = Callable[[np.random.Generator, int], Rows]


@pytest.mark.parametrize(("successes", "trials"), [(0, 1), (0, 30), (1, 7), (15, 30), (30, 30), (3, 100_000)])
def test_wilson_is_that_of_scipy(successes: int, trials: int) -> None:
    expected = binomtest(successes, trials).proportion_ci(method="wilson")
    assert wilson(successes, trials) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_a_perfect_score_of_few_rows_is_not_certain() -> None:
    assert wilson(5, 5)[0] < 0.6
    assert hanley_mcneil(1.0, 5, 5)[0] < 0.8
    assert hanley_mcneil(1.0, 5, 5)[1] == 1.0
    assert hanley_mcneil(0.0, 5, 5)[0] == 0.0
    assert macro(np.array([5.0, 5.0]), np.array([5.0, 5.0]))[0] < 0.8


def test_more_rows_give_a_narrower_interval() -> None:
    widths = [high - low for low, high in (hanley_mcneil(0.8, n, n) for n in (10, 100, 1000, 10**6))]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.002


def test_one_row_has_no_spread_and_so_no_interval() -> None:
    assert mean(1, 3.0, 9.0) is None


def test_what_overflows_has_no_interval() -> None:
    assert around(1.0, float("inf")) is None
    assert around_share(0.5, float("nan")) is None


def test_an_interval_is_cut_at_the_range() -> None:
    assert around(0.9, 1.0, 0.0, 1.0) == (0.0, 1.0)


def classifier(rng: np.random.Generator, n: int) -> Rows:
    """Labels 0 to 2, predictions that are right more often for 0 than for 2, and calibrated scores of being 1."""
    score = expit(rng.normal(-0.5, 1.5, n))
    truth = np.where(rng.random(n) < score, 1, 2 * (rng.random(n) < 0.3))
    prediction = np.where(rng.random(n) < 0.9 - 0.15 * truth, truth, rng.integers(0, 3, n))
    return truth.astype(float), prediction.astype(float), score**1.2


def regressor(rng: np.random.Generator, n: int) -> Rows:
    """Skewed positive numbers, predictions that are off in proportion, and the naive forecast's errors."""
    actual = rng.gamma(3, 10, n)
    prediction = actual * rng.normal(1.05, 0.2, n) + rng.normal(0, 3, n)
    return actual, prediction, np.abs(actual - rng.gamma(3, 10, n))


def measured(name: str, rows: Rows) -> Measurement:
    entry = find_metric(name) or METRICS[name]
    arrays = [pa.array(column) for column in rows]
    state = Errors.of(*arrays) if entry.family is Family.REGRESSION else Scorecard(Outcomes.of(*arrays), "1")
    answer = entry.compute(state)
    assert isinstance(answer, Measurement), answer
    return answer


@pytest.mark.parametrize(
    ("name", "draw", "rows"),
    [
        ("accuracy", classifier, 400), ("precision", classifier, 150), ("f1", classifier, 150),
        ("macro_averaged_recall", classifier, 150), ("macro_averaged_precision", classifier, 150),
        ("macro_averaged_f1", classifier, 300), ("auc", classifier, 200), ("pr_auc", classifier, 300),
        ("log_loss", classifier, 300), ("brier_score", classifier, 300), ("calibration", classifier, 300),
        ("mae", regressor, 300), ("mse", regressor, 1000), ("rmse", regressor, 1000), ("mape", regressor, 1000),
        ("smape", regressor, 300), ("wape", regressor, 300), ("mase", regressor, 300), ("r_squared", regressor, 1000),
        ("mean_error", regressor, 300), ("prediction_average", regressor, 300), ("actuals_average", regressor, 300),
    ],
)  # fmt: skip
def test_an_interval_holds_the_truth_95_times_in_100(name: str, draw: Draw, rows: int) -> None:
    rng = np.random.default_rng(95)
    truth = measured(name, draw(rng, 400_000)).value
    intervals = [measured(name, draw(rng, rows)).interval for _ in range(WINDOWS)]
    held = np.mean([interval is not None and interval[0] <= truth <= interval[1] for interval in intervals])
    # 500 windows tell 95 % to within 2.
    assert 0.93 <= held <= 0.975
