"""Which number would a person write between these two?"""

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal
from math import inf, isfinite, nextafter

__all__ = ["short_numbers"]

FEWEST_DIGITS, MOST_DIGITS = 2, 16


def short_numbers(low: float, high: float, *, strict: bool) -> Iterator[float]:
    """Numbers of the gap, from two digits on, each as close above `low` as so many digits allow; then its bounds.

    Args:
        low: where the gap begins; finite.
        high: where it ends; may be infinite.
        strict: the gap is ``low <= number < high``, as a threshold must be that `high` crosses by being greater;
            otherwise ``low < number <= high``, for greater or equal.
    """
    exact = Decimal(repr(low))
    for digits in range(FEWEST_DIGITS, MOST_DIGITS + 1):
        unit = _unit(exact, digits)
        number = (exact / unit).to_integral_value(ROUND_CEILING) * unit
        found = float(number if strict or float(number) > low else number + unit)
        if (low <= found < high) if strict else (low < found <= high):
            yield found
    beyond = max(float(exact + _unit(exact, FEWEST_DIGITS)), nextafter(low, inf))
    yield low + (high - low) / 2 if isfinite(high) else beyond
    yield low if strict else high


def _unit(number: Decimal, digits: int) -> Decimal:
    return Decimal(1).scaleb(number.adjusted() - digits + 1)
