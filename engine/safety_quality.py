"""The quality of a generating model's answers: a sample is scored by a component of the user's own, and counted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from engine.answer_scores import scores_in
from engine.answered import Answered, answered_each
from engine.batches import Dataset
from engine.component_modules import source_digest
from engine.components import iso, read_from
from engine.errors import DataError
from engine.frames import frame_of
from engine.measured import DATASET, Measured
from engine.monitor import Columns, Component, Generation, MetricRequest
from engine.plan import SignalPlan
from engine.readings import Readings
from engine.roles import require
from engine.scanning import span_of
from engine.spark import collect
from engine.store import Store
from engine.windows import Window
from signals.measurement import Measurement, Undefined
from signals.metrics import METRICS
from signals.pass_rates import QUALITIES, Scores, pass_rate_of

__all__ = ["answer_safety_quality"]

USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "prompt": ("prompt", "question", "input"),
    "completion": ("completion", "answer", "output"),
    "context": ("context",),
    "ground_truth": ("ground_truth",),
}
ID = "correlation_id"
PARTS = 1_000_000
"""Of the range of hashes: what a sampling rate is told in."""
QUALITY_OF = {pass_rate_of(quality): quality for quality in QUALITIES}
OUTPUT = "scores"


def answer_safety_quality(
    plans: Sequence[SignalPlan], readings: Readings, store: Store | None, *, refresh: bool
) -> list[Answered]:
    """Have a sample of each window's answers scored; nothing of it is kept, so a component is always called."""
    del store, refresh
    for plan in plans:
        readings.expect(plan.signal.production, span_of(plan.distinct_windows))
    return [_answered(plan, readings) for plan in plans]


def _answered(plan: SignalPlan, readings: Readings) -> Answered:
    try:
        scoring = _Scoring(plan, readings)
    except DataError as error:
        return Answered(plan, trouble=readings.failed(error))
    return answered_each(plan, readings, scoring.at)


class _Scoring:
    """A signal's answers and the component that scores them; times of one window are one call.

    Raises:
        DataError: the data cannot be read, or nothing tells which columns are the prompt and the answer.
    """

    def __init__(self, plan: SignalPlan, readings: Readings) -> None:
        assert plan.signal.generation
        assert plan.signal.generation.component
        self._plan, self._readings = plan, readings
        self._asked: Generation = plan.signal.generation
        self._component: Component = plan.signal.generation.component
        dataset, roles = readings.opened(plan.signal.production, span_of(plan.distinct_windows))
        require(dataset.title, "timestamp", roles.timestamp, dataset.columns)
        self._dataset, self._roles = dataset, roles
        self._columns = _columns(dataset, roles, self._asked.columns)
        self._found: dict[Window, dict[str, Scores | Undefined]] = {}

    def at(self, time: datetime) -> list[Measured]:
        """The pass rates at a scheduled time."""
        window = self._plan.windows[time]
        if window not in self._found:
            self._found[window] = self._scored(window)
        evidence = {
            "component": self._component.name,
            "component_digest": source_digest(self._component),
            "sampling_rate": self._asked.sampling_rate,
        }
        return [
            self._answer(request, self._found[window][request.metric], evidence)
            for request in self._plan.signal.metrics
        ]

    def _answer(self, request: MetricRequest, scores: Scores | Undefined, evidence: Mapping[str, object]) -> Measured:
        if isinstance(scores, Undefined):
            return Measured(DATASET, request, scores)
        result = METRICS[request.metric].compute(scores)
        if isinstance(result, Measurement):
            least = self._asked.acceptable[request.metric]
            result = replace(result, details={**result.details, **evidence, "acceptable_score": least})
        return Measured(DATASET, request, result, scores.rows)

    def _scored(self, window: Window) -> dict[str, Scores | Undefined]:
        rows = frame_of(self._dataset, self._roles, window, tuple(dict.fromkeys(self._columns.values())))
        rows = rows.select(*(_column(name).alias(role) for role, name in self._columns.items()))
        chosen = _chosen(rows, self._asked.sampling_rate)
        sizes = collect(rows.select(chosen.cast("long").alias("chosen")).agg(F.count("*"), F.sum("chosen")))
        count, sampled = (sizes.column(place)[0].as_py() or 0 for place in (0, 1))
        if not sampled:
            return dict.fromkeys(self._asked.acceptable, Scores(count, 0, 0, 0))
        return self._called(rows.where(chosen), window, count, sampled)

    def _called(self, sample: DataFrame, window: Window, count: int, sampled: int) -> dict[str, Scores | Undefined]:
        acceptable = {QUALITY_OF[name]: least for name, least in self._asked.acceptable.items()}
        given = {
            "data_window_start": iso(window.start),
            "data_window_end": iso(window.end),
            "metrics": [*acceptable],
            "production_data": sample,
        }
        found = read_from(
            self._readings.spark,
            self._component,
            self._asked.connection,
            given,
            OUTPUT,
            lambda returned: scores_in(self._component.name, returned, acceptable, count, sampled),
        )
        return {pass_rate_of(quality): scores for quality, scores in found.items()}


# ------------------------------------------------------------------------------------------------------ the sample


def _columns(dataset: Dataset, roles: Columns, declared: Mapping[str, str]) -> dict[str, str]:
    """By role the column: as declared, or else by its usual name."""
    found = {role: require(dataset.title, role, name, dataset.columns) for role, name in declared.items()}
    for role, names in USUAL_NAMES.items():
        usual = next((name for name in names if name in dataset.columns), None)
        if role not in found and usual:
            found[role] = usual
    for role in ("prompt", "completion"):
        require(dataset.title, role, found.get(role), dataset.columns)
    if roles.correlation_id in dataset.columns:
        found[ID] = str(roles.correlation_id)
    return {role: found[role] for role in (*USUAL_NAMES, ID) if role in found}


def _chosen(rows: DataFrame, rate: float) -> Column:
    """Whether a row is scored: by a hash of its id, or else of what was said, so that it is the same in every run."""
    said = F.concat_ws(" ", F.col("prompt").cast("string"), F.col("completion").cast("string"))
    known = F.coalesce(F.col(ID).cast("string"), said) if ID in rows.columns else said
    return F.pmod(F.xxhash64(known), F.lit(PARTS)) < F.lit(round(rate * PARTS))


def _column(name: str) -> Column:
    return F.col(f"`{name.replace('`', '``')}`")
