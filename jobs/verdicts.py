"""What one run found, for a tired person: the verdict first, the worst breach next, the rest in numbers."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import inf, log

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from engine.results import AGGREGATE, CheckKey, MetricRow, Status
from engine.wording import bound, listed, moment, number, plural, ratio, short_moment, span
from jobs.found import Found
from jobs.revised import revised_lines
from jobs.stores import store_option

__all__ = ["severity", "verdict_of"]

MOST_BREACHES = 20
JUDGED = (Status.OK, Status.BREACHED)


def verdict_of(found: Found, store_uri: str) -> Group:
    """Everything that `driftline run` prints about one monitor."""
    rows = found.evaluation.rows
    breaches = sorted((row for row in rows if row.status is Status.BREACHED), key=severity, reverse=True)
    parts: list[RenderableType] = [_headline(found, len(breaches)), _about(found)]
    if breaches:
        parts += ["", _breaches(breaches, found.since, found.evaluation.run.scheduled_for)]
    parts += ["", _counts(rows)]
    run = found.evaluation.run
    parts += [*_unjudged(rows), *_remarks(rows, run.notes), *revised_lines(found.revised, run.scheduled_for)]
    return Group(*parts, "", _next(found, breaches, store_uri))


def severity(row: MetricRow) -> tuple[float, float]:
    """How bad a breach is beside others: by how many times its threshold, then by how much, it was crossed.

    A threshold of 0 is crossed by no number of times, so those come after the ones that say a number.
    """
    times = ratio(row.metric_value, row.threshold_value)
    distance = abs((row.metric_value or 0) - (row.threshold_value or 0))
    return (abs(log(times)) if times else -inf, distance)


# ------------------------------------------------------------------------------------------------- the first lines


def _headline(found: Found, breaches: int) -> Text:
    rows, run = found.evaluation.rows, found.evaluation.run
    unjudged = sum(row.status not in JUDGED for row in rows)
    if breaches:
        verdict = Text(f"{breaches:,} of {len(rows):,} checks breached", "bold red")
    elif unjudged == len(rows):
        verdict = Text("nothing could be judged", "bold yellow")
    else:
        verdict = Text("no breach", "bold green") + Text(f" in {plural(len(rows), 'check')}", "not bold")
    line = Text.assemble((run.monitor, "bold"), " · ", moment(run.scheduled_for), " · ", verdict)
    return line.append(f" · {unjudged:,} not judged", "yellow") if 0 < unjudged < len(rows) else line


def _about(found: Found) -> Text:
    run = found.evaluation.run
    said = [f"window {span(run.window_start, run.window_end)}"] if run.window_start and run.window_end else []
    said += [f"{plural(run.rows_read, 'row')} read"] if run.rows_read is not None else []
    said += [f"{run.wall_seconds:.1f} s"] if run.wall_seconds is not None else []
    said += [f"attempt {run.attempt}"] if run.attempt > 1 else []
    return Text(" · ".join(said), "dim")


# ---------------------------------------------------------------------------------------------------- the breaches


def _breaches(breaches: Sequence[MetricRow], since: Mapping[CheckKey, datetime], at: datetime) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("breached, worst first", ratio=1, overflow="fold")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("threshold", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("by chance", no_wrap=True)
    table.add_column("since", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    for row in breaches[:MOST_BREACHES]:
        times = ratio(row.metric_value, row.threshold_value)
        table.add_row(
            Group(
                Text.assemble(("✗ ", "bold red"), (row.group, "bold")), Padding(Text(_check(row), "dim"), (0, 0, 0, 2))
            ),
            Text(number(row.metric_value), "bold red") + _give_or_take(row),
            bound(row.operator, row.threshold_value, row.threshold_kind),
            f"{number(_short(times))}×" if times else "",
            Text(f"≤ {number(_short(row.expected_p95))}" if row.expected_p95 is not None else "", "dim"),
            _since(since.get(row.key), at),
            number(row.row_count),
        )
    more = len(breaches) - MOST_BREACHES
    return Group(table, Text(f"and {more:,} more", "dim")) if more > 0 else table


def _check(row: MetricRow) -> str:
    segment = "" if row.group_dimension in (None, AGGREGATE) else f" · {row.group_dimension}"
    return f"{row.signal} {row.metric_name}{segment}"


def _short(value: float | None) -> float | None:
    """To two significant digits: enough for what is only compared at a glance."""
    return None if value is None else float(f"{value:.2g}")


def _give_or_take(row: MetricRow) -> Text:
    """Half the width of the value's 95 % interval."""
    if row.interval_low is None or row.interval_high is None:
        return Text("")
    return Text(f" ± {number(_short((row.interval_high - row.interval_low) / 2))}", "not bold dim")


