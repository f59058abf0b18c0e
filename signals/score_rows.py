"""How scores travel as `signals.state.StateRows`: parts numbered from `FIRST_PART` on, `value` is the label."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from signals.score_bins import TENTHS, LabelScores, Scores, Sum
from signals.state import StateRows

__all__ = ["FIRST_PART", "read_scores", "write_scores"]

FIRST_PART = 16
SUMS = FIRST_PART
"""Cells: `Sum`; total."""
OUTSIDE = FIRST_PART + 1
"""n: scores outside [0, 1]."""
IN_TENTHS = FIRST_PART + 2
"""Cells: tenths; n, and total: the sum of the scores."""
BINS = FIRST_PART + 3
"""Plus the level. Cells: bins; n, low, high."""


def write_scores(scores: Scores, rows: StateRows, key: int, column: int) -> None:
    """Write the scores of every label."""
    for label, mine in scores.of_label.items():
        labels, tenths, size = [label] * len(Sum), range(TENTHS), len(mine.bins)
        rows.add(key, column, SUMS, cells=range(len(Sum)), values=labels, total=mine.sums)
        rows.add(key, column, OUTSIDE, values=[label], n=mine.outside)
        rows.add(
            key, column, IN_TENTHS, cells=tenths, values=[label] * TENTHS, n=mine.tenth_counts, total=mine.tenth_sums
        )
        rows.add(
            key, column, BINS + scores.level,
            cells=mine.bins, values=[label] * size, n=mine.counts, low=mine.low, high=mine.high,
        )  # fmt: skip


def read_scores(table: pa.Table) -> Scores:
    """The scores of rows of one (key, column), merged or not; other parts are ignored."""
    mine = table.filter(pc.greater_equal(table["part"], FIRST_PART))
    states: list[Scores] = []
    for label in pc.unique(mine["value"]).to_pylist():
        of_label = mine.filter(pc.equal(mine["value"], label))
        arrays = {name: of_label[name].to_numpy() for name in ("part", "cell", "n", "total", "low", "high")}
        states.append(Scores(0, {label: _without_bins(arrays)}))
        levels = {part - BINS for part in arrays["part"].tolist() if part >= BINS}
        states += [Scores(level, {label: _only_bins(arrays, arrays["part"] == BINS + level)}) for level in levels]
    return Scores.together(states)


def _without_bins(arrays: dict[str, np.ndarray]) -> LabelScores:
    def cells(part: int, size: int, name: str) -> np.ndarray:
        rows = arrays["part"] == part
        return np.bincount(arrays["cell"][rows], arrays[name][rows], minlength=size)

    return replace(
        LabelScores.empty(),
        sums=cells(SUMS, len(Sum), "total"),
        tenth_counts=cells(IN_TENTHS, TENTHS, "n").astype(np.int64),
        tenth_sums=cells(IN_TENTHS, TENTHS, "total"),
        outside=int(cells(OUTSIDE, 1, "n")[0]),
    )


def _only_bins(arrays: dict[str, np.ndarray], rows: np.ndarray) -> LabelScores:
    return replace(
        LabelScores.empty(),
        bins=arrays["cell"][rows].astype(np.int64),
        counts=arrays["n"][rows].astype(np.int64),
        low=arrays["low"][rows],
        high=arrays["high"][rows],
    )
