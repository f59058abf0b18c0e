"""May rows within these bounds satisfy a condition? Yes, unless it is certain that none does."""

import math
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa

from signals.bins import ValueType
from signals.conditions import NEED_ORDER, NUMERIC, TEMPORAL, Condition, FilterOperator, moment_of, number_of, truth_of
from signals.values import read_numbers

__all__ = ["may_satisfy"]

Number = int | float
Between = Callable[[Number, Number, Number], bool]

BETWEEN: dict[FilterOperator, Between] = {
    FilterOperator.EQUALS: lambda low, high, bound: low <= bound <= high,
    FilterOperator.IN: lambda low, high, bound: low <= bound <= high,
    FilterOperator.GREATER_THAN: lambda _, high, bound: high > bound,
    FilterOperator.GREATER_THAN_OR_EQUAL: lambda _, high, bound: high >= bound,
    FilterOperator.LESS_THAN: lambda low, _, bound: low < bound,
    FilterOperator.LESS_THAN_OR_EQUAL: lambda low, _, bound: low <= bound,
}
"""Whether any number from `low` to `high` stands so to the bound. Not here: `NOT_EQUALS`, as bounds say nothing of
nulls, which satisfy it, and `CONTAINS`, as bounds say nothing of what lies between them."""


def may_satisfy(condition: Condition, low: object, high: object) -> bool:
    """Whether a value from `low` to `high` may satisfy the condition.

    Args:
        condition: what is asked.
        low: the least value as a Python object; None is unknown. Of a text it may be the beginning.
        high: the greatest, likewise.
    """
    between = BETWEEN.get(condition.operator)
    if between is None:
        return True
    if isinstance(low, str) and isinstance(high, str):
        as_text = condition.read_as in (None, ValueType.STRING) and condition.operator not in NEED_ORDER
        return not as_text or any(_may_be(value, low, high) for value in condition.values)
    if not condition.values:
        return True
    bounds = [_bound(condition, value, low) for value in condition.values]
    least, greatest = _number(low), _number(high)
    if least is None or greatest is None:
        return True
    return any(bound is None or _any_between(between, least, greatest, bound) for bound in bounds)


def _may_be(text: str, low: str, high: str) -> bool:
    # The least value may be longer than its beginning, and is then greater; the greatest too, and so is not less.
    return low <= text and (text <= high or text.startswith(high))


def _any_between(between: Between, low: Number, high: Number, bound: Number) -> bool:
    if between(low, high, bound):
        return True
    if isinstance(low, int) and isinstance(high, int):
        return False
    # The column may be one of single precision, where 0.1 is another number.
    with np.errstate(over="ignore"):
        return between(float(np.float32(low)), float(np.float32(high)), float(np.float32(bound)))


def _bound(condition: Condition, text: str, like: object) -> Number | None:
    """The value that the column's are compared with; None where it is not certain how they are."""
    holds = condition.read_as or _holds(like)
    if _holds(like) is ValueType.BOOLEAN and holds is ValueType.BOOLEAN:
        return truth_of(text)
    if holds in NUMERIC and _holds(like) in NUMERIC:
        return number_of(text)
    return moment_of(text) if holds in TEMPORAL and _holds(like) in TEMPORAL else None


def _holds(value: object) -> ValueType | None:
    if isinstance(value, bool):
        return ValueType.BOOLEAN
    if isinstance(value, int | float | Decimal):
        return ValueType.DOUBLE
    return ValueType.TIMESTAMP if isinstance(value, date) else None  # a datetime is a date


def _number(value: object) -> Number | None:
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, datetime | date):
        return read_numbers(pa.array([value]), ValueType.TIMESTAMP)[0].as_py()
    if not isinstance(value, int | float) or math.isnan(value):
        return None
    return value
