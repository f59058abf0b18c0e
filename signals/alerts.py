"""When does a check begin to breach, and how often would anyone hear of it?

A *breach* is a value that crosses its threshold. An *alert* is the transition of a check from cleared to triggered: the
first breach of an unbroken chain. A *message* is a run in which at least one check begins to breach. A check that was
not judged (no data, too few rows) neither ends a chain nor is part of one.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["BREACHED", "CLEARED", "UNJUDGED", "AlertCounts", "alert_counts", "alert_starts"]

Flags = npt.NDArray[np.int8]
Places = npt.NDArray[np.int64]

UNJUDGED, CLEARED, BREACHED = -1, 0, 1


@dataclass(frozen=True, slots=True)
class AlertCounts:
    """What came out of some checks in some runs."""

    breaches: int = 0
    alerts: int = 0
    messages: int = 0


def alert_starts(checks: Places, flags: Flags) -> npt.NDArray[np.bool_]:
    """Which rows are alerts.

    Args:
        checks: int64[n], the number of the check that each row is of; the rows of a check stand in the order of time.
        flags: int8[n], `BREACHED`, `CLEARED` or `UNJUDGED`.

    Returns:
        bool[n]. The first row of a check that is judged is an alert when it is a breach.
    """
    judged = np.flatnonzero(flags != UNJUDGED)
    order = judged[np.argsort(checks[judged], kind="stable")]
    breached = flags[order] == BREACHED
    goes_on = np.zeros(len(order), np.bool_)
    goes_on[1:] = breached[:-1] & (checks[order][1:] == checks[order][:-1])
    found = np.zeros(len(flags), np.bool_)
    found[order] = breached & ~goes_on
    return found


def alert_counts(flags: Flags, starts: npt.NDArray[np.bool_], runs: Places) -> AlertCounts:
    """The counts of these rows.

    Args:
        flags: int8[n].
        starts: bool[n], which of them are alerts.
        runs: int64[n], the number of the run that each row is of.
    """
    messages = len(np.unique(runs[starts]))
    return AlertCounts(int((flags == BREACHED).sum()), int(starts.sum()), messages)
