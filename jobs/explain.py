"""`driftline explain`: what carried a value, from the evidence that is stored with it. No Spark."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from engine.splits import splits_of
from engine.wording import bound, moment, number, ratio, span
from jobs.asked_rows import Question, find_rows
from jobs.carriers import legend_of, print_splits
from jobs.charts import chart_of
from jobs.consoles import out
from jobs.evidence import evidence_of
from jobs.metric_names import is_bad_when_low

__all__ = ["explain_rows", "headline_of", "rows_line_of", "verdict_line_of"]

STYLES = {"ok": "green", "breached": "bold red"}


def explain_rows(question: Question) -> None:
    """Print the evidence of a feature's rows at a scheduled time, breaches first; without a feature of all breaches.

    Raises:
        StoreError: there is no such row; it says which there are.
    """
    found = find_rows(question)
    console = out()
    if not found.rows:
        console.print(f"{found.monitor} · {moment(found.time)} · nothing breached: name a --feature to explain")
    for place, row in enumerate(found.rows):
        if place:
            console.print()
        _explain(console, row, found.every)


# ------------------------------------------------------------------------------------------------------ one row


def _explain(console: Console, row: Mapping[str, Any], every: Sequence[Mapping[str, Any]]) -> None:
    console.print(headline_of(row))
    console.print(verdict_line_of(row))
    for sentence in _chance(row):
        console.print(Text(sentence, "dim"))
    console.print(rows_line_of(row))
    for sentence in evidence_of(row, every):
        console.print(sentence)
    if row["details"].get("contributions"):
        console.print()
        console.print(chart_of(row))
    if splits := list(splits_of(row["details"]).values()):
        print_splits(console, splits)
        console.print(legend_of(splits))


def headline_of(row: Mapping[str, Any]) -> Text:
    """Which feature of which run it is about."""
    where = f"{row['signal']} · {row['monitor']} · {moment(row['scheduled_for'])}"
    return Text.assemble((row["group"], "bold"), " · ", where)


def verdict_line_of(row: Mapping[str, Any]) -> Text:
    """The metric's value, and how it was judged."""
    text = Text.assemble(row["metric_name"], " = ", (number(row["metric_value"]), "bold"), "  ")
    text.append(row["status"].replace("_", " "), STYLES.get(row["status"], "yellow"))
    if row["threshold_value"] is not None:
        times = ratio(row["metric_value"], row["threshold_value"])
        text.append(f": a breach is {bound(row['operator'], row['threshold_value'], row['threshold_kind'])}")
        text.append(f" ({float(f'{times:.2g}'):g} times it)" if times else "")
    if row["reason"]:
        text.append(f"  {row['reason']}", "yellow")
    return text


def _chance(row: Mapping[str, Any]) -> list[str]:
    said: list[str] = []
    if row["expected_p95"] is not None:
        side = "above" if _bad_when_low(row) else "below"
        said.append(f"without any change it would stay {side} {number(row['expected_p95'])} in 95 of 100 windows")
    if row["p_value"] is not None:
        q_value = f", q = {number(row['q_value'])} over the signal's groups" if row["q_value"] is not None else ""
        said.append(f"p = {number(row['p_value'])}{q_value}")
    if row["interval_low"] is not None and row["interval_high"] is not None:
        said.append(f"95 % interval {number(row['interval_low'])} to {number(row['interval_high'])}")
    return ["; ".join(said)] if said else []


def _bad_when_low(row: Mapping[str, Any]) -> bool:
    """As its threshold says, or else the metric itself."""
    return row["operator"].startswith("less") if row["operator"] else is_bad_when_low(row["metric_name"])


def rows_line_of(row: Mapping[str, Any]) -> Text:
    """The rows that it stands on, and their windows."""
    said = f"{number(row['row_count'])} rows of {span(row['window_start'], row['window_end'])}"
    if row["baseline_row_count"] is not None:
        of = f" of {span(row['baseline_start'], row['baseline_end'])}" if row["baseline_start"] else ""
        said += f" against {number(row['baseline_row_count'])} in the baseline{of}"
    return Text(said, "dim")
