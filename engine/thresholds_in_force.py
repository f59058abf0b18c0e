"""By which threshold is each check judged, as far as its rows tell? What stands in the definition is not read here."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.judgements import DYNAMIC, FIXED, OPERATORS, RANGE, RELATIVE, Check, Judgements
from engine.replays import Assignment, Bound, usual_operator
from signals.thresholds import FixedThreshold, Operator, RangeThreshold

__all__ = ["InForce", "thresholds_in_force", "with_assignments"]


@dataclass(frozen=True, slots=True)
class InForce:
    """The threshold of one check.

    Attributes:
        kind: where the bound comes from; None: values are recorded and not judged.
        threshold: the threshold; None where there is none, or where rows do not tell all of it.
    """

    kind: str | None = None
    threshold: FixedThreshold | RangeThreshold | None = None


def thresholds_in_force(judgements: Judgements) -> list[InForce]:
    """Of each check the one that it was judged by last."""
    latest: dict[int, int] = {}
    ends: dict[tuple[int, int], float] = {}
    telling = judgements.judgeable | np.array([kind is not None for kind in judgements.kind], np.bool_)
    for row in np.flatnonzero(telling).tolist():
        check = int(judgements.check[row])
        latest[check] = row
        if judgements.kind[row] == RANGE:
            ends[check, int(judgements.operator[row])] = float(judgements.bound[row])
    return [_in_force(judgements, latest.get(check), check, ends) for check in range(len(judgements.checks))]


def _in_force(judgements: Judgements, row: int | None, check: int, ends: Mapping[tuple[int, int], float]) -> InForce:
    kind = None if row is None else judgements.kind[row]
    if row is None or kind is None or kind == DYNAMIC:
        return InForce(kind)
    if kind == RANGE:
        low = ends.get((check, OPERATORS.index(Operator.LESS_THAN)))
        high = ends.get((check, OPERATORS.index(Operator.GREATER_THAN)))
        return InForce(kind, None if low is None or high is None else RangeThreshold(low, high))
    base, bound = float(judgements.base[row]), float(judgements.bound[row])
    if math.isnan(base) or math.isnan(bound):
        return InForce(kind)
    operator = OPERATORS[int(judgements.operator[row])]
    if kind == RELATIVE:
        return InForce(kind, FixedThreshold(_difference(bound, base), operator, relative_to_baseline=True))
    return InForce(kind, FixedThreshold(bound, operator))


def _difference(one: float, other: float) -> float:
    """Without what subtracting adds."""
    scale = max(abs(one), abs(other))
    return round(one - other, 12 - math.ceil(math.log10(scale))) if scale else 0.0


def with_assignments(
    judgements: Judgements, in_force: Sequence[InForce], assignments: Sequence[Assignment]
) -> list[InForce]:
    """The thresholds as they are when these are assigned."""
    found = list(in_force)
    for assignment in assignments:
        for place in assignment.places:
            found[place] = _assigned(judgements.checks[place], found[place], assignment.bound)
    return found


def _assigned(check: Check, before: InForce, bound: Bound) -> InForce:
    match bound:
        case None:
            return InForce()
        case RangeThreshold():
            return InForce(RANGE, bound)
        case FixedThreshold():
            return InForce(RELATIVE if bound.relative_to_baseline else FIXED, bound)
        case _:
            pass
    if isinstance(before.threshold, FixedThreshold):
        return replace(before, threshold=replace(before.threshold, value=bound))
    operator = usual_operator(check.metric)
    return InForce(FIXED, None if operator is None else FixedThreshold(bound, operator))
