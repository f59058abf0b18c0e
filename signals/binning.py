"""Which bins are two profiles compared in? A merge of the baseline's fine cells, so that their counts are exact."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

__all__ = ["Binning", "BinningMethod", "comparison_cuts", "requested_edges"]

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


class BinningMethod(StrEnum):
    QUANTILE = "quantile"
    """Equal shares of the baseline: its deciles by default."""
    EQUAL_WIDTH = "equal_width"
    """Equal steps between the baseline's minimum and maximum."""
    MEDIAN_CENTERED = "median_centered"
    """Arize's: steps of a third of the baseline's standard deviation around its median, and two open tails."""
    EDGES = "edges"
    """The user's own edges."""


@dataclass(frozen=True, slots=True)
class Binning:
    """How a numerical column is binned for comparison; the first and the last bin are open-ended.

    Attributes:
        method: where the edges come from.
        bins: how many bins; fewer where edges coincide. Ignored with the user's own edges.
        edges: the user's own edges, in any order, finite.
    """

    method: BinningMethod = BinningMethod.QUANTILE
    bins: int = 10
    edges: tuple[float, ...] = ()


def requested_edges(
    binning: Binning, low: float, high: float, median: float = math.nan, std: float = math.nan
) -> Floats:
    """The edges that a binning asks for, before they are looked for among the fine ones; increasing.

    Put them among the fine edges when bins are fitted, and the comparison bins are exactly as asked.

    Args:
        binning: what is asked; quantiles ask for shares and not for edges, so for them the answer is empty.
        low: the baseline's least value, NaN where it has none; steps that have no width ask for nothing.
        high: its greatest value.
        median: its median; only `MEDIAN_CENTERED` needs it.
        std: its sample standard deviation; only `MEDIAN_CENTERED` needs it.
    """
    if binning.method is BinningMethod.EDGES:
        return np.unique(np.asarray(binning.edges, np.float64))
    if binning.method is BinningMethod.EQUAL_WIDTH:
        return _steps(_equal_steps(low, high, binning.bins)) if low < high else np.zeros(0)
    if binning.method is BinningMethod.MEDIAN_CENTERED:
        return _steps(_steps_around(median, std / 3, binning.bins)) if std > 0 else np.zeros(0)
    return np.zeros(0)


def comparison_cuts(binning: Binning, edges: Floats, baseline: Counts, requested: Floats) -> Counts:
    """Which fine edges bound the comparison bins: increasing indices into `edges`.

    Args:
        binning: what is asked.
        edges: float64[cells - 1], the fine edges.
        baseline: int64[cells], the baseline's counts.
        requested: what `requested_edges` answered.
    """
    if not len(edges):
        return np.zeros(0, np.int64)
    # A baseline in one cell has no width to step along. Its quantiles are that cell's edges, so it gets a bin of its
    # own, and any other value is seen.
    single = np.count_nonzero(baseline) == 1 and binning.method is not BinningMethod.EDGES
    if binning.method is BinningMethod.QUANTILE or single:
        below = np.cumsum(baseline)[:-1] / max(1, int(baseline.sum()))
        return _nearest(below, np.arange(1, binning.bins) / binning.bins)
    return _nearest(edges, requested)


def _equal_steps(low: float, high: float, bins: int) -> Floats:
    along = np.arange(1, bins) / bins
    return low * (1 - along) + high * along  # not low + along * (high - low): the difference may overflow


def _steps_around(median: float, step: float, bins: int) -> Floats:
    return np.asarray(median + (np.arange(bins - 1) - (bins - 2) / 2) * step, np.float64)


def _steps(steps: Floats) -> Floats:
    return np.unique(steps[np.isfinite(steps)])


def _nearest(increasing: Floats, wanted: Floats) -> Counts:
    """The indices of the elements nearest to the wanted ones, each once; the first of equal elements."""
    with np.errstate(over="ignore"):
        gaps = np.abs(increasing[np.newaxis, :] - wanted[:, np.newaxis])
    return np.unique(gaps.argmin(axis=1)).astype(np.int64)
