"""Does the driver's memory grow with the data? Its peak, for ever more rows.

    python benchmarks/driver_memory.py [ROWS ...]

A first run, which reads baseline and current side: 25 columns, in a fresh process. The driver's own process is measured
by the peak of its resident memory; its JVM, which in local mode is the executor too, by what its heap still holds when
garbage is collected.
"""

import sys
import tempfile
from pathlib import Path

from dataset import dataset
from measure import fresh, table

ROWS = (1_000_000, 4_000_000, 20_000_000)


def report(sizes: tuple[int, ...] = ROWS) -> str:
    """The measured table, in Markdown."""
    lines: list[list[str]] = []
    for rows in sizes:
        dataset(rows)
        with tempfile.TemporaryDirectory() as folder:
            found = fresh("driftline_script.py", rows, Path(folder) / "store")
        lines.append([f"{2 * rows:,}", *(f"{found[key]:,.0f}" for key in ("driver_mb", "heap_mb", "peak_mb"))])
    header = ["rows read", "driver's peak MB", "JVM's live heap MB", "peak MB with JVM and workers"]
    return table("The driver's memory", header, lines)


if __name__ == "__main__":
    print(report(tuple(map(int, sys.argv[1:])) or ROWS))
