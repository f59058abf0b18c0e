"""Which monitors are in these files and folders?"""

from collections.abc import Sequence
from pathlib import Path

from engine.definitions import load_all
from engine.errors import DefinitionError, Problem
from engine.monitor import Monitor

__all__ = ["load_monitors", "no_monitor"]


def load_monitors(paths: Sequence[Path]) -> list[Monitor]:
    """All monitors of these files and folders.

    Raises:
        DefinitionError: any of them is wrong, or there is none.
    """
    monitors, problems = load_all(paths)
    if not problems and not monitors:
        problems = [no_monitor(paths)]
    if problems:
        raise DefinitionError(problems)
    return monitors


def no_monitor(paths: Sequence[Path]) -> Problem:
    """What is wrong with paths that hold no monitor."""
    where = ", ".join(map(str, paths))
    return Problem(where, "", "no monitor here", "a monitor is a YAML file with trigger and create_monitor")
