"""The straight line: definitions and scheduled times in, judged rows out.

    plan  ─►  profiles (kept, or one scan per dataset)  ─►  measurements  ─►  verdicts  ─►  signal_metrics

Spark counts, numpy compares. A signal whose data cannot be read has rows that say so; the others' results arrive, and
so do the other monitors'.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from pyspark.sql import DataFrame, SparkSession

from engine.answered import Answered, Answerer
from engine.attribution import answer_attribution
from engine.carriers import with_carriers
from engine.comparisons import compare
from engine.custom import answer_custom
from engine.errors import DataError
from engine.evaluations import Due, Evaluation, Work
from engine.monitor import PROFILED, Monitor, SignalType
from engine.plan import SignalPlan, plan_of
from engine.readings import Readings
from engine.records import Cost
from engine.results import RunStatus
from engine.safety_quality import answer_safety_quality
from engine.scored import Scored, score
from engine.sides import Comparison
from engine.spark import Meter
from engine.store import Store
from engine.token_statistics import answer_token_statistics

__all__ = ["Due", "Evaluation", "evaluate", "evaluate_all", "evaluate_together"]

Progress = Callable[[str], None]

ANSWERED_BY: Mapping[SignalType, Answerer] = {
    SignalType.CUSTOM: answer_custom,
    SignalType.FEATURE_ATTRIBUTION_DRIFT: answer_attribution,
    SignalType.GENERATION_TOKEN_STATISTICS: answer_token_statistics,
    SignalType.GENERATION_SAFETY_QUALITY: answer_safety_quality,
}
"""Who answers signals that are neither profiled nor joined with labels."""


def evaluate(
    spark: SparkSession,
    monitor: Monitor,
    scheduled_for: datetime,
    *,
    store: Store | None = None,
    now: datetime | None = None,
    frames: Mapping[str, DataFrame] | None = None,
) -> Evaluation:
    """Evaluate a monitor for one scheduled time.

    Args:
        spark: the caller's session, classic or Connect; nothing of it is changed.
        monitor: what to evaluate.
        scheduled_for: aware; the windows are computed from it, whenever this runs.
        store: where to keep results, frozen bins and profiles; None keeps nothing.
        now: what the clock says, for the record; the engine itself reads no clock (default: `scheduled_for`).
        frames: the caller's own DataFrames, by the name that the definition gives as `table`.

    Raises:
        DataError: when none of the monitor's data can be read; the store then holds a failed run that says why.
        StoreError: when results cannot be kept.
    """
    return evaluate_all(spark, monitor, [scheduled_for], store=store, now=now, frames=frames)[0]


def evaluate_all(
    spark: SparkSession,
    monitor: Monitor,
    times: Sequence[datetime],
    *,
    store: Store | None = None,
    now: datetime | None = None,
    frames: Mapping[str, DataFrame] | None = None,
    progress: Progress | None = None,
) -> list[Evaluation]:
    """Evaluate a monitor for several scheduled times, with every dataset read once for all of them; see `evaluate`."""
    due = [Due(monitor, tuple(times))]
    found = evaluate_together(spark, due, store=store, now=now, frames=frames, progress=progress)[0]
    if found[0].run.status is RunStatus.FAILED:
        raise DataError(found[0].run.error)
    return found


def evaluate_together(
    spark: SparkSession,
    due: Sequence[Due],
    *,
    store: Store | None = None,
    now: datetime | None = None,
    frames: Mapping[str, DataFrame] | None = None,
    progress: Progress | None = None,
    refresh: bool = False,
    revise: bool = False,
) -> list[list[Evaluation]]:
    """Evaluate several monitors, each for its times, with every dataset read once for all of them; see `evaluate`.

    Args:
        spark: as for `evaluate`.
        due: the monitors, each once.
        store: as for `evaluate`.
        now: as for `evaluate`.
        frames: as for `evaluate`.
        progress: is told what is being done.
        refresh: read again what is kept.
        revise: also evaluate again earlier runs whose labels have arrived since.

    Returns:
        For each monitor its evaluations in order of time. Those of a monitor whose data cannot be read are failed ones.
    """
    say = progress or (lambda _: None)
    readings = Readings(spark, frames or {})
    due = [each.and_also(()) for each in due]
    asked = {each.monitor.name: set(each.times) for each in due}
    with Meter(spark) as meter:
        due, scored = _scored(due, readings, store, say, refresh=refresh, revise=revise)
        say("reading production and baselines")
        plans = [plan for each in due for plan in plan_of(each.monitor, each.times)]
        compared = compare([plan for plan in plans if plan.signal.type in PROFILED], readings, store, refresh=refresh)
        answered = _answered(plans, readings, store, say, refresh=refresh)
        say("measuring")
        signals = (*scored, *compared, *answered)
        works = [Work(each, _of(each.monitor, signals), store, now or each.times[-1]) for each in due]
        rows = with_carriers([row for work in works for row in work.rows()], compared, readings, store)
    cost = Cost(readings, meter, sum(len(each.times) for each in due))
    found = [work.evaluations(rows, cost, asked[work.due.monitor.name]) for work in works]
    if store:
        say("writing results")
        every = [evaluation for own in found for evaluation in own]
        store.write([each.run for each in every], [row for each in every for row in each.rows])
    return found


def _answered(
    plans: Sequence[SignalPlan], readings: Readings, store: Store | None, say: Progress, *, refresh: bool
) -> list[Answered]:
    found: list[Answered] = []
    for kind, answer in ANSWERED_BY.items():
        if mine := [plan for plan in plans if plan.signal.type is kind]:
            say(f"answering {kind.value.replace('_', ' ')}")
            found += answer(mine, readings, store, refresh=refresh)
    return found


def _of(monitor: Monitor, found: Sequence[Comparison | Scored | Answered]) -> list[Comparison | Scored | Answered]:
    """What was found of a monitor's signals, in their order."""
    mine = {each.plan.signal.name: each for each in found if each.plan.monitor is monitor}
    return [mine[signal.name] for signal in monitor.signals]


def _labelled(plan: SignalPlan) -> bool:
    return plan.signal.type is SignalType.MODEL_PERFORMANCE


def _scored(
    due: Sequence[Due], readings: Readings, store: Store | None, say: Progress, *, refresh: bool, revise: bool
) -> tuple[list[Due], list[Scored]]:
    """The performance signals' states; and the due times with the earlier ones that labels have changed since."""
    labelled = [plan for each in due for plan in plan_of(each.monitor, each.times) if _labelled(plan)]
    if not labelled:
        return [*due], []
    say("joining predictions and ground truth")
    earlier = {each.monitor.name: _evaluated(each, store) for each in due} if revise and store else {}
    found = score(labelled, readings, store, earlier, refresh=refresh)
    return [each.and_also(_revised(each.monitor, found)) for each in due], found


def _evaluated(due: Due, store: Store) -> list[datetime]:
    """The monitor's runs that labels may have changed since."""
    within = [signal.ground_truth.revise_within for signal in due.monitor.signals]
    return store.completed(due.monitor.name, due.times[-1] - max(within), due.times[-1])


def _revised(monitor: Monitor, scored: Sequence[Scored]) -> list[datetime]:
    return [time for each in scored if each.plan.monitor is monitor for time in each.revised]
