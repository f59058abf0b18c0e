"""What a run leaves behind: one record of itself, and one row per check."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from engine.tables import TableDefinition
from engine.version import ENGINE_VERSION
from signals.verdicts import Status, ThresholdKind

__all__ = ["AGGREGATE", "CheckKey", "MetricRow", "Run", "RunStatus", "Status", "as_table"]

AGGREGATE = "aggregate"
"""The segment of all rows."""


class RunStatus(StrEnum):
    COMPLETED = "completed"
    """Every check was evaluated, whatever came out."""
    FAILED = "failed"
    """Nothing could be evaluated; the run's `error` says why."""


class CheckKey(NamedTuple):
    """What tells a monitor's checks apart from one run to the next."""

    signal: str
    group: str
    metric_name: str
    group_dimension: str | None = AGGREGATE
    """A component of a user's own may say one thing of several parts of a group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """One row of `signal_metrics`; `engine.tables` says what each field means.

    Raises:
        ValueError: the row contradicts itself (a flag that is not its status's, no value and no reason, NaN).
    """

    monitor: str
    signal: str
    signal_type: str
    run_id: str
    scheduled_for: datetime
    window_start: datetime
    window_end: datetime
    baseline_start: datetime | None = None
    baseline_end: datetime | None = None
    group: str
    group_dimension: str | None = AGGREGATE
    metric_name: str
    metric_value: float | None = None
    threshold_value: float | None = None
    threshold_kind: str | None = None
    operator: str | None = None
    breached: bool | None = None
    status: Status
    reason: str | None = None
    row_count: int | None = None
    baseline_row_count: int | None = None
    p_value: float | None = None
    q_value: float | None = None
    expected_p95: float | None = None
    feature_importance: float | None = None
    interval_low: float | None = None
    interval_high: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    config_hash: str = ""
    engine_version: str = ENGINE_VERSION
    evaluated_at: datetime

    def __post_init__(self) -> None:
        _refuse_not_finite(self)
        if self.breached is not None and self.status is not (Status.BREACHED if self.breached else Status.OK):
            raise ValueError(f"{self._name}: breached is {self.breached} and the status {self.status}")
        if self.status is Status.BREACHED and not self.breached:
            raise ValueError(f"{self._name}: the status is breached and the flag is {self.breached}")
        if self.metric_value is None and (self.breached is not None or not self.reason):
            raise ValueError(f"{self._name}: a metric without a value has a reason and no flag")

    @property
    def key(self) -> CheckKey:
        return CheckKey(self.signal, self.group, self.metric_name, self.group_dimension)

    @property
    def counts(self) -> bool:
        """Whether dynamic thresholds of later rows stand on this value.

        It was judged, or recorded without a threshold, or only its own history was still too short; a value of too
        few rows does not count.
        """
        short_history = self.status is Status.INSUFFICIENT_DATA and self.threshold_kind == ThresholdKind.DYNAMIC
        return self.metric_value is not None and (self.status in (Status.OK, Status.BREACHED) or short_history)

    @property
    def _name(self) -> str:
        return f"{self.monitor}/{self.signal}/{self.group}/{self.metric_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One row of `runs`; `engine.tables` says what each field means."""

    run_id: str
    monitor: str
    scheduled_for: datetime
    status: RunStatus = RunStatus.COMPLETED
    attempt: int = 1
    started_at: datetime
    finished_at: datetime
    window_start: datetime | None = None
    window_end: datetime | None = None
    rows_read: int | None = None
    spark_jobs: int | None = None
    cpu_seconds: float | None = None
    wall_seconds: float | None = None
    config_hash: str = ""
    engine_version: str = ENGINE_VERSION
    fingerprints: Mapping[str, str] = field(default_factory=dict[str, str])
    notes: tuple[str, ...] = ()
    error: str | None = None
    event: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        _refuse_not_finite(self)
        if (self.status is RunStatus.FAILED) != (self.error is not None):
            raise ValueError(f"run {self.run_id}: a failed run has an error, and no other has one")


def as_table(records: Sequence[MetricRow] | Sequence[Run], table: TableDefinition) -> pa.Table:
    """The records as rows of their table.

    Raises:
        ValueError: a time without a zone, or NaN or infinity among the details: a bug of the caller.
    """
    columns = [[_cell(getattr(record, name)) for record in records] for name in table.schema.names]
    arrays = [pa.array(cells, column.type) for cells, column in zip(columns, table.schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=table.schema)


def _cell(value: object) -> object:
    match value:
        case datetime():
            if value.tzinfo is None:
                raise ValueError(f"{value} has no time zone")
            return value
        case Mapping() | tuple():
            return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_plain)
        case _:
            return value


def _plain(value: object) -> object:
    """What JSON writes for a numpy number or array."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no evidence that JSON can hold: {value!r}")


def _refuse_not_finite(record: MetricRow | Run) -> None:
    values = {each.name: getattr(record, each.name) for each in fields(record)}
    numbers = {name: value for name, value in values.items() if isinstance(value, float | np.floating)}
    wrong = {name: value for name, value in numbers.items() if not math.isfinite(value)}
    if wrong:
        raise ValueError(f"not a finite number: {wrong} in {record!r}")
