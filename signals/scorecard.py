"""What classification metrics are read from: outcomes, and which class is meant."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from signals.intervals import wilson
from signals.labels import TOO_MANY, in_words, positive_class_of, resolve_class
from signals.measurement import Measurement, Undefined
from signals.outcomes import Outcomes

__all__ = ["Scorecard", "Tally"]


@dataclass(frozen=True, slots=True)
class Tally:
    """One class against all others: how many rows hit it, were wrongly given to it, were missed, and the rest."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def labelled(self) -> int:
        return self.true_positives + self.false_negatives

    @property
    def predicted(self) -> int:
        return self.true_positives + self.false_positives

    @property
    def others(self) -> int:
        """Rows that are labelled with another class."""
        return self.false_positives + self.true_negatives


@dataclass(frozen=True)
class Scorecard:
    """Outcomes as a metric reads them.

    Attributes:
        outcomes: the labelled rows.
        positive_class: the class that binary metrics are about, in any spelling; None: `positive_class_of`.
        label: the class of `multi_class_precision` and `multi_class_recall`, in any spelling.
    """

    outcomes: Outcomes
    positive_class: str | None = None
    label: str | None = None

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Every label and prediction, sorted."""
        return self.outcomes.classes

    @cached_property
    def positive(self) -> str | None:
        """The canonical positive class; None where none was given and none is plain."""
        if self.positive_class is None:
            return positive_class_of(self.classes)
        return resolve_class(self.positive_class, self.classes)

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """int64[classes, 3]: rows that hit the class, that are labelled with it, that are predicted as it."""
        place = {name: i for i, name in enumerate(self.classes)}
        counts = np.zeros((len(place), 3), np.int64)
        for (label, prediction), count in self.outcomes.pairs.items():
            counts[place[label], 0] += count if label == prediction else 0
            counts[place[label], 1] += count
            counts[place[prediction], 2] += count
        return counts

    def tally(self, name: str) -> Tally:
        """One class against all others."""
        hits, labelled, predicted = (
            self.counts[self.classes.index(name)].tolist() if name in self.classes else (0, 0, 0)
        )
        return Tally(hits, predicted - hits, labelled - hits, self.outcomes.rows - labelled - predicted + hits)

    @property
    def trouble(self) -> Undefined | None:
        """Why no metric of labels has a value; None where some have."""
        if self.outcomes.too_many_classes:
            return Undefined(TOO_MANY)
        if self.outcomes.rows:
            return None
        if self.outcomes.unpredicted:
            return Undefined(f"none of the {self.outcomes.unpredicted:,} labelled rows has a prediction")
        return Undefined("there are no labelled rows")

    @property
    def known_classes(self) -> str:
        """The classes in words, for reasons."""
        return in_words(self.classes)

    def details(self, **more: object) -> dict[str, object]:
        """A measurement's details, with the rows that could not take part."""
        if self.outcomes.unpredicted:
            more["rows_without_prediction"] = self.outcomes.unpredicted
        return more

    def share(self, hits: int, whole: int, reason: str, **details: object) -> Measurement | Undefined:
        """``hits / whole`` with its Wilson interval; the reason where the whole is empty."""
        if not whole:
            return Undefined(f"{reason}; {self.known_classes}")
        interval = wilson(hits, whole)
        return Measurement(hits / whole, self.outcomes.rows, interval=interval, details=self.details(**details))
