"""How was each value of a monitor judged, run by run? Rows of `signal_metrics` as arrays, to be judged again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.instants import instant_of, instants_in, time_of
from engine.store import Store
from signals.alerts import BREACHED, CLEARED, UNJUDGED
from signals.budgets import BEFORE
from signals.thresholds import Operator
from signals.verdicts import Status

__all__ = ["DYNAMIC", "FIXED", "OPERATORS", "RANGE", "RELATIVE", "Check", "Judgements", "Value", "read_judgements"]

DYNAMIC, FIXED, RANGE, RELATIVE = "dynamic", "fixed", "range", "relative_to_baseline"
OPERATORS = tuple(Operator)
COLUMNS = (
    "scheduled_for", "signal", "group", "group_dimension", "metric_name", "metric_value", "threshold_value",
    "threshold_kind", "operator", "breached", "status",
)  # fmt: skip
RUNS_BEFORE = 30
"""In how many runs before the range the last judged row of a check is looked for: was it breached already?"""


class Check(NamedTuple):
    """What tells a monitor's checks apart."""

    signal: str
    group: str
    dimension: str | None
    metric: str


@dataclass(frozen=True, eq=False)
class Judgements:
    """Rows of one monitor, in the order of time.

    Attributes:
        checks: every check that has a row.
        times: the scheduled times of the runs, in order.
        check: int64[n], the place of each row's check among `checks`.
        run: int64[n], the place of its run among `times`; `BEFORE` for runs before the range.
        value: float64[n], NaN where there is none.
        bound: float64[n], the threshold it was judged by, NaN where there is none.
        base: float64[n], what is added to a threshold before it is used: the baseline's own value where the threshold
            is relative to it (NaN where it has none), and 0 elsewhere.
        operator: int64[n], the place of its operator among `OPERATORS`; -1 where there is none.
        kind: object[n], its threshold's kind; None where it was not judged.
        flag: int8[n], how it was judged.
        judgeable: bool[n], whether another threshold could judge it.
    """

    checks: tuple[Check, ...]
    times: tuple[datetime, ...]
    check: npt.NDArray[np.int64]
    run: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    bound: npt.NDArray[np.float64]
    base: npt.NDArray[np.float64]
    operator: npt.NDArray[np.int64]
    kind: npt.NDArray[np.object_]
    flag: npt.NDArray[np.int8]
    judgeable: npt.NDArray[np.bool_]

    @property
    def in_range(self) -> npt.NDArray[np.bool_]:
        """bool[n]: rows of runs in the range."""
        return self.run != BEFORE

    def of_checks(self, places: Sequence[int]) -> npt.NDArray[np.bool_]:
        """bool[n]: rows of these checks."""
        chosen = np.zeros(len(self.checks), np.bool_)
        chosen[list(places)] = True
        return chosen[self.check]

    def with_values(self, values: Sequence["Value"]) -> "Judgements":
        """The same with values that nobody has judged, of runs in the range."""
        places = {check: place for place, check in enumerate(self.checks)}
        for value in values:
            places.setdefault(value.check, len(places))
        size, ordered = len(values), sorted(values, key=lambda each: each.run)
        return Judgements(
            checks=tuple(places),
            times=self.times,
            check=np.append(self.check, np.array([places[each.check] for each in ordered], np.int64)),
            run=np.append(self.run, np.array([each.run for each in ordered], np.int64)),
            value=np.append(self.value, [each.value for each in ordered]),
            bound=np.append(self.bound, np.full(size, np.nan)),
            base=np.append(self.base, np.zeros(size)),
            operator=np.append(self.operator, np.full(size, -1)),
            kind=np.append(self.kind, np.full(size, None, object)),
            flag=np.append(self.flag, np.full(size, UNJUDGED, np.int8)),
            judgeable=np.append(self.judgeable, [each.judgeable for each in ordered]).astype(np.bool_),
        )


@dataclass(frozen=True, slots=True)
class Value:
    """What a check came to in the run at a place among the times, and whether that may be judged."""

    check: Check
    run: int
    value: float
    judgeable: bool = True


