"""What `docs/azure.md` says: how one comes from Azure Machine Learning, with a table of each key of its schedules."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.events import run_status_changed
from engine.monitor import Monitor, Signal, SignalType
from engine.recurrence import Frequency, Recurrence
from engine.results import MetricRow, Run, Status
from engine.triggers import Trigger
from jobs.azure_keys import AZURE_KEYS, METRICS_IN_AZURE, SCOPES, AzureKey

__all__ = ["page"]

GUIDE = Path(__file__).with_name("azure.in.md")
"""The page as it is written by hand, with marks where tables belong."""


def page() -> str:
    """The page, in Markdown."""
    parts = {
        "KEYS": "\n".join(_table(block, keys) for block, keys in AZURE_KEYS.items()).rstrip(),
        "NUMBERS": "\n".join(["| metric | Azure |", "|---|---|", *map(_metric, METRICS_IN_AZURE)]),
        "EVENT": f"```json\n{json.dumps(_event(), indent=2, ensure_ascii=False)}\n```",
    }
    text = GUIDE.read_text(encoding="utf-8")
    for mark, part in parts.items():
        text = text.replace(f"<!-- {mark} -->", part)
    return text


def _metric(name: str) -> str:
    return f"| `{name}` | {_cell(METRICS_IN_AZURE[name])} |"


def _table(block: str, keys: Mapping[str, AzureKey]) -> str:
    rows = [f"| `{name}` | {_cell(key.served)}{_missing(key)} | {_cell(_azure(key))} |" for name, key in keys.items()]
    return "\n".join([f"### {SCOPES[block]}", "", "| key | served | Azure |", "|---|---|---|", *rows, ""])


def _missing(key: AzureKey) -> str:
    return f". Not written: {_cell(key.missing)}" if key.missing else ""


def _azure(key: AzureKey) -> str:
    return key.differs or (f"not written: {key.missing_in_azure}" if key.missing_in_azure else "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _event() -> dict[str, object]:
    """What a breach looks like."""
    at = datetime(2024, 3, 2, 3, 15, tzinfo=UTC)
    signal = Signal("data_drift", SignalType.DATA_DRIFT, (), None, ())
    monitor = Monitor(
        "credit_card_fraud_monitor", (signal,), Trigger(Recurrence(Frequency.DAY)), tags={"team": "fraud"}
    )
    run = Run(
        run_id=f"{monitor.name}/2024-03-02T03:15:00Z/1",
        monitor=monitor.name,
        scheduled_for=at,
        started_at=at,
        finished_at=at + timedelta(seconds=9),
        window_start=at - timedelta(days=1),
        window_end=at,
    )
    row = MetricRow(
        monitor=monitor.name,
        signal=signal.name,
        signal_type=signal.type.value,
        run_id=run.run_id,
        scheduled_for=at,
        window_start=at - timedelta(days=1),
        window_end=at,
        group="TRANSACTIONAMOUNT",
        metric_name="jensen_shannon_distance",
        metric_value=0.2381,
        threshold_value=0.1,
        operator="greater_than",
        breached=True,
        status=Status.BREACHED,
        evaluated_at=at,
    )
    return run_status_changed(monitor, run, [row])
