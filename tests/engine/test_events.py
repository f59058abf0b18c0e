"""Every run leaves a CloudEvent that Azure's Event Grid filters understand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from cloudevents.core.formats.json import JSONFormat

from engine.errors import DataError
from engine.events import BREACHED_TAG, NAMED, RUN_STATUS_CHANGED, run_status_changed
from engine.monitor import Monitor
from engine.results import MetricRow, Run, RunStatus, Status
from engine.run import evaluate_all
from engine.store import Store

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

KEY = f"data.RunTags.{BREACHED_TAG}"
ANY_MONITOR = "has failed due to one or more features violating metric thresholds"
CALM, SHIFTED = datetime(2024, 3, 2, tzinfo=UTC), datetime(2024, 3, 3, tzinfo=UTC)


def passes(event: dict[str, Any], key: str, value: str) -> bool:
    """Event Grid's advanced filter "String contains": a path of keys, in any case of letters; no such key, no pass."""
    found: Any = event
    for step in key.split("."):
        found = {name.casefold(): each for name, each in found.items()}.get(step.casefold(), {})
    return isinstance(found, str) and value.casefold() in found.casefold()


@pytest.fixture(scope="module")
def monitor(tmp_path_factory: pytest.TempPathFactory) -> Monitor:
    """Two signals that alert and one that does not; the second day has other amounts, and nothing else that is new."""
    folder = tmp_path_factory.mktemp("events")
    rng = np.random.default_rng(4)
    _write(folder / "baseline.parquet", datetime(2024, 1, 1, tzinfo=UTC), rng.normal(0, 1, 2880))
    days = np.concatenate([rng.normal(0, 1, 1440), rng.normal(2, 1, 1440)])
    _write(folder / "production.parquet", CALM - timedelta(days=1), days)
    data = {
        "production_data": {
            "input_data": {"path": "production.parquet"},
            "data_column_names": {"timestamp": "at", "prediction": "amount"},
        },
        "reference_data": {
            "input_data": {"path": "baseline.parquet"},
            "data_context": "training",
            "data_column_names": {"target_column": "amount"},
        },
    }
    drift = {"metric_thresholds": {"numerical": {"psi": 0.3}}}
    signals = {
        "data_drift": {"type": "data_drift", "features": ["amount", "other"], **drift},
        "predictions": {"type": "prediction_drift", **drift},
        "silent": {"type": "data_drift", "features": ["amount"], "alert_enabled": False, **drift},
        "data_quality": {
            "type": "data_quality",
            "features": ["amount"],
            "metric_thresholds": {"numerical": {"null_value_rate": 0}},
        },
    }
    return Monitor.from_dict(
        {
            "name": "credit_card_fraud_monitor",
            "tags": {"team": "fraud"},
            "trigger": {"type": "recurrence", "frequency": "day"},
            "create_monitor": {
                "monitoring_signals": {name: {**keys, **data} for name, keys in signals.items()},
                "alert_notification": "azmonitoring",
            },
        },
        folder,
    )


def _write(path: Path, start: datetime, amounts: np.ndarray) -> None:
    at = pd.date_range(start, periods=len(amounts), freq="min")
    pd.DataFrame({"at": at, "amount": amounts, "other": np.sin(np.arange(len(amounts)))}).to_parquet(path)


