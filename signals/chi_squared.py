"""Could both samples have been drawn from the same shares? Pearson's test of a 2×k contingency table."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from signals.catalogue import Bad, Family, metric
from signals.chance import of_draws, of_test
from signals.change import Change
from signals.evidence import measured
from signals.measurement import Measurement, Undefined

__all__ = ["Table", "contingency_table", "pearsons_chi_squared_test"]

LEAST_EXPECTED = 5
Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Table:
    """A contingency table.

    Attributes:
        names: the cells' names.
        current, baseline: int64[cells], its two rows.
        pooled: the names of the rare bins, which were pooled into the last cell.
        place: intp[k], the cell of each of the change's bins; -1 for one that is empty on both sides.
    """

    names: list[str]
    current: Counts
    baseline: Counts
    pooled: list[str]
    place: npt.NDArray[np.intp]

    @property
    def terms(self) -> Floats:
        """float64[cells]: each cell's part of the statistic."""
        return _terms(self.current, self.baseline)

    @property
    def freedom(self) -> int:
        """Degrees of freedom."""
        return len(self.current) - 1

    @property
    def all_rare(self) -> bool:
        """Whether pooling would have left a single cell, so that nothing was pooled."""
        return self.names == self.pooled


@metric(
    "pearsons_chi_squared_test", aliases=("chi_squared_test", "PearsonsChiSquaredTest"), family=Family.DRIFT,
    bad=Bad.LOWER, unit="p-value", range=(0.0, 1.0), source="Pearson, 1900; scipy.stats.chi2_contingency",
)  # fmt: skip
def pearsons_chi_squared_test(change: Change) -> Measurement | Undefined:
    """The p-value of the two-sample chi-squared test; bins that expect fewer than 5 rows are pooled."""
    if change.trouble:
        return change.trouble
    table = contingency_table(change)
    terms = table.terms
    statistic = float(terms.sum())
    p_value, method = _p_value(change, table, statistic)
    return measured(
        change,
        p_value,
        of_test(p_value, method),
        bins=table.names,
        counts=(table.current, table.baseline),
        terms=terms,
        statistic=statistic,
        df=table.freedom,
        pooled_bins=table.pooled,
    )


def _p_value(change: Change, table: Table, statistic: float) -> tuple[float, str]:
    if table.all_rare:
        return of_draws(statistic, _terms(*change.draws).sum(axis=-1)).p_value, "simulation"
    if not table.freedom:
        return 1.0, "closed form"
    return float(special.chdtrc(table.freedom, statistic)), "closed form"


def contingency_table(change: Change) -> Table:
    """The bins as a table without empty columns, with the rare bins as one.

    A bin that is empty on both sides expects no rows: nothing can be drawn from it, so it is left out.
    """
    current, baseline = change.counts
    rare = _rare(current, baseline)
    kept = (current + baseline > 0) & ~rare
    names = [name for name, keep in zip(change.bins, kept, strict=True) if keep]
    pooled = [name for name, is_rare in zip(change.bins, rare, strict=True) if is_rare]
    if not pooled:
        return Table(names, current[kept], baseline[kept], pooled, _place(kept))
    if not names:  # too few rows for the approximation by chi-squared: the p-value is simulated instead
        return Table(pooled, current[rare], baseline[rare], pooled, _place(rare))
    return Table(
        [*names, f"{len(pooled)} rare bins"],
        np.append(current[kept], current[rare].sum()),
        np.append(baseline[kept], baseline[rare].sum()),
        pooled,
        np.where(rare, len(names), _place(kept)),
    )


def _place(chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    return np.where(chosen, np.cumsum(chosen) - 1, -1)


def _rare(current: Counts, baseline: Counts) -> npt.NDArray[np.bool_]:
    """The bins to pool: those that expect too few rows, and, while these expect too few together, the next rarest."""
    n, m = int(current.sum()), int(baseline.sum())
    expected = (current + baseline) * (min(n, m) / (n + m))
    drawable = expected > 0
    rare = drawable & (expected < LEAST_EXPECTED)
    while rare.any() and expected[rare].sum() < LEAST_EXPECTED and (drawable & ~rare).any():
        rare[np.where(drawable & ~rare, expected, np.inf).argmin()] = True
    return rare


def _terms(current: Counts, baseline: Counts) -> Floats:
    """float64[..., k]: each bin's part of the statistic; with one degree of freedom corrected as scipy does (Yates)."""
    n, m = current.sum(axis=-1, keepdims=True), baseline.sum(axis=-1, keepdims=True)
    pooled = current + baseline
    expected = pooled * (n / (n + m))
    gap = np.abs(current - expected)
    if pooled.shape[-1] == 2:
        gap = np.maximum(gap - np.minimum(0.5, gap), 0.0)
    # (c − E)² is the same in both rows of the table; only the expected counts differ.
    weight = np.divide(1.0 + n / m, expected, out=np.zeros(gap.shape), where=expected > 0)
    return gap**2 * weight
