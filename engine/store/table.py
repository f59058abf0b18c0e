"""How one Delta table is changed in one commit, whoever else writes, and how it is read.

A change is a statement of what rows replace what other rows. It is worked out on the newest version of the table
and committed on exactly that version: when somebody else was faster, it is worked out again. delta-rs would try to
rebase instead, and lets two writers that insert the same key at once both succeed.
"""

import random
import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Field, QueryBuilder, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from engine.errors import StoreError
from engine.store.file_listing import file_sizes
from engine.store.folder import is_missing
from engine.store.sql import identifier
from engine.store.upkeep import WRITER, sweep, tidy
from engine.tables import TableDefinition

__all__ = ["Change", "Snapshot", "StoredTable"]

ATTEMPTS = 60
LONGEST_PAUSE = 2.0  # seconds; all attempts together wait for about a minute and a half
ON_THIS_VERSION = CommitProperties(max_commit_retries=0)
# A reader parses every commit since the last checkpoint; delta-rs by itself makes one after a hundred.
COMMITS_PER_CHECKPOINT = "20"
CAUSE = re.compile(r"\s*(?:\x1b\[\d+m)?↳(?:\x1b\[\d+m)?\s*(\S.*)")
"""A line in which delta-rs says what was behind the line before: a disk that is full, say."""


@dataclass(frozen=True)
class Change:
    """`rows` take the place of all rows that `where` (SQL) holds for; it has to hold for `rows` too."""

    rows: pa.Table
    where: str


@dataclass(frozen=True)
class Snapshot:
    """One version of a table; it does not change while it is read."""

    definition: TableDefinition
    uri: str
    table: DeltaTable

    def query(self, sql: str) -> pa.Table:
        """The answer to a SELECT on the table, which has its own name.

        Columns that an older version did not write yet are there, and NULL.

        Raises:
            StoreError: files are corrupt or gone, or the table lacks a column that every row needs.
        """
        with _told(self.uri):
            # Not pa.table(...): that imports pandas to ask whether it was handed a DataFrame.
            return pa.RecordBatchReader.from_stream(self._tables().execute(sql)).read_all()

    def sizes(self) -> dict[str, int]:
        """Bytes by partition, of this version only; empty where the table has no partitions."""
        sizes: dict[str, int] = {}
        with _told(self.uri):
            for folder, size in file_sizes(self.table):
                if folder is not None:
                    sizes[folder] = sizes.get(folder, 0) + size
        return sizes

    def missing(self) -> list[pa.Field]:
        """The columns that an older version did not write yet.

        Raises:
            StoreError: one of them is a column that every row needs.
        """
        held = {each.name for each in self.table.schema().fields}
        missing = [field for field in self.definition.schema if field.name not in held]
        if required := [field.name for field in missing if not field.nullable]:
            raise StoreError(
                f"{self.uri} has no column {', '.join(required)}: it was written by another version of "
                "driftline; use another store, or the version that wrote it"
            )
        return missing

    def _tables(self) -> QueryBuilder:
        name, missing = self.definition.name, self.missing()
        if not missing:
            return QueryBuilder().register(name, self.table)
        tables = QueryBuilder().register("stored", self.table)
        absent = ", ".join(f"NULL AS {identifier(field.name)}" for field in missing)
        tables.execute(f"CREATE VIEW {identifier(name)} AS SELECT *, {absent} FROM stored")
        return tables


