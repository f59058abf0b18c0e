"""What a signal compares, opened: its production data and its baseline, and the columns that it watches in both."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from engine.batches import Dataset, Span
from engine.buckets import WHOLE
from engine.duplicates import Duplicates
from engine.errors import DataError
from engine.monitor import Columns, Data
from engine.plan import SignalPlan
from engine.profiling import Profiled
from engine.readings import Readings
from engine.roles import require
from engine.scanning import span_of
from engine.segments import segment_of
from engine.watched import Watched, attributed, role_names, watched_columns
from engine.windows import Window
from signals.bins import Bins
from signals.importances import Importances
from signals.profile import Profile
from signals.segments import EVERYTHING, Segment

__all__ = ["Comparison", "Side", "attempt", "open_sides"]


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

    def step(self, plan: SignalPlan) -> timedelta:
        """The length of the buckets that its windows are made of."""
        return WHOLE if self.dataset.by_window else plan.step

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
        roles: the columns that play a role, and so are no features.
        importances: how much features matter, by the baseline's window; empty where nobody asked.
        production, reference: the two sides; None where they could not be opened, or there is no baseline.
        bins: the frozen bins, by the column's name in the baseline.
        duplicates: by window; None where nobody asked, or there is no correlation id.
        trouble: why nothing could be read; None when it could.
    """

    plan: SignalPlan
    watched: list[Watched] = field(default_factory=list[Watched])
    roles: frozenset[str] = frozenset()
    importances: Mapping[Window | None, Importances] = field(default_factory=dict[Window | None, Importances])
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

    def watched_at(self, time: datetime) -> list[Watched]:
        """The columns that are watched at a scheduled time."""
        known = self.importances.get(self.plan.baselines[time])
        return self.watched if known is None else self.most_important(known)

    def most_important(self, *known: Importances) -> list[Watched]:
        """The watched columns, where only the most important ones are wanted those, by any of these importances.

        And in any case those that production has lost: of them nobody knows any more how important they are.
        """
        most = self.plan.signal.features.top_n_importance
        if most is None:
            return self.watched
        wanted = {name for each in known for name in each.top(most)}
        now = self.production.dataset.columns if self.production else {}
        return [each for each in self.watched if each.group in wanted or each.column not in now]

    def rows(self, window: Window) -> int:
        """How many rows a window has."""
        return self.production.found.rows.get(window, 0) if self.production else 0

    def vanished(self, time: datetime) -> dict[str, int]:
        """By side how many of its buckets at a scheduled time are no longer in the source; what was kept stands in."""
        windows = (self.plan.windows[time], self.plan.baselines[time])
        sides = zip(self.sides, windows, ("the window", "the baseline"), strict=False)
        return {name: side.found.vanished.get(window, 0) for side, window, name in sides}

    def latest(self, window: Window) -> datetime | None:
        """The latest timestamp of a window; None where it has no rows, or rows without a time of their own."""
        if self.production is None or self.production.dataset.by_window:
            return None
        found = self.production.found.latest.get(window)
        return None if found is None else datetime.fromtimestamp(found, UTC)


def open_sides(plans: Sequence[SignalPlan], readings: Readings) -> list[Comparison]:
    """Open what these signals compare, each dataset once for all of them, and see which columns they watch."""
    for plan in plans:
        readings.expect(plan.signal.production, span_of(plan.distinct_windows))
        if plan.signal.reference:
            readings.expect((plan.signal.reference,), _baseline_span(plan))
    found = [Comparison(plan) for plan in plans]
    roles: dict[int, set[str]] = {}
    for each in found:
        monitor = each.plan.monitor
        names = roles.setdefault(id(monitor), role_names(monitor))
        attempt([each], readings, lambda members, names=names: _open(members[0], names, readings))
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
    no_features = production.dataset.envelope | _keys(now)
    only_before = (reference.dataset.envelope if reference else set[str]()) | _keys(before)
    own_roles = roles | no_features | (only_before - {*production.dataset.columns})
    columns = reference.dataset.columns if reference else None
    own_roles |= attributed(plan.monitor, {**(columns or {}), **production.dataset.columns})
    watched = watched_columns(signal, production.dataset.columns, columns, now, before, own_roles)
    nested = [each for each in watched if each.nested and signal.features.names is None]
    for each in nested:
        readings.note(f"{signal.name}: left out: {each.trouble}", production.dataset.title)
    found.production, found.reference, found.roles = production, reference, frozenset(own_roles)
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


def attempt(members: Sequence[Comparison], readings: Readings, work: Callable[[Sequence[Comparison]], None]) -> None:
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
            attempt([each], readings, work)