@pytest.fixture(scope="module")
def events(spark: SparkSession, monitor: Monitor, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The stored events of a calm and of a shifted day."""
    store = Store(tmp_path_factory.mktemp("store"))
    evaluate_all(spark, monitor, [CALM, SHIFTED], store=store)
    stored = store.read_runs(monitor=monitor.name).sort_by("scheduled_for")
    return [json.loads(text) for text in stored["event"].to_pylist()]


def test_event_grid_s_filter_on_any_monitor_passes_the_breach_alone(events: list[dict[str, Any]]) -> None:
    assert [passes(event, KEY, ANY_MONITOR) for event in events] == [False, True]


def test_event_grid_s_filter_on_a_signal_passes_where_that_signal_breached(events: list[dict[str, Any]]) -> None:
    _, shifted = events
    assert passes(shifted, KEY, "credit_card_fraud_monitor_data_drift")
    assert passes(shifted, KEY, "credit_card_fraud_monitor_predictions")
    assert not passes(shifted, KEY, "credit_card_fraud_monitor_data_quality")
    assert not passes(shifted, KEY, "another_monitor_data_drift")


def test_a_breach_is_told_whoever_is_alerted_and_who_is_is_told_beside_it(events: list[dict[str, Any]]) -> None:
    calm, shifted = events
    assert passes(shifted, KEY, "credit_card_fraud_monitor_silent")
    assert shifted["data"]["RunProperties"]["breaches"] == 3
    assert shifted["data"]["RunProperties"]["alerting"] == ["data_drift", "predictions"]
    assert calm["data"]["RunProperties"]["alerting"] == []


def test_the_run_s_status_is_azure_s_and_ours_is_beside_it(events: list[dict[str, Any]]) -> None:
    assert [event["data"]["RunStatus"] for event in events] == ["Completed", "Failed"]
    assert [event["data"]["RunProperties"]["status"] for event in events] == ["completed", "completed"]


def test_the_text_names_what_breached_and_nothing_else(events: list[dict[str, Any]]) -> None:
    tags = events[1]["data"]["RunTags"]
    first, second, _ = tags[BREACHED_TAG].splitlines()
    assert first.startswith(f"The signal 'credit_card_fraud_monitor_data_drift' {ANY_MONITOR}: amount: ")
    assert "population_stability_index is " in first
    assert "threshold 0.3" in first
    assert "other" not in first
    assert "credit_card_fraud_monitor_predictions" in second
    assert tags["team"] == "fraud", "the monitor's own tags are there to be filtered by, too"


def test_it_is_a_cloudevent(events: list[dict[str, Any]]) -> None:
    for event in events:
        read = JSONFormat().read(None, json.dumps(event))
        assert read.get_specversion() == "1.0"
        assert read.get_type() == RUN_STATUS_CHANGED
        assert read.get_source() == "/driftline/monitors/credit_card_fraud_monitor"
        assert read.get_datacontenttype() == "application/json"
        assert read.get_time() is not None
        assert read.get_data() == event["data"]
    assert len({event["id"] for event in events}) == 2


def test_a_run_that_is_evaluated_again_is_another_event(spark: SparkSession, monitor: Monitor, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    ids = {evaluate_all(spark, monitor, [CALM], store=store)[0].run.event["id"] for _ in range(2)}  # type: ignore[index]
    assert len(ids) == 2


def test_a_run_without_data_has_failed_and_breached_nothing(spark: SparkSession, tmp_path: Path) -> None:
    signal = {"type": "data_quality", "production_data": {"input_data": {"path": "nowhere.parquet"}}}
    lost = Monitor.from_dict(
        {
            "name": "lost",
            "trigger": {"type": "recurrence", "frequency": "day"},
            "create_monitor": {"monitoring_signals": {"quality": signal}, "alert_notification": "azmonitoring"},
        },
        tmp_path,
    )
    store = Store(tmp_path / "store")
    with pytest.raises(DataError):
        evaluate_all(spark, lost, [CALM], store=store)
    event = json.loads(store.read_runs()["event"][0].as_py())
    assert event["data"]["RunStatus"] == "Failed"
    assert event["data"]["RunTags"] == {}
    assert "nowhere.parquet" in event["data"]["RunProperties"]["error"]
    assert not passes(event, KEY, ANY_MONITOR)


def test_of_a_thousand_breaches_the_text_names_some_and_counts_the_rest(monitor: Monitor) -> None:
    run = Run(run_id="1", monitor=monitor.name, scheduled_for=CALM, started_at=CALM, finished_at=CALM)
    rows = [_breach(run, f"feature_{number}") for number in range(1000)]
    text = run_status_changed(monitor, run, rows)["data"]["RunTags"][BREACHED_TAG]
    assert text.count("threshold 0.1") == NAMED
    assert text.endswith(f"; and {1000 - NAMED} more.")


def _breach(run: Run, feature: str) -> MetricRow:
    return MetricRow(
        monitor=run.monitor,
        signal="data_drift",
        signal_type="data_drift",
        run_id=run.run_id,
        scheduled_for=run.scheduled_for,
        window_start=run.scheduled_for - timedelta(days=1),
        window_end=run.scheduled_for,
        group=feature,
        metric_name="population_stability_index",
        metric_value=0.5,
        threshold_value=0.1,
        operator="greater_than",
        breached=True,
        status=Status.BREACHED,
        evaluated_at=run.started_at,
    )


def test_a_breach_without_a_bound_of_its_own_is_named_too(monitor: Monitor) -> None:
    run = Run(run_id="1", monitor=monitor.name, scheduled_for=CALM, started_at=CALM, finished_at=CALM)
    row = replace(_breach(run, "amount"), threshold_value=None, operator=None)
    text = run_status_changed(monitor, run, [row])["data"]["RunTags"][BREACHED_TAG]
    assert text.endswith(": amount: population_stability_index is 0.5.")


def test_a_monitor_s_name_with_odd_letters_is_a_valid_uri(monitor: Monitor) -> None:
    run = Run(run_id="é 1", monitor="café au lait", scheduled_for=CALM, started_at=CALM, finished_at=CALM)
    event = run_status_changed(replace(monitor, name="café au lait"), run, [])
    assert event["source"] == "/driftline/monitors/caf%C3%A9%20au%20lait"
    assert run.status is RunStatus.COMPLETED
    assert event["data"]["RunStatus"] == "Completed"
