"""Which metrics exist, what they are called, and in which direction they are bad.

A metric is a function that is declared where its formula stands::

    @metric("population_stability_index", aliases=("psi",), family=Family.DRIFT, bad=Bad.HIGHER, ...)
    def population_stability_index(change: Change) -> Measurement | Undefined: ...

so that its name, direction and source are said once, above the formula.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from signals.measurement import Measurement, Undefined

__all__ = [
    "BOTH_KINDS", "EVERY_KIND", "METRICS", "Bad", "Family", "Kind", "Metric", "find_metric", "metric", "metrics_of",
    "near_names",
]  # fmt: skip


class Family(StrEnum):
    """What a metric is computed from: the argument of its function."""

    DRIFT = "drift"
    """A `signals.change.Change`: one column's profile against its baseline's."""
    QUALITY = "data_quality"
    """A `signals.quality.Column`: one column's profile, and its baseline's where there is one."""
    DATASET = "dataset"
    """A `signals.quality.Dataset`: rows, timestamps and correlation ids of a whole dataset."""
    CLASSIFICATION = "classification"
    """A `signals.scorecard.Scorecard`: labels and scores against the truth, and which class is meant."""
    REGRESSION = "regression"
    """A `signals.error_sums.Errors`: predicted numbers against the true ones."""
    RANKING = "ranking"
    """A `signals.ranking.Ranked`: scores of groups of ranked items, and how many items are looked at."""
    FAIRNESS = "fairness"
    """A `signals.fairness.Parity`: the outcomes of a segment, and of a base segment."""
    COVERAGE = "coverage"
    """A `signals.coverage.Coverage`: how much of a window is labelled."""
    ATTRIBUTION = "feature_attribution"
    """A `signals.attributions.Attributions`: how much each feature matters, now and in the baseline."""
    TOKENS = "tokens"
    """A `signals.tokens.Tokens`: what requests to a generating model logged."""
    GENERATION = "generation"
    """A `signals.pass_rates.Scores`: how many of its answers were scored, and passed."""


class Kind(StrEnum):
    """How a feature's values are read."""

    NUMERICAL = "numerical"
    CATEGORICAL = "categorical"
    EMBEDDING = "embedding"
    """A list of numbers that is as long in every row."""
    LIST = "list"
    """A list of strings, of which the length is looked at."""


class Bad(StrEnum):
    """The direction in which a metric is bad, and so breaches by default."""

    HIGHER = "higher"
    LOWER = "lower"
    NONE = "none"
    """Neither: a threshold needs an operator of its own."""


BOTH_KINDS = frozenset({Kind.NUMERICAL, Kind.CATEGORICAL})
"""What has a distribution."""
EVERY_KIND = frozenset(Kind)


@dataclass(frozen=True, slots=True)
class Metric:
    """One entry of the catalogue; `compute` takes the argument that its family names."""

    name: str
    family: Family
    bad: Bad
    summary: str
    unit: str
    range: tuple[float, float]
    source: str
    aliases: tuple[str, ...]
    kinds: frozenset[Kind]
    compute: Callable[[Any], Measurement | Undefined]


METRICS: dict[str, Metric] = {}
"""Every metric by its canonical name, filled as the modules that declare them are imported."""

_NAMES: dict[str, str] = {}


def metric(
    name: str,
    *,
    family: Family,
    bad: Bad,
    unit: str,
    range: tuple[float, float],
    source: str,
    aliases: tuple[str, ...] = (),
    kinds: frozenset[Kind] = BOTH_KINDS,
) -> Callable[[Callable[[Any], Measurement | Undefined]], Callable[[Any], Measurement | Undefined]]:
    """Enter the decorated function into the catalogue; the first line of its docstring is the summary."""

    def declare(
        compute: Callable[[Any], Measurement | Undefined],
    ) -> Callable[[Any], Measurement | Undefined]:
        summary = (compute.__doc__ or "").strip().split("\n")[0]
        METRICS[name] = Metric(name, family, bad, summary, unit, range, source, aliases, kinds, compute)
        for spelling in (name, *aliases):
            if _NAMES.setdefault(_fold(spelling), name) != name:
                raise ValueError(f"two metrics answer to the name {spelling!r}")
        return compute

    return declare


def find_metric(name: str) -> Metric | None:
    """The metric of that name or alias, however it is cased or underscored; None when there is none."""
    canonical = _NAMES.get(_fold(name))
    return METRICS[canonical] if canonical else None


def metrics_of(*families: Family) -> tuple[Metric, ...]:
    """All metrics of these families, in the order of their declaration."""
    return tuple(entry for entry in METRICS.values() if entry.family in families)


def near_names(name: str, among: list[str], count: int = 1) -> list[str]:
    """The names closest to a misspelt one, best first; empty when none is near."""
    folded = {_fold(candidate): candidate for candidate in among}
    return [folded[hit] for hit in difflib.get_close_matches(_fold(name), folded, count, cutoff=0.6)]


def _fold(name: str) -> str:
    return name.replace("_", "").replace("-", "").replace(" ", "").lower()
