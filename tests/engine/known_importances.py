"""Rows whose features matter by known weights, for tests of importances."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from tests.engine.labs import NOW

__all__ = ["DAY", "FEATURES", "WEIGHTS", "rows_of"]

WEIGHTS = {"first": 1.0, "second": 0.7, "third": 0.4, "fourth": 0.2, "noise": 0.0}
FEATURES = [*WEIGHTS, "code"]
"""`code` means nothing either, and has many values, which is what misleads a tree."""
DAY = timedelta(days=1)


def rows_of(n: int, seed: int, days: int = 1) -> pd.DataFrame:
    """Features, and what comes of them: `minutes`, a number; `late`, a class; `chance`, that of being late."""
    random = np.random.default_rng(seed)
    data = pd.DataFrame({name: random.standard_normal(n) for name in WEIGHTS})
    total = sum(data[name] * weight for name, weight in WEIGHTS.items())
    data["code"] = [f"c{code}" for code in random.integers(0, 300, n)]
    data["chance"] = 1 / (1 + np.exp(-2 * total))
    data["late"] = (random.random(n) < data["chance"]).astype(int)
    data["minutes"] = total + random.standard_normal(n) / 2
    data["id"] = [f"{seed}-{number}" for number in range(n)]
    data["at"] = pd.date_range(NOW - days * DAY, NOW, n + 1)[:n].astype("datetime64[us, UTC]")
    return data
