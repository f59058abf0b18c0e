"""Do features still matter to the model as they did? Signals of the type `feature_attribution_drift`.

What the model says in production depends on its inputs in one way, and the baseline's target on the same columns in
another: both are asked for the features' importances, and the orders are compared.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from engine.answered import Answered
from engine.errors import DataError
from engine.importances import Answer, ImportanceRequest, feature_columns, importances_of
from engine.joined import JoinedDataset
from engine.kept_importances import kept_importances
from engine.measured import DATASET, Measured
from engine.monitor import Context
from engine.plan import SignalPlan
from engine.readings import Readings
from engine.roles import attribution_columns, target_of
from engine.sampling import SampledColumn
from engine.sides import Comparison, Side, open_sides
from engine.store import Store
from signals.attributions import Attributions
from signals.bins import ValueType
from signals.catalogue import Kind
from signals.measurement import Measurement, Undefined
from signals.metrics import METRICS

__all__ = ["answer_attribution"]


def answer_attribution(
    plans: Sequence[SignalPlan], readings: Readings, store: Store | None, *, refresh: bool
) -> list[Answered]:
    """See `engine.answered.Answerer`."""
    return [_answered(found, readings, store, refresh=refresh) for found in open_sides(plans, readings)]


@dataclass(frozen=True)
class _Sides:
    """What is asked of production and of the baseline, and which features only one of them has."""

    production: ImportanceRequest
    reference: ImportanceRequest
    left_out: tuple[str, ...]


def _answered(found: Comparison, readings: Readings, store: Store | None, *, refresh: bool) -> Answered:
    plan = found.plan
    if found.trouble or found.reference is None:
        return Answered(plan, trouble=found.trouble or readings.failed(DataError("there is no baseline")))
    try:
        sides = _sides(found)
        before = kept_importances(
            sides.reference, plan.distinct_baselines, found.reference.key, readings, store, refresh=refresh
        )
        now = importances_of(sides.production, plan.distinct_windows, readings)
    except DataError as error:
        return Answered(plan, trouble=readings.failed(error))
    segment = found.segment
    return Answered(
        plan,
        {
            time: [
                Measured(
                    DATASET,
                    request,
                    _compared(request.metric, now[window], before[plan.baselines[time]], sides.left_out),
                    now[window].rows,
                    segment=segment,
                )
                for request in plan.signal.metrics
            ]
            for time, window in plan.windows.items()
        },
    )


def _compared(metric: str, now: Answer, before: Answer, left_out: Sequence[str]) -> Measurement | Undefined:
    if isinstance(now.found, Undefined):
        return Undefined(f"production: {now.found.reason}")
    if isinstance(before.found, Undefined):
        return Undefined(f"the baseline: {before.found.reason}")
    result = METRICS[metric].compute(Attributions(now.found, before.found))
    if isinstance(result, Undefined) or not left_out:
        return result
    return replace(result, details={**result.details, "left_out": [*left_out]})


def _sides(found: Comparison) -> _Sides:
    """The same features of both sides, read as the baseline's are.

    Raises:
        DataError: a feature that the signal names is missing on one side.
    """
    signal, production, reference = found.plan.signal, found.production, found.reference
    assert production is not None
    assert reference is not None
    now, before = (_known(side, found.roles, signal.features.type_override) for side in (production, reference))
    wanted = signal.features.names
    for name in wanted or ():
        for side, known in ((production, now), (reference, before)):
            if name not in known:
                raise DataError(f"{side.dataset.title}: the importance of {name!r} cannot be told: no such feature")
    features = tuple(before[name] for name in before if name in now and (wanted is None or name in wanted))
    left_out = () if wanted else tuple(name for name in {**before, **now} if (name in before) != (name in now))
    task = found.plan.monitor.ml_task
    said = target_of(production.roles, truth=False)
    return _Sides(
        ImportanceRequest(production.dataset, production.roles, features, said, task, production.segment),
        ImportanceRequest(
            reference.dataset, reference.roles, features, target_of(reference.roles), task, reference.segment
        ),
        left_out,
    )


def _known(side: Side, roles: Collection[str], override: Mapping[str, Kind]) -> dict[str, SampledColumn]:
    """The features whose importance a side can tell: those with attributions, where it has any, or else its columns."""
    columns = side.dataset.columns
    attributed = attribution_columns(side.roles, columns)
    no_features = {*roles, *_outputs(side)}
    names = attributed or (name for name in columns if name not in no_features)
    found = {each.name: each for each in feature_columns(columns, {*names}, override)}
    absent = (name for name in attributed if name not in found)
    return found | {name: SampledColumn(name, ValueType.DOUBLE, Kind.NUMERICAL) for name in absent}


def _outputs(side: Side) -> set[str]:
    """The columns of a dataset of outputs, beside one of inputs: whatever the model said, it is no input."""
    if not isinstance(side.dataset, JoinedDataset):
        return set()
    parts = zip(side.datas, side.dataset.parts, strict=True)
    return {name for data, part in parts if data.context is Context.MODEL_OUTPUTS for name in part.columns}
