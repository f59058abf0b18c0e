"""What a bin is called where people read it: ``[3, 7)``, ``< 3``, ``>= 7``, a single value, a category.

Names are short and still exact: an edge right after a rounder number v says ``> v`` or ``<= v``, and numbers are
written with as few digits as tell them apart.
"""

import math
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from signals.bins import ValueType

__all__ = ["NULL", "OTHER", "category_names", "interval_names"]

OTHER = "other"
NULL = "null"
SECONDS_PER_DAY = 86_400
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC by definition, and written without a zone
Floats = npt.NDArray[np.float64]


def interval_names(edges: Floats, value_type: ValueType) -> list[str]:
    """The names of the bins ``(-inf, e0), [e0, e1), ..., [e_last, inf)``, one more than edges."""
    if not len(edges):
        return ["any value"]
    if value_type in (ValueType.INTEGER, ValueType.BOOLEAN, ValueType.DATE):
        return _names_of_whole_steps(edges, value_type)
    return _names_of_numbers(edges, value_type)


def category_names(categories: tuple[str, ...]) -> list[str]:
    """The names of a vocabulary's bins and of the last one, `other`; a category called ``other`` is quoted."""
    reserved = ("", OTHER, NULL)
    return [f'"{category}"' if category in reserved else category for category in categories] + [OTHER]


def _names_of_whole_steps(edges: Floats, value_type: ValueType) -> list[str]:
    """Only whole numbers (or days) occur, so that [3, 4) holds nothing but 3."""
    unit = SECONDS_PER_DAY if value_type is ValueType.DATE else 1
    steps = [math.ceil(edge / unit) for edge in edges]
    texts = [_day(step) if value_type is ValueType.DATE else _integer(step) for step in steps]
    inner = [
        texts[i] if steps[i + 1] - steps[i] == 1 else f"[{texts[i]}, {texts[i + 1]})" for i in range(len(steps) - 1)
    ]
    return [f"< {texts[0]}", *inner, f">= {texts[-1]}"]


def _names_of_numbers(edges: Floats, value_type: ValueType) -> list[str]:
    after = [_is_right_after(edge) for edge in edges]
    values = [math.nextafter(edge, -math.inf) if late else float(edge) for edge, late in zip(edges, after, strict=True)]
    texts = [_moment(value) for value in values] if value_type is ValueType.TIMESTAMP else _shortest(values)
    inner = [
        texts[i] if values[i] == values[i + 1] else
        f"{'(' if after[i] else '['}{texts[i]}, {texts[i + 1]}{']' if after[i + 1] else ')'}"
        for i in range(len(values) - 1)
    ]  # fmt: skip
    return [f"{'<=' if after[0] else '<'} {texts[0]}", *inner, f"{'>' if after[-1] else '>='} {texts[-1]}"]


def _is_right_after(edge: float) -> bool:
    """Whether the number before this one is by far the rounder one, as 3 is before 3.0000000000000004."""
    before = math.nextafter(edge, -math.inf)
    return before == 0 or len(repr(before)) + 6 <= len(repr(float(edge)))


def _shortest(values: list[float]) -> list[str]:
    """The numbers with as few significant digits, at least four, as keep different ones apart."""
    texts: list[str] = []
    for digits in range(4, 18):
        texts = [_number(value, digits) for value in values]
        if len(set(texts)) == len(set(values)):
            break
    return texts


def _number(value: float, digits: int) -> str:
    if abs(value) < 1e15 and value == math.floor(value):
        return str(int(value))
    text = f"{value:.{digits}g}"
    if 1e-4 <= abs(value) < 1e15:
        return np.format_float_positional(float(text), trim="-")
    return text


def _integer(step: int) -> str:
    return str(step) if abs(step) < 10**20 else repr(float(step))


def _day(step: int) -> str:
    return _moment(step * SECONDS_PER_DAY).removesuffix(" 00:00:00")


def _moment(seconds: float) -> str:
    try:
        return str(EPOCH + timedelta(seconds=seconds))
    except OverflowError:  # outside the years 1 to 9999
        return repr(float(seconds))
