"""Ranked items are scored as scikit-learn and a pencil score them, ties over every order that they may have."""

from itertools import permutations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import ndcg_score, roc_auc_score

from signals.intervals import weighted_mean
from signals.measurement import Measurement, Undefined
from signals.ranked_lists import RankedLists
from signals.ranking import (
    Ranked,
    group_auc,
    mean_average_precision,
    mean_reciprocal_rank,
    ndcg,
    ranking_precision,
    ranking_recall,
)
from signals.rankings import Rankings

SCORES = {
    "ndcg": RankedLists.ndcg, "ap": RankedLists.average_precision, "rr": RankedLists.reciprocal_rank,
    "precision": RankedLists.precision, "recall": RankedLists.recall,
}  # fmt: skip
AT_K = [ndcg, mean_average_precision, mean_reciprocal_rank, ranking_precision, ranking_recall]


def lists_of(groups: list[tuple[list[float], list[float]]], seed: int = 0) -> RankedLists:
    """The groups' scores and gains, their rows in any order."""
    lists = np.repeat(np.arange(len(groups)), [len(score) for score, _ in groups])
    order = np.random.default_rng(seed).permutation(len(lists))
    score, gain = (np.concatenate([group[place] for group in groups]).astype(float) for place in (0, 1))
    return RankedLists.of(lists[order], score[order], gain[order])


def by_hand(score: np.ndarray, gain: np.ndarray, at: int | None) -> dict[str, float]:
    """The mean over every order that the scores allow."""
    n, k = len(score), len(score) if at is None else at
    points = np.nan_to_num(score, nan=-1.0)
    found: dict[str, list[float]] = {name: [] for name in SCORES}
    discount = np.where(np.arange(n) < k, 1 / np.log2(2 + np.arange(n)), 0)
    for order in permutations(range(n)):
        if (np.diff(points[list(order)]) > 0).any():
            continue
        own = gain[list(order)]
        hits, relevant = own > 0, (own > 0).sum()
        found["precision"].append(hits[:k].sum() / k)
        if relevant:
            first = np.flatnonzero(hits)[0]
            precisions = [hits[: place + 1].mean() for place in np.flatnonzero(hits[:k])]
            found["ndcg"].append(own @ discount / (np.sort(gain)[::-1] @ discount))
            found["recall"].append(hits[:k].sum() / relevant)
            found["ap"].append(sum(precisions) / min(relevant, k))
            found["rr"].append(1 / (first + 1) if first < k else 0)
    return {name: float(np.mean(each)) if each else np.nan for name, each in found.items()}


@pytest.mark.parametrize("at", [None, 1, 2, 3, 10])
def test_tied_items_are_scored_over_every_order(at: int | None) -> None:
    random = np.random.default_rng(1)
    groups = [
        (random.choice([0.1, 0.2, 0.3, np.nan], n), random.choice([0, 0, 0, 1, 2.5], n))
        for n in random.integers(1, 7, 60)
    ]
    lists = lists_of(groups)
    for name, score in SCORES.items():
        expected = [by_hand(*group, at)[name] for group in groups]
        assert score(lists, at) == pytest.approx(expected, nan_ok=True, abs=1e-12), name


@pytest.mark.parametrize("at", [None, 3, 10, 100])
@pytest.mark.parametrize("values", [4, 1_000_000], ids=["many ties", "no ties"])
def test_ndcg_is_scikit_learns(at: int | None, values: int) -> None:
    random = np.random.default_rng(2)
    groups = [(random.integers(0, values, n) / 7, random.integers(0, 4, n)) for n in random.integers(2, 60, 100)]
    expected = [ndcg_score([gain], [score], k=at) if gain.any() else np.nan for score, gain in groups]
    assert lists_of(groups).ndcg(at) == pytest.approx(expected, nan_ok=True, rel=1e-12)


def test_the_auc_of_a_group_is_scikit_learns() -> None:
    random = np.random.default_rng(3)
    groups = [(random.integers(0, 9, n) / 7, random.integers(0, 2, n)) for n in random.integers(1, 30, 100)]
    expected = [roc_auc_score(gain, score) if 0 < gain.sum() < len(gain) else np.nan for score, gain in groups]
    assert lists_of(groups).auc() == pytest.approx(expected, nan_ok=True, rel=1e-12)


def test_huge_and_tiny_relevances_do_not_overflow() -> None:
    lists = lists_of([([3, 2, 1], [1e308, 1e308, 1e308]), ([3, 2, 1], [1e-320, 0, 0])])
    assert lists.ndcg(None) == pytest.approx([1, 1])


# --------------------------------------------------------------------------------------------------- the metrics


def ranked(rows: list[tuple[object, object, object]], at: int | None = None, relevant: str | None = None) -> Ranked:
    group, score, label = (list(column) for column in zip(*rows, strict=True))
    types = pa.array(group, pa.string()), pa.array(score, pa.float64()), pa.array(label)
    return Ranked(Rankings.of(*types, (at,), relevant), at)


def value(answer: Measurement | Undefined) -> float:
    assert isinstance(answer, Measurement), answer
    return answer.value


