"""What production is compared with: bins that are frozen with the first baseline, and the baseline's profiles.

Both are kept in the store, so that a baseline that did not change is never read again.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.batches import Dataset
from engine.monitor import Data
from engine.results import AGGREGATE
from engine.scanning import buckets_of, scan, scan_rows, timed
from engine.store.baselines import ProfileKey, StoredProfile
from engine.windows import Window
from signals.binning import Binning, requested_edges
from signals.bins import Bins, CategoricalBins, ValueType
from signals.catalogue import Kind
from signals.fitting import SAMPLE_SIZE, fit_bins, surveyed_column
from signals.kernel import ScannedColumn, ScanPlan, TaskReport, profiles_of, report_of, sample_of
from signals.measurement import Undefined
from signals.moments import standard_deviation_of
from signals.profile import NumericProfile, Profile
from signals.values import value_type_of

__all__ = ["Baseline", "BaselineRequest", "BaselineStore", "baseline_of"]

ENOUGH = SAMPLE_SIZE // 4
"""A sample smaller than this, of a baseline that has more rows, is drawn again."""


@dataclass(frozen=True)
class BaselineRequest:
    """A baseline as one or several signals need it.

    Attributes:
        data: its dataset.
        columns: the columns to profile.
        kinds: how the user wants columns read, where not by the rule.
        max_categories: how many categories a vocabulary may have.
        binning: the comparison's bins, whose edges are put among the fine ones.
    """

    data: Data
    columns: tuple[str, ...]
    kinds: Mapping[str, Kind]
    max_categories: int
    binning: Binning

    @property
    def key(self) -> str:
        """Under which bins are frozen: the dataset and how it is binned, not its present content nor its columns."""
        digest = blake2b(digest_size=8)
        source = self.data.source
        parts = (source.path, source.table, source.query, sorted(self.kinds.items()), self.max_categories, self.binning)
        digest.update(repr(parts).encode())
        return digest.hexdigest()


class BaselineStore(Protocol):
    """What keeps frozen bins and profiles of fixed baselines from one run to the next; see `engine.store.Store`."""

    def load_bins(self, dataset: str) -> dict[str, Bins]: ...

    def save_bins(self, dataset: str, bins: Mapping[str, Bins]) -> dict[str, Bins]: ...

    def load_profiles(
        self,
        dataset: str,
        bins: Iterable[tuple[str, Bins]],
        buckets: Collection[Window | None],
        segments: Collection[str],
    ) -> dict[ProfileKey, StoredProfile]: ...

    def save_profiles(self, profiles: Iterable[StoredProfile]) -> None: ...


@dataclass(frozen=True)
class Baseline:
    """What production is compared with.

    Attributes:
        bins: the frozen bins, by column; columns without a distribution have none.
        profiles: by window, then column; a baseline that is used whole has the one window None.
        rows_read: how many rows were read to get it; 0 when all was stored.
        cpu_seconds: CPU seconds that tasks spent on it.
        fresh: whether its bins were fitted just now.
    """

    bins: dict[str, Bins]
    profiles: dict[Window | None, dict[str, Profile]]
    rows_read: int = 0
    cpu_seconds: float = 0.0
    fresh: bool = False


def baseline_of(
    dataset: Dataset,
    request: BaselineRequest,
    windows: Sequence[Window | None],
    store: BaselineStore | None,
    of_window: Callable[[Window | None], Dataset] | None = None,
) -> Baseline:
    """The baseline over these windows, or whole (the one window None).

    Bins that are frozen already are used; others are fitted to the earliest window and frozen. A whole baseline whose
    source did not change is not read.

    Args:
        dataset: its rows, of all windows.
        request: what is needed of it.
        windows: when; the one window None for all of it.
        store: what keeps bins and profiles.
        of_window: the same dataset as it is opened for one window only, so that bins that are fitted to a window do
            not depend on which others are evaluated with it; None: `dataset` itself.
    """
    frozen = store.load_bins(request.key) if store else {}
    found = {name: value_type_of(dataset.columns[name]) for name in request.columns if name in dataset.columns}
    columns = {name: value_type for name, value_type in found.items() if value_type is not None}
    whole = list(windows) == [None]
    if store and whole and dataset.fingerprint and all(name in frozen for name in columns):
        bins = {name: frozen[name] for name in columns}
        held = store.load_profiles(request.key, bins.items(), [None], [AGGREGATE])
        stored = {key.column: each.profile for key, each in held.items() if each.fingerprint == dataset.fingerprint}
        if all(name in stored for name in columns):
            return Baseline(frozen, {None: stored})
    missing = {name: value_type for name, value_type in columns.items() if name not in frozen}
    first = min((window for window in windows if window is not None), default=None)
    survey = _survey(of_window(first) if of_window else dataset, request, missing, first) if missing else None
    bins = dict(frozen)
    if survey:
        # What is empty now may not be so in the next window, or run; two runs at once must freeze the same.
        lasting = {name: each for name, each in survey.bins.items() if survey.rows and (whole or _holds_values(each))}
        bins |= survey.bins
        bins |= store.save_bins(request.key, lasting) if store and lasting else {}
    profiles, report = _profiles(dataset, request, {name: bins[name] for name in columns}, windows)
    if store and whole and dataset.fingerprint and any(profile.rows for profile in profiles[None].values()):
        stored_profiles = profiles[None].items()
        store.save_profiles(
            StoredProfile(
                dataset=request.key,
                source=dataset.title,
                column=name,
                profile=profile,
                fingerprint=dataset.fingerprint,
            )
            for name, profile in stored_profiles
        )
    return Baseline(
        bins,
        profiles,
        rows_read=report.rows_read + (survey.report.rows_read if survey else 0),
        cpu_seconds=report.cpu_seconds + (survey.report.cpu_seconds if survey else 0.0),
        fresh=survey is not None,
    )


def _holds_values(bins: Bins) -> bool:
    return bool(bins.categories) if isinstance(bins, CategoricalBins) else bins.low <= bins.high


def _profiles(
    dataset: Dataset, request: BaselineRequest, bins: Mapping[str, Bins], windows: Sequence[Window | None]
) -> tuple[dict[Window | None, dict[str, Profile]], TaskReport]:
    columns = [ScannedColumn(name, each) for name, each in bins.items()]
    dated = [window for window in windows if window is not None]
    if dated:
        scanned = scan(dataset, columns, dated, request.data.columns)
        found = {window: dict(zip(bins, profiles, strict=True)) for window, profiles in scanned.profiles.items()}
        return {**found}, scanned.report
    rows = scan_rows(dataset, ScanPlan(tuple(columns)))
    return {None: dict(zip(bins, profiles_of(rows, columns)[0], strict=True))}, report_of(rows)


@dataclass(frozen=True)
class Survey:
    """Bins fitted to a first look at the baseline."""

    bins: dict[str, Bins]
    rows: int
    report: TaskReport


def _survey(
    dataset: Dataset, request: BaselineRequest, types: Mapping[str, ValueType], window: Window | None
) -> Survey:
    """Look at the columns of one window once; twice where the window is a small part, and so the sample small."""
    columns = [
        surveyed_column(name, value_type, request.kinds.get(name), request.max_categories)
        for name, value_type in types.items()
    ]
    known = dataset.count_rows()
    rate = min(1.0, SAMPLE_SIZE / max(1, known))
    rows, rate_found = _surveyed_rows(dataset, request, columns, window, rate)
    if rate < 1.0 and rate_found is not None:
        rows, _ = _surveyed_rows(dataset, request, columns, window, rate_found)
    profiles = profiles_of(rows, columns)[0]
    bins = {
        name: _fitted(profile, sample_of(rows, number), request, request.kinds.get(name))
        for number, (name, profile) in enumerate(zip(types, profiles, strict=True))
    }
    return Survey(bins, max((profile.rows for profile in profiles), default=0), report_of(rows))


def _surveyed_rows(
    dataset: Dataset, request: BaselineRequest, columns: Sequence[ScannedColumn], window: Window | None, rate: float
) -> tuple[pa.Table, float | None]:
    """The survey's state rows, and the sampling rate that would have been right where the sample is too small."""
    buckets = None if window is None else buckets_of([window])[0]
    plan = timed(ScanPlan(tuple(columns), sample_rate=rate), request.data.columns, buckets)
    rows = scan_rows(dataset, plan)
    size = max((profile.rows for profile in profiles_of(rows, columns)[0]), default=0)
    return rows, min(1.0, SAMPLE_SIZE / size) if size and rate < 1.0 and rate * size < min(size, ENOUGH) else None


def _fitted(profile: Profile, sample: npt.NDArray[np.float64], request: BaselineRequest, kind: Kind | None) -> Bins:
    edges: npt.NDArray[np.float64] = np.zeros(0)
    if isinstance(profile, NumericProfile) and profile.low <= profile.high:
        spread = standard_deviation_of(profile)
        std = np.nan if isinstance(spread, Undefined) else spread
        median = float(np.median(sample)) if len(sample) else profile.low
        edges = requested_edges(request.binning, profile.low, profile.high, median, std)
    return fit_bins(profile, sample, kind, request.max_categories, edges)
