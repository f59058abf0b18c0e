"""Profiles of production and of its baseline, for all signals that compare the two, with every dataset read once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from engine.baselines import BinsRequest, BinsStore, frozen_bins
from engine.batches import Dataset, Span
from engine.duplicates import Duplicates, count_duplicates
from engine.errors import DataError
from engine.monitor import Columns, Data, Monitor
from engine.plan import SignalPlan
from engine.profiling import Profiled, ProfiledData, ProfileRequest, ProfileStore, profile
from engine.readings import Readings
from engine.roles import require
from engine.scanning import span_of
from engine.segments import segment_of
from engine.watched import Watched, role_names, watched_columns
from engine.windows import Window
from signals.bins import Bins
from signals.catalogue import METRICS, Kind
from signals.distinct import EXACT_UP_TO
from signals.kernel import ScannedColumn
from signals.profile import Profile
from signals.segments import EVERYTHING, Segment

__all__ = [
    "Comparison",
    "ComparisonStore",
    "Side",
    "bins_groups",
    "compare",
    "freeze",
    "open_sides",
    "requests_by_data",
]


class ComparisonStore(BinsStore, ProfileStore, Protocol):
    """What keeps bins and profiles; see `engine.store.Store`."""


@dataclass
class Side:
    """Production or the baseline of one signal, opened.

    Attributes:
        datas: its definition.
        dataset, roles: what was opened, and which column plays which role.
        key: under which its profiles are kept.
        segment: the signal's rows of it.
        found: its profiles, once they are known.
    """

    datas: tuple[Data, ...]
    dataset: Dataset
    roles: Columns
    key: str
    segment: Segment
    found: Profiled = field(default_factory=Profiled)

    @property
    def place(self) -> str:
        """Equal for sides that are read together."""
        return f"{self.key} {self.dataset.title}"


@dataclass
class Comparison:
    """One signal's data, as far as they could be read.

    Attributes:
        plan: the signal and its windows.
        watched: its columns.
        production, reference: the two sides; None where they could not be opened, or there is no baseline.
        bins: the frozen bins, by the column's name in the baseline.
        duplicates: by window; None where nobody asked, or there is no correlation id.
        trouble: why nothing could be read; None when it could.
    """

    plan: SignalPlan
    watched: list[Watched] = field(default_factory=list[Watched])
    production: Side | None = None
    reference: Side | None = None
    bins: Mapping[str, Bins] = field(default_factory=dict[str, Bins])
    duplicates: dict[Window, Duplicates] | None = None
    trouble: str | None = None

    @property
    def segment(self) -> str | None:
        """The name of production's rows that the signal is about; None where they could not be told."""
        if self.production:
            return self.production.segment.name
        return None if self.plan.signal.filters else EVERYTHING.name

    @property
    def sides(self) -> list[Side]:
        return [side for side in (self.production, self.reference) if side is not None]

    def current(self, window: Window) -> Mapping[str, Profile]:
        """Production's profiles, by column; none where nothing could be read."""
        return self.production.found.profiles.get(window, {}) if self.production else {}

    def baseline(self, window: Window | None) -> Mapping[str, Profile]:
        """The baseline's profiles, by column; none without a baseline."""
        return self.reference.found.profiles.get(window, {}) if self.reference else {}

    def rows(self, window: Window) -> int:
        """How many rows a window has."""
        return self.production.found.rows.get(window, 0) if self.production else 0

    def vanished(self, window: Window, baseline: Window | None) -> str | None:
        """Why the profiles of these windows are not what a scan of the source would find today; None: they are."""
        sides = zip(self.sides, (window, baseline), ("the window", "the baseline"), strict=False)
        gone = [(side.found.vanished.get(each, 0), name) for side, each, name in sides]
        said = " and ".join(f"{count:,} of {name}" for count, name in gone if count)
        return f"buckets that are no longer in the source are counted as they were kept: {said}" if said else None

    def latest(self, window: Window) -> datetime | None:
        """The latest timestamp of a window; None where it has no rows."""
        found = self.production.found.latest.get(window) if self.production else None
        return None if found is None else datetime.fromtimestamp(found, UTC)


