"""The area under the precision-recall curve (average precision) from binned scores, and how far off it may be.

A bin whose scores are all the same is one step of the curve, as in scikit-learn's `average_precision_score`. In any
other bin rows are taken as evenly mixed, so precision runs from its value above the bin to the one below (Davis &
Goadrich 2006); but where more than a hundredth of all rows share so narrow a bin, most of them have the same score.
"""

import numpy as np
import numpy.typing as npt

from signals.intervals import Interval, around_share, wilson
from signals.two_sides import Sides

__all__ = ["area", "area_interval"]

HEAVY = 0.01
"""The share of rows from which a bin is one step."""

Floats = npt.NDArray[np.float64]


def area(sides: Sides) -> float:
    """Mean over the positive rows of the precision at their score."""
    positives = sides.positives[::-1]
    return float(positives @ _precision(sides) / positives.sum())


def area_interval(sides: Sides, value: float) -> Interval:
    """Delta method, from each row's influence on the area; on the logit scale, so that it stays in [0, 1].

    A row's score moves the precision at its own place, and at all places below. Where rows tell nothing about the
    variance (an area of 1), the area is taken as a proportion of the positive rows (Boyd et al. 2013).
    """
    positives, negatives = sides.positives[::-1], sides.negatives[::-1]
    rows, total = float(positives.sum() + negatives.sum()), float(positives.sum())
    hits, all_above = np.cumsum(positives), np.cumsum(positives + negatives)
    # What one more positive, or negative, row above a place does to the areas of that place and those below.
    gain = _from_below(positives * (all_above - hits) / all_above**2) / total
    loss = _from_below(positives * hits / all_above**2) / total
    of_positive = (_precision(sides) - value) / total + gain
    variance = float(positives @ of_positive**2 + negatives @ loss**2)
    return (around_share(value, variance) if rows > total else None) or wilson(value * total, total)


def _precision(sides: Sides) -> Floats:
    """float64[k]: the precision at which the rows of each bin are found, highest scores first."""
    p, n = sides.positives[::-1], sides.negatives[::-1]
    size = p + n
    hits, above = np.cumsum(p), np.cumsum(size)
    step = hits / above
    mixed = ~sides.tie[::-1] & (size <= HEAVY * above[-1]) & (above > size)
    slope, before, start = p[mixed] / size[mixed], above[mixed] - size[mixed], hits[mixed] - p[mixed]
    # The mean of (start + slope·x) / (before + x) for x from 0 to the bin's size.
    step[mixed] = slope + (start - before * slope) / size[mixed] * np.log1p(size[mixed] / before)
    return step


def _from_below(terms: Floats) -> Floats:
    return np.cumsum(terms[::-1])[::-1]
