"""The frozen bins that production is compared in: fitted to the first baseline, and kept when the baseline moves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.batches import Dataset
from engine.monitor import Columns, Source
from engine.scanning import buckets_of, scan_rows, timed
from engine.store import Store
from engine.windows import Window
from signals.binning import Binning, requested_edges
from signals.bins import Bins, CategoricalBins, ValueType, VectorBins
from signals.catalogue import Kind
from signals.fitting import SAMPLE_SIZE, fit_bins, surveyed_column
from signals.kernel import ScannedColumn, ScanPlan, TaskReport, profiles_of, report_of, sample_of
from signals.measurement import Undefined
from signals.moments import standard_deviation_of
from signals.profile import NumericProfile, Profile
from signals.values import column_type_of

__all__ = ["BinsRequest", "FrozenBins", "frozen_bins"]

ENOUGH = SAMPLE_SIZE // 4
"""A sample smaller than this, of a baseline that has more rows, is drawn again."""


@dataclass(frozen=True)
class BinsRequest:
    """The bins of a baseline's columns as one or several signals need them.

    Attributes:
        source: the baseline's.
        roles: its columns' roles.
        columns: the columns that need bins.
        window: the first window of the baseline, to which bins are fitted; None: all of it.
        kinds: how the user wants columns read, where not by the rule.
        max_categories: how many categories a vocabulary may have.
        binning: the comparison's bins, whose edges are put among the fine ones.
    """

    source: Source
    roles: Columns
    columns: tuple[str, ...]
    window: Window | None
    kinds: Mapping[str, Kind]
    max_categories: int
    binning: Binning

    @property
    def key(self) -> str:
        """Under which bins are frozen: the dataset and how it is binned, not its present content nor its columns."""
        digest = blake2b(digest_size=8)
        source = self.source
        parts = (source.path, source.table, source.query, sorted(self.kinds.items()), self.max_categories, self.binning)
        digest.update(f"{parts!r}{source.made_by}".encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class FrozenBins:
    """The bins in force, by column, and the tasks that looked at the baseline to fit them; columns without a
    distribution have none.
    """

    bins: dict[str, Bins]
    report: TaskReport | None = None
    fitted: frozenset[str] = field(default_factory=frozenset[str])


def frozen_bins(dataset: Dataset, request: BinsRequest, store: Store | None, *, anew: bool = False) -> FrozenBins:
    """The bins that are in force; columns that have none yet get theirs, fitted to the request's window and frozen.

    Args:
        dataset: the baseline.
        request: which columns, and how they are binned.
        store: what keeps bins.
        anew: make new ones for all columns, and put them in force.

    Raises:
        DataError: when the baseline has to be read and cannot be.
    """
    held = store.load_bins(request.key) if store and not anew else {}
    found = {name: column_type_of(dataset.columns[name]) for name in request.columns if name in dataset.columns}
    missing = {name: kind for name, kind in found.items() if kind is not None and name not in held}
    if not missing:
        return FrozenBins(held)
    survey = _survey(dataset, request, missing)
    # What is empty now may not be so in the next window, or run; two runs at once must freeze the same.
    whole = request.window is None
    lasting = {name: each for name, each in survey.bins.items() if survey.rows and (whole or _holds_values(each))}
    frozen = store.save_bins(request.key, lasting, replace=anew) if store and lasting else {}
    return FrozenBins({**held, **survey.bins, **frozen}, survey.report, frozenset(missing))


def _holds_values(bins: Bins) -> bool:
    match bins:
        case CategoricalBins():
            return bool(bins.categories)
        case VectorBins():
            return bins.dimensions > 0
        case _:
            return bins.low <= bins.high


@dataclass(frozen=True)
class Survey:
    """Bins fitted to a first look at the baseline."""

    bins: dict[str, Bins]
    rows: int
    report: TaskReport


def _survey(dataset: Dataset, request: BinsRequest, types: Mapping[str, ValueType]) -> Survey:
    """Look at the columns of one window once; twice where the window is a small part, and so the sample small."""
    columns = [
        surveyed_column(name, value_type, request.kinds.get(name), request.max_categories)
        for name, value_type in types.items()
    ]
    looked_at = dataset if request.window is None else dataset.within(request.roles, [request.window])
    rate = min(1.0, SAMPLE_SIZE / max(1, looked_at.count_rows()))
    rows, rate_found = _surveyed_rows(looked_at, request, columns, rate)
    if rate < 1.0 and rate_found is not None:
        rows, _ = _surveyed_rows(looked_at, request, columns, rate_found)
    profiles = profiles_of(rows, columns)[0]
    bins = {
        name: _fitted(profile, sample_of(rows, number), request, request.kinds.get(name))
        for number, (name, profile) in enumerate(zip(types, profiles, strict=True))
    }
    return Survey(bins, max((profile.rows for profile in profiles), default=0), report_of(rows))


def _surveyed_rows(
    dataset: Dataset, request: BinsRequest, columns: Sequence[ScannedColumn], rate: float
) -> tuple[pa.Table, float | None]:
    """The survey's state rows, and the sampling rate that would have been right where the sample is too small."""
    buckets = None if request.window is None else buckets_of([request.window])[0]
    plan = timed(ScanPlan(tuple(columns), sample_rate=rate), request.roles, buckets)
    rows = scan_rows(dataset, plan)
    size = max((profile.rows for profile in profiles_of(rows, columns)[0]), default=0)
    return rows, min(1.0, SAMPLE_SIZE / size) if size and rate < 1.0 and rate * size < min(size, ENOUGH) else None


def _fitted(profile: Profile, sample: npt.NDArray[np.float64], request: BinsRequest, kind: Kind | None) -> Bins:
    edges: npt.NDArray[np.float64] = np.zeros(0)
    if isinstance(profile, NumericProfile) and profile.low <= profile.high:
        spread = standard_deviation_of(profile)
        std = np.nan if isinstance(spread, Undefined) else spread
        median = float(np.median(sample)) if len(sample) else profile.low
        edges = requested_edges(request.binning, profile.low, profile.high, median, std)
    return fit_bins(profile, sample, kind, request.max_categories, edges)
