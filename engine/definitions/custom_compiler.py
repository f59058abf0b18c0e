"""From the keys of a custom signal to what its component is called with."""

from engine.definitions.custom_keys import CustomSignal, CustomThreshold, LiteralInput
from engine.definitions.data_keys import InputData
from engine.definitions.datasets import Datasets, Setting
from engine.definitions.sentences import Report
from engine.definitions.sources import source_of
from engine.definitions.unknown import UnknownNameError
from engine.monitor import Component, Connection, Custom, MetricRequest, Scalar, Signal, SignalType
from engine.windows import default_window
from signals.thresholds import Operator

__all__ = ["compile_custom", "component_of"]


def compile_custom(name: str, keys: CustomSignal, setting: Setting, report: Report) -> Signal | None:
    """The signal; None after a report."""
    before = len(report.problems)
    component = component_of(keys.component_id, "component_id", setting, report)
    datasets = Datasets(setting, report)
    data = {each: datasets.of_component(each, block) for each, block in keys.input_data.items()}
    literals = {each: _literal(value, setting, report.at("inputs", each)) for each, value in keys.inputs.items()}
    if component is None or len(report.problems) > before:
        return None
    found = {each: one for each, one in data.items() if one}
    custom = Custom(
        component=component,
        data=found,
        window=next((one.window for one in found.values() if one.window), None)
        or default_window(setting.trigger, "production"),
        whole_if_undated=frozenset(each for each, block in keys.input_data.items() if block.window is None),
        literals=literals,
        operators={each.metric_name: _operator(each) for each in keys.metric_thresholds},
        connection=keys.connection.connection if keys.connection else Connection(),
    )
    return Signal(
        name=name,
        type=SignalType.CUSTOM,
        production=(),
        reference=None,
        metrics=tuple(
            MetricRequest(each.metric_name, each.threshold_from(Operator.GREATER_THAN))
            for each in keys.metric_thresholds
        ),
        min_rows=0,  # nobody but the component knows how many rows its numbers stand on
        alert_enabled=setting.alerts if keys.alert_enabled is None else keys.alert_enabled,
        properties=dict(keys.properties),
        custom=custom,
    )


def component_of(reference: str, key: str, setting: Setting, report: Report) -> Component | None:
    """The component of a name; None after a report at its key."""
    try:
        return setting.library.component(reference)
    except UnknownNameError as error:
        report.add((key,), error.message, error.hint)
        return None


def _operator(threshold: CustomThreshold) -> Operator:
    return threshold.operator_from(Operator.GREATER_THAN) or Operator.GREATER_THAN


def _literal(written: LiteralInput, setting: Setting, report: Report) -> Scalar:
    if written.path is None:
        return written.value
    source = source_of(InputData(path=written.path, type=written.type), setting.folder, setting.library, report)
    return (source.path or "") if source else ""
