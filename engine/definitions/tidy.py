"""A schedule as we would write it: canonical words in our order, without what says nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import AliasChoices

from engine.definitions.alert_keys import AlertNotification
from engine.definitions.data_keys import ColumnNames, DataWindow, InputData
from engine.definitions.document import Key
from engine.definitions.generation_keys import AnswerThreshold, AnswerThresholds
from engine.definitions.monitor_keys import CreateMonitor, Schedule
from engine.definitions.shape import Shape
from engine.definitions.threshold_keys import ThresholdKeys
from signals.catalogue import find_metric

__all__ = ["NOT_USED", "Written", "keys_of", "plain_entry", "tidy"]

NOT_USED: Mapping[type[Shape], frozenset[str]] = {
    Schedule: frozenset({"schema_", "properties", "id", "is_enabled", "creation_context", "provisioning_state"}),
    CreateMonitor: frozenset({"compute"}),
    InputData: frozenset({"mode", "datastore"}),
}
"""Keys that are accepted for Azure's sake."""
ONE_OR_MORE = frozenset({"hours", "minutes", "week_days", "month_days", "production_data", "explain_by"})
"""Lists that may be written as their only item."""

FIRST, LAST = frozenset({"type", "metric_name"}), frozenset({"metric_thresholds"})
"""A block says first what it is and last what it judges by; everything else is in the order of its declaration."""


@dataclass(frozen=True)
class Written:
    """One key of a source.

    Attributes:
        key: as its author wrote it.
        canonical: as we would.
        value: what was read there: a block of keys, or a value.
        block: the block that it is a key of; None for a name of the author's, such as a signal's.
        leaf: whether no further keys stand below it.
    """

    key: Key
    canonical: Key
    value: Any
    block: type[Shape] | None
    leaf: bool


def tidy(schedule: Schedule) -> dict[str, Any]:
    """The schedule in plain Python, ready to be written; reading it again gives the same monitor."""
    return _plain(schedule)


def keys_of(schedule: Schedule, source: Mapping[str, Any]) -> Iterator[Written]:
    """Every key of the source that a schedule was read from, with what was understood."""
    return _keys(schedule, source, (), ())


def plain_entry(name: str, value: Any) -> Any:
    """What was read at a key, as one would write it: a list that may be its only item is."""
    alone = name in ONE_OR_MORE and isinstance(value, tuple) and len(value) == 1
    return _plain(value[0] if alone else value)


def _plain(value: Any) -> Any:
    match value:
        case Shape():
            return _block(value)
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case tuple() | list():
            thresholds = len(value) == 1 and type(value[0]) is ThresholdKeys
            return _plain(value[0]) if thresholds else [_plain(each) for each in value]
        case _:
            return _single(value)


def _block(shape: Shape) -> Any:
    match shape:
        case DataWindow() if not any(getattr(shape, name) for name in DataWindow.model_fields):
            return "default"
        case AlertNotification(emails=(), integrations=()):
            return "azmonitoring"
        case ThresholdKeys() if shape.model_fields_set <= {"threshold"}:
            return _single(shape.threshold)
        case AnswerThresholds():
            return {quality: _answers(quality, getattr(shape, quality)) for quality in _said(shape)}
        case _:
            return {_name(shape, field): plain_entry(field, getattr(shape, field)) for field in _said(shape)}


def _answers(quality: str, threshold: AnswerThreshold) -> dict[str, Any]:
    return {_of_quality(name, quality): value for name, value in _plain(threshold).items()}


def _of_quality(name: str, quality: str) -> str:
    """Azure's key, with the quality's name in it: ``aggregated_fluency_pass_rate``."""
    start, rest = name.split("_", 1)
    return f"{start}_{quality}_{rest}"


def _single(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case Enum():
            return value.value
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _said(shape: Shape) -> list[str]:
    """The fields that say something: written, used, and other than their default."""
    unused = NOT_USED.get(type(shape), frozenset())
    written = [name for name in type(shape).model_fields if name in shape.model_fields_set and name not in unused]
    first = {name for name in FIRST.intersection(written) if type(shape).model_fields[name].is_required()}
    written.sort(key=lambda name: (name not in first, name in LAST))
    if isinstance(shape, ColumnNames):  # here null is an answer: no column plays the role
        return written
    return [name for name in written if getattr(shape, name) != _default(shape, name)]


def _default(shape: Shape, name: str) -> Any:
    field = type(shape).model_fields[name]
    return field.default_factory() if field.default_factory else field.default  # type: ignore[call-arg]


def _name(shape: Shape, field: str) -> str:
    """The canonical key of a field: the first of its spellings."""
    found = type(shape).model_fields[field]
    names = found.validation_alias
    return str(names.choices[0]) if isinstance(names, AliasChoices) else found.alias or field


def _keys(read: Any, source: Any, key: Key, canonical: Key) -> Iterator[Written]:
    if isinstance(read, tuple) and not isinstance(source, list):
        yield from _keys(read[0], source, key, canonical) if len(read) == 1 else ()
    elif isinstance(read, tuple | list):
        alone = len(read) == 1 and bool(canonical) and canonical[-1] in ONE_OR_MORE
        for place, (each, item) in enumerate(zip(read, source, strict=False)):
            yield from _keys(each, item, (*key, place), canonical if alone else (*canonical, place))
    elif isinstance(source, Mapping) and isinstance(read, Shape | dict):
        for name, below in source.items():
            ours = _field_of(type(read), name) if isinstance(read, Shape) else _entry_of(read, name)
            if ours is None:
                continue
            value = getattr(read, ours) if isinstance(read, Shape) else read[ours]
            said = _name(read, ours) if isinstance(read, Shape) else ours
            if isinstance(read, AnswerThreshold):
                said = _of_quality(said, str(canonical[-1]))
            own, our_own = (*key, name), (*canonical, said)
            deeper = list(_keys(value, below, own, our_own))
            yield Written(own, our_own, value, type(read) if isinstance(read, Shape) else None, not deeper)
            yield from deeper


def _field_of(block: type[Shape], name: str) -> str | None:
    spellings = block.spellings()
    return next(
        (field for field, info in block.model_fields.items() if name in {field, info.alias, *spellings.get(field, ())}),
        None,
    )


def _entry_of(read: Mapping[str, Any], name: str) -> str | None:
    """The key of an author's own name, or of a metric under its canonical one."""
    if name in read:
        return name
    metric = find_metric(name)
    return metric.name if metric and metric.name in read else None
