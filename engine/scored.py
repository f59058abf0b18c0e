"""What became of predictions, for all signals that ask: one join per production dataset and ground truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from types import MappingProxyType

from engine.answers import answers_to
from engine.buckets import tiles
from engine.errors import DataError
from engine.monitor import Filter, Signal
from engine.pieces import Counted, Performance, states_of, together
from engine.plan import SignalPlan, planned
from engine.questions import Question, asked_by, earlier_windows, span_needed
from engine.readings import Readings
from engine.roles import merged_roles
from engine.run_states import is_news, name_of, same_question, state_text, states_of_runs
from engine.store import Store
from engine.windows import Window
from signals.catalogue import Family
from signals.metrics import METRICS
from signals.segments import AGGREGATE

__all__ = ["Scored", "score"]

NEVER: Mapping[str, Sequence[datetime]] = MappingProxyType({})


@dataclass
class Scored:
    """One performance signal's states, as far as its data could be read.

    Attributes:
        plan: the signal and its windows, with those of its monitor's revised runs.
        group: what result rows call the prediction.
        ranks: what they call what ranks items.
        segment: what they call the rows.
        performance: by window.
        revised: scheduled times of earlier runs whose predictions or labels have changed since.
        states: by scheduled time what a run's record is to have, so that later runs see what has changed (`record`).
        truth_dated: whether labels tell when they became known, without which no orphan can be told.
        gone: by window, how many of its buckets are no longer in the source.
        trouble: why nothing could be read; None when it could.
        compared: beside each other the states of two segments that fairness metrics compare: one, and its base.
    """

    plan: SignalPlan
    group: str = "dataset"
    ranks: str = "dataset"
    segment: str = AGGREGATE
    performance: dict[Window, Performance] = field(default_factory=dict[Window, Performance])
    revised: tuple[datetime, ...] = ()
    states: dict[datetime, str] = field(default_factory=dict[datetime, str])
    truth_dated: bool = False
    gone: dict[Window, int] = field(default_factory=dict[Window, int])
    trouble: str | None = None
    compared: tuple[tuple["Scored", "Scored"], ...] = ()

    @classmethod
    def of(cls, plan: SignalPlan) -> "Scored":
        """Nothing yet, of the signal and of the segments that it compares."""
        group, ranks = _groups(plan.signal)
        requests = [each for each in plan.signal.metrics if METRICS[each.metric].family is Family.FAIRNESS]

        def segment(name: str, filters: tuple[Filter, ...]) -> "Scored":
            # A signal of its own, so that it is asked, kept and looked at again like any other.
            changes = {"name": f"{plan.signal.name} of {name}", "filters": (*plan.signal.filters, *filters)}
            own = replace(plan.signal, metrics=tuple(requests), fairness=(), **changes)
            return cls(replace(plan, signal=own), group, ranks)

        pairs = [
            (segment(each.name, each.segment), segment(f"base of {each.name}", each.base))
            for each in plan.signal.fairness
        ]
        return cls(plan, group, ranks, compared=tuple(pairs))

    @property
    def segments(self) -> list["Scored"]:
        """The segments that are compared."""
        return [each for pair in self.compared for each in pair]

    def vanished(self, time: datetime) -> dict[str, int]:
        """How many buckets of the window are no longer in the source; what was kept of them stands in."""
        return {"the window": self.gone.get(self.plan.windows[time], 0)}

    def record(self, time: datetime) -> dict[str, str]:
        """What the run's record is to have among its fingerprints."""
        own = {name_of(self.plan.signal.name): self.states[time]} if time in self.states else {}
        return own | {name: text for each in self.segments for name, text in each.record(time).items()}


def score(
    plans: Sequence[SignalPlan],
    readings: Readings,
    store: Store | None = None,
    earlier: Mapping[str, Sequence[datetime]] = NEVER,
    *,
    refresh: bool = False,
) -> list[Scored]:
    """Join and count what these signals measure; those that ask of the same data share one join.

    Args:
        plans: the signals, and the windows that are due.
        readings: the data.
        store: where outcomes are kept, so that a bucket is read again only where its data changed.
        earlier: by monitor the scheduled times of runs that the store has. Those that are recent enough for the
            signal (`revise_within`) are looked at again, in the same join.
        refresh: read again what is kept.
    """
    signals = [Scored.of(plan) for plan in plans]
    found = [each for signal in signals for each in (signal, *signal.segments)]
    looked_at = [earlier_windows(each.plan, earlier.get(each.plan.monitor.name, ())) for each in found]
    for plan, windows in zip((each.plan for each in found), looked_at, strict=True):
        readings.expect(plan.signal.production, span_needed(plan, windows))
    evaluated = {name: states_of_runs(store, name, times) for name, times in earlier.items()} if store else {}
    asking: list[_Asking] = []
    for each, windows in zip(found, looked_at, strict=True):
        try:
            question = asked_by(each.plan, windows, readings)
        except DataError as error:
            each.trouble = readings.failed(error)
            continue
        runs = evaluated.get(each.plan.monitor.name, {})
        asking.append(_Asking.of(each, question, {time: runs.get(time, {}) for time in windows}))
    _answer(asking, readings, store, refresh=refresh)
    _follow(found, asking, readings, store)
    return signals


