"""Ratios of two segments' shares, against pandas on raw rows, with intervals that hold."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats.contingency import relative_risk

from signals.fairness import Parity, disparate_impact, false_positive_rate_parity, recall_parity
from signals.intervals import ratio_of_shares
from signals.measurement import Measurement, Undefined
from signals.outcomes import Outcomes

ALL = [recall_parity, false_positive_rate_parity, disparate_impact]


def rows(n: int = 2_000) -> pd.DataFrame:
    random = np.random.default_rng(9)
    frame = pd.DataFrame({"sex": random.choice(["f", "m"], n), "label": random.integers(0, 2, n)})
    chance = np.where(frame["sex"] == "f", 0.2, 0.3) + 0.4 * frame["label"]
    frame["said"] = (random.random(n) < chance).astype(int)
    frame["label"] = frame["label"].astype(float).where(random.random(n) < 0.7)
    return frame


def outcomes(frame: pd.DataFrame) -> Outcomes:
    columns = (pa.array(frame[name], from_pandas=True) for name in ("label", "said"))
    return Outcomes.of(*columns, of_all=True)


def parity(
    segment: list[tuple[object, object]], base: list[tuple[object, object]], positive: str | None = None
) -> Parity:
    one, other = (outcomes(pd.DataFrame(each, columns=["label", "said"], dtype=object)) for each in (segment, base))
    return Parity(one, other, positive)


def test_ratios_are_pandas() -> None:
    frame = rows()
    f, m = frame[frame["sex"] == "f"], frame[frame["sex"] == "m"]
    both = Parity(outcomes(f), outcomes(m))
    recalls = [each[each["label"] == 1]["said"].mean() for each in (f, m)]
    false = [each[each["label"] == 0]["said"].mean() for each in (f, m)]
    positive = [each["said"].mean() for each in (f, m)]
    for metric, (one, other) in zip(ALL, (recalls, false, positive), strict=True):
        answer = metric(both)
        assert isinstance(answer, Measurement)
        assert answer.value == pytest.approx(one / other)
        assert (answer.details["share"], answer.details["base_share"]) == pytest.approx((one, other))
    labelled = recall_parity(both)
    everybody = disparate_impact(both)
    assert isinstance(labelled, Measurement)
    assert isinstance(everybody, Measurement)
    assert (labelled.rows, labelled.baseline_rows) == (f["label"].notna().sum(), m["label"].notna().sum())
    assert (everybody.rows, everybody.baseline_rows) == (len(f), len(m)), "labelled or not"


def test_the_interval_is_the_one_of_a_relative_risk() -> None:
    low, high = relative_risk(27, 122, 44, 487).confidence_interval(0.95)
    assert ratio_of_shares(27, 122, 44, 487) == pytest.approx((low, high))


def test_the_interval_has_a_width_where_nobody_is_hit() -> None:
    low, high = ratio_of_shares(0, 40, 10, 50)
    assert low == 0
    assert 0.1 < high < 3


def test_the_interval_holds_what_it_should() -> None:
    random = np.random.default_rng(10)
    hits, base = random.binomial(300, 0.2, 2_000), random.binomial(400, 0.3, 2_000)
    bounds = [ratio_of_shares(a, 300, b, 400) for a, b in zip(hits.tolist(), base.tolist(), strict=True)]
    assert 0.93 < np.mean([low <= 0.2 / 0.3 <= high for low, high in bounds]) < 0.97


def test_the_positive_class_is_the_same_on_both_sides() -> None:
    only_negatives = [(0, 0), (0, 0), (0, 0)]
    answer = disparate_impact(parity(only_negatives, [(1, 1), (0, 0)]))
    assert isinstance(answer, Measurement)
    assert (answer.value, answer.details["positive_class"]) == (0.0, "1")
    named = disparate_impact(parity([("no", "no")], [("no", "yes")], "yes"))
    assert isinstance(named, Measurement)
    assert named.value == 0


@pytest.mark.parametrize(("metric", "segment", "base", "reason"), [
    (recall_parity, [], [(1, 1)], "there are no labelled rows in the segment"),
    (recall_parity, [(1, 1)], [], "there are no labelled rows in the base segment"),
    (recall_parity, [(0, 1)], [(1, 1)], "no row is labelled '1' in the segment"),
    (recall_parity, [(1, 1)], [(1, 0)], "recall is 0 in the base segment: there is nothing to compare with"),
    (recall_parity, [(1, None)], [(1, 1)], "none of the 1 labelled rows has a prediction in the segment"),
    (false_positive_rate_parity, [(1, 1)], [(0, 1)], "every row is labelled '1' in the segment"),
    (false_positive_rate_parity, [(0, 1)], [(0, 0)],
     "the false positive rate is 0 in the base segment: there is nothing to compare with"),
    (disparate_impact, [(None, None)], [(None, 1)], "there are no predictions in the segment"),
    (disparate_impact, [(None, 1)], [(None, 0)],
     "no row is predicted as '1' in the base segment: there is nothing to compare with"),
    (disparate_impact, [(None, "a")], [(None, "b")],
     "which class is the positive one must be said (positive_class); the classes are 'a', 'b'"),
])  # fmt: skip
def test_a_ratio_without_a_base_says_so(metric, segment, base, reason) -> None:
    assert metric(parity(segment, base)) == Undefined(reason)


@pytest.mark.parametrize("metric", ALL)
def test_too_many_classes_are_no_classification(metric) -> None:
    many = [(number, number) for number in range(2_000)]
    answer = metric(parity(many, [(1, 1)], "1"))
    assert isinstance(answer, Undefined)
    assert "distinct labels" in answer.reason
