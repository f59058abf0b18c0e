"""What a signal comes to whose numbers stand neither on profiles nor on labelled predictions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from engine.errors import DataError
from engine.measured import DATASET, Measured, broken
from engine.plan import SignalPlan
from engine.readings import Readings
from engine.store import Store

__all__ = ["Answered", "Answerer", "answered_each"]


@dataclass
class Answered:
    """One signal's answers, as far as its data could be read.

    Attributes:
        plan: the signal and its windows.
        answers: by scheduled time, each with its own segment.
        trouble: why there are none; None when there are.
    """

    plan: SignalPlan
    answers: Mapping[datetime, Sequence[Measured]] = field(default_factory=dict[datetime, Sequence[Measured]])
    trouble: str | None = None

    def at(self, time: datetime) -> list[Measured]:
        """The answers at a scheduled time; in trouble, one per metric that says so."""
        if self.trouble:
            return [broken(DATASET, request, self.trouble) for request in self.plan.signal.metrics]
        return [*self.answers.get(time, ())]


def answered_each(plan: SignalPlan, readings: Readings, answer: Callable[[datetime], Sequence[Measured]]) -> Answered:
    """A signal's answers, each time's on its own: what goes wrong at one is said in its rows, and the others arrive."""
    answers: dict[datetime, Sequence[Measured]] = {}
    wrong: list[str] = []
    for time in plan.windows:
        try:
            answers[time] = answer(time)
        except DataError as error:
            wrong.append(readings.failed(error))
            answers[time] = [broken(DATASET, request, wrong[-1]) for request in plan.signal.metrics]
    return Answered(plan, trouble=wrong[0]) if len(wrong) == len(answers) else Answered(plan, answers)


class Answerer(Protocol):
    """How signals of one type are answered: all that are due in one go, in their order."""

    def __call__(
        self, plans: Sequence[SignalPlan], readings: Readings, store: Store | None, *, refresh: bool
    ) -> list[Answered]: ...
