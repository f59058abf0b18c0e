"""What is in a file of the collector: which columns, of which kinds, when its events were, and what is wrong in it?"""

import json
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from threading import Lock

import numpy as np

from engine.collector.columns import Kind, count_kinds
from engine.collector.reading import Chunk
from engine.collector.troubles import Found, Trouble, Troubles
from engine.dated_rows import joined, stretches_at
from engine.files import DataFile
from engine.time_ranges import Stretch
from signals.timestamps import UNDATED

__all__ = ["KEPT", "Look", "look_at"]

MOST_KEPT = 50_000
"""Files; a look takes some kilobytes."""


@dataclass(frozen=True)
class Look:
    """What is in one file.

    Attributes:
        rows: how many there are.
        undated: how many of them have no readable event time.
        stretches: when the others are.
        kinds: by column of the rows, how many values are of each kind.
        attributes: which attributes its envelopes have.
        types: of which types its events are.
        troubles: what cannot be read.
        payloads: the files that its events refer to, as far as they were opened.
    """

    rows: int
    undated: int
    stretches: tuple[Stretch, ...]
    kinds: Mapping[str, Mapping[Kind, int]]
    attributes: tuple[str, ...]
    types: tuple[str, ...]
    troubles: Found
    payloads: tuple[str, ...]

    @property
    def unopened(self) -> int:
        """How many events refer to a payload that could not be opened."""
        return self.troubles.get(Trouble.REFERENCE, (0, ""))[0]

    def text(self) -> str:
        """As JSON, to travel from a task."""
        return json.dumps({name: getattr(self, name) for name in self.__dataclass_fields__})

    @classmethod
    def of_text(cls, text: str) -> "Look":
        """From what `text` wrote."""
        found = json.loads(text)
        return cls(
            found["rows"],
            found["undated"],
            tuple((low, high) for low, high in found["stretches"]),
            {name: {Kind(kind): count for kind, count in each.items()} for name, each in found["kinds"].items()},
            tuple(found["attributes"]),
            tuple(found["types"]),
            {Trouble(trouble): (count, first) for trouble, (count, first) in found["troubles"].items()},
            tuple(found["payloads"]),
        )


def look_at(chunks: Iterable[Chunk], troubles: Troubles, payloads: Iterable[str]) -> Look:
    """What is in a file.

    Args:
        chunks: its rows.
        troubles: takes in what is wrong, while the rows are gone through.
        payloads: the files of their own that are opened meanwhile.
    """
    rows, undated, stretches = 0, 0, list[Stretch]()
    kinds: dict[str, Counter[Kind]] = {}
    attributes, types = dict[str, None](), dict[str, None]()
    for chunk in chunks:
        instants = chunk.instants()
        rows, undated = rows + len(chunk.rows), undated + int(np.count_nonzero(instants == UNDATED))
        stretches = joined([*stretches, *stretches_at(instants[instants != UNDATED])])
        for name in dict.fromkeys(chain.from_iterable(chunk.rows)):
            kinds.setdefault(name, Counter()).update(count_kinds([row.get(name) for row in chunk.rows]))
        for each in {id(each): each for each in chunk.attributes}.values():
            attributes |= dict.fromkeys(each)
            types |= {str(each["type"]): None} if "type" in each else {}
    return Look(rows, undated, tuple(stretches), kinds, (*attributes,), (*types,), troubles.found, tuple(payloads))


class _Kept:
    """The looks of this process, for its next monitor: a file that did not change is looked into once."""

    def __init__(self) -> None:
        self._looks: OrderedDict[tuple[str | None, str, int, int], Look] = OrderedDict()
        self._lock = Lock()

    def get(self, root: str | None, file: DataFile) -> Look | None:
        """The look into a file that is as it was then."""
        with self._lock:
            return self._looks.get((root, file.path, file.size, file.modified))

    def put(self, root: str | None, file: DataFile, look: Look) -> None:
        """Keep a look, but not one that may be another one tomorrow, when a payload has come."""
        if look.unopened:
            return
        with self._lock:
            self._looks[root, file.path, file.size, file.modified] = look
            while len(self._looks) > MOST_KEPT:
                self._looks.popitem(last=False)


KEPT = _Kept()
