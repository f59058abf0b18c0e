"""Between which instants do rows lie, and which windows may hold some of them?"""

import math
from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.instants import instant_of
from engine.windows import Window
from signals.timestamps import PER_MICROSECOND, UNDATED, TimeFormat, read_instants

__all__ = [
    "Stretch", "contained", "overlapping", "rows_with_any", "stretches_between", "stretches_in", "stretches_of",
]  # fmt: skip

Stretch = tuple[int, int]
"""Microseconds since 1970 UTC, both ends included."""

FARTHEST = 2**62
"""Microseconds, 146,000 years: further than any window reaches."""
Mask = npt.NDArray[np.bool_]


def stretches_between(low: object, high: object, form: TimeFormat, cut_off: int = 0) -> list[Stretch] | None:
    """Where timestamps from `low` to `high` may lie, as `read_instants` reads them; None where that is not certain.

    Whole numbers of an undeclared format may be seconds or milliseconds: a stretch for each.

    Args:
        low: the least timestamp as a Python object.
        high: the greatest.
        form: how they are written.
        cut_off: microseconds that `high` may have lost.
    """
    if isinstance(low, date) and isinstance(high, date):  # a datetime is a date
        return _dated(low, high, cut_off)
    if not isinstance(low, int | float) or not isinstance(high, int | float) or isinstance(low, bool):
        return None  # texts are not in the order of time where they carry offsets
    forms = tuple(PER_MICROSECOND) if form is TimeFormat.AUTO else (form,)
    if not PER_MICROSECOND.keys() >= {*forms} or not (math.isfinite(low) and math.isfinite(high)):
        return None
    return [(_micros(low, each), _micros(high, each)) for each in forms]


def stretches_of(value: pa.Scalar, form: TimeFormat) -> list[Stretch]:
    """Where the rows of a partition lie whose timestamp is this one value; nowhere where it cannot be read."""
    plain = value.as_py()
    found = stretches_between(plain, plain, form) if isinstance(plain, int | float) else None
    if found is not None:
        return found
    instant = int(read_instants(pa.array([plain], value.type), form)[0])
    return [] if instant == UNDATED else [(instant, instant)]


def stretches_in(window: Window | None) -> list[Stretch] | None:
    """A window as a stretch; None for None."""
    return None if window is None else [(instant_of(window.start), instant_of(window.end) - 1)]


def overlapping(pieces: Sequence[Sequence[Stretch] | None], windows: Sequence[Window]) -> Mask:
    """bool[pieces, windows]: whether a piece may have rows in a window; one of which nothing is known may."""
    owner = np.repeat(np.arange(len(pieces)), [0 if each is None else len(each) for each in pieces])
    low, high = _ends([stretch for each in pieces if each is not None for stretch in each])
    start, end = _ends([(instant_of(window.start), instant_of(window.end)) for window in windows])
    found = np.zeros((len(pieces), len(windows)), np.bool_)
    np.logical_or.at(found, owner, (low[:, None] < end) & (high[:, None] >= start))
    found[[place for place, each in enumerate(pieces) if each is None]] = True
    return found


def contained(pieces: Sequence[Sequence[Stretch] | None], windows: Sequence[Window]) -> Mask:
    """bool[pieces, windows]: whether all rows of a piece certainly lie in a window."""
    found = np.zeros((len(pieces), len(windows)), np.bool_)
    one = [place for place, each in enumerate(pieces) if each is not None and len(each) == 1]
    low, high = _ends([each[0] for each in pieces if each is not None and len(each) == 1])
    start, end = _ends([(instant_of(window.start), instant_of(window.end)) for window in windows])
    found[one] = (low[:, None] >= start) & (high[:, None] < end)
    return found


def rows_with_any(mask: Mask) -> list[int]:
    """The rows of bool[n, m] in which anything is true."""
    return np.flatnonzero(np.any(mask, axis=1)).tolist()


def _ends(pairs: Sequence[Stretch]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    array = np.array(pairs, np.int64).reshape(-1, 2)
    return array[:, 0], array[:, 1]


def _dated(low: date, high: date, cut_off: int) -> list[Stretch] | None:
    try:
        first, last = (int(read_instants(pa.array([moment]), TimeFormat.AUTO)[0]) for moment in (low, high))
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return None
    return None if UNDATED in (first, last) else [(first, last + cut_off)]


def _micros(number: int | float, form: TimeFormat) -> int:
    factor = PER_MICROSECOND[form]
    if isinstance(number, float):
        instant = round(min(max(number * factor, -FARTHEST), FARTHEST))
    elif factor >= 1:
        instant = number * int(factor)
    else:
        instant = abs(number) // int(1 / factor) * (1 if number >= 0 else -1)
    return min(max(instant, -FARTHEST), FARTHEST)
