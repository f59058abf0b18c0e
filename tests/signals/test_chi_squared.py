from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from signals.change import Change
from signals.measurement import Measurement
from signals.metrics import METRICS


def measured(profiles, current: dict[str, int], baseline: dict[str, int]) -> Measurement:
    bins = profiles.vocabulary(list(baseline))
    now, before = (
        profiles.categories([name for name, count in side.items() for _ in range(count)], bins)
        for side in (current, baseline)
    )
    return of_change(Change(now, before))


def of_change(change: Change) -> Measurement:
    result = METRICS["pearsons_chi_squared_test"].compute(change)
    assert isinstance(result, Measurement)
    return result


def test_both_samples_are_samples(profiles):
    now, before = {"a": 30, "b": 50, "c": 20}, {"a": 50, "b": 50, "c": 60}
    chi = stats.chi2_contingency([list(now.values()), list(before.values())])
    test = measured(profiles, now, before)
    assert test.value == pytest.approx(chi.pvalue, rel=1e-12)
    assert (test.details["statistic"], test.details["df"]) == (pytest.approx(chi.statistic), chi.dof)
    assert test.p_value == test.value
    assert test.expected_p95 == 0.05


def test_two_bins_are_corrected_as_scipy_does_it(profiles):
    test = measured(profiles, {"a": 30, "b": 50}, {"a": 50, "b": 50})
    assert test.value == pytest.approx(stats.chi2_contingency([[30, 50], [50, 50]]).pvalue, rel=1e-12)


def test_rare_bins_are_pooled_into_one(profiles):
    now = {"a": 50, "b": 40, "c": 4, "d": 3, "e": 2}
    before = {"a": 500, "b": 400, "c": 20, "d": 20, "e": 20}
    test = measured(profiles, now, before)
    assert test.details["pooled_bins"] == ["c", "d", "e"]
    assert test.value == pytest.approx(stats.chi2_contingency([[50, 40, 9], [500, 400, 60]]).pvalue, rel=1e-12)
    assert {each.bin for each in test.contributions} == {"a", "b", "3 rare bins"}


def test_one_row_of_a_new_category_is_no_alarm(profiles):
    """Its expected count is 0.001: as a bin of its own it would add a thousand to the statistic."""
    test = measured(profiles, {"a": 600, "b": 399, "new": 1}, {"a": 600_000, "b": 400_000})
    assert test.details["pooled_bins"] == ["b", "other"]
    assert test.value > 0.5


def test_a_column_with_one_bin_cannot_have_changed(profiles):
    test = measured(profiles, {"a": 50}, {"a": 5_000, "b": 0})
    assert (test.value, test.details["df"], test.details["statistic"]) == (1.0, 0, 0.0)


@pytest.mark.parametrize(("now", "alarming"), [({"a": 10}, False), ({"b": 10}, True)])
def test_too_few_rows_for_the_approximation_are_simulated(now, alarming, profiles):
    test = measured(profiles, now, {"a": 99_000, "b": 1_000})
    assert test.details["p_value_method"] == "simulation"
    assert (test.value < 0.01) is alarming


def test_terms_add_up_to_the_statistic(profiles):
    rng = np.random.default_rng(1)
    test = of_change(profiles.change(rng.normal(size=90), rng.normal(size=900)))
    assert sum(each.term for each in test.contributions) == pytest.approx(test.details["statistic"])
