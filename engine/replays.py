"""What would have breached, and who would have been told, had other thresholds been set? Nothing is measured again."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from engine.judgements import DYNAMIC, OPERATORS, RANGE, Check, Judgements
from signals.alerts import BREACHED, CLEARED, UNJUDGED, AlertCounts, alert_counts, alert_starts
from signals.metrics import METRICS
from signals.thresholds import FixedThreshold, Operator, RangeThreshold, default_operator

__all__ = [
    "Assignment", "Beside", "Bound", "Outcome", "Replay", "Setting", "judged_by", "needs_range", "replay",
    "usual_operator",
]  # fmt: skip

Rows = npt.NDArray[np.bool_]
Flags = npt.NDArray[np.int8]
Label = TypeVar("Label", bound=Hashable)

Bound = float | FixedThreshold | RangeThreshold | None
"""A number is judged by each row's own operator, or the metric's where it had none; None judges nothing."""

COMPARISONS = {
    Operator.GREATER_THAN: gt,
    Operator.GREATER_THAN_OR_EQUAL: ge,
    Operator.LESS_THAN: lt,
    Operator.LESS_THAN_OR_EQUAL: le,
    Operator.EQUALS: eq,
    Operator.NOT_EQUALS: ne,
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A threshold for all checks of a metric; None: whatever the signal or the feature."""

    metric: str
    bound: float | RangeThreshold | None
    signal: str | None = None
    feature: str | None = None

    def holds_for(self, check: Check) -> bool:
        """Whether it is about this check."""
        meant = self.signal in (None, check.signal) and self.feature in (None, check.group)
        return meant and check.metric == self.metric

    def assigned(self, judgements: Judgements) -> "Assignment":
        """The checks that it is about."""
        places = [place for place, check in enumerate(judgements.checks) if self.holds_for(check)]
        return Assignment(tuple(places), self.bound)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A threshold for some checks, by their places."""

    places: tuple[int, ...]
    bound: Bound


@dataclass(frozen=True, slots=True)
class Beside:
    """What there was, and what there would have been."""

    then: AlertCounts
    now: AlertCounts


@dataclass(frozen=True, eq=False)
class Outcome:
    """One way to judge all rows.

    Attributes:
        flags: int8[n].
        starts: bool[n], which rows are alerts.
    """

    flags: Flags
    starts: Rows


@dataclass(frozen=True, eq=False)
class Replay:
    """All rows, as they were judged and as they would have been."""

    judgements: Judgements
    then: Outcome
    now: Outcome

    def beside(self, rows: Rows | None = None) -> Beside:
        """The counts of these rows of the range; None: of all of them."""
        chosen = self.judgements.in_range if rows is None else rows & self.judgements.in_range
        runs = self.judgements.run[chosen]
        counts = [alert_counts(each.flags[chosen], each.starts[chosen], runs) for each in (self.then, self.now)]
        return Beside(*counts)

    def beside_by(self, labels: Sequence[Label], of: npt.NDArray[np.int64]) -> dict[Label, Beside]:
        """The counts by label, in order of appearance among the labels.

        Args:
            labels: of each check or each run.
            of: int64[n], the place of each row's check or run among them.
        """
        found: dict[Label, Beside] = {}
        for label in dict.fromkeys(labels):
            meant = np.array([each == label for each in labels])
            found[label] = self.beside(meant[of])
        return found

    def by_check(self) -> list[Beside]:
        """The counts of each check; all of its alerts are in different runs."""
        size = len(self.judgements.checks)
        columns: list[list[int]] = []
        for outcome in (self.then, self.now):
            for rows in (outcome.flags == BREACHED, outcome.starts):
                check = self.judgements.check[rows & self.judgements.in_range]
                columns.append(np.bincount(check, minlength=size).tolist())
        return [
            Beside(AlertCounts(breaches, alerts, alerts), AlertCounts(breaches_now, alerts_now, alerts_now))
            for breaches, alerts, breaches_now, alerts_now in zip(*columns, strict=True)
        ]


def replay(judgements: Judgements, assignments: Sequence[Assignment]) -> Replay:
    """Judge again; of two assignments to the same check the later one counts."""
    flags = judgements.flag.copy()
    for assignment in assignments:
        rows = judgements.of_checks(assignment.places)
        flags[rows] = judged_by(judgements, rows, assignment.bound)
    return Replay(judgements, _outcome(judgements, judgements.flag), _outcome(judgements, flags))


def judged_by(judgements: Judgements, rows: Rows, bound: Bound) -> Flags:
    """int8[rows]: the flags of these rows under another threshold."""
    value, base = judgements.value[rows], judgements.base[rows]
    judgeable = judgements.judgeable[rows] & ~np.isnan(base)
    match bound:
        case None:
            crossed, judgeable = np.zeros(len(value), np.bool_), judgements.judgeable[rows]
        case RangeThreshold():
            crossed, judgeable = (value < bound.low) | (value > bound.high), judgements.judgeable[rows]
        case FixedThreshold():
            crossed = COMPARISONS[bound.operator](value, base + bound.value)
        case _:
            operators = _operators(judgements, rows)
            crossed, judgeable = _crossed(value, base + bound, operators), judgeable & (operators >= 0)
    return np.where(judgeable, np.where(crossed, BREACHED, CLEARED), UNJUDGED).astype(np.int8)


def needs_range(judgements: Judgements, assignment: Assignment) -> bool:
    """Whether a number does not say in which direction these checks are bad, and so two are needed."""
    rows = judgements.of_checks(assignment.places)
    return isinstance(assignment.bound, float) and bool((_operators(judgements, rows) < 0).any())


def _outcome(judgements: Judgements, flags: Flags) -> Outcome:
    return Outcome(flags, alert_starts(judgements.check, flags))


def _operators(judgements: Judgements, rows: Rows) -> npt.NDArray[np.int64]:
    """Each row's own operator, or its metric's; -1 where there is neither.

    Of two bounds a row tells the operator of the one that is nearer, which says nothing of what a single one means.
    """
    own, ranged = judgements.operator[rows], np.isin(judgements.kind[rows], (RANGE, DYNAMIC))
    usual = np.array([_usual(check.metric) for check in judgements.checks], np.int64)
    return np.where((own < 0) | ranged, usual[judgements.check[rows]], own)


def usual_operator(metric: str) -> Operator | None:
    """The operator of the metric's bad direction; None where it has none."""
    return default_operator(METRICS[metric].bad) if metric in METRICS else None


def _usual(metric: str) -> int:
    operator = usual_operator(metric)
    return -1 if operator is None else OPERATORS.index(operator)


def _crossed(value: npt.NDArray[np.float64], bound: npt.NDArray[np.float64], operators: npt.NDArray[np.int64]) -> Rows:
    found = np.zeros(len(value), np.bool_)
    for place in np.unique(operators[operators >= 0]).tolist():
        mine = operators == place
        found[mine] = COMPARISONS[OPERATORS[place]](value[mine], bound[mine])
    return found
