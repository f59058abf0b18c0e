"""How a threshold is written: when is a metric's value a breach?"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from typing_extensions import TypeAliasType

from engine.definitions.dynamic_keys import Dynamic
from engine.definitions.shape import Complaint, Shape, complain, key
from engine.definitions.words import OneOf, Text, many
from signals.catalogue import Family, Metric
from signals.rankings import AT_K
from signals.thresholds import FixedThreshold, Operator, RangeThreshold, Threshold, default_operator

__all__ = ["ThresholdKeys", "Thresholds"]

BOTH = "both"
EQUALITY = (Operator.EQUALS, Operator.NOT_EQUALS)

SIGNS = {">": "greater_than", ">=": "greater_than_or_equal", "<": "less_than", "<=": "less_than_or_equal",
         "==": "equals", "!=": "not_equals"}  # fmt: skip
ALL, AT = "all", 10
"""All items of a group; and how many a ranking metric looks at where nothing is said."""
PER_CLASS = frozenset({"multi_class_precision", "multi_class_recall"})
HAS_BASELINE_VALUE = frozenset({Family.QUALITY})

Number = Annotated[float, Field(allow_inf_nan=False)]


def _first_items(value: Any) -> Any:
    number = int(value) if isinstance(value, str) and value.isdecimal() else value
    if value == ALL or (isinstance(number, int) and not isinstance(number, bool) and number >= 1):
        return number
    raise complain(f"{value!r} is neither a number of items nor {ALL}")


FirstItems = Annotated[int | Literal["all"], BeforeValidator(_first_items, json_schema_input_type=int | Literal["all"])]


class ThresholdKeys(Shape):
    """When a metric's value is a breach. A bare number is short for `{threshold: number}`; null judges nothing."""

    threshold: Number | None = key(default=None, description="The bound, in the metric's unit; 0 is a bound.")
    dynamic: Dynamic = key(
        default=None,
        description="A bound that the check's own earlier values set; `true` for the defaults. A written bound wins.",
    )
    operator: Annotated[str, OneOf((*Operator, BOTH), SIGNS)] | None = key(
        default=None,
        description="How a breaching value stands to the bound; the metric's bad direction when left out. `both`: it "
        "is outside of a dynamic threshold, on either side.",
    )
    relative_to: Annotated[str, OneOf(("baseline",))] | None = key(
        default=None, description="`baseline`: the baseline's own value is added to the bound. Data quality only."
    )
    clear: Number | None = key(
        default=None,
        description="An alert that has begun ends only when the value is on the good side of this bound, too.",
    )
    low: Number | None = key(default=None, description="With `high`: a value below it breaches.")
    high: Number | None = key(default=None, description="With `low`: a value above it breaches.")
    label: Text | None = key(default=None, description="The class that a metric of one class is about.")

    at: FirstItems | None = key(
        default=None,
        description="How many items of a group a ranking metric looks at, the first ones; 10 when left out, or `all`.",
    )

    @property
    def cut_off(self) -> int | None:
        """How many items of a group are looked at; None: all."""
        return AT if self.at is None else None if self.at == ALL else self.at

    @property
    def by_history(self) -> bool:
        """Whether the dynamic threshold is the one that counts: a written bound wins over it."""
        return self.dynamic is not None and self.threshold is None and self.low is None and self.high is None

    def complaints(self) -> Iterator[Complaint]:
        if self.low is not None or self.high is not None:
            yield from self._range_complaints()
        elif self.by_history:
            yield from self._dynamic_complaints()
        elif self.operator == BOTH:
            yield Complaint(("operator",), "both is for dynamic thresholds", "a range has low and high")
        elif self.threshold is None:
            for name in ("operator", "relative_to", "clear"):
                if getattr(self, name) is not None:
                    yield Complaint(("threshold",), "is missing", f"{name} says how to judge by it")

    def _range_complaints(self) -> Iterator[Complaint]:
        for name in ("threshold", "operator", "relative_to", "clear"):
            if getattr(self, name) is not None:
                yield Complaint((name,), "cannot go with low and high", "keep either it or the range")
        for name in ("low", "high"):
            if getattr(self, name) is None:
                yield Complaint((name,), "is missing", "a range has both; for one bound write threshold")
        if self.low is not None and self.high is not None and self.low > self.high:
            yield Complaint(("low",), "is above high")

    def _dynamic_complaints(self) -> Iterator[Complaint]:
        for name in ("relative_to", "clear"):
            if getattr(self, name) is not None:
                yield Complaint((name,), "cannot go with dynamic", "keep one of them")
        if self.operator in EQUALITY:
            hint = "greater_than, less_than or both"
            yield Complaint(("operator",), f"{self.operator} cannot go with dynamic", hint)

    def against(self, metric: Metric) -> Iterator[Complaint]:
        """What is wrong with this threshold for that metric."""
        if self.threshold is not None and self.operator is None and default_operator(metric.bad) is None:
            hint = f"write {{threshold: {self.threshold:g}, operator: greater_than}} or {{low: …, high: …}}"
            yield Complaint((), f"{metric.name} is bad in neither direction, so it needs an operator", hint)
        if self.by_history and self.operator is None and default_operator(metric.bad) is None:
            hint = "write {dynamic: true, operator: both} for a change in either direction"
            yield Complaint((), f"{metric.name} is bad in neither direction, so it needs an operator", hint)
        operator = self.operator_from(default_operator(metric.bad))
        if self.clear is not None and self.threshold is not None and operator and _breaches(self, operator):
            yield Complaint(("clear",), f"{self.clear:g} breaches, too: it is on the other side of the threshold")
        if self.relative_to and metric.family not in HAS_BASELINE_VALUE:
            yield Complaint(("relative_to",), f"{metric.name} has no value of the baseline to be added to")
        if self.label is not None and metric.name not in PER_CLASS:
            yield Complaint(("label",), f"{metric.name} is not a metric of one class")
        if self.label is None and metric.name in PER_CLASS:
            yield Complaint(("label",), "is missing", "which class is it about?")
        if self.at is not None and metric.name not in AT_K:
            yield Complaint(("at",), f"{metric.name} is not a metric of the first items")

    def threshold_of(self, metric: Metric) -> Threshold | None:
        """The threshold that is meant; None where the value is recorded and not judged."""
        return self.threshold_from(default_operator(metric.bad))

    def threshold_from(self, usual: Operator | None) -> Threshold | None:
        """The threshold that is meant, of a metric with this operator where none is written."""
        if self.low is not None and self.high is not None:
            return RangeThreshold(self.low, self.high)
        operator = self.operator_from(usual)
        if self.dynamic is not None and self.threshold is None:
            return self.dynamic.threshold_of(operator)
        if self.threshold is None or operator is None:
            return None
        relative = self.relative_to is not None
        return FixedThreshold(self.threshold, operator, relative_to_baseline=relative, clear=self.clear)

    def operator_from(self, usual: Operator | None) -> Operator | None:
        """The operator that is written, or else the usual one; None: on either side."""
        if self.operator is None:
            return usual
        return None if self.operator == BOTH else Operator(self.operator)


def _breaches(keys: ThresholdKeys, operator: Operator) -> bool:
    """Whether the bound at which an alert ends would begin one."""
    clear, threshold = keys.clear, keys.threshold
    if clear is None or threshold is None or clear == threshold:
        return False
    return operator in EQUALITY or operator.holds(clear, threshold)


def _listed(value: Any) -> Any:
    """A number, a mapping, null or a list of these, as a list of mappings."""
    items = many(value)
    return [item if isinstance(item, dict | ThresholdKeys) else {"threshold": item} for item in items]


Thresholds = TypeAliasType(
    "Thresholds",
    Annotated[
        tuple[ThresholdKeys, ...],
        BeforeValidator(_listed, json_schema_input_type=Number | ThresholdKeys | tuple[ThresholdKeys, ...] | None),
    ],
)
"""A number, a mapping, null, or for metrics of one class, or of the first items, a list of mappings."""
