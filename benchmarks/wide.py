"""Does a wide table cost more than its cells? CPU for a cell, and peak memory, beside a narrow table.

    python benchmarks/wide.py [--rows ROWS] [--columns COLUMNS] [--rounds ROUNDS]

1,000 doubles by 1,000,000 rows, beside 20 doubles by four times as many rows; half of the columns are normal, half
log-normal, up to 4 % of them null. One monitor of the drift and the quality of all columns, its baseline stored and its
bins frozen. Each round is a fresh process of each, in turns. CPU and wall are those of the evaluation, after Spark's
start; memory is the whole process tree's. The data take 2.4 GB, and are made in pieces of 50,000 rows.
"""

import argparse
import json
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from dataset import DAY, SCHEDULED_FOR
from measure import cost_of, fresh, in_turns, middle, table
from session import session
from spark_jobs import definition

from engine import Monitor, Store
from engine.run import Due, Evaluation, evaluate_together

NARROW, TIMES_LONGER = 20, 4
BASELINE_ROWS = 100_000
ROWS_PER_GROUP, ROWS_PER_FILE = 50_000, 250_000
WHEN = datetime.fromisoformat(SCHEDULED_FOR)
BEFORE = WHEN - timedelta(days=1)
"""A scheduled time whose window has no rows yet: its run reads the baseline and nothing else."""

Moments = npt.NDArray[np.datetime64]


# ------------------------------------------------------------------------------------------------------- the data


def dataset(rows: int, columns: int) -> Path:
    """The folder that holds `baseline/` and `current/`, so many rows of it; made when it is not there yet."""
    folder = Path(tempfile.gettempdir()) / "driftline-benchmarks" / f"{rows}-by-{columns}"
    for side, count in {"baseline": min(rows, BASELINE_ROWS), "current": rows}.items():
        if not (folder / side).exists():
            unfinished = folder / f"_{side}"
            unfinished.mkdir(parents=True, exist_ok=True)
            moments = DAY[side] + np.linspace(0, 86_399e6, count).astype("timedelta64[us]")
            for number, first in enumerate(range(0, count, ROWS_PER_FILE)):
                own = moments[first : first + ROWS_PER_FILE]
                write_file(unfinished / f"part-{number:03}.parquet", own, columns, [5, list(DAY).index(side), number])
            unfinished.rename(folder / side)
    return folder


def write_file(path: Path, moments: Moments, columns: int, seed: list[int]) -> None:
    """One file's rows, the same every time; one row group is in memory."""
    rng = np.random.default_rng(seed)
    names = [f"x{place}" for place in range(columns)]
    schema = pa.schema([*((name, pa.float64()) for name in names), ("ts", pa.timestamp("us", "UTC"))])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for first in range(0, len(moments), ROWS_PER_GROUP):
            own = moments[first : first + ROWS_PER_GROUP]
            made = (doubles(rng, place, len(own)) for place in range(columns))
            writer.write_table(pa.table([*made, pa.array(own, schema.field("ts").type)], schema))


def doubles(rng: np.random.Generator, place: int, rows: int) -> pa.Array:
    """Of three decimals, so that 8 GB of them are 2 GB of files."""
    normal = rng.normal(0, 1, rows)
    values = np.round(normal if place % 2 else np.exp(normal), 3)
    return pa.array(values, mask=rng.random(rows) < 0.01 * (place % 5))


# -------------------------------------------------------------------------------------------------- a fresh process


def prepared(folder: Path, store: Path) -> dict[str, Any]:
    """Freeze the bins, and keep the baseline."""
    return {"rows_read": evaluated(folder, store, BEFORE)["rows_read"]}


def day(folder: Path, store: Path) -> dict[str, Any]:
    """What the day costs, on a copy of the prepared store, so that the next round has it to read again."""
    with tempfile.TemporaryDirectory() as place:
        return evaluated(folder, shutil.copytree(store, Path(place) / "store"), WHEN)


def evaluated(folder: Path, store: Path, at: datetime) -> dict[str, Any]:
    """One evaluation's cost, how many rows it read and how many values it came to."""
    due, spark = Due(Monitor.from_dict(definition(folder)), (at,)), session(as_driftline_runs=True)
    found: list[Evaluation] = []
    cost = cost_of(lambda: found.extend(evaluate_together(spark, [due], store=Store(store))[0]))
    values = sum(row.metric_value is not None for row in found[0].rows)
    return {"cpu": cost.cpu, "wall": cost.wall, "rows_read": found[0].run.rows_read, "values": values}


# -------------------------------------------------------------------------------------------------- what is measured


def measured(sizes: list[tuple[int, int]], rounds: int) -> list[list[dict[str, Any]]]:
    """What each round told, for each size (rows, columns)."""
    with tempfile.TemporaryDirectory() as place:
        scripts: dict[str, tuple[object, ...]] = {}
        for rows, columns in sizes:
            folder, store = dataset(rows, columns), Path(place) / f"{rows}-by-{columns}"
            fresh("wide.py", "--prepare", folder, store)
            scripts[named(rows, columns)] = ("wide.py", "--day", folder, store)
        found = list(in_turns(scripts, rounds).values())
    for (rows, columns), each in zip(sizes, found, strict=True):
        told = {(one["rows_read"], one["values"]) for one in each}
        if told != {(rows, 2 * columns)}:
            raise SystemExit(f"{named(rows, columns)} are not {rows} rows read and {2 * columns} values: {told}")
    return found


def report(rows: int = 1_000_000, columns: int = 1_000, rounds: int = 3) -> str:
    """The measured table, in Markdown."""
    sizes = [(rows, columns), (rows * TIMES_LONGER, NARROW)]
    found = measured(sizes, rounds)
    for size, each in zip(sizes, found, strict=True):
        for one in each:
            one["per_cell"] = one["cpu"] / (size[0] * size[1]) * 1e9
    narrow = middle(found[-1], "per_cell")
    lines = [
        [named(*size), *(f"{middle(each, key):.1f}" for key in ("cpu", "wall")), f"{middle(each, 'peak_mb'):,.0f}",
         f"{middle(each, 'per_cell'):.1f}", f"**{middle(each, 'per_cell') / narrow:.2f}**"]
        for size, each in zip(sizes, found, strict=True)
    ]  # fmt: skip
    header = ["data", "CPU s", "wall s", "peak MB of its processes", "CPU ns for a cell", "for a cell / narrow"]
    return table(f"Drift and quality of all columns, baseline stored (medians of {rounds})", header, lines)


def named(rows: int, columns: int) -> str:
    return f"{columns:,} columns by {rows:,} rows"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the wide table (default: %(default)s)")
    parser.add_argument("--columns", type=int, default=1_000, help="of the wide table (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: %(default)s)")
    for name in ("--prepare", "--day"):
        parser.add_argument(name, type=Path, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.prepare:
        print(json.dumps(prepared(*given.prepare)))
    elif given.day:
        print(json.dumps(day(*given.day)))
    else:
        print(report(given.rows, given.columns, given.rounds))


if __name__ == "__main__":
    main()
