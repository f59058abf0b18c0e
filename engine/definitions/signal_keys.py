"""How a signal is written: its kinds are told apart by `type`."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from engine.definitions.custom_keys import CustomSignal
from engine.definitions.data_keys import OneOrMore, ReferenceData
from engine.definitions.fairness_keys import FairnessList
from engine.definitions.feature_keys import FeatureChoice, FeatureKinds, FeatureList, TopFeatures
from engine.definitions.filter_keys import DataSegment, Filters
from engine.definitions.generation_keys import SafetyQualitySignal, TokenStatisticsSignal
from engine.definitions.metric_keys import (
    AttributionThresholds,
    DriftThresholds,
    PerformanceThresholds,
    QualityThresholds,
)
from engine.definitions.shape import Complaint, Shape, complain, did_you_mean, key
from engine.definitions.words import FixedLength, Name, OneOf, Properties, Text, lower_type, many
from signals.binning import BinningMethod

__all__ = [
    "BinningKeys", "DataDriftSignal", "DataQualitySignal", "FeatureAttributionDriftSignal", "GroundTruthKeys",
    "ModelPerformanceSignal", "PredictionDriftSignal", "SignalKeys",
]  # fmt: skip


def _dimensions(value: Any) -> Any:
    """A list of columns, each once; one alone needs no list."""
    names = many(value)
    twice = sorted({name for name in names if isinstance(name, str) and names.count(name) > 1})
    if twice:
        raise complain(f"{', '.join(map(repr, twice))} is listed twice")
    return names


Dimensions = Annotated[tuple[Name, ...], BeforeValidator(_dimensions, json_schema_input_type=Name | tuple[Name, ...])]


class BinningKeys(Shape):
    """In which bins numerical columns are compared."""

    method: Annotated[str, OneOf(tuple(BinningMethod))] | None = key(
        default=None,
        description="`quantile` (the baseline's, deciles by default), `equal_width`, `median_centered` or `edges`.",
    )
    bins: int = key(default=10, ge=2, le=1000, description="How many.")
    edges: tuple[Annotated[float, Field(allow_inf_nan=False)], ...] = key(
        default=(), description="Your own edges, ascending; the first and the last bin are open-ended."
    )

    def complaints(self) -> Iterator[Complaint]:
        wants_edges = self.method == BinningMethod.EDGES
        if wants_edges and not self.edges:
            yield Complaint(("edges",), "is missing", "method edges needs them")
        if self.edges and self.method and not wants_edges:
            yield Complaint(("edges",), f"cannot go with method {self.method}", "keep one of them")
        if list(self.edges) != sorted(set(self.edges)):
            yield Complaint(("edges",), "are not in ascending order", "each once, from the lowest")


class GroundTruthKeys(Shape):
    """How labels that come late are dealt with."""

    max_delay: FixedLength | None = key(
        default=None,
        description="A label that became known later than this after the window's end does not count; needs the ground "
        "truth's `timestamp`.",
    )
    min_coverage: float = key(
        default=0.0, ge=0, le=1, description="Below this share of labelled rows performance is not final."
    )
    below_coverage: Annotated[str, OneOf(("insufficient_data", "provisional"))] = key(
        default="insufficient_data",
        description="What it is then: `insufficient_data` (not judged) or `provisional` (judged, and said so).",
    )
    revise_within: FixedLength = key(
        default="P30D",
        description="Runs that were due within this time before are evaluated again when their labels change; `P0D` "
        "for none.",
    )


class _Signal(Shape):
    production_data: OneOrMore | None = key(
        default=None,
        description="The data to watch, or several datasets joined by correlation id; when left out, the model's.",
    )
    reference_data: ReferenceData | None = key(
        default=None,
        description="What it is compared with; the model's baseline when left out, or else the recent past.",
    )
    data_segment: DataSegment | None = key(
        default=None, description="Only the rows of which a feature has one of these values, on every side."
    )
    filters: Filters = key(
        default=(), description="Only the rows that pass all of these, on every side; with `data_segment` both."
    )
    alert_enabled: bool | None = key(
        default=None, description="Whether breaches alert; true when the monitor has an `alert_notification`."
    )
    min_rows: int = key(default=1, ge=0, description="With fewer rows a check is `insufficient_data`.")
    properties: Properties = key(default_factory=dict, description="Anything you want to keep with the signal.")


OVERRIDE = "`numerical` or `categorical`, by feature, where the data's type misleads."


class _ColumnSignal(_Signal):
    feature_type_override: FeatureKinds = key(default_factory=dict, description=OVERRIDE)
    binning: BinningKeys = key(default=BinningKeys(), description="How numerical columns are binned to be compared.")
    nulls: Annotated[str, OneOf(("bin", "drop"))] = key(
        default="bin", description="`bin`: nulls are a bin of their own; `drop`: they are left out."
    )
    max_categories: int = key(
        default=1000, ge=1, description="More categories of the baseline than this are counted together as `other`."
    )
    explain_by: Dimensions = key(
        default=(),
        description="Columns whose values may have carried a shift: a breach says how much of it each value carries.",
    )


class _FeatureSignal(_ColumnSignal):
    features: FeatureChoice = key(
        default=None, description="A list of names, `all_features`, or `{top_n_feature_importance: 10}`."
    )
    feature_importance: bool | None = key(
        default=None,
        description="Whether a feature's rows say how much it matters to the baseline's target; true when "
        "`reference_data` names its `target_column`.",
    )

    def complaints(self) -> Iterator[Complaint]:
        yield from self._not_watched(self.feature_type_override, "feature_type_override")
        if isinstance(self.features, TopFeatures) and self.feature_importance is False:
            yield Complaint(("feature_importance",), "cannot go with top_n_feature_importance", "leave it out")

    def _not_watched(self, named: Iterable[str], *path: str) -> Iterator[Complaint]:
        for name in named:
            if isinstance(self.features, tuple) and name not in self.features:
                hint = did_you_mean(name, list(self.features))
                yield Complaint((*path, name), "is not one of the signal's features", hint)


class DataDriftSignal(_FeatureSignal):
    """Have the model's inputs changed?"""

    type: Literal["data_drift"] = key(description="`data_drift`.")
    metric_thresholds: DriftThresholds = key(
        default=DriftThresholds(),
        description="By default `normalized_wasserstein_distance` 0.1 for numerical and `jensen_shannon_distance` 0.1 "
        "for categorical features.",
    )

    def complaints(self) -> Iterator[Complaint]:
        yield from super().complaints()
        yield from self._not_watched(self.metric_thresholds.features, "metric_thresholds", "features")