def _groups(signal: Signal) -> tuple[str, str]:
    """What result rows call the prediction, and what ranks items."""
    roles = reduce(merged_roles, [data.columns for data in signal.production])
    return roles.prediction or roles.score or roles.rank or "dataset", roles.rank or roles.score or "dataset"


@dataclass
class _Asking:
    """A signal, what it asks, and what its earlier runs answered, by scheduled time."""

    found: Scored
    question: Question
    evaluated: Mapping[datetime, str]
    counted: dict[Window, Counted] = field(default_factory=dict[Window, Counted])

    @classmethod
    def of(cls, found: Scored, question: Question, runs: Mapping[datetime, Mapping[str, str]]) -> "_Asking":
        """Earlier runs that asked something else, or have no answer on record, are left as they are."""
        texts = {time: runs[time].get(name_of(found.plan.signal.name), "") for time in question.earlier}
        same = {time: text for time, text in texts.items() if same_question(text, question, question.earlier[time])}
        found.truth_dated = question.truth is not None and question.truth_roles.timestamp in question.truth.columns
        found.segment = question.segment
        narrowed = replace(question, earlier={time: question.earlier[time] for time in same})
        return cls(found, narrowed, same)

    def states(self, window: Window) -> list[Performance] | None:
        return states_of(window, self.question.step, self.question.max_delay, self.counted)

    def gone(self, window: Window) -> int:
        return sum(self.counted[bucket].vanished for bucket in tiles(window, self.question.step))

    def text(self, window: Window) -> str:
        return state_text(self.question, window, self.states(window) or ())


# ---------------------------------------------------------------------------------------------------- answering


def _answer(asking: Sequence[_Asking], readings: Readings, store: Store | None, *, refresh: bool) -> None:
    """Count what is asked, and tell which earlier runs it contradicts."""
    groups: dict[str, list[_Asking]] = {}
    for each in asking:
        groups.setdefault(each.question.sides, []).append(each)
    for members in groups.values():
        _answer_together(members, readings, store, refresh=refresh)
    for each in asking:
        if each.found.trouble is None:
            windows = each.question.earlier.items()
            changed = [time for time, window in windows if is_news(each.evaluated[time], each.text(window))]
            each.found.revised = tuple(sorted(changed))


def _answer_together(members: Sequence[_Asking], readings: Readings, store: Store | None, *, refresh: bool) -> None:
    """Count what members of one join ask; when it fails each by itself, so that one does not take others along."""
    try:
        answers = answers_to([each.question for each in members], readings, store, refresh=refresh)
    except DataError as error:
        if len(members) == 1:
            members[0].found.trouble = readings.failed(error)
        else:
            for each in members:
                _answer_together([each], readings, store, refresh=refresh)
        return
    for each in members:
        each.counted |= answers[each.question.key]


def _follow(found: Sequence[Scored], asking: Sequence[_Asking], readings: Readings, store: Store | None) -> None:
    """Each signal's state at all times that are evaluated: those that are due, and its monitor's revised ones."""
    revised: dict[str, set[datetime]] = {}
    for each in found:
        revised.setdefault(each.plan.monitor.name, set()).update(each.revised)
    for each in found:
        if more := sorted(revised[each.plan.monitor.name] - set(each.plan.windows)):
            each.plan = _at_more_times(each.plan, more)
    for each in asking:
        plan = each.found.plan
        if each.found.trouble is None and any(each.states(window) is None for window in plan.distinct_windows):
            # Another signal's revised run, of which this one has nothing on record.
            each.question = replace(each.question, windows=plan.distinct_windows, earlier={})
            _answer_together([each], readings, store, refresh=False)
        if each.found.trouble is None:
            each.found.performance = {window: together(each.states(window) or ()) for window in plan.distinct_windows}
            each.found.gone = {window: each.gone(window) for window in plan.distinct_windows}
            each.found.states = {time: each.text(window) for time, window in plan.windows.items()}


def _at_more_times(plan: SignalPlan, times: Sequence[datetime]) -> SignalPlan:
    more = planned(plan.monitor, plan.signal, times, plan.step)
    return replace(plan, windows=plan.windows | more.windows, baselines=plan.baselines | more.baselines)
