"""What a replay found: everything that is said about it, in whatever form."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.alert_budgets import AlertBudget
from engine.judgements import Judgements
from engine.remeasuring import Remeasured
from engine.replays import Assignment, Replay
from engine.threshold_proposals import Proposal
from engine.thresholds_in_force import InForce
from jobs.threshold_yaml import CheckThreshold

__all__ = ["Budgeted", "Replayed"]


@dataclass(frozen=True)
class Budgeted:
    """What is proposed for a budget.

    Attributes:
        budget: what was asked.
        allowed: how many messages that is in the range.
        proposals: what would keep it; None where the checks that cannot be moved send more by themselves.
        thresholds: of every check whose threshold is known, as it would be.
    """

    budget: AlertBudget
    allowed: int
    proposals: Sequence[Proposal] | None = None
    thresholds: Sequence[CheckThreshold] = ()


@dataclass(frozen=True)
class Replayed:
    """One monitor's replay.

    Attributes:
        monitor: its name.
        replay: all its rows, judged twice.
        assignments: what was set.
        remeasured: values that were not measured then, and how many of which that could not be told now.
        then, now: the threshold of each check.
        budgeted: what is proposed; None where no budget was asked for.
    """

    monitor: str
    replay: Replay
    assignments: Sequence[Assignment]
    then: Sequence[InForce]
    now: Sequence[InForce]
    remeasured: Remeasured = field(default_factory=Remeasured)
    budgeted: Budgeted | None = None

    @property
    def judgements(self) -> Judgements:
        return self.replay.judgements
