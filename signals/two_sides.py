"""The scores of positive and of negative rows side by side: what the metrics of scores are read from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from signals.labels import TOO_MANY
from signals.measurement import Undefined
from signals.score_bins import LabelScores, Sum
from signals.scorecard import Scorecard

__all__ = ["Sides", "probabilities_of", "sides_of"]


@dataclass(frozen=True, slots=True)
class Sides:
    """Scores by side, in bins that both sides share.

    Attributes:
        positives, negatives: float64[k], rows by non-empty bin, in the order of the scores.
        tie: bool[k], whether all scores of a bin are the same.
        positive, negative: the sums of each side.
        details: what a measurement's details should say.
    """

    positives: npt.NDArray[np.float64]
    negatives: npt.NDArray[np.float64]
    tie: npt.NDArray[np.bool_]
    positive: LabelScores
    negative: LabelScores
    details: dict[str, Any]

    @property
    def rows(self) -> int:
        return self.positive.rows + self.negative.rows

    @property
    def tenths(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Rows and sums of scores of both sides, by tenth."""
        counts = self.positive.tenth_counts + self.negative.tenth_counts
        return counts, self.positive.tenth_sums + self.negative.tenth_sums

    def total(self, of_positive: Sum, of_negative: Sum) -> float:
        """One sum over the positive rows and another over the negative ones."""
        return float(self.positive.sums[of_positive] + self.negative.sums[of_negative])


def sides_of(card: Scorecard) -> Sides | Undefined:
    """The sides of a card; the reason where there are no scores or no positive class."""
    outcomes = card.outcomes
    if outcomes.too_many_classes:
        return Undefined(TOO_MANY)
    if not outcomes.scores.rows:
        return Undefined(
            f"none of the {outcomes.unscored:,} labelled rows has a score"
            if outcomes.unscored
            else "there are no labelled rows"
        )
    if card.positive is None:
        return Undefined(f"which class the scores speak for must be said (positive_class); {card.known_classes}")
    details: dict[str, Any] = {"positive_class": card.positive}
    if outcomes.unscored:
        details["rows_without_score"] = outcomes.unscored
    positive, negative = LabelScores.empty(), LabelScores.empty()
    for label, scores in outcomes.scores.of_label.items():
        if label == card.positive:
            positive += scores
        else:
            negative += scores
    both = positive + negative
    return Sides(
        _spread(positive, both.bins), _spread(negative, both.bins), both.low == both.high, positive, negative, details
    )


def probabilities_of(card: Scorecard) -> Sides | Undefined:
    """The sides of a card whose scores all are in [0, 1]."""
    outside = card.outcomes.scores.outside
    sides = sides_of(card)
    if isinstance(sides, Undefined) or not outside:
        return sides
    return Undefined(f"{outside:,} of {sides.rows:,} scores lie outside [0, 1]: they are no probabilities")


def _spread(side: LabelScores, bins: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    counts = np.zeros(len(bins))
    counts[np.searchsorted(bins, side.bins)] = side.counts
    return counts
