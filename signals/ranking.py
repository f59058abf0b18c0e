"""Do the relevant items of a group come first? The metrics of `signals.rankings.Rankings`, means over groups."""

from dataclasses import dataclass
from typing import Any

from signals.catalogue import Bad, Family, metric
from signals.intervals import weighted_mean
from signals.measurement import Measurement, Undefined
from signals.rankings import GROUP_AUC, Rankings, Sums, score_name

__all__ = [
    "Ranked", "group_auc", "mean_average_precision", "mean_reciprocal_rank", "ndcg", "ranking_precision",
    "ranking_recall",
]  # fmt: skip

SHARE: dict[str, Any] = {"family": Family.RANKING, "bad": Bad.LOWER, "unit": "share", "range": (0.0, 1.0)}
TIES = "McSherry & Najork 2008, Information retrieval performance measures in the presence of tied scores"


@dataclass(frozen=True, slots=True)
class Ranked:
    """Rankings as a metric reads them.

    Attributes:
        rankings: the groups' scores.
        at: how many of a group's items are looked at, the best first; None: all.
    """

    rankings: Rankings
    at: int | None = None


@metric("ndcg", source=f"Järvelin & Kekäläinen 2002; {TIES}", **SHARE)
def ndcg(ranked: Ranked) -> Measurement | Undefined:
    """Sum of relevance / log2(1 + position) over the first k items, over the same sum in the best order."""
    return _mean(ranked, score_name("ndcg", ranked.at))


@metric("mean_average_precision", source=TIES, aliases=("map", "rankingMap"), **SHARE)
def mean_average_precision(ranked: Ranked) -> Measurement | Undefined:
    """Mean of the precisions at the relevant items among the first k, over the lesser of k and all relevant items."""
    return _mean(ranked, score_name("mean_average_precision", ranked.at))


@metric("mean_reciprocal_rank", source=TIES, aliases=("mrr",), **SHARE)
def mean_reciprocal_rank(ranked: Ranked) -> Measurement | Undefined:
    """1 / position of the first relevant item; 0 where none is among the first k."""
    return _mean(ranked, score_name("mean_reciprocal_rank", ranked.at))


@metric("ranking_precision", source=TIES, **SHARE)
def ranking_precision(ranked: Ranked) -> Measurement | Undefined:
    """Relevant items among the first k, over k (also where a group has fewer items)."""
    return _mean(ranked, score_name("ranking_precision", ranked.at))


@metric("ranking_recall", source=TIES, **SHARE)
def ranking_recall(ranked: Ranked) -> Measurement | Undefined:
    """Relevant items among the first k, over all relevant items of the group."""
    return _mean(ranked, score_name("ranking_recall", ranked.at))


@metric("group_auc", source="Zhu et al. 2017, Optimized cost per click in Taobao", aliases=("gauc",), **SHARE)
def group_auc(ranked: Ranked) -> Measurement | Undefined:
    """Mean of the groups' AUC, weighted by their items, over groups with relevant and other items; ties count half."""
    return _mean(ranked, GROUP_AUC)


def _mean(ranked: Ranked, name: str) -> Measurement | Undefined:
    """The mean over the groups that have this score."""
    state = ranked.rankings
    if not state.groups:
        return _no_groups(state)
    sums = state.scores.get(name, Sums())
    if not sums.groups:
        kinds = "relevant items and others" if name == GROUP_AUC else "a relevant item (relevance above 0)"
        return Undefined(f"none of the {state.groups:,} groups has {kinds}")
    interval = weighted_mean(sums.groups, w=sums.w, wx=sums.wx, w2=sums.w2, w2x=sums.w2x, w2x2=sums.w2x2)
    details = {"groups": sums.groups, "groups_undefined": state.groups - sums.groups}
    left_out = {
        "groups_without_label": state.groups_without_label,
        "groups_without_score": state.groups_without_score,
        "items_without_label": state.items_without_label,
        "items_without_score": state.items_without_score,
        "rows_without_group": state.items_without_group,
        "unreadable_labels": state.unreadable_labels,
    }
    details |= {name: count for name, count in left_out.items() if count}
    return Measurement(sums.wx / sums.w, sums.items, interval=interval, details=details)


def _no_groups(state: Rankings) -> Undefined:
    if state.unreadable_labels:
        return Undefined(f"none of {state.unreadable_labels:,} labels is a number: say which is the positive_class")
    if state.groups_without_score:
        return Undefined(f"none of the {state.groups_without_score:,} labelled groups has a score or rank")
    if state.groups_without_label:
        return Undefined(f"there are no labelled groups: none of {state.groups_without_label:,} has a label")
    if state.items_without_group:
        return Undefined(f"there are no groups: none of {state.items_without_group:,} rows has a group id")
    return Undefined("there are no rows")
