"""Drift measured from profiles beside scipy's answer on raw rows: the checks of metrics.md, section 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance

from signals.binning import Binning, BinningMethod
from signals.bins import ValueType
from signals.change import Change
from signals.measurement import Measurement, Undefined
from signals.metrics import METRICS

ROWS = 100_000

SHAPES = {
    "normal": lambda rng, n: rng.normal(size=n),
    "log-normal": lambda rng, n: rng.lognormal(0.0, 1.0, n),
    "heavy log-normal": lambda rng, n: rng.lognormal(0.0, 2.5, n),
    "exponential": lambda rng, n: rng.exponential(size=n),
    "bimodal": lambda rng, n: rng.normal(size=n) + 8.0 * (rng.random(n) < 0.4),
    "zero-inflated": lambda rng, n: rng.exponential(size=n) * (rng.random(n) > 0.7),
    "t(3)": lambda rng, n: rng.standard_t(3, n),
    "integer": lambda rng, n: rng.poisson(40, n).astype(float),
    "calendar year": lambda rng, n: rng.integers(1990, 2025, n).astype(float),
}
WHOLE = {"integer", "calendar year"}
DRIFTS = {"calendar year": lambda x: np.minimum(x + 2, 2024), "integer": lambda x: x + 1}


def measured(name: str, change: Change) -> Any:
    """The measurement; `Any`, because its evidence is there for every metric of drift."""
    result = METRICS[name].compute(change)
    assert isinstance(result, Measurement), result
    return result


@pytest.fixture(scope="module", params=[(shape, drift) for shape in SHAPES for drift in (False, True)], ids=str)
def samples(request, profiles):
    """A current and a baseline sample of the shape, and the change between them."""
    shape, drift = request.param
    rng = np.random.default_rng([len(shape), ord(shape[0])])
    baseline, current = SHAPES[shape](rng, ROWS), SHAPES[shape](rng, ROWS)
    if drift:
        current = DRIFTS.get(shape, lambda x: 1.1 * x)(current)
    value_type = ValueType.INTEGER if shape in WHOLE else ValueType.DOUBLE
    return current, baseline, profiles.change(current, baseline, value_type)


def test_the_gap_on_fine_cells_is_that_of_the_raw_rows(samples):
    current, baseline, change = samples
    raw = stats.ks_2samp(current, baseline).statistic
    found = measured("kolmogorov_smirnov_statistic", change)
    assert found.value == pytest.approx(raw, abs=0.001)
    assert found.value <= raw + 1e-12
    assert raw <= found.value + found.details["largest_cell_share"]


def test_wasserstein_over_cell_means_is_that_of_the_raw_rows(samples):
    current, baseline, change = samples
    raw = stats.wasserstein_distance(current, baseline) / baseline.std(ddof=1)
    assert measured("normalized_wasserstein_distance", change).value == pytest.approx(raw, abs=0.005)


def test_distances_from_the_same_bins_are_scipys(samples):
    current, baseline, change = samples
    edges = [-np.inf, *change.details["edges"], np.inf]
    c, b = (np.append(np.histogram(rows, edges)[0], 0) for rows in (current, baseline))  # and no nulls
    k = len(c)
    p, q = (c + 0.5) / (len(current) + k / 2), (b + 0.5) / (len(baseline) + k / 2)

    def value(name: str) -> float:
        return measured(name, change).value

    assert change.details["k"] == k
    assert value("population_stability_index") == pytest.approx(np.sum((p - q) * np.log(p / q)), abs=1e-12)
    assert value("kl_divergence") == pytest.approx(stats.entropy(p, q), abs=1e-12)
    assert value("jensen_shannon_distance") == pytest.approx(distance.jensenshannon(c, b, base=2), abs=1e-12)
    assert value("hellinger_distance") == pytest.approx(
        np.linalg.norm(np.sqrt(c / c.sum()) - np.sqrt(b / b.sum())) / np.sqrt(2), abs=1e-12
    )
    assert value("total_variation_distance") == pytest.approx(
        distance.minkowski(c / c.sum(), b / b.sum(), 1) / 2, abs=1e-12
    )
    assert value("chebyshev_distance") == pytest.approx(distance.chebyshev(c / c.sum(), b / b.sum()), abs=1e-12)
    chi = stats.chi2_contingency(np.array([c, b])[:, c + b > 0])
    found = measured("pearsons_chi_squared_test", change)
    assert found.value == pytest.approx(chi.pvalue, abs=1e-12)
    assert found.details["statistic"] == pytest.approx(chi.statistic, rel=1e-12)
    assert found.details["df"] == chi.dof


def test_terms_add_up_to_the_distance(samples):
    _, _, change = samples
    roots = {"jensen_shannon_distance", "hellinger_distance"}
    for name in ("population_stability_index", "kl_divergence", *roots, "total_variation_distance",
                 "kolmogorov_smirnov_statistic", "normalized_wasserstein_distance"):  # fmt: skip
        found = measured(name, change)
        total = sum(each.term for each in found.contributions)
        assert (np.sqrt(total) if name in roots else total) == pytest.approx(found.value, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("sizes", [(30, 40), (30, 5_000), (3_000, 500)])
def test_the_test_of_kolmogorov_and_smirnov_is_scipys_kstwo(sizes, profiles):
    n, m = sizes
    rng = np.random.default_rng(8)
    current, baseline = np.round(rng.normal(0.2, 5, n)), np.round(rng.normal(0.0, 5, m))  # gaps are at cells' edges
    change = profiles.change(current, baseline, ValueType.INTEGER)
    test = measured("two_sample_kolmogorov_smirnov_test", change)
    raw = stats.ks_2samp(current, baseline, method="asymp")
    assert test.details["statistic"] == pytest.approx(raw.statistic, abs=1e-12)
    assert test.value == pytest.approx(raw.pvalue, rel=1e-9)
    statistic = measured("kolmogorov_smirnov_statistic", change)
    assert statistic.p_value == test.value
    assert statistic.expected_p95 == pytest.approx(stats.kstwo.ppf(0.95, round(n * m / (n + m))), rel=1e-9)


def test_psi_in_closed_form_is_yurdakuls(profiles):
    rng = np.random.default_rng(9)
    n = 4_000
    found = measured("population_stability_index", profiles.change(rng.normal(size=n), rng.normal(size=n)))
    drawable = 10  # deciles; the bin of nulls is empty on both sides
    scale = 1 / n + 1 / n
    assert found.details["p_value_method"] == "closed form"
    assert found.p_value == pytest.approx(stats.chi2.sf(found.value / scale, drawable - 1), rel=1e-9)
    assert found.expected_p95 == pytest.approx(scale * stats.chi2.ppf(0.95, drawable - 1), rel=1e-9)


def test_wasserstein_is_in_standard_deviations_of_the_baseline_at_least_a_thousandth(profiles):
    moved = measured("normalized_wasserstein_distance", profiles.change(np.full(50, 7.002), np.full(80, 7.0)))
    assert moved.value == pytest.approx(2.0)
    assert moved.details["standard_deviation"] == 0.0


def test_infinite_values_have_a_place_in_the_gap_but_no_distance(profiles):
    change = profiles.change([1.0, np.inf, np.inf, 2.0], np.linspace(0, 3, 50))
    assert measured("kolmogorov_smirnov_statistic", change).value >= 0.5
    distance = METRICS["normalized_wasserstein_distance"].compute(change)
    assert distance == Undefined("in the window, 2 of 4 values are infinite")


@pytest.mark.parametrize("method", list(BinningMethod))
def test_nulls_are_a_bin_of_their_own_unless_dropped(method, profiles):
    rng = np.random.default_rng(10)
    now, before = rng.normal(size=1_000), rng.normal(size=1_000)
    now[:500] = np.nan
    binning = Binning(method, edges=(-1.0, 0.0, 1.0) if method is BinningMethod.EDGES else ())
    psi = "population_stability_index"
    counted = measured(psi, profiles.change(now, before, binning=binning))
    dropped = measured(psi, profiles.change(now, before, binning=binning, nulls="drop"))
    assert counted.contributions[0].bin == "null"
    assert (counted.rows, dropped.rows) == (1_000, 500)
    assert counted.details["k"] == dropped.details["k"] + 1
    assert counted.p_value < 0.001 < dropped.p_value
