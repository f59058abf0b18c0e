"""What a user asked for, in the engine's own words: frozen, complete, every default filled in.

YAML (`engine.definitions`), and later GraphQL, compile to these; nothing behind them knows how they were spelt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.sources import (
    Columns,
    Component,
    Context,
    Data,
    FixedWindow,
    LookbackWindow,
    Source,
    TimeFormat,
    WindowDefinition,
)
from signals.alerting import AlertRule
from signals.binning import Binning
from signals.catalogue import Kind
from signals.conditions import FilterOperator
from signals.thresholds import Operator, Threshold

if TYPE_CHECKING:
    from engine.downtime import Downtime
    from engine.triggers import Trigger

__all__ = [
    "PROFILED", "Columns", "Component", "Connection", "Context", "Custom", "Data", "Fairness", "Features", "Filter",
    "FilterDimension", "FixedWindow", "Generation", "GroundTruth", "LookbackWindow", "MetricRequest", "Monitor",
    "Scalar", "Signal", "SignalType", "Source", "TimeFormat", "WindowDefinition",
]  # fmt: skip


class SignalType(StrEnum):
    DATA_DRIFT = "data_drift"
    PREDICTION_DRIFT = "prediction_drift"
    DATA_QUALITY = "data_quality"
    MODEL_PERFORMANCE = "model_performance"
    FEATURE_ATTRIBUTION_DRIFT = "feature_attribution_drift"
    CUSTOM = "custom"
    GENERATION_TOKEN_STATISTICS = "generation_token_statistics"
    GENERATION_SAFETY_QUALITY = "generation_safety_quality"


PROFILED = frozenset({SignalType.DATA_DRIFT, SignalType.PREDICTION_DRIFT, SignalType.DATA_QUALITY})
"""The signals that are measured on profiles of columns."""


@dataclass(frozen=True)
class GroundTruth:
    """How labels are joined.

    Attributes:
        max_delay: a label that became known after the window's end counts only within this time; None: always.
        min_coverage: below this share of labelled rows performance is not final, in [0, 1].
        below_coverage: what performance rows then are: ``insufficient_data`` or ``provisional`` (a reason on a row
            that is still judged).
        revise_within: runs that were due so much earlier are evaluated again when their labels change.
    """

    max_delay: timedelta | None = None
    min_coverage: float = 0.0
    below_coverage: str = "insufficient_data"
    revise_within: timedelta = timedelta(days=30)


@dataclass(frozen=True)
class Features:
    """Which features a signal watches: all of them (`names` None) or these.

    Attributes:
        names: a list of them.
        type_override: how they are read, where the data's type misleads.
        top_n_importance: of all of them so many, those that matter most to the baseline's target.
        importance: whether their rows say how much they matter.
    """

    names: tuple[str, ...] | None = None
    type_override: Mapping[str, Kind] = field(default_factory=dict[str, Kind])
    top_n_importance: int | None = None
    importance: bool = False


class FilterDimension(StrEnum):
    """What of the model a filter asks about."""

    FEATURE = "feature"
    TAG = "tag"
    """A column that the model does not use, such as a region."""
    PREDICTION_CLASS = "prediction_class"
    """The predicted label, or number."""
    PREDICTION_SCORE = "prediction_score"
    ACTUAL_CLASS = "actual_class"
    """The true label, or number."""
    ACTUAL_SCORE = "actual_score"


@dataclass(frozen=True)
class Filter:
    """One condition on the rows that a signal is about.

    Attributes:
        dimension: what it asks about.
        name: the column of a feature or a tag; None for the others, whose column a role names.
        operator: how a row's value stands to the values.
        values: as texts; how they are read is up to the column's type (`signals.conditions.Condition`).
    """

    dimension: FilterDimension
    name: str | None
    operator: FilterOperator
    values: tuple[str, ...]


@dataclass(frozen=True)
class MetricRequest:
    """One metric with its threshold.

    Attributes:
        metric: its canonical name in `signals.catalogue.METRICS`.
        kind: only features of this kind; None: all that the metric is defined for.
        threshold: how a value is judged; None: it is recorded and not judged.
        feature: only this feature (a per-feature threshold, which wins over the general one).
        label: the class of `multi_class_precision` and `multi_class_recall`.
        at: how many items of a group ranking metrics look at, the first ones; None: all.
    """

    metric: str
    threshold: Threshold | None
    kind: Kind | None = None
    feature: str | None = None
    label: str | None = None
    at: int | None = None


@dataclass(frozen=True)
class Fairness:
    """A segment that is compared with a base segment, each of them rows that pass all filters.

    Attributes:
        name: what result rows call the segment.
    """

    name: str
    segment: tuple[Filter, ...]
    base: tuple[Filter, ...]


Scalar = str | float | bool


@dataclass(frozen=True)
class Connection:
    """Environment variables for a component.

    Attributes:
        environment: with their values.
        secrets: with the name of the one in this process's environment that holds the secret.
    """

    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    secrets: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


@dataclass(frozen=True)
class Custom:
    """What the component of a custom signal is called with.

    Attributes:
        component: the component.
        data: its datasets by the name of the argument; a window of None: whole.
        window: the signal's own window: its first dataset's that has one, or else the trigger's.
        whole_if_undated: the datasets that nobody asked to cut, and that are used whole where they have no timestamp.
        literals: its other arguments by name.
        operators: by metric, how a value that breaches stands to a threshold that the component returns.
        connection: variables that are set while it runs.
    """

    component: Component
    data: Mapping[str, Data]
    window: WindowDefinition
    whole_if_undated: frozenset[str] = frozenset()
    literals: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    operators: Mapping[str, Operator] = field(default_factory=dict[str, Operator])
    connection: Connection = Connection()


@dataclass(frozen=True)
class Generation:
    """What a signal of a generating model reads of its logged requests.

    Attributes:
        columns: by role the column: of token statistics ``prompt_tokens``, ``completion_tokens``, ``total_tokens`` and
            ``group``, of answers ``prompt``, ``completion``, ``context`` and ``ground_truth``.
        component: scores answers; None: nobody does.
        sampling_rate: which share of the requests is scored, in (0, 1].
        acceptable: by metric the least score that passes.
        connection: variables that are set while the component runs.
    """

    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    component: Component | None = None
    sampling_rate: float = 1.0
    acceptable: Mapping[str, float] = field(default_factory=dict[str, float])
    connection: Connection = Connection()


@dataclass(frozen=True)
class Signal:
    """A family of checks over the same data.

    Attributes:
        production: one dataset, or several to be joined by correlation id; none for a custom signal.
        reference: the baseline; for model_performance the ground truth, None when production is pre-joined.
        filters: the rows that it is about are those that pass them all, on every side; empty: all rows.
        min_rows: below this many rows a check is `insufficient_data`.
        positive_class: the label that binary performance metrics are about; None: found where it is plain.
        nulls: ``bin`` (nulls are a bin of their own) or ``drop``.
        fairness: which segments fairness metrics compare.
        explain_by: columns over whose values the shift of a breached feature is split.
        custom: what a custom signal's component is called with.
        generation: what a signal of a generating model reads.
    """

    name: str
    type: SignalType
    production: tuple[Data, ...]
    reference: Data | None
    metrics: tuple[MetricRequest, ...]
    features: Features = Features()
    binning: Binning = Binning()  # noqa: RUF009 - frozen
    filters: tuple[Filter, ...] = ()
    nulls: str = "bin"
    min_rows: int = 1
    max_categories: int = 1000
    explain_by: tuple[str, ...] = ()
    positive_class: str | None = None
    ground_truth: GroundTruth = GroundTruth()
    fairness: tuple[Fairness, ...] = ()
    alert_enabled: bool = True
    properties: Mapping[str, str] = field(default_factory=dict[str, str])
    custom: Custom | None = None
    generation: Generation | None = None

    @property
    def datasets(self) -> tuple[tuple[Data, ...], ...]:
        """What it reads; those that are joined, together."""
        alone = (*((self.reference,) if self.reference else ()), *(self.custom.data.values() if self.custom else ()))
        return (*((self.production,) if self.production else ()), *((each,) for each in alone))


@dataclass(frozen=True)
class Monitor:
    """A schedule with its signals (Azure's monitor)."""

    name: str
    signals: tuple[Signal, ...]
    trigger: "Trigger"
    display_name: str | None = None
    description: str | None = None
    ml_task: str | None = None
    model: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    emails: tuple[str, ...] = ()
    integrations: tuple[str, ...] = ()
    alerting: AlertRule = AlertRule()  # noqa: RUF009 - frozen
    downtime: "Downtime | None" = None
    """In it no server evaluates the monitor; what is asked for by hand is evaluated all the same."""
    config_hash: str = ""
    """A digest of the definition as written, which every result row carries."""
    path: Path | None = None

    @classmethod
    def from_yaml(cls, path: str | Path) -> "Monitor":
        """Read one monitor file.

        Raises:
            engine.errors.DefinitionError: with every problem of the file at once.
        """
        from engine.definitions import load_monitor

        return load_monitor(Path(path))

    @classmethod
    def from_dict(cls, definition: Mapping[str, Any], base: str | Path = ".") -> "Monitor":
        """Read a monitor from a mapping in the same schema; relative paths are relative to `base`."""
        from engine.definitions import monitor_from

        return monitor_from(definition, Path(base))
