"""How tight may thresholds be, so that no more messages are sent than people will read?

Every threshold that may be moved is a `Lever` over its own rows. All begin where nothing breaches, and are tightened
together: a lever may send 1 message, then each of them 1, then 2, and so on, level by level (a level is one more value
that breaches), until the next step would send more messages than the budget allows. Since a bigger budget only goes
further on the same way, it is never looser.

Messages do not simply grow as thresholds tighten: chains of breaches merge, and a check that is always breached alerts
once. Such a threshold would be cheap and useless, so the way is never continued behind the first step that costs too
much, and never to where more than half of a lever's rows breach.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from signals.alerts import BREACHED, CLEARED

__all__ = ["BEFORE", "Lever", "levels_within"]

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

BEFORE = -1
"""The run of a row that only tells in which state a check came to the first run."""
LARGEST_SHARE = 0.5
"""Of a lever's rows that may breach: what is breached more often than not does not tell anything."""


@dataclass(frozen=True, eq=False)
class Lever:
    """One threshold, with the rows that are judged by it; those of a check in the order of time.

    Attributes:
        badness: float64[n], finite; a row breaches when it is on the far side of the threshold.
        checks: int64[n], the number of each row's check.
        runs: int64[n], the number of each row's run, from 0; or `BEFORE`.
    """

    badness: Floats
    checks: Places
    runs: Places

    @property
    def levels(self) -> Floats:
        """The values of which one more breaches at each level, worst first."""
        return np.unique(self.badness)[::-1]

    def breaches_at(self, level: int) -> npt.NDArray[np.bool_]:
        """bool[n]: which rows breach where the `level` worst values do."""
        levels = self.levels
        return self.badness >= levels[level - 1] if level else np.zeros(len(self.badness), np.bool_)


def levels_within(levers: Sequence[Lever], others: Places, allowed: int) -> list[int] | None:
    """How many of its worst values may breach, for each lever; None where `others` alone exceed the budget.

    Args:
        levers: the thresholds that may be moved.
        others: int64[runs], how many alerts of other checks each run has.
        allowed: how many messages there may be.
    """
    alerts = others.copy()
    if (alerts > 0).sum() > allowed:
        return None
    own = [_own_messages(lever, len(others)) for lever in levers]
    descents = [_Descent(lever) for lever in levers]
    levels = [0] * len(levers)
    for rate in range(allowed + 1):
        for number, (costs, descent) in enumerate(zip(own, descents, strict=True)):
            while levels[number] < len(costs) and costs[levels[number]] <= rate:
                descent.tighten(alerts)
                if (alerts > 0).sum() > allowed:
                    return levels
                levels[number] += 1
    return levels


def _own_messages(lever: Lever, runs: int) -> list[int]:
    """By level the most messages that the lever by itself sends on the way there; only as far as it may go."""
    alerts, descent, found = np.zeros(runs, np.int64), _Descent(lever), list[int]()
    most = LARGEST_SHARE * len(lever.badness)
    while descent.breaches < len(lever.badness):
        descent.tighten(alerts)
        if descent.breaches > most:
            break
        found.append(max(int((alerts > 0).sum()), found[-1] if found else 0))
    return found


class _Descent:
    """One lever on its way: which of its rows breach, and which of them are alerts."""

    def __init__(self, lever: Lever) -> None:
        self.breaches = 0
        self._runs: list[int] = lever.runs.tolist()
        self._before, self._after = _neighbours(lever.checks)
        self._state = [CLEARED] * len(self._runs)
        self._steps = _ties(lever.badness)

    def tighten(self, alerts: Places) -> None:
        """Let the next worst value breach, and put down in int64[runs] which alerts that makes and takes away."""
        for row in next(self._steps):
            self._state[row] = BREACHED
            self.breaches += 1
            if self._state[self._before[row]] != BREACHED or self._before[row] == row:
                self._count(row, 1, alerts)
            after = self._after[row]
            if after != row and self._state[after] == BREACHED:
                self._count(after, -1, alerts)

    def _count(self, row: int, change: int, alerts: Places) -> None:
        if self._runs[row] != BEFORE:
            alerts[self._runs[row]] += change


def _neighbours(checks: Places) -> tuple[list[int], list[int]]:
    """Each row's predecessor and successor of the same check; the row itself where there is none."""
    order = np.argsort(checks, kind="stable")
    before, after = np.arange(len(checks)), np.arange(len(checks))
    same = checks[order][1:] == checks[order][:-1]
    before[order[1:][same]] = order[:-1][same]
    after[order[:-1][same]] = order[1:][same]
    return before.tolist(), after.tolist()


def _ties(badness: Floats) -> Iterator[list[int]]:
    """The rows of each level."""
    order = np.argsort(-badness, kind="stable")
    cuts = np.flatnonzero(np.diff(badness[order])) + 1
    return (rows.tolist() for rows in np.split(order, cuts) if len(rows))
