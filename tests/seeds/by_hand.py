"""What a row of results should say, counted from raw rows by pandas and scipy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, wasserstein_distance

from engine.results import MetricRow, Status

Rows = Mapping[tuple[str, str, str], MetricRow]


def value(row: MetricRow) -> float:
    """The value of a row that has one and was judged."""
    assert row.status in (Status.OK, Status.BREACHED), (row.signal, row.group, row.metric_name, row.reason)
    assert row.metric_value is not None
    assert row.breached == (row.status is Status.BREACHED)
    return row.metric_value


def assert_jensen_shannon(row: MetricRow, now: pd.Series[Any], before: pd.Series[Any]) -> None:
    """The distance is that of the shares in the bins that the row names, and those are the shares of the rows."""
    assert row.details["more_contributions"] == 0
    bins = [(name, p, q) for name, p, q, _ in row.details["contributions"]]
    assert [p for _, p, _ in bins] == pytest.approx([inside(now, name).mean() for name, _, _ in bins], abs=1e-12)
    assert [q for _, _, q in bins] == pytest.approx([inside(before, name).mean() for name, _, _ in bins], abs=1e-12)
    assert sum(p for _, p, _ in bins) == pytest.approx(1)
    distance = jensenshannon([p for _, p, _ in bins], [q for _, _, q in bins], base=2)
    assert value(row) == pytest.approx(distance, abs=1e-9)


def inside(values: pd.Series[Any], name: str) -> pd.Series[Any]:
    """Which of these whole numbers lie in the bin of that name."""
    numbers = pd.to_numeric(values, errors="coerce")
    if name == "null":
        return numbers.isna()
    if found := re.fullmatch(r"\[(.+), (.+)\)", name):
        return numbers.ge(float(found[1])) & numbers.lt(float(found[2]))
    if found := re.fullmatch(r"(<|>=) (.+)", name):
        return numbers.lt(float(found[2])) if found[1] == "<" else numbers.ge(float(found[2]))
    return numbers.eq(float(name))


def assert_chi_squared(row: MetricRow, now: pd.Series[Any], before: pd.Series[Any]) -> None:
    """The p-value is scipy's for the counts of both sides, with the rare cells as one."""
    counts = counted(now, before)
    smallest = counts.sum(axis=0) * counts.sum(axis=1).min() / counts.sum()
    order = np.argsort(smallest)
    rare = int((smallest < 5).sum())
    while 0 < rare < len(order) and smallest[order[:rare]].sum() < 5:
        rare += 1
    pooled = [counts[:, order[:rare]].sum(axis=1)] if rare else []
    table = np.column_stack([counts[:, order[rare:]], *pooled])
    assert value(row) == pytest.approx(chi2_contingency(table).pvalue, rel=1e-9, abs=1e-15)


def counted(now: pd.Series[Any], before: pd.Series[Any], first: pd.Series[Any] | None = None) -> np.ndarray:
    """Both sides' rows by category: a value that the first baseline has not got is `other`, a null one of its own."""
    known = set((before if first is None else first).dropna())
    sides = [
        each.map(lambda one: "null" if pd.isna(one) else one if one in known else "other") for each in (now, before)
    ]
    return pd.concat([each.value_counts() for each in sides], axis=1).fillna(0).to_numpy().T


def categorical_distance(now: pd.Series[Any], before: pd.Series[Any], first: pd.Series[Any]) -> float:
    """Jensen and Shannon's distance of two samples of categories, in the bins of the first baseline."""
    return float(jensenshannon(*counted(now, before, first), base=2))


def numerical_distance(now: pd.Series[Any], before: pd.Series[Any]) -> float:
    """Wasserstein's distance in standard deviations of the baseline."""
    here, there = (pd.to_numeric(each, errors="coerce").dropna() for each in (now, before))
    return float(wasserstein_distance(here, there) / there.std())
