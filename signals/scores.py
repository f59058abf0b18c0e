"""How well do scores tell positive rows from negative ones, and are they probabilities?"""

from math import inf
from typing import Any

import numpy as np

from signals.catalogue import Bad, Family, metric
from signals.intervals import around, hanley_mcneil, mean
from signals.measurement import Measurement, Undefined
from signals.precision_recall import area, area_interval
from signals.score_bins import TENTHS, Sum
from signals.scorecard import Scorecard
from signals.two_sides import Sides, probabilities_of, sides_of

__all__ = ["auc", "brier_score", "calibration", "expected_calibration_error", "log_loss", "pr_auc"]

SCORES: dict[str, Any] = {"family": Family.CLASSIFICATION, "range": (0.0, 1.0)}
OPEN: dict[str, Any] = {"family": Family.CLASSIFICATION, "range": (0.0, inf)}


@metric("auc", bad=Bad.LOWER, unit="share", source="Hanley & McNeil 1982", aliases=("roc_auc",), **SCORES)
def auc(card: Scorecard) -> Measurement | Undefined:
    """Chance that a positive row has a higher score than a negative one; ties count half."""
    sides = sides_of(card)
    if isinstance(sides, Undefined):
        return sides
    positives, negatives = sides.positive.rows, sides.negative.rows
    if not positives or not negatives:
        return _one_sided(card, sides)
    below = np.cumsum(sides.negatives) - sides.negatives / 2
    value = float(sides.positives @ below / positives / negatives)
    return Measurement(
        value, sides.rows, interval=hanley_mcneil(value, positives, negatives), details=_with_sides(sides)
    )


@metric("pr_auc", bad=Bad.LOWER, unit="share", source="Davis & Goadrich 2006", aliases=("average_precision",), **SCORES)
def pr_auc(card: Scorecard) -> Measurement | Undefined:
    """Area under the precision-recall curve: the mean precision at which positive rows are found."""
    sides = sides_of(card)
    if isinstance(sides, Undefined):
        return sides
    if not sides.positive.rows:
        return _one_sided(card, sides)
    value = area(sides)
    return Measurement(value, sides.rows, interval=area_interval(sides, value), details=_with_sides(sides))


@metric(
    "log_loss", bad=Bad.HIGHER, unit="nats", source="Good 1952, Rational decisions", **OPEN,
)  # fmt: skip
def log_loss(card: Scorecard) -> Measurement | Undefined:
    """Mean of -ln(probability given to what happened), probabilities clipped to 1e-15."""
    return _mean(card, (Sum.LOSS_IF_TRUE, Sum.LOSS_IF_FALSE), (Sum.LOSS_IF_TRUE_2, Sum.LOSS_IF_FALSE_2), inf)


@metric("brier_score", bad=Bad.HIGHER, unit="squared probability", source="Brier 1950", aliases=("brier",), **SCORES)
def brier_score(card: Scorecard) -> Measurement | Undefined:
    """Mean of (score - outcome)², the outcome being 1 for positive rows and 0 for others."""
    return _mean(card, (Sum.MISS_2, Sum.SCORE_2), (Sum.MISS_4, Sum.SCORE_4), 1.0)


@metric(
    "calibration", bad=Bad.NONE, unit="ratio", source="Arize, performance metrics (calibration)", **OPEN,
)  # fmt: skip
def calibration(card: Scorecard) -> Measurement | Undefined:
    """Mean score / share of positive rows: above 1 the scores promise too much, below 1 too little."""
    sides = probabilities_of(card)
    if isinstance(sides, Undefined):
        return sides
    positives = sides.positive.rows
    if not positives:
        return _one_sided(card, sides)
    value = sides.total(Sum.SCORE, Sum.SCORE) / positives
    # Each row's influence is (score - value·outcome) / (positive rows); these are the squares of its numerator.
    squares = sides.total(Sum.SCORE_2, Sum.SCORE_2) - 2 * value * sides.positive.sums[Sum.SCORE] + value**2 * positives
    interval = around(value, float(squares) / positives**2, 0.0)
    return Measurement(value, sides.rows, interval=interval, details=_with_sides(sides))


@metric(
    "expected_calibration_error", bad=Bad.HIGHER, unit="probability", source="Naeini, Cooper & Hauskrecht 2015",
    aliases=("ece",), **SCORES,
)  # fmt: skip
def expected_calibration_error(card: Scorecard) -> Measurement | Undefined:
    """Mean gap between score and share of positive rows, over ten bins of equal width weighted by their rows."""
    sides = probabilities_of(card)
    if isinstance(sides, Undefined):
        return sides
    _, promised = sides.tenths
    value = float(np.abs(promised - sides.positive.tenth_counts).sum() / sides.rows)
    squares = sides.total(Sum.MISS_2, Sum.SCORE_2)  # in its bin, a row adds ±(score - outcome)
    interval = mean(sides.rows, value * sides.rows, squares, 0.0, 1.0)
    return Measurement(value, sides.rows, interval=interval, details=sides.details | {"bins": TENTHS})


def _mean(card: Scorecard, terms: tuple[Sum, Sum], squares: tuple[Sum, Sum], high: float) -> Measurement | Undefined:
    """The mean of terms whose sums over positive and over negative rows are known."""
    sides = probabilities_of(card)
    if isinstance(sides, Undefined):
        return sides
    total = sides.total(*terms)
    interval = mean(sides.rows, total, sides.total(*squares), 0.0, high)
    return Measurement(total / sides.rows, sides.rows, interval=interval, details=_with_sides(sides))


def _with_sides(sides: Sides) -> dict[str, Any]:
    return sides.details | {"positives": sides.positive.rows, "negatives": sides.negative.rows}


def _one_sided(card: Scorecard, sides: Sides) -> Undefined:
    where = "no scored row is labelled" if not sides.positive.rows else "every scored row is labelled"
    return Undefined(f"{where} {card.positive!r}; {card.known_classes}")
