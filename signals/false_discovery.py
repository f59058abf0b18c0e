"""Which of many p-values still count when so many were asked? Benjamini-Hochberg."""

from collections.abc import Sequence

import numpy as np

__all__ = ["q_values"]


def q_values(p_values: Sequence[float | None]) -> list[float | None]:
    """The share of false discoveries if this p-value and all smaller ones were called discoveries.

    Benjamini & Hochberg, Controlling the False Discovery Rate, 1995; `scipy.stats.false_discovery_control`.

    Args:
        p_values: one per group of a signal, in [0, 1]; None where a group has none: it takes no part.

    Returns:
        One q-value for each p-value, in the same order; never less than the p-value.
    """
    known = [i for i, p_value in enumerate(p_values) if p_value is not None]
    p = np.array([p_values[i] for i in known], np.float64)
    order = np.argsort(p)
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    least_above = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    answer: list[float | None] = [None] * len(p_values)
    for place, q in zip(order, least_above, strict=True):
        answer[known[int(place)]] = float(q)
    return answer
