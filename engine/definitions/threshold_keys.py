"""How `metric_thresholds` is written: metrics by name, each with what counts as a breach."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from engine.definitions.shape import Complaint, Shape, did_you_mean, errors_of, key, reject
from engine.definitions.words import OneOf, Text
from signals.catalogue import Family, Kind, Metric, find_metric
from signals.metrics import METRICS
from signals.thresholds import FixedThreshold, Operator, RangeThreshold, Threshold, default_operator

__all__ = ["DriftThresholds", "PerformanceThresholds", "QualityThresholds", "ThresholdKeys", "Thresholds"]

SIGNS = {">": "greater_than", ">=": "greater_than_or_equal", "<": "less_than", "<=": "less_than_or_equal",
         "==": "equals", "!=": "not_equals"}  # fmt: skip
PER_CLASS = frozenset({"multi_class_precision", "multi_class_recall"})
HAS_BASELINE_VALUE = frozenset({Family.QUALITY})

Number = Annotated[float, Field(allow_inf_nan=False)]


class ThresholdKeys(Shape):
    """When a metric's value is a breach. A bare number is short for `{threshold: number}`; null judges nothing."""

    threshold: Number | None = key(default=None, description="The bound, in the metric's unit; 0 is a bound.")
    operator: Annotated[str, OneOf(tuple(Operator), SIGNS)] | None = key(
        default=None, description="How a breaching value stands to the bound; the metric's bad direction when left out."
    )
    relative_to: Annotated[str, OneOf(("baseline",))] | None = key(
        default=None, description="`baseline`: the baseline's own value is added to the bound. Data quality only."
    )
    low: Number | None = key(default=None, description="With `high`: a value below it breaches.")
    high: Number | None = key(default=None, description="With `low`: a value above it breaches.")
    label: Text | None = key(default=None, description="The class that a metric of one class is about.")

    def complaints(self) -> Iterator[Complaint]:
        if self.low is None and self.high is None:
            for name in ("operator", "relative_to"):
                if self.threshold is None and getattr(self, name) is not None:
                    yield Complaint(("threshold",), "is missing", f"{name} says how to judge by it")
            return
        for name in ("threshold", "operator", "relative_to"):
            if getattr(self, name) is not None:
                yield Complaint((name,), "cannot go with low and high", "keep either it or the range")
        for name in ("low", "high"):
            if getattr(self, name) is None:
                yield Complaint((name,), "is missing", "a range has both; for one bound write threshold")
        if self.low is not None and self.high is not None and self.low > self.high:
            yield Complaint(("low",), "is above high")

    def against(self, metric: Metric) -> Iterator[Complaint]:
        """What is wrong with this threshold for that metric."""
        if self.threshold is not None and self.operator is None and default_operator(metric.bad) is None:
            hint = f"write {{threshold: {self.threshold:g}, operator: greater_than}} or {{low: …, high: …}}"
            yield Complaint((), f"{metric.name} is bad in neither direction, so it needs an operator", hint)
        if self.relative_to and metric.family not in HAS_BASELINE_VALUE:
            yield Complaint(("relative_to",), f"{metric.name} has no value of the baseline to be added to")
        if self.label is not None and metric.name not in PER_CLASS:
            yield Complaint(("label",), f"{metric.name} is not a metric of one class")
        if self.label is None and metric.name in PER_CLASS:
            yield Complaint(("label",), "is missing", "which class is it about?")

    def threshold_of(self, metric: Metric) -> Threshold | None:
        """The threshold that is meant; None where the value is recorded and not judged."""
        if self.low is not None and self.high is not None:
            return RangeThreshold(self.low, self.high)
        operator = Operator(self.operator) if self.operator else default_operator(metric.bad)
        if self.threshold is None or operator is None:
            return None
        return FixedThreshold(self.threshold, operator, relative_to_baseline=self.relative_to is not None)


def _listed(value: Any) -> Any:
    """A number, a mapping, null or a list of these, as a list of mappings."""
    items = value if isinstance(value, list | tuple) else [value]
    return [item if isinstance(item, dict | ThresholdKeys) else {"threshold": item} for item in items]


Thresholds = Annotated[
    tuple[ThresholdKeys, ...],
    Field(min_length=1),
    BeforeValidator(_listed, json_schema_input_type=float | ThresholdKeys | tuple[ThresholdKeys, ...] | None),
]


