"""What became of a classifier's predictions: the mergeable state of labelled rows.

Outcomes add: ``a + b`` is the outcome of both, `empty` changes nothing, order does not matter.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from signals.bins import ValueType
from signals.labels import MAX_CLASSES, Classes, canonical_labels
from signals.score_bins import Scores
from signals.score_rows import read_scores, write_scores
from signals.state import StateRows
from signals.values import read_numbers

__all__ = ["Outcomes"]


TALLY, PAIRS, PREDICTIONS = 0, 1, 2
"""Parts of the state as `StateRows` number them, beside those of `signals.score_rows`.

TALLY has the cells unlabelled, unpredicted, unscored, too many classes, with n; PAIRS has as value the JSON of
[label, prediction], with n; PREDICTIONS has the prediction as value, with n.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Counts of (label, prediction), and the scores of each label.

    Attributes:
        pairs: rows by canonical (label, prediction).
        scores: the scores of labelled rows.
        unlabelled: rows without a label (null or NaN), which are counted nowhere else.
        unpredicted: labelled rows without a prediction.
        unscored: labelled rows without a score.
        predictions: all rows, labelled or not, by canonical prediction; empty where nobody asked.
        too_many_classes: there were more than 1,000 distinct labels; nothing else was kept then.
    """

    pairs: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    scores: Scores = field(default_factory=Scores)
    unlabelled: int = 0
    unpredicted: int = 0
    unscored: int = 0
    predictions: Mapping[str, int] = field(default_factory=dict[str, int])
    too_many_classes: bool = False

    @classmethod
    def empty(cls) -> Self:
        """The outcome of no rows."""
        return cls()

    @classmethod
    def of(
        cls,
        label: pa.Array,
        prediction: pa.Array | None = None,
        score: pa.Array | None = None,
        *,
        of_all: bool = False,
    ) -> Self:
        """Count rows: the true label, the predicted label and the score of the positive class.

        Labels are of any Arrow type but nested and binary ones (which count as absent), scores of any that reads as
        a number. A column that the model does not have is None: all its rows are unpredicted or unscored.
        `of_all`: count the predictions of unlabelled rows, too.
        """
        classes = canonical_labels(label, pa.nulls(len(label)) if prediction is None else prediction)
        if classes is None:
            return cls(too_many_classes=True)
        truth, predicted = classes
        labelled = truth.codes >= 0
        rows, known = int(labelled.sum()), labelled & (predicted.codes >= 0)
        numbers = _scores(score, len(label))
        scored = labelled & ~np.isnan(numbers)
        return cls(
            _pairs(truth, predicted, known),
            Scores.of(Classes(truth.codes[scored], truth.names), numbers[scored]),
            len(label) - rows,
            rows - int(known.sum()),
            rows - int(scored.sum()),
            _predictions(predicted) if of_all else {},
        )

    def __add__(self, other: Self) -> Self:
        too_many = self.too_many_classes or other.too_many_classes
        return type(self)(
            _sum(self.pairs, other.pairs),
            self.scores + other.scores,
            self.unlabelled + other.unlabelled,
            self.unpredicted + other.unpredicted,
            self.unscored + other.unscored,
            _sum(self.predictions, other.predictions),
            too_many,
        )._bounded()

    def _bounded(self) -> Self:
        most = max(len(self.classes), len(self.predictions))
        return type(self)(too_many_classes=True) if self.too_many_classes or most > MAX_CLASSES else self

    @property
    def classes(self) -> tuple[str, ...]:
        """Every label and prediction, sorted."""
        return tuple(sorted({name for pair in self.pairs for name in pair} | set(self.scores.of_label)))

    @property
    def rows(self) -> int:
        """Labelled rows with a prediction."""
        return sum(self.pairs.values())

    def to_rows(self, rows: StateRows, key: int, column: int) -> None:
        """Write the state."""
        tally = [self.unlabelled, self.unpredicted, self.unscored, int(self.too_many_classes)]
        rows.add(key, column, TALLY, cells=range(4), n=tally)
        names = [json.dumps(pair) for pair in self.pairs]
        rows.add(key, column, PAIRS, cells=np.zeros(len(names)), values=names, n=list(self.pairs.values()))
        counts = list(self.predictions.values())
        rows.add(key, column, PREDICTIONS, cells=np.zeros(len(counts)), values=list(self.predictions), n=counts)
        write_scores(self.scores, rows, key, column)

    @classmethod
    def from_rows(cls, table: pa.Table) -> Self:
        """The state of the rows of one (key, column), merged or not."""
        tally, pairs, predictions = [0, 0, 0, 0], dict[tuple[str, str], int](), dict[str, int]()
        for row in table.filter(pc.equal(table["part"], TALLY)).to_pylist():
            tally[row["cell"]] += row["n"]
        for row in table.filter(pc.equal(table["part"], PAIRS)).to_pylist():
            label, prediction = json.loads(row["value"])
            pairs[label, prediction] = pairs.get((label, prediction), 0) + row["n"]
        for row in table.filter(pc.equal(table["part"], PREDICTIONS)).to_pylist():
            predictions[row["value"]] = predictions.get(row["value"], 0) + row["n"]
        unlabelled, unpredicted, unscored, too_many = tally
        scores = read_scores(table)
        return cls(pairs, scores, unlabelled, unpredicted, unscored, predictions, too_many > 0)._bounded()


def _sum(one: Mapping[Any, int], other: Mapping[Any, int]) -> dict[Any, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in dict.fromkeys((*one, *other))}


def _predictions(predicted: Classes) -> dict[str, int]:
    counts = np.bincount(predicted.codes[predicted.codes >= 0], minlength=len(predicted.names)).tolist()
    return {name: count for name, count in zip(predicted.names, counts, strict=True) if count}


def _scores(score: pa.Array | None, size: int) -> npt.NDArray[np.float64]:
    """float64[size]; NaN where there is no score."""
    if score is None:
        return np.full(size, np.nan)
    return read_numbers(score, ValueType.DOUBLE).to_numpy(zero_copy_only=False)


def _pairs(truth: Classes, predicted: Classes, known: npt.NDArray[np.bool_]) -> dict[tuple[str, str], int]:
    width = len(predicted.names)
    codes = truth.codes * width + predicted.codes
    counts = np.bincount(codes if known.all() else codes[known])
    found = np.flatnonzero(counts).tolist()
    return {(truth.names[code // width], predicted.names[code % width]): int(counts[code]) for code in found}
