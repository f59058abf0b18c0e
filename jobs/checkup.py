"""One thing that `driftline doctor` looks at, and how it was found. Each look answers; none of them raises."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import DriftlineError

__all__ = ["Checkup", "Finding", "UnwellError", "looked", "nearest", "writable"]


@dataclass(frozen=True)
class Finding:
    """How something was found.

    Attributes:
        name: what was looked at.
        well: whether it is as it should be.
        said: how it is.
        hint: what to do, where it is not well.
        exit_code: what a command would end with for this reason; 0 where it is well.
    """

    name: str
    well: bool
    said: str
    hint: str | None = None
    exit_code: int = 0


class UnwellError(Exception):
    """Something is not as it should be.

    Args:
        said: how it is.
        hint: what to do.
    """

    def __init__(self, said: str, hint: str) -> None:
        super().__init__(said)
        self.hint = hint


@dataclass(frozen=True)
class Checkup:
    """A look at one thing.

    Attributes:
        name: what is looked at.
        exit_code: see `Finding`.
        look: how it is; raises `UnwellError`, or any other error that says it.
        hint: what to do after such another error.
    """

    name: str
    exit_code: int
    look: Callable[[], str]
    hint: str


def looked(checkup: Checkup) -> Finding:
    """How it was found."""
    try:
        return Finding(checkup.name, True, checkup.look())
    except UnwellError as error:
        return Finding(checkup.name, False, str(error), error.hint, checkup.exit_code)
    except (DriftlineError, OSError) as error:
        return Finding(checkup.name, False, str(error) or type(error).__name__, checkup.hint, checkup.exit_code)


def nearest(path: Path) -> Path:
    """The path, or of its parents the nearest one that is there."""
    path = path.expanduser().absolute()
    return next(place for place in (path, *path.parents) if place.exists())


def writable(place: Path) -> None:
    """Raises `UnwellError` where this user may not make files there."""
    if not os.access(place, os.W_OK | os.X_OK):
        raise UnwellError(f"{place} cannot be written", "let this user write there, or choose another place")