class DataQualitySignal(_FeatureSignal):
    """Are values missing, of the wrong type, or outside what the baseline has?"""

    type: Literal["data_quality"] = key(description="`data_quality`.")
    metric_thresholds: QualityThresholds = key(
        default=QualityThresholds(),
        description="By default `null_value_rate`, `data_type_error_rate` and `out_of_bounds_rate`, each 0.01 above "
        "the baseline's.",
    )

    def complaints(self) -> Iterator[Complaint]:
        yield from super().complaints()
        yield from self._not_watched(self.metric_thresholds.features, "metric_thresholds", "features")


class PredictionDriftSignal(_ColumnSignal):
    """Have the model's predictions changed?"""

    type: Literal["prediction_drift"] = key(description="`prediction_drift`.")
    metric_thresholds: DriftThresholds = key(default=DriftThresholds(), description="The same defaults as data drift.")


class FeatureAttributionDriftSignal(_Signal):
    """Do the features still matter to the model as they did?"""

    type: Literal["feature_attribution_drift"] = key(description="`feature_attribution_drift`.")
    features: FeatureList = key(
        default=None, description="A list of names, or `all_features`: those that production and baseline both have."
    )
    feature_type_override: FeatureKinds = key(default_factory=dict, description=OVERRIDE)
    metric_thresholds: AttributionThresholds = key(
        default_factory=dict, description="By default `normalized_discounted_cumulative_gain` 0.9."
    )


class ModelPerformanceSignal(_Signal):
    """Is the model still right?"""

    type: Literal["model_performance"] = key(description="`model_performance`.")
    metric_thresholds: PerformanceThresholds = key(
        default=PerformanceThresholds(),
        description="By default Azure's three metrics of the target's `ml_task`, recorded and not judged.",
    )
    positive_class: Text | None = key(
        default=None, description="The label that binary metrics are about; found where it is plain."
    )
    ground_truth: GroundTruthKeys = key(default=GroundTruthKeys(), description="What happens to labels that come late.")
    fairness: FairnessList = key(
        default=(),
        description="Which segments are compared with which, for `metric_thresholds.fairness`; by default all three of "
        "its metrics, each a breach outside of 0.8 to 1.25.",
    )

    def complaints(self) -> Iterator[Complaint]:
        if self.metric_thresholds.fairness and not self.fairness:
            yield Complaint(("fairness",), "is missing", "which segment is compared with which?")
        names = [each.name for block in self.fairness for each in block.compared()]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield Complaint(("fairness",), f"{name!r} is compared twice")


SignalKeys = Annotated[
    DataDriftSignal
    | PredictionDriftSignal
    | DataQualitySignal
    | FeatureAttributionDriftSignal
    | ModelPerformanceSignal
    | CustomSignal
    | TokenStatisticsSignal
    | SafetyQualitySignal,
    Field(discriminator="type"),
    BeforeValidator(lower_type),
]
