"""From the keys of a generating model's signals to what is evaluated."""

from engine.definitions.custom_compiler import component_of
from engine.definitions.datasets import Datasets, Setting
from engine.definitions.generation_keys import ANSWER_ROLES, TOKEN_ROLES, SafetyQualitySignal, TokenStatisticsSignal
from engine.definitions.sentences import Report
from engine.monitor import Connection, Context, Data, Generation, MetricRequest, Signal, SignalType
from signals.catalogue import Family, metrics_of
from signals.metrics import METRICS
from signals.pass_rates import pass_rate_of

__all__ = ["compile_generation"]


def compile_generation(
    name: str, keys: TokenStatisticsSignal | SafetyQualitySignal, setting: Setting, report: Report
) -> Signal | None:
    """The signal; None after a report."""
    before = len(report.problems)
    production = Datasets(setting, report).production(keys.production_data, Context.MODEL_INPUTS_OUTPUTS)
    if production and len(production) > 1:
        _report_missing_ids(production, report)
    generation = _answers(keys, setting, report) if isinstance(keys, SafetyQualitySignal) else _tokens(keys)
    if production is None or generation is None or len(report.problems) > before:
        return None
    return Signal(
        name=name,
        type=SignalType(keys.type),
        production=production,
        reference=None,
        metrics=_qualities(keys) if isinstance(keys, SafetyQualitySignal) else _counts(keys),
        min_rows=keys.min_rows,
        alert_enabled=setting.alerts if keys.alert_enabled is None else keys.alert_enabled,
        properties=dict(keys.properties),
        generation=generation,
    )


def _report_missing_ids(production: tuple[Data, ...], report: Report) -> None:
    for place, data in enumerate(production):
        if not data.columns.correlation_id:
            key = ("production_data", place, "data_column_names", "correlation_id")
            report.add(key, "is missing", "several datasets are joined by it")


def _roles(keys: TokenStatisticsSignal | SafetyQualitySignal, roles: tuple[str, ...]) -> dict[str, str]:
    """By role the column; of several datasets the first that says it."""
    blocks = [block.data_column_names for block in keys.production_data or ()]
    return {role: found[0] for role in roles if (found := [name for block in blocks if (name := getattr(block, role))])}


def _tokens(keys: TokenStatisticsSignal) -> Generation:
    return Generation(_roles(keys, TOKEN_ROLES))


def _counts(keys: TokenStatisticsSignal) -> tuple[MetricRequest, ...]:
    """Every count, as Azure records them; the one of groups where it is asked for or there is a group."""
    asked = keys.metric_thresholds.totaltoken
    return tuple(
        MetricRequest(each.name, asked[each.name][0].threshold_of(each) if each.name in asked else None)
        for each in metrics_of(Family.TOKENS)
    )


def _answers(keys: SafetyQualitySignal, setting: Setting, report: Report) -> Generation | None:
    component = component_of(keys.scoring_component or "", "scoring_component", setting, report)
    if component is None:
        return None
    named = keys.metric_thresholds.named
    return Generation(
        columns=_roles(keys, ANSWER_ROLES),
        component=component,
        sampling_rate=keys.sampling_rate,
        acceptable={
            pass_rate_of(quality): threshold.acceptable_score_per_instance for quality, threshold in named.items()
        },
        connection=keys.connection.connection if keys.connection else Connection(),
    )


def _qualities(keys: SafetyQualitySignal) -> tuple[MetricRequest, ...]:
    named = {pass_rate_of(quality): threshold for quality, threshold in keys.metric_thresholds.named.items()}
    return tuple(
        MetricRequest(name, each.aggregated_pass_rate[0].threshold_of(METRICS[name])) for name, each in named.items()
    )
