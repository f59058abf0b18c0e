"""The registry's definitions, loaded: the monitors that can be evaluated, and what is wrong with the others.

Each was right when it was applied. What it needs (an MLTable, a component) may be gone since.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions import load_all
from engine.errors import Problem
from engine.monitor import Monitor
from server.desired import COMPONENTS, Desired
from server.registry import held_in
from server.tables import Space
from server.workspace import Workspace, monitor_file

__all__ = ["Loaded", "load", "load_from"]


@dataclass(frozen=True)
class Loaded:
    """What came of definitions.

    Attributes:
        monitors: by name.
        broken: by name what is wrong with those that cannot be loaded.
    """

    monitors: Mapping[str, Monitor] = field(default_factory=dict[str, Monitor])
    broken: Mapping[str, Sequence[Problem]] = field(default_factory=dict[str, Sequence[Problem]])

    @property
    def problems(self) -> list[Problem]:
        """All that is wrong, each once."""
        return sorted(set(chain.from_iterable(self.broken.values())))


def load(spaces: Collection[Desired], names: Collection[str], workspace: Workspace) -> Loaded:
    """Load the monitors of these names, each beside what belongs to its space."""
    monitors, broken = dict[str, Monitor](), dict[str, Sequence[Problem]]()
    for space in spaces:
        mine = sorted(space.monitors.keys() & set(names))
        files = dict(zip(mine, workspace.files(space, mine), strict=True))
        found, problems = load_all(list(files.values()))
        monitors |= {monitor.name: monitor for monitor in found}
        for name in files.keys() - monitors.keys():
            told = [_plain(problem, files[name].parent.parent, space) for problem in problems]
            others = {monitor_file(each) for each in files} - {monitor_file(name)}
            # Its own, and what is wrong with models and assets that it may need.
            broken[name] = [problem for problem in told if problem.file not in others]
    return Loaded(monitors, broken)


def load_from(session: Session, names: Collection[str]) -> Loaded:
    """Load monitors of the registry from a folder that is gone afterwards."""
    spaces = [held_in(session, space) for space in session.scalars(select(Space.id))]
    with TemporaryDirectory(prefix="driftline-") as folder:
        return load(spaces, names, Workspace(Path(folder)))


def _plain(problem: Problem, root: Path, space: Desired) -> Problem:
    """Without the folder that it was written to for loading, which nobody else knows."""

    def told(text: str) -> str:
        if COMPONENTS in space.library:
            text = text.replace(str(root / COMPONENTS), space.library[COMPONENTS].text)
        return text.replace(f"{root}/", "")

    return replace(problem, file=told(problem.file), message=told(problem.message))
