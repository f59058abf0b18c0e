"""Results for machines: JSON and CSV with the columns of the tables, times in UTC, and nothing else on stdout."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

from engine.results import as_table
from engine.table_rows import records
from engine.tables import RUNS, SIGNAL_METRICS

if TYPE_CHECKING:
    import pyarrow as pa

    from engine.evaluations import Evaluation
    from jobs.found import Found

__all__ = ["evaluations_document", "plain_rows", "time_text", "write_csv"]

JSON_COLUMNS = ("details", "event", "fingerprints", "notes")


def evaluations_document(found: Sequence[Found]) -> str:
    """``{"evaluations": [{"run", "rows", "errors", "revised"}]}``; rows also say since when they have been breached."""
    return json.dumps({"evaluations": [_evaluation(each) for each in found]}, ensure_ascii=False, indent=2)


def plain_rows(table: pa.Table) -> list[dict[str, Any]]:
    """A table's rows for JSON: times as text, and what is stored as JSON text opened up."""
    return [{name: _plain(name, value) for name, value in row.items()} for row in records(table)]


def write_csv(rows: Iterable[Mapping[str, Any]], names: Sequence[str], stream: IO[str]) -> None:
    """Rows with a header; no value is empty text, and `details` is JSON."""
    writer = csv.DictWriter(stream, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _text(value) for name, value in row.items()})


def time_text(time: datetime) -> str:
    """``2013-07-02T03:15:00Z``."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _evaluation(found: Found) -> dict[str, Any]:
    evaluation = found.evaluation
    rows = plain_rows(as_table(evaluation.rows, SIGNAL_METRICS))
    for row, metric in zip(rows, evaluation.rows, strict=True):
        since = found.since.get(metric.key, metric.scheduled_for) if metric.breached else None
        row["breached_since"] = time_text(since) if since else None
    return {
        "run": plain_rows(as_table([evaluation.run], RUNS))[0],
        "rows": rows,
        "errors": list(evaluation.errors),
        "revised": [_revised(each) for each in found.revised],
    }


def _revised(evaluation: Evaluation) -> dict[str, Any]:
    """An earlier run that late labels have changed, and which of its checks are other than before."""
    changes = [
        {
            **change.check._asdict(),
            "value_before": change.before,
            "value": change.after,
            "status_before": change.status_before.value,
            "status": change.status_after.value,
            "no_longer_provisional": change.final,
        }
        for change in evaluation.revisions or ()
    ]
    return {"run": plain_rows(as_table([evaluation.run], RUNS))[0], "changes": changes}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return time_text(value)
    return json.loads(value) if name in JSON_COLUMNS and isinstance(value, str) else value


def _text(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
