"""What is left of a profile when the profiles of some of its rows are taken away?"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from signals.profile import CategoricalProfile, NumericProfile, Profile, VectorProfile, sum_profiles

__all__ = ["remainder"]


def remainder(whole: Profile, parts: Sequence[Profile]) -> Profile:
    """The profile of the rows that are in none of the parts, as far as a difference tells it.

    Its least and greatest value are the whole's, which bound them; its distinct values are not known.

    Args:
        whole: the profile of all rows.
        parts: profiles of some of these rows, none of them twice.

    Raises:
        ValueError: when the parts have more rows than the whole: they are not of the same rows, or of other bins.
    """
    if not parts:
        return whole
    taken = sum_profiles(parts)
    if whole.bins.id != taken.bins.id:
        raise ValueError(f"profiles of different bins do not subtract: {whole.bins.id} and {taken.bins.id}")
    left = replace(
        whole,
        rows=whole.rows - taken.rows,
        nulls=whole.nulls - taken.nulls,
        nans=whole.nans - taken.nans,
        unreadable=whole.unreadable - taken.unreadable,
        counts=whole.counts - taken.counts,
        distinct=None,
    )
    if min(left.rows, left.absent, int(left.counts.min())) < 0:
        raise ValueError("parts of a profile are not of its rows")
    if isinstance(left, NumericProfile) and isinstance(taken, NumericProfile):
        return _numbers(left, taken)
    if isinstance(left, CategoricalProfile) and isinstance(taken, CategoricalProfile):
        return _categories(left, taken)
    if isinstance(left, VectorProfile) and isinstance(taken, VectorProfile):
        return _vectors(left, taken)
    raise AssertionError("profiles of the same bins are of one kind")


def _categories(left: CategoricalProfile, taken: CategoricalProfile) -> CategoricalProfile:
    rest = {value: count - taken.unseen.get(value, 0) for value, count in left.unseen.items()}
    return replace(left, unseen={value: count for value, count in rest.items() if count > 0})


def _numbers(left: NumericProfile, taken: NumericProfile) -> NumericProfile:
    if not left.valid:
        tally = {name: getattr(left, name) for name in ("rows", "nulls", "nans", "unreadable")}
        return replace(NumericProfile.empty(left.bins), **tally)
    with np.errstate(over="ignore", invalid="ignore"):  # sums that are no numbers have no difference either
        sums = np.where(left.counts > 0, left.sums - taken.sums, 0.0)
    squares = max(0.0, left.squares - taken.squares)
    return replace(left, sums=sums, squares=squares, infinite=left.infinite - taken.infinite)


def _vectors(left: VectorProfile, taken: VectorProfile) -> VectorProfile:
    if not left.valid:
        return replace(left, sums=np.zeros(left.bins.sums), squares=0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        return replace(left, sums=left.sums - taken.sums, squares=max(0.0, left.squares - taken.squares))