def read_judgements(store: Store, monitor: str, start: datetime | None, end: datetime | None) -> Judgements:
    """What is stored of a monitor's runs that were due in [start, end), and in which state checks came to the first.

    Raises:
        StoreError: nothing was stored yet, or it cannot be read.
    """
    first = _runs_before(store, monitor, start) if start else None
    rows = store.read_metrics(monitor=monitor, start=first, end=end, columns=COLUMNS).sort_by("scheduled_for")
    found = _judgements(rows, start)
    question = {"monitor": monitor, "start": first, "end": end}
    return _with_bases(found, rows, store, question)


def _runs_before(store: Store, monitor: str, start: datetime) -> datetime:
    runs = store.read_runs(monitor=monitor, end=start, columns=["scheduled_for"], limit=RUNS_BEFORE)
    times = _instants(runs)
    return time_of(int(times.min())) if len(times) else start


def _judgements(rows: pa.Table, start: datetime | None) -> Judgements:
    due = _instants(rows)
    since = np.iinfo(np.int64).min if start is None else instant_of(start)
    times = np.unique(due[due >= since])
    names = ("signal", "group", "group_dimension", "metric_name")
    keys = list(zip(*(rows[name].to_pylist() for name in names), strict=True))
    places = {key: place for place, key in enumerate(sorted(set(keys), key=str))}
    status, kind = np.array(rows["status"].to_pylist(), object), np.array(rows["threshold_kind"].to_pylist(), object)
    value, bound, flag = _numbers(rows["metric_value"]), _numbers(rows["threshold_value"]), _flags(rows["breached"])
    kind[np.array([each is None for each in kind], np.bool_) & ~np.isnan(bound)] = FIXED
    # Too short a history is a dynamic threshold's own trouble: another threshold can judge such a value.
    too_short = (status == Status.INSUFFICIENT_DATA) & (kind == DYNAMIC)
    return Judgements(
        checks=tuple(Check(*key) for key in places),
        times=tuple(time_of(instant) for instant in times.tolist()),
        check=np.array([places[key] for key in keys], np.int64),
        run=np.where(due >= since, np.searchsorted(times, due), BEFORE),
        value=value,
        bound=bound,
        base=np.zeros(len(keys)),
        operator=np.array([_operator(name) for name in rows["operator"].to_pylist()], np.int64),
        kind=kind,
        flag=flag,
        judgeable=~np.isnan(value) & ((flag != UNJUDGED) | too_short),
    )


def _operator(name: str | None) -> int:
    return -1 if name is None else OPERATORS.index(Operator(name))


def _flags(breached: pa.ChunkedArray) -> npt.NDArray[np.int8]:
    states = {None: UNJUDGED, False: CLEARED, True: BREACHED}
    return np.array([states[each] for each in breached.to_pylist()], np.int8)


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    return np.array(column.to_pylist(), np.float64)


def _instants(rows: pa.Table) -> npt.NDArray[np.int64]:
    return np.array(instants_in(rows["scheduled_for"]), np.int64)


# ------------------------------------------------------------------------- thresholds relative to the baseline


def _with_bases(found: Judgements, rows: pa.Table, store: Store, question: Mapping[str, Any]) -> Judgements:
    """The same with the baseline's own values, which only rows with a relative threshold are asked for."""
    relative = {found.checks[place] for place in np.unique(found.check[found.kind == RELATIVE]).tolist()}
    values: dict[tuple[int, Check], float] = {}
    for signal, metric in sorted({(check.signal, check.metric) for check in relative}):
        own = store.read_metrics(**question, signal=signal, metric=metric, columns=[*COLUMNS, "details"])
        values |= _baseline_values(own)
    due = _instants(rows).tolist()
    for place, check in enumerate(found.check.tolist()):
        if found.kind[place] == RELATIVE:
            found.base[place] = values.get((due[place], found.checks[check]), np.nan)
    return found


def _baseline_values(rows: pa.Table) -> Mapping[tuple[int, Check], float]:
    names = ("signal", "group", "group_dimension", "metric_name")
    keys = zip(*(rows[name].to_pylist() for name in names), strict=True)
    details = (json.loads(text) for text in rows["details"].to_pylist())
    return {
        (instant, Check(*key)): each.get("baseline_value", np.nan)
        for instant, key, each in zip(_instants(rows).tolist(), keys, details, strict=True)
    }
