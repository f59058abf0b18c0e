"""Will this customer fail to pay next month? A logistic regression, fitted by Newton's method with numpy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

RIDGE = 1.0
STEPS = 25


@dataclass(frozen=True)
class DefaultModel:
    """Weights over `terms`, and the score from which a customer counts as one who will default."""

    weights: np.ndarray
    threshold: float

    def probability(self, who: pd.DataFrame) -> np.ndarray:
        """To four decimals, as it is logged."""
        return (1 / (1 + np.exp(-terms(who) @ self.weights))).round(4)

    def predict(self, who: pd.DataFrame) -> np.ndarray:
        return (self.probability(who) >= self.threshold).astype(np.int64)


def terms(who: pd.DataFrame) -> np.ndarray:
    """The design matrix. A missing PAY_0 counts as 0, a missing limit as a usual one: nobody is turned away."""
    limit = who["LIMIT_BAL"].fillna(120_000.0)
    recent = who["PAY_0"].fillna(0)
    columns = [
        np.ones(len(who)),
        np.clip(recent, 0, 3),
        np.clip(who["PAY_2"], 0, 3),
        np.log(limit) - 11.7,
        np.clip(who["BILL_AMT1"] / limit, 0, 5),
        np.log1p(who["PAY_AMT1"]) / 10,
        (who["AGE"] - 35) / 10,
        who["SEX"] - 1,
        who["EDUCATION"].eq(1),
        who["EDUCATION"].eq(3),
        who["MARRIAGE"].eq(1),
    ]
    return np.column_stack([np.asarray(column, dtype=float) for column in columns])


def fit(who: pd.DataFrame, defaulted: np.ndarray) -> DefaultModel:
    """The model of these customers. As many are predicted to default as did, so precision equals recall here."""
    matrix = terms(who)
    ridge = RIDGE * np.eye(matrix.shape[1])
    ridge[0, 0] = 0.0
    weights = np.zeros(matrix.shape[1])
    for _ in range(STEPS):
        score = 1 / (1 + np.exp(-matrix @ weights))
        gradient = matrix.T @ (defaulted - score) - ridge @ weights
        curvature = (matrix * (score * (1 - score))[:, None]).T @ matrix + ridge
        weights = weights + np.linalg.solve(curvature, gradient)
    model = DefaultModel(weights, 0.5)
    ranked = np.sort(model.probability(who))[::-1]
    return DefaultModel(weights, float(ranked[int(defaulted.sum()) - 1]))
