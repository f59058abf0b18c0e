"""`driftline replay`: how often would people have been told, had thresholds been other ones? No Spark."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from engine.alert_budgets import AlertBudget
from engine.errors import StoreError
from engine.feature_kinds import feature_kinds
from engine.judgements import Judgements, read_judgements
from engine.remeasuring import Remeasured, remeasure, unmeasured
from engine.replays import Setting, replay
from engine.store import Store
from engine.threshold_proposals import Proposal, propose
from engine.thresholds_in_force import thresholds_in_force, with_assignments
from engine.wording import listed
from jobs.asked_rows import monitor_name
from jobs.consoles import out, working
from jobs.replay_documents import replay_document
from jobs.replay_settings import parsed_budget, parsed_settings
from jobs.replay_tables import print_replay
from jobs.replayed import Budgeted, Replayed
from jobs.threshold_words import threshold_words
from jobs.threshold_yaml import CheckThreshold

__all__ = ["Question", "replay_thresholds"]


@dataclass(frozen=True)
class Question:
    """What is asked: of a monitor by its name or its file, in the runs that were due in [start, end)."""

    monitor: str
    start: datetime | None = None
    end: datetime | None = None
    settings: Sequence[str] = ()
    budget: str | None = None


def replay_thresholds(store_uri: str, question: Question, *, as_json: bool) -> None:
    """Print what there was beside what there would have been.

    Raises:
        typer.BadParameter: a setting or the budget is wrong.
        StoreError: there are no such results, or no profiles of what was not measured.
    """
    budget, store, name = parsed_budget(question.budget), Store(store_uri), monitor_name(question.monitor)
    judgements = read_judgements(store, name, question.start, question.end)
    if not judgements.times:
        raise StoreError(_nothing(store, name))
    found = _replayed(store, name, judgements, question.settings)
    if budget:
        found = _within(found, store, budget)
    console = out()
    if as_json:
        console.file.write(replay_document(found) + "\n")
    else:
        print_replay(console, found)


def _replayed(store: Store, name: str, judgements: Judgements, texts: Sequence[str]) -> Replayed:
    settings = parsed_settings(texts, judgements)
    remeasured = _remeasured(store, name, judgements, unmeasured(judgements, settings))
    judgements = judgements.with_values(remeasured.values)
    assignments = [setting.assigned(judgements) for setting in settings]
    then = thresholds_in_force(judgements)
    now = with_assignments(judgements, then, assignments)
    return Replayed(name, replay(judgements, assignments), assignments, then, now, remeasured)


def _remeasured(store: Store, name: str, judgements: Judgements, settings: Sequence[Setting]) -> Remeasured:
    """What can be told now of metrics that were not measured then.

    Raises:
        StoreError: of one of them nothing can be told.
    """
    if not settings:
        return Remeasured()
    with working() as say:
        say("measuring from stored profiles")
        found = remeasure(store, name, judgements, settings)
    told = {value.check.metric for value in found.values}
    untold = [setting.metric for setting in settings if setting.metric not in told]
    if untold:
        why = "there are no stored profiles to tell it from; evaluate that range again with `driftline backfill`"
        raise StoreError("\n".join(f"{metric} was not measured in that range, and {why}" for metric in untold))
    return found


def _within(found: Replayed, store: Store, budget: AlertBudget) -> Replayed:
    """The same with thresholds that keep a budget; what was set stays as it was set."""
    judgements = found.judgements
    allowed, kinds = budget.allowed(judgements.times), feature_kinds(store, found.monitor, judgements.times[-1])
    fixed = [place for assignment in found.assignments for place in assignment.places]
    proposals = propose(found.replay, found.now, allowed, kinds, fixed)
    if proposals is None:
        return replace(found, budgeted=Budgeted(budget, allowed))
    assignments = [*found.assignments, *(proposal.assignment for proposal in proposals)]
    now = with_assignments(judgements, found.now, assignments[len(found.assignments) :])
    again = replay(judgements, assignments)
    found = replace(found, replay=again, now=now)
    remarks = _remarks(found, proposals)
    thresholds = [
        CheckThreshold(check, kinds.get(check), in_force, remarks.get(place, ""))
        for place, (check, in_force) in enumerate(zip(judgements.checks, now, strict=True))
        if in_force.threshold is not None or in_force.kind is None
    ]
    return replace(found, budgeted=Budgeted(budget, allowed, proposals, thresholds))


def _remarks(found: Replayed, proposals: Sequence[Proposal]) -> dict[int, str]:
    """Beside each proposed threshold today's, and how many messages either sends by itself."""
    remarks: dict[int, str] = {}
    for proposal in proposals:
        beside = found.replay.beside(found.judgements.of_checks(proposal.checks))
        today = threshold_words(found.then[proposal.checks[0]])
        remark = f"today {today}; messages {beside.then.messages:,} → {beside.now.messages:,}"
        remarks |= dict.fromkeys(proposal.checks, remark)
    return remarks


def _nothing(store: Store, name: str) -> str:
    times = store.read_runs(monitor=name, columns=["monitor"], limit=1)
    if times.num_rows:
        return f"no run of {name} in that range in {store.uri}"
    names = sorted(set(store.read_runs(columns=["monitor"])["monitor"].to_pylist()))
    return f"no results of a monitor {name!r} in {store.uri}; it holds {listed(names, 10) or 'none'}"