@dataclass(frozen=True)
class StoredTable:
    """One table of a store.

    Attributes:
        definition: its columns, key and partitions.
        uri: its folder.
        storage_options: credentials and the like, handed to deltalake.
    """

    definition: TableDefinition
    uri: str
    storage_options: Mapping[str, str]

    def open(self) -> Snapshot | None:
        """The newest version; None where nothing was ever written.

        Raises:
            StoreError: it cannot be reached or read.
        """
        with _told(self.uri):
            try:
                return self._opened()
            except TableNotFoundError as error:
                if "Unknown scheme" in str(error):
                    raise
                # What is there now may have been made by another process since.
                return None if is_missing(self.uri) else self._opened()

    def _opened(self) -> Snapshot:
        table = DeltaTable(self.uri, storage_options=dict(self.storage_options))
        return Snapshot(self.definition, self.uri, table)

    def replace(self, rows: pa.Table, where: str) -> None:
        """Make one commit after which `rows` are all the rows that `where` holds for."""
        self.commit(lambda _: Change(rows, where))

    def commit(self, change: Callable[[Snapshot], Change | None]) -> None:
        """Make one commit of what `change` answers for the newest version, or none where it answers None.

        Raises:
            StoreError: the table cannot be written, or others wrote faster for more than a minute.
        """
        for pause in _pauses():
            snapshot = self._of_today(self.open() or self._create())
            wanted = change(snapshot)
            if wanted is None:
                return
            if self._committed(snapshot, wanted):
                tidy(snapshot.table, wanted.rows)
                return
            time.sleep(pause)
        raise StoreError(f"{self.uri}: others wrote to it {ATTEMPTS} times in a row while this tried to; run again")

    def sweep(self) -> None:
        """Remove files that nobody can be reading any more, as every compaction does.

        Raises:
            StoreError: they cannot be removed.
        """
        with _told(self.uri):
            sweep(DeltaTable(self.uri, storage_options=dict(self.storage_options)))

    def _committed(self, snapshot: Snapshot, change: Change) -> bool:
        with _told(self.uri):
            try:
                write_deltalake(
                    snapshot.table,
                    _with_later_columns(change.rows, snapshot.table),
                    mode="overwrite",
                    predicate=change.where,
                    writer_properties=WRITER,
                    commit_properties=ON_THIS_VERSION,
                )
            except CommitFailedError:
                return False
            return True

    def _of_today(self, snapshot: Snapshot) -> Snapshot:
        """The table with the columns that an older version did not write yet; its rows have NULL there."""
        if not (missing := snapshot.missing()):
            return snapshot
        with _told(self.uri):
            with suppress(CommitFailedError):  # another process does the same
                fields = [Field.from_arrow(field) for field in missing]
                snapshot.table.alter.add_columns(fields, commit_properties=ON_THIS_VERSION)
            return self._opened()

    def _create(self) -> Snapshot:
        """The empty table; of two processes that create it, one does and both go on."""
        with _told(self.uri):
            try:
                DeltaTable.create(
                    self.uri,
                    self.definition.schema,
                    partition_by=list(self.definition.partition_by),
                    name=self.definition.name,
                    description=self.definition.summary,
                    configuration={
                        "delta.checkpointInterval": COMMITS_PER_CHECKPOINT,
                        "delta.dataSkippingStatsColumns": ",".join(self.definition.statistics),
                    },
                    storage_options=dict(self.storage_options),
                )
            except DeltaError:
                if self.open() is None:
                    raise
        snapshot = self.open()
        if snapshot is None:
            raise StoreError(f"{self.uri} is gone as soon as it is made: is something else cleaning up there?")
        return snapshot


def _with_later_columns(rows: pa.Table, table: DeltaTable) -> pa.Table:
    """The rows with NULL in the columns that a newer version has added to the table."""
    for field in pa.schema(table.schema().to_arrow()):
        if field.name not in rows.schema.names:
            rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
    return rows


def _pauses() -> Iterator[float]:
    """Seconds between attempts: growing, and uneven, so that two writers do not meet again and again."""
    for attempt in range(ATTEMPTS):
        yield min(LONGEST_PAUSE, 0.01 * 2**attempt) * random.uniform(0.5, 1.0)


@contextmanager
def _told(uri: str) -> Generator[None]:
    """Whatever the storage says, said as a StoreError that names the table."""
    try:
        yield
    except StoreError:
        raise
    except (DeltaError, OSError, pa.ArrowException) as error:
        first, *more = str(error).strip().splitlines() or [type(error).__name__]
        said = ": ".join([first, *(found[1] for line in more if (found := CAUSE.match(line)))])
        raise StoreError(f"{uri} cannot be read or written: {said}") from error
