"""How far were predicted numbers from the true ones? The mergeable state of labelled rows.

Errors add: ``a + b`` holds the errors of both, `empty` changes nothing, order does not matter.
"""

from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from signals.bins import ValueType
from signals.power_sums import Moments
from signals.state import StateRows
from signals.values import read_numbers

__all__ = ["Errors"]

COUNTS, SUMS, ACTUALS, PREDICTIONS = range(4)
"""Parts of the state as `StateRows` number them: counts (n) and sums (total) have one cell per field, in the order of
the fields; actuals and predictions are moments (total), with the center as value and one cell per sum, row by row."""
OF_ACTUALS, OF_PREDICTIONS = (3, 5), (1, 3)
"""The shapes of the moments' sums."""

IN_CACHE = 8_192
"""Rows that are added up at once: few enough for the terms of a sum to stay in the processor's cache."""
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Errors:
    """Sums over rows that have a finite label a and a finite prediction p, with e = p - a.

    Attributes:
        unlabelled: rows without a label (null, NaN or infinite), which are counted nowhere else.
        unpredicted: labelled rows without a prediction (null, NaN or infinite).
        relative_rows: rows with a ≠ 0.
        naive_rows: rows whose previous actual value is known; the naive forecast's error d = |a - previous a|.
        absolute, fourth: Σ|e|, Σe⁴.
        relative, relative_2: Σ|e/a| and Σ(e/a)² where a ≠ 0.
        symmetric, symmetric_2: Σt and Σt² of t = 2|e| / (|a| + |p|); 0 where a = p = 0.
        size, size_2, size_error: Σ|a|, Σa², Σ|a||e|.
        naive, naive_2: Σd, Σd² where it is known.
        naive_error, error_beside_naive: Σd|e| and Σ|e| where d is known.
        actuals: Σ e^j (a - center)^k.
        predictions: Σ (p - center)^k.
    """

    unlabelled: int = 0
    unpredicted: int = 0
    relative_rows: int = 0
    naive_rows: int = 0
    absolute: float = 0.0
    fourth: float = 0.0
    relative: float = 0.0
    relative_2: float = 0.0
    symmetric: float = 0.0
    symmetric_2: float = 0.0
    size: float = 0.0
    size_2: float = 0.0
    size_error: float = 0.0
    naive: float = 0.0
    naive_2: float = 0.0
    naive_error: float = 0.0
    error_beside_naive: float = 0.0
    actuals: Moments = field(default_factory=lambda: Moments.empty(OF_ACTUALS))
    predictions: Moments = field(default_factory=lambda: Moments.empty(OF_PREDICTIONS))

    @classmethod
    def empty(cls) -> Self:
        """The errors of no rows."""
        return cls()

    @classmethod
    def of(cls, actual: pa.Array, prediction: pa.Array, naive: pa.Array | None = None) -> Self:
        """Count rows: the true number, the predicted one, and ``|actual - previous actual|`` in the order of time.

        `naive` is null for the first row, and None where the order of time is not known. Any Arrow type that reads as
        a number will do.
        """
        a, p = _numbers(actual), _numbers(prediction)
        labelled = np.isfinite(a)
        known = labelled & np.isfinite(p)
        d = np.full(len(a), np.nan) if naive is None else _numbers(naive)
        unlabelled = len(a) - int(labelled.sum())
        errors = cls(unlabelled=unlabelled, unpredicted=len(a) - unlabelled - int(known.sum()))
        if not known.all():
            a, p, d = a[known], p[known], d[known]
        with np.errstate(over="ignore", invalid="ignore"):
            for start in range(0, len(a), IN_CACHE):
                rows = slice(start, start + IN_CACHE)
                errors += cls(**_sums(a[rows], p[rows], d[rows]))
        return errors

    def __add__(self, other: Self) -> Self:
        return replace(self, **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})

    @property
    def rows(self) -> int:
        """Rows with a label and a prediction."""
        return round(self.actuals.rows)

    @property
    def error(self) -> float:
        """Σe."""
        return float(self.actuals.sums[1, 0])

    @property
    def square(self) -> float:
        """Σe²."""
        return float(self.actuals.sums[2, 0])

    def to_rows(self, rows: StateRows, key: int, column: int) -> None:
        """Write the state."""
        counts, sums = [getattr(self, name) for name in COUNT_FIELDS], [getattr(self, name) for name in SUM_FIELDS]
        rows.add(key, column, COUNTS, cells=range(len(counts)), n=counts)
        rows.add(key, column, SUMS, cells=range(len(sums)), total=sums)
        for part, moments in ((ACTUALS, self.actuals), (PREDICTIONS, self.predictions)):
            sums, center = moments.sums.ravel(), repr(moments.center)
            rows.add(key, column, part, cells=range(len(sums)), values=[center] * len(sums), total=sums)

    @classmethod
    def from_rows(cls, table: pa.Table) -> Self:
        """The state of the rows of one (key, column), merged or not."""
        counts, sums = _cells(table, COUNTS, "n"), _cells(table, SUMS, "total")
        named: dict[str, Any] = {
            **{name: int(count) for name, count in zip(COUNT_FIELDS, counts, strict=False)},
            **dict(zip(SUM_FIELDS, sums, strict=False)),
        }
        actuals, predictions = _moments(table, ACTUALS, OF_ACTUALS), _moments(table, PREDICTIONS, OF_PREDICTIONS)
        return cls(**named, actuals=actuals, predictions=predictions)


COUNT_FIELDS = [f.name for f in fields(Errors) if f.type is int]
SUM_FIELDS = [f.name for f in fields(Errors) if f.type is float]


def _numbers(array: pa.Array) -> Floats:
    return read_numbers(array, ValueType.DOUBLE).to_numpy(zero_copy_only=False)


def _cells(table: pa.Table, part: int, name: str) -> list[float]:
    mine = table.filter(pc.equal(table["part"], part))
    return np.bincount(mine["cell"].to_numpy(), mine[name].to_numpy()).tolist()


def _moments(table: pa.Table, part: int, shape: tuple[int, int]) -> Moments:
    mine = table.filter(pc.equal(table["part"], part))
    moments = Moments.empty(shape)
    for center in sorted(pc.unique(mine["value"]).to_pylist(), key=float):
        sums = _cells(mine.filter(pc.equal(mine["value"], center)), part, "total")
        moments += Moments(float(center), np.array(sums).reshape(shape))
    return moments


def _sums(a: Floats, p: Floats, d: Floats) -> dict[str, Any]:
    error, size = p - a, np.abs(a)
    absolute = np.abs(error)
    square = error * error
    nonzero, both = size > 0, size + np.abs(p)
    relative = absolute[nonzero] / size[nonzero]
    symmetric = 2 * absolute / np.where(both > 0, both, 1)
    timed = ~np.isnan(d)
    naive, beside = d[timed], absolute[timed]
    terms = {
        "absolute": absolute, "fourth": square * square,
        "relative": relative, "relative_2": relative * relative,
        "symmetric": symmetric, "symmetric_2": symmetric * symmetric,
        "size": size, "size_2": size * size, "size_error": size * absolute,
        "naive": naive, "naive_2": naive * naive, "naive_error": naive * beside, "error_beside_naive": beside,
    }  # fmt: skip
    sums: dict[str, Any] = {name: float(term.sum()) for name, term in terms.items()}
    return sums | {
        "relative_rows": len(relative), "naive_rows": len(naive),
        "actuals": Moments.of(a, error, OF_ACTUALS), "predictions": Moments.of(p, error, OF_PREDICTIONS),
    }  # fmt: skip
