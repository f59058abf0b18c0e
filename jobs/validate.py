"""`driftline validate` and `driftline schema`: are definitions right, and what may they hold?"""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from engine.definitions import json_schema, load_all
from engine.errors import DefinitionError
from engine.monitor import Monitor, Signal
from engine.wording import listed, plural
from jobs.consoles import out
from jobs.exits import show_problems
from jobs.monitors import no_monitor
from jobs.trigger_words import trigger_words

__all__ = ["print_schema", "validate_paths"]


def validate_paths(paths: Sequence[Path]) -> int:
    """Say every problem of every file; or, where there is none, what was found. The exit code."""
    monitors, problems = load_all(paths)
    if not monitors and not problems:
        problems = [no_monitor(paths)]
    if problems:
        show_problems(out(), problems)
        return DefinitionError.exit_code
    console = out()
    console.print(_table(monitors))
    console.print(Text.assemble(("✓ ", "bold green"), f"{plural(len(monitors), 'monitor')}, no problem"))
    return 0


def print_schema() -> None:
    """Print the JSON Schema of monitor files."""
    out().file.write(json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n")


def _table(monitors: Sequence[Monitor]) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    for name in ("monitor", "due", "signal", "type", "metrics"):
        table.add_column(name, overflow="fold")
    for monitor in monitors:
        for number, signal in enumerate(monitor.signals):
            first = (Text(monitor.name, "bold"), trigger_words(monitor.trigger)) if not number else ("", "")
            table.add_row(*first, signal.name, signal.type.value, _metrics(signal))
    return table


def _metrics(signal: Signal) -> str:
    return listed(list(dict.fromkeys(request.metric for request in signal.metrics)), 3)
