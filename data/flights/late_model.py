"""Will the flight arrive more than 15 minutes late, and by how many minutes?

Two ridge regressions on one design matrix, in numpy alone: logistic for `score`, linear for
`predicted_minutes_late`. Everything that the matrix needs (levels, means, spreads) is frozen when fitted,
so a destination or a carrier that comes later is an all-zero row of its block, and a warm day is far out on
an axis that a winter has drawn. That is the decay which this sample data is for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

CATEGORIES = ("carrier", "origin", "dest", "weekday")
HOUR_KNOTS = (9, 12, 15, 18, 20)
PRODUCTS = (
    ("hour", "temperature"),
    ("hour", "wind_speed"),
    ("hour", "rain"),
    ("hour", "visibility"),
    ("hour", "pressure"),
    ("hour", "distance"),
    ("wind_speed", "visibility"),
    ("wind_speed", "rain"),
)
# Three spreads are as far as a standardised number may pull: one broken sensor shall not decide a score.
FARTHEST = 3.0
SCORE_DECIMALS = 4
MINUTES_DECIMALS = 1


@dataclass(frozen=True)
class Encoding:
    """What the design matrix remembers of the rows it was fitted on."""

    levels: dict[str, NDArray[np.object_]]
    mean: pd.Series
    spread: pd.Series

    @classmethod
    def of(cls, features: pd.DataFrame) -> Encoding:
        numbers = _numbers(features)
        levels = {name: np.array(sorted(features[name].unique()), dtype=object) for name in CATEGORIES}
        return cls(levels, numbers.mean(), numbers.std(ddof=0))

    def matrix(self, features: pd.DataFrame) -> Floats:
        """Rows x columns: intercept, one-hot blocks, standardised numbers, products, missing flags."""
        standard = ((_numbers(features) - self.mean) / self.spread).clip(-FARTHEST, FARTHEST).fillna(0.0)
        return np.column_stack(
            [
                np.ones(len(features)),
                *(features[name].to_numpy(object)[:, None] == known for name, known in self.levels.items()),
                standard.to_numpy(),
                *(standard[a] * standard[b] for a, b in PRODUCTS),
                features[["pressure", "wind_direction", "wind_gust"]].isna().to_numpy(),
            ]
        ).astype(np.float64)


def _numbers(features: pd.DataFrame) -> pd.DataFrame:
    """The numbers that are standardised; what is missing stays missing, but no gust is a gust of zero."""
    direction = np.deg2rad(features["wind_direction"])
    plain = features[["hour", "distance", "temperature", "wind_speed", "visibility", "pressure"]]
    late_hours = {f"hour_after_{knot}": (features["hour"] - knot).clip(lower=0) for knot in HOUR_KNOTS}
    return plain.assign(
        rain=np.sqrt(features["precipitation"]),
        gust=features["wind_gust"].fillna(0.0),
        wind_east=features["wind_speed"] * np.sin(direction),
        wind_north=features["wind_speed"] * np.cos(direction),
        **late_hours,
    )


@dataclass(frozen=True)
class LateModel:
    """A fitted model: `predicted_late` is 1 where the rounded score reaches the threshold."""

    encoding: Encoding
    late_weights: Floats
    minutes_weights: Floats
    threshold: float

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        matrix = self.encoding.matrix(features)
        score = _sigmoid(matrix @ self.late_weights).round(SCORE_DECIMALS)
        return pd.DataFrame(
            {
                "predicted_late": (score >= self.threshold).astype(np.int32),
                "score": score,
                "predicted_minutes_late": (matrix @ self.minutes_weights).round(MINUTES_DECIMALS),
            },
            index=features.index,
        )


def fit(features: pd.DataFrame, late: Floats, minutes_late: Floats, ridge: float) -> LateModel:
    """Fit both regressions; the threshold makes the share predicted late equal the share that was late."""
    encoding = Encoding.of(features)
    matrix = encoding.matrix(features)
    late_weights = _logistic(matrix, late, ridge)
    score = _sigmoid(matrix @ late_weights).round(SCORE_DECIMALS)
    return LateModel(
        encoding=encoding,
        late_weights=late_weights,
        minutes_weights=_linear(matrix, minutes_late, ridge),
        threshold=float(np.quantile(score, 1 - late.mean()).round(SCORE_DECIMALS)),
    )


def _sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def _penalty(columns: int, ridge: float) -> Floats:
    """Ridge on every weight but the intercept, so that the mean prediction equals the mean outcome."""
    return np.concatenate([[0.0], np.full(columns - 1, ridge)])


def _linear(matrix: Floats, target: Floats, ridge: float) -> Floats:
    return np.linalg.solve(matrix.T @ matrix + np.diag(_penalty(matrix.shape[1], ridge)), matrix.T @ target)


def _logistic(matrix: Floats, target: Floats, ridge: float, steps: int = 6) -> Floats:
    """Newton's method; from a flat start these data need five steps, the others cost little."""
    penalty = _penalty(matrix.shape[1], ridge)
    weights = np.zeros(matrix.shape[1])
    for _ in range(steps):
        chance = _sigmoid(matrix @ weights)
        gradient = matrix.T @ (target - chance) - penalty * weights
        curvature = (matrix.T * (chance * (1 - chance))) @ matrix + np.diag(penalty)
        weights = weights + np.linalg.solve(curvature, gradient)
    return weights
