"""`--set` and `--budget`: which thresholds are meant? What is unknown is said with what it may have been."""

import re
from collections.abc import Collection, Sequence
from math import isfinite

import typer

from engine.alert_budgets import AlertBudget
from engine.judgements import Judgements
from engine.replays import Setting, needs_range, usual_operator
from signals.catalogue import Family, Metric, find_metric, near_names
from signals.metrics import METRICS
from signals.thresholds import RangeThreshold

__all__ = ["parsed_budget", "parsed_settings"]

NOT_JUDGED = ("null", "none")
RANGE = re.compile(r"(.+?)\.\.(.+)")
OF_PROFILES = (Family.DRIFT, Family.QUALITY)
"""Metrics of these families can be measured afterwards, from stored profiles."""


def parsed_budget(text: str | None) -> AlertBudget | None:
    """The budget.

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        return None if text is None else AlertBudget.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--budget") from None


def parsed_settings(texts: Sequence[str], judgements: Judgements) -> list[Setting]:
    """The settings, the more special ones last, so that they win.

    Raises:
        typer.BadParameter: with everything that is wrong with any of them.
    """
    settings, problems = list[Setting](), list[str]()
    for text in texts:
        try:
            settings.append(_setting(text, judgements))
        except ValueError as error:
            problems.append(f"{text}: {error}")
    if problems:
        raise typer.BadParameter("\n".join(problems), param_hint="--set")
    return sorted(settings, key=lambda each: (each.feature is not None, each.signal is not None))


def _setting(text: str, judgements: Judgements) -> Setting:
    target, sign, value = text.rpartition("=")
    if not sign:
        raise ValueError("has no value; write METRIC=NUMBER, such as psi=0.2")
    feature, _, name = target.rpartition("/")
    signal, metric = _metric(name.strip(), {check.signal for check in judgements.checks})
    groups = {check.group for check in judgements.checks if signal in (None, check.signal)}
    if feature and feature not in groups:
        raise ValueError(f"no feature {feature!r}{_hint(feature, groups)}")
    setting = Setting(metric.name, _bound(value.strip()), signal, feature or None)
    measured = setting.assigned(judgements).places
    if not measured and metric.family not in OF_PROFILES:
        raise ValueError(f"{metric.name} was not measured in that range, and stored profiles do not tell it")
    if isinstance(setting.bound, float) and _needs_range(setting, judgements):
        raise ValueError(f"{metric.name} is bad in neither direction: write a range, {target}=LOW..HIGH")
    return setting


def _needs_range(setting: Setting, judgements: Judgements) -> bool:
    assignment = setting.assigned(judgements)
    return needs_range(judgements, assignment) or (not assignment.places and usual_operator(setting.metric) is None)


def _metric(name: str, signals: Collection[str]) -> tuple[str | None, Metric]:
    """A metric, and the signal where one is named before it."""
    if found := find_metric(name):
        return None, found
    for signal in sorted(signals, key=len, reverse=True):
        if name.startswith(f"{signal}.") and (found := find_metric(name[len(signal) + 1 :])):
            return signal, found
    first, dot, last = name.rpartition(".")
    if dot and find_metric(last):
        raise ValueError(f"no signal {first!r}{_hint(first, signals)}")
    spellings = {spelled: each.name for each in METRICS.values() for spelled in (each.name, *each.aliases)}
    near = near_names(last, list(spellings))
    raise ValueError(f"unknown metric {last!r}" + (f", did you mean {spellings[near[0]]}?" if near else ""))


def _bound(text: str) -> float | RangeThreshold | None:
    if text.lower() in NOT_JUDGED:
        return None
    if found := RANGE.fullmatch(text):
        low, high = _number(found[1]), _number(found[2])
        if low > high:
            raise ValueError(f"{low:g} is above {high:g}")
        return RangeThreshold(low, high)
    return _number(text)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number; write 0.2, 0.5..2 for a range, or null to judge nothing") from None
    if not isfinite(number):
        raise ValueError(f"{text!r} is not a finite number; write null to judge nothing")
    return number


def _hint(name: str, among: Collection[str]) -> str:
    near = near_names(name, sorted(among))
    if near:
        return f", did you mean {near[0]}?"
    return f"; there is {', '.join(sorted(among))}" if 0 < len(among) <= 12 else ""
