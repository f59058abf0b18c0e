"""`driftline apply` and `driftline export`: make the registry say what files say, and the other way round."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from engine.errors import DriftlineError
from engine.wording import plural
from jobs.consoles import err, out
from jobs.registries import registry

if TYPE_CHECKING:
    from rich.console import Console

    from server.changes import Change

__all__ = ["apply_files", "export_files"]

SIGNS = {"create": ("+", "green"), "change": ("~", "yellow"), "delete": ("-", "red")}


def apply_files(paths: Sequence[Path], url: str, space: str, *, prune: bool, yes: bool) -> int:
    """Show what has to change, and change it once somebody says yes; the exit code."""
    from server.changes import changes_between
    from server.desired import read_desired

    desired = read_desired(paths)
    with registry(url, space) as held:
        changes = changes_between(held.current(), desired, prune=prune)
    if not changes:
        out().print(f"nothing to do: {plural(len(desired.monitors), 'monitor')} as in the files")
        return 0
    show_changes(out(), changes)
    if not yes and not _agreed():
        err().print("nothing was changed")
        return 0
    with registry(url, space) as held:
        held.carry_out(changes)
    out().print(Text.assemble(("✓ ", "bold green"), f"{plural(len(changes), 'change')} applied"))
    return 0


def _agreed() -> bool:
    try:
        return typer.confirm("Apply?", err=True)
    except typer.Abort:  # there is no terminal, or somebody has left it
        raise DriftlineError("nothing was changed, for nobody said yes; --yes does not ask") from None


def show_changes(console: Console, changes: Sequence[Change]) -> None:
    """Each change with what it is about, and the lines that come and go."""
    for change in changes:
        sign, colour = SIGNS[change.action]
        console.print(Text(f"{sign} {change.action} {change.kind} {change.name}", f"bold {colour}"))
        for line in change.diff if change.action == "change" else ():
            style = {"+": "green", "-": "red", "@": "dim"}.get(line[:1], "")
            console.print(Text(f"    {line}", style), soft_wrap=True)
    counts = {action: sum(change.action == action for change in changes) for action in SIGNS}
    console.print(", ".join(f"{count} to {action}" for action, count in counts.items() if count))


def export_files(folder: Path, url: str, space: str, *, force: bool) -> int:
    """Write the space's definitions as files into a folder like `conf/`; the exit code."""
    from server.definition_texts import relative
    from server.desired import COMPONENTS
    from server.errors import RegistryError
    from server.workspace import texts_of, write_texts

    with registry(url, space) as held:
        texts = texts_of(held.current())
    there = folder / COMPONENTS
    if there.is_dir() and not there.is_symlink():  # it is its own
        texts.pop(COMPONENTS, None)
    texts = {
        name: text if name == COMPONENTS else relative(text, (folder / name).parent.absolute())
        for name, text in texts.items()
    }
    changed = [name for name, text in texts.items() if _differs(folder / name, text)]
    if changed and not force:
        raise RegistryError(f"{', '.join(changed)} in {folder} would be overwritten with something else; say --force")
    try:
        write_texts(folder, texts)
    except OSError as error:
        raise RegistryError(f"{error.filename or folder} cannot be written: {error.strerror}") from error
    out().print(f"{plural(len(texts), 'file')} written to {folder}")
    return 0


def _differs(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") != text
