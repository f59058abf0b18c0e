"""How did a bucket's predictions come out, whatever the time until which labels count?

Which label counts depends on a window's cutoff: its end, and how much later a label may become known. So the state of a
bucket changes at the moments when its labels became known, and holds still between them. It is kept in pieces: the
rows whose labels are the same at every cutoff of a stretch of time. The pieces that cover a cutoff are of different
rows; where together they hold all rows of the bucket, their sum is its state, and else it is not known.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from operator import add
from typing import Self

from engine.buckets import tiles
from engine.windows import Window
from signals.coverage import Coverage
from signals.error_sums import Errors
from signals.outcomes import Outcomes
from signals.rankings import Rankings

__all__ = ["DIGITS", "Counted", "Performance", "Piece", "cutoff_of", "cutoffs_of", "states_of", "together"]

DIGITS = 2**64


@dataclass(frozen=True)
class Performance:
    """How predictions came out.

    Attributes:
        outcomes, errors: of labelled rows; empty where nobody asked.
        coverage: how many they are.
        digest: the sum of the rows' digests, in [0, 2^64): equal where the rows and their labels are.
        rankings: of groups of rows, all in one bucket; empty where nobody asked.
    """

    outcomes: Outcomes
    errors: Errors
    coverage: Coverage
    digest: int = 0
    rankings: Rankings = field(default_factory=Rankings.empty)

    @classmethod
    def empty(cls) -> Self:
        """Of no rows."""
        return cls(Outcomes.empty(), Errors.empty(), Coverage.empty())

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.outcomes + other.outcomes,
            self.errors + other.errors,
            self.coverage + other.coverage,
            (self.digest + other.digest) % DIGITS,
            self.rankings + other.rankings,
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """The state of some rows of a bucket at every cutoff with ``known_from <= cutoff < known_to``.

    Attributes:
        known_from: when the last of their labels that count became known; None: since ever.
        known_to: when the next of their labels becomes known; None: there is none.
        performance: the state.
    """

    known_from: datetime | None
    known_to: datetime | None
    performance: Performance

    def covers(self, cutoff: datetime | None) -> bool:
        """Whether it holds at a cutoff; None is later than all others."""
        begun = self.known_from is None or cutoff is None or self.known_from <= cutoff
        ended = self.known_to is not None and (cutoff is None or self.known_to <= cutoff)
        return begun and not ended


@dataclass(frozen=True, slots=True)
class Counted:
    """All that was counted of one bucket: its rows, and the pieces that they are in.

    Attributes:
        rows: how many predictions.
        pieces: their states.
        vanished: whether the predictions are no longer in the source, and this is what was kept of them.
    """

    rows: int
    pieces: tuple[Piece, ...]
    vanished: bool = False

    def at(self, cutoff: datetime | None) -> list[Performance] | None:
        """The states that together are the bucket's, with the labels that were known by then.

        None where it would have to be counted again.
        """
        covering = [piece.performance for piece in self.pieces if piece.covers(cutoff)]
        return covering if sum(each.coverage.rows for each in covering) == self.rows else None


def cutoff_of(window: Window, max_delay: timedelta | None) -> datetime | None:
    """Until when a label of the window may become known; None: for ever."""
    return None if max_delay is None else window.end + max_delay


def cutoffs_of(
    windows: Iterable[Window], step: timedelta, max_delay: timedelta | None
) -> dict[Window, tuple[datetime | None, ...]]:
    """By bucket of these windows, in order, the cutoffs that its state is needed at, in order."""
    found: dict[Window, set[Window]] = {}
    for window in windows:
        for bucket in tiles(window, step):
            found.setdefault(bucket, set()).add(window)
    if max_delay is None:
        return dict.fromkeys(sorted(found), (None,))
    return {bucket: tuple(sorted({each.end + max_delay for each in found[bucket]})) for bucket in sorted(found)}


def states_of(
    window: Window, step: timedelta, max_delay: timedelta | None, counted: Mapping[Window, Counted]
) -> list[Performance] | None:
    """The states that together are a window's: its buckets' at its cutoff. None where one of them is not known."""
    cutoff = cutoff_of(window, max_delay)
    found: list[Performance] = []
    for bucket in tiles(window, step):
        states = counted[bucket].at(cutoff) if bucket in counted else None
        if states is None:
            return None
        found += states
    return found


def together(states: Iterable[Performance]) -> Performance:
    """All these states as one."""
    return reduce(add, states, Performance.empty())
