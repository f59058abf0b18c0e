"""What one filter asks of a column, how it is written, and whether a column of some type can answer it."""

import json
import math
import re
from dataclasses import dataclass, replace
from enum import StrEnum

import pyarrow as pa

from signals.bins import ValueType
from signals.values import NUMBER, read_numbers, value_type_of

__all__ = ["NEED_ORDER", "Condition", "FilterOperator", "moment_of", "number_of", "truth_of"]

TRUTHS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
BARE_VALUE = re.compile(r"-?\d+(\.\d+)?|true|false")
BARE_COLUMN = re.compile(r"(?!(and|in|not|contains)\b)[^\W\d]\w*")


class FilterOperator(StrEnum):
    """How a row's value stands to the values of a condition.

    A null and a NaN satisfy none of them but `NOT_EQUALS`, which holds wherever `EQUALS` does not: the rows of the
    two together are all rows.
    """

    EQUALS = "equals"
    """Is one of the values."""
    NOT_EQUALS = "not_equals"
    """Is none of the values."""
    GREATER_THAN = "greater_than"
    GREATER_THAN_OR_EQUAL = "greater_than_or_equal"
    LESS_THAN = "less_than"
    LESS_THAN_OR_EQUAL = "less_than_or_equal"
    IN = "in"
    """Is one of the values."""
    CONTAINS = "contains"
    """Has one of the values in its text, upper and lower case told apart."""


NEED_ORDER = {
    FilterOperator.GREATER_THAN: ">",
    FilterOperator.GREATER_THAN_OR_EQUAL: ">=",
    FilterOperator.LESS_THAN: "<",
    FilterOperator.LESS_THAN_OR_EQUAL: "<=",
}
"""The operators that compare by size, with their signs; they take one value, a number or a time."""

NUMERIC = frozenset({ValueType.INTEGER, ValueType.DOUBLE})
TEMPORAL = frozenset({ValueType.DATE, ValueType.TIMESTAMP})


@dataclass(frozen=True, slots=True)
class Condition:
    """What is asked of one column.

    Attributes:
        column: its name.
        operator: how a row's value stands to the values.
        values: as texts; where the column holds numbers they are read as numbers (``"30"`` is 30.0), where it holds
            times as ISO-8601 (UTC without an offset), where it holds booleans as true, false, 1 or 0. Integers are
            compared exactly, decimals as the nearest doubles.
        read_as: what the column holds, where some files hold it as another type; None: what each array's type says.
    """

    column: str
    operator: FilterOperator
    values: tuple[str, ...]
    read_as: ValueType | None = None

    @property
    def canonical(self) -> "Condition":
        """The same condition as everyone would write it: values sorted, each once, and one word for one meaning."""
        same = FilterOperator.EQUALS if self.operator is FilterOperator.IN else self.operator
        return replace(self, operator=same, values=tuple(sorted(set(self.values))))

    @property
    def text(self) -> str:
        """Such as ``state in ("CA", "NY")``; two conditions that differ in meaning differ in text."""
        column = self.column if BARE_COLUMN.fullmatch(self.column) else _quoted(self.column)
        one = self.canonical
        values = [value if BARE_VALUE.fullmatch(value) else _quoted(value) for value in one.values]
        several = len(values) != 1
        shown = f"({', '.join(values)})" if several else values[0]
        sign = {
            FilterOperator.EQUALS: "in" if several else "=",
            FilterOperator.NOT_EQUALS: "not in" if several else "!=",
            FilterOperator.CONTAINS: "contains",
        }.get(one.operator) or NEED_ORDER[one.operator]
        return f"{column} {sign} {shown}"

    def holds(self, kind: pa.DataType) -> ValueType | None:
        """What a column of this Arrow type is read as; None where it cannot be filtered."""
        return self.read_as or value_type_of(kind)

    def problems(self, kind: pa.DataType) -> list[str]:
        """Why a column of this type cannot answer; empty where it can."""
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        holds, needs_order = self.holds(kind), self.operator in NEED_ORDER
        if holds is None:
            return [f"the column {self.column!r} is nested or binary ({kind}): it cannot be filtered"]
        if needs_order and holds not in NUMERIC | TEMPORAL:
            return [self._wrong(kind, "needs numbers or times", "equals, not_equals, in or contains")]
        if self.operator is FilterOperator.CONTAINS and holds is not ValueType.STRING:
            return [self._wrong(kind, "needs text", "equals, in, greater_than or less_than")]
        if needs_order and len(self.values) != 1:
            return [f"{self.operator} on the column {self.column!r} takes one value, not {len(self.values)}"]
        if not self.values:
            return [f"the filter on the column {self.column!r} has no value"]
        return [self._unreadable(value, holds, kind) for value in self.values if not _readable(value, holds)]

    def _wrong(self, kind: pa.DataType, needs: str, instead: str) -> str:
        return f"{self.operator} {needs}, and the column {self.column!r} is {kind}; use {instead}"

    def _unreadable(self, value: str, holds: ValueType, kind: pa.DataType) -> str:
        what = "a number" if holds in NUMERIC else "an ISO-8601 date or time" if holds in TEMPORAL else "true or false"
        return f"the value {value!r} is not {what}, and the column {self.column!r} is {kind}"


def number_of(text: str) -> int | float | None:
    """The number that a text is, exact where it is whole; None where it is none, as NaN is."""
    if not re.match(NUMBER, text, re.ASCII):
        return None
    number = float(text)
    if not math.isfinite(number):
        return None if math.isnan(number) else number
    if text.strip().lstrip("+-").isdecimal():
        return int(text)
    return int(number) if number.is_integer() else number


def moment_of(text: str) -> float | None:
    """The ISO-8601 date or time as seconds since 1970 UTC; None where it is none."""
    return read_numbers(pa.array([text]), ValueType.TIMESTAMP)[0].as_py()


def truth_of(text: str) -> bool | None:
    """The boolean that a text is; None where it is none."""
    return TRUTHS.get(text.strip().lower())


def _readable(value: str, holds: ValueType) -> bool:
    if holds in NUMERIC:
        return number_of(value) is not None
    if holds in TEMPORAL:
        return moment_of(value) is not None
    return holds is ValueType.STRING or truth_of(value) is not None


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
