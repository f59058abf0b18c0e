from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.bins import ValueType
from signals.catalogue import Bad, Family, Kind, find_metric, metrics_of
from signals.distinct import Distinct
from signals.measurement import Measurement, Undefined
from signals.metrics import METRICS
from signals.quality import Column, Dataset

QUALITY = metrics_of(Family.QUALITY)
OF_NUMBERS = [each for each in QUALITY if Kind.NUMERICAL in each.kinds]
RATES = ("null_value_rate", "data_type_error_rate", "out_of_bounds_rate")
NAN = math.nan


def measured(name: str, subject: Column | Dataset) -> Measurement:
    result = METRICS[name].compute(subject)
    assert isinstance(result, Measurement), result
    return result


def value(name: str, subject: Column | Dataset) -> float:
    return measured(name, subject).value


def reason(name: str, column: Column | Dataset) -> str:
    result = METRICS[name].compute(column)
    assert isinstance(result, Undefined), result
    return result.reason


@pytest.fixture
def numbers(profiles):
    """Makes the column of a number whose baseline is 0, 1, ..., 9."""
    bins = profiles.bins(np.arange(10.0))

    def column(values: list[float], unreadable: int = 0) -> Column:
        return Column(profiles.numbers(values, bins, unreadable), profiles.numbers(np.arange(10.0), bins))

    return column


@pytest.fixture
def categories(profiles):
    """Makes the column of a category whose baseline is a, a, a, b, c."""
    bins = profiles.vocabulary(["a", "b", "c"])

    def column(values: list[str | None], baseline: str = "aaabc") -> Column:
        return Column(profiles.categories(values, bins), profiles.categories(list(baseline), bins))

    return column


def test_the_catalogue_has_exactly_the_quality_metrics_that_are_defined():
    assert {each.name for each in metrics_of(Family.QUALITY, Family.DATASET)} == {
        "null_value_rate", "percent_empty", "data_type_error_rate", "out_of_bounds_rate", "row_count", "cardinality",
        "new_values", "missing_values", "mean", "sum", "standard_deviation", "minimum", "maximum", "p50", "p95", "p99",
        "p99_9", "duplicate_rate", "freshness_seconds", "average_string_list_length",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("NullValueRate", "null_value_rate"), ("percentEmpty", "percent_empty"), ("count", "row_count"),
        ("DataTypeErrorRate", "data_type_error_rate"), ("OutOfBoundsRate", "out_of_bounds_rate"), ("avg", "mean"),
        ("newValues", "new_values"), ("missingValues", "missing_values"), ("standardDeviation", "standard_deviation"),
        ("p99.9", "p99_9"), ("psi", "population_stability_index"), ("js", "jensen_shannon_distance"),
        ("kl", "kl_divergence"), ("ks", "kolmogorov_smirnov_statistic"),
        ("chi_squared_test", "pearsons_chi_squared_test"), ("PearsonsChiSquaredTest", "pearsons_chi_squared_test"),
        ("TwoSampleKolmogorovSmirnovTest", "two_sample_kolmogorov_smirnov_test"),
    ],
)  # fmt: skip
def test_metrics_answer_to_their_aliases(alias, name):
    found = find_metric(alias)
    assert found is not None
    assert found.name == name


def test_a_number_that_describes_has_no_bad_direction_and_one_that_complains_has():
    described = {each.name for each in QUALITY if each.bad is Bad.NONE}
    assert described == {
        "mean", "sum", "standard_deviation", "minimum", "maximum", "p50", "p95", "p99", "p99_9",
        "average_string_list_length",
    }  # fmt: skip
    assert METRICS["row_count"].bad is Bad.LOWER


# ------------------------------------------------------------------------------------------------------------- rates


def test_nulls_and_nans_are_counted_together_and_told_apart(numbers):
    column = numbers([1.0, NAN, NAN, 2.0])
    column = replace(column, current=replace(column.current, nulls=1, nans=1))
    result = measured("null_value_rate", column)
    assert result.value == 0.5
    assert (result.details["nulls"], result.details["nans"]) == (1, 1)
    assert value("percent_empty", column) == 50.0


def test_what_cannot_be_read_is_no_null(numbers):
    column = numbers([1.0, NAN, 2.0], unreadable=2)
    assert value("null_value_rate", column) == 0.2
    assert value("data_type_error_rate", column) == 0.5


def test_bounds_are_inside(numbers):
    result = measured("out_of_bounds_rate", numbers([0.0, 9.0, -1e-300, math.nextafter(9, 10), math.inf, NAN]))
    assert result.value == 3 / 5
    assert (result.details["below"], result.details["above"]) == (1, 2)


@pytest.mark.parametrize("value_type", [ValueType.INTEGER, ValueType.DOUBLE])
@pytest.mark.parametrize("edges", [(), (-50.0, 9.25, 9.5, 50.0)])
def test_bounds_are_exact_whatever_edges_lie_beside_them(value_type, edges, profiles):
    bins = profiles.bins(np.arange(10.0), value_type, edges)
    column = Column(profiles.numbers([-60.0, -1.0, 0.0, 9.0, 10.0, 60.0], bins))
    assert value("out_of_bounds_rate", column) == pytest.approx(4 / 6)


