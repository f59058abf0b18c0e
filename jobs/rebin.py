"""`driftline rebin`: new bins for a monitor's baselines, on purpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from engine.wording import plural
from jobs.consoles import out, working
from jobs.exits import show_data_errors
from jobs.stores import opened_store
from jobs.times import due_or_latest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from engine.monitor import Monitor
    from engine.rebinning import Rebinned

__all__ = ["rebin_monitors"]


def rebin_monitors(
    monitors: Sequence[Monitor], at: datetime | None, store_uri: str, session: Callable[[], SparkSession]
) -> int:
    """Fit new bins to the monitors' baselines as they are at a scheduled time, put them in force, and say which.

    Returns:
        The exit code.

    Raises:
        DefinitionError: without a time, a monitor that has not been due yet.
        StoreError: the bins cannot be kept.
    """
    times = [due_or_latest(monitor, at) for monitor in monitors]
    store = opened_store(store_uri)
    found: list[Rebinned] = []
    errors: list[str] = []
    with working() as say:
        say("starting Spark")
        spark = session()
        from engine.rebinning import rebin

        for monitor, time in zip(monitors, times, strict=True):
            say(f"{monitor.name}: looking at the baselines")
            rebinned, wrong = rebin(spark, monitor, time, store)
            found += rebinned
            errors += wrong
    out().print(_table(found) if found else Text("nothing to bin: no signal has a baseline that could be read"))
    return show_data_errors(errors)


def _table(found: Sequence[Rebinned]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name in ("monitor", "signals", "column", "bins before", "bins now", "cells"):
        table.add_column(name, justify="right" if name == "cells" else "left", overflow="fold")
    for each in found:
        for column, bins in each.after.items():
            before = each.before.get(column)
            same = before is not None and before.id == bins.id
            table.add_row(
                each.monitor,
                plural(len(each.signals), "signal") if len(each.signals) > 2 else ", ".join(each.signals),
                column,
                before.id if before else "-",
                Text("the same", "dim") if same else bins.id,
                f"{bins.cells:,}",
            )
    return table
