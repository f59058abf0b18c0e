"""How good is a classifier over all its classes? Macro averages treat classes alike, micro averages rows."""

from typing import Any

import numpy as np
import numpy.typing as npt

from signals.catalogue import Bad, Family, metric
from signals.intervals import around, macro
from signals.labels import resolve_class
from signals.measurement import Measurement, Undefined
from signals.one_class import precision_of, recall_of
from signals.scorecard import Scorecard

__all__ = [
    "macro_averaged_f1", "macro_averaged_precision", "macro_averaged_recall", "micro_averaged_f1",
    "micro_averaged_precision", "micro_averaged_recall", "multi_class_precision", "multi_class_recall",
]  # fmt: skip

SHARE: dict[str, Any] = {"family": Family.CLASSIFICATION, "bad": Bad.LOWER, "unit": "share", "range": (0.0, 1.0)}
SOKOLOVA = "Sokolova & Lapalme 2009, A systematic analysis of performance measures for classification tasks"
LABELLED, PREDICTED = 1, 2


@metric("macro_averaged_precision", source=SOKOLOVA, **SHARE)
def macro_averaged_precision(card: Scorecard) -> Measurement | Undefined:
    """Mean of the classes' precision; classes that no row is predicted as have none and are left out."""
    return card.trouble or _mean_share(card, PREDICTED)


@metric("macro_averaged_recall", source=SOKOLOVA, **SHARE)
def macro_averaged_recall(card: Scorecard) -> Measurement | Undefined:
    """Mean of the classes' recall; classes that no row is labelled with have none and are left out."""
    return card.trouble or _mean_share(card, LABELLED)


@metric(
    "macro_averaged_f1", source="Takahashi et al. 2022, Confidence interval for micro- and macro-averaged F1", **SHARE
)
def macro_averaged_f1(card: Scorecard) -> Measurement | Undefined:
    """Mean of the classes' F1, over all classes that rows are labelled or predicted with."""
    if card.trouble:
        return card.trouble
    hits, labelled, predicted = card.counts.astype(np.float64).T
    involved = labelled + predicted
    scores = 2 * hits / np.where(involved, involved, 1)
    classes = int(np.count_nonzero(involved))
    value = float(scores.sum() / classes)
    interval = around(value, _variance_of_f1(card, scores, involved) / classes**2, 0.0, 1.0)
    return Measurement(value, card.outcomes.rows, interval=interval, details=card.details(average="macro"))


@metric("micro_averaged_precision", source=SOKOLOVA, **SHARE)
def micro_averaged_precision(card: Scorecard) -> Measurement | Undefined:
    """Hits of all classes over predictions of all classes: with one class a row, the accuracy."""
    return _hits(card)


@metric("micro_averaged_recall", source=SOKOLOVA, **SHARE)
def micro_averaged_recall(card: Scorecard) -> Measurement | Undefined:
    """Hits of all classes over labels of all classes: with one class a row, the accuracy."""
    return _hits(card)


@metric("micro_averaged_f1", source=SOKOLOVA, **SHARE)
def micro_averaged_f1(card: Scorecard) -> Measurement | Undefined:
    """F1 of the hits and misses of all classes: with one class a row, the accuracy."""
    return _hits(card)


@metric("multi_class_precision", source=SOKOLOVA, **SHARE)
def multi_class_precision(card: Scorecard) -> Measurement | Undefined:
    """Precision of one class, the check's `label`; macro-averaged without one."""
    if card.label is None:
        return macro_averaged_precision(card)
    return precision_of(card, resolve_class(card.label, card.classes), "label")


@metric("multi_class_recall", source=SOKOLOVA, **SHARE)
def multi_class_recall(card: Scorecard) -> Measurement | Undefined:
    """Recall of one class, the check's `label`; macro-averaged without one."""
    if card.label is None:
        return macro_averaged_recall(card)
    return recall_of(card, resolve_class(card.label, card.classes), "label")


def _hits(card: Scorecard) -> Measurement | Undefined:
    return card.trouble or card.share(int(card.counts[:, 0].sum()), card.outcomes.rows, "", average="micro")


def _mean_share(card: Scorecard, whole: int) -> Measurement:
    """Mean over classes of hits / whole, where the whole is not empty."""
    counts = card.counts.astype(np.float64)
    defined = counts[:, whole] > 0
    hits, wholes = counts[defined, 0], counts[defined, whole]
    left_out = [name for name, in_it in zip(card.classes, defined.tolist(), strict=True) if not in_it]
    details = card.details(average="macro", **({"classes_left_out": left_out} if left_out else {}))
    value = float(np.mean(hits / wholes))
    return Measurement(value, card.outcomes.rows, interval=macro(hits, wholes), details=details)


def _variance_of_f1(card: Scorecard, scores: npt.NDArray[np.float64], involved: npt.NDArray[np.float64]) -> float:
    """Of the sum of the classes' F1 (delta method): each row's influence on it, squared and summed."""
    place = {name: i for i, name in enumerate(card.classes)}
    variance = 0.0
    for (label, prediction), count in card.outcomes.pairs.items():
        i, j = place[label], place[prediction]
        hit = 2 / involved[i] if i == j else 0.0
        variance += count * (hit - scores[i] / involved[i] - scores[j] / involved[j]) ** 2
    return float(variance)
