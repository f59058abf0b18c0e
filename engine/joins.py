"""What is joined: predictions and labels, what is compared, and in which buckets it is counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Flag, auto
from json import dumps
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.batches import Dataset
from engine.instants import instants_of
from engine.monitor import Columns
from engine.windows import Window
from signals.segments import EVERYTHING, Segment

__all__ = ["ORPHAN_LOOKBACK", "Join", "Layer", "Measure", "Pair", "RankedBy", "Wanted", "layers_of", "without_overlaps"]

ORPHAN_LOOKBACK = timedelta(days=30)
"""How far before a bucket its labels' predictions are looked for: a label that became known in the bucket is an orphan
when no prediction of the bucket, or of this time before it, has its id. Read only where orphans are asked for."""

Integers = npt.NDArray[np.int64]


class Wanted(Flag):
    """What is counted of a pair, beside its coverage."""

    OUTCOMES = auto()
    ERRORS = auto()
    NAIVE = auto()
    """The absolute difference from the previous actual, too (MASE)."""
    ORPHANS = auto()
    """Labels without a prediction, too."""
    PREDICTIONS = auto()
    """The predictions of unlabelled rows, too."""
    RANKINGS = auto()
    """Scores of groups of ranked items."""

    @property
    def text(self) -> str:
        """The flags by name, such as ``errors, naive``; ``coverage`` for none."""
        return ", ".join(str(flag.name).lower() for flag in self) or "coverage"


@dataclass(frozen=True, slots=True)
class Pair:
    """What is compared: a prediction (and score) with an actual; None where there is no such column."""

    prediction: str | None
    score: str | None
    actual: str


@dataclass(frozen=True, slots=True)
class RankedBy:
    """How items are ranked in their groups.

    Attributes:
        group: the column of what they are items of.
        rank: the column of their place, from 1; None: the pair's score ranks them.
        ats: how many of the first items scores look at; None: all.
        relevant: the label that makes an item relevant; None: labels are relevances.
    """

    group: str
    rank: str | None
    ats: tuple[int | None, ...]
    relevant: str | None

    @property
    def text(self) -> str:
        """What is counted, so that nothing else is taken for it."""
        return dumps([self.group, self.rank, self.ats, self.relevant], ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Measure:
    """One state that is kept: of which pair, what, and of which rows.

    Attributes:
        pair: what is compared.
        wanted: what is counted.
        predicted: the rows, by columns of the predictions.
        labelled: the rows, by the pair's actual.
        segment: the name of both together.
        ranked_by: how items are ranked, where rankings are wanted.
    """

    pair: Pair
    wanted: Wanted
    predicted: Segment = EVERYTHING
    labelled: Segment = EVERYTHING
    segment: str = EVERYTHING.name
    ranked_by: RankedBy | None = None

    @property
    def counted(self) -> str:
        """What is counted, in words."""
        return self.wanted.text if self.ranked_by is None else f"{self.wanted.text} by {self.ranked_by.text}"


@dataclass(frozen=True)
class Join:
    """Everything that the join of one production dataset with its ground truth needs.

    Attributes:
        production, roles: the predictions, and their timestamp and correlation id.
        truth, truth_roles: the labels; None where the predictions already carry them.
        measures: what is counted; all that rank items rank them by the same columns.
        buckets: in which stretches of time; mostly they do not overlap.
        cutoffs: by bucket, in order, until when labels may become known in the windows that it is part of; none where
            labels always count.
    """

    production: Dataset
    roles: Columns
    truth: Dataset | None
    truth_roles: Columns
    measures: tuple[Measure, ...]
    buckets: tuple[Window, ...]
    cutoffs: tuple[tuple[datetime, ...], ...] = ()

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """What is compared, each once."""
        return tuple(dict.fromkeys(measure.pair for measure in self.measures))

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Of which predictions, each once."""
        return tuple(dict.fromkeys(measure.predicted for measure in self.measures))

    @property
    def naive(self) -> bool:
        """Whether the absolute difference from the previous actual is needed."""
        return any(Wanted.NAIVE in measure.wanted for measure in self.measures)

    @property
    def ranked_by(self) -> RankedBy | None:
        """The columns that items are ranked by; None where none are."""
        return next((measure.ranked_by for measure in self.measures if measure.ranked_by), None)

    @property
    def by_cutoff(self) -> bool:
        """Whether rows are compared with others, so that these others' labels matter as well."""
        return self.naive or self.ranked_by is not None

    @property
    def orphans(self) -> bool:
        """Whether labels without a prediction are counted."""
        return any(Wanted.ORPHANS in measure.wanted for measure in self.measures)

    @property
    def all_cutoffs(self) -> Integers:
        """int64[c], increasing: every bucket's cutoffs, each once; empty where labels always count."""
        return np.unique(instants_of([cutoff for asked in self.cutoffs for cutoff in asked]))

    def cuts(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """int32[buckets] twice: the place of each bucket's first and last cutoff among all of them."""
        if not self.cutoffs:
            none = np.zeros(len(self.buckets), np.int32)
            return none, none
        ends = instants_of([asked[0] for asked in self.cutoffs]), instants_of([asked[-1] for asked in self.cutoffs])
        first, last = (np.searchsorted(self.all_cutoffs, end).astype(np.int32) for end in ends)
        return first, last


class Layer(NamedTuple):
    """Buckets that do not overlap, in order: where they start and end in microseconds, and their numbers."""

    starts: Integers
    ends: Integers
    numbers: Integers

    def places(self, at: Integers) -> npt.NDArray[np.intp]:
        """intp[rows]: the place of the bucket of each instant among this layer's; -1 where it is in none."""
        found = np.searchsorted(self.starts, at, side="right") - 1
        return np.where((found >= 0) & (at < self.ends[found]), found, -1)


def without_overlaps(buckets: Sequence[Window]) -> Sequence[list[Window]]:
    """The buckets in as few shares as there have to be for none to overlap another of its share."""
    return [[buckets[number] for number in layer.numbers.tolist()] for layer in layers_of(buckets)]


def layers_of(buckets: Sequence[Window]) -> list[Layer]:
    """The buckets in as few layers as hold them: one, where none overlaps another."""
    layers: list[list[int]] = []
    for number in sorted(range(len(buckets)), key=lambda number: buckets[number]):
        free = (layer for layer in layers if buckets[layer[-1]].end <= buckets[number].start)
        layer = next(free, None)
        if layer is None:
            layers.append([number])
        else:
            layer.append(number)
    return [
        Layer(
            instants_of([buckets[number].start for number in layer]),
            instants_of([buckets[number].end for number in layer]),
            np.array(layer, np.int64),
        )
        for layer in layers
    ]
