"""Do a model's features still matter to it as they did? Importances now against the baseline's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from signals.catalogue import Bad, Family, metric
from signals.importances import Importances, ranks_of
from signals.measurement import Measurement, Undefined
from signals.ranked_lists import RankedLists

__all__ = ["Attributions", "normalized_discounted_cumulative_gain"]

NAMED = 50
"""So many features are named in the evidence, the largest moves first."""


@dataclass(frozen=True, slots=True)
class Attributions:
    """How much the baseline's features matter, now and in the baseline; one that is not there now matters nothing."""

    current: Importances
    baseline: Importances


@metric(
    "normalized_discounted_cumulative_gain",
    family=Family.ATTRIBUTION,
    bad=Bad.LOWER,
    unit="share of the best order's gain",
    range=(0.0, 1.0),
    source="Järvelin & Kekäläinen 2002, Cumulated gain-based evaluation of IR techniques",
    aliases=("NormalizedDiscountedCumulativeGain",),
)
def normalized_discounted_cumulative_gain(found: Attributions) -> Measurement | Undefined:
    """What features mattered in the baseline, discounted by their rank now; 1: the order of importance is the same.

    The baseline's importances are the gains (linear, discounted by log2 of the place + 1, no cut-off), over the gain of
    their own order. Features that matter alike now share the places that they have, as in scikit-learn's `ndcg_score`.
    """
    before = found.baseline.shares
    if len(before) < 2:
        return Undefined("one feature alone has no order" if before else "there are no features")
    now = {name: found.current.shares.get(name, 0.0) for name in before}
    gains = np.array([*before.values()])
    if not gains.any():
        return Undefined("no feature mattered in the baseline")
    lists = RankedLists.of(np.zeros(len(gains), np.int64), np.array([*now.values()]), gains)
    evidence = {**_features(now, before), **_origin(found.current), **_origin(found.baseline, "baseline_")}
    return Measurement(float(lists.ndcg(None)[0]), found.current.rows, found.baseline.rows, details=evidence)


def _features(now: Mapping[str, float], before: Mapping[str, float]) -> dict[str, Any]:
    """Each feature's share of the importance and its rank, now and before; the largest moves first."""
    ranks, ranks_before = ranks_of(now), ranks_of(before)
    moved = sorted(now, key=lambda name: (-abs(now[name] - before[name]), ranks_before[name], name))
    rows = [
        {
            "feature": name,
            "importance": now[name],
            "baseline_importance": before[name],
            "rank": ranks[name],
            "baseline_rank": ranks_before[name],
        }
        for name in moved[:NAMED]
    ]
    return {"features": rows, "more_features": len(moved) - len(rows)}


def _origin(found: Importances, side: str = "") -> dict[str, Any]:
    """How importances were come by."""
    origin = {"method": found.method, "target": found.target, "explained": found.explained}
    return {f"{side}{name}": value for name, value in origin.items() if value is not None}
