"""What is said with a distance besides its value: rows, chance, and which bins carried it."""

from typing import Any

import numpy as np
import numpy.typing as npt

from signals.chance import Chance
from signals.change import Change
from signals.measurement import Contribution, Measurement

__all__ = ["measured"]

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def measured(
    change: Change,
    value: float,
    chance: Chance,
    *,
    bins: list[str],
    counts: tuple[Counts, Counts],
    terms: Floats,
    **details: Any,
) -> Measurement:
    """A distance with its evidence.

    Args:
        change: what was compared.
        value: the distance; finite.
        chance: what it would be by chance.
        bins: the k bins' names.
        counts: int64[k] of the current and of the baseline rows that take part.
        terms: float64[k], the bins' terms of the distance.
        details: further evidence by name.
    """
    current, baseline = counts
    return Measurement(
        value=value,
        rows=int(current.sum()),
        baseline_rows=int(baseline.sum()),
        p_value=chance.p_value,
        expected_p95=chance.expected_p95,
        contributions=_contributions(bins, current, baseline, terms),
        details={**change.details, **details, "p_value_method": chance.method},
    )


def _contributions(bins: list[str], current: Counts, baseline: Counts, terms: Floats) -> tuple[Contribution, ...]:
    """Largest first; bins with the same term keep their order."""
    p, q = current / current.sum(), baseline / baseline.sum()
    order: list[int] = np.argsort(-terms, kind="stable").tolist()
    return tuple(Contribution(bins[i], float(p[i]), float(q[i]), float(terms[i])) for i in order)
