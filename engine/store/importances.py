"""How much features of baselines matter: `importances`, as rows and back."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from engine.instants import instants_in, time_of
from engine.store import formats
from engine.store.sql import every, literal, one_of
from engine.store.table import Change, Snapshot
from engine.tables import IMPORTANCES
from engine.version import ENGINE_VERSION
from engine.windows import Window
from signals.importances import Importances, ranks_of

__all__ = ["StoredImportances", "importances_change", "load_importances"]


@dataclass(frozen=True, slots=True)
class StoredImportances:
    """What was found of one baseline.

    Attributes:
        dataset, source: its key and title.
        question: what was asked of it.
        window: of which stretch of time; None: of all.
        segment: of which rows.
        found: the answer.
        fingerprint: the state of the data that were read.
    """

    dataset: str
    source: str
    question: str
    window: Window | None
    segment: str
    found: Importances
    fingerprint: str


def importances_change(stored: StoredImportances) -> Change:
    """What puts these in the place of what is kept of the same baseline and question."""
    window, found = stored.window, stored.found
    common = {
        "dataset": stored.dataset, "source": stored.source, "question": stored.question, "segment": stored.segment,
        "window_start": window and window.start, "window_end": window and window.end,
        "target": found.target, "method": found.method, "rows": found.rows, "explained": found.explained,
        "fingerprint": stored.fingerprint,
        "engine_version": ENGINE_VERSION, "format_version": formats.FORMAT_VERSION,
    }  # fmt: skip
    ranks = ranks_of(found.shares)
    rows = [
        {**common, "feature": name, "importance": share, "rank": ranks[name]} for name, share in found.shares.items()
    ]
    same = [
        f"dataset = {literal(stored.dataset)}",
        f"question = {literal(stored.question)}",
        one_of("window_start", [window and window.start]),
        one_of("window_end", [window and window.end]),
    ]
    return Change(pa.Table.from_pylist(rows, schema=IMPORTANCES.schema), every(same))


def load_importances(
    snapshot: Snapshot, dataset: str, question: str, windows: Collection[Window | None]
) -> dict[Window | None, StoredImportances]:
    """What is kept of these windows of a baseline."""
    where = [f"dataset = {literal(dataset)}", f"question = {literal(question)}", formats.still_read()]
    rows = snapshot.query(f"SELECT * FROM {IMPORTANCES.name} WHERE {every(where)}")
    formats.refuse_newer(rows["format_version"].to_pylist(), snapshot.uri)
    moments = [instants_in(rows[name]) for name in ("window_start", "window_end")]
    by_window: dict[Window | None, list[dict[str, Any]]] = {}
    for start, end, row in zip(*moments, rows.drop(["window_start", "window_end"]).to_pylist(), strict=True):
        window = None if start is None or end is None else Window(time_of(start), time_of(end))
        by_window.setdefault(window, []).append(row)
    return {window: _of_rows(own, window) for window, own in by_window.items() if window in windows}


def _of_rows(rows: list[dict[str, Any]], window: Window | None) -> StoredImportances:
    first = rows[0]
    shares = {row["feature"]: row["importance"] for row in rows}
    found = Importances(shares, first["rows"], first["method"], first["target"], first["explained"])
    return StoredImportances(
        first["dataset"], first["source"], first["question"], window, first["segment"], found, first["fingerprint"]
    )
