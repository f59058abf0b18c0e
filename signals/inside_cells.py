"""How do values lie inside a fine cell, of which only the mean and the bounds are known?

As the simplest curve that has both: the cell [a, b] with its mean in the lower half has the quantile function
a + (b − a)·u^g, whose mean is a + (b − a)/(g + 1); with its mean in the upper half, the same seen from b. A cell with a
single value, or with one row, is exact. All numbers are relative to the bins' center.
"""

import numpy as np
import numpy.typing as npt

from signals.bins import NumericBins, ValueType

__all__ = ["bounds_of_cells", "inside", "slice_means"]

Floats = npt.NDArray[np.float64]


def bounds_of_cells(bins: NumericBins, low: float, high: float) -> tuple[Floats, Floats]:
    """float64[cells] twice: the least and the greatest value that each cell can hold, not relative to the center.

    Args:
        bins: the cells.
        low: the least value there is; it bounds the open first cell.
        high: the greatest value there is.
    """
    least = np.concatenate(([-np.inf], bins.edges))
    with np.errstate(over="ignore"):  # before the least double is -inf
        greatest = np.concatenate((np.nextafter(bins.edges, -np.inf), [np.inf]))
    if bins.value_type is ValueType.INTEGER:
        least, greatest = np.ceil(least), np.floor(greatest)
    return np.maximum(least, low), np.minimum(greatest, high)


def inside(low: Floats, high: Floats, mean: Floats, along: Floats) -> Floats:
    """The values at a share of the way through their cells' rows.

    Args:
        low: the cells' lower bounds, float64[n].
        high: their upper bounds.
        mean: their means.
        along: the shares, in (0, 1): 0.5 is a cell's median.
    """
    from_low, exponent = _curve(low, high, mean)
    with np.errstate(over="ignore"):
        width = high - low
    return np.where(from_low, low + width * along**exponent, high - width * (1 - along) ** exponent)


def slice_means(low: Floats, high: Floats, mean: Floats, start: Floats, end: Floats) -> Floats:
    """The means of slices of cells: of their rows between the shares `start` and `end`.

    The means of slices that make up a cell average to its mean.
    """
    from_low, exponent = _curve(low, high, mean)

    def power_mean(start: Floats, end: Floats) -> Floats:
        return (end ** (exponent + 1) - start ** (exponent + 1)) / ((exponent + 1) * (end - start))

    width = high - low
    return np.where(from_low, low + width * power_mean(start, end), high - width * power_mean(1 - end, 1 - start))


def _curve(low: Floats, high: Floats, mean: Floats) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Whether the curve starts at the cell's lower bound, and its exponent g >= 1."""
    with np.errstate(all="ignore"):
        along = (mean - low) / (high - low)
    # A mean on a bound means that all values are there; rounding may put it a little outside.
    along = np.clip(np.nan_to_num(along, nan=0.5), 1e-9, 1 - 1e-9)
    return along <= 0.5, 1 / np.minimum(along, 1 - along) - 1
