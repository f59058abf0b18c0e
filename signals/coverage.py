"""How much of a window is labelled, and how well do ground truth and production rows find each other?"""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from signals.catalogue import Bad, Family, metric
from signals.intervals import wilson
from signals.measurement import Measurement, Undefined
from signals.state import StateRows

__all__ = ["Coverage", "duplicate_ground_truth_rate", "ground_truth_coverage", "orphan_ground_truth_rate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Counts of production rows and of ground truth rows. ``a + b`` counts both, `empty` changes nothing.

    Attributes:
        rows: production rows in the window.
        labelled: those with a label that counts.
        late: those whose label became known after the allowed delay, and so does not count.
        truth_rows: rows of ground truth.
        duplicate_truth_rows: those beyond the first of their id.
        orphans: ids of the ground truth that no production row has.
    """

    rows: int = 0
    labelled: int = 0
    late: int = 0
    truth_rows: int = 0
    duplicate_truth_rows: int = 0
    orphans: int = 0

    @classmethod
    def empty(cls) -> Self:
        """Of no rows."""
        return cls()

    @property
    def unlabelled(self) -> int:
        """Production rows without a label that counts."""
        return self.rows - self.labelled

    @property
    def truth_ids(self) -> int:
        """Distinct ids of the ground truth."""
        return self.truth_rows - self.duplicate_truth_rows

    def __add__(self, other: Self) -> Self:
        return type(self)(**{name: getattr(self, name) + getattr(other, name) for name in NAMES})

    def to_rows(self, rows: StateRows, key: int, column: int) -> None:
        """Write the state: one cell per field, in their order."""
        rows.add(key, column, 0, cells=range(len(NAMES)), n=[getattr(self, name) for name in NAMES])

    @classmethod
    def from_rows(cls, table: pa.Table) -> Self:
        """The state of the rows of one (key, column), merged or not."""
        mine = table.filter(pc.equal(table["part"], 0))
        counts = np.zeros(len(NAMES), np.int64)
        np.add.at(counts, mine["cell"].to_numpy(), mine["n"].to_numpy())
        return cls(**dict(zip(NAMES, counts.tolist(), strict=True)))


SHARE: dict[str, Any] = {"family": Family.COVERAGE, "unit": "share", "range": (0.0, 1.0), "source": "driftline"}
NAMES = [field.name for field in fields(Coverage)]


@metric("ground_truth_coverage", bad=Bad.LOWER, **SHARE)
def ground_truth_coverage(coverage: Coverage) -> Measurement | Undefined:
    """Share of production rows with a label."""
    details = {"labelled": coverage.labelled, "unlabelled": coverage.unlabelled, "late": coverage.late}
    return _share(coverage.labelled, coverage.rows, "there are no production rows", details)


@metric("orphan_ground_truth_rate", bad=Bad.HIGHER, **SHARE)
def orphan_ground_truth_rate(coverage: Coverage) -> Measurement | Undefined:
    """Share of the ground truth's ids that no production row has."""
    return _share(coverage.orphans, coverage.truth_ids, "there are no ground truth rows", {"orphans": coverage.orphans})


@metric("duplicate_ground_truth_rate", bad=Bad.HIGHER, **SHARE)
def duplicate_ground_truth_rate(coverage: Coverage) -> Measurement | Undefined:
    """Share of ground truth rows whose id was there before."""
    details = {"duplicates": coverage.duplicate_truth_rows}
    return _share(coverage.duplicate_truth_rows, coverage.truth_rows, "there are no ground truth rows", details)


def _share(part: int, whole: int, reason: str, details: dict[str, int]) -> Measurement | Undefined:
    if not whole:
        return Undefined(reason)
    return Measurement(part / whole, whole, interval=wilson(part, whole), details=details)
