"""NDCG of features' importances, against scikit-learn's and by its laws."""

from __future__ import annotations

import json
from math import isclose

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from signals.attributions import NAMED, Attributions
from signals.catalogue import Bad, Family, find_metric, metrics_of
from signals.importances import ATTRIBUTIONS, SURROGATE, Importances, ranks_of, shares_of
from signals.measurement import Measurement, Undefined
from signals.metrics import METRICS

NDCG = "normalized_discounted_cumulative_gain"
# Some equal, some nothing, and some far apart.
SIZES = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(1e-6, 1e6))
PAIRS = st.lists(st.tuples(SIZES, SIZES), min_size=2, max_size=30)


def importances(values: list[float]) -> Importances:
    return Importances(shares_of({f"f{place}": value for place, value in enumerate(values)}), 100, ATTRIBUTIONS)


def compared(now: list[float], before: list[float]) -> Measurement | Undefined:
    return METRICS[NDCG].compute(Attributions(importances(now), importances(before)))


def value(now: list[float], before: list[float]) -> float:
    found = compared(now, before)
    assert isinstance(found, Measurement)
    return found.value


def test_it_is_the_only_metric_of_its_family_and_is_found_by_azures_name() -> None:
    assert [each.name for each in metrics_of(Family.ATTRIBUTION)] == [NDCG]
    assert find_metric("NormalizedDiscountedCumulativeGain") is METRICS[NDCG]
    assert METRICS[NDCG].bad is Bad.LOWER


@given(PAIRS)
def test_it_is_scikit_learns_with_the_baseline_as_gains_and_the_order_of_now(pairs: list[tuple[float, float]]) -> None:
    now, before = map(list, zip(*pairs, strict=True))
    if not any(before):
        assert isinstance(compared(now, before), Undefined)
        return
    shares = [list(importances(each).shares.values()) for each in (before, now)]
    assert isclose(value(now, before), ndcg_score([shares[0]], [shares[1]]), rel_tol=1e-12)


@given(PAIRS, st.floats(1e-3, 1e3), st.randoms())
def test_neither_the_unit_nor_the_order_of_features_matters(
    pairs: list[tuple[float, float]], unit: float, random: np.random.Generator
) -> None:
    now, before = map(list, zip(*pairs, strict=True))
    if not any(before):
        return
    dealt = list(pairs)
    random.shuffle(dealt)
    now_dealt, before_dealt = map(list, zip(*dealt, strict=True))
    assert isclose(value(now, before), value(now_dealt, before_dealt), rel_tol=1e-9)
    in_unit = [each * unit for each in before]
    assert isclose(value(now, before), value(now, in_unit), rel_tol=1e-9)
    assert 0 < value(now, before) <= 1 + 1e-12
    assert isclose(value(before, before), 1, rel_tol=1e-12)


def test_by_hand() -> None:
    # Gains 4, 2, 1; the first has become the last: (2 + 1/log2(3) + 4/2) / (4 + 2/log2(3) + 1/2).
    third, second = 1 / np.log2(4), 1 / np.log2(3)
    assert isclose(value([0, 2, 1], [4, 2, 1]), (2 + second + 4 * third) / (4 + 2 * second + third))


def test_where_nothing_matters_any_more_every_order_is_as_good() -> None:
    discounts = 1 / np.log2(np.arange(2, 5))
    assert isclose(value([0, 0, 0], [4, 2, 1]), 7 / 3 * discounts.sum() / (np.array([4, 2, 1]) @ discounts))


@pytest.mark.parametrize(
    ("now", "before", "reason"),
    [
        ([], [], "there are no features"),
        ([1], [1], "one feature alone has no order"),
        ([1, 2], [0, 0], "no feature mattered in the baseline"),
    ],
)
def test_without_an_order_it_is_undefined(now: list[float], before: list[float], reason: str) -> None:
    assert compared(now, before) == Undefined(reason)


def test_a_feature_that_is_gone_matters_nothing_and_a_new_one_is_no_feature_of_the_baseline() -> None:
    before = Importances({"a": 0.75, "b": 0.25}, 100, SURROGATE, "late", 0.5)
    now = Importances({"b": 0.5, "c": 0.5}, 40, SURROGATE, "score", 0.25)
    found = METRICS[NDCG].compute(Attributions(now, before))
    assert isinstance(found, Measurement)
    assert isclose(found.value, ndcg_score([[0.75, 0.25]], [[0, 0.5]]))
    assert (found.rows, found.baseline_rows) == (40, 100)
    assert found.details["features"] == [
        {"feature": "a", "importance": 0.0, "baseline_importance": 0.75, "rank": 2, "baseline_rank": 1},
        {"feature": "b", "importance": 0.5, "baseline_importance": 0.25, "rank": 1, "baseline_rank": 2},
    ]
    assert found.details["explained"] == 0.25
    assert found.details["baseline_target"] == "late"


def test_the_evidence_names_the_largest_moves_first_and_can_be_stored() -> None:
    moves = [0.5, *(1.0 for _ in range(NAMED + 8)), 9.0]
    found = compared(moves, [1.0] * len(moves))
    assert isinstance(found, Measurement)
    assert [each["feature"] for each in found.details["features"][:2]] == [f"f{len(moves) - 1}", "f0"]
    assert (len(found.details["features"]), found.details["more_features"]) == (NAMED, 10)
    json.dumps(found.details, allow_nan=False)


def test_huge_importances_are_shares_too() -> None:
    assert shares_of({"a": 1.7e308, "b": 1.7e308}) == {"a": 0.5, "b": 0.5}
    assert shares_of({"a": 0.0}) == {"a": 0.0}
    assert shares_of({}) == {}


def test_features_that_matter_alike_share_a_rank_and_the_top_is_in_order_of_names() -> None:
    found = Importances({"c": 0.25, "a": 0.25, "b": 0.5}, 1, ATTRIBUTIONS)
    assert ranks_of(found.shares) == {"b": 1, "a": 2, "c": 2}
    assert found.top(2) == ["b", "a"]
    assert found.top(9) == ["b", "a", "c"]
