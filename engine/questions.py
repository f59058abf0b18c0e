"""What does a performance signal ask of which data? The same question has the same answer, whoever asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from json import dumps

from engine.batches import Dataset, Span
from engine.buckets import WHOLE
from engine.errors import DataError
from engine.joins import ORPHAN_LOOKBACK, Measure, Pair, RankedBy, Wanted
from engine.label_rows import label_type
from engine.monitor import Columns, MetricRequest, Signal
from engine.pieces import cutoffs_of
from engine.plan import SignalPlan
from engine.readings import Readings
from engine.roles import require
from engine.scanning import span_of
from engine.segments import segment_of, split
from engine.store.outcomes import OutcomeKey
from engine.windows import Window, resolve
from signals.catalogue import Family
from signals.fairness import NEEDS_NO_LABEL
from signals.metrics import METRICS
from signals.rankings import AT_K
from signals.segments import EVERYTHING, Segment

__all__ = ["Question", "asked_by", "earlier_windows", "span_needed", "wanted_of"]

OF_ALL_LABELS = {"orphan_ground_truth_rate", "duplicate_ground_truth_rate"}
"""Metrics that are not only about labels that have a prediction."""


@dataclass(frozen=True)
class Question:
    """One signal's question, with the data that can answer it.

    Attributes:
        production, roles: the predictions.
        truth, truth_roles: the labels; None where the predictions already carry them.
        measure: what is counted.
        key: under which the answer is kept.
        max_delay: how long after a window's end its labels still count; None: for ever.
        step: the length of buckets. Ranked items are counted in one bucket a window, so that no group is cut apart.
        windows: those that are due, in order.
        earlier: those that were evaluated before and are looked at again, by scheduled time.
        segment: the rows' name in results.
    """

    production: Dataset
    roles: Columns
    truth: Dataset | None
    truth_roles: Columns
    measure: Measure
    key: OutcomeKey
    max_delay: timedelta | None
    step: timedelta
    windows: tuple[Window, ...]
    earlier: Mapping[datetime, Window]
    segment: str

    @property
    def sides(self) -> str:
        """Equal for questions that one join can answer."""
        ids = (self.roles.correlation_id, self.truth_roles.correlation_id)
        ranked_by = self.measure.ranked_by
        columns = (ranked_by.group, ranked_by.rank) if ranked_by else None
        key = (self.key.dataset, self.key.truth)
        return repr((id(self.production), id(self.truth), *key, ids, self.max_delay, columns))

    @property
    def cutoffs(self) -> dict[Window, tuple[datetime | None, ...]]:
        """By bucket of the windows that are due the cutoffs that its state is needed at."""
        return cutoffs_of(self.windows, self.step, self.max_delay)

    @property
    def earlier_cutoffs(self) -> dict[Window, tuple[datetime | None, ...]]:
        """The same of earlier windows."""
        return cutoffs_of(self.earlier.values(), self.step, self.max_delay)


def earlier_windows(plan: SignalPlan, times: Sequence[datetime]) -> dict[datetime, Window]:
    """The windows of these scheduled times that are not due now, and not too long ago to be looked at again."""
    definition, last = plan.signal.production[0].window, max(plan.windows)
    first = last - plan.signal.ground_truth.revise_within
    if definition is None:
        return {}
    return {time: resolve(definition, time) for time in times if first <= time < last and time not in plan.windows}


def span_needed(plan: SignalPlan, earlier: Mapping[datetime, Window]) -> Span:
    """The stretch of predictions that a signal's question needs."""
    span = span_of((*plan.distinct_windows, *earlier.values()))
    if Wanted.ORPHANS in wanted_of(plan.signal) and span.start:
        return Span(span.start - ORPHAN_LOOKBACK, span.end)
    return span


