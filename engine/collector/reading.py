"""A file's lines as rows, some thousands at once, with what their events' envelopes say of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.collector.columns import as_array
from engine.collector.lines import Event, read_line
from engine.collector.payloads import Row, Rows, rows_of
from engine.collector.troubles import Trouble, TroubleError, Troubles
from signals.timestamps import UNDATED, TimeFormat, read_instants

__all__ = ["ROWS_AT_ONCE", "Chunk", "Layout", "Payload", "chunks_of"]

ROWS_AT_ONCE = 8_192
"""As Python's dictionaries they take some kilobytes each."""
Payload = Callable[[str], object]
"""Opens the payload that an event refers to; a `TroubleError` where that cannot be done."""


@dataclass(frozen=True)
class Layout:
    """The columns of a dataset.

    Attributes:
        columns: all of them, with types.
        envelope: those that tell of an event's envelope, with the attribute that each holds.
        mixed: those of which some values are of another type than the column's.
    """

    columns: Mapping[str, pa.DataType]
    envelope: Mapping[str, str]
    mixed: frozenset[str] = frozenset()


@dataclass
class Chunk:
    """Some rows: each beside its event's attributes, and its place in the event."""

    rows: list[Row] = field(default_factory=list[Row])
    attributes: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    places: list[int] = field(default_factory=list[int])

    def add(self, event: Event, found: Rows) -> None:
        """Take in the rows of an event."""
        self.rows += found.rows
        self.attributes += [event.attributes] * len(found.rows)
        self.places += found.places

    def arrays(self, names: Iterable[str], layout: Layout) -> dict[str, pa.Array]:
        """These columns of the rows."""
        return {name: self.array(name, layout) for name in names}

    def array(self, name: str, layout: Layout) -> pa.Array:
        """A column of these rows."""
        attribute = layout.envelope.get(name)
        if attribute is None:
            return as_array([row.get(name) for row in self.rows], layout.columns[name])
        if attribute == "time":
            instants = self.instants()
            return pa.array(instants, pa.timestamp("us", "UTC"), mask=instants == UNDATED)
        values = [each.get(attribute) for each in self.attributes]
        if attribute == "correlationid":  # rows of one event share it
            values = [
                None if value is None else f"{value}_{place}" for value, place in zip(values, self.places, strict=True)
            ]
        return as_array(values, pa.string())

    def instants(self) -> npt.NDArray[np.int64]:
        """int64[rows], microseconds since 1970 UTC: when each row's event was; `UNDATED` where that cannot be read."""
        values = [each.get("time") for each in self.attributes]
        texts = as_array([value if isinstance(value, str) else None for value in values], pa.string())
        encoded = texts.dictionary_encode()  # the rows of an event have one time
        moments = np.append(read_instants(encoded.dictionary, TimeFormat.ISO), UNDATED)
        found = moments[encoded.indices.fill_null(len(moments) - 1).to_numpy()]
        epochs = [value if type(value) in (int, float) else None for value in values]
        if any(value is not None for value in epochs):
            since_1970 = read_instants(as_array(epochs, pa.float64()), TimeFormat.AUTO)
            found = np.where(found == UNDATED, since_1970, found)
        return found


def chunks_of(lines: Iterable[bytes], payload: Payload, troubles: Troubles, size: int) -> Iterator[Chunk]:
    """The rows of a file's lines, about so many at once; what cannot be read is counted among the troubles."""
    chunk = Chunk()
    for number, line in enumerate(_to_the_end(lines, troubles), 1):
        try:
            event = read_line(line)
            if event is None:
                continue
            found = rows_of(event.data if event.reference is None else payload(event.reference))
        except TroubleError as error:
            troubles.add(error.trouble, f"line {number}: {error.why}")
            continue
        if found.odd:
            troubles.add(Trouble.ROW, f"line {number}", found.odd)
        chunk.add(event, found)
        if len(chunk.rows) >= size:
            yield chunk
            chunk = Chunk()
    if chunk.rows:
        yield chunk


def _to_the_end(lines: Iterable[bytes], troubles: Troubles) -> Iterator[bytes]:
    """The lines up to where a compressed file is cut off."""
    try:
        yield from lines
    except (OSError, EOFError) as error:
        troubles.add(Trouble.REST, str(error).splitlines()[0])