@dataclass(frozen=True, eq=False)
class Metrics:
    """Thresholds by metric: every key is a metric of these families, in any of its spellings.

    What is read is keyed by canonical names.
    """

    families: tuple[Family, ...]
    kind: Kind | None = None

    def read(self, value: Any, handler: core_schema.ValidatorFunctionWrapHandler) -> Any:
        if not isinstance(value, dict):
            return handler({} if value is None else value)
        found, complaints = self._named(value)
        try:
            thresholds: dict[str, tuple[ThresholdKeys, ...]] = handler({spelled: value[spelled] for spelled in found})
        except ValidationError as error:
            raise reject("metrics", complaints, errors_of(error)) from None
        for spelled, metric in found.items():
            for place, threshold in enumerate(thresholds[spelled]):
                found_wrong = threshold.against(metric)
                complaints += [wrong._replace(key=(spelled, place, *wrong.key)) for wrong in found_wrong]
        if complaints:
            raise reject("metrics", complaints)
        return {metric.name: thresholds[spelled] for spelled, metric in found.items()}

    def _named(self, value: Mapping[Any, Any]) -> tuple[dict[str, Metric], list[Complaint]]:
        found: dict[str, Metric] = {}
        complaints: list[Complaint] = []
        for spelled in value:
            metric = find_metric(spelled) if isinstance(spelled, str) else None
            complaint = self._complaint(str(spelled), metric)
            twice = [other for other, same in found.items() if metric and same.name == metric.name]
            if complaint:
                complaints.append(Complaint((spelled,), *complaint))
            elif twice:
                complaints.append(Complaint((spelled,), f"is the same metric as {twice[0]}", "keep one of them"))
            elif metric:
                found[spelled] = metric
        return found, complaints

    def _complaint(self, spelled: str, metric: Metric | None) -> tuple[str, str | None] | None:
        if metric is None:
            return "unknown metric", did_you_mean(spelled, list(self.spellings()))
        if metric.family not in self.families:
            return f"{metric.name} is a {metric.family} metric", f"it belongs to {HOMES[metric.family]}"
        if self.kind and self.kind not in metric.kinds:
            return f"{metric.name} is not for {self.kind} features", None
        return None

    def spellings(self) -> dict[str, Metric]:
        """Every name that may be written, with its metric."""
        mine = [entry for entry in METRICS.values() if entry.family in self.families]
        fitting = [entry for entry in mine if not self.kind or self.kind in entry.kinds]
        return {spelled: entry for entry in fitting for spelled in (entry.name, *entry.aliases)}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self.read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        written = handler(schema)
        threshold = written["additionalProperties"]
        properties = {
            spelled: threshold
            | {"description": entry.summary if spelled == entry.name else f"The same as {entry.name}."}
            for spelled, entry in self.spellings().items()
        }
        return {
            "anyOf": [{"type": "object", "properties": properties, "additionalProperties": False}, {"type": "null"}]
        }


HOMES = {
    Family.DRIFT: "data_drift and prediction_drift",
    Family.QUALITY: "numerical, categorical or features of data_quality",
    Family.DATASET: "dataset of data_quality",
    Family.CLASSIFICATION: "classification of model_performance",
    Family.REGRESSION: "regression of model_performance",
    Family.COVERAGE: "coverage of model_performance",
}

Table = dict[str, Thresholds]


NumericalDrift = Annotated[Table, Metrics((Family.DRIFT,), Kind.NUMERICAL)]
CategoricalDrift = Annotated[Table, Metrics((Family.DRIFT,), Kind.CATEGORICAL)]
Drift = Annotated[Table, Metrics((Family.DRIFT,))]
NumericalQuality = Annotated[Table, Metrics((Family.QUALITY,), Kind.NUMERICAL)]
CategoricalQuality = Annotated[Table, Metrics((Family.QUALITY,), Kind.CATEGORICAL)]
Quality = Annotated[Table, Metrics((Family.QUALITY,))]
Dataset = Annotated[Table, Metrics((Family.DATASET,))]
Classification = Annotated[Table, Metrics((Family.CLASSIFICATION,))]
Regression = Annotated[Table, Metrics((Family.REGRESSION,))]
Coverage = Annotated[Table, Metrics((Family.COVERAGE,))]


class DriftThresholds(Shape):
    """Drift metrics by kind of feature. Tests (`…_test`) are p-values, which breach when lower."""

    numerical: NumericalDrift = key(default_factory=dict, description="For numerical features.")
    categorical: CategoricalDrift = key(default_factory=dict, description="For categorical features.")
    features: dict[str, Drift] = key(
        default_factory=dict, description="For single features, by name; they win over the two above."
    )


class QualityThresholds(Shape):
    """Data quality metrics by kind of feature, and of the dataset as a whole."""

    numerical: NumericalQuality = key(default_factory=dict, description="For numerical features.")
    categorical: CategoricalQuality = key(default_factory=dict, description="For categorical features.")
    features: dict[str, Quality] = key(
        default_factory=dict, description="For single features, by name; they win over the two above."
    )
    dataset: Dataset = key(default_factory=dict, description="For the dataset as a whole.")


class PerformanceThresholds(Shape):
    """Performance metrics by task."""

    classification: Classification = key(
        "classification", "tabular_classification", default_factory=dict, description="For labels and scores."
    )
    regression: Regression = key("regression", "tabular_regression", default_factory=dict, description="For numbers.")
    coverage: Coverage = key(default_factory=dict, description="For how much of the window is labelled.")
