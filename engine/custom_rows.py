"""Is what a component returned a table of `signal_metrics`, and which values does it hold?"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame

from engine.errors import DataError
from signals.catalogue import near_names
from signals.measurement import Undefined
from signals.segments import AGGREGATE

__all__ = ["MOST_ROWS", "CustomRow", "custom_rows"]

MOST_ROWS = 100_000
COLUMNS = ("group", "metric_name", "metric_value", "threshold_value")
DIMENSION = "group_dimension"
OTHER_NAMES = {DIMENSION: ("group_pivot",), "group": ("feature_name",)}
"""As examples of Azure's have them."""


@dataclass(frozen=True, slots=True)
class CustomRow:
    """One value that a component returned.

    Attributes:
        group, dimension, metric: what it is about.
        value: a finite number, or why it is none.
        threshold: what it is to be judged by; None: nothing is said.
        malformed: whether the value is of a wrong type, and not only missing.
    """

    group: str
    dimension: str
    metric: str
    value: float | Undefined
    threshold: float | None
    malformed: bool = False


def custom_rows(component: str, returned: DataFrame | pd.DataFrame, default_group: str) -> list[CustomRow]:
    """The values, in the order in which they came.

    Args:
        component: its name, for messages.
        returned: with `group`, `metric_name`, `metric_value`, `threshold_value`, and `group_dimension` if it has one;
            other columns do not matter.
        default_group: the group of a row that has none.

    Raises:
        DataError: a column is missing, a row has no metric's name, a value is there twice, or there are too many.
        PySparkException: Spark could not work it out.
    """
    try:
        return _checked(returned, default_group)
    except DataError as error:
        raise DataError(f"component {component} returned {error}") from None


def _checked(returned: DataFrame | pd.DataFrame, default_group: str) -> list[CustomRow]:
    names = _columns(list(map(str, returned.columns)))
    found = [_row(values, default_group) for values in _values(returned, names)]
    if len(found) > MOST_ROWS:
        raise DataError(f"more than {MOST_ROWS:,} rows: a value per group and metric is meant")
    keys = Counter((row.group, row.metric, row.dimension) for row in found)
    twice = next((key for key, count in keys.items() if count > 1), None)
    if twice:
        group, metric, dimension = twice
        where = f"{group!r}" if dimension == AGGREGATE else f"{group!r}, {dimension!r}"
        raise DataError(f"{metric!r} of {where} {keys[twice]:,} times: once is meant")
    return found


def _columns(has: Sequence[str]) -> dict[str, str]:
    """By our name the column's; a dimension need not be there."""
    spelt = {name: next((each for each in (name, *OTHER_NAMES.get(name, ())) if each in has), None) for name in COLUMNS}
    twice = [column for column in spelt.values() if has.count(str(column)) > 1]
    if twice:
        raise DataError(f"two columns named {twice[0]}")
    missing = [name for name, column in spelt.items() if column is None]
    if missing:
        hints = [
            f"{name} (did you mean {near[0]}?)" if (near := near_names(name, [*has])) else name for name in missing
        ]
        raise DataError(f"no column {', '.join(hints)}; there are {', '.join(has) or 'none'}")
    dimension = next((each for each in (DIMENSION, *OTHER_NAMES[DIMENSION]) if each in has), None)
    return {**{name: str(column) for name, column in spelt.items()}, **({DIMENSION: dimension} if dimension else {})}


def _values(returned: DataFrame | pd.DataFrame, names: dict[str, str]) -> Iterator[dict[str, Any]]:
    if isinstance(returned, DataFrame):
        columns = [returned[_quoted(column)].alias(name) for name, column in names.items()]
        rows = returned.select(*columns).limit(MOST_ROWS + 1).collect()
        return (row.asDict() for row in rows)
    columns = [returned[column].head(MOST_ROWS + 1).tolist() for column in names.values()]
    return (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))


def _quoted(column: str) -> str:
    return f"`{column}`"


def _row(values: dict[str, Any], default_group: str) -> CustomRow:
    metric = _text(values["metric_name"])
    if metric is None:
        raise DataError(f"a row without a metric_name: {values}")
    value, malformed = _number(values["metric_value"], "metric_value")
    threshold, wrong = _number(values["threshold_value"], "threshold_value")
    if wrong:
        value, malformed = threshold, True
    return CustomRow(
        group=_text(values["group"]) or default_group,
        dimension=_text(values.get(DIMENSION)) or AGGREGATE,
        metric=metric,
        value=value,
        threshold=None if isinstance(threshold, Undefined) else threshold,
        malformed=malformed,
    )


def _text(value: Any) -> str | None:
    return None if _is_missing(value) or value == "" else str(value)


def _number(value: Any, name: str) -> tuple[float | Undefined, bool]:
    """The number, or why it is none; and whether that is because of its type."""
    if _is_missing(value):
        return Undefined(f"the component returned no {name}"), False
    try:
        number = float(value)
    except (TypeError, ValueError):
        return Undefined(f"the component returned {value!r} as {name}, which is no number"), True
    if not math.isfinite(number):
        return Undefined(f"the component returned {number} as {name}"), False
    return number, False


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))
