"""P-values that mean what they say: about one in twenty lies below 0.05 when nothing changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from signals.chance import DRAWS, of_draws
from signals.change import Change
from signals.false_discovery import q_values
from signals.measurement import Measurement
from signals.metrics import METRICS

WINDOWS = 2_000


def share_below(p_values: list[float]) -> float:
    return float((np.array(p_values) < 0.05).mean())


def measured(name: str, change: Change) -> Any:
    """The measurement; `Any`, because its evidence is there for every metric of drift."""
    result = METRICS[name].compute(change)
    assert isinstance(result, Measurement), result
    return result


@pytest.fixture(scope="module")
def quiet_numbers(profiles):
    """2,000 windows of a number, with some nulls, that is distributed as ever."""
    rng = np.random.default_rng(11)
    baseline = np.where(rng.random(20_000) < 0.1, np.nan, rng.normal(size=20_000))
    bins = profiles.bins(baseline)
    before = profiles.numbers(baseline, bins)
    windows = np.where(rng.random((WINDOWS, 150)) < 0.1, np.nan, rng.normal(size=(WINDOWS, 150)))
    return [Change(profiles.numbers(window, bins), before, seed=seed) for seed, window in enumerate(windows)]


@pytest.mark.parametrize(
    ("metric", "method", "windows"),
    [
        ("population_stability_index", "closed form", WINDOWS),
        ("jensen_shannon_distance", "simulation", WINDOWS),
        ("normalized_wasserstein_distance", "simulation", WINDOWS // 2),
        ("pearsons_chi_squared_test", "closed form", WINDOWS),
    ],
)
def test_without_drift_one_p_value_in_twenty_is_below_a_twentieth(metric, method, windows, quiet_numbers):
    found = [measured(metric, change) for change in quiet_numbers[:windows]]
    assert {each.details["p_value_method"] for each in found} == {method}
    assert 0.03 < share_below([each.p_value for each in found]) < 0.07
    if METRICS[metric].bad == "higher":
        assert 0.03 < np.mean([each.value > each.expected_p95 for each in found]) < 0.07


@pytest.mark.parametrize("metric", ["population_stability_index", "hellinger_distance", "pearsons_chi_squared_test"])
def test_rare_categories_do_not_spoil_p_values(metric, profiles):
    rng = np.random.default_rng(12)
    names = [f"c{i}" for i in range(30)]
    common = 0.8 ** np.arange(30)
    rows = rng.choice(names, (WINDOWS // 4, 80), p=common / common.sum())
    bins = profiles.vocabulary(names)
    before = profiles.categories(rng.choice(names, 5_000, p=common / common.sum()).tolist(), bins)
    p_values = [
        measured(metric, Change(profiles.categories(row.tolist(), bins), before, seed=seed)).p_value
        for seed, row in enumerate(rows)
    ]
    assert 0.02 < share_below(p_values) < 0.08


@pytest.mark.parametrize("cells", [4, 60])
def test_bins_that_are_empty_on_both_sides_do_not_count(cells, profiles):
    """Nothing can be drawn from them, so 50 unused categories must not make a p-value better or worse."""
    rng = np.random.default_rng(13)
    bins = profiles.vocabulary([f"c{i}" for i in range(cells)])
    p_values = [
        measured("population_stability_index", Change(now, before)).p_value
        for now, before in (
            (
                profiles.categories(rng.choice(bins.categories[:4], 400).tolist(), bins),
                profiles.categories(rng.choice(bins.categories[:4], 4_000).tolist(), bins),
            )
            for _ in range(500)
        )
    ]
    assert 0.02 < share_below(p_values) < 0.08


def test_few_expected_rows_are_simulated_instead(profiles):
    found = measured("population_stability_index", profiles.change(np.arange(20.0), np.arange(500.0)))
    assert found.details["p_value_method"] == "simulation"


def test_the_same_seed_gives_the_same_evidence(profiles):
    rng = np.random.default_rng(14)
    now, before = rng.normal(size=60), rng.normal(size=200)
    js = "jensen_shannon_distance"
    p_values = [measured(js, profiles.change(now, before, seed=seed)).p_value for seed in (1, 1, 2, 3, 4)]
    assert p_values[0] == p_values[1]
    assert len(set(p_values)) > 1


def test_a_simulated_p_value_is_never_zero():
    assert of_draws(9.0, np.zeros(DRAWS)).p_value == 1 / 501
    assert of_draws(0.0, np.zeros(DRAWS)).p_value == 1.0


def test_equal_values_are_equal_despite_their_last_digits():
    assert of_draws(0.1 + 0.2, np.full(DRAWS, 0.3)).p_value == 1.0


def test_q_values_are_scipys():
    rng = np.random.default_rng(15)
    p_values = [*rng.random(20).tolist(), 0.001, 0.001, 0.0, 1.0]
    assert q_values(p_values) == pytest.approx(stats.false_discovery_control(p_values).tolist())


def test_groups_without_a_p_value_take_no_part():
    assert q_values([None, 0.01, None, 0.02]) == [None, pytest.approx(0.02), None, pytest.approx(0.02)]
    assert q_values([None]) == [None]
    assert q_values([]) == []
