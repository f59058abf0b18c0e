"""Which share of a model's answers is good enough, by the scores that somebody else gave them?"""

from dataclasses import dataclass

from signals.catalogue import Bad, Family, metric
from signals.intervals import wilson
from signals.measurement import Measurement, Undefined

__all__ = ["QUALITIES", "Scores", "pass_rate_of"]

QUALITIES = ("groundedness", "relevance", "coherence", "fluency", "similarity")
"""What answers are scored by, from 1 (bad) to 5."""


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of one quality.

    Attributes:
        rows: answers in the window.
        sampled: those of them that were to be scored.
        scored: those that have a score, which is a finite number.
        passed: those whose score is acceptable.
    """

    rows: int
    sampled: int
    scored: int
    passed: int


def pass_rate_of(quality: str) -> str:
    """The name of a quality's metric."""
    return f"aggregated_{quality}_pass_rate"


def _pass_rate(scores: Scores) -> Measurement | Undefined:
    if not scores.rows:
        return Undefined("there are no rows")
    if not scores.scored:
        what = f"none of {scores.sampled:,} sampled rows has a score"
        return Undefined(what if scores.sampled else f"none of {scores.rows:,} rows was sampled")
    share = scores.passed / scores.scored
    details = {"sampled": scores.sampled, "unscored": scores.sampled - scores.scored, "passed": scores.passed}
    return Measurement(share, scores.scored, interval=wilson(scores.passed, scores.scored), details=details)


def _declare(quality: str) -> None:
    def rate(scores: Scores) -> Measurement | Undefined:
        return _pass_rate(scores)

    rate.__doc__ = f"The share of scored answers whose {quality} is acceptable."
    metric(
        pass_rate_of(quality), family=Family.GENERATION, bad=Bad.LOWER, unit="share", range=(0.0, 1.0),
        source="Azure Machine Learning, generation_safety_quality",
    )(rate)  # fmt: skip


for _quality in QUALITIES:
    _declare(_quality)
