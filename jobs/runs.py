"""`driftline runs …`: what a server evaluated, shown, and done again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from engine.wording import moment
from jobs.consoles import out
from jobs.documents import time_text
from jobs.listings import print_rows
from jobs.options import one_of
from jobs.registries import opened_registry, registry, who
from jobs.times import now

if TYPE_CHECKING:
    from server.runs import RunView

__all__ = ["list_runs", "print_log", "retry_run", "show_run"]

COLOURS = {"done": "green", "failed": "red", "running": "cyan", "queued": "yellow"}


def list_runs(url: str, monitor: str | None, state: str | None, limit: int, *, as_json: bool) -> None:
    """The latest runs."""
    from server.queue import State
    from server.runs import list_runs as found_runs

    one_of(state, State)
    with registry(url, "default") as held:
        found = found_runs(held.session, monitor, state, limit)
    if as_json or not found:
        nothing = "no such run" if monitor or state else "no run yet: driftline serve evaluates what is due"
        print_rows([asdict(each) for each in found], nothing, as_json=as_json)
        return
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    for name in ("monitor", "due", "state", "attempt", "took", "why"):
        table.add_column(name, overflow="fold")
    for each in found:
        why = (each.error or "").splitlines()
        state_text = Text(each.state, COLOURS.get(each.state, ""))
        table.add_row(each.monitor, moment(each.scheduled_for), state_text, str(each.attempt), _took(each), *why[:1])
    out().print(table)


def show_run(url: str, monitor: str, at: datetime | None) -> None:
    """Everything that is known of one run."""
    found = _found(url, monitor, at)
    for name, value in _plain(found).items():
        if value is not None and name != "monitor_id":
            out().print(Text.assemble((f"{name:15}", "dim"), str(value)), soft_wrap=True)


def print_log(url: str, monitor: str, at: datetime | None) -> None:
    """What its process said, as it said it."""
    from server.errors import RegistryError

    found = _found(url, monitor, at)
    if found.log is None or not Path(found.log).is_file():
        where = f": {found.log} is not on this machine" if found.log else ""
        raise RegistryError(f"the run of {monitor!r} has no log{where}")
    out().file.write(Path(found.log).read_text(encoding="utf-8", errors="replace"))


def retry_run(url: str, monitor: str, at: datetime | None) -> None:
    """Put a run into the queue."""
    from server.runs import trigger_run

    time = trigger_run(opened_registry(url), monitor, at, now(), who())
    out().print(f"{monitor} is queued for {moment(time)}")


def _found(url: str, monitor: str, at: datetime | None) -> RunView:
    from server.runs import find_run

    with registry(url, "default") as held:
        return find_run(held.session, monitor, at)


def _plain(run: RunView) -> dict[str, object]:
    return {name: time_text(value) if isinstance(value, datetime) else value for name, value in asdict(run).items()}


def _took(run: RunView) -> str:
    if run.started_at is None or (run.finished_at is None and run.state != "running"):
        return "–"
    took = f"{((run.finished_at or now()) - run.started_at).total_seconds():.0f} s"
    return took if run.finished_at else f"{took} so far"