def asked_by(plan: SignalPlan, earlier: Mapping[datetime, Window], readings: Readings) -> Question:
    """The signal's question.

    Raises:
        DataError: when its data cannot be read, or lack a column that it needs.
    """
    signal = plan.signal
    production, roles = readings.opened(signal.production, span_needed(plan, earlier))
    require(production.title, "timestamp", roles.timestamp, production.columns)
    for role, name in (("prediction", roles.prediction), ("score", roles.score)):
        if name is not None:
            require(production.title, role, name, production.columns)
    if production.by_window and Wanted.ORPHANS in wanted_of(signal):
        hint = "let the component return one, or leave out orphan_ground_truth_rate and duplicate_ground_truth_rate"
        raise DataError(f"{production.title} has no timestamp to tell by whether a label is an orphan: {hint}")
    truth, truth_roles = None, roles
    if signal.reference is not None:
        truth, truth_roles = readings.opened((signal.reference,), Span())
        require(production.title, "correlation_id", roles.correlation_id, production.columns)
        require(truth.title, "correlation_id", truth_roles.correlation_id, truth.columns)
    side = production if truth is None else truth
    pair = Pair(roles.prediction, roles.score, require(side.title, "actual", truth_roles.actual, side.columns))
    measure, segment = _measure(signal, pair, (production, roles), (side, truth_roles))
    return Question(
        production,
        roles,
        truth,
        truth_roles,
        measure,
        _key(signal, measure, readings, roles, truth_roles),
        signal.ground_truth.max_delay if truth else None,
        WHOLE if measure.ranked_by or production.by_window else plan.step,
        plan.distinct_windows,
        earlier,
        segment.name,
    )


def wanted_of(signal: Signal) -> Wanted:
    """What is counted for a signal's metrics; its segments ask for themselves (`engine.scored`)."""
    metrics = {request.metric for request in signal.metrics if not (signal.fairness and _is_fairness(request))}
    families = {METRICS[metric].family for metric in metrics}
    wanted = Wanted.OUTCOMES if families & {Family.CLASSIFICATION, Family.FAIRNESS} else Wanted(0)
    wanted |= Wanted.ERRORS if Family.REGRESSION in families else Wanted(0)
    wanted |= Wanted.NAIVE if "mase" in metrics else Wanted(0)
    wanted |= Wanted.PREDICTIONS if metrics & NEEDS_NO_LABEL else Wanted(0)
    wanted |= Wanted.RANKINGS if Family.RANKING in families else Wanted(0)
    # A label without a prediction is in no segment.
    of_all = metrics & OF_ALL_LABELS and signal.reference is not None and not signal.filters
    return wanted | (Wanted.ORPHANS if of_all else Wanted(0))


def _measure(
    signal: Signal, pair: Pair, production: tuple[Dataset, Columns], truth: tuple[Dataset, Columns]
) -> tuple[Measure, Segment]:
    """What is counted, and of which rows: what production tells is asked before labels are joined."""
    of_production, of_truth = split(signal.filters)
    if production[0] is truth[0]:
        of_production, of_truth = signal.filters, ()
    predicted = segment_of(of_production, production[1], production[0].title, production[0].columns)
    actual = {pair.actual: label_type(truth[0].columns, pair.actual)}
    labelled = segment_of(of_truth, truth[1], truth[0].title, actual)
    segment = Segment((*predicted.conditions, *labelled.conditions))
    # Both sides may have a column of the same name, so that their names are not put together.
    name = predicted.name if labelled == EVERYTHING else f"{predicted.name} with {labelled.name}"
    ranked_by = _ranked_by(signal, *production)
    return Measure(pair, wanted_of(signal), predicted, labelled, name, ranked_by), segment


def _is_fairness(request: MetricRequest) -> bool:
    return METRICS[request.metric].family is Family.FAIRNESS


def _ranked_by(signal: Signal, production: Dataset, roles: Columns) -> RankedBy | None:
    """How the signal's items are ranked; None where no metric asks."""
    asked = [request for request in signal.metrics if METRICS[request.metric].family is Family.RANKING]
    if not asked:
        return None
    group = require(production.title, "group", roles.group, production.columns)
    if roles.rank is not None:
        require(production.title, "rank", roles.rank, production.columns)
    ats = sorted({request.at for request in asked if request.metric in AT_K}, key=lambda at: at or 0)
    return RankedBy(group, roles.rank, tuple(ats), signal.positive_class)


def _key(signal: Signal, measure: Measure, readings: Readings, roles: Columns, truth_roles: Columns) -> OutcomeKey:
    dataset, truth = readings.key(signal.production, roles), "none"
    if signal.reference is not None:
        ids = (roles.correlation_id, truth_roles.correlation_id)
        how = (readings.key((signal.reference,), truth_roles), *ids, signal.ground_truth.max_delay)
        truth = blake2b(repr(how).encode(), digest_size=8).hexdigest()
    pair = dumps([measure.pair.prediction, measure.pair.score, measure.pair.actual], ensure_ascii=False)
    return OutcomeKey(dataset, truth, pair, measure.counted, measure.segment)
