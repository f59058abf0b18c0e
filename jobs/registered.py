"""`driftline monitors …` and `driftline keys …`: what the registry holds, shown, and changed."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

import typer
from rich.table import Table
from rich.text import Text

from engine.downtime import interrupted
from engine.wording import moment, plural
from jobs.consoles import err, out
from jobs.documents import time_text
from jobs.registries import registry
from jobs.trigger_words import downtime_words, trigger_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from server.loaded import Loaded
    from server.tables import AuditEntry, MonitorRecord

__all__ = [
    "list_monitors",
    "list_versions",
    "make_key",
    "print_rows",
    "said_of",
    "show_keys",
    "show_monitor",
    "show_version",
]

NO_MONITOR = "no monitor yet: driftline apply conf/ puts them there"
NO_KEY = "no key yet: driftline keys create"


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


def make_key(url: str, space: str | None, name: str, role: str) -> None:
    """Make a key; the key alone is on stdout, so that it can be piped."""
    from server.keys import Role, create_key

    if role not in [*Role]:
        raise typer.BadParameter(f"{role!r} is not one of {', '.join(Role)}")
    with registry(url, space or "default") as held:
        made = create_key(held, name, Role(role), bound=space is not None)
    out().print(made.secret, soft_wrap=True)
    err().print("Keep it now: it cannot be shown again. It goes into the header x-api-key.", style="dim")


def show_keys(url: str, *, as_json: bool) -> None:
    """Every key without its secret."""
    from server.keys import list_keys
    from server.places import space_names

    with registry(url, "default", reading=True) as held:
        spaces = space_names(held.session)
        rows = [
            {
                "key": each.name,
                "role": each.role,
                "space": spaces[each.space_id] if each.space_id else None,
                "created": each.created_at,
                "last_used": each.last_used_at,
                "revoked": each.revoked_at,
            }
            for each in list_keys(held.session)
        ]
    print_rows(rows, NO_KEY, as_json=as_json)


def _when(loaded: Loaded, name: str, due: object) -> Iterator[Text]:
    """When a monitor is due; or why it cannot be loaded."""
    for problem in loaded.broken.get(name, ()):
        yield Text(str(problem), "red")
    found = loaded.monitors.get(name)
    if found is not None:
        downtime = f", {downtime_words(found.downtime)}" if found.downtime else ""
        yield Text(f"{trigger_words(found.trigger)}{downtime}; due next: {_cell(due)}")


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
    table = _table(("when", "who", "what", "from", "to"))
    for entry in entries:
        table.add_row(moment(entry.at), entry.actor, entry.action, said_of(entry.before), said_of(entry.after))
    return table


def said_of(values: Mapping[str, object] | None) -> str:
    """What was changed; of whole definitions, how many lines they are."""
    said = {name: value for name, value in (values or {}).items() if value is not None}
    texts = [plural(len(str(said.pop("definition")).splitlines()), "line")] if "definition" in said else []
    return ", ".join([*texts, *(f"{name} {value}" for name, value in said.items())])


def print_rows(rows: Sequence[Mapping[str, object]], nothing: str, *, as_json: bool) -> None:
    """Rows as a table or as JSON; where there is none, a table's reader is told so."""
    if as_json:
        plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
        out().file.write(json.dumps(plain, indent=2, ensure_ascii=False) + "\n")
        return
    if not rows:
        err().print(nothing)
        return
    table = _table(tuple(rows[0]))
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    out().print(table)


def _plain(value: object) -> object:
    return time_text(value) if isinstance(value, datetime) else value


def _cell(value: object) -> str:
    return "–" if value is None else moment(value) if isinstance(value, datetime) else str(value)


def _table(names: Sequence[str]) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    return table
