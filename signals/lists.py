"""How long are lists of strings?"""

import numpy as np

from signals.bins import SHORTEST
from signals.catalogue import Bad, Family, Kind, metric
from signals.measurement import Measurement, Undefined
from signals.moments import sum_of
from signals.profile import NumericProfile, Profile
from signals.quality import Column, beside_baseline, no_values, number

__all__ = ["average_string_list_length"]


@metric(
    "average_string_list_length", aliases=("averageStringListLength",), family=Family.QUALITY, bad=Bad.NONE,
    unit="strings", range=(1.0, float("inf")), kinds=frozenset({Kind.LIST}), source="Arize, data quality metrics",
)  # fmt: skip
def average_string_list_length(column: Column) -> Measurement | Undefined:
    """The mean length of the lists that are not empty; a null in a list counts."""
    return beside_baseline(column, _average_length)


def _average_length(profile: Profile) -> Measurement | Undefined:
    if not isinstance(profile, NumericProfile):
        return Undefined("the values are no lists of strings")
    if not profile.valid:
        return no_values(profile)
    shortest = int(np.searchsorted(profile.bins.edges, SHORTEST))
    filled = int(profile.counts[shortest + 1 :].sum())
    if not filled:
        return Undefined("all lists are empty")
    total = sum_of(profile)
    return total if isinstance(total, Undefined) else number(total / filled, filled, empty=profile.valid - filled)
