"""How predictions came out, bucket by bucket, as rows of `outcomes` and back: a row for each piece of a bucket."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from engine.pieces import Counted, Performance, Piece
from engine.store.formats import FORMAT_VERSION, refuse_newer, still_read
from engine.store.sql import between, every, one_of, some
from engine.store.table import Change, Snapshot
from engine.tables import OUTCOMES
from engine.version import ENGINE_VERSION
from engine.windows import Window
from signals.coverage import Coverage
from signals.error_sums import Errors
from signals.outcomes import Outcomes
from signals.rankings import Rankings
from signals.state import StateRows

__all__ = ["OutcomeKey", "StoredOutcome", "load_outcomes", "outcomes_change"]

COUNTS = ("rows", "labelled", "late", "truth_rows", "duplicate_truth_rows", "orphans")
"""The fields of `Coverage`, each a column."""
STATE = OUTCOMES.schema.field("outcomes").type.value_type
STATES = ("outcomes", "errors", "rankings")
PLAIN = pa.schema([field for field in OUTCOMES.schema if field.name not in STATES])


class OutcomeKey(NamedTuple):
    """Of what outcomes are kept, by bucket.

    Attributes:
        dataset: where predictions come from, and what tells their time.
        truth: where labels come from, how they are joined, and until when they count.
        pair: what is compared.
        counted: what is counted of it.
        segment: of which rows.
    """

    dataset: str
    truth: str
    pair: str
    counted: str
    segment: str


@dataclass(frozen=True, slots=True)
class StoredOutcome:
    """What was counted of one bucket, with the state of the data that was read; None where that cannot be told."""

    key: OutcomeKey
    bucket: Window
    counted: Counted
    production: str | None
    truth: str | None


def outcomes_change(stored: Sequence[StoredOutcome]) -> Change:
    """The outcomes as rows, which take the place of all rows of their keys and buckets."""
    rows = [(each, piece) for each in stored for piece in each.counted.pieces or (NOTHING,)]
    plain = pa.Table.from_pylist([_cells(each, piece) for each, piece in rows], schema=PLAIN)
    columns = {name: plain[name] for name in PLAIN.names}
    columns |= {name: _states([getattr(piece.performance, name) for _, piece in rows]) for name in STATES}
    table = pa.Table.from_arrays([columns[name] for name in OUTCOMES.schema.names], schema=OUTCOMES.schema)
    return Change(table, _of({each.key for each in stored}, {each.bucket for each in stored}))


def load_outcomes(
    snapshot: Snapshot, keys: Collection[OutcomeKey], buckets: Collection[Window]
) -> dict[tuple[OutcomeKey, Window], StoredOutcome]:
    """What is kept of these keys and buckets.

    Raises:
        StoreError: some of it was written by a newer version.
    """
    where = every([_of(keys, buckets), still_read()])
    found = snapshot.query(f"SELECT * FROM {OUTCOMES.name} WHERE {where}")
    found = found.select(OUTCOMES.schema.names).cast(OUTCOMES.schema)  # columns that were added later come last
    refuse_newer(found["format_version"].to_pylist(), snapshot.uri)
    pieces: dict[tuple[OutcomeKey, Window], list[Piece]] = {}
    heads: dict[tuple[OutcomeKey, Window], dict[str, Any]] = {}
    plain = found.select(PLAIN.names).to_pylist()
    states = [_tables(found[name]) for name in STATES]
    for row, outcomes, errors, rankings in zip(plain, *states, strict=True):
        bucket = Window(row["bucket_start"].astimezone(UTC), row["bucket_end"].astimezone(UTC))
        key = OutcomeKey(*(row[name] for name in OutcomeKey._fields)), bucket
        coverage = Coverage(**{name: row[name] for name in COUNTS})
        performance = Performance(
            Outcomes.from_rows(outcomes),
            Errors.from_rows(errors),
            coverage,
            int(row["digest"], 16),
            Rankings.from_rows(rankings),
        )
        pieces.setdefault(key, []).append(Piece(row["known_from"], row["known_to"], performance))
        heads[key] = row
    return {
        key: StoredOutcome(
            *key,
            Counted(head["bucket_rows"], tuple(pieces[key])),
            head["production_fingerprint"],
            head["truth_fingerprint"],
        )
        for key, head in heads.items()
    }


def _of(keys: Collection[OutcomeKey], buckets: Collection[Window]) -> str:
    """Rows of these keys and buckets, as SQL."""
    segments: dict[OutcomeKey, set[str]] = {}
    for key in keys:
        segments.setdefault(key._replace(segment=""), set()).add(key.segment)
    of_keys = [_of_parts({**key._asdict(), "segment": among}) for key, among in segments.items()]
    starts, ends = [bucket.start for bucket in buckets], [bucket.end for bucket in buckets]
    # Files are skipped by a range, and not by a long list.
    times = [between("bucket_start", min(starts), max(starts)), one_of("bucket_start", starts)]
    return every([some(of_keys), *times, one_of("bucket_end", ends)])


def _of_parts(parts: Mapping[str, str | set[str]]) -> str:
    return every(one_of(name, {part} if isinstance(part, str) else part) for name, part in parts.items())


NOTHING = Piece(None, None, Performance.empty())
"""What is kept of a bucket without rows: that it was read."""


def _cells(stored: StoredOutcome, piece: Piece) -> dict[str, Any]:
    coverage = piece.performance.coverage
    return {
        **stored.key._asdict(),
        "bucket_start": stored.bucket.start,
        "bucket_end": stored.bucket.end,
        "known_from": piece.known_from,
        "known_to": piece.known_to,
        "production_fingerprint": stored.production,
        "truth_fingerprint": stored.truth,
        "bucket_rows": stored.counted.rows,
        **{name: getattr(coverage, name) for name in COUNTS},
        "digest": f"{piece.performance.digest:016x}",
        "engine_version": ENGINE_VERSION,
        "format_version": FORMAT_VERSION,
    }


def _states(states: Iterable[Outcomes | Errors | Rankings]) -> pa.ListArray:
    """Each state as a list of its rows."""
    tables: list[pa.Table] = []
    for state in states:
        rows = StateRows()
        state.to_rows(rows, 0, 0)
        tables.append(rows.table().select([field.name for field in STATE]))
    every_row = pa.concat_tables(tables).combine_chunks()
    columns = [every_row[field.name].combine_chunks().cast(field.type) for field in STATE]
    values = pa.StructArray.from_arrays(columns, fields=list(STATE))
    offsets = np.cumsum([0, *(table.num_rows for table in tables)])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def _tables(lists: pa.ChunkedArray) -> Iterable[pa.Table]:
    """The state of each row; without rows where an older version did not write it."""
    for chunk in lists.chunks:
        for place in range(len(chunk)):
            rows = chunk[place].values if chunk[place].is_valid else pa.array([], STATE)
            yield pa.Table.from_batches([pa.RecordBatch.from_struct_array(rows)])