def _since(first: datetime | None, at: datetime) -> Text:
    return Text("this run", "bold") if first is None else Text(short_moment(first, at))


# -------------------------------------------------------------------------------------------------- everything else


def _counts(rows: Sequence[MetricRow]) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    for name in ("signal", "checks", "breached", "ok", "not judged"):
        table.add_column(name, justify="left" if name == "signal" else "right")
    for signal in dict.fromkeys(row.signal for row in rows):
        own = [row for row in rows if row.signal == signal]
        counts = Counter(row.status for row in own)
        other = len(own) - counts[Status.OK] - counts[Status.BREACHED]
        cells = ((counts[Status.BREACHED], "red"), (counts[Status.OK], "green"), (other, "yellow"))
        table.add_row(
            signal, f"{len(own):,}", *(Text(f"{n:,}", style) if n else Text("·", "dim") for n, style in cells)
        )
    return table


def _unjudged(rows: Sequence[MetricRow]) -> list[RenderableType]:
    """Rows without a verdict; those with the same reason together."""
    groups = _by_reason(row for row in rows if row.status not in JUDGED)
    lines: list[RenderableType] = [
        Text.assemble((f"{signal} {status.value.replace('_', ' ')}: ", "yellow"), f"{_names(same)}: {reason}")
        for (signal, status, reason), same in groups.items()
    ]
    return ["", *lines] if lines else []


def _remarks(rows: Sequence[MetricRow], notes: Sequence[str]) -> list[RenderableType]:
    """What is said of values that were judged, and of the run."""
    groups = _by_reason(row for row in rows if row.status in JUDGED and row.reason)
    said = [f"{signal}: {_names(same)}: {reason}" for (signal, _, reason), same in groups.items()]
    lines: list[RenderableType] = [Text(line, "dim") for line in (*said, *(f"note: {note}" for note in notes))]
    return ["", *lines] if lines else []


def _by_reason(rows: Iterable[MetricRow]) -> dict[tuple[str, Status, str], list[MetricRow]]:
    groups: dict[tuple[str, Status, str], list[MetricRow]] = {}
    for row in rows:
        groups.setdefault((row.signal, row.status, row.reason or ""), []).append(row)
    return groups


def _names(rows: Sequence[MetricRow]) -> str:
    """``a, b and 3 more (metric)``."""
    metrics = list(dict.fromkeys(row.metric_name for row in rows))
    groups = list(dict.fromkeys(row.group for row in rows))
    return f"{listed(groups)} ({listed(metrics, 2)})"


def _next(found: Found, breaches: Sequence[MetricRow], store_uri: str) -> Text:
    run = found.evaluation.run
    lines = [f"results in {store_uri}"]
    if breaches:
        at = f"{run.scheduled_for:%Y-%m-%dT%H:%MZ}"
        quoted = shlex.quote(breaches[0].group)
        lines.append(
            f"why:  driftline explain {shlex.quote(run.monitor)} --at {at} --feature {quoted}{store_option(store_uri)}"
        )
    return Text("\n".join(lines), "dim")