def test_a_category_is_out_of_bounds_when_the_baseline_never_had_it(categories):
    assert value("out_of_bounds_rate", categories(["a", "a, b", "new", None])) == pytest.approx(2 / 3)


def test_rates_carry_the_baselines(numbers):
    for name in RATES:
        assert measured(name, numbers([1.0])).details["baseline_value"] == 0.0
    baseline = replace(numbers([1.0]).baseline, rows=20, nulls=10)
    result = measured("percent_empty", replace(numbers([1.0]), baseline=baseline))
    assert result.details["baseline_value"] == 50.0
    assert result.baseline_rows == 20


def test_without_a_baseline_there_is_no_baseline_value(numbers):
    result = measured("null_value_rate", Column(numbers([1.0]).current))
    assert "baseline_value" not in result.details
    assert result.baseline_rows is None


def test_a_vocabulary_that_is_not_complete_has_no_outside(profiles):
    bins = profiles.vocabulary(["a", "b"], complete=False)
    column = Column(profiles.categories(["a", "z"], bins), profiles.categories(["a", "b", "c"], bins))
    for name in ("out_of_bounds_rate", "new_values", "missing_values"):
        assert "raise max_categories" in reason(name, column)


def test_a_baseline_without_values_has_no_bounds(profiles):
    numbers, names = profiles.bins([NAN]), profiles.vocabulary([])
    assert "no bounds" in reason("out_of_bounds_rate", Column(profiles.numbers([1.0], numbers)))
    assert "no set of categories" in reason("out_of_bounds_rate", Column(profiles.categories(["a"], names)))


# -------------------------------------------------------------------------------------------------------- categories


def test_new_and_missing_values_are_counted_and_named(categories):
    column = categories(["a", "x", "x", "y", None])
    new, missing = (measured(name, column) for name in ("new_values", "missing_values"))
    assert (new.value, new.details["values"]) == (2.0, ["x", "y"])
    assert (missing.value, missing.details["values"]) == (2.0, ["b", "c"])


def test_a_moving_baseline_knows_values_that_the_frozen_vocabulary_does_not(categories):
    column = categories(["a", "b", "x", "y"], baseline="aacx")
    new, missing = (measured(name, column) for name in ("new_values", "missing_values"))
    assert set(new.details["values"]) == {"b", "y"}
    assert missing.details["values"] == ["c"]


def test_cardinality_counts_what_is_in_the_vocabulary_and_what_is_not(categories):
    assert value("cardinality", categories(["a", "a", "b", "x", None])) == 3.0
    assert measured("cardinality", categories(["a", "x"])).details["exact"] is True


def test_cardinality_says_when_it_is_an_estimate(categories, numbers):
    many = Distinct.of(map(str, range(5_000)))
    column = categories(["a", "x"])
    result = measured("cardinality", replace(column, current=replace(column.current, distinct=many)))
    assert result.value == pytest.approx(5_001, rel=0.05)
    assert result.details["exact"] is False
    assert reason("cardinality", numbers([1.0])) == "distinct values were not counted"


# --------------------------------------------------------------------------------------------------------- summaries


@pytest.mark.parametrize("value_type", [ValueType.DOUBLE, ValueType.INTEGER])
@pytest.mark.parametrize("rows", [1, 2, 7, 20_000])
def test_summaries_are_numpys_or_close_by(value_type, rows, profiles):
    rng = np.random.default_rng(rows)
    baseline, x = rng.normal(1e9, 900, 3_000), rng.normal(1e9 + 50, 1_000, rows)
    if value_type is ValueType.INTEGER:
        baseline, x = np.round(baseline), np.round(x)
    column = Column(profiles.numbers(x, profiles.bins(baseline, value_type)))
    assert value("mean", column) == pytest.approx(x.mean(), rel=1e-12)
    assert value("sum", column) == pytest.approx(x.sum(), rel=1e-12)
    assert (value("minimum", column), value("maximum", column)) == (x.min(), x.max())
    if rows > 1:
        assert value("standard_deviation", column) == pytest.approx(x.std(ddof=1), rel=1e-6)
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("p99_9", 0.999)):
        result = measured(name, column)
        assert result.value == pytest.approx(np.quantile(x, share), abs=80)
        assert result.details["low"] - 1e-6 <= np.quantile(x, share) <= result.details["high"] + 1e-6


@settings(max_examples=60)
@given(
    values=st.lists(st.floats(-1e6, 1e6) | st.integers(-2, 2).map(float), min_size=1, max_size=60),
    share=st.sampled_from([0.5, 0.95, 0.99, 0.999]),
)
def test_a_quantile_lies_between_its_bounds_and_so_does_the_exact_one(values, share, profiles):
    name = {0.5: "p50", 0.95: "p95", 0.99: "p99", 0.999: "p99_9"}[share]
    result = measured(name, Column(profiles.numbers(values, profiles.bins(values))))
    slack = 1e-9 * (1 + max(map(abs, values)))
    for quantile in (result.value, np.quantile(values, share)):
        assert result.details["low"] - slack <= quantile <= result.details["high"] + slack


