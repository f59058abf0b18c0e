"""Profiles by the plainest counting there is, so that tests of metrics do not depend on the kernel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pytest

from signals.binning import Binning, requested_edges
from signals.bins import CategoricalBins, NumericBins, ValueType
from signals.catalogue import Kind
from signals.change import Change
from signals.distinct import Distinct
from signals.fitting import fit_bins
from signals.profile import CategoricalProfile, NumericProfile


class Profiles:
    """Makes bins, profiles and changes from raw values; None and NaN are nulls."""

    def bins(
        self, values: npt.ArrayLike, value_type: ValueType = ValueType.DOUBLE, edges: Iterable[float] = ()
    ) -> NumericBins:
        x = np.asarray(values, np.float64)
        one_cell = NumericBins(value_type, np.zeros(0), np.nan, np.nan)
        fitted = fit_bins(self.numbers(x, one_cell), x[~np.isnan(x)][:20_000], Kind.NUMERICAL, edges=edges)
        assert isinstance(fitted, NumericBins)
        return fitted

    def numbers(self, values: npt.ArrayLike, bins: NumericBins, unreadable: int = 0) -> NumericProfile:
        x = np.asarray(values, np.float64)
        readable = x[~np.isnan(x)]
        finite = readable[np.isfinite(readable)]
        of_finite = np.searchsorted(bins.edges, finite, side="right")
        return NumericProfile(
            rows=len(x) + unreadable,
            nulls=len(x) - len(readable),
            nans=0,
            unreadable=unreadable,
            counts=np.bincount(np.searchsorted(bins.edges, readable, side="right"), minlength=bins.cells),
            bins=bins,
            sums=np.bincount(of_finite, finite - bins.center, minlength=bins.cells).astype(np.float64),
            squares=float(((finite - bins.center) ** 2).sum()),
            low=float(finite.min()) if len(finite) else np.inf,
            high=float(finite.max()) if len(finite) else -np.inf,
            infinite=len(readable) - len(finite),
        )

    def vocabulary(self, categories: Sequence[str], *, complete: bool = True) -> CategoricalBins:
        return CategoricalBins(ValueType.STRING, tuple(categories), complete)

    def categories(
        self, values: Iterable[str | None], bins: CategoricalBins, unreadable: int = 0
    ) -> CategoricalProfile:
        values = list(values)
        counted = Counter(value for value in values if value is not None)
        unseen = {value: count for value, count in counted.items() if value not in bins.categories}
        known = [counted[category] for category in bins.categories]
        return CategoricalProfile(
            rows=len(values) + unreadable,
            nulls=values.count(None),
            nans=0,
            unreadable=unreadable,
            counts=np.array([*known, sum(unseen.values())], np.int64),
            distinct=Distinct.of(unseen),
            bins=bins,
            unseen=unseen,
        )

    def change(
        self,
        current: npt.ArrayLike,
        baseline: npt.ArrayLike,
        value_type: ValueType = ValueType.DOUBLE,
        binning: Binning | None = None,
        nulls: str = "bin",
        seed: int = 0,
    ) -> Change:
        """A change of a number, with bins fitted to the baseline and its requested edges among them."""
        baseline, binning = np.asarray(baseline, np.float64), binning or Binning()
        finite = baseline[np.isfinite(baseline)]
        asked = np.zeros(0)
        if len(finite) > 1:
            asked = requested_edges(binning, finite.min(), finite.max(), float(np.median(finite)), finite.std(ddof=1))
        bins = self.bins(baseline, value_type, asked)
        return Change(self.numbers(current, bins), self.numbers(baseline, bins), binning, nulls, seed)

    def change_of_categories(
        self, current: Iterable[str | None], baseline: Iterable[str | None], nulls: str = "bin", seed: int = 0
    ) -> Change:
        """A change of a category, with the baseline's vocabulary."""
        baseline = list(baseline)
        bins = self.vocabulary(sorted({value for value in baseline if value is not None}))
        return Change(self.categories(current, bins), self.categories(baseline, bins), nulls=nulls, seed=seed)


@pytest.fixture(scope="session")
def profiles() -> Profiles:
    """A session's fixture, so that Hypothesis may use it with many examples."""
    return Profiles()
