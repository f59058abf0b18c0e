"""Precision, recall and F1 of one class against all others: of the positive class, or of any one by name."""

from dataclasses import asdict

from signals.intervals import wilson
from signals.measurement import Measurement, Undefined
from signals.scorecard import Scorecard

__all__ = ["f1_of", "precision_of", "recall_of"]


def precision_of(card: Scorecard, name: str, role: str) -> Measurement | Undefined:
    """Of the rows predicted as the class, the share that is; `role` names the class in the details."""
    tally = card.tally(name)
    reason = f"no row is predicted as {name!r}"
    details = {role: name, **asdict(tally)}
    return card.trouble or card.share(tally.true_positives, tally.predicted, reason, **details)


def recall_of(card: Scorecard, name: str, role: str) -> Measurement | Undefined:
    """Of the rows labelled with the class, the share predicted as such."""
    tally = card.tally(name)
    reason = f"no row is labelled {name!r}"
    details = {role: name, **asdict(tally)}
    return card.trouble or card.share(tally.true_positives, tally.labelled, reason, **details)


def f1_of(card: Scorecard, name: str, role: str) -> Measurement | Undefined:
    """Harmonic mean of both: 2 TP / (2 TP + FP + FN).

    It is a function of the share s of hits among the rows that are labelled or predicted as the class, 2s / (1 + s),
    so its interval is that function of the share's Wilson interval.
    """
    tally = card.tally(name)
    hits, involved = tally.true_positives, tally.labelled + tally.false_positives
    if card.trouble:
        return card.trouble
    if not involved:
        return Undefined(f"no row is labelled or predicted as {name!r}; {card.known_classes}")
    low, high = wilson(hits, involved)
    return Measurement(
        2 * hits / (hits + involved),
        card.outcomes.rows,
        interval=(2 * low / (1 + low), 2 * high / (1 + high)),
        details=card.details(**{role: name, **asdict(tally)}),
    )
