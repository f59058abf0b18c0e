"""The store as the engine uses it: one object, its tables behind it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pyarrow as pa

from engine.errors import NoResultsError
from engine.results import CheckKey, MetricRow, Run, Status, as_table
from engine.store import baselines, importances, kept, outcomes, results, retention
from engine.store import bins as frozen
from engine.store.baselines import ProfileKey, StoredProfile
from engine.store.folder import child, store_uri
from engine.store.importances import StoredImportances
from engine.store.outcomes import OutcomeKey, StoredOutcome
from engine.store.table import Change, Snapshot, StoredTable
from engine.tables import BINS, IMPORTANCES, OUTCOMES, PROFILES, RUNS, SIGNAL_METRICS, TableDefinition
from engine.windows import Window
from signals.bins import Bins

__all__ = ["Store"]


class Store:
    """Delta tables under one folder.

    Args:
        uri: a local path, or a URI such as ``s3://bucket/driftline``.
        storage_options: credentials and the like, handed to deltalake.

    Every method raises `engine.errors.StoreError` when the store cannot be reached, read or written.
    """

    def __init__(self, uri: str | Path, storage_options: Mapping[str, str] | None = None) -> None:
        self.uri = store_uri(uri)
        self._storage_options = dict(storage_options or {})

    def __repr__(self) -> str:
        return f"Store({self.uri!r})"  # without its options: they hold secrets

    # ------------------------------------------------------------------------------------------- results

    def write(self, runs: Sequence[Run], rows: Sequence[MetricRow]) -> None:
        """Replace what is stored of these runs, in one commit per table, however many runs they are.

        The metrics are committed first: a run that is in `runs` is complete. A run without rows (one that failed)
        leaves none of an earlier attempt's.

        Raises:
            ValueError: a row that belongs to none of the runs, or a number that is not finite: a bug.
        """
        results.refuse_strangers(runs, rows)
        metrics = as_table(rows, SIGNAL_METRICS)
        if runs:
            self._table(SIGNAL_METRICS).replace(metrics, results.of_runs(runs))
            self._table(RUNS).commit(lambda _: results.records_change(self._results(SIGNAL_METRICS), runs))

    def read_metrics(
        self,
        *,
        monitor: str | None = None,
        signal: str | None = None,
        metric: str | None = None,
        group: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        breached: bool | None = None,
        status: Status | str | None = None,
        columns: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> pa.Table:
        """Rows of `signal_metrics` that were due in [start, end), newest first, at most `limit`.

        Raises:
            StoreError: nothing was stored yet (it says what to do).
        """
        equal = {"monitor": monitor, "signal": signal, "metric_name": metric, "group": group}
        return results.select(
            self._results(SIGNAL_METRICS),
            equal={**equal, "breached": breached, "status": status},
            start=start,
            end=end,
            columns=columns,
            order=("monitor", "signal", "group", "metric_name"),
            limit=limit,
        )

    def read_runs(
        self,
        *,
        monitor: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        status: str | None = None,
        columns: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> pa.Table:
        """Rows of `runs` that were due in [start, end), newest first, at most `limit`.

        Raises:
            StoreError: nothing was stored yet (it says what to do).
        """
        return results.select(
            self._results(RUNS),
            equal={"monitor": monitor, "status": status},
            start=start,
            end=end,
            columns=columns,
            order=("monitor",),
            limit=limit,
        )

    def attempts(self, monitor: str, first: datetime, last: datetime) -> dict[datetime, int]:
        """How often each run that was due in [first, last] was evaluated; empty where nothing was stored yet."""
        snapshot = self._table(RUNS).open()
        if snapshot is None:
            return {}
        found = results.select(
            snapshot,
            equal={"monitor": monitor},
            start=first,
            end=last + timedelta(microseconds=1),
            columns=("scheduled_for", "attempt"),
            order=("monitor",),
            limit=None,
        )
        return dict(zip(found["scheduled_for"].to_pylist(), found["attempt"].to_pylist(), strict=True))

    def completed(self, monitor: str, start: datetime, end: datetime) -> list[datetime]:
        """The scheduled times in [start, end) of runs that are complete, in order; empty where nothing was stored."""
        if self._table(RUNS).open() is None:
            return []
        found = self.read_runs(monitor=monitor, start=start, end=end, status="completed", columns=("scheduled_for",))
        return sorted(time.astimezone(UTC) for time in found["scheduled_for"].to_pylist())

    def breached_since(self, monitor: str, before: datetime) -> dict[CheckKey, datetime]:
        """Of each check that breached when it was last judged before this time: since which scheduled time."""
        snapshot = self._table(SIGNAL_METRICS).open()
        return results.breached_since(snapshot, monitor, before) if snapshot else {}

    def history(
        self, monitor: str, metrics: Collection[tuple[str, str]], start: datetime, end: datetime
    ) -> dict[CheckKey, list[tuple[datetime, float]]]:
        """What checks came to in [start, end), in order of time; see `engine.results.MetricRow.counts`.

        Args:
            monitor: its name.
            metrics: of these signals' metrics, each pair a signal and the metric's canonical name.
            start: the earliest scheduled time.
            end: the scheduled time that is no longer part of it.
        """
        snapshot = self._table(SIGNAL_METRICS).open() if metrics else None
        return results.history(snapshot, monitor, metrics, start, end) if snapshot else {}

    # ----------------------------------------------------------------------------------------- baselines

    def load_bins(self, dataset: str) -> dict[str, Bins]:
        """The bins in force by column, which are the newest generation; empty where there are none yet."""
        snapshot = self._table(BINS).open()
        return frozen.load_bins(snapshot, dataset) if snapshot else {}

    def find_bins(self, ids: Collection[str]) -> dict[str, Bins]:
        """The bins with these ids, of any dataset, also those that are in force no longer; unknown ids are left out."""
        snapshot = self._table(BINS).open() if ids else None
        return frozen.find_bins(snapshot, ids) if snapshot else {}

    def save_bins(self, dataset: str, bins: Mapping[str, Bins], *, replace: bool = False) -> dict[str, Bins]:
        """Freeze bins by column, and answer with those in force.

        Columns that have bins keep them, so that of two runs that fit the same baseline at once both go on with the
        same bins; with `replace` the new ones are a new generation, and the old ones can still be found.
        """
        self._table(BINS).commit(partial(frozen.bins_change, dataset=dataset, bins=bins, replace=replace))
        held = self.load_bins(dataset)
        return {column: held[column] for column in bins}

    def load_profiles(
        self,
        dataset: str,
        bins: Iterable[tuple[str, Bins]],
        buckets: Collection[Window | None],
        segments: Collection[str],
    ) -> dict[ProfileKey, StoredProfile]:
        """The stored profiles of these columns in these bins, of these buckets and segments.

        What is not in the answer, or of another fingerprint than the source has now, has to be read.

        Args:
            dataset: the dataset's key.
            bins: columns and the bins that are wanted of each; a column may be there with several.
            buckets: the stretches of time; None: the whole dataset.
            segments: their names.
        """
        wanted = tuple(bins)
        snapshot = self._table(PROFILES).open() if wanted and buckets and segments else None
        return baselines.load_profiles(snapshot, dataset, wanted, buckets, segments) if snapshot else {}

    def profile_keys(self, dataset: str, bins_ids: Collection[str]) -> set[ProfileKey]:
        """Which profiles are kept of a dataset in these bins."""
        snapshot = self._table(PROFILES).open() if bins_ids else None
        return kept.profile_keys(snapshot, dataset, bins_ids) if snapshot else set()

    def save_profiles(self, profiles: Iterable[StoredProfile]) -> None:
        """Replace these profiles, in one commit.

        Raises:
            ValueError: two of them have the same key: a bug.
        """
        stored = tuple(profiles)
        if stored:
            change = baselines.profiles_change(stored)
            self._table(PROFILES).commit(lambda _: change)

    def list_profiles(self) -> pa.Table:
        """What is counted, one row per dataset.

        Returns:
            `dataset` and `source`: its key and title; `profiles`: how many there are, of how many `columns`, `bins`,
            `segments` and `buckets`; `first` and `last`: start and end of the time that they cover; `rows`: how many
            rows were counted; `bytes`: what it takes of the store, NULL where that cannot be told.
        """
        snapshot = self._table(PROFILES).open()
        return retention.listing(snapshot) if snapshot else retention.LISTING.empty_table()

    def prune_profiles(self, before: datetime, dataset: str | None = None) -> int:
        """Remove the profiles of buckets that end before this time or then, and answer how many there were.

        A dataset that is counted whole stays while its bins are in force, or other buckets are counted in them. Bins
        that are superseded and that nothing is counted in go too. The space is free a week later at the earliest, when
        no reader can have an older version open: with the next compaction, or the next call.

        Args:
            before: an aware time.
            dataset: the key of the one dataset to prune; None: all.
        """
        profiles, counts = self._table(PROFILES), [0]
        if profiles.open() is None:
            return 0
        bins = self._table(BINS).open()
        superseded = frozen.superseded_ids(bins) if bins else set[str]()

        def change(snapshot: Snapshot) -> Change | None:
            count, removal = retention.profiles_removal(snapshot, superseded, before, dataset)
            counts.append(count)
            return removal if count else None

        profiles.commit(change)
        if superseded and (left := profiles.open()):
            self._table(BINS).commit(lambda newest: retention.bins_removal(frozen.superseded_ids(newest), left))
        profiles.sweep()
        return counts[-1]

    # ------------------------------------------------------------------------------------------ outcomes

    def prune_outcomes(self, before: datetime) -> int:
        """Remove how predictions came out of buckets that end before this time or then; how many rows they were."""
        return self._prune(OUTCOMES, partial(retention.outcomes_removal, before=before))

    def load_outcomes(
        self, keys: Collection[OutcomeKey], buckets: Collection[Window]
    ) -> dict[tuple[OutcomeKey, Window], StoredOutcome]:
        """How predictions of these buckets came out, by key and bucket; what is not in the answer has to be read."""
        snapshot = self._table(OUTCOMES).open() if keys and buckets else None
        return outcomes.load_outcomes(snapshot, keys, buckets) if snapshot else {}

    def save_outcomes(self, stored: Sequence[StoredOutcome]) -> None:
        """Replace what is kept of these keys and buckets, in one commit."""
        if stored:
            change = outcomes.outcomes_change(stored)
            self._table(OUTCOMES).commit(lambda _: change)

    # --------------------------------------------------------------------------------------- importances

    def load_importances(
        self, dataset: str, question: str, windows: Collection[Window | None]
    ) -> dict[Window | None, StoredImportances]:
        """How much features of a baseline matter, by window; what is not in the answer has to be worked out."""
        snapshot = self._table(IMPORTANCES).open() if windows else None
        return importances.load_importances(snapshot, dataset, question, windows) if snapshot else {}

    def save_importances(self, stored: StoredImportances) -> None:
        """Replace what is kept of the same window and question."""
        change = importances.importances_change(stored)
        self._table(IMPORTANCES).commit(lambda _: change)

    def prune_importances(self, before: datetime) -> int:
        """Remove the importances of windows that end before this time or then; how many there were.

        Those of baselines that are used whole stay.
        """
        return self._prune(IMPORTANCES, partial(retention.importances_removal, before=before))

    # -------------------------------------------------------------------------------------------- tables

    def _table(self, definition: TableDefinition) -> StoredTable:
        return StoredTable(definition, child(self.uri, definition.name), self._storage_options)

    def _prune(self, definition: TableDefinition, removal: Callable[[Snapshot], tuple[int, Change]]) -> int:
        table, counts = self._table(definition), [0]
        if table.open() is None:
            return 0

        def change(snapshot: Snapshot) -> Change | None:
            count, removed = removal(snapshot)
            counts.append(count)
            return removed if count else None

        table.commit(change)
        table.sweep()
        return counts[-1]

    def _results(self, definition: TableDefinition) -> Snapshot:
        snapshot = self._table(definition).open()
        if snapshot is None:
            raise NoResultsError(f"no results yet in {self.uri}: run `driftline run MONITOR.yaml` first")
        return snapshot
