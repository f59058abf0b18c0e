"""`driftline monitors …` and `driftline keys …`: what the registry holds, shown, and changed."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

import typer
from rich.table import Table
from rich.text import Text

from engine.wording import moment
from jobs.consoles import err, out
from jobs.documents import time_text
from jobs.registries import registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from server.tables import AuditEntry, MonitorRecord

__all__ = ["list_monitors", "make_key", "print_rows", "show_keys", "show_monitor"]

NO_MONITOR = "no monitor yet: driftline apply conf/ puts them there"
NO_KEY = "no key yet: driftline keys create"


def list_monitors(url: str, space: str, *, as_json: bool) -> None:
    """Every monitor of the space."""
    with registry(url, space) as held:
        rows = [_row(each) for each in held.monitors()]
    print_rows(rows, NO_MONITOR, as_json=as_json)


def show_monitor(url: str, space: str, name: str) -> None:
    """A monitor's definition as it is in force, then its history."""
    with registry(url, space) as held:
        monitor = held.monitor(name)
        text, history = monitor.versions[-1].text, held.audit("monitor", name)
        row = _row(monitor)
    console = out()
    console.print(Text.assemble((name, "bold"), f"  version {row['version']}, {row['evaluated']}, {row['tells']}"))
    console.print(Text(text.rstrip()), soft_wrap=True)
    console.print()
    console.print(_history(history))


def make_key(url: str, space: str, name: str, role: str, *, bound: bool) -> None:
    """Make a key; the key alone is on stdout, so that it can be piped."""
    from server.keys import Role, create_key

    if role not in [*Role]:
        raise typer.BadParameter(f"{role!r} is not one of {', '.join(Role)}")
    with registry(url, space) as held:
        made = create_key(held, name, Role(role), bound=bound)
    out().print(made.secret, soft_wrap=True)
    err().print("Keep it now: it cannot be shown again. It goes into the header x-api-key.", style="dim")


def show_keys(url: str, *, as_json: bool) -> None:
    """Every key without its secret."""
    from server.keys import list_keys

    with registry(url, "default") as held:
        rows = [
            {
                "key": each.name,
                "role": each.role,
                "created": each.created_at,
                "last_used": each.last_used_at,
                "revoked": each.revoked_at,
            }
            for each in list_keys(held.session)
        ]
    print_rows(rows, NO_KEY, as_json=as_json)


def _row(monitor: MonitorRecord) -> dict[str, object]:
    muted = "muted" + (f" until {moment(monitor.muted_until)}" if monitor.muted_until else "")
    reason = f" ({monitor.mute_reason})" if monitor.mute_reason else ""
    return {
        "monitor": monitor.name,
        "model": monitor.model,
        "version": monitor.version,
        "evaluated": "enabled" if monitor.enabled else "disabled",
        "tells": muted + reason if monitor.muted else "tells",
        "updated": monitor.updated_at,
    }


def _history(entries: Sequence[AuditEntry]) -> Table:
    table = _table(("when", "who", "what", "from", "to"))
    for entry in entries:
        table.add_row(moment(entry.at), entry.actor, entry.action, _values(entry.before), _values(entry.after))
    return table


def _values(values: Mapping[str, object] | None) -> str:
    """What was changed; of whole definitions, how many lines they are."""
    said = {name: value for name, value in (values or {}).items() if value is not None}
    texts = [f"{len(str(said.pop('definition')).splitlines())} lines"] if "definition" in said else []
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
