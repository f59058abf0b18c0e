"""A backfill at a glance: breaches by signal, week by week with a mark for each window, and what breached most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from engine.results import CheckKey, MetricRow, Run
from engine.wording import bound, moment, number, percent, plural, ratio, short_moment, span
from jobs.verdicts import severity

__all__ = ["Tally", "Window", "periods_of"]

MARKS = "·▁▂▃▄▅▆▇█"
WORST = 10
DAYS_APART = 14
"""Up to so many windows each has a row of its own; more are shown by week, and more than `WEEKS_APART` by month."""
WEEKS_APART = 60 * 7


@dataclass(frozen=True)
class Window:
    """One evaluated window: how many checks it had, how many of them were judged, and those that breached."""

    scheduled_for: datetime
    run: Run
    checks: int
    judged: int
    breaches: tuple[MetricRow, ...]


@dataclass
class Tally:
    """One monitor's windows, in order.

    The evidence of breaches is in the store; it is not kept here, because a backfill may be long.
    """

    monitor: str
    signals: tuple[str, ...]
    windows: list[Window] = field(default_factory=list[Window])
    errors: dict[str, None] = field(default_factory=dict[str, None])

    def add(self, window: Window) -> None:
        """Take in one window."""
        light = tuple(replace(row, details={}) for row in window.breaches)
        self.windows.append(replace(window, breaches=light))


def periods_of(tally: Tally, start: datetime, end: datetime) -> RenderableType:
    """Everything that `driftline backfill` prints about one monitor."""
    breaches = [row for window in tally.windows for row in window.breaches]
    parts: list[RenderableType] = [_headline(tally, len(breaches), start, end), "", _heat(tally)]
    if breaches:
        parts += ["", _worst(breaches, tally)]
    return Group(*parts)


def _headline(tally: Tally, breaches: int, start: datetime, end: datetime) -> Text:
    checks = sum(window.checks for window in tally.windows)
    unjudged = checks - sum(window.judged for window in tally.windows)
    verdict = (
        (f"{breaches:,} of {plural(checks, 'check')} breached", "bold red") if breaches else ("no breach", "green")
    )
    windows = plural(len(tally.windows), "window")
    text = Text.assemble((tally.monitor, "bold"), " · ", span(start, end), " · ", windows, " · ", verdict)
    return text.append(f" · {unjudged:,} not judged", "yellow") if unjudged else text


# ------------------------------------------------------------------------------------------------------ the weeks


def _heat(tally: Tally) -> Table:
    """One row per period: in each signal's column a mark per window, as high as its share of breached checks."""
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    title, groups = _periods(tally.windows)
    table.add_column(title, no_wrap=True)
    table.add_column("windows", justify="right")
    for signal in tally.signals:
        table.add_column(signal)
    table.add_column("breaches", justify="right")
    most = {signal: max((_count(window, signal) for window in tally.windows), default=0) for signal in tally.signals}
    for name, windows in groups.items():
        cells = [_marks([_count(window, signal) for window in windows], most[signal]) for signal in tally.signals]
        table.add_row(name, f"{len(windows):,}", *cells, f"{sum(len(window.breaches) for window in windows):,}")
    return table


def _periods(windows: Sequence[Window]) -> tuple[str, dict[str, list[Window]]]:
    if len(windows) <= DAYS_APART:
        return "scheduled for", {moment(window.scheduled_for): [window] for window in windows}
    days = (windows[-1].scheduled_for - windows[0].scheduled_for).days
    by_month = days > WEEKS_APART
    groups: dict[str, list[Window]] = {}
    for window in windows:
        day = window.scheduled_for.astimezone(UTC)
        monday = day - timedelta(day.weekday())
        name = f"{day:%b %Y}" if by_month else f"{monday.day} {monday:%b %Y}"
        groups.setdefault(name, []).append(window)
    return ("month" if by_month else "week of"), groups


def _count(window: Window, signal: str) -> int:
    return sum(row.signal == signal for row in window.breaches)


def _marks(counts: Sequence[int], most: int) -> Text:
    text = Text()
    for count in counts:
        height = -(-count * (len(MARKS) - 1) // most) if most else 0
        text.append(MARKS[height], "dim" if not count else "red" if 2 * count > most else "yellow")
    return text


# ---------------------------------------------------------------------------------------------- the worst checks


def _worst(breaches: Sequence[MetricRow], tally: Tally) -> RenderableType:
    by_check: dict[CheckKey, list[MetricRow]] = {}
    for row in breaches:
        by_check.setdefault(row.key, []).append(row)
    often = sorted(by_check.values(), key=len, reverse=True)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name, right in (
        ("breached most often", False),
        ("windows", True),
        ("", True),
        ("first", False),
        ("last", False),
    ):
        table.add_column(name, justify="right" if right else "left", no_wrap=name != "breached most often")
    table.add_column("worst", no_wrap=True)
    for rows in often[:WORST]:
        table.add_row(*_worst_cells(rows, len(tally.windows)))
    more = len(often) - WORST
    return Group(table, Text(f"and {plural(more, 'check')} more", "dim")) if more > 0 else table


def _worst_cells(rows: Sequence[MetricRow], windows: int) -> list[Text | str]:
    first, last, worst = rows[0], rows[-1], max(rows, key=severity)
    times = ratio(worst.metric_value, worst.threshold_value)
    crossed = bound(worst.operator, worst.threshold_value, worst.threshold_kind)
    return [
        Text.assemble((worst.group, "bold"), " ", (f"{worst.signal} {worst.metric_name}", "dim")),
        f"{len(rows):,}",
        percent(len(rows) / windows),
        short_moment(first.scheduled_for, last.scheduled_for),
        short_moment(last.scheduled_for, first.scheduled_for),
        Text.assemble(
            (number(worst.metric_value), "red"), f" {crossed}", (f" {times:.2g}×" if times else "", "dim"),
            (f" {short_moment(worst.scheduled_for, last.scheduled_for)}", "dim"),
        ),
    ]  # fmt: skip
