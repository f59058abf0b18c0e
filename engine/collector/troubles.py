"""What of the collector's files cannot be read: counted, each kind with its first example, and told in notes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["Found", "Trouble", "TroubleError", "Troubles"]


class Trouble(StrEnum):
    """A kind of trouble; its value says so in a note."""

    LINE = "lines left out that are no CloudEvents (broken or cut off)"
    FORM = "events left out whose data are no rows with named columns"
    ROW = "rows left out that are no JSON objects"
    REFERENCE = "events left out whose payload cannot be opened here"
    REST = "files that cannot be read to their end"


Found = Mapping[Trouble, tuple[int, str]]
"""How often each kind was met, and the first time."""


class TroubleError(Exception):
    """One line, event or row that cannot be read: which kind of trouble, and why."""

    def __init__(self, trouble: Trouble, why: str) -> None:
        super().__init__(why)
        self.trouble, self.why = trouble, why


@dataclass
class Troubles:
    """What was met so far."""

    found: dict[Trouble, tuple[int, str]] = field(default_factory=dict[Trouble, tuple[int, str]])

    def add(self, trouble: Trouble, why: str, count: int = 1) -> None:
        """Count some trouble; only the first example of its kind is kept."""
        before, first = self.found.get(trouble, (0, why))
        self.found[trouble] = (before + count, first)

    @classmethod
    def together(cls, each: Iterable[Found]) -> "Troubles":
        """All of these, in this order."""
        every = cls()
        for found in each:
            for trouble, (count, first) in found.items():
                every.add(trouble, first, count)
        return every

    def notes(self, title: str) -> list[str]:
        """A sentence for each kind."""
        met = [(each, *self.found[each]) for each in Trouble if each in self.found]
        return [f"{title}: {each}: {count:,} (first: {first})" for each, count, first in met]
