"""What was found, and when: reading and replacing `signal_metrics` and `runs`."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import groupby

import pyarrow as pa

from engine.results import CheckKey, MetricRow, Run, as_table
from engine.store.folder import folder_name
from engine.store.sql import between, every, identifier, literal, one_of, some
from engine.store.table import Change, Snapshot
from engine.tables import RUNS
from signals.verdicts import Status, ThresholdKind

__all__ = ["breached_since", "history", "of_runs", "records_change", "refuse_strangers", "select"]


def refuse_strangers(runs: Sequence[Run], rows: Sequence[MetricRow]) -> None:
    """See to it that each row belongs to one of the runs, and each run is there once.

    Raises:
        ValueError: it is not so, which is a bug of the caller.
        StoreError: a monitor's name cannot be stored.
    """
    identities = {(run.monitor, run.scheduled_for): run.run_id for run in runs}
    if len(identities) < len(runs):
        raise ValueError("a run is written once at a time: two runs have the same monitor and scheduled time")
    for row in rows:
        if identities.get((row.monitor, row.scheduled_for)) != row.run_id:
            raise ValueError(f"a row of no run that is written: {row.monitor} {row.scheduled_for} {row.run_id}")
    for monitor in {run.monitor for run in runs}:
        folder_name("monitor", monitor)


def of_runs(runs: Iterable[Run]) -> str:
    """The rows of these runs, as SQL."""
    conditions: list[str] = []
    ordered = sorted(runs, key=lambda run: (run.monitor, run.scheduled_for))
    for monitor, group in groupby(ordered, key=lambda run: run.monitor):
        times = [run.scheduled_for for run in group]
        due = [between("scheduled_for", times[0], times[-1]), one_of("scheduled_for", times)]
        conditions.append(every([one_of("monitor", [monitor]), *due]))
    return some(conditions)


def records_change(metrics: Snapshot, runs: Sequence[Run]) -> Change | None:
    """What records these runs, but for those whose rows another attempt has replaced since they were written.

    Of two machines that evaluate the same run at once the later one's rows stay, and its record with them.
    """
    found = metrics.query(
        f"SELECT DISTINCT monitor, scheduled_for, run_id FROM {metrics.definition.name} WHERE {of_runs(runs)}"
    )
    held = {(row["monitor"], row["scheduled_for"]): row["run_id"] for row in found.to_pylist()}
    own = [run for run in runs if held.get((run.monitor, run.scheduled_for), run.run_id) == run.run_id]
    return Change(as_table(own, RUNS), of_runs(own)) if own else None


def select(
    snapshot: Snapshot,
    *,
    equal: dict[str, str | bool | None],
    start: datetime | None,
    end: datetime | None,
    columns: Sequence[str] | None,
    order: Sequence[str],
    limit: int | None,
) -> pa.Table:
    """The table's rows with these values (None: any) that were due in [start, end), the newest first."""
    schema = snapshot.definition.schema
    wanted = pa.schema([schema.field(name) for name in columns or schema.names])
    conditions = [f"{identifier(name)} = {literal(value)}" for name, value in equal.items() if value is not None]
    conditions += [f'"scheduled_for" >= {literal(start)}'] if start else []
    conditions += [f'"scheduled_for" < {literal(end)}'] if end else []
    statement = (
        f"SELECT {', '.join(map(identifier, wanted.names))} FROM {snapshot.definition.name} "
        f'WHERE {every(conditions)} ORDER BY "scheduled_for" DESC, {", ".join(map(identifier, order))}'
    )
    return snapshot.query(statement if limit is None else f"{statement} LIMIT {int(limit)}").cast(wanted)


def breached_since(snapshot: Snapshot, monitor: str, before: datetime) -> dict[CheckKey, datetime]:
    """Start of each check's unbroken chain of breaches that lasts until `before`.

    An evaluation without a verdict (no data, too few rows) neither ends a chain nor is part of one.
    """
    key = ", ".join(map(identifier, CheckKey._fields))
    found = snapshot.query(
        f"""
        WITH judged AS (
            SELECT {key}, scheduled_for, breached FROM {snapshot.definition.name}
            WHERE monitor = {literal(monitor)} AND scheduled_for < {literal(before)} AND breached IS NOT NULL
        ), cleared AS (
            SELECT {key}, max(scheduled_for) AS cleared_at FROM judged WHERE NOT breached GROUP BY {key}
        )
        SELECT {key}, min(scheduled_for) AS since FROM judged LEFT JOIN cleared USING ({key})
        WHERE breached AND (cleared_at IS NULL OR scheduled_for > cleared_at) GROUP BY {key}
        """
    )
    return {CheckKey(*row.values()): since for row in found.to_pylist() if (since := row.pop("since"))}


def history(
    snapshot: Snapshot, monitor: str, metrics: Collection[tuple[str, str]], start: datetime, end: datetime
) -> dict[CheckKey, list[tuple[datetime, float]]]:
    """By check the values of [start, end) that a dynamic threshold may stand on; see `MetricRow.counts`."""
    key = ", ".join(map(identifier, CheckKey._fields))
    asked = some(every([one_of("signal", [signal]), one_of("metric_name", [metric])]) for signal, metric in metrics)
    short_history = every(
        [one_of("status", [Status.INSUFFICIENT_DATA]), one_of("threshold_kind", [ThresholdKind.DYNAMIC])]
    )
    found = snapshot.query(
        f"""
        SELECT {key}, scheduled_for, metric_value FROM {snapshot.definition.name}
        WHERE monitor = {literal(monitor)} AND scheduled_for >= {literal(start)} AND scheduled_for < {literal(end)}
            AND metric_value IS NOT NULL AND {asked}
            AND ({one_of("status", [Status.OK, Status.BREACHED])} OR {short_history})
        ORDER BY scheduled_for
        """
    )
    values: dict[CheckKey, list[tuple[datetime, float]]] = defaultdict(list)
    for *check, time, value in zip(*(column.to_pylist() for column in found.columns), strict=True):
        values[CheckKey(*check)].append((time, value))
    return dict(values)
