"""How far has the mean vector of an embedding moved, or turned?"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from signals.catalogue import Bad, Family, Kind, metric
from signals.chance import Chance
from signals.change import Change
from signals.mean_vectors import Means, Noise, means_of, noise_of
from signals.measurement import Measurement, Undefined

__all__ = ["cosine_similarity", "euclidean_distance"]

EMBEDDING = frozenset({Kind.EMBEDDING})
INFINITY = float("inf")
METHOD = "closed form"
MOST_MOVED = 20
"""How many dimensions evidence names: those that moved most."""
MOST_ALONG = 0.15
"""Where more of the variance than this lies along the mean, what is left of it for turning is not known well."""
MOST_NOISE = 0.1
"""Where a mean's noise is more than this share of its squared length, chance alone turns it anywhere."""

Floats = npt.NDArray[np.float64]


@metric(
    "euclidean_distance", aliases=("euclideanDistance",), family=Family.DRIFT, bad=Bad.HIGHER, unit="the column's",
    range=(0.0, INFINITY), kinds=EMBEDDING, source="numpy.linalg.norm; Arize, drift metrics; chance: Box, 1954",
)  # fmt: skip
def euclidean_distance(change: Change) -> Measurement | Undefined:
    """How far the mean vector of an embedding is from the baseline's."""
    means = means_of(change)
    if isinstance(means, Undefined):
        return means
    with np.errstate(over="ignore"):
        terms = np.square(means.current - means.baseline)
        squared = float(terms.sum())
    if not math.isfinite(squared):
        return Undefined("the vectors are too large to be squared")
    noise = noise_of(means)
    chance = noise if isinstance(noise, str) else _of_distance(squared, noise)
    return _measured(math.sqrt(squared), means, terms, noise, chance)


@metric(
    "cosine_similarity", aliases=("cosineSimilarity",), family=Family.DRIFT, bad=Bad.LOWER, unit="cosine",
    range=(-1.0, 1.0), kinds=EMBEDDING,
    source="1 − scipy.spatial.distance.cosine; Arize, drift metrics; chance: Box, 1954",
)  # fmt: skip
def cosine_similarity(change: Change) -> Measurement | Undefined:
    """The cosine of the angle between the mean vector of an embedding and the baseline's."""
    means = means_of(change)
    if isinstance(means, Undefined):
        return means
    lengths = [float(np.linalg.norm(mean)) for mean in (means.current, means.baseline)]
    for length, where in zip(lengths, ("the window", "the baseline"), strict=True):
        if not length:
            return Undefined(f"the mean vector of {where} is zero, so it has no direction")
        if not math.isfinite(length):
            return Undefined("the vectors are too large to be squared")
    now, before = means.current / lengths[0], means.baseline / lengths[1]
    terms = np.square(now - before) / 2  # they sum up to 1 − cos, and lose no digits of it
    noise = noise_of(means)
    chance = noise if isinstance(noise, str) else _of_angle(float(terms.sum()), now + before, math.prod(lengths), noise)
    return _measured(max(-1.0, 1.0 - float(terms.sum())), means, terms, noise, chance)


def _of_distance(squared: float, noise: Noise) -> Chance:
    return Chance(noise.p_value(squared), math.sqrt(noise.percentile_95()), METHOD)


def _of_angle(gap: float, middle: Floats, lengths: float, noise: Noise) -> Chance | str:
    """The chance of 1 − cos this large.

    Chance turns a mean by what it adds to it across its direction: |a| |b| sin² / cos of the angle between two means is
    about the squared distance between what was added to them.

    Args:
        gap: 1 − cos.
        middle: a vector between both.
        lengths: |a| |b|.
        noise: how vectors vary.
    """
    length = float(np.linalg.norm(middle))
    along = noise.share_along(middle / length) if length else 1.0
    if along > MOST_ALONG:
        return f"more than {MOST_ALONG:.0%} of the vectors' variance lies along their mean"
    across = 1 - along
    if across * noise.trace * noise.scale > MOST_NOISE * lengths:
        return "the mean vectors are too short beside their noise to have a direction"
    cosine = 1 - gap
    p_value = noise.p_value(lengths * gap * (2 - gap) / cosine, across) if cosine > 0 else 0.0
    usual = noise.percentile_95(across) / lengths  # sin² / cos; it is solved for cos
    return Chance(p_value, (math.sqrt(usual**2 + 4) - usual) / 2, METHOD)


def _measured(value: float, means: Means, terms: Floats, noise: Noise | str, chance: Chance | str) -> Measurement:
    told = chance if isinstance(chance, Chance) else None
    details: dict[str, Any] = {
        "dimensions": len(terms),
        "norm": float(np.linalg.norm(means.current)),
        "baseline_norm": float(np.linalg.norm(means.baseline)),
        "moved": _moved(means, terms),
        "p_value_method": told.method if told else f"none: {chance}",
    }
    if isinstance(noise, Noise):
        details["effective_dimensions"] = noise.effective
    rows, baseline_rows = means.rows
    return Measurement(
        value=value,
        rows=rows,
        baseline_rows=baseline_rows,
        p_value=told.p_value if told else None,
        expected_p95=told.expected_p95 if told else None,
        details=details,
    )


def _moved(means: Means, terms: Floats) -> list[list[float]]:
    """``[dimension, mean, baseline's mean, share of the distance]`` of those that moved most; dimensions from 0."""
    total = float(terms.sum())
    most: list[int] = [place for place in np.argsort(-terms, kind="stable")[:MOST_MOVED].tolist() if terms[place]]
    return [
        [place, float(means.current[place]), float(means.baseline[place]), float(terms[place]) / total]
        for place in most
    ]
