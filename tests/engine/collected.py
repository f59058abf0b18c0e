"""Folders as Azure's data collector writes them, made from rows."""

import gzip
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

SOURCE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"


def event(
    time: datetime | str | None,
    rows: object,
    correlation: str | None = "c",
    collection: str = "model_inputs",
    **more: Any,
) -> dict[str, Any]:
    """One event of these rows; what is None is left out."""
    written = {
        "specversion": "1.0",
        "id": f"{correlation}-event",
        "source": f"{SOURCE}/onlineEndpoints/credit/deployments/main",
        "type": f"azureml.inference.{collection}",
        "datacontenttype": "application/json",
        "time": time.isoformat().replace("+00:00", "Z") if isinstance(time, datetime) else time,
        "data": rows,
        "correlationid": correlation,
        "xrequestid": correlation,
        "modelversion": "1",
        "collectdatatype": "pandas.core.frame.DataFrame",
        "agent": "azureml-ai-monitoring/1.0.0",
        **more,
    }
    return {name: value for name, value in written.items() if value is not None}


def write_events(
    folder: Path, hour: datetime, events: Iterable[Mapping[str, Any] | str], name: str = "i0.jsonl"
) -> Path:
    """Write events, or lines as they are, to the file of an hour's folder."""
    path = folder / hour.strftime("%Y/%m/%d/%H") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in events).encode()
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return path


def collect(
    folder: Path,
    rows: Sequence[Mapping[str, Any]],
    at: Callable[[int], datetime],
    *,
    batch: int = 1,
    collection: str = "model_inputs",
    correlation: Callable[[int], str] = "request-{}".format,
) -> None:
    """Write rows as the collector does: so many to an event, each event in the folder of its hour."""
    by_hour: dict[datetime, list[dict[str, Any]]] = {}
    for number, first in enumerate(range(0, len(rows), batch)):
        time = at(first)
        hour = time.replace(minute=0, second=0, microsecond=0)
        found = event(time, [dict(row) for row in rows[first : first + batch]], correlation(number), collection)
        by_hour.setdefault(hour, []).append(found)
    for hour, events in by_hour.items():
        write_events(folder, hour, events)
