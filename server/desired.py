"""What should be in the registry, as files say it: monitors with the models and assets that their names stand for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.definitions import load_all
from engine.definitions.library import library_root, read_library
from engine.errors import DefinitionError, Problem
from server.definition_texts import rooted

__all__ = ["ASSETS", "COMPONENTS", "Desired", "Written", "read_desired"]

ASSETS = "assets.yaml"
COMPONENTS = "components"
"""Not a file: the folder that users' own functions are imported from; what is kept of it is where it is."""


@dataclass(frozen=True)
class Written:
    """One definition: its text, with paths from the root, and the model that it names, if it is a monitor."""

    text: str
    model: str | None = None


@dataclass(frozen=True)
class Desired:
    """Everything that is written in some files.

    Attributes:
        monitors, models: by name.
        library: other files that names stand for, by their path in `conf/`.
    """

    monitors: Mapping[str, Written] = field(default_factory=dict[str, Written])
    models: Mapping[str, Written] = field(default_factory=dict[str, Written])
    library: Mapping[str, Written] = field(default_factory=dict[str, Written])


def read_desired(paths: Sequence[Path]) -> Desired:
    """The monitors of these files and folders, and what belongs to them.

    Raises:
        DefinitionError: with every problem of all of them; also where they belong to several libraries, since one
            space has one `assets.yaml`.
    """
    monitors, problems = load_all(paths)
    roots = sorted({library_root(monitor.path.parent) for monitor in monitors if monitor.path})
    if len(roots) > 1:
        where = ", ".join(map(str, roots))
        hint = "apply each folder to a space of its own (--space)"
        problems = [*problems, Problem(where, "", "are several folders with assets.yaml or models/", hint)]
    if not monitors and not problems:
        where = ", ".join(map(str, paths))
        problems = [Problem(where, "", "no monitor here", "a monitor is a YAML file with trigger and create_monitor")]
    if problems:
        raise DefinitionError(problems)
    library = read_library(roots[0], str)
    assets = library.asset_file.document.file if library.asset_file else None
    return Desired(
        {each.name: Written(_text(each.path), each.model) for each in monitors if each.path},
        {name: Written(_text(Path(found.document.file))) for name, found in library.models.items()},
        ({ASSETS: Written(_text(Path(assets)))} if assets else {})
        | ({COMPONENTS: Written(_where(roots[0] / COMPONENTS))} if (roots[0] / COMPONENTS).is_dir() else {}),
    )


def _where(components: Path) -> str:
    # What `driftline export` writes is a link, and says the same as what it was written from.
    return str(components.parent / components.readlink() if components.is_symlink() else components)


def _text(path: Path) -> str:
    return rooted(path.read_text(encoding="utf-8-sig"), path.parent)
