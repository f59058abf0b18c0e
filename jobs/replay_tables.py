"""A replay at a glance: what there was beside what there would have been; in all, by metric, by month, by check."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.judgements import Check
from engine.replays import Beside
from engine.thresholds_in_force import InForce
from engine.wording import listed, moment, plural
from jobs.replayed import Budgeted, Replayed
from jobs.threshold_words import threshold_words
from jobs.threshold_yaml import threshold_document, yaml_lines

__all__ = ["print_replay"]

MOST_CHECKS = 10
MOST_NAMES = 4
NOTHING = threshold_words(InForce())
WORDS = (
    "A breach is a value across its threshold; an alert is a check that begins to breach; "
    "a message is a run in which at least one check does."
)


def print_replay(console: Console, found: Replayed) -> None:
    """Everything that `driftline replay` prints about one monitor."""
    console.print(_headline(found))
    for line in (*_what_is_set(found), *_what_is_remeasured(found)):
        console.print(line)
    if found.budgeted:
        console.print(_budget_line(found, found.budgeted))
    console.print()
    console.print(_by_metric(found))
    console.print()
    console.print(_by_month(found))
    if changed := _changed(found):
        console.print()
        console.print(_by_check(found, changed[:MOST_CHECKS]))
        if len(changed) > MOST_CHECKS:
            console.print(Text(f"and {plural(len(changed) - MOST_CHECKS, 'check')} more", "dim"))
    console.print()
    console.print(Text(WORDS, "dim"))
    if found.budgeted and found.budgeted.proposals is not None:
        console.print()
        _print_yaml(console, found, found.budgeted)


# ------------------------------------------------------------------------------------------------- the first lines


def _headline(found: Replayed) -> Text:
    times = found.judgements.times
    between = " to ".join(dict.fromkeys((moment(times[0]), moment(times[-1]))))
    return Text.assemble((found.monitor, "bold"), " · ", between, " · ", plural(len(times), "run"))


def _budget_line(found: Replayed, budgeted: Budgeted) -> Text:
    beside = found.replay.beside()
    asked = f"{budgeted.budget}: {plural(budgeted.allowed, 'message')} in that time"
    if budgeted.proposals is None:
        why = "what is set, or cannot be moved (dynamic thresholds, say), sends more by itself"
        return Text.assemble(asked, " · ", ("cannot be kept", "bold red"), f": {why}")
    there = f"{beside.then.messages:,} then, {beside.now.messages:,} with the thresholds below"
    line = Text.assemble(asked, " · ", (there, "bold"))
    if beside.now.messages < budgeted.allowed:
        line.append("; the next step would send too many, or breach more often than not", "dim")
    return line


def _what_is_set(found: Replayed) -> Iterable[Text]:
    """Each threshold that is set, and which ones it takes the place of."""
    for assignment in found.assignments:
        by_words: dict[tuple[str, str, str], list[str]] = {}
        for place in assignment.places:
            check = found.judgements.checks[place]
            words = (check.metric, threshold_words(found.now[place]), threshold_words(found.then[place]))
            by_words.setdefault(words, []).append(check.group)
        for (metric, now, then), groups in by_words.items():
            names = listed(list(dict.fromkeys(groups)), MOST_NAMES)
            before = "not judged before" if then == NOTHING else f"in place of {then}"
            after = "not judged" if now == NOTHING else now
            yield Text.assemble(f"{metric} ", (after, "bold"), (f", {before}: {names}", "dim"))


def _what_is_remeasured(found: Replayed) -> Iterable[Text]:
    """What was not measured then: from how many stored profiles it is told now, and what is not stored."""
    counted = Counter(value.check.metric for value in found.remeasured.values)
    for metric, count in counted.items():
        missing = found.remeasured.missing.get(metric, 0)
        said = f"{metric} was not measured then: {plural(count, 'value')} from stored profiles"
        yield Text(f"{said}, {missing:,} not stored" if missing else said, "yellow" if missing else "dim")


# ------------------------------------------------------------------------------------------------------ the tables


def _table(*first: str) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    for name in first:
        table.add_column(name, justify="right" if name == "runs" else "left", overflow="fold")
    for name in ("breaches", "alerts", "messages"):
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _by_metric(found: Replayed) -> Table:
    judgements = found.judgements
    table = _table("metric")
    table.add_row(Text("all", "bold"), *_cells(found.replay.beside()))
    labels = [(check.signal, check.metric) for check in judgements.checks]
    for label, beside in found.replay.beside_by(labels, judgements.check).items():
        if beside.then.breaches or beside.now.breaches:
            table.add_row(Text(" ".join(label)), *_cells(beside))
    return table


def _by_month(found: Replayed) -> Table:
    judgements = found.judgements
    months = [f"{time:%b %Y}" for time in judgements.times]
    table = _table("month", "runs")
    for month, beside in found.replay.beside_by(months, judgements.run).items():
        table.add_row(month, f"{months.count(month):,}", *_cells(beside))
    return table


def _changed(found: Replayed) -> list[int]:
    """The checks whose counts change, those that change most first."""
    sizes = {
        place: (abs(beside.now.alerts - beside.then.alerts), abs(beside.now.breaches - beside.then.breaches))
        for place, beside in enumerate(found.replay.by_check())
    }
    return sorted((place for place, size in sizes.items() if any(size)), key=lambda place: sizes[place], reverse=True)


def _by_check(found: Replayed, places: Sequence[int]) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    for name in ("changes most", "threshold", "breaches", "alerts"):
        right = name in ("breaches", "alerts")
        table.add_column(name, justify="right" if right else "left", no_wrap=right, overflow="fold")
    by_check = found.replay.by_check()
    for place in places:
        words = f"{threshold_words(found.then[place])} → {threshold_words(found.now[place])}"
        table.add_row(_name(found.judgements.checks[place]), words, *_cells(by_check[place])[:2])
    return table


def _name(check: Check) -> Text:
    return Text.assemble((check.group, "bold"), " ", (f"{check.signal} {check.metric}", "dim"))


def _cells(beside: Beside) -> list[Text]:
    then, now = beside.then, beside.now
    pairs = [(then.breaches, now.breaches), (then.alerts, now.alerts), (then.messages, now.messages)]
    return [_cell(*pair) for pair in pairs]


def _cell(then: int, now: int) -> Text:
    if then == now:
        return Text(f"{then:,}" if then else "·", "" if then else "dim")
    return Text.assemble(f"{then:,} → ", (f"{now:,}", "red" if now > then else "green"))


# ------------------------------------------------------------------------------------------------------------ YAML


def _print_yaml(console: Console, found: Replayed, budgeted: Budgeted) -> None:
    """Lines to paste: never wrapped, never coloured."""
    told = {each.check for each in budgeted.thresholds}
    left = [check for check in found.judgements.checks if check not in told]
    if left:
        names = listed([f"{check.group} {check.metric}" for check in left], MOST_NAMES)
        console.print(Text(f"# not here, and to be left as it is: {names}"), soft_wrap=True)
    for line in yaml_lines(threshold_document(budgeted.thresholds)):
        console.print(Text(line), soft_wrap=True)
