"""How far has a column's distribution moved, bin by bin?

Distances and a test between the shares of two samples in the same bins: numbers and categories alike, nulls included.
"""

from signals.catalogue import Bad, Family, metric
from signals.chance import Chance, of_draws, of_psi
from signals.change import Change
from signals.distances import CHEBYSHEV, HELLINGER, JENSEN_SHANNON, KULLBACK_LEIBLER, PSI, TOTAL_VARIATION, Distance
from signals.evidence import measured
from signals.measurement import Measurement, Undefined

__all__ = [
    "chebyshev_distance", "hellinger_distance", "jensen_shannon_distance", "kl_divergence",
    "population_stability_index", "total_variation_distance",
]  # fmt: skip

INFINITY = float("inf")


@metric(
    "population_stability_index", aliases=("psi",), family=Family.DRIFT, bad=Bad.HIGHER, unit="nats",
    range=(0.0, INFINITY), source="Siddiqi, Credit Risk Scorecards, 2006; smoothing by Jeffreys' prior",
)  # fmt: skip
def population_stability_index(change: Change) -> Measurement | Undefined:
    """Σ (p − q) ln(p / q), with half a row added to every bin."""
    return _measured(change, PSI)


@metric(
    "kl_divergence", aliases=("kl",), family=Family.DRIFT, bad=Bad.HIGHER, unit="nats", range=(0.0, INFINITY),
    source="Kullback & Leibler, On Information and Sufficiency, 1951; smoothing by Jeffreys' prior",
)  # fmt: skip
def kl_divergence(change: Change) -> Measurement | Undefined:
    """Σ p ln(p / q), with half a row added to every bin."""
    return _measured(change, KULLBACK_LEIBLER)


@metric(
    "jensen_shannon_distance", aliases=("js", "JensenShannonDistance"), family=Family.DRIFT, bad=Bad.HIGHER,
    unit="distance", range=(0.0, 1.0), source="Lin, 1991; Endres & Schindelin, 2003",
)  # fmt: skip
def jensen_shannon_distance(change: Change) -> Measurement | Undefined:
    """The square root of the Jensen-Shannon divergence in bits."""
    return _measured(change, JENSEN_SHANNON)


@metric(
    "hellinger_distance", family=Family.DRIFT, bad=Bad.HIGHER, unit="distance", range=(0.0, 1.0),
    source="Hellinger, 1909",
)  # fmt: skip
def hellinger_distance(change: Change) -> Measurement | Undefined:
    """√(½ Σ (√p − √q)²)."""
    return _measured(change, HELLINGER)


@metric(
    "total_variation_distance", family=Family.DRIFT, bad=Bad.HIGHER, unit="share", range=(0.0, 1.0),
    source="Levin, Peres & Wilmer, Markov Chains and Mixing Times, 2009, chapter 4",
)  # fmt: skip
def total_variation_distance(change: Change) -> Measurement | Undefined:
    """½ Σ |p − q|: the share of rows that would have to move to another bin."""
    return _measured(change, TOTAL_VARIATION)


@metric(
    "chebyshev_distance", family=Family.DRIFT, bad=Bad.HIGHER, unit="share", range=(0.0, 1.0),
    source="scipy.spatial.distance.chebyshev",
)  # fmt: skip
def chebyshev_distance(change: Change) -> Measurement | Undefined:
    """The maximum of |p − q|: the largest change of any bin's share."""
    return _measured(change, CHEBYSHEV)


def _measured(change: Change, distance: Distance) -> Measurement | Undefined:
    if change.trouble:
        return change.trouble
    current, baseline = change.counts
    terms = distance.terms(current, baseline)
    value = float(distance.total(terms))
    chance = _psi_in_closed_form(change, value) if distance is PSI else None
    chance = chance or of_draws(value, distance.between(*change.draws))
    return measured(change, value, chance, bins=change.bins, counts=change.counts, terms=terms)


def _psi_in_closed_form(change: Change, value: float) -> Chance | None:
    current, baseline = change.counts
    pooled = (current + baseline) / (current.sum() + baseline.sum())
    still = PSI.terms(pooled * current.sum(), pooled * baseline.sum())
    return of_psi(value, still, current, baseline)
