"""How bins are fitted to a baseline, once: from its survey, which is a scan with cells that are still to be made.

Numbers get about a hundred fine cells with edges at the quantiles of a bounded sample, finer in the tails, the exact
minimum and maximum, and a cell of their own for heavy values; categories the most frequent values.
"""

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from signals.bins import LISTS, SHORTEST, Bins, CategoricalBins, NumericBins, ValueType, VectorBins
from signals.catalogue import Kind
from signals.kernel import ScannedColumn
from signals.profile import CategoricalProfile, NumericProfile, Profile, most_frequent

__all__ = ["SAMPLE_SIZE", "fit_bins", "surveyed_column"]

SAMPLE_SIZE = 20_000
QUANTILE_CELLS = 128
TAILS = (0.001, 0.002, 0.004)
HEAVY = 1 / 256
"""The share of the sample from which on a single value has a cell of its own."""
FEW_INTEGERS = 20
"""An integer column with at most this many distinct values in the baseline is categorical."""

Floats = npt.NDArray[np.float64]


def surveyed_column(name: str, value_type: ValueType, kind: Kind | None, max_categories: int) -> ScannedColumn:
    """How a column is counted before its bins exist: in one cell, or with no vocabulary; lists by their lengths.

    Args:
        name: the column's name in the data.
        value_type: what its values are in the baseline.
        kind: how the user wants it read; None leaves it to the rule of `fit_bins`.
        max_categories: how many categories the vocabulary may have.
    """
    if value_type in LISTS:
        return ScannedColumn(name, NumericBins(value_type, np.zeros(0), np.nan, np.nan))
    text = value_type in (ValueType.STRING, ValueType.BOOLEAN)
    if kind is Kind.CATEGORICAL or (kind is None and text):
        return ScannedColumn(name, CategoricalBins(value_type, ()), named=max_categories + 1)  # one more tells more
    value_type = ValueType.DOUBLE if text else value_type
    return ScannedColumn(name, NumericBins(value_type, np.zeros(0), np.nan, np.nan), FEW_INTEGERS, estimate=False)


def fit_bins(
    surveyed: Profile,
    sample: Floats,
    kind: Kind | None = None,
    max_categories: int = 1000,
    edges: Iterable[float] = (),
) -> Bins:
    """The bins of a surveyed column.

    A column of integers with at most 20 distinct values is categorical, unless `kind` says otherwise; other numbers,
    dates and timestamps are numerical, text and booleans categorical.

    Args:
        surveyed: the baseline's profile in a single cell (numbers) or with no vocabulary (categories).
        sample: some of its numbers, any order; only used for numerical bins.
        kind: how the user wants the column read, None for the rule.
        max_categories: how many categories the vocabulary may have.
        edges: further edges that comparisons will ask for.
    """
    if isinstance(surveyed, CategoricalProfile):
        return _vocabulary(surveyed, max_categories)
    assert isinstance(surveyed, NumericProfile)
    if surveyed.bins.value_type is ValueType.VECTOR:
        return VectorBins(_common_length(surveyed, sample))
    if surveyed.bins.value_type is ValueType.LIST:
        edges = [*edges, SHORTEST]
    few = surveyed.distinct is not None and 0 < len(surveyed.distinct.values) <= FEW_INTEGERS
    if kind is None and few and surveyed.bins.value_type is ValueType.INTEGER and surveyed.distinct is not None:
        integers = sorted(int(float(value)) for value in surveyed.distinct.values)
        return CategoricalBins(ValueType.INTEGER, tuple(map(str, integers)))
    return _cells(surveyed, sample, edges)


def _vocabulary(surveyed: CategoricalProfile, max_categories: int) -> CategoricalBins:
    seen = surveyed.unseen
    complete = len(seen) <= max_categories
    # Most frequent first, ties by name: most_frequent alone leaves a short vocabulary in the data's order.
    ordered = sorted(most_frequent(seen, max_categories), key=lambda value: (-seen[value], value))
    return CategoricalBins(surveyed.bins.value_type, tuple(ordered), complete)


def _cells(surveyed: NumericProfile, sample: Floats, edges: Iterable[float]) -> NumericBins:
    value_type = surveyed.bins.value_type
    if surveyed.low > surveyed.high:
        return NumericBins(value_type, np.array(sorted(edges), np.float64), np.nan, np.nan)
    low, high = surveyed.low, surveyed.high
    sample = np.sort(sample[np.isfinite(sample)]) + 0.0
    found = [low, _after(high, value_type), *edges]
    center = low
    if len(sample):
        center = float(sample[len(sample) // 2])
        shares = [*np.arange(1, QUANTILE_CELLS) / QUANTILE_CELLS, *TAILS, *(1 - share for share in TAILS)]
        found += np.quantile(sample, shares, method="inverted_cdf").tolist()
        for value in _heavy(sample):
            found += [value, _after(value, value_type)]
    found = np.unique(np.array(found) + 0.0)
    return NumericBins(value_type, found[np.isfinite(found)], low, high, center)  # after the largest double is none


def _heavy(sample: Floats) -> list[float]:
    values, counts = np.unique(sample, return_counts=True)
    return values[counts > HEAVY * len(sample)].tolist()


def _common_length(surveyed: NumericProfile, sample: Floats) -> int:
    """How long vectors are, or most of them; 0 where no length is that of more than half of them."""
    if surveyed.low == surveyed.high:
        return int(surveyed.low)
    lengths, counts = np.unique(sample, return_counts=True)
    return int(lengths[counts.argmax()]) if len(sample) and 2 * counts.max() > len(sample) else 0


def _after(value: float, value_type: ValueType) -> float:
    """Where the values after this one begin: between two integers there are none."""
    following = math.nextafter(value, math.inf)
    whole = value_type in (ValueType.INTEGER, ValueType.LIST)
    return max(value + 1.0, following) if whole else following
