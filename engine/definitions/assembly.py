"""Puts a monitor together from its document and the library, or says what stands in the way."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from engine.definitions.compiler import AnySignal, compile_signal, out_of_box
from engine.definitions.data_keys import InputData
from engine.definitions.datasets import Setting
from engine.definitions.digest import config_hash
from engine.definitions.document import Document
from engine.definitions.dynamic_keys import lookback_needed
from engine.definitions.library import Library, ModelFile, UnknownNameError
from engine.definitions.monitor_keys import MonitoringTarget, Schedule
from engine.definitions.sentences import Report
from engine.definitions.signal_keys import SignalKeys
from engine.definitions.sources import source_of
from engine.definitions.trigger_keys import CronTrigger, RecurrenceTrigger, TriggerKeys
from engine.downtime import Calendar, Downtime, interrupted
from engine.errors import Problem
from engine.monitor import Monitor, Signal, Source
from engine.triggers import Trigger
from signals.thresholds import DynamicThreshold

__all__ = ["assemble"]

DAILY = RecurrenceTrigger(type="recurrence", frequency="day")
"""Stands in for a trigger that is wrong while the rest is looked through."""

FAR = timedelta(days=3000)
"""From one leap day to the next it may be eight years."""

_TRIGGER: TypeAdapter[RecurrenceTrigger | CronTrigger] = TypeAdapter(TriggerKeys)
_TARGET: TypeAdapter[MonitoringTarget] = TypeAdapter(MonitoringTarget)
_INPUT: TypeAdapter[InputData] = TypeAdapter(InputData)
_SIGNAL: TypeAdapter[AnySignal] = TypeAdapter(SignalKeys)


def assemble(document: Document, library: Library, path: Path | None) -> tuple[Monitor | None, list[Problem]]:
    """The monitor, or None and every problem of its document."""
    report = Report(document)
    report.problems.extend(document.problems)
    if document.data is None:
        return None, report.problems
    try:
        schedule = Schedule.model_validate(document.data)
    except ValidationError as error:
        report.extend(error)
        _look_through(document.data, library, report)
        return None, sorted(set(report.problems))
    setting = _setting(schedule, library, report)
    signals = _signals(schedule.create_monitor.monitoring_signals, setting, report)
    _report_short_lookbacks(signals, setting, report)
    downtime = _downtime(schedule, setting.trigger, report)
    if report.problems:
        _look_at_sources(document.data["create_monitor"], setting, report)
        return None, sorted(set(report.problems))
    return _monitor(schedule, setting, signals, downtime, path), []


def _look_through(data: dict[str, Any], library: Library, report: Report) -> None:
    """What else is wrong, in the parts that can be read although the whole cannot."""
    body = data.get("create_monitor")
    if not isinstance(body, dict):
        return
    trigger = _readable(_TRIGGER, data.get("trigger")) or DAILY
    target = _readable(_TARGET, body.get("monitoring_target") or {})
    before = len(report.problems)
    setting = _bound(trigger, target or MonitoringTarget(), library, report)
    complete = target is not None and len(report.problems) == before
    for name, written in _mapping(body.get("monitoring_signals")).items():
        keys = _readable(_SIGNAL, written)
        if keys is not None:
            _compiled(name, keys, setting, report, complete=complete)
    _look_at_sources(body, setting, report)


def _look_at_sources(body: dict[str, Any], setting: Setting, report: Report) -> None:
    """Look up every name of an asset, also those that nobody came to for what was wrong before."""
    for name, written in _mapping(body.get("monitoring_signals")).items():
        part = report.at("create_monitor", "monitoring_signals", name)
        for key in ("production_data", "reference_data"):
            blocks = _mapping(written).get(key)
            for place, block in enumerate(blocks if isinstance(blocks, list) else [blocks]):
                found = _readable(_INPUT, _mapping(block).get("input_data"))
                if found is not None:
                    source_of(found, setting.folder, setting.library, part.at(key, place, "input_data"))
        for key, block in _mapping(_mapping(written).get("input_data")).items():
            found = _readable(_INPUT, _mapping(block).get("input_data"))
            if found is not None:
                source_of(found, setting.folder, setting.library, part.at("input_data", key, "input_data"))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


T = TypeVar("T")


def _readable(adapter: TypeAdapter[T], value: Any) -> T | None:
    try:
        return adapter.validate_python(value)
    except ValidationError:
        return None


def _monitor(
    schedule: Schedule,
    setting: Setting,
    signals: tuple[Signal, ...],
    downtime: Downtime | None,
    path: Path | None,
) -> Monitor:
    notification = schedule.create_monitor.alert_notification
    return Monitor(
        name=schedule.name,
        signals=signals,
        trigger=setting.trigger,
        display_name=schedule.display_name,
        description=schedule.description,
        ml_task=setting.ml_task,
        model=setting.model.model.name if setting.model else None,
        tags=dict(schedule.tags),
        emails=notification.emails if notification else (),
        integrations=notification.integrations if notification else (),
        alerting=schedule.create_monitor.alerting.rule(),
        downtime=downtime,
        config_hash=config_hash(schedule, setting.model, setting.library, _sources(signals)),
        path=path,
    )


def _sources(signals: Sequence[Signal]) -> list[Source]:
    datas = [data for signal in signals for data in (*signal.production, signal.reference)]
    return [data.source for data in datas if data]


def _setting(schedule: Schedule, library: Library, report: Report) -> Setting:
    body = schedule.create_monitor
    setting = _bound(schedule.trigger, body.monitoring_target, library, report)
    return replace(setting, alerts=body.alert_notification is not None)


def _bound(
    trigger: RecurrenceTrigger | CronTrigger, target: MonitoringTarget, library: Library, report: Report
) -> Setting:
    model = _model(target, library, report.at("create_monitor", "monitoring_target"))
    ml_task = target.ml_task or (model.model.ml_task if model else None)
    return Setting(trigger.trigger(), library, report.document.folder, model, ml_task)


def _model(target: MonitoringTarget, library: Library, report: Report) -> ModelFile | None:
    found: dict[str, ModelFile] = {}
    for key, find in (("model_id", library.model), ("endpoint_deployment_id", library.deployed)):
        name = getattr(target, key)
        try:
            found |= {key: find(name)} if name else {}
        except UnknownNameError as error:
            report.add((key,), error.message, error.hint)
    names = {file.model.name for file in found.values()}
    if len(names) > 1:
        report.add(("endpoint_deployment_id",), "is a deployment of another model than model_id")
    return next(iter(found.values()), None)


def _signals(written: dict[str, AnySignal] | None, setting: Setting, report: Report) -> tuple[Signal, ...]:
    complete = not report.problems
    if written is None and setting.model is None:
        if complete:
            hint = "name signals, or a model or deployment whose data the default three can watch"
            report.add(("create_monitor", "monitoring_signals"), "is missing, and the monitor names no model", hint)
        return ()
    found = [
        _compiled(name, keys, setting, report, complete=complete)
        for name, keys in (out_of_box(setting.ml_task) if written is None else written).items()
    ]
    return tuple(signal for signal in found if signal)


def _report_short_lookbacks(signals: tuple[Signal, ...], setting: Setting, report: Report) -> None:
    for signal in signals:
        for request in signal.metrics:
            threshold = request.threshold
            if isinstance(threshold, DynamicThreshold) and (needed := lookback_needed(threshold, setting.trigger)):
                message = f"{request.metric}: the lookback holds fewer than min_points = {threshold.min_points} runs"
                key = ("create_monitor", "monitoring_signals", signal.name, "metric_thresholds")
                report.add(key, message, f"dynamic: {{lookback: {needed}}} or longer")


def _downtime(schedule: Schedule, trigger: Trigger, report: Report) -> Downtime | None:
    keys = schedule.create_monitor.downtime
    if keys is None:
        return None
    downtime = keys.downtime(trigger.time_zone)
    first = max(downtime.start, trigger.start_time or downtime.start)
    if downtime.every_days and _is_due(trigger, first) and not _is_due(interrupted(trigger, downtime), first):
        message = "covers every time at which the monitor is due: it would never be evaluated"
        report.add(("create_monitor", "downtime"), message, "other hours, or `driftline monitors disable`")
    return downtime


def _is_due(calendar: Calendar, first: datetime) -> bool:
    return next(calendar.due(first, first + FAR), None) is not None


def _compiled(name: str, keys: AnySignal, setting: Setting, report: Report, *, complete: bool) -> Signal | None:
    part = Report(report.document, ("create_monitor", "monitoring_signals", name))
    signal = compile_signal(name, keys, setting, part)
    # While it is not known which model is meant, nothing is said about what the model would have provided.
    report.problems += [found for found in part.problems if complete or not found.message.startswith("is missing")]
    return signal
