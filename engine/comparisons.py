"""Profiles of production and of its baseline, for all signals that compare the two, with every dataset read once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from engine.baselines import Baseline, BaselineRequest, BaselineStore, baseline_of
from engine.batches import Dataset, Span
from engine.duplicates import Duplicates, count_duplicates
from engine.errors import DataError
from engine.monitor import Columns, Data, Signal
from engine.plan import SignalPlan
from engine.readings import Readings
from engine.roles import require
from engine.scanning import Scanned, scan, span_of
from engine.watched import Watched, watched_columns
from engine.windows import Window
from signals.catalogue import METRICS, Kind
from signals.distinct import EXACT_UP_TO
from signals.kernel import ScannedColumn
from signals.profile import Profile

__all__ = ["Comparison", "compare"]


@dataclass
class Comparison:
    """One signal's data, as far as they could be read.

    Attributes:
        plan: the signal and its windows.
        watched: its columns.
        current, baseline: profiles by window, then by the watched column's name in production or in the baseline.
        rows: by window, how many rows it has.
        latest: by window the latest timestamp.
        duplicates: by window; None where nobody asked, or there is no correlation id.
        trouble: why nothing could be read; None when it could.
    """

    plan: SignalPlan
    watched: list[Watched] = field(default_factory=list[Watched])
    current: dict[Window, dict[str, Profile]] = field(default_factory=dict[Window, dict[str, Profile]])
    baseline: dict[Window | None, dict[str, Profile]] = field(default_factory=dict[Window | None, dict[str, Profile]])
    rows: dict[Window, int] = field(default_factory=dict[Window, int])
    latest: dict[Window, datetime] = field(default_factory=dict[Window, datetime])
    duplicates: dict[Window, Duplicates] | None = None
    trouble: str | None = None


@dataclass
class Side:
    """An opened comparison: its datasets, before anything is counted."""

    found: Comparison
    production: Dataset
    roles: Columns
    reference: Dataset | None
    reference_roles: Columns | None


def compare(
    plans: Sequence[SignalPlan], roles: set[str], readings: Readings, store: BaselineStore | None
) -> list[Comparison]:
    """Profile everything that these signals compare: one scan per production dataset, and one per new baseline."""
    found = [Comparison(plan) for plan in plans]
    sides = [side for each in found if (side := _opened(each, roles, readings)) is not None]
    baselines = _baselines(sides, readings, store)
    _scan_production([side for side in sides if side.found.trouble is None], baselines, readings)
    return found


# ------------------------------------------------------------------------------------------------------ opening


def _opened(found: Comparison, roles: set[str], readings: Readings) -> Side | None:
    plan = found.plan
    try:
        production, now = readings.opened(plan.signal.production, span_of(plan.distinct_windows))
        require(production.title, "timestamp", now.timestamp, production.columns)
        reference, before = _reference(plan, readings)
    except DataError as error:
        found.trouble = readings.failed(error)
        return None
    # What was only found in the baseline is no role in production: there it may be a feature.
    own_roles = roles | _keys(now) | (_keys(before) - {*production.columns})
    columns = reference.columns if reference else None
    watched = watched_columns(plan.signal, production.columns, columns, now, before, own_roles)
    nested = [each for each in watched if each.nested and plan.signal.features.names is None]
    for each in nested:
        readings.note(f"{plan.signal.name}: left out: {each.trouble}")
    found.watched = [each for each in watched if each not in nested]
    return Side(found, production, now, reference, before)


def _reference(plan: SignalPlan, readings: Readings) -> tuple[Dataset | None, Columns | None]:
    data = plan.signal.reference
    if data is None:
        return None, None
    windows = plan.distinct_baselines
    dated = [window for window in windows if window is not None]
    dataset, roles = readings.opened((data,), span_of(dated) if dated else Span())
    if dated:
        require(dataset.title, "timestamp", roles.timestamp, dataset.columns)
    return dataset, roles


def _reference_in(signal: Signal, readings: Readings, window: Window | None) -> Dataset:
    assert signal.reference is not None
    return readings.opened((signal.reference,), span_of([window]) if window else Span())[0]


def _keys(roles: Columns | None) -> set[str]:
    return {name for name in (roles.timestamp, roles.correlation_id) if name} if roles else set()


# ---------------------------------------------------------------------------------------------------- baselines


def _request(side: Side) -> BaselineRequest | None:
    signal = side.found.plan.signal
    if signal.reference is None or side.reference_roles is None:
        return None
    names = tuple(dict.fromkeys(each.baseline for each in side.found.watched if each.baseline and not each.trouble))
    data = Data(signal.reference.source, signal.reference.context, side.reference_roles, signal.reference.window)
    return BaselineRequest(data, names, signal.features.type_override, signal.max_categories, signal.binning)


def _baselines(sides: Sequence[Side], readings: Readings, store: BaselineStore | None) -> dict[str, Baseline]:
    """The baseline of each signal by its name; signals with the same baseline share one reading of it."""
    groups: dict[str, list[tuple[Side, BaselineRequest]]] = {}
    for side in sides:
        request = _request(side)
        if request is not None:
            windows = side.found.plan.distinct_baselines
            groups.setdefault(repr((request.data, windows, request.key)), []).append((side, request))
    found: dict[str, Baseline] = {}
    for members in groups.values():
        side, request = members[0]
        names = tuple(dict.fromkeys(name for _, each in members for name in each.columns))
        whole, windows = replace(request, columns=names), side.found.plan.distinct_baselines
        try:
            if side.reference is not None:
                opened = partial(_reference_in, side.found.plan.signal, readings)
                baseline = baseline_of(side.reference, whole, windows, store, opened)
                readings.count(baseline.rows_read, baseline.cpu_seconds)
                found |= {member.found.plan.signal.name: baseline for member, _ in members}
        except DataError as error:
            for member, _ in members:
                member.found.trouble = readings.failed(error)
    for side in sides:
        side.found.baseline = found[name].profiles if (name := side.found.plan.signal.name) in found else {}
    return found


# --------------------------------------------------------------------------------------------------- production


def _scan_production(sides: Sequence[Side], baselines: Mapping[str, Baseline], readings: Readings) -> None:
    groups: dict[tuple[int, str | None], list[Side]] = {}
    for side in sides:
        groups.setdefault((id(side.production), side.roles.timestamp), []).append(side)
    for members in groups.values():
        try:
            _scan_together(members, baselines, readings)
        except DataError as error:
            for side in members:
                side.found.trouble = readings.failed(error)


def _scan_together(sides: Sequence[Side], baselines: Mapping[str, Baseline], readings: Readings) -> None:
    wanted: dict[tuple[str, str], ScannedColumn] = {}
    for side in sides:
        for each, column in _scanned(side, baselines):
            known = wanted.get((each.column, column.bins.id))
            if known is None or column.distinct_up_to > known.distinct_up_to:
                wanted[each.column, column.bins.id] = column
    windows = tuple(sorted({window for side in sides for window in side.found.plan.distinct_windows}))
    first = sides[0]
    scanned = scan(first.production, list(wanted.values()), windows, first.roles)
    readings.report(first.production.title, first.roles, scanned.report)
    place = {key: number for number, key in enumerate(wanted)}
    for side in sides:
        _hand_out(side, scanned, place, baselines)
        asked = any(request.metric == "duplicate_rate" for request in side.found.plan.signal.metrics)
        if asked and side.roles.correlation_id in side.production.columns:
            side.found.duplicates = count_duplicates(side.production, side.roles, windows)


def _scanned(side: Side, baselines: Mapping[str, Baseline]) -> list[tuple[Watched, ScannedColumn]]:
    """The watched columns that can be scanned, in their frozen bins."""
    signal = side.found.plan.signal
    bins = baselines[signal.name].bins if signal.name in baselines else {}
    return [
        (each, ScannedColumn(each.column, bins[each.baseline], _distinct_up_to(signal)))
        for each in side.found.watched
        if not each.trouble and each.baseline in bins
    ]


def _distinct_up_to(signal: Signal) -> int:
    asked = any(request.metric == "cardinality" for request in signal.metrics)
    return EXACT_UP_TO if asked and Kind.NUMERICAL in METRICS["cardinality"].kinds else 0


def _hand_out(
    side: Side, scanned: Scanned, place: Mapping[tuple[str, str], int], baselines: Mapping[str, Baseline]
) -> None:
    mine = _scanned(side, baselines)
    for window in side.found.plan.distinct_windows:
        profiles = scanned.profiles[window]
        side.found.current[window] = {each.column: profiles[place[each.column, c.bins.id]] for each, c in mine}
        side.found.rows[window] = scanned.rows[window]
        if window in scanned.latest:
            side.found.latest[window] = datetime.fromtimestamp(scanned.latest[window], UTC)
