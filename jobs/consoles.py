"""Where things are said: results on stdout, everything else on stderr, and how long work shows that it goes on."""

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import IO

from rich.console import Console

__all__ = ["WIDTH", "Progress", "err", "out", "working"]

Progress = Callable[[str], None]

WIDTH = 120
"""Columns where no terminal says how many it has: a log, a pipe."""


def out() -> Console:
    """Results."""
    return _console(sys.stdout)


def err() -> Console:
    """Progress, problems, and what to know beside the results."""
    return _console(sys.stderr)


def _console(stream: IO[str]) -> Console:
    # Whatever is in brackets comes from users' names; nothing of it is markup, and numbers are coloured by meaning.
    width = None if stream.isatty() or os.environ.get("COLUMNS") else WIDTH
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


@contextmanager
def working(*, silent: bool = False) -> Generator[Progress]:
    """Say what is being done, while it is done: a spinner on a terminal, otherwise lines, on stderr."""
    console = err()
    if silent:
        yield lambda message: None
        return
    if not console.file.isatty():
        yield lambda message: console.print(message, style="dim", soft_wrap=True)
        return
    with console.status("") as status:
        yield status.update
