"""Stored runs for the tests of replays: a value per check and day, and how it was judged then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.results import MetricRow, Status
from engine.store import Store
from tests.engine.store_samples import a_row, a_run, day

Series = Sequence[float | None]


def judged(number: int, group: str, value: float | None, threshold: float | None = 0.1, **fields: Any) -> MetricRow:
    """A row of the day, judged by `> threshold`; without a value there was no data, without a threshold no verdict."""
    run = a_run(at=day(number))
    if value is None:
        nothing = {"metric_value": None, "breached": None, "status": Status.NO_DATA, "reason": "the window is empty"}
        return a_row(run, group, **(nothing | fields))
    breached = threshold is not None and value > threshold
    given: dict[str, Any] = {
        "metric_value": value,
        "threshold_value": threshold,
        "threshold_kind": None if threshold is None else "fixed",
        "operator": None if threshold is None else "greater_than",
        "breached": breached,
        "status": Status.BREACHED if breached else Status.OK,
    }
    return a_row(run, group, **(given | fields))


def write_rows(store: Store, rows: Sequence[MetricRow]) -> Store:
    """Each day's rows as a run of its own, all in one commit."""
    days = sorted({row.scheduled_for for row in rows})
    store.write([a_run(at=time) for time in days], rows)
    return store


def write_series(store: Store, threshold: float | None = 0.1, **series: Series) -> Store:
    """One check per group of `jensen_shannon_distance`, with a value per day."""
    return write_rows(
        store,
        [
            judged(number, group, value, threshold)
            for group, values in series.items()
            for number, value in enumerate(values)
        ],
    )
