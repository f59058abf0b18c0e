"""`driftline next`: when a monitor is due, and which windows of data it will look at then. No Spark."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from engine.errors import DefinitionError, Problem
from engine.monitor import Monitor, SignalType
from engine.plan import SignalPlan, plan_of
from engine.windows import Window, resolve
from engine.wording import listed, moment, plural, span
from jobs.consoles import out
from jobs.documents import time_text
from jobs.monitors import load_monitors
from jobs.trigger_words import downtime_words, trigger_words

__all__ = ["print_upcoming"]

HORIZON = timedelta(days=36_525)
"""How far ahead is looked: a leap day that is a Monday comes once in 28 years."""
DEFINITIONS = Path("conf")
"""Where a monitor is looked for that is given by its name."""


@dataclass(frozen=True)
class Upcoming:
    """A monitor's next scheduled times, with what each of its signals looks at then."""

    monitor: Monitor
    since: datetime
    times: tuple[datetime, ...]
    plans: tuple[SignalPlan, ...]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.monitor.trigger.time_zone)

    def pause(self, time: datetime) -> datetime | None:
        """When the downtime ends that this time falls into; None: it is evaluated."""
        return self.monitor.downtime.until(time) if self.monitor.downtime else None


def print_upcoming(monitor: str, since: datetime, count: int, *, as_json: bool) -> None:
    """Print the next `count` scheduled times from `since` on, with their windows.

    Raises:
        DefinitionError: there is no such monitor, or it is wrong.
    """
    found = [_upcoming(each, since, count) for each in _monitors(monitor)]
    console = out()
    if as_json:
        document = {"monitors": [_document(each) for each in found]}
        console.file.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        return
    for number, each in enumerate(found):
        if number:
            console.print()
        console.print(_said(each, count))


def _monitors(asked: str) -> list[Monitor]:
    """The monitors of a file or folder; or the one of that name under `conf/`."""
    if Path(asked).exists():
        return load_monitors([Path(asked)])
    known = load_monitors([DEFINITIONS]) if DEFINITIONS.is_dir() else []
    found = [monitor for monitor in known if monitor.name == asked]
    if not found:
        hint = f"{DEFINITIONS}/ has {listed([monitor.name for monitor in known])}" if known else "give a monitor's file"
        raise DefinitionError([Problem(asked, "", "is neither a file nor the name of a monitor", hint)])
    return found


def _upcoming(monitor: Monitor, since: datetime, count: int) -> Upcoming:
    times = tuple(islice(monitor.trigger.due(since, since + HORIZON), count))
    return Upcoming(monitor, since, times, tuple(plan_of(monitor, times)))


# --------------------------------------------------------------------------------------------------- for people


def _said(upcoming: Upcoming, count: int) -> RenderableType:
    monitor = upcoming.monitor
    head = Text.assemble((monitor.name, "bold"), " · ", trigger_words(monitor.trigger))
    if monitor.downtime:
        head.append(f" · {downtime_words(monitor.downtime)}")
    end = _end(upcoming, count)
    if not upcoming.times:
        return Group(head, end)
    head.append(f" · {plural(len(upcoming.times), 'time')} from {moment(upcoming.since)}", "dim")
    tables = [part for plans in _alike(upcoming) for part in ("", _names(plans), _table(upcoming, plans))]
    return Group(head, *tables, *(["", end] if end else []))


def _end(upcoming: Upcoming, count: int) -> Text:
    """What is said where there are fewer times than were asked for."""
    end = upcoming.monitor.trigger.end_time
    if len(upcoming.times) == count:
        return Text("")
    if end is None:
        return Text("it is not due again within a hundred years", "yellow")
    said = "it has ended: nothing" if end <= upcoming.since else "it ends then: nothing more"
    return Text(f"{said} is due at or after its end_time, {moment(end)}", "yellow")


def _names(plans: Sequence[SignalPlan]) -> Text:
    return Text(", ".join(plan.signal.name for plan in plans), "bold")


