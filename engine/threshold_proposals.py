"""Which thresholds would send as many messages as people want to read, judged by what was measured?"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from engine.judgements import Check, Judgements
from engine.replays import Assignment, Replay, judged_by
from engine.thresholds_in_force import InForce
from signals.alerts import BREACHED
from signals.budgets import Lever, levels_within
from signals.catalogue import Kind
from signals.short_numbers import short_numbers
from signals.thresholds import FixedThreshold, Operator, RangeThreshold

__all__ = ["Proposal", "propose"]

DIGITS = 12
"""Of the largest number that takes part: differences that are the same in these are the same."""
GREATER = (Operator.GREATER_THAN, Operator.GREATER_THAN_OR_EQUAL)
LESS = (Operator.LESS_THAN, Operator.LESS_THAN_OR_EQUAL)
STRICT = (Operator.GREATER_THAN, Operator.LESS_THAN)

Movable = FixedThreshold | RangeThreshold
Group = tuple[tuple[str, str, Kind | None, Movable], list[int]]
"""What checks that share a threshold have in common (signal, metric, kind of feature, threshold), and their places."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One threshold for all the checks that share one today.

    Attributes:
        checks: which checks.
        kind: of their features; None where that is not known.
        today: their threshold.
        threshold: what it might be.
    """

    checks: tuple[int, ...]
    kind: Kind | None
    today: Movable
    threshold: Movable

    @property
    def assignment(self) -> Assignment:
        return Assignment(self.checks, self.threshold)


def propose(
    replayed: Replay,
    in_force: Sequence[InForce],
    allowed: int,
    kinds: Mapping[Check, Kind],
    fixed: Sequence[int] = (),
) -> list[Proposal] | None:
    """Thresholds that send at most so many messages in the range; None where the other checks alone send more.

    Checks of a signal and metric that share a threshold today share the proposed one, apart for numbers and categories.

    Args:
        replayed: how all checks were judged; those whose threshold cannot be moved (dynamic ones, equalities, ranges of
            which rows tell only one end) stay as they are there.
        in_force: the threshold of each check.
        allowed: how many messages there may be.
        kinds: what is known of the features' kinds.
        fixed: places of checks that are to stay as they are.
    """
    judgements = replayed.judgements
    groups = _groups(judgements, in_force, kinds, set(fixed))
    levers = [_lever(judgements, places, today) for (*_, today), places in groups]
    moved = [place for _, places in groups for place in places]
    still = replayed.now.starts & judgements.in_range & ~judgements.of_checks(moved)
    others = np.bincount(judgements.run[still], minlength=len(judgements.times))
    levels = levels_within(levers, others, allowed)
    if levels is None:
        return None
    return [
        Proposal(tuple(places), kind, today, _threshold(judgements, places, today, lever, level))
        for ((_, _, kind, today), places), lever, level in zip(groups, levers, levels, strict=True)
    ]


def _groups(
    judgements: Judgements, in_force: Sequence[InForce], kinds: Mapping[Check, Kind], fixed: set[int]
) -> list[Group]:
    found: dict[tuple[str, str, Kind | None, Movable], list[int]] = {}
    for place, (check, today) in enumerate(zip(judgements.checks, in_force, strict=True)):
        if today.threshold is not None and place not in fixed and _movable(today.threshold):
            found.setdefault((check.signal, check.metric, kinds.get(check), today.threshold), []).append(place)
    return _in_turns([(key, places) for key, places in found.items() if _rows(judgements, places).any()])


def _in_turns(groups: Sequence[Group]) -> list[Group]:
    """The first of each signal, then the second of each: who comes first has the first messages of a budget."""
    seen: Counter[str] = Counter()
    turns: list[tuple[int, Group]] = []
    for group in groups:
        signal = group[0][0]
        turns.append((seen[signal], group))
        seen[signal] += 1
    return [group for _, group in sorted(turns, key=lambda turn: turn[0])]


def _movable(threshold: Movable) -> bool:
    return isinstance(threshold, RangeThreshold) or threshold.operator in (*GREATER, *LESS)


def _lever(judgements: Judgements, places: Sequence[int], today: Movable) -> Lever:
    rows = _rows(judgements, places)
    return Lever(_badness(judgements, rows, today), judgements.check[rows], judgements.run[rows])


def _rows(judgements: Judgements, places: Sequence[int]) -> npt.NDArray[np.bool_]:
    return judgements.of_checks(places) & judgements.judgeable & ~np.isnan(judgements.base)


def _badness(judgements: Judgements, rows: npt.NDArray[np.bool_], today: Movable) -> npt.NDArray[np.float64]:
    """How far values are on the bad side of 0, or of today's range."""
    value, base = judgements.value[rows], judgements.base[rows]
    if isinstance(today, RangeThreshold):
        largest = np.abs(value).max(initial=max(abs(today.low), abs(today.high)))
        return _without_noise(np.maximum(value - today.high, today.low - value), largest)
    above = value - base if today.operator in GREATER else base - value
    return _without_noise(above, np.abs(value).max(initial=0)) if base.any() else above


def _without_noise(values: npt.NDArray[np.float64], largest: float) -> npt.NDArray[np.float64]:
    return np.round(values, DIGITS - math.ceil(math.log10(largest))) if largest else values


def _threshold(judgements: Judgements, places: Sequence[int], today: Movable, lever: Lever, level: int) -> Movable:
    """The shortest number by which the lever's worst values breach, and no other."""
    rows, wanted, levels = _rows(judgements, places), lever.breaches_at(level), lever.levels
    low, high = float(levels[level]), float(levels[level - 1]) if level else math.inf
    strict = isinstance(today, RangeThreshold) or today.operator in STRICT
    moved = [_moved(today, number) for number in short_numbers(low, high, strict=strict)]
    exact = (each for each in moved if np.array_equal(judged_by(judgements, rows, each) == BREACHED, wanted))
    return next(exact, moved[-1])


def _moved(today: Movable, badness: float) -> Movable:
    if isinstance(today, RangeThreshold):
        return RangeThreshold(round(today.low - badness, 12), round(today.high + badness, 12))
    return replace(today, value=(badness if today.operator in GREATER else -badness) + 0.0)
