"""Is a model as good, or as generous, to some as it is to others? Ratios of a segment's shares to a base segment's."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any, NamedTuple

from signals.catalogue import Bad, Family, metric
from signals.intervals import ratio_of_shares
from signals.labels import TOO_MANY, in_words, positive_class_of, resolve_class
from signals.measurement import Measurement, Undefined
from signals.outcomes import Outcomes
from signals.scorecard import Scorecard, Tally

__all__ = ["NEEDS_NO_LABEL", "Parity", "disparate_impact", "false_positive_rate_parity", "recall_parity"]

NEEDS_NO_LABEL = frozenset({"disparate_impact"})
"""Metrics of predictions alone."""
RATIO: dict[str, Any] = {"family": Family.FAIRNESS, "bad": Bad.NONE, "unit": "ratio", "range": (0.0, inf)}
HARDT = "Hardt, Price & Srebro 2016, Equality of opportunity in supervised learning"
FELDMAN = "Feldman et al. 2015, Certifying and removing disparate impact"
NAMES = ("the segment", "the base segment")


@dataclass(frozen=True)
class Parity:
    """What became of a segment's predictions, beside those of a base segment.

    Attributes:
        segment, base: the outcomes of the two.
        positive_class: the class that is meant, in any spelling; None: found where it is plain.
    """

    segment: Outcomes
    base: Outcomes
    positive_class: str | None = None

    @property
    def sides(self) -> tuple[Outcomes, Outcomes]:
        return self.segment, self.base

    @cached_property
    def positive(self) -> str | Undefined:
        """The canonical positive class, the same one on both sides."""
        classes = sorted({name for side in self.sides for name in (*side.classes, *side.predictions)})
        if self.positive_class is not None:
            return resolve_class(self.positive_class, classes)
        known = in_words(classes)
        return positive_class_of(classes) or Undefined(
            f"which class is the positive one must be said (positive_class); {known}"
        )


class Share(NamedTuple):
    """So many of so many rows, on one side."""

    hits: int
    whole: int


@metric("recall_parity", source=HARDT, **RATIO)
def recall_parity(parity: Parity) -> Measurement | Undefined:
    """Recall in the segment over recall in the base segment."""
    tallies = _tallies(parity)
    if isinstance(tallies, Undefined):
        return tallies
    shares = [Share(tally.true_positives, tally.labelled) for tally in tallies]
    return _ratio(parity, shares, f"no row is labelled {parity.positive!r}", "recall is 0")


@metric("false_positive_rate_parity", source=HARDT, aliases=("fpr_parity",), **RATIO)
def false_positive_rate_parity(parity: Parity) -> Measurement | Undefined:
    """False positive rate in the segment over that in the base segment."""
    tallies = _tallies(parity)
    if isinstance(tallies, Undefined):
        return tallies
    shares = [Share(tally.false_positives, tally.others) for tally in tallies]
    return _ratio(parity, shares, f"every row is labelled {parity.positive!r}", "the false positive rate is 0")


@metric("disparate_impact", source=FELDMAN, **RATIO)
def disparate_impact(parity: Parity) -> Measurement | Undefined:
    """Share of positive predictions in the segment over that in the base segment, of all rows, labelled or not."""
    if any(side.too_many_classes for side in parity.sides):
        return Undefined(TOO_MANY)
    predictions = [side.predictions for side in parity.sides]
    for counts, name in zip(predictions, NAMES, strict=True):
        if not counts:
            return Undefined(f"there are no predictions in {name}")
    if isinstance(parity.positive, Undefined):
        return parity.positive
    shares = [Share(counts.get(parity.positive, 0), sum(counts.values())) for counts in predictions]
    rows = (shares[0].whole, shares[1].whole)
    return _ratio(parity, shares, "there are no predictions", f"no row is predicted as {parity.positive!r}", rows)


def _tallies(parity: Parity) -> list[Tally] | Undefined:
    """The positive class against all others, on both sides."""
    cards = [Scorecard(side) for side in parity.sides]
    for card, name in zip(cards, NAMES, strict=True):
        if card.trouble:
            return Undefined(f"{card.trouble.reason} in {name}")
    if isinstance(parity.positive, Undefined):
        return parity.positive
    return [card.tally(parity.positive) for card in cards]


def _ratio(
    parity: Parity, shares: Sequence[Share], empty: str, zero: str, rows: tuple[int, int] | None = None
) -> Measurement | Undefined:
    """The ratio of the two sides' shares, which stand on so many rows: None: on the labelled ones."""
    for share, name in zip(shares, NAMES, strict=True):
        if not share.whole:
            return Undefined(f"{empty} in {name}")
    segment, base = shares
    if not base.hits:
        return Undefined(f"{zero} in the base segment: there is nothing to compare with")
    share, base_share = segment.hits / segment.whole, base.hits / base.whole
    details = {
        "positive_class": parity.positive,
        "share": share, "hits": segment.hits, "of": segment.whole,
        "base_share": base_share, "base_hits": base.hits, "base_of": base.whole,
    }  # fmt: skip
    rows = rows or (parity.segment.rows, parity.base.rows)
    return Measurement(share / base_share, *rows, interval=ratio_of_shares(*segment, *base), details=details)