def _table(upcoming: Upcoming, plans: Sequence[SignalPlan]) -> Table:
    """One row per scheduled time, of signals that look at the same windows."""
    zone, plan = upcoming.zone, plans[0]
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    for name in ("due", "production", "baseline"):
        table.add_column(name, overflow="fold")
    for time in upcoming.times:
        baseline = plan.baselines[time]
        table.add_row(
            _due_text(upcoming, time),
            _production(plan, time, zone),
            _window(baseline, zone) if baseline else Text(_undated(plan), "dim"),
        )
    return table


def _due_text(upcoming: Upcoming, time: datetime) -> Text:
    zone, end = upcoming.zone, upcoming.pause(time)
    due = _twice(moment(time), moment(time, zone))
    return due.append(f"\nnot evaluated: in downtime until {moment(end, zone)}", "yellow") if end else due


def _alike(upcoming: Upcoming) -> list[list[SignalPlan]]:
    """Signals that look at the same windows, together."""
    groups: dict[Any, list[SignalPlan]] = {}
    for plan in upcoming.plans:
        windows = tuple((tuple(_datasets(plan, time).items()), plan.baselines[time]) for time in upcoming.times)
        groups.setdefault((windows, _undated(plan)), []).append(plan)
    return list(groups.values())


def _datasets(plan: SignalPlan, time: datetime) -> dict[str, Window | None]:
    """By name the windows of datasets that have another one than the signal; None: whole."""
    signal = plan.signal
    named = dict(signal.custom.data) if signal.custom else {data.context.value: data for data in signal.production}
    windows = {name: resolve(data.window, time) if data.window else None for name, data in named.items()}
    return windows if set(windows.values()) != {plan.windows[time]} else {}


def _production(plan: SignalPlan, time: datetime, zone: tzinfo) -> Text:
    """The window; where datasets have windows of their own, each of them."""
    datasets = _datasets(plan, time)
    if not datasets:
        return _window(plan.windows[time], zone)
    said = [
        Text(f"{name}: ", "dim") + (_window(each, zone) if each else Text("whole")) for name, each in datasets.items()
    ]
    return Text("\n").join(said)


def _undated(plan: SignalPlan) -> str:
    """What is said of a baseline without a window."""
    if plan.signal.reference is None:
        return "none"
    return "ground truth by id" if plan.signal.type is SignalType.MODEL_PERFORMANCE else "all of it"


def _window(window: Window, zone: tzinfo) -> Text:
    return _twice(span(window.start, window.end), span(window.start, window.end, zone))


def _twice(in_utc: str, in_zone: str) -> Text:
    """A time in UTC, and below it in the trigger's zone where that is another one."""
    return Text(in_utc) if in_utc == in_zone else Text.assemble(in_utc, "\n", (in_zone, "dim"))


# ------------------------------------------------------------------------------------------------- for machines


def _document(upcoming: Upcoming) -> dict[str, Any]:
    trigger = upcoming.monitor.trigger
    return {
        "monitor": upcoming.monitor.name,
        "trigger": trigger_words(trigger),
        "time_zone": trigger.time_zone,
        "start_time": time_text(trigger.start_time) if trigger.start_time else None,
        "end_time": time_text(trigger.end_time) if trigger.end_time else None,
        "next": [_due(upcoming, time) for time in upcoming.times],
    }


def _due(upcoming: Upcoming, time: datetime) -> dict[str, Any]:
    return {
        "scheduled_for": time_text(time),
        "local_time": time.astimezone(upcoming.zone).isoformat(),
        "downtime_until": time_text(end) if (end := upcoming.pause(time)) else None,
        "signals": list(_signals(upcoming, time)),
    }


def _signals(upcoming: Upcoming, time: datetime) -> Iterator[dict[str, Any]]:
    for plan in upcoming.plans:
        window, baseline = plan.windows[time], plan.baselines[time]
        yield {
            "signal": plan.signal.name,
            "signal_type": plan.signal.type.value,
            "window": _ends(window),
            "datasets": {name: _ends(each) if each else None for name, each in _datasets(plan, time).items()},
            "baseline": _ends(baseline) if baseline else _undated(plan),
        }


def _ends(window: Window) -> dict[str, str]:
    return {"start": time_text(window.start), "end": time_text(window.end)}
