"""A baseline and a week of production with every trouble that a column may have, one column each."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa

DAY = timedelta(days=1)
BUSY = datetime(2024, 3, 10, tzinfo=UTC)
"""Scheduled for: the window is the day before, with all rows but one."""
LONELY, EMPTY = BUSY + DAY, BUSY + 2 * DAY
"""Scheduled for: windows with one row and with none."""
ROWS, BASELINE_ROWS = 400, 1_000


def baseline() -> pa.Table:
    """What production is compared with."""
    random = np.random.default_rng(1)
    n = BASELINE_ROWS
    numbers = random.normal(10, 2, n)
    return pa.table({
        "good": numbers,
        "constant": np.full(n, 7.0),
        "moved constant": np.full(n, 7.0),
        "all null": pa.nulls(n, pa.float64()),
        "null now": numbers,
        "null before": pa.nulls(n, pa.float64()),
        "nan now": numbers,
        "infinite now": numbers,
        "infinite before": np.where(np.arange(n) < 10, np.inf, numbers),
        "gone": numbers,
        "text now": numbers,
        "number now": random.choice(["1", "2", "x"], n),
        "huge": random.choice([-1.5e308, 0.0, 1.5e308], n),
        "negative": -np.abs(numbers) * 1e6,
        "beyond 2^53": 2**53 + random.integers(0, 1_000, n) * 2,
        "commas": random.choice(["a, b", "a", "b", ","], n),
        "quotes": random.choice(['say "hi"', "it's", "", "`tick`"], n),
        "decimal": pa.array([Decimal(int(cents)) / 100 for cents in random.integers(0, 9_999, n)], pa.decimal128(9, 2)),
        "flag": random.random(n) < 0.5,
        "date": pa.array([date(2024, 1, 1) + timedelta(days=int(day)) for day in random.integers(0, 30, n)]),
        "moment": pa.array([datetime(2024, 1, 1, int(hour)) for hour in random.integers(0, 24, n)]),  # noqa: DTZ001
        "list": pa.array([[1.0, 2.0]] * n),
        "struct": pa.array([{"a": 1, "b.c": "x"}] * n),
        "map": pa.array([[("k", 1)]] * n, pa.map_(pa.string(), pa.int64())),
        "bytes": pa.array([b"x"] * n),
        "a.b": numbers,
        "ünï code": numbers,
        "back`tick": numbers,
        'quo"te': numbers,
        "size": numbers,
        "Size": numbers + 100,
        "few": random.integers(0, 3, n),
        "many": np.array([f"user {number}" for number in random.integers(0, 5_000, n)]),
    })  # fmt: skip


def production() -> pa.Table:
    """The busy day, one row of the day after, and rows outside all windows."""
    random = np.random.default_rng(2)
    n = ROWS
    at = [BUSY - DAY + timedelta(seconds=int(second)) for second in random.integers(0, 86_400, n)]
    at[-20:-1] = [BUSY - 3 * DAY] * 19  # before all windows
    at[-1] = BUSY + timedelta(hours=1)
    numbers = random.normal(10, 2, n)
    return pa.table({
        "at": pa.array(at, pa.timestamp("us", "UTC")),
        "id": [f"row {number // 2}" if number < 20 else f"row {number}" for number in range(n)],
        "good": numbers,
        "constant": np.full(n, 7.0),
        "moved constant": np.full(n, 8.0),
        "all null": pa.nulls(n, pa.float64()),
        "null now": pa.nulls(n, pa.float64()),
        "null before": numbers,
        "nan now": np.full(n, np.nan),
        "infinite now": np.where(np.arange(n) % 2 == 0, np.inf, -np.inf),
        "infinite before": numbers,
        "fresh": numbers,
        "text now": [f"{number:.3f}" if place % 4 else "n/a" for place, number in enumerate(numbers)],
        "number now": random.integers(1, 4, n),
        "huge": random.choice([-1.5e308, 0.0, 1.5e308], n),
        "negative": -np.abs(numbers) * 1e6,
        "beyond 2^53": 2**53 + random.integers(0, 1_000, n) * 2,
        "commas": random.choice(["a, b", "a", "b", ","], n),
        "quotes": random.choice(['say "hi"', "it's", "", "`tick`"], n),
        "decimal": pa.array([Decimal(int(cents)) / 100 for cents in random.integers(0, 9_999, n)], pa.decimal128(9, 2)),
        "flag": random.random(n) < 0.5,
        "date": pa.array([date(2024, 1, 1) + timedelta(days=int(day)) for day in random.integers(0, 30, n)]),
        "moment": pa.array([datetime(2024, 1, 1, int(hour)) for hour in random.integers(0, 24, n)]),  # noqa: DTZ001
        "list": pa.array([[1.0, 2.0]] * n),
        "struct": pa.array([{"a": 1, "b.c": "x"}] * n),
        "map": pa.array([[("k", 1)]] * n, pa.map_(pa.string(), pa.int64())),
        "bytes": pa.array([b"x"] * n),
        "a.b": numbers,
        "ünï code": numbers,
        "back`tick": numbers,
        'quo"te': numbers,
        "size": numbers,
        "Size": numbers + 100,
        "few": random.integers(0, 4, n),
        "many": np.array([f"user {number}" for number in random.integers(0, 5_000, n)]),
    })  # fmt: skip
