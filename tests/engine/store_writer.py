"""A process of its own that writes to a store: it says `ready`, waits for a line, writes, and says `done`.

    python store_writer.py STORE MONITOR:DAY:ROWS:WORD ...

Each argument is one run; all are written at once. WORD is the run's id and every row's config hash.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.results import MetricRow, Run
from engine.store import Store
from tests.engine.store_samples import a_row, a_run, day


def results(runs: Sequence[str]) -> tuple[list[Run], list[MetricRow]]:
    made: list[Run] = []
    rows: list[MetricRow] = []
    for text in runs:
        monitor, number, size, word = text.split(":")
        made.append(a_run(monitor, day(int(number)), run_id=word))
        rows += [a_row(made[-1], f"feature {index}", config_hash=word) for index in range(int(size))]
    return made, rows


def main(uri: str, *runs: str) -> None:
    store, (made, rows) = Store(uri), results(runs)
    print("ready", flush=True)
    sys.stdin.readline()
    store.write(made, rows)
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
