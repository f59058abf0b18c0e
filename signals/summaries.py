"""What are a number's mean, spread, extremes and quantiles? Of non-null values; no direction of theirs is bad."""

from collections.abc import Callable

from signals.catalogue import Bad, Family, Kind, metric
from signals.measurement import Measurement, Undefined
from signals.moments import mean_of, standard_deviation_of, sum_of
from signals.profile import NumericProfile, Profile
from signals.quality import Column, beside_baseline, no_values, number
from signals.quantiles import quantile_of

__all__ = ["maximum", "mean", "minimum", "p50", "p95", "p99", "p99_9", "standard_deviation", "sum_of_values"]

NUMERICAL = frozenset({Kind.NUMERICAL})
INFINITY = float("inf")
ANY = (-INFINITY, INFINITY)


def summary(
    name: str, *aliases: str, source: str, range: tuple[float, float] = ANY
) -> Callable[[Callable[[Column], Measurement | Undefined]], Callable[[Column], Measurement | Undefined]]:
    """A metric in the column's own unit, of numbers only, without a bad direction."""
    return metric(
        name, aliases=aliases, family=Family.QUALITY, bad=Bad.NONE, unit="the column's", range=range, source=source,
        kinds=NUMERICAL,
    )  # fmt: skip


@summary("mean", "avg", source="numpy.mean")
def mean(column: Column) -> Measurement | Undefined:
    """The mean."""
    return _summarized(column, mean_of)


@summary("sum", source="numpy.sum")
def sum_of_values(column: Column) -> Measurement | Undefined:
    """The sum."""
    return _summarized(column, sum_of)


@summary("standard_deviation", "standardDeviation", source="numpy.std with ddof=1", range=(0.0, INFINITY))
def standard_deviation(column: Column) -> Measurement | Undefined:
    """The sample standard deviation."""
    return _summarized(column, standard_deviation_of)


@summary("minimum", source="numpy.min")
def minimum(column: Column) -> Measurement | Undefined:
    """The least value."""
    return _summarized(column, lambda profile: _extreme(profile, 0, profile.low))


@summary("maximum", source="numpy.max")
def maximum(column: Column) -> Measurement | Undefined:
    """The greatest value."""
    return _summarized(column, lambda profile: _extreme(profile, -1, profile.high))


@summary("p50", source="numpy.quantile")
def p50(column: Column) -> Measurement | Undefined:
    """The median, from fine cells; the exact one lies between the details' `low` and `high`."""
    return _quantile(column, 0.5)


@summary("p95", source="numpy.quantile")
def p95(column: Column) -> Measurement | Undefined:
    """The 95th percentile, from fine cells; the exact one lies between the details' `low` and `high`."""
    return _quantile(column, 0.95)


@summary("p99", source="numpy.quantile")
def p99(column: Column) -> Measurement | Undefined:
    """The 99th percentile, from fine cells; the exact one lies between the details' `low` and `high`."""
    return _quantile(column, 0.99)


@summary("p99_9", "p99.9", source="numpy.quantile")
def p99_9(column: Column) -> Measurement | Undefined:
    """The 99.9th percentile, from fine cells; the exact one lies between the details' `low` and `high`."""
    return _quantile(column, 0.999)


def _summarized(column: Column, formula: Callable[[NumericProfile], float | Undefined]) -> Measurement | Undefined:
    def measured(profile: Profile) -> Measurement | Undefined:
        if not isinstance(profile, NumericProfile):
            return Undefined("the values are categories, not numbers")
        value = formula(profile)
        return value if isinstance(value, Undefined) else number(value, profile.valid)

    return beside_baseline(column, measured)


def _extreme(profile: NumericProfile, outermost: int, value: float) -> float | Undefined:
    if profile.valid == 0:
        return no_values(profile)
    if profile.infinite and profile.counts[outermost]:  # the infinite ones may lie at this end
        return Undefined(f"{profile.infinite} of {profile.valid} values are infinite")
    return value


def _quantile(column: Column, share: float) -> Measurement | Undefined:
    def measured(profile: Profile) -> Measurement | Undefined:
        if not isinstance(profile, NumericProfile):
            return Undefined("the values are categories, not numbers")
        found = quantile_of(profile, share)
        if isinstance(found, Undefined):
            return found
        return number(found.value, profile.valid, low=found.low, high=found.high)

    return beside_baseline(column, measured)
