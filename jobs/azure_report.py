"""Line by line: what a schedule of Azure's says, how it is understood, and what Azure would have done differently."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from engine.definitions.compiler import out_of_box
from engine.definitions.document import Document, Key
from engine.definitions.metric_keys import DriftThresholds
from engine.definitions.monitor_keys import Schedule
from engine.definitions.threshold_keys import ThresholdKeys
from engine.definitions.tidy import NOT_USED, Written, keys_of, plain_entry
from engine.windows import default_window
from engine.wording import SYMBOLS, number
from jobs.azure_keys import AZURE_KEYS, METRICS_IN_AZURE, AzureKey
from jobs.tidy_yaml import one_line
from jobs.trigger_words import trigger_words
from signals.catalogue import Family, Metric
from signals.metrics import METRICS
from signals.thresholds import FixedThreshold, RangeThreshold

__all__ = ["LEFT_OUT", "Line", "lines_of", "report_table"]

SIGNALS = ("create_monitor", "monitoring_signals")
DATA = frozenset({"production_data", "reference_data"})
P_VALUES = frozenset({"two_sample_kolmogorov_smirnov_test", "pearsons_chi_squared_test"})
WINDOWS = frozenset({"data_window", "data_window_size"})
SAME_IN_AZURE = frozenset({Family.TOKENS, Family.GENERATION})
LEFT_OUT = "left out"


@dataclass(frozen=True)
class Line:
    """What is said of one key of the source.

    Attributes:
        number: the line that it stands on; None: nothing is written there.
        key: as its author wrote it.
        understood: what driftline takes it for.
        azure: what Azure would have done differently; empty where nothing is known.
    """

    number: int | None
    key: Key
    understood: str
    azure: str = ""


def lines_of(document: Document, schedule: Schedule) -> list[Line]:
    """Every key of the source in the order of its lines; below each signal, what it leaves out."""
    found: list[Line] = []
    keys = sorted(keys_of(schedule, document.data), key=lambda each: document.line(each.key) or 0)
    for place, each in enumerate(keys):
        found.append(Line(document.line(each.key), each.key, _understood(each, schedule), _in_azure(each)))
        signal = each.key[:3]
        following = keys[place + 1].key[:3] if place + 1 < len(keys) else ()
        if len(signal) == 3 and signal[:2] == SIGNALS and following != signal:
            found += _left_out([own for own in keys if own.key[:3] == signal], schedule)
    if schedule.create_monitor.monitoring_signals is None:
        signals = out_of_box(schedule.create_monitor.monitoring_target.ml_task)
        about = "" if "token_usage" in signals else ", on all features"
        in_azure = "calls them " + ", ".join(f"{name.replace('_', '-')}-signal" for name in signals)
        found.append(Line(None, SIGNALS, f"{', '.join(signals)}{about}", in_azure))
    return found


def _block_of(canonical: Key) -> str | None:
    """The block of `AZURE_KEYS` in which a key stands; None for names of the author's, and for metrics."""
    above = [step for step in canonical[:-1] if isinstance(step, str)]
    if tuple(above[:2]) == SIGNALS:
        return _block_in_signal(above[3:]) if len(above) > 2 else None
    if above == ["trigger", "schedule"]:
        return "pattern"
    return above[-1] if above else "schedule"


def _block_in_signal(inside: list[str]) -> str | None:
    if not inside:
        return "signal"
    if inside[0] == "input_data":  # of a custom signal: datasets by name
        inside = inside[1:]
    elif inside[0] not in DATA:
        return inside[0] if len(inside) == 1 else None
    return ("data", *inside[1:])[-1] if inside else None


def _known(each: Written) -> AzureKey | None:
    """What is known of the key, as it is written or as we would write it."""
    keys = AZURE_KEYS.get(_block_of(each.canonical) or "", {})
    return keys.get(str(each.key[-1])) or keys.get(str(each.canonical[-1]))


def _in_azure(each: Written) -> str:
    if _is_judged(each):
        name = str(each.canonical[-1])
        return METRICS_IN_AZURE.get(name, "" if METRICS[name].family in SAME_IN_AZURE else "has no such metric")
    known = _known(each)
    return known.differs if known and _matters(each) else ""


def _matters(each: Written) -> bool:
    """Whether what Azure does otherwise is seen with this value."""
    match each.canonical[-1], each.value:
        case "interval", int():
            return each.value > 1
        case "expression", str():
            return each.value.split()[2:4] != ["*", "*"]
        case "metric_thresholds", DriftThresholds():
            tables = (each.value.numerical, each.value.categorical)
            return any(len(table) > 1 or any(_is_zero(own) for own in table.values()) for table in tables)
        case "metric_thresholds", _:
            return False
        case _:
            return True


