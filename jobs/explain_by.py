"""`driftline explain --by`: which values of other columns carried a feature's shift; stored, or counted now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, replace
from typing import TYPE_CHECKING, Any

import typer

from engine.errors import DefinitionError, Problem
from engine.splits import Part, Split, splits_of
from engine.store import Store
from jobs.asked_rows import Found, Question, find_rows, is_file
from jobs.carriers import legend_of, print_splits
from jobs.consoles import err, out, working
from jobs.explain import headline_of, rows_line_of, verdict_line_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from engine.carriers import Explanation
    from engine.monitor import Monitor

__all__ = ["explain_by", "names_in"]

Row = Mapping[str, Any]
Check = tuple[str, str]
"""A signal's and a metric's name."""


def names_in(words: Sequence[str]) -> list[str]:
    """The columns that `--by` names: separated by commas, or said one by one."""
    return list(dict.fromkeys(name.strip() for word in words for name in word.split(",") if name.strip()))


def explain_by(question: Question, dimensions: Sequence[str], session: Callable[[], SparkSession]) -> None:
    """Print what the values of these columns carried of a feature's shift: of its breaches, or else of all its rows.

    What the run has stored is shown; anything else is counted now.

    Args:
        question: which rows.
        dimensions: the columns.
        session: gives Spark's session when it is needed.

    Raises:
        typer.BadParameter: no feature is named, or it is its own dimension.
        StoreError: there is no such row.
        DefinitionError: it has to be counted, and the definition is not at hand.
        DataError: a dimension is no column, or the data cannot be read.
    """
    if not dimensions:
        raise typer.BadParameter("--by names no column; write --by origin,carrier")
    if question.feature is None:
        raise typer.BadParameter("--by needs a --feature: whose shift is it about?")
    if question.feature in dimensions:
        raise typer.BadParameter(f"{question.feature!r} is not explained by itself; without --by you see its bins")
    found = find_rows(question)
    rows = [row for row in found.rows if row["breached"]] or found.rows
    splits = {_check(row): splits_of(row["details"]) for row in rows}
    if any(name not in mine for mine in splits.values() for name in dimensions):
        splits = _counted(question, replace(found, rows=rows), dimensions, session)
    console = out()
    for place, row in enumerate(rows):
        if place:
            console.print()
        for line in (headline_of(row), verdict_line_of(row), rows_line_of(row)):
            console.print(line)
        print_splits(console, [splits[_check(row)][name] for name in dimensions])
    every = [split for mine in splits.values() for split in mine.values()]
    if legend := legend_of(every):
        console.print()
        console.print(legend)


def _check(row: Row) -> Check:
    return row["signal"], row["metric_name"]


# ----------------------------------------------------------------------------------------------------------- counting


def _counted(
    question: Question, found: Found, dimensions: Sequence[str], session: Callable[[], SparkSession]
) -> dict[Check, dict[str, Split]]:
    """Count it now; rows of metrics that do not add up are not worth a scan."""
    monitor, feature = _definition(question, dimensions), str(question.feature)
    if any(row["config_hash"] != monitor.config_hash for row in found.rows):
        err().print("note: the definition has changed since that run", style="dim")
    checks = [_check(row) for row in found.rows]
    from signals.prices import SPLITTABLE

    metrics: dict[str, list[str]] = {}
    for signal, metric in checks:
        if metric in SPLITTABLE:
            metrics.setdefault(signal, []).append(metric)
    answers: Mapping[Check, list[Explanation]] = {}
    if metrics:
        with working() as say:
            say("starting Spark")
            spark = session()
            from engine.carriers import explain

            say(f"counting {feature} by {' and '.join(dimensions)}")
            store = Store(question.store_uri)
            answers = explain(
                spark, monitor, found.time, feature=feature, metrics=metrics, dimensions=dimensions, store=store
            )
    return {check: _splits(check, answers.get(check), dimensions) for check in checks}


def _definition(question: Question, dimensions: Sequence[str]) -> Monitor:
    name = question.monitor
    if is_file(name):
        from engine.monitor import Monitor

        return Monitor.from_yaml(name)
    hint = (
        f"pass the monitor's file instead, such as driftline explain conf/monitors/{name}.yaml "
        f"--feature {question.feature} --by {','.join(dimensions)}"
    )
    what = "that run has not stored this split; to count it now, the monitor's definition is needed, not only its name"
    raise DefinitionError([Problem(name, "", what, hint)])


def _splits(check: Check, answers: Sequence[Explanation] | None, dimensions: Sequence[str]) -> dict[str, Split]:
    if answers is None:
        why = f"{check[1]} does not add up over rows, or its signal has no baseline"
        return {name: Split(name, reason=why) for name in dimensions}
    return {each.dimension: _split(each) for each in answers}


def _split(found: Explanation) -> Split:
    parts = [Part(*astuple(each)) for each in found.carriers]
    rest = Part(*astuple(found.rest)) if found.rest else None
    return Split(found.dimension, parts, rest, found.own, found.reason)
