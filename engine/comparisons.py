"""Profiles of production and of its baseline, for all signals that compare the two, with every dataset read once."""

from collections.abc import Sequence
from dataclasses import replace

from engine.baselines import BinsRequest, frozen_bins
from engine.duplicates import count_duplicates
from engine.joins import without_overlaps
from engine.kept_importances import weigh
from engine.plan import SignalPlan
from engine.profiling import ProfiledData, ProfileRequest, profile
from engine.readings import Readings
from engine.sides import Comparison, Side, attempt, open_sides
from engine.store import Store
from signals.catalogue import METRICS, Kind
from signals.distinct import EXACT_UP_TO
from signals.kernel import ScannedColumn

__all__ = ["bins_groups", "compare", "freeze", "requests_by_data"]


def compare(
    plans: Sequence[SignalPlan], readings: Readings, store: Store | None, *, refresh: bool = False
) -> list[Comparison]:
    """Profile everything that these signals compare: what is not kept is read, each dataset once."""
    found = open_sides(plans, readings)
    weigh(found, readings, store, refresh=refresh)
    freeze([each for each in found if each.trouble is None], readings, store)
    _profile([each for each in found if each.trouble is None], readings, store, refresh=refresh)
    for each in found:
        if each.trouble is None:
            attempt([each], readings, lambda members: _count_duplicates(members[0]))
    return found


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


def freeze(found: Sequence[Comparison], readings: Readings, store: Store | None) -> None:
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

        attempt(members, readings, work)


# ----------------------------------------------------------------------------------------------------- profiles


def requests_by_data(found: Sequence[Comparison]) -> list[tuple[ProfiledData, list[ProfileRequest]]]:
    """What these signals need, by dataset."""
    groups: dict[str, tuple[ProfiledData, list[ProfileRequest]]] = {}
    for each in found:
        for side in each.sides:
            data = ProfiledData(side.dataset, side.roles, side.key)
            groups.setdefault(side.place, (data, []))[1].append(_request(each, side))
    return list(groups.values())


def _profile(found: Sequence[Comparison], readings: Readings, store: Store | None, *, refresh: bool) -> None:
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
        attempt(members, readings, work)


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
    return ProfileRequest(tuple(columns.values()), windows, side.step(plan), side.segment)


def _distinct_up_to(found: Comparison) -> int:
    asked = any(request.metric == "cardinality" for request in found.plan.signal.metrics)
    return EXACT_UP_TO if asked and Kind.NUMERICAL in METRICS["cardinality"].kinds else 0


def _count_duplicates(found: Comparison) -> None:
    side = found.production
    asked = any(request.metric == "duplicate_rate" for request in found.plan.signal.metrics)
    if asked and side and side.roles.correlation_id in side.dataset.columns:
        windows = found.plan.distinct_windows
        shares = without_overlaps(windows) if side.dataset.by_window else [windows]
        found.duplicates = {}
        for share in shares:
            dataset = side.dataset.within(side.roles, share, (side.segment,))
            found.duplicates |= count_duplicates(dataset, side.roles, share, side.segment)
