"""A store with results, and a small dataset with a monitor: what tests of the command line stand on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from engine.results import MetricRow, Run, Status
from engine.store import Store
from tests.tiny import write_tiny

AT = datetime(2013, 7, 2, 3, 15, tzinfo=UTC)


@pytest.fixture
def driftline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """The command line in this process, in an empty folder."""
    from jobs.cli import app

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRIFTLINE_STORE", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="session")
def filled_store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Three days of a monitor `flights`, each with a breach, a calm check and one without data."""
    uri = str(tmp_path_factory.mktemp("jobs") / "store")
    for number in range(3):
        run = a_run(AT - timedelta(days=number))
        Store(uri).write([run], rows_of(run))
    return uri


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A monitor's file beside its data: two days, in which `amount` has moved by one standard deviation."""
    return write_tiny(tmp_path_factory.mktemp("tiny"))


def a_run(at: datetime = AT, **fields: Any) -> Run:
    given: dict[str, Any] = {"run_id": f"flights@{at:%Y-%m-%d}", "monitor": "flights", "scheduled_for": at}
    times: dict[str, Any] = {
        "started_at": at,
        "finished_at": at,
        "window_start": at - timedelta(days=1),
        "window_end": at,
    }
    return Run(**(given | times | fields))


def a_row(run: Run, group: str, value: float | None = 0.05, threshold: float | None = 0.1, **fields: Any) -> MetricRow:
    breached = None if value is None else threshold is not None and value > threshold
    given: dict[str, Any] = {
        "monitor": run.monitor,
        "signal": "drift",
        "signal_type": "data_drift",
        "run_id": run.run_id,
        "scheduled_for": run.scheduled_for,
        "window_start": run.window_start,
        "window_end": run.window_end,
        "group": group,
        "metric_name": "population_stability_index",
        "metric_value": value,
        "threshold_value": threshold,
        "operator": None if threshold is None else "greater_than",
        "breached": breached,
        "status": Status.NO_DATA if value is None else Status.BREACHED if breached else Status.OK,
        "reason": "the window is empty" if value is None else None,
        "row_count": 1234,
        "evaluated_at": run.started_at,
    }
    return MetricRow(**given | fields)


def rows_of(run: Run) -> list[MetricRow]:
    drift = {
        "edges": [10.0, 20.0],
        "bins": ["< 10", "[10, 20)", ">= 20", "null"],
        "contributions": [[">= 20", 0.6, 0.2, 0.3], ["< 10", 0.1, 0.4, 0.1], ["[10, 20)", 0.3, 0.4, 0.0]],
        "more_contributions": 0,
    }
    quality = {"signal": "quality", "signal_type": "data_quality", "metric_name": "null_value_rate"}
    nulls = {"nulls": 617, "nans": 17, "baseline_value": 0.125}
    return [
        a_row(run, "distance", 0.4, details=drift, expected_p95=0.02, p_value=0.001, baseline_row_count=5000),
        a_row(run, "carrier", 0.05),
        a_row(run, "dest", None),
        a_row(run, "distance", 0.5, 0.25, details=nulls, **quality),
    ]
