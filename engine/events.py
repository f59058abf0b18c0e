"""What others are told of a run: a CloudEvent in the words of Azure's "Run status changed".

So filters and handlers that were made for Azure Machine Learning's model monitoring work unchanged. A breach fails the
run, as it does in Azure: `RunStatus` is `Failed` although everything was evaluated, and the tag says which signals. Our
own status is beside it in `RunProperties`.

`alert_enabled` is about whom to tell, and not about what has happened: Azure's components tag the run of any breach,
and send e-mails only where they are given addresses. So `RunProperties.alerting` names the breached signals that alert.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from engine.monitor import Monitor
from engine.results import AGGREGATE, MetricRow, Run, RunStatus, Status

__all__ = ["BREACHED_TAG", "RUN_STATUS_CHANGED", "run_status_changed"]

RUN_STATUS_CHANGED = "Microsoft.MachineLearningServices.RunStatusChanged"
BREACHED_TAG = "azureml_modelmonitor_threshold_breached"
"""In the event's `data.RunTags`: there is a breach, in a text that filters look into."""
NAMED = 20
"""How many breaches of a signal the text names: an event is a message, and the rows are in the store."""


def run_status_changed(monitor: Monitor, run: Run, rows: Sequence[MetricRow]) -> dict[str, Any]:
    """The event as a JSON object in CloudEvents' structured mode.

    Args:
        monitor: what was evaluated.
        run: its record.
        rows: all of the run's rows.

    Source:
        CloudEvents 1.0; Azure Event Grid's schema for Azure Machine Learning; Azure's text of a breached threshold.
    """
    breaches = _by_signal(rows)
    breached = "\n".join(_sentence(f"{monitor.name}_{signal}", own) for signal, own in breaches.items())
    failed = breached or run.status is RunStatus.FAILED
    return {
        "specversion": "1.0",
        "id": run.run_id,
        "source": f"/driftline/monitors/{quote(monitor.name)}",
        "type": RUN_STATUS_CHANGED,
        "subject": f"experiments/{quote(monitor.name)}/runs/{quote(run.run_id)}",
        "time": _text(run.finished_at),
        "datacontenttype": "application/json",
        "data": {
            "ExperimentId": monitor.name,
            "ExperimentName": monitor.name,
            "RunId": run.run_id,
            "RunType": "model_monitor",
            "RunTags": {**monitor.tags, **({BREACHED_TAG: breached} if breached else {})},
            "RunProperties": {**_properties(run, rows), "alerting": _alerting(monitor, breaches)},
            "RunStatus": "Failed" if failed else "Completed",
        },
    }


def _properties(run: Run, rows: Sequence[MetricRow]) -> Mapping[str, Any]:
    """What Azure's schema has no place for, in our own words."""
    return {
        "status": run.status.value,
        "scheduled_for": _text(run.scheduled_for),
        "window_start": _text(run.window_start),
        "window_end": _text(run.window_end),
        "attempt": run.attempt,
        "checks": len(rows),
        "breaches": sum(row.status is Status.BREACHED for row in rows),
        "config_hash": run.config_hash,
        "engine_version": run.engine_version,
        "error": run.error,
    }


def _by_signal(rows: Sequence[MetricRow]) -> Mapping[str, Sequence[MetricRow]]:
    breaches: defaultdict[str, list[MetricRow]] = defaultdict(list)
    for row in rows:
        if row.status is Status.BREACHED:
            breaches[row.signal].append(row)
    return breaches


def _alerting(monitor: Monitor, breached: Collection[str]) -> list[str]:
    return [signal.name for signal in monitor.signals if signal.alert_enabled and signal.name in breached]


def _sentence(name: str, rows: Sequence[MetricRow]) -> str:
    more = len(rows) - NAMED
    which = "; ".join(map(_breach, rows[:NAMED])) + (f"; and {more:,} more" if more > 0 else "")
    return f"The signal '{name}' has failed due to one or more features violating metric thresholds: {which}."


def _breach(row: MetricRow) -> str:
    segment = "" if row.group_dimension in (None, AGGREGATE) else f" where {row.group_dimension}"
    bound = "" if row.threshold_value is None else f", threshold {row.threshold_value:.6g}"
    return f"{row.group}{segment}: {row.metric_name} is {row.metric_value:.6g}{bound}"


def _text(time: datetime | None) -> str | None:
    """RFC 3339."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z") if time else None
