"""`driftline monitors …`: the monitors of the registry, shown."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from engine.downtime import interrupted
from engine.wording import moment
from jobs.consoles import out
from jobs.listings import cell, print_rows, said_of, table_of
from jobs.registries import registry
from jobs.trigger_words import downtime_words, trigger_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from server.loaded import Loaded
    from server.tables import AuditEntry, MonitorRecord

__all__ = ["list_monitors", "list_versions", "show_monitor", "show_version"]

NO_MONITOR = "no monitor yet: driftline apply conf/ puts them there"


def list_monitors(url: str, space: str, *, as_json: bool) -> None:
    """Every monitor of the space."""
    from server.loaded import load_from

    with registry(url, space, reading=True) as held:
        found, time = held.monitors(), held.now
        loaded = load_from(held.session, [each.name for each in found])
        rows = [_row(each, loaded, time) for each in found]
    print_rows(rows, NO_MONITOR, as_json=as_json)


def show_monitor(url: str, space: str, name: str) -> None:
    """A monitor's definition as it is in force, then its history."""
    from server.loaded import load_from

    with registry(url, space, reading=True) as held:
        monitor, loaded = held.monitor(name), load_from(held.session, [name])
        text, history = monitor.versions[-1].text, held.audit("monitor", name)
        row = _row(monitor, loaded, held.now)
    console = out()
    console.print(Text.assemble((name, "bold"), f"  version {row['version']}, {row['evaluated']}, {row['tells']}"))
    for line in _when(loaded, name, row["due_next"]):
        console.print(line, soft_wrap=True)
    console.print(Text(text.rstrip()), soft_wrap=True)
    console.print()
    console.print(_history(history))


def show_version(url: str, space: str, name: str, number: int) -> None:
    """A monitor's definition as it was in that version: the text alone, so that it can be piped."""
    from server.errors import RegistryError

    with registry(url, space, reading=True) as held:
        texts = {each.number: each.text for each in held.monitor(name).versions}
    if number not in texts:
        raise RegistryError(f"{name!r} has no version {number}: the latest one is {max(texts)}")
    out().file.write(texts[number])


def list_versions(url: str, space: str, name: str, *, as_json: bool) -> None:
    """A monitor's versions, the latest first."""
    from server.changes import Action, Change, Kind

    with registry(url, space, reading=True) as held:
        versions = list(held.monitor(name).versions)
    rows: list[dict[str, object]] = []
    for before, each in zip([None, *versions], versions, strict=False):
        diff = Change(Action.CHANGE, Kind.MONITOR, name, before.text if before else None, each.text).diff
        signs = [line[:1] for line in diff]
        changed = {"lines_added": signs.count("+"), "lines_removed": signs.count("-")}
        rows.insert(0, {"version": each.number, "created": each.created_at, "by": each.created_by, **changed})
    print_rows(rows, NO_MONITOR, as_json=as_json)


def _when(loaded: Loaded, name: str, due: object) -> Iterator[Text]:
    """When a monitor is due; or why it cannot be loaded."""
    for problem in loaded.broken.get(name, ()):
        yield Text(str(problem), "red")
    found = loaded.monitors.get(name)
    if found is not None:
        downtime = f", {downtime_words(found.downtime)}" if found.downtime else ""
        yield Text(f"{trigger_words(found.trigger)}{downtime}; due next: {cell(due)}")


def _evaluated(monitor: MonitorRecord, loaded: Loaded, time: datetime) -> str:
    found = loaded.monitors.get(monitor.name)
    if not monitor.enabled:
        return "disabled"
    if found is None:
        return f"cannot be loaded: {loaded.broken[monitor.name][0].message}"
    end = found.downtime.until(time) if found.downtime else None
    return f"in downtime until {moment(end)}" if end else "enabled"


def _due_next(monitor: MonitorRecord, loaded: Loaded, time: datetime) -> datetime | None:
    from server.due import Timetable, Watched
    from server.policies import Policy

    found = loaded.monitors.get(monitor.name)
    if not monitor.enabled or found is None:
        return None
    timetable = Timetable(Policy())
    timetable.watch([Watched(monitor.id, monitor.name, None, interrupted(found.trigger, found.downtime), time)])
    return timetable.next_due()


def _row(monitor: MonitorRecord, loaded: Loaded, time: datetime) -> dict[str, object]:
    muted = "muted" + (f" until {moment(monitor.muted_until)}" if monitor.muted_until else "")
    reason = f" ({monitor.mute_reason})" if monitor.mute_reason else ""
    return {
        "monitor": monitor.name,
        "model": monitor.model,
        "version": monitor.version,
        "evaluated": _evaluated(monitor, loaded, time),
        "due_next": _due_next(monitor, loaded, time),
        "tells": muted + reason if monitor.muted else "tells",
        "updated": monitor.updated_at,
    }


def _history(entries: Sequence[AuditEntry]) -> Table:
    table = table_of(("when", "who", "what", "from", "to"))
    for entry in entries:
        table.add_row(moment(entry.at), entry.actor, entry.action, said_of(entry.before), said_of(entry.after))
    return table