def test_a_metric_is_the_mean_over_groups_with_an_interval() -> None:
    first, second, third = (
        [("a", 2, 1), ("a", 1, 0)],
        [("b", 2, 0), ("b", 1, 1)],
        [("c", 3, 0), ("c", 2, 1), ("c", 1, 1)],
    )
    answer = mean_reciprocal_rank(ranked([*first, *second, *third]))
    assert isinstance(answer, Measurement)
    assert answer.value == pytest.approx((1 + 1 / 2 + 1 / 2) / 3)
    half = 1.959964 * np.std([1, 0.5, 0.5], ddof=1) / np.sqrt(3)
    assert answer.interval == pytest.approx((answer.value - half, min(1, answer.value + half)), abs=1e-6)
    assert answer.rows == 7


def test_the_interval_of_a_mean_over_groups_holds_what_it_should() -> None:
    random = np.random.default_rng(4)
    truth, held = 0.5, 0
    for _ in range(300):
        auc = random.beta(4, 4, 80)
        sizes = random.integers(2, 40, 80).astype(float)
        sums = {"w": sizes.sum(), "wx": sizes @ auc, "w2": sizes @ sizes, "w2x": (sizes * sizes) @ auc,
                "w2x2": (sizes * auc) @ (sizes * auc)}  # fmt: skip
        low, high = weighted_mean(80, **sums) or (0.0, 0.0)
        held += low <= truth <= high
    assert 0.91 < held / 300 < 0.99


def test_group_auc_weighs_groups_by_their_items() -> None:
    small, large = [("a", 2, 1), ("a", 1, 0)], [("b", 4, 0), ("b", 3, 1), ("b", 2, 1), ("b", 1, 1)]
    assert value(group_auc(ranked([*small, *large]))) == pytest.approx((2 * 1 + 4 * 0) / 6)


def test_a_cut_off_beyond_the_group_takes_all_of_it() -> None:
    rows = [("a", 3, 1), ("a", 2, 0), ("a", 1, 2)]
    for metric in (ndcg, mean_average_precision, mean_reciprocal_rank, ranking_recall):
        assert value(metric(ranked(rows, 10))) == pytest.approx(value(metric(ranked(rows))))
    assert value(ranking_precision(ranked(rows, 10))) == pytest.approx(0.2), "two of the ten places are well used"


def test_a_group_without_a_relevant_item_has_a_precision_and_nothing_else() -> None:
    hopeless = ranked([("a", 2, 0), ("a", 1, -3)], 2)
    assert value(ranking_precision(hopeless)) == 0
    for metric in (ndcg, mean_average_precision, mean_reciprocal_rank, ranking_recall, group_auc):
        assert isinstance(metric(hopeless), Undefined)
    mixed = ndcg(ranked([("a", 2, 0), ("b", 1, 1)], 2))
    assert isinstance(mixed, Measurement)
    assert (mixed.value, mixed.details["groups"], mixed.details["groups_undefined"]) == (1, 1, 1)


def test_all_items_tied_are_worth_their_mean() -> None:
    tied = ranked([("a", 1, 1), ("a", 1, 0), ("a", 1, 0), ("a", 1, 0)])
    assert value(mean_reciprocal_rank(tied)) == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    assert value(group_auc(tied)) == pytest.approx(0.5)


def test_unlabelled_items_of_a_labelled_group_are_not_relevant_and_those_without_a_score_come_last() -> None:
    answer = mean_reciprocal_rank(ranked([("a", 3, None), ("a", None, 1), ("a", 1, float("nan")), ("b", 1, None)]))
    assert isinstance(answer, Measurement)
    assert answer.value == pytest.approx(1 / 3)
    assert answer.details == {
        "groups": 1, "groups_undefined": 0, "groups_without_label": 1, "items_without_label": 2,
        "items_without_score": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("rows", "reason"), [
    ([(None, 1.0, 1), (None, 2.0, 0)], "there are no groups: none of 2 rows has a group id"),
    ([("a", 1.0, None), ("b", 2.0, None)], "there are no labelled groups: none of 2 has a label"),
    ([("a", None, 1), ("b", float("nan"), 1)], "none of the 2 labelled groups has a score or rank"),
    ([("a", 1.0, "good"), ("b", 2.0, "bad")], "none of 2 labels is a number: say which is the positive_class"),
])  # fmt: skip
@pytest.mark.parametrize("metric", [*AT_K, group_auc])
def test_the_reason_says_what_is_missing(metric, rows, reason) -> None:
    assert metric(ranked(rows)) == Undefined(reason)


@pytest.mark.parametrize(("labels", "relevant"), [
    ([True, False], None), ([1.0, 0.0], None), (["1", "0"], None), (["yes", "no"], "yes"), ([7, 5], "7"),
    ([True, False], "true"), ([1.0, 0.0], "1"),
])  # fmt: skip
def test_labels_of_any_type_say_what_is_relevant(labels: list[object], relevant: str | None) -> None:
    rows = [("a", 1, labels[0]), ("a", 2, labels[1])]
    assert value(mean_reciprocal_rank(ranked(rows, relevant=relevant))) == pytest.approx(0.5)
