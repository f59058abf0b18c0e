"""Thresholds as they are written in a monitor's file, with a remark beside each: what to paste, and where."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import yaml

from engine.judgements import Check
from engine.thresholds_in_force import InForce
from signals.catalogue import Family, Kind
from signals.metrics import METRICS
from signals.rankings import AT_K
from signals.thresholds import FixedThreshold, default_operator

__all__ = ["CheckThreshold", "Remarked", "plain", "threshold_document", "yaml_lines"]

SECTIONS = {
    Family.DATASET: "dataset",
    Family.CLASSIFICATION: "classification",
    Family.REGRESSION: "regression",
    Family.RANKING: "ranking",
    Family.FAIRNESS: "fairness",
    Family.COVERAGE: "coverage",
}
"""Where metrics stand that are not of a feature."""
ORDER = (*(kind.value for kind in Kind), "features", *SECTIONS.values())
PER_CLASS = frozenset({"multi_class_precision", "multi_class_recall"})


@dataclass(frozen=True, slots=True)
class CheckThreshold:
    """One check with its threshold.

    Attributes:
        check: the check.
        kind: of its feature; None where that is not known.
        in_force: its threshold, which is known or known to be none.
        remark: what is said beside it.
    """

    check: Check
    kind: Kind | None
    in_force: InForce
    remark: str = ""

    @property
    def written(self) -> "Remarked":
        return Remarked(_written(self.check, self.in_force), self.remark)


@dataclass(frozen=True, slots=True)
class Remarked:
    """A value with what is said beside it."""

    value: Any
    remark: str = ""


def threshold_document(thresholds: Sequence[CheckThreshold]) -> dict[str, Any]:
    """The part of a monitor's file that says them.

    What most features of a kind share stands under their kind, and what differs under the feature's name.
    """
    signals: dict[str, Any] = {}
    ordered = sorted(thresholds, key=lambda each: (each.check.signal, each.check.metric))
    for (signal, metric), group in groupby(ordered, key=lambda each: (each.check.signal, each.check.metric)):
        own = signals.setdefault(signal, {"metric_thresholds": {}})["metric_thresholds"]
        _write(own, metric, list(group))
    for signal in signals.values():
        own = signal["metric_thresholds"]
        flat = [name for name in own if name not in ORDER]
        signal["metric_thresholds"] = {section: own[section] for section in (*ORDER, *flat) if section in own}
    return {"create_monitor": {"monitoring_signals": signals}}


def _write(own: dict[str, Any], metric: str, thresholds: Sequence[CheckThreshold]) -> None:
    if METRICS[metric].family is Family.ATTRIBUTION:  # a signal of its own, which has no sections
        own[metric] = thresholds[0].written
        return
    section = SECTIONS.get(METRICS[metric].family)
    if section:
        written = [each.written for each in thresholds]
        several = metric in PER_CLASS or metric in AT_K
        # What segments are compared by is one threshold for all of them.
        own.setdefault(section, {})[metric] = written if several else _most_common(written)
        return
    for kind in Kind:
        mine = [each.written for each in thresholds if each.kind is kind]
        if mine:
            own.setdefault(kind.value, {})[metric] = _most_common(mine)
    for each in thresholds:
        shared = own.get(each.kind.value, {}).get(metric) if each.kind else None
        if shared is None or shared.value != each.written.value:
            own.setdefault("features", {}).setdefault(each.check.group, {})[metric] = each.written


def _most_common(written: Sequence[Remarked]) -> Remarked:
    counted = Counter(repr(each.value) for each in written)
    often = counted.most_common(1)[0][0]
    return next(each for each in written if repr(each.value) == often)


def _written(check: Check, in_force: InForce) -> Any:
    threshold, keys = in_force.threshold, _named(check)
    match threshold:
        case None:
            return {**keys, "threshold": None} if keys else None
        case FixedThreshold():
            usual = threshold.operator is default_operator(METRICS[check.metric].bad)
            keys |= {"threshold": _number(threshold.value)}
            keys |= {} if usual else {"operator": threshold.operator.value}
            keys |= {"relative_to": "baseline"} if threshold.relative_to_baseline else {}
            return keys["threshold"] if keys.keys() == {"threshold"} else keys
        case _:
            return {**keys, "low": _number(threshold.low), "high": _number(threshold.high)}


def _named(check: Check) -> dict[str, Any]:
    """What tells a check from others of the same metric (`engine.rows`)."""
    if check.metric in PER_CLASS:
        return {"label": check.group.rpartition("=")[2]}
    if check.metric in AT_K:
        _, _, at = check.group.rpartition("@")
        return {"at": int(at) if at.isdecimal() else "all"}
    return {}


def _number(value: float) -> float:
    """As a person writes it: 62, and not 62.0."""
    return int(value) if float(value).is_integer() and abs(value) < 1e15 else value


# ---------------------------------------------------------------------------------------------------- as text


def yaml_lines(document: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """The document in block style, remarks as comments behind their values."""
    for key, value in document.items():
        match value:
            case Remarked():
                yield f"{indent}{_flow(key)}: {_remarked(value)}"
            case Mapping():
                yield f"{indent}{_flow(key)}:"
                yield from yaml_lines(value, indent + "  ")
            case _:
                yield f"{indent}{_flow(key)}:"
                yield from (f"{indent}  - {_remarked(each)}" for each in value)


def plain(document: Any) -> Any:
    """The document without remarks."""
    match document:
        case Remarked():
            return document.value
        case Mapping():
            return {key: plain(value) for key, value in document.items()}
        case _:
            return [plain(each) for each in document]


def _remarked(each: Remarked) -> str:
    return _flow(each.value) + (f"  # {each.remark}" if each.remark else "")


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=1e9, allow_unicode=True, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")
