"""What is measured on: a baseline and a current side, each 20 doubles, 5 strings and a timestamp, in Parquet.

    python benchmarks/dataset.py ROWS [FOLDER]

Half of the doubles are normal, half log-normal, up to 4 % of them null; the strings have 3, 10, 50, 200 and 1,000
values in Zipf's shares. On the current side every fifth double and one string have drifted. Files have 800,000 rows,
row groups 250,000.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

NUMBERS = [f"num_{number}" for number in range(20)]
STRINGS = [f"cat_{number}" for number in range(5)]
COLUMNS = NUMBERS + STRINGS
CARDINALITIES = [3, 10, 50, 200, 1000]
ROWS_PER_FILE = 800_000
DAY = {"baseline": np.datetime64("2026-01-01", "us"), "current": np.datetime64("2026-01-02", "us")}
SCHEDULED_FOR = "2026-01-03T00:00:00+00:00"
"""A day later the current side is the last day."""


def dataset(rows: int, folder: Path | None = None) -> Path:
    """The folder that holds `baseline/` and `current/` of so many rows each; made when it is not there yet."""
    folder = (folder or Path(tempfile.gettempdir()) / "driftline-benchmarks") / str(rows)
    for side in DAY:
        if not (folder / side).exists():
            unfinished = folder / f"_{side}"
            unfinished.mkdir(parents=True, exist_ok=True)
            for number, start in enumerate(range(0, rows, ROWS_PER_FILE)):
                found = part(side, number, min(ROWS_PER_FILE, rows - start))
                pq.write_table(found, unfinished / f"part-{number:03}.parquet", row_group_size=250_000)
            unfinished.rename(folder / side)
    return folder


def part(side: str, number: int, rows: int) -> pa.Table:
    """One file's rows; the same every time."""
    rng = np.random.default_rng([2, list(DAY).index(side), number])
    columns = {name: _numbers(rng, place, rows, side) for place, name in enumerate(NUMBERS)}
    columns |= {name: _texts(rng, place, rows, side) for place, name in enumerate(STRINGS)}
    columns["ts"] = pa.array(DAY[side] + (rng.random(rows) * 86_400e6).astype("timedelta64[us]"))
    return pa.table(columns)


def _numbers(rng: np.random.Generator, place: int, rows: int, side: str) -> pa.Array:
    drift = 0.25 if side == "current" and place % 5 == 0 else 0.0
    normal = rng.normal(drift, 1 + 0.1 * place, rows)
    return pa.array(normal if place % 2 else np.exp(normal), mask=rng.random(rows) < 0.01 * (place % 5))


def _texts(rng: np.random.Generator, place: int, rows: int, side: str) -> pa.Array:
    steepness = 1.2 if side == "current" and place == 1 else 1.0
    shares = np.arange(1, CARDINALITIES[place] + 1) ** -steepness
    codes: npt.NDArray[np.int64] = rng.choice(len(shares), rows, p=shares / shares.sum())
    names = pa.array([f"value {number}" for number in range(len(shares))])
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), names).cast(pa.string())


if __name__ == "__main__":
    print(dataset(int(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None))