def compare(
    plans: Sequence[SignalPlan], readings: Readings, store: ComparisonStore | None, *, refresh: bool = False
) -> list[Comparison]:
    """Profile everything that these signals compare: what is not kept is read, each dataset once."""
    found = open_sides(plans, readings)
    freeze([each for each in found if each.trouble is None], readings, store)
    _profile([each for each in found if each.trouble is None], readings, store, refresh=refresh)
    for each in found:
        if each.trouble is None:
            _attempt([each], readings, lambda members: _count_duplicates(members[0]))
    return found


# ------------------------------------------------------------------------------------------------------ opening


def open_sides(plans: Sequence[SignalPlan], readings: Readings) -> list[Comparison]:
    """Open what these signals compare, each dataset once for all of them, and see which columns they watch."""
    for plan in plans:
        readings.expect(plan.signal.production, span_of(plan.distinct_windows))
        if plan.signal.reference:
            readings.expect((plan.signal.reference,), _baseline_span(plan))
    found = [Comparison(plan) for plan in plans]
    roles: dict[int, set[str]] = {}
    for each in found:
        monitor: Monitor = each.plan.monitor
        names = roles.setdefault(id(monitor), role_names(monitor))
        _attempt([each], readings, lambda members, names=names: _open(members[0], names, readings))
    return found


def _open(found: Comparison, roles: set[str], readings: Readings) -> None:
    plan, signal = found.plan, found.plan.signal
    production = _side(plan, signal.production, span_of(plan.distinct_windows), readings)
    require(production.dataset.title, "timestamp", production.roles.timestamp, production.dataset.columns)
    reference = _side(plan, (signal.reference,), _baseline_span(plan), readings) if signal.reference else None
    if reference and plan.distinct_baselines != (None,):
        require(reference.dataset.title, "timestamp", reference.roles.timestamp, reference.dataset.columns)
    now, before = production.roles, reference.roles if reference else None
    # What was only found in the baseline is no role in production: there it may be a feature.
    own_roles = roles | _keys(now) | (_keys(before) - {*production.dataset.columns})
    columns = reference.dataset.columns if reference else None
    watched = watched_columns(signal, production.dataset.columns, columns, now, before, own_roles)
    nested = [each for each in watched if each.nested and signal.features.names is None]
    for each in nested:
        readings.note(f"{signal.name}: left out: {each.trouble}", production.dataset.title)
    found.production, found.reference = production, reference
    found.watched = [each for each in watched if each not in nested]


def _side(plan: SignalPlan, datas: tuple[Data, ...], span: Span, readings: Readings) -> Side:
    dataset, roles = readings.opened(datas, span)
    segment = segment_of(plan.signal.filters, roles, dataset.title, dataset.columns)
    return Side(datas, dataset, roles, readings.key(datas, roles), segment)


def _baseline_span(plan: SignalPlan) -> Span:
    dated = [window for window in plan.distinct_baselines if window is not None]
    return span_of(dated) if dated else Span()


def _keys(roles: Columns | None) -> set[str]:
    return {name for name in (roles.timestamp, roles.correlation_id) if name} if roles else set()


# --------------------------------------------------------------------------------------------------------- bins


def _bins_request(found: Comparison) -> BinsRequest | None:
    """The bins that a signal compares in; None without a baseline."""
    signal, reference = found.plan.signal, found.reference
    if reference is None:
        return None
    names = tuple(dict.fromkeys(each.baseline for each in found.watched if each.baseline and not each.trouble))
    first = min((window for window in found.plan.distinct_baselines if window is not None), default=None)
    return BinsRequest(
        reference.datas[0].source,
        reference.roles,
        names,
        first,
        signal.features.type_override,
        signal.max_categories,
        signal.binning,
    )


