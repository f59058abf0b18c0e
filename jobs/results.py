"""`driftline results`: what is in the store, as a table, JSON or CSV. No Spark."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from rich.table import Table
from rich.text import Text

from engine.results import AGGREGATE
from engine.store import Store
from engine.table_rows import records
from engine.tables import SIGNAL_METRICS
from engine.wording import bound, number, plural
from jobs.consoles import err, out
from jobs.documents import plain_rows, write_csv
from jobs.metric_names import canonical

__all__ = ["Filter", "print_results"]

SHOWN = 50
"""How many rows a table has where nobody says; the other forms have all."""
TABLE_COLUMNS = (
    "monitor", "scheduled_for", "signal", "group", "group_dimension", "metric_name", "metric_value", "operator",
    "threshold_value", "threshold_kind", "status", "row_count", "reason",
)  # fmt: skip
IDENTITY = {
    "scheduled_for": "scheduled (UTC)",
    "monitor": "monitor",
    "signal": "signal",
    "group": "group",
    "group_dimension": "segment",
    "metric_name": "metric",
}
STYLES = {"ok": "green", "breached": "bold red"}


@dataclass(frozen=True)
class Filter:
    """Which rows; None: any. `start` and `end` are a half-open range of scheduled times."""

    monitor: str | None = None
    signal: str | None = None
    feature: str | None = None
    metric: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    breached: bool = False
    status: str | None = None
    limit: int | None = None

    def question(self) -> dict[str, Any]:
        """The arguments of `Store.read_metrics`."""
        return {
            "monitor": self.monitor,
            "signal": self.signal,
            "group": self.feature,
            "metric": self.metric,
            "start": self.start,
            "end": self.end,
            "breached": True if self.breached else None,
            "status": self.status,
        }


def print_results(store_uri: str, wanted: Filter, form: str) -> None:
    """Print the rows, newest first.

    Raises:
        StoreError: nothing was stored yet, or it cannot be read.
    """
    if form == "table":
        limit = wanted.limit or SHOWN
        rows = records(_read(store_uri, wanted, columns=TABLE_COLUMNS, limit=limit + 1))
        _print_table(rows[:limit], more=len(rows) > limit)
        return
    rows = plain_rows(_read(store_uri, wanted, limit=wanted.limit))
    if form == "csv":
        write_csv(rows, SIGNAL_METRICS.schema.names, out().file)
    else:
        out().file.write(json.dumps(rows, ensure_ascii=False, indent=2) + "\n")


def _read(store_uri: str, wanted: Filter, **how: Any) -> pa.Table:
    store, question = Store(store_uri), wanted.question()
    table = store.read_metrics(**question, **how)
    if not table.num_rows and wanted.metric and (name := canonical(wanted.metric)) != wanted.metric:
        return store.read_metrics(**{**question, "metric": name}, **how)
    return table


def _print_table(rows: Sequence[Mapping[str, Any]], *, more: bool) -> None:
    if not rows:
        err().print("no such results in the store")
        return
    known = [name for name in IDENTITY if name != "group_dimension" or any(row[name] != AGGREGATE for row in rows)]
    same = [name for name in known if len({row[name] for row in rows}) == 1]
    console = out()
    console.print(Text(" · ".join(_identity(rows[0], name) for name in same), "bold"))
    console.print(_table(rows, [name for name in known if name not in same]))
    if more:
        err().print(f"the newest {plural(len(rows), 'row')}; --limit for more", style="dim")


def _table(rows: Sequence[Mapping[str, Any]], telling: Sequence[str]) -> Table:
    """What all rows have in common stands above the table, and not in it again and again."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
    for name in telling:
        table.add_column(IDENTITY[name], overflow="fold")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("threshold", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("status", overflow="fold")
    for row in rows:
        table.add_row(*(_identity(row, name) for name in telling), *_judged(row))
    return table


def _identity(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else value or ""


def _judged(row: Mapping[str, Any]) -> list[str | Text]:
    status, threshold = row["status"], row["threshold_value"]
    said = Text(status.replace("_", " "), STYLES.get(status, "yellow"))
    return [
        number(row["metric_value"]),
        "" if threshold is None else bound(row["operator"], threshold, row["threshold_kind"]),
        number(row["row_count"]),
        said.append(f": {row['reason']}", "dim") if row["reason"] else said,
    ]
