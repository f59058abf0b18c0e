"""What late labels have changed: earlier runs that were evaluated again, and how their checks came out this time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from engine.results import Status
from engine.wording import number, plural, short_moment

if TYPE_CHECKING:
    from engine.evaluations import Evaluation
    from engine.revisions import Revision

__all__ = ["revised_lines"]

MOST = 12
"""Changed checks that are shown of each run; those whose verdict changed come first."""


def revised_lines(revised: Sequence[Evaluation], at: datetime) -> list[RenderableType]:
    """A block that tells which earlier runs were revised; nothing where none was."""
    if not revised:
        return []
    headline = f"{plural(len(revised), 'earlier run')} revised, because labels have arrived since"
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name in ("scheduled", "check", "before", "now", "verdict"):
        table.add_column(name, justify="right" if name in ("before", "now") else "left", overflow="fold")
    for evaluation in revised:
        _add(table, evaluation, at)
    return ["", Text(headline, "bold"), table]


def _add(table: Table, evaluation: Evaluation, at: datetime) -> None:
    changes = sorted(evaluation.revisions or (), key=_weight)
    when = short_moment(evaluation.run.scheduled_for, at)
    if not changes:
        table.add_row(when, Text("every check as it was", "dim"), "", "", "")
    for place, change in enumerate(changes[:MOST]):
        check = Text.assemble(change.check.metric_name, (f" {change.check.signal}", "dim"))
        before, after = number(change.before), number(change.after)
        table.add_row("" if place else when, check, before, after, _verdict(change))
    if len(changes) > MOST:
        table.add_row("", Text(f"and {plural(len(changes) - MOST, 'more check')}", "dim"), "", "", "")


def _weight(change: Revision) -> tuple[bool, bool]:
    return change.status_before is change.status_after, not change.final


def _verdict(change: Revision) -> Text:
    styles = {Status.BREACHED: "bold red", Status.OK: "green"}
    after = Text(change.status_after.value.replace("_", " "), styles.get(change.status_after, "yellow"))
    said = after
    if change.status_before is not change.status_after:
        said = Text.assemble((f"{change.status_before.value.replace('_', ' ')} → ", "dim"), after)
    return said.append(" · no longer provisional", "not bold dim") if change.final else said
