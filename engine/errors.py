"""What can go wrong, and whose turn it is then.

DriftlineError
├── DefinitionError   a monitor, model or asset file is wrong: its author mends it      exit 2
├── DataError         data cannot be read, or does not have what was asked for          exit 3
└── StoreError        results cannot be written or read                                 exit 4
    └── NoResultsError  there are none yet

One column's trouble is none of these: it is a row in the results, with a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["DataError", "DefinitionError", "DriftlineError", "NoResultsError", "Problem", "StoreError"]


class DriftlineError(Exception):
    """Any error that a user can do something about; `exit_code` is what the command line answers."""

    exit_code = 1


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in one file.

    Attributes:
        file: the file, as the user named it.
        key: the path of the key, such as ``create_monitor.monitoring_signals.drift.features[2]``.
        message: what is wrong.
        hint: what to do, where that is known.
        line: the line in the file, from 1, where that is known.
    """

    file: str
    key: str
    message: str
    hint: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}: {self.key}: {self.message}{hint}" if self.key else f"{place}: {self.message}{hint}"


class DefinitionError(DriftlineError):
    """A definition is wrong; `problems` holds everything that is wrong with it, not the first thing only."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class DataError(DriftlineError):
    """Data cannot be read, or lacks something without which no check can be evaluated."""

    exit_code = 3


class StoreError(DriftlineError):
    """Results cannot be written or read."""

    exit_code = 4


class NoResultsError(StoreError):
    """Nothing has been stored yet, which is no trouble of the store's."""
