"""What the registry holds, as rows: a table for people, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.table import Table

from engine.wording import moment, plural
from jobs.consoles import err, out
from jobs.documents import time_text

__all__ = ["cell", "print_rows", "said_of", "table_of"]


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
    table = table_of(tuple(rows[0]))
    for row in rows:
        table.add_row(*(cell(value) for value in row.values()))
    out().print(table)


def _plain(value: object) -> object:
    return time_text(value) if isinstance(value, datetime) else value


def cell(value: object) -> str:
    """A value as a table shows it."""
    return "–" if value is None else moment(value) if isinstance(value, datetime) else str(value)


def table_of(names: Sequence[str]) -> Table:
    """A table with these columns."""
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    return table