def test_a_quantile_inside_a_cell_follows_the_cells_mean(profiles):
    """Spread evenly over the cell [0, 100] the median would be 50."""
    x = np.random.default_rng(3).exponential(5.0, 4_000)
    x = x[x < 100]
    one_cell = profiles.bins([0.0, 100.0])
    assert value("p50", Column(profiles.numbers(x, one_cell))) == pytest.approx(np.median(x), abs=3.5)


def test_the_spread_of_a_constant_is_zero_to_the_last_digit(numbers):
    assert value("standard_deviation", numbers([0.1 + 1e9] * 1_000)) == 0.0
    assert reason("standard_deviation", numbers([1.0])) == "one value has no standard deviation"


def test_infinite_values_leave_only_what_does_not_depend_on_them(numbers):
    column = numbers([1.0, 2.0, 3.0, math.inf])
    for name in ("mean", "sum", "standard_deviation", "maximum", "p99"):
        assert "1 of 4 values are infinite" in reason(name, column)
    assert value("minimum", column) == 1.0
    assert value("p50", column) == pytest.approx(2.5)


def test_sums_that_no_float_can_hold_are_reasons(profiles):
    with np.errstate(over="ignore"):
        column = Column(profiles.numbers([1.7e308, 1.6e308, 1e308], profiles.bins([0.0, 1.0])))
    for name in ("mean", "sum", "standard_deviation"):
        assert "too large" in reason(name, column)
    assert value("maximum", column) == 1.7e308


@pytest.mark.parametrize("metric", QUALITY, ids=lambda metric: metric.name)
@pytest.mark.parametrize("rows", [0, 3])
def test_without_values_a_metric_has_a_reason_or_counts_them(metric, rows, profiles, categories):
    bins = profiles.bins([1.0, 2.0])
    for column, kind in (
        (Column(profiles.numbers([NAN] * rows, bins), profiles.numbers([1.0], bins)), Kind.NUMERICAL),
        (categories([None] * rows), Kind.CATEGORICAL),
    ):
        result = metric.compute(column)
        if isinstance(result, Undefined):
            assert result.reason
        else:
            assert kind in metric.kinds
            assert rows > 0
            assert math.isfinite(result.value)


@pytest.mark.parametrize("metric", OF_NUMBERS, ids=lambda metric: metric.name)
@settings(max_examples=15)
@given(values=st.lists(st.floats(-1.7e308, 1.7e308) | st.sampled_from([NAN, math.inf, -math.inf]), max_size=20))
def test_any_numbers_have_a_finite_value_or_a_reason(metric, profiles, values):
    with np.errstate(over="ignore", invalid="ignore"):  # in the plain counting of this test
        bins = profiles.bins([-1.0, 0.0, 5.0])
        column = Column(profiles.numbers(values, bins), profiles.numbers([1.0], bins))
    result = metric.compute(column)
    if isinstance(result, Measurement):
        assert metric.range[0] <= result.value <= metric.range[1]
        assert math.isfinite(result.value)


@pytest.mark.parametrize("metric", QUALITY, ids=lambda metric: metric.name)
def test_days_added_up_measure_like_all_their_rows_at_once(metric, profiles):
    rng = np.random.default_rng(5)
    days = [rng.normal(size=40), np.append(rng.normal(size=40), NAN)]
    bins = profiles.bins(rng.normal(size=500))
    added = profiles.numbers(days[0], bins) + profiles.numbers(days[1], bins)
    one, whole = (metric.compute(Column(each)) for each in (added, profiles.numbers(np.concatenate(days), bins)))
    if isinstance(whole, Measurement):
        assert one.value == pytest.approx(whole.value, rel=1e-9)
    else:
        assert one == whole


# ---------------------------------------------------------------------------------------------------------- datasets

END = datetime(2013, 7, 2, tzinfo=UTC)
JULY = Dataset(rows=100, baseline_rows=90, duplicate_ids=5, ids=80, latest=END - timedelta(minutes=2), window_end=END)


def test_rows_are_counted_beside_the_baselines():
    result = measured("row_count", JULY)
    assert (result.value, result.details["baseline_value"]) == (100.0, 90.0)


def test_no_rows_are_a_count_too():
    assert value("row_count", replace(JULY, rows=0)) == 0.0
    assert reason("duplicate_rate", replace(JULY, rows=0)) == "there are no rows"


def test_duplicates_are_a_share_of_rows():
    assert value("duplicate_rate", JULY) == 0.05
    assert reason("duplicate_rate", replace(JULY, duplicate_ids=None)) == "the data has no correlation id"


def test_freshness_is_how_long_before_the_windows_end_the_latest_row_is():
    assert value("freshness_seconds", JULY) == 120.0
    assert reason("freshness_seconds", replace(JULY, latest=None)) == "no row has a timestamp"
