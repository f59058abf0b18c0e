"""The whole catalogue: importing this module declares every metric there is."""

from signals import (
    attributions,
    categories,
    chi_squared,
    classification,
    coverage,
    datasets,
    drift,
    fairness,
    kolmogorov_smirnov,
    multi_class,
    quality,
    ranking,
    regression,
    scores,
    summaries,
    wasserstein,
)
from signals.catalogue import METRICS

__all__ = [
    "METRICS",
    "attributions",
    "categories",
    "chi_squared",
    "classification",
    "coverage",
    "datasets",
    "drift",
    "fairness",
    "kolmogorov_smirnov",
    "multi_class",
    "quality",
    "ranking",
    "regression",
    "scores",
    "summaries",
    "wasserstein",
]
