"""Metrics of scores against scikit-learn on raw rows, on the shapes that scores come in."""

from collections.abc import Callable
from functools import reduce
from math import inf
from operator import add
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from scipy.special import expit
from sklearn import metrics as sklearn

from signals.catalogue import find_metric
from signals.measurement import Measurement, Undefined
from signals.metrics import METRICS
from signals.outcomes import Outcomes
from signals.score_bins import MAX_BINS, level_0
from signals.scorecard import Scorecard

Floats = npt.NDArray[np.float64]
N = 50_000
EXACT = 1e-12
PROBABILITIES = ("log_loss", "brier_score", "calibration", "expected_calibration_error")

# Each takes the truth (0 or 1), noise, and a generator, and gives scores.
Shape = Callable[[Floats, Floats, np.random.Generator], Floats]
SHAPES: dict[str, tuple[float, Shape]] = {
    "smooth": (0.3, lambda y, z, rng: expit(z + 1.5 * y - 1)),
    "crowded near 0, rare": (0.02, lambda y, z, rng: np.where(y > 0, rng.beta(0.5, 20, N), rng.beta(0.1, 50, N))),
    "crowded near 1": (0.9, lambda y, z, rng: 1 - np.where(y > 0, rng.beta(0.1, 50, N), rng.beta(0.5, 20, N))),
    "many powers of ten": (0.05, lambda y, z, rng: np.minimum(1, np.exp(3 * z + 2 * y - 14))),
    "rounded": (0.1, lambda y, z, rng: np.round(expit(z + 2 * y - 2), 2)),
    "one score": (0.1, lambda y, z, rng: np.full(N, 0.1)),
    "two scores": (0.1, lambda y, z, rng: np.where(z + y > 0.5, 0.9, 0.1)),
    "a third is one default": (0.2, lambda y, z, rng: np.where(rng.random(N) < 0.33, 0.5, expit(z + 2 * y - 1))),
    "an odd default": (0.2, lambda y, z, rng: np.where(rng.random(N) < 0.33, 0.3123456, expit(z + 2 * y - 1))),
    "zeros": (0.2, lambda y, z, rng: np.where(rng.random(N) < 0.8 - 0.4 * y, 0.0, rng.beta(1 + y, 5, N))),
    "narrow": (0.2, lambda y, z, rng: 0.3 + 1e-4 * (z + y)),
    "single precision": (0.2, lambda y, z, rng: expit(z + y).astype(np.float32).astype(np.float64)),
    "perfect": (0.2, lambda y, z, rng: np.where(y > 0, 0.7, 0.2) + 0.1 * rng.random(N)),
    "turned round": (0.2, lambda y, z, rng: expit(z - 2 * y)),
}
MARGINS: dict[str, tuple[float, Shape]] = {
    "margins": (0.2, lambda y, z, rng: 3 * z + 2 * y),
    "credit scores": (0.2, lambda y, z, rng: np.round(600 + 80 * z + 40 * y)),
    "some infinite": (0.2, lambda y, z, rng: np.where(rng.random(N) < 0.05, np.where(y > 0, inf, -inf), z)),
}


def drawn(name: str) -> tuple[npt.NDArray[np.int64], Floats]:
    rng = np.random.default_rng(len(name))
    share, shape = (SHAPES | MARGINS)[name]
    truth = (rng.random(N) < share).astype(np.int64)
    return truth, shape(truth.astype(np.float64), rng.normal(size=N), rng)


def card_of(truth: Any, scores: Any, positive_class: str | None = None) -> Scorecard:
    return Scorecard(Outcomes.of(pa.array(truth), None, pa.array(scores)), positive_class)


def measure(name: str, card: Scorecard) -> Measurement | Undefined:
    return (find_metric(name) or METRICS[name]).compute(card)


def value(name: str, card: Scorecard) -> float:
    answer = measure(name, card)
    assert isinstance(answer, Measurement), answer
    return answer.value


@pytest.mark.parametrize("shape", [*SHAPES, *MARGINS])
def test_areas_are_those_of_scikit_learn(shape: str) -> None:
    truth, scores = drawn(shape)
    card = card_of(truth, scores)
    finite = np.nan_to_num(scores, posinf=1e9, neginf=-1e9)
    assert value("auc", card) == pytest.approx(sklearn.roc_auc_score(truth, finite), abs=0.001)
    assert value("pr_auc", card) == pytest.approx(sklearn.average_precision_score(truth, finite), abs=0.001)


