"""How often is the predicted class the true one? Of labels; `signals.scores` has the metrics of scores."""

from dataclasses import asdict
from typing import Any

from signals.catalogue import Bad, Family, metric
from signals.measurement import Measurement, Undefined
from signals.multi_class import macro_averaged_f1, macro_averaged_precision, macro_averaged_recall
from signals.one_class import f1_of, precision_of, recall_of
from signals.scorecard import Scorecard, Tally

__all__ = [
    "accuracy", "f1", "false_negative_density", "false_negative_rate", "false_positive_rate", "precision", "recall",
    "specificity",
]  # fmt: skip

SHARE: dict[str, Any] = {"family": Family.CLASSIFICATION, "unit": "share", "range": (0.0, 1.0)}
FAWCETT = "Fawcett 2006, An introduction to ROC analysis"


@metric("accuracy", bad=Bad.LOWER, source=FAWCETT, **SHARE)
def accuracy(card: Scorecard) -> Measurement | Undefined:
    """Share of rows whose predicted class is the true one."""
    return card.trouble or card.share(int(card.counts[:, 0].sum()), card.outcomes.rows, "")


@metric("precision", bad=Bad.LOWER, source=FAWCETT, **SHARE)
def precision(card: Scorecard) -> Measurement | Undefined:
    """Of the rows predicted as positive, the share that is; macro-averaged where no class is the positive one."""
    if card.positive is None:
        return macro_averaged_precision(card)
    return precision_of(card, card.positive, "positive_class")


@metric("recall", bad=Bad.LOWER, source=FAWCETT, aliases=("sensitivity", "true_positive_rate"), **SHARE)
def recall(card: Scorecard) -> Measurement | Undefined:
    """Of the positive rows, the share predicted as such; macro-averaged where no class is the positive one."""
    if card.positive is None:
        return macro_averaged_recall(card)
    return recall_of(card, card.positive, "positive_class")


@metric("f1", bad=Bad.LOWER, source="van Rijsbergen 1979, Information Retrieval", aliases=("f1_score",), **SHARE)
def f1(card: Scorecard) -> Measurement | Undefined:
    """Harmonic mean of precision and recall; macro-averaged where no class is the positive one."""
    if card.positive is None:
        return macro_averaged_f1(card)
    return f1_of(card, card.positive, "positive_class")


@metric("specificity", bad=Bad.LOWER, source=FAWCETT, aliases=("true_negative_rate",), **SHARE)
def specificity(card: Scorecard) -> Measurement | Undefined:
    """Of the negative rows, the share predicted as such."""
    tally = _tally(card)
    return tally if isinstance(tally, Undefined) else _of_negatives(card, tally, tally.true_negatives)


@metric("false_positive_rate", bad=Bad.HIGHER, source=FAWCETT, **SHARE)
def false_positive_rate(card: Scorecard) -> Measurement | Undefined:
    """Of the negative rows, the share predicted as positive."""
    tally = _tally(card)
    return tally if isinstance(tally, Undefined) else _of_negatives(card, tally, tally.false_positives)


@metric("false_negative_rate", bad=Bad.HIGHER, source=FAWCETT, **SHARE)
def false_negative_rate(card: Scorecard) -> Measurement | Undefined:
    """Of the positive rows, the share predicted as negative."""
    tally = _tally(card)
    if isinstance(tally, Undefined):
        return tally
    reason = f"no row is labelled {card.positive!r}"
    return card.share(tally.false_negatives, tally.labelled, reason, **_details(card, tally))


@metric("false_negative_density", bad=Bad.HIGHER, source="Arize, performance metrics (falseNegativeDensity)", **SHARE)
def false_negative_density(card: Scorecard) -> Measurement | Undefined:
    """Of all rows, the share that is positive and predicted as negative."""
    tally = _tally(card)
    if isinstance(tally, Undefined):
        return tally
    return card.share(tally.false_negatives, card.outcomes.rows, "", **_details(card, tally))


def _tally(card: Scorecard) -> Tally | Undefined:
    if card.trouble:
        return card.trouble
    if card.positive is None:
        return Undefined(f"which class is the positive one must be said (positive_class); {card.known_classes}")
    return card.tally(card.positive)


def _of_negatives(card: Scorecard, tally: Tally, hits: int) -> Measurement | Undefined:
    return card.share(hits, tally.others, f"every row is labelled {card.positive!r}", **_details(card, tally))


def _details(card: Scorecard, tally: Tally) -> dict[str, object]:
    return {"positive_class": card.positive, **asdict(tally)}
