"""`driftline profiles`: what was counted and is kept; whether it still agrees with the source; and what is old."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import isodate
import typer
from rich.table import Table
from rich.text import Text

from engine.store import Store
from engine.wording import plural, span
from jobs.consoles import err, out, working
from jobs.documents import plain_rows
from jobs.exits import show_data_errors
from jobs.stores import opened_store
from jobs.times import due_or_latest, now

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from engine.monitor import Monitor
    from engine.verifying import Verified

__all__ = ["DIFFERENT", "list_profiles", "prune_profiles", "verify_profiles"]

DIFFERENT = 10
"""The exit code where a kept profile is not what the source holds."""
NAMED = 5


def list_profiles(store_uri: str, *, as_json: bool = False) -> None:
    """Print what is kept, a line per dataset.

    Raises:
        StoreError: the store cannot be read.
    """
    found = Store(store_uri).list_profiles()
    if as_json:
        out().file.write(json.dumps(plain_rows(found), ensure_ascii=False, indent=2) + "\n")
        return
    rows = found.to_pylist()
    if not rows:
        err().print("no profiles in the store")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name in ("dataset", "columns", "segments", "buckets", "from, to"):
        table.add_column(name, justify="left" if name in ("dataset", "from, to") else "right", overflow="fold")
    for row in rows:
        dates = "the whole dataset" if row["first"] is None else span(row["first"], row["last"])
        numbers = (f"{row[name]:,}" for name in ("columns", "segments", "buckets"))
        table.add_row(Text.assemble(row["source"], (f"\n{row['dataset']}", "dim")), *numbers, dates)
    out().print(table)


def prune_profiles(store_uri: str, keep: str) -> None:
    """Delete what is older than a duration; results stay.

    Raises:
        typer.BadParameter: it is no duration.
        StoreError: the store cannot be written.
    """
    try:
        before = now() - isodate.parse_duration(keep)
    except (isodate.ISO8601Error, TypeError, OverflowError):
        message = f"{keep!r} is not an ISO-8601 duration such as P400D or P13M"
        raise typer.BadParameter(message, param_hint="--keep") from None
    store = Store(store_uri)
    profiles, outcomes = store.prune_profiles(before), store.prune_outcomes(before)
    importances = store.prune_importances(before)
    gone = (
        f"{plural(profiles, 'profile')}, {plural(outcomes, 'outcome')} and {plural(importances, 'importance')} deleted"
    )
    out().print(f"{gone}: of buckets that ended before {before:%Y-%m-%d}, or in bins that are in force no more")


def verify_profiles(
    monitors: Sequence[Monitor],
    start: datetime | None,
    end: datetime | None,
    store_uri: str,
    session: Callable[[], SparkSession],
) -> int:
    """Count again what is kept of the monitors' windows, and say whether it agrees.

    Args:
        monitors: whose windows and baselines.
        start: the first scheduled time; None: each monitor's latest is the only one.
        end: the scheduled times end before it; None: now.
        store_uri: where the profiles are.
        session: gives the session when it is needed.

    Returns:
        The exit code: `DIFFERENT` where something does not agree.
    """
    store = opened_store(store_uri)
    times = [_times(monitor, start, end) for monitor in monitors]
    found: list[tuple[Monitor, Verified]] = []
    errors: list[str] = []
    with working() as say:
        say("starting Spark")
        spark = session()
        from engine.verifying import verify

        for monitor, due in zip(monitors, times, strict=True):
            say(f"{monitor.name}: counting again")
            verified, wrong = verify(spark, monitor, due, store)
            found += [(monitor, each) for each in verified]
            errors += wrong
    for monitor, each in found:
        _show(monitor, each)
    if code := show_data_errors(errors):
        return code
    return DIFFERENT if any(each.different for _, each in found) else 0


def _times(monitor: Monitor, start: datetime | None, end: datetime | None) -> list[datetime]:
    if start is None:
        return [due_or_latest(monitor, None)]
    return list(monitor.trigger.due(start, end or now()))


def _show(monitor: Monitor, found: Verified) -> None:
    console = out()
    agreed = Text(f"{plural(found.agreed, 'kept profile')} agree", "green")
    wrong = Text(f" · {plural(len(found.different), 'profile')} differ", "bold red") if found.different else Text("")
    unkept = Text(f" · {found.unkept:,} not kept", "dim") if found.unkept else Text("")
    console.print(Text.assemble((monitor.name, "bold"), f" · {found.source} · ", agreed, wrong, unkept))
    for key in found.different[:NAMED]:
        when = span(key.bucket.start, key.bucket.end) if key.bucket else "the whole dataset"
        console.print(Text(f"  ✗ {key.column or 'rows'} · {when} · {key.segment}", "red"))
    if found.different:
        console.print("  driftline run --refresh (or backfill --refresh) counts them again", style="dim")
