"""Where do an embedding's vectors lie on average, and how far apart would chance put two such means?

Under no change the difference of two means of n and m vectors is about normal, with covariance (1/n + 1/m) Σ. Its
squared length, over the mean of what it is by chance, (1/n + 1/m) tr Σ, is about F distributed with ν and νf degrees of
freedom: ν = (tr Σ)² / tr Σ² is how many dimensions really vary, f = n + m − 2 (Box, Some Theorems on Quadratic Forms
Applied in the Study of Analysis of Variance Problems, 1954). It is exact for one dimension, where it is Student's t,
and for dimensions that are alike.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from signals.chance import ALPHA
from signals.change import Change
from signals.covariance_sketch import SecondMoments, Sketcher
from signals.measurement import Undefined
from signals.profile import VectorProfile

__all__ = ["Means", "Noise", "means_of", "noise_of"]

ENOUGH = 30
"""With fewer vectors than this on either side nobody knows how their mean is distributed."""
ALIKE = 1e-9
"""A variance smaller than this share of the mean square is what rounding left."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Means:
    """The mean vectors of both sides, float64[dimensions], and the profiles that they are of."""

    current: Floats
    baseline: Floats
    profiles: tuple[VectorProfile, VectorProfile]

    @property
    def rows(self) -> tuple[int, int]:
        """How many vectors each is the mean of."""
        return self.profiles[0].valid, self.profiles[1].valid


@dataclass(frozen=True)
class Noise:
    """How vectors vary about the mean of their side, both sides pooled.

    Attributes:
        trace: the sum of the dimensions' variances.
        effective: how many dimensions really vary: of as many that vary alike and on their own chance is the same.
        freedom: f, the degrees of freedom of the estimate.
        moments: the covariance matrix, as far as its sketch tells.
        scale: 1/n + 1/m.
    """

    trace: float
    effective: float
    freedom: int
    moments: SecondMoments
    scale: float

    def p_value(self, squared: float, share: float = 1.0) -> float:
        """The chance of a squared distance this large, in a subspace that has this share of the variance."""
        ratio = squared / (share * self.trace * self.scale)
        return float(special.fdtrc(self.effective, self.effective * self.freedom, ratio))

    def percentile_95(self, share: float = 1.0) -> float:
        """The squared distance that chance exceeds one time in twenty."""
        ratio = float(special.fdtri(self.effective, self.effective * self.freedom, 1 - ALPHA))
        return ratio * share * self.trace * self.scale

    def share_along(self, direction: Floats) -> float:
        """The share of the variance that lies along a direction of length 1, in [0, 1]; give or take a few percent."""
        along = SecondMoments(Sketcher(len(direction)).products(direction[np.newaxis]))
        return min(1.0, max(0.0, self.moments.inner(along) / self.trace))


def means_of(change: Change) -> Means | Undefined:
    """Both mean vectors, or why there are none."""
    current, baseline = change.current, change.baseline
    if not isinstance(current, VectorProfile) or not isinstance(baseline, VectorProfile):
        return Undefined("the values are no vectors")
    found: list[Floats] = []
    for profile, where in ((current, "the window"), (baseline, "the baseline")):
        if profile.rows == 0:
            return Undefined(f"{where} has no rows")
        if not profile.bins.dimensions:
            return _no_dimensions(baseline)
        if not profile.valid:
            return Undefined(f"{where} has no vectors: {_why_none(profile)}")
        mean = profile.total / profile.valid
        if not np.isfinite(mean).all():
            return Undefined("the vectors are too large to be added up")
        found.append(mean)
    return Means(found[0], found[1], (current, baseline))


def _no_dimensions(baseline: VectorProfile) -> Undefined:
    if not baseline.unreadable:
        return Undefined("the baseline had no vectors when its bins were made, so their length is not known")
    return Undefined("the baseline's lists have no length in common, so they are no embedding")


def _why_none(profile: VectorProfile) -> str:
    return f"{profile.nulls:,} are null, {profile.unreadable:,} of another length or not all numbers"


def noise_of(means: Means) -> Noise | str:
    """What chance does to these means, or why that cannot be told."""
    n, m = means.rows
    if min(n, m) < ENOUGH:
        return f"fewer than {ENOUGH} vectors on one side"
    freedom = n + m - 2
    sides = list(zip(means.profiles, (means.current, means.baseline), strict=True))
    with np.errstate(over="ignore", invalid="ignore"):
        squares = sum(profile.squares for profile, _ in sides)
        trace = (squares - sum(profile.valid * float(mean @ mean) for profile, mean in sides)) / freedom
        sketcher = Sketcher(len(means.current))
        about = [profile.sketch - profile.valid * sketcher.products(mean[np.newaxis]) for profile, mean in sides]
        moments = SecondMoments((about[0] + about[1]) / freedom)
        concentration = moments.inner(moments) / trace**2 if trace else math.inf
    if not trace > ALIKE * squares / (n + m):
        return "the vectors do not vary"
    if not math.isfinite(concentration):
        return "the vectors are too large to be squared"
    share = _without_sampling(concentration, freedom)
    return Noise(trace, 1 / min(1.0, max(1 / len(means.current), share)), freedom, moments, 1 / n + 1 / m)


def _without_sampling(concentration: float, freedom: int) -> float:
    """What tr Σ² / (tr Σ)² is, when it is so much in a sample, where it is larger: Bai & Saranadasa, 1996."""
    return (concentration - 1 / freedom) / (1 + 1 / freedom - 2 * concentration / freedom)
