"""What a metric answers: a number with its evidence, or the reason why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Contribution", "Measurement", "Undefined"]


@dataclass(frozen=True, slots=True)
class Undefined:
    """A metric that has no value here; the reason is for a person to read."""

    reason: str


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one bin or category adds to a distance.

    Attributes:
        bin: the bin's name: an interval such as ``[3, 7)``, a category, ``other`` or ``null``.
        current: its share of the current rows, in [0, 1].
        baseline: its share of the baseline rows, in [0, 1].
        term: its own term of the metric's sum, in the metric's unit (before a final root).
    """

    bin: str
    current: float
    baseline: float
    term: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """A metric's finite value with its evidence.

    Attributes:
        value: the metric, in its own unit; never NaN or infinite.
        rows: how many current rows it stands on; None where only the user's own component knows.
        baseline_rows: how many baseline rows it stands on; None where no baseline takes part.
        p_value: the chance of a value at least this bad when nothing changed, in [0, 1].
        expected_p95: the value's 95th percentile when nothing changed.
        interval: its 95 % interval, low and high.
        contributions: the terms of the sum, largest first.
        details: further evidence by name; plain numbers, strings and lists (it is stored as JSON).
    """

    value: float
    rows: int | None
    baseline_rows: int | None = None
    p_value: float | None = None
    expected_p95: float | None = None
    interval: tuple[float, float] | None = None
    contributions: tuple[Contribution, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
