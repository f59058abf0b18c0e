"""The whole catalogue: importing this module declares every metric there is."""

from signals import categories, chi_squared, datasets, drift, kolmogorov_smirnov, quality, summaries, wasserstein
from signals.catalogue import METRICS

__all__ = [
    "METRICS", "categories", "chi_squared", "datasets", "drift", "kolmogorov_smirnov", "quality", "summaries",
    "wasserstein",
]  # fmt: skip
