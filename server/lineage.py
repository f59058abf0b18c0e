"""A run in the words of OpenLineage: which data went into it, what came of it, which checks it breached. Pure.

Source: OpenLineage's specification 2-0-2 (https://openlineage.io/spec/2-0-2/OpenLineage.json), its facets, and its
conventions for the names of datasets.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

from engine.version import ENGINE_VERSION
from server.notices import Row

__all__ = ["dataset_of", "events_of", "lineage_id"]

Event = Mapping[str, Any]

PRODUCER = f"urn:driftline:{ENGINE_VERSION}"
SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"
FACETS = "https://openlineage.io/spec/facets/"
NO_DATASET = re.compile("outcomes of ")
"""What a run's record tells beside the datasets that were read."""
MOST = 100
"""Breaches that an event names; the others are counted, and all of them are in the store."""


def events_of(  # noqa: PLR0917 - one of each
    monitor: str, time: datetime, run: Row | None, rows: Sequence[Row], store: str, now: datetime, error: str | None,
    namespace: str,
) -> list[Event]:  # fmt: skip
    """A run's START, and its COMPLETE or FAIL.

    A run whose checks breach is complete: it did what it was asked for. What breached is in its facet
    `driftline_breaches`.

    Args:
        monitor: its name, which is the job's.
        time: the scheduled time.
        run: its record in `runs`; None: its process left none.
        rows: its rows in `signal_metrics`.
        store: the store's URI.
        now: when a run ended that has no record.
        error: why its process failed.
        namespace: of the job.
    """
    said = run["error"] if run else error or "it left no results"
    started, finished = (run["started_at"], run["finished_at"]) if run else (now, now)
    job = {"namespace": namespace, "name": monitor, "facets": {"jobType": _job_type()}}
    inputs = [_input(title, print_) for title, print_ in _read(run).items()]
    output: dict[str, Any] = dict(dataset_of(f"{store}/signal_metrics"))
    if said is None:
        output["outputFacets"] = {
            "outputStatistics": _facet("1-0-2", "OutputStatisticsOutputDatasetFacet", rowCount=len(rows))
        }
    facets: dict[str, Any] = {"nominalTime": _facet("1-0-1", "NominalTimeRunFacet", nominalStartTime=_text(time))}
    ended = facets | {"driftline_breaches": _breaches(rows)}
    if said is not None:
        ended["errorMessage"] = _facet("1-0-1", "ErrorMessageRunFacet", message=said, programmingLanguage="Python")
    common = {"producer": PRODUCER, "schemaURL": f"{SPEC}RunEvent", "job": job, "inputs": inputs, "outputs": [output]}
    number = str(lineage_id(namespace, monitor, time))
    return [
        {"eventType": "START", "eventTime": _text(started), "run": {"runId": number, "facets": facets}, **common},
        {
            "eventType": "COMPLETE" if said is None else "FAIL",
            "eventTime": _text(finished),
            "run": {"runId": number, "facets": ended},
            **common,
        },
    ]


def lineage_id(namespace: str, monitor: str, time: datetime) -> UUID:
    """The id of a monitor's run for a scheduled time, however often it is evaluated."""
    return uuid5(NAMESPACE_URL, f"driftline:{namespace}/{monitor}/{_text(time)}")


def dataset_of(title: str) -> dict[str, str]:
    """A dataset by OpenLineage's conventions: `file` and its path, `s3://bucket` and its key, a table of Spark's."""
    path = title.partition(" through ")[0]  # data that a component has prepared comes from there
    parts = urlsplit(path)
    if parts.scheme == "file" or path.startswith("/"):
        return {"namespace": "file", "name": parts.path or path}
    if parts.scheme and parts.netloc:
        return {"namespace": f"{parts.scheme}://{parts.netloc}", "name": parts.path.strip("/") or "/"}
    return {"namespace": "spark", "name": path}


def _read(run: Row | None) -> dict[str, str]:
    """The datasets that a run has read, by title, with their fingerprints."""
    prints: Mapping[str, str] = run["fingerprints"] if run else {}
    return {title: text for title, text in prints.items() if not NO_DATASET.match(title)}


def _input(title: str, fingerprint: str) -> Event:
    version = _facet("1-0-1", "DatasetVersionDatasetFacet", datasetVersion=fingerprint)
    return {**dataset_of(title), "facets": {"version": version}}


def _breaches(rows: Sequence[Row]) -> Event:
    breached = [row for row in rows if row["breached"]]
    names = ("signal", "group", "group_dimension", "metric_name", "metric_value", "threshold_value", "operator")
    return {
        "_producer": PRODUCER,
        "_schemaURL": f"{SPEC}RunFacet",
        "checks": sum(row["breached"] is not None for row in rows),
        "breached": len(breached),
        "breaches": [{name: row[name] for name in names} for row in breached[:MOST]],
    }


def _job_type() -> Event:
    return _facet("2-0-3", "JobTypeJobFacet", processingType="BATCH", integration="DRIFTLINE", jobType="MONITOR")


def _facet(version: str, name: str, **fields: Any) -> Event:
    return {"_producer": PRODUCER, "_schemaURL": f"{FACETS}{version}/{name}.json#/$defs/{name}", **fields}


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
