"""The PSI of 25 columns as a person would write it with DuckDB: the baseline's deciles, histograms, a sum.

    python benchmarks/duckdb_script.py ROWS [quantiles]

Two threads. Edges are taken from a sample of 20,000 rows, as driftline does it and as is cheapest; with `quantiles`
they are `approx_quantile`s of all rows. All histograms of a side are one query, which reads each column once.
"""

import json
import math
import sys
from typing import Any

import duckdb
from dataset import NUMBERS, STRINGS, dataset
from measure import cost_of

DECILES = [tenth / 10 for tenth in range(1, 10)]


def main(rows: int, *, quantiles: bool) -> None:
    folder = dataset(rows)
    found: dict[str, float] = {}
    cost = cost_of(
        lambda: found.update(drift(f"{folder}/baseline/*.parquet", f"{folder}/current/*.parquet", quantiles=quantiles))
    )
    print(json.dumps({"cpu": cost.cpu, "wall": cost.wall, "psi": found}))


def drift(baseline: str, current: str, *, quantiles: bool) -> dict[str, float]:
    """The PSI of each column."""
    connection = duckdb.connect(config={"threads": 2})
    connection.execute(f"CREATE VIEW baseline AS FROM '{baseline}'; CREATE VIEW current AS FROM '{current}'")
    edges = deciles(connection, quantiles=quantiles)
    before, after = (counted(connection, side, edges) for side in ("baseline", "current"))
    return {name: psi(before[name], after[name]) for name in before}


def deciles(connection: duckdb.DuckDBPyConnection, *, quantiles: bool) -> dict[str, list[float]]:
    sample = "(FROM baseline USING SAMPLE 20000)"
    function, rows = ("approx_quantile", "baseline") if quantiles else ("quantile_disc", sample)
    asked = ", ".join(f"{function}({name}, {DECILES}) AS {name}" for name in NUMBERS)
    return one_row(connection, f"SELECT {asked} FROM {rows}")


def counted(
    connection: duckdb.DuckDBPyConnection, side: str, edges: dict[str, list[float]]
) -> dict[str, dict[Any, int]]:
    """Rows per bin or category of each column, and of nulls."""
    asked = [f"histogram({name}, {edges[name]}) AS {name}" for name in NUMBERS]
    asked += [f"histogram({name}) AS {name}" for name in STRINGS]
    asked += [f"count(*) - count({name}) AS null_{name}" for name in NUMBERS + STRINGS]
    values = one_row(connection, f"SELECT {', '.join(asked)} FROM {side}")
    return {name: {**values[name], None: values[f"null_{name}"]} for name in NUMBERS + STRINGS}


def one_row(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    found = connection.execute(query)
    names = [column[0] for column in found.description]
    return dict(zip(names, found.fetchall()[0], strict=True))


def psi(before: dict[Any, int], after: dict[Any, int]) -> float:
    bins = before.keys() | after.keys()
    n, m = sum(before.values()) + len(bins) / 2, sum(after.values()) + len(bins) / 2
    pairs = [((before.get(each, 0) + 0.5) / n, (after.get(each, 0) + 0.5) / m) for each in bins]
    return sum((q - p) * math.log(q / p) for p, q in pairs)


if __name__ == "__main__":
    main(int(sys.argv[1]), quantiles="quantiles" in sys.argv)
