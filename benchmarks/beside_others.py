"""What does the same work cost by a plain DuckDB script, and by Evidently? CPU, wall, memory, and the same numbers.

    python benchmarks/beside_others.py [ROWS [ROUNDS]]

The PSI of 25 columns of a current side against a baseline. Each round is a fresh process of each program, in turns.
DuckDB and Evidently read both sides every time. driftline has the baseline in its store, as on every day but the first;
its costs begin when Spark has started, theirs when they are imported. Evidently reads at most 4,000,000 rows a side.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from dataset import COLUMNS, dataset
from measure import fresh, in_turns, middle, table

DRIFTLINE, DEFAULT = "driftline", "driftline, Spark as it comes"
DUCKDB, QUANTILES = "DuckDB, edges from a sample", "DuckDB, edges by `approx_quantile`"
EVIDENTLY = "Evidently (once)"
EVIDENTLY_HOLDS = 4_000_000


def measured(rows: int, rounds: int) -> dict[str, list[dict[str, Any]]]:
    """What each program told of itself, by name."""
    dataset(rows)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        fresh("driftline_script.py", rows, store, "before")
        scripts = {
            DRIFTLINE: ("driftline_script.py", rows, store),
            DUCKDB: ("duckdb_script.py", rows),
            DEFAULT: ("driftline_script.py", rows, store, "default"),
            QUANTILES: ("duckdb_script.py", rows, "quantiles"),
        }
        found = in_turns(scripts, rounds)
    read = {each["rows_read"] for name in (DRIFTLINE, DEFAULT) for each in found[name]}
    if read != {rows}:
        raise SystemExit(f"driftline has not read the current side's {rows} rows, but {read}")
    if rows <= EVIDENTLY_HOLDS:
        found |= in_turns({EVIDENTLY: ("evidently_script.py", rows)}, 1)
    return found


def report(rows: int, rounds: int = 5) -> str:
    """The measured table, in Markdown."""
    found = measured(rows, rounds)
    lines = [_line(name, results, found) for name, results in found.items()]
    header = [
        "program",
        "CPU s",
        "wall s",
        "peak MB of its processes",
        "CPU / driftline",
        "largest difference of a PSI",
    ]
    return table(f"The PSI of 25 columns, {rows:,} rows a side (medians of {rounds})", header, lines)


def _line(name: str, results: list[dict[str, Any]], found: dict[str, list[dict[str, Any]]]) -> list[str]:
    ratios = [each["cpu"] / ours["cpu"] for each, ours in zip(results, found[DRIFTLINE], strict=False)]
    ours = found[DRIFTLINE][0]["psi"]
    apart = max(abs(results[0]["psi"][column] - ours[column]) for column in COLUMNS)
    numbers = [f"{middle(results, key):.1f}" for key in ("cpu", "wall")]
    return [name, *numbers, f"{middle(results, 'peak_mb'):,.0f}", f"**{median(ratios):.2f}**", f"{apart:.4f}"]


if __name__ == "__main__":
    print(report(*map(int, sys.argv[1:3] or ["4000000"])))
