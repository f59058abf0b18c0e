"""What one column looks like now beside what it looked like in the baseline, in the same bins."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from signals.bin_names import NULL, category_names, interval_names
from signals.binning import Binning, BinningMethod, comparison_cuts, requested_edges
from signals.bins import CategoricalBins, NumericBins
from signals.chance import draw_samples
from signals.measurement import Undefined
from signals.moments import standard_deviation_of
from signals.profile import NumericProfile, Profile
from signals.quantiles import quantile_of

__all__ = ["Change"]

READABLE = "readable"
"""The one bin of vectors, which are not compared by bins."""

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Change:
    """One column's profile and its baseline's, compared in bins that are merged from the frozen fine cells.

    Everything is derived when it is first asked for, and shared by all metrics of the same change.

    Attributes:
        current, baseline: two profiles of the same bins.
        binning: how numbers are binned for comparison; categories are compared one by one, and `other`.
        nulls: ``bin``: rows without a readable value are a bin of their own, always there; ``drop``: left out.
        seed: of the simulation; the same change with the same seed has the same evidence.

    Raises:
        ValueError: when the profiles' bins differ.
    """

    current: Profile
    baseline: Profile
    binning: Binning = field(default_factory=Binning)
    nulls: str = "bin"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.current.bins is not self.baseline.bins and self.current.bins.id != self.baseline.bins.id:
            raise ValueError(
                f"profiles of different bins do not compare: {self.current.bins.id} and {self.baseline.bins.id}"
            )

    @cached_property
    def trouble(self) -> Undefined | None:
        """Why there is nothing to compare; None when there is."""
        for profile, where in ((self.current, "the window"), (self.baseline, "the baseline")):
            if profile.rows == 0:
                return Undefined(f"{where} has no rows")
            if profile.valid == 0 and self.nulls == "drop":
                return Undefined(f"all values are null in {where}, and nulls are left out")
        if self.current.valid == 0 and self.baseline.valid == 0:
            return Undefined("all values are null, in the window and in the baseline")
        return None

    @cached_property
    def numbers(self) -> "tuple[NumericProfile, NumericProfile] | Undefined":
        """Both profiles where both have numbers, or why there are none; nulls are no numbers, whatever `nulls` says."""
        if self.trouble:
            return self.trouble
        if not isinstance(self.current, NumericProfile) or not isinstance(self.baseline, NumericProfile):
            return Undefined("the values are categories, which have no order")
        for profile, where in ((self.current, "the window"), (self.baseline, "the baseline")):
            if profile.valid == 0:
                return Undefined(f"all values are null in {where}")
        return self.current, self.baseline

    @cached_property
    def requested_edges(self) -> Floats:
        """The edges that the binning asks for; empty for quantiles and categories."""
        bins, median, std = self.current.bins, np.nan, np.nan
        if not isinstance(bins, NumericBins) or not isinstance(self.baseline, NumericProfile):
            return np.zeros(0)
        if self.binning.method is BinningMethod.MEDIAN_CENTERED:
            middle, spread = quantile_of(self.baseline, 0.5), standard_deviation_of(self.baseline)
            median = np.nan if isinstance(middle, Undefined) else middle.value
            std = np.nan if isinstance(spread, Undefined) else spread
        return requested_edges(self.binning, bins.low, bins.high, median, std)

    @cached_property
    def cuts(self) -> Counts:
        """The fine edges between comparison bins, as increasing indices; for categories between any two of them."""
        bins = self.current.bins
        if not isinstance(bins, NumericBins):
            return np.arange(bins.cells - 1)
        return comparison_cuts(self.binning, bins.edges, self.baseline.counts, self.requested_edges)

    def merged(self, cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Numbers per fine cell, added up per comparison bin (without the bin of nulls)."""
        return np.add.reduceat(cells, np.concatenate(([0], self.cuts + 1)))

    @cached_property
    def value_bins(self) -> list[str]:
        """The names of the comparison bins that hold values, in order."""
        bins = self.current.bins
        if isinstance(bins, NumericBins):
            return interval_names(bins.edges[self.cuts], bins.value_type)
        return category_names(bins.categories) if isinstance(bins, CategoricalBins) else [READABLE]

    @cached_property
    def bins(self) -> list[str]:
        """The names of all k comparison bins, in order; the bin of nulls is the last."""
        return self.value_bins if self.nulls == "drop" else [*self.value_bins, NULL]

    @cached_property
    def counts(self) -> tuple[Counts, Counts]:
        """int64[k] of the current and of the baseline rows."""
        return self._binned(self.current), self._binned(self.baseline)

    @cached_property
    def draws(self) -> tuple[Counts, Counts]:
        """int64[500, k] twice: samples as they would be if nothing had changed."""
        current, baseline = self.counts
        return draw_samples(current + baseline, int(current.sum()), int(baseline.sum()), self.seed)

    @cached_property
    def details(self) -> dict[str, Any]:
        """How the comparison was made, so that anyone can make it again by hand."""
        details: dict[str, Any] = {"k": len(self.bins), "bins": self.bins, "nulls": self.nulls}
        if isinstance(self.current.bins, NumericBins):
            used = self.current.bins.edges[self.cuts]
            details |= {"binning": str(self.binning.method), "edges": used.tolist()}
            if len(self.requested_edges) and not np.array_equal(self.requested_edges, used):
                details["requested_edges"] = self.requested_edges.tolist()
        return details

    def _binned(self, profile: Profile) -> Counts:
        counts = self.merged(profile.counts)
        return counts if self.nulls == "drop" else np.append(counts, profile.absent)
