"""How a filter is written: which rows is a signal about?"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator

from engine.definitions.shape import Complaint, Shape, complain, key
from engine.definitions.threshold_keys import SIGNS
from engine.definitions.words import Name, OneOf, as_text, many
from engine.monitor import Filter, FilterDimension
from signals.conditions import NEED_ORDER, FilterOperator, moment_of, number_of

__all__ = ["DataSegment", "FilterKeys", "Filters", "Values"]

DIMENSIONS = OneOf(
    tuple(FilterDimension),
    {
        "featureLabel": "feature",
        "tagLabel": "tag",
        "predictionClass": "prediction_class",
        "predictionScore": "prediction_score",
        "predictionValue": "prediction_class",
        "actualClass": "actual_class",
        "actualScore": "actual_score",
        "actuals": "actual_class",
    },
    not_yet=("spanProperty", "llmEval"),
)
OPERATORS = OneOf(
    tuple(FilterOperator),
    SIGNS
    | {
        "=": "equals",
        "notEquals": "not_equals",
        "greaterThan": "greater_than",
        "greaterThanOrEqual": "greater_than_or_equal",
        "lessThan": "less_than",
        "lessThanOrEqual": "less_than_or_equal",
        "containsString": "contains",
    },
    not_yet=("topN", "similarTo"),
)
NAMED = frozenset({FilterDimension.FEATURE, FilterDimension.TAG})
SCORES = frozenset({FilterDimension.PREDICTION_SCORE, FilterDimension.ACTUAL_SCORE})


def _value(value: Any) -> Any:
    if value is None:
        raise complain("null is not a value", "a null passes no filter but not_equals")
    return value.isoformat() if isinstance(value, date) else as_text(value)


Value = Annotated[str, BeforeValidator(_value, json_schema_input_type=str | bool | float)]
"""A text, also an empty one; YAML's numbers, booleans and dates are spelt out."""
Values = Annotated[tuple[Value, ...], BeforeValidator(many, json_schema_input_type=Value | tuple[Value, ...])]


class FilterKeys(Shape):
    """Rows pass by the value of one column: a feature's, a tag's, the prediction's or the truth's."""

    feature: Name | None = key(default=None, description="The column of a feature.")
    tag: Name | None = key(default=None, description="The column of a tag: one that the model does not use.")
    dimension: Annotated[str, DIMENSIONS] | None = key(
        "dimension",
        "dimensionType",
        "dimension_type",
        default=None,
        description="Instead of `feature` or `tag`, in Arize's words: `prediction_class`, `prediction_score`, "
        "`actual_class` and `actual_score` ask about the columns of these roles; `feature` and `tag` need a `name`.",
    )
    name: Name | None = key(default=None, description="With `dimension`: the column of the feature or tag.")
    operator: Annotated[str, OPERATORS] = key(
        default=FilterOperator.EQUALS.value,
        description="How a row's value stands to the filter's. Of several values `equals`, `in` and `contains` need "
        "one to fit, `not_equals` none; the others compare with one number or time. A null passes `not_equals` only.",
    )
    value: Value | None = key(default=None, description="What the row's value is compared with.")
    values: Values | None = key(default=None, description="Instead of `value`: several.")

    def complaints(self) -> Iterator[Complaint]:
        yield from self._about_dimension()
        if self.value is None and self.values is None:
            yield Complaint(("value",), "is missing", "what is the row's value compared with?")
        if self.value is not None and self.values is not None:
            yield Complaint(("values",), "cannot go with value", "keep one of them")
        else:
            yield from self._about_values()

    def _about_dimension(self) -> Iterator[Complaint]:
        named = [word for word in ("feature", "tag", "dimension") if getattr(self, word) is not None]
        if not named and self.name is not None:
            yield Complaint(("dimension",), "is missing", f"is {self.name!r} a feature or a tag?")
        elif not named:
            yield Complaint(
                ("feature",), "is missing", "name a feature, a tag, or a dimension such as prediction_score"
            )
        for word in named[1:]:
            yield Complaint((word,), f"cannot go with {named[0]}", "keep one of them")
        if self.dimension in NAMED and self.name is None:
            yield Complaint(("name",), "is missing", f"which column is the {self.dimension}?")
        if self.name is not None and named and self.dimension not in NAMED:
            yield Complaint(("name",), f"cannot go with {self.dimension or named[0]}")

    def _about_values(self) -> Iterator[Complaint]:
        by_size = self.operator in NEED_ORDER
        if by_size and len(self._values) > 1:
            yield Complaint(("values",), f"are {len(self._values)}, and {self.operator} takes one")
        if self.dimension in SCORES and self.operator == FilterOperator.CONTAINS:
            yield Complaint(("operator",), f"contains needs text, and {self.dimension} is a number")
        if not by_size and self.dimension not in SCORES:
            return
        for place, value in enumerate(self._values):
            spot = ("value",) if self.value is not None else ("values", place)
            if number_of(value) is None and self.dimension in SCORES:
                yield Complaint(spot, f"{value!r} is not a number, and {self.dimension} is one")
            elif number_of(value) is None and moment_of(value) is None:
                yield Complaint(spot, f"{value!r} is neither a number nor a time", f"{self.operator} compares by size")

    @property
    def _values(self) -> tuple[str, ...]:
        return self.values or (() if self.value is None else (self.value,))

    def filter(self) -> Filter:
        """The filter that is meant."""
        implied = FilterDimension.FEATURE if self.feature is not None else FilterDimension.TAG
        dimension = FilterDimension(self.dimension) if self.dimension else implied
        return Filter(dimension, self.feature or self.tag or self.name, FilterOperator(self.operator), self._values)


class DataSegment(Shape):
    """Azure's filter: the rows of which a feature has one of these values."""

    feature_name: Name = key(description="The feature's column.")
    feature_values: Values = key(description="Its values.")

    def filter(self) -> Filter:
        """The filter that is meant."""
        return Filter(FilterDimension.FEATURE, self.feature_name, FilterOperator.IN, self.feature_values)


Filters = Annotated[
    tuple[FilterKeys, ...], BeforeValidator(many, json_schema_input_type=FilterKeys | tuple[FilterKeys, ...])
]