@pytest.mark.parametrize("shape", SHAPES)
def test_losses_are_those_of_scikit_learn(shape: str) -> None:
    truth, scores = drawn(shape)
    card = card_of(truth, scores)
    clipped = np.clip(scores, 1e-15, 1 - 1e-15)
    assert value("log_loss", card) == pytest.approx(sklearn.log_loss(truth, clipped, labels=[0, 1]), abs=EXACT)
    assert value("brier_score", card) == pytest.approx(sklearn.brier_score_loss(truth, scores), abs=EXACT)
    assert value("calibration", card) == pytest.approx(scores.mean() / truth.mean(), abs=EXACT)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_calibration_error_is_that_of_ten_bins_of_raw_rows(shape: str) -> None:
    truth, scores = drawn(shape)
    tenth = np.searchsorted(np.arange(1, 10) / 10, scores)
    gaps = [abs((scores - truth)[tenth == i].sum()) for i in range(10)]
    assert value("expected_calibration_error", card_of(truth, scores)) == pytest.approx(sum(gaps) / N, abs=EXACT)


def test_areas_of_few_distinct_scores_are_exact() -> None:
    truth, scores = drawn("rounded")
    card = card_of(truth, scores)
    assert value("auc", card) == pytest.approx(sklearn.roc_auc_score(truth, scores), abs=EXACT)
    assert value("pr_auc", card) == pytest.approx(sklearn.average_precision_score(truth, scores), abs=EXACT)


@pytest.mark.parametrize("name", PROBABILITIES)
def test_scores_that_are_no_probabilities_are_a_reason(name: str) -> None:
    answer = measure(name, card_of([0, 1, 1], [0.2, 1.5, -0.1]))
    assert answer == Undefined("2 of 3 scores lie outside [0, 1]: they are no probabilities")


def test_margins_have_a_rank_and_so_an_area() -> None:
    assert value("auc", card_of([0, 0, 1, 1], [-3.0, 2.0, 1.0, inf])) == 0.75


@pytest.mark.parametrize(
    ("name", "truth", "reason"),
    [
        ("auc", [0, 0], "no scored row is labelled '1'; the classes are '0'"),
        ("auc", [1, 1], "every scored row is labelled '1'; the classes are '1'"),
        ("pr_auc", [0, 0], "no scored row is labelled '1'; the classes are '0'"),
        ("calibration", [0, 0], "no scored row is labelled '1'; the classes are '0'"),
    ],
)
def test_a_side_without_rows_is_a_reason(name: str, truth: list[int], reason: str) -> None:
    assert measure(name, card_of(truth, [0.1, 0.9])) == Undefined(reason)


def test_scores_of_many_classes_need_a_positive_one() -> None:
    truth, scores = ["a", "b", "c", "b"], [0.1, 0.9, 0.2, 0.8]
    answer = measure("auc", card_of(truth, scores))
    assert isinstance(answer, Undefined)
    assert "positive_class" in answer.reason
    assert value("auc", card_of(truth, scores, "b")) == 1.0
    assert value("auc", card_of(truth, scores, "a")) == 0.0


def test_rows_without_a_score_are_counted_apart() -> None:
    answer = measure("brier_score", card_of([0, 1, 1, None], [0.0, None, float("nan"), 0.5]))
    assert isinstance(answer, Measurement)
    assert (answer.value, answer.rows) == (0.0, 1)
    assert answer.details["rows_without_score"] == 2


def test_a_model_without_scores_is_told_so() -> None:
    card = Scorecard(Outcomes.of(pa.array([0, 1]), pa.array([0, 1])))
    assert measure("auc", card) == Undefined("none of the 2 labelled rows has a score")


@pytest.mark.parametrize("shape", ["smooth", "crowded near 0, rare", "narrow", "margins", "many powers of ten"])
def test_bins_keep_the_order_of_scores(shape: str) -> None:
    scores = np.sort(np.concatenate([drawn(shape)[1], [-inf, inf, 0.0, 0.5, 1.0, 5e-324, np.nextafter(0.5, 0)]]))
    bins = level_0(scores)
    assert (np.diff(bins) >= 0).all()
    assert bins.min() >= 0
    assert bins.max() < 2**31


@pytest.mark.parametrize("shape", ["smooth", "crowded near 0, rare", "crowded near 1", "many powers of ten", "margins"])
def test_there_are_a_thousand_bins_or_more_and_never_too_many(shape: str) -> None:
    scores = card_of(*drawn(shape)).outcomes.scores
    pairs = sum(len(of_label.bins) for of_label in scores.of_label.values())
    assert MAX_BINS / 2 < pairs <= MAX_BINS
    assert len(np.unique(np.concatenate([of_label.bins for of_label in scores.of_label.values()]))) >= 1_000


def test_the_bins_of_a_sum_are_the_bins_of_all_rows() -> None:
    truth, scores = drawn("many powers of ten")
    whole = card_of(truth, scores).outcomes.scores
    parts = [card_of(truth[part], scores[part]).outcomes for part in np.array_split(np.arange(N), 37)]
    added = reduce(add, parts).scores
    assert added.level == whole.level > 0
    for label, expected in whole.of_label.items():
        for name in ("bins", "counts", "low", "high", "tenth_counts"):
            np.testing.assert_array_equal(getattr(added.of_label[label], name), getattr(expected, name))