def bins_groups(found: Sequence[Comparison]) -> list[tuple[list[Comparison], BinsRequest]]:
    """Signals that bin the same baseline alike, and what they need together."""
    groups: dict[str, list[tuple[Comparison, BinsRequest]]] = {}
    for each in found:
        if request := _bins_request(each):
            groups.setdefault(f"{request.key} {request.window}", []).append((each, request))
    return [
        (
            [each for each, _ in members],
            replace(members[0][1], columns=tuple(dict.fromkeys(name for _, each in members for name in each.columns))),
        )
        for members in groups.values()
    ]


def freeze(found: Sequence[Comparison], readings: Readings, store: ComparisonStore | None) -> None:
    """Give each signal its bins; signals that bin the same baseline alike share one look at it."""
    for members, request in bins_groups(found):

        def work(sharing: Sequence[Comparison], request: BinsRequest = request) -> None:
            reference = sharing[0].reference
            assert reference is not None
            frozen = frozen_bins(reference.dataset, request, store)
            if frozen.report:
                readings.count(frozen.report.rows_read, frozen.report.cpu_seconds)
            for each in sharing:
                each.bins = frozen.bins

        _attempt(members, readings, work)


# ----------------------------------------------------------------------------------------------------- profiles


def requests_by_data(found: Sequence[Comparison]) -> list[tuple[ProfiledData, list[ProfileRequest]]]:
    """What these signals need, by dataset."""
    groups: dict[str, tuple[ProfiledData, list[ProfileRequest]]] = {}
    for each in found:
        for side in each.sides:
            data = ProfiledData(side.dataset, side.roles, side.key)
            groups.setdefault(side.place, (data, []))[1].append(_request(each, side))
    return list(groups.values())


def _profile(found: Sequence[Comparison], readings: Readings, store: ComparisonStore | None, *, refresh: bool) -> None:
    """Profile all sides, those of the same data together; where that fails, one signal at a time."""
    places = dict.fromkeys(side.place for each in found for side in each.sides)
    for place in places:

        def work(sharing: Sequence[Comparison], place: str = place) -> None:
            mine = [(each, side) for each in sharing for side in each.sides if side.place == place]
            first = mine[0][1]
            data = ProfiledData(first.dataset, first.roles, first.key)
            requests = [_request(each, side) for each, side in mine]
            answers = profile(data, requests, readings, store, refresh=refresh)
            for (_, side), answer in zip(mine, answers, strict=True):
                side.found = answer

        members = [each for each in found if not each.trouble and any(side.place == place for side in each.sides)]
        _attempt(members, readings, work)


def _request(found: Comparison, side: Side) -> ProfileRequest:
    """What a signal needs of one of its sides: its watched columns that have bins."""
    plan, distinct = found.plan, _distinct_up_to(found)
    known = [each for each in found.watched if not each.trouble and each.baseline in found.bins]
    columns = {
        name: ScannedColumn(name, found.bins[each.baseline], distinct)
        for each in known
        if each.baseline and (name := each.column if side is found.production else each.baseline)
    }
    windows = plan.distinct_windows if side is found.production else plan.distinct_baselines
    return ProfileRequest(tuple(columns.values()), windows, plan.step, side.segment)


def _distinct_up_to(found: Comparison) -> int:
    asked = any(request.metric == "cardinality" for request in found.plan.signal.metrics)
    return EXACT_UP_TO if asked and Kind.NUMERICAL in METRICS["cardinality"].kinds else 0


def _count_duplicates(found: Comparison) -> None:
    side = found.production
    asked = any(request.metric == "duplicate_rate" for request in found.plan.signal.metrics)
    if asked and side and side.roles.correlation_id in side.dataset.columns:
        windows = found.plan.distinct_windows
        found.duplicates = count_duplicates(
            side.dataset.within(side.roles, windows, (side.segment,)), side.roles, windows, side.segment
        )


# ------------------------------------------------------------------------------------------------------- errors


def _attempt(members: Sequence[Comparison], readings: Readings, work: Callable[[Sequence[Comparison]], None]) -> None:
    """Do shared work; where that fails, each signal's on its own, so that only those fail whose data are bad."""
    if not members:
        return
    try:
        work(members)
    except DataError as error:
        if len(members) == 1:
            members[0].trouble = readings.failed(error)
            return
        for each in members:
            _attempt([each], readings, work)