def _is_zero(thresholds: Sequence[ThresholdKeys]) -> bool:
    return any(each.threshold == 0 for each in thresholds)


def _understood(each: Written, schedule: Schedule) -> str:
    if _is_left_out(each):
        return LEFT_OUT
    if each.canonical == ("trigger",):
        return trigger_words(schedule.trigger.trigger())
    if _is_judged(each):
        metric = METRICS[str(each.canonical[-1])]
        return _renamed(each, "; ".join(_judged(keys, metric) for keys in each.value))
    said = one_line(plain_entry(str(each.canonical[-1]), each.value)) if each.leaf else ""
    return _renamed(each, said)


def _is_left_out(each: Written) -> bool:
    own = each.block is not None and str(each.canonical[-1]) in {"$schema", *NOT_USED.get(each.block, ())}
    return own or each.canonical[:2] == ("create_monitor", "compute")


def _is_judged(each: Written) -> bool:
    """Whether the key is a metric, with thresholds."""
    value = each.value
    is_metric = each.canonical[-1] in METRICS and isinstance(value, tuple)
    return is_metric and all(isinstance(threshold, ThresholdKeys) for threshold in value)


def _renamed(each: Written, said: str) -> str:
    """With our word for the key, where it is another one."""
    ours = str(each.canonical[-1])
    return said if ours == str(each.key[-1]) else f"{ours}: {said}" if said else ours


def _judged(keys: ThresholdKeys, metric: Metric) -> str:
    threshold = keys.threshold_of(metric)
    what = "p-value " if metric.name in P_VALUES else ""
    match threshold:
        case FixedThreshold():
            above = " above the baseline's" if threshold.relative_to_baseline else ""
            return f"breach when {what}{SYMBOLS[threshold.operator.value]} {number(threshold.value)}{above}"
        case RangeThreshold():
            return f"breach outside {number(threshold.low)} to {number(threshold.high)}"
        case None:
            return "recorded, not judged"
        case _:
            return "judged by its own history"


def _left_out(keys: Sequence[Written], schedule: Schedule) -> Iterator[Line]:
    """What is taken for the keys that a signal could have and has not; the signal's own key is the first."""
    signal, known = keys[0], AZURE_KEYS["signal"]
    written = {each.canonical[3] for each in keys[1:]}
    windowed = [each for each in keys if each.canonical[3:4] == ("production_data",) and WINDOWS & {*each.canonical}]
    if not windowed and "production_data" in type(signal.value).model_fields:
        window = default_window(schedule.trigger.trigger(), "production")
        size = f"{window.size}, up to the scheduled time"
        yield Line(None, (*signal.key, "production_data", "data_window"), size)
    alerts = schedule.create_monitor.alert_notification is not None
    for name in type(signal.value).model_fields:
        if name in written or name not in known or not known[name].missing:
            continue
        if name == "alert_enabled":
            said = "true: there is an alert_notification" if alerts else "false: there is no alert_notification"
            yield Line(None, (*signal.key, name), said, known[name].missing_in_azure if alerts else "")
        else:
            yield Line(None, (*signal.key, name), known[name].missing)


# ------------------------------------------------------------------------------------------------------ as a table


def report_table(lines: Sequence[Line]) -> Table:
    """One row per key, indented as it is in the file; what is not written stands in brackets.

    What Azure does is said once, and then by the line where it was said.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False, expand=True)
    table.add_column("line", justify="right", no_wrap=True)
    table.add_column("key", no_wrap=True)
    table.add_column("understood as", ratio=4, overflow="fold")
    table.add_column("Azure", ratio=5, overflow="fold")
    said: dict[str, int] = {}
    for each in lines:
        unwritten = each.number is None
        quiet = unwritten or each.understood == LEFT_OUT
        # What is not written may be deeper than its place: it is named from the signal on.
        deep = unwritten and len(each.key) > 3
        steps, depth = (each.key[3:], 3) if deep else (each.key[-1:], len(each.key) - 1)
        name = ".".join(f"[{step}]" if isinstance(step, int) else step for step in steps)
        table.add_row(
            str(each.number or ""),
            Text("  " * depth + (f"({name})" if unwritten else name), "dim" if quiet else "bold"),
            Text(each.understood.replace("`", ""), "dim" if quiet else ""),
            _said_once(each, said),
        )
    return table


def _said_once(each: Line, said: dict[str, int]) -> Text:
    if each.azure and each.number and said.setdefault(each.azure, each.number) != each.number:
        return Text(f"as in line {said[each.azure]}", "dim yellow")
    return Text(each.azure.replace("`", ""), "yellow")
