"""What is said of one check, in plain words: the value, the threshold, chance, since when, and what carries it."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.bars import Bar, bars_of
from engine.results import AGGREGATE
from engine.splits import Split, sentence_of, splits_of
from engine.wording import bound, moment, number, percent, plural, printable, ratio
from server.notices import RUN, Row, Told
from signals.alerting import Notice

__all__ = ["Line", "lines_of"]

MOST = 20
"""So many checks of a kind are told one by one, and the others counted: a message is read on a telephone."""
CARRIED_BY = 3
"""Bins, and columns, that are named."""
ERROR_LINES, ERROR_LENGTH = 3, 300


@dataclass(frozen=True)
class Line:
    """What is told of one check.

    Attributes:
        name: what was measured.
        how: by which metric of which signal; empty where there is none.
        value: what it came to.
        facts: what else there is to say, the most telling first.
    """

    name: str
    how: str = ""
    value: str = ""
    facts: tuple[str, ...] = ()


def lines_of(told: Sequence[Told]) -> list[Line]:
    """A line for each; of more than `MOST` the first ones, and how many others there are."""
    lines = [_run(each) if each.check.metric == RUN else _check(each) for each in told[:MOST]]
    return [*lines, Line(f"and {len(told) - MOST:,} more")] if len(told) > MOST else lines


def _run(told: Told) -> Line:
    error = str(told.row.get("error") or "it was evaluated").splitlines()
    return Line("the run itself", facts=(*(line[:ERROR_LENGTH] for line in error[:ERROR_LINES]), _since(told)))


def _check(told: Told) -> Line:
    row, check = told.row, told.check
    segment = "" if check.dimension == AGGREGATE else f" where {printable(check.dimension)}"
    limit = bound(row["operator"], row["threshold_value"], row["threshold_kind"])
    if told.notice is Notice.RECOVERED:
        limit = f"(threshold {number(row['threshold_value'])})"
    return Line(
        f"{printable(check.group)}{segment}",
        f"{check.metric} · {check.signal}",
        f"{number(row['metric_value'])} {limit}",
        tuple(_facts(told)),
    )


def _facts(told: Told) -> list[str]:
    row = told.row
    over = told.notice is Notice.RECOVERED
    times = ratio(row["metric_value"], row["threshold_value"])
    far = f"{float(f'{times:.2g}'):g} times the threshold" if times and times >= 1.05 and not over else ""
    rows = plural(row["row_count"], "row") if row["row_count"] is not None else ""
    found = [" · ".join(each for each in (_since(told), far, rows) if each)]
    return found if over else [*found, *_chance(row), *_carried(row)]


def _since(told: Told) -> str:
    if told.notice is Notice.RECOVERED:
        return (
            f"it had breached since {moment(told.since)}" if told.check.metric != RUN else f"since {moment(told.since)}"
        )
    return "since this run" if told.since == told.row["scheduled_for"] else f"since {moment(told.since)}"


MAYBE = "this may be no more than chance"


def _chance(row: Row) -> list[str]:
    """What the value would be if nothing had changed, or how sure it is."""
    value, limit, usual = row["metric_value"], row["threshold_value"], row["expected_p95"]
    low, high = row["interval_low"], row["interval_high"]
    if usual is not None:
        falls = str(row["operator"]).startswith("less")
        said = f"chance alone stays {'above' if falls else 'below'} {number(usual)} in 19 of 20 windows"
        return [f"{said}: {MAYBE}" if (value >= usual if falls else value <= usual) else said]
    if low is None or high is None:
        return []
    said = f"95 % interval {number(low)} to {number(high)}"
    return [f"{said}, with the threshold in it: {MAYBE}" if low <= limit <= high else said]


def _carried(row: Row) -> list[str]:
    """The bins that made a distance, and the values of other columns, the largest first."""
    details = row.get("details") or {}
    found: list[str] = []
    if details.get("contributions"):
        kind = "bins" if "edges" in details else "values"
        bars = sorted((bar for bar in bars_of(row) if bar.carried), key=lambda bar: -bar.carried)[:CARRIED_BY]
        found.append(f"carried by the {kind} {', '.join(map(_bin, bars))}")
    splits = [split for split in splits_of(details).values() if split.parts]
    splits.sort(key=_largest, reverse=True)
    return found + [f"by {printable(split.dimension)}: {sentence_of(split)}" for split in splits[:CARRIED_BY]]


def _bin(bar: Bar) -> str:
    return f"{bar.name} ({percent(bar.baseline)} → {percent(bar.current)})"


def _largest(split: Split) -> float:
    return max(part.share for part in split.parts)
