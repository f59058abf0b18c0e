"""Bins and profiles for the tests of the store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from engine.store import StoredProfile
from engine.windows import Window
from signals.bins import CategoricalBins, NumericBins, ValueType, VectorBins
from signals.profile import NumericProfile

NUMBERS = NumericBins(ValueType.DOUBLE, np.array([-1.5, 0.0, 2.25]), low=-3.0, high=9.0, center=0.5)
WORDS = CategoricalBins(ValueType.STRING, ("EWR", "JFK", "a,b", "ü"), complete=False)
NOTHING = NumericBins(ValueType.INTEGER, np.zeros(0), np.nan, np.nan)
NO_WORDS = CategoricalBins(ValueType.BOOLEAN, ())
VECTORS = VectorBins(3)
NO_VECTORS = VectorBins(0)

BUCKET = Window(datetime(2013, 7, 1, tzinfo=UTC), datetime(2013, 7, 2, tzinfo=UTC))


def days(*numbers: int) -> list[Window]:
    """Buckets of a day."""
    return [Window(BUCKET.start + timedelta(days=n), BUCKET.end + timedelta(days=n)) for n in numbers]


def of_rows(rows: int) -> NumericProfile:
    return replace(NumericProfile.empty(NUMBERS), rows=rows, nulls=rows)


def of_numbers(rows: int = 1, **fields: Any) -> StoredProfile:
    stored = StoredProfile(dataset="d", source="flights", column="x", profile=of_rows(rows), fingerprint="f")
    return replace(stored, **fields)
