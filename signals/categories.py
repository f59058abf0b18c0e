"""How many different values are there, which are new, and which have gone?"""

from signals.catalogue import Bad, Family, Kind, metric
from signals.measurement import Measurement, Undefined
from signals.profile import CategoricalProfile, Profile, most_frequent
from signals.quality import NO_ROWS, Column, beside_baseline, number, unnamed_categories

__all__ = ["cardinality", "missing_values", "new_values"]

CATEGORICAL = frozenset({Kind.CATEGORICAL})
NAMED = 20
"""How many new or missing values are named in the details."""
INFINITY = float("inf")


@metric(
    "cardinality", family=Family.QUALITY, bad=Bad.HIGHER, unit="values", range=(0.0, INFINITY),
    source="Flajolet et al., HyperLogLog, 2007",
)  # fmt: skip
def cardinality(column: Column) -> Measurement | Undefined:
    """The number of distinct non-null values; exact while they are few, which the details tell."""
    return beside_baseline(column, _cardinality)


@metric(
    "new_values", aliases=("newValues",), family=Family.QUALITY, bad=Bad.HIGHER, unit="values", kinds=CATEGORICAL,
    range=(0.0, INFINITY), source="Arize, data quality metrics",
)  # fmt: skip
def new_values(column: Column) -> Measurement | Undefined:
    """The number of distinct values that are present now and absent from the baseline."""
    pair = _comparable(column)
    if isinstance(pair, Undefined):
        return pair
    current, baseline = pair
    known = _present(baseline)
    returned = [category for category in _present(current) if category not in known]
    outside = _outside(current, baseline)
    if isinstance(outside, Undefined):
        return outside
    count, names, exact = outside
    return _counted(column, count + len(returned), [*names, *returned], exact=exact)


@metric(
    "missing_values", aliases=("missingValues",), family=Family.QUALITY, bad=Bad.HIGHER, unit="values",
    kinds=CATEGORICAL, range=(0.0, INFINITY), source="Arize, data quality metrics",
)  # fmt: skip
def missing_values(column: Column) -> Measurement | Undefined:
    """The number of distinct values of the baseline that are absent now."""
    pair = _comparable(column)
    if isinstance(pair, Undefined):
        return pair
    current, baseline = pair
    seen = _present(current)
    gone = [category for category in _present(baseline) if category not in seen]
    outside = _outside(baseline, current)
    if isinstance(outside, Undefined):
        return outside
    count, names, exact = outside
    return _counted(column, count + len(gone), [*gone, *names], exact=exact)


def _cardinality(profile: Profile) -> Measurement | Undefined:
    if profile.rows == 0:
        return NO_ROWS
    listed = len(_present(profile)) if isinstance(profile, CategoricalProfile) else 0
    if listed and not profile.counts[-1]:
        return number(listed, profile.rows, exact=True)
    if profile.distinct is None:
        return Undefined("distinct values were not counted")
    return number(listed + profile.distinct.count, profile.rows, exact=profile.distinct.exact)


def _comparable(column: Column) -> tuple[CategoricalProfile, CategoricalProfile] | Undefined:
    """The profiles of the window and the baseline, or why their values cannot be compared by name."""
    current, baseline = column.current, column.baseline
    if not isinstance(current, CategoricalProfile):
        return Undefined("the values are numbers, which are not known by name")
    if not isinstance(baseline, CategoricalProfile) or baseline.rows == 0:
        return Undefined("the baseline has no rows")
    if current.rows == 0:
        return NO_ROWS
    if not current.bins.complete:
        return unnamed_categories(current.bins)
    return current, baseline


def _present(profile: CategoricalProfile) -> dict[str, None]:
    """The categories of the vocabulary that occur, most frequent in the vocabulary first."""
    return {
        category: None
        for category, count in zip(profile.bins.categories, profile.counts.tolist(), strict=False)
        if count
    }


def _outside(here: CategoricalProfile, there: CategoricalProfile) -> tuple[int, list[str], bool] | Undefined:
    """How many values outside the vocabulary occur here and not there, the most frequent by name, and if exactly."""
    if not here.counts[-1]:
        return 0, [], True
    if here.distinct is None:
        return Undefined("distinct values were not counted")
    frequent = list(most_frequent(here.unseen, len(here.unseen)))
    if not there.counts[-1]:
        return here.distinct.count, frequent, here.distinct.exact
    if there.distinct is None or not (here.distinct.exact and there.distinct.exact):
        return Undefined(
            "too many values are outside the vocabulary, here and in the baseline, to compare them by name"
        )
    only = here.distinct.values - there.distinct.values
    return len(only), [value for value in frequent if value in only], True


def _counted(column: Column, count: int, names: list[str], *, exact: bool) -> Measurement | Undefined:
    result = number(count, column.current.rows, values=names[:NAMED], exact=exact)
    assert column.baseline is not None
    if isinstance(result, Undefined):
        return result
    return Measurement(result.value, result.rows, column.baseline.rows, details=result.details)
