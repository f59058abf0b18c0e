"""How `metric_thresholds` is written: metrics by name, each with its threshold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from engine.definitions.shape import Complaint, Shape, errors_of, key, reject
from engine.definitions.threshold_keys import ThresholdKeys, Thresholds
from signals.catalogue import Family, Kind, Metric, find_metric, near_names
from signals.metrics import METRICS

__all__ = ["AttributionThresholds", "DriftThresholds", "PerformanceThresholds", "QualityThresholds"]


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
                found_wrong = list(threshold.against(metric))
                said = {(other.label, other.cut_off) for other in thresholds[spelled][:place]}
                if (threshold.label, threshold.cut_off) in said:
                    found_wrong.append(Complaint((), "is a second threshold of the same metric", "keep one of them"))
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
        if metric is None and spelled in AZURES:
            return WITHOUT_A_METRIC, f"{next(iter(self.spellings()))}: 0.5"
        if metric is None:
            return "unknown metric", self._nearest(spelled)
        if metric.family not in self.families:
            return f"{metric.name} is a {metric.family} metric", f"it belongs to {HOMES[metric.family]}"
        if self.kind and self.kind not in metric.kinds:
            return f"{metric.name} is not for {self.kind} features", None
        return None

    def _nearest(self, spelled: str) -> str | None:
        spellings = self.spellings()
        near = near_names(spelled, list(spellings))
        return f"did you mean {spellings[near[0]].name}?" if near else None

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


AZURES = ("threshold", "data_type")
WITHOUT_A_METRIC = "says nothing without a metric, and Azure drops it"
HOMES = {
    Family.DRIFT: "data_drift and prediction_drift",
    Family.QUALITY: "numerical, categorical, embedding, list or features of data_quality",
    Family.DATASET: "dataset of data_quality",
    Family.CLASSIFICATION: "classification of model_performance",
    Family.REGRESSION: "regression of model_performance",
    Family.RANKING: "ranking of model_performance",
    Family.FAIRNESS: "fairness of model_performance",
    Family.COVERAGE: "coverage of model_performance",
    Family.ATTRIBUTION: "feature_attribution_drift",
    Family.TOKENS: "totaltoken of generation_token_statistics",
    Family.GENERATION: "generation_safety_quality",
}

Table = dict[str, Thresholds]


NumericalDrift = Annotated[Table, Metrics((Family.DRIFT,), Kind.NUMERICAL)]
CategoricalDrift = Annotated[Table, Metrics((Family.DRIFT,), Kind.CATEGORICAL)]
EmbeddingDrift = Annotated[Table, Metrics((Family.DRIFT,), Kind.EMBEDDING)]
Drift = Annotated[Table, Metrics((Family.DRIFT,))]
NumericalQuality = Annotated[Table, Metrics((Family.QUALITY,), Kind.NUMERICAL)]
CategoricalQuality = Annotated[Table, Metrics((Family.QUALITY,), Kind.CATEGORICAL)]
EmbeddingQuality = Annotated[Table, Metrics((Family.QUALITY,), Kind.EMBEDDING)]
ListQuality = Annotated[Table, Metrics((Family.QUALITY,), Kind.LIST)]
Quality = Annotated[Table, Metrics((Family.QUALITY,))]
Dataset = Annotated[Table, Metrics((Family.DATASET,))]
Classification = Annotated[Table, Metrics((Family.CLASSIFICATION,))]
Regression = Annotated[Table, Metrics((Family.REGRESSION,))]
Ranking = Annotated[Table, Metrics((Family.RANKING,))]
Fairness = Annotated[Table, Metrics((Family.FAIRNESS,))]
Coverage = Annotated[Table, Metrics((Family.COVERAGE,))]
AttributionThresholds = Annotated[Table, Metrics((Family.ATTRIBUTION,))]


class DriftThresholds(Shape):
    """Drift metrics by kind of feature. Tests (`…_test`) are p-values, which breach when lower."""

    refused: ClassVar = dict.fromkeys(AZURES, (WITHOUT_A_METRIC, "numerical: {jensen_shannon_distance: 0.1}"))

    numerical: NumericalDrift = key(default_factory=dict, description="For numerical features.")
    categorical: CategoricalDrift = key(default_factory=dict, description="For categorical features.")
    embedding: EmbeddingDrift = key(default_factory=dict, description="For embeddings: columns of lists of numbers.")
    features: dict[str, Drift] = key(
        default_factory=dict, description="For single features, by name; they win over those above."
    )


class QualityThresholds(Shape):
    """Data quality metrics by kind of feature, and of the dataset as a whole."""

    refused: ClassVar = dict.fromkeys(AZURES, (WITHOUT_A_METRIC, "numerical: {null_value_rate: 0.1}"))

    numerical: NumericalQuality = key(default_factory=dict, description="For numerical features.")
    categorical: CategoricalQuality = key(default_factory=dict, description="For categorical features.")
    embedding: EmbeddingQuality = key(default_factory=dict, description="For embeddings: columns of lists of numbers.")
    lists: ListQuality = key("list", default_factory=dict, description="For columns of lists of strings.")
    features: dict[str, Quality] = key(
        default_factory=dict, description="For single features, by name; they win over those above."
    )
    dataset: Dataset = key(default_factory=dict, description="For the dataset as a whole.")


class PerformanceThresholds(Shape):
    """Performance metrics by task."""

    refused: ClassVar = {
        **dict.fromkeys(AZURES, (WITHOUT_A_METRIC, "classification: {accuracy: 0.8}")),
        **dict.fromkeys(
            ("question_answering", "questionanswering"),
            ("is of answers in words, which no label can be compared with", "type: generation_safety_quality"),
        ),
    }

    classification: Classification = key(
        "classification", "tabular_classification", default_factory=dict, description="For labels and scores."
    )
    regression: Regression = key("regression", "tabular_regression", default_factory=dict, description="For numbers.")
    ranking: Ranking = key(default_factory=dict, description="For ranked items, by group.")
    fairness: Fairness = key(
        default_factory=dict, description="For the segments under the signal's `fairness`, each against its base."
    )
    coverage: Coverage = key(default_factory=dict, description="For how much of the window is labelled.")
