"""Both kinds of session that a caller may own run a Python kernel over Arrow batches: classic and Connect.

Run as a script, this file is the client of the second test.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def sum_on_executors(spark: SparkSession) -> int:
    """0 + 1 + 2, added up in Python workers, which are sent `totals` by value because it is a local name."""

    def totals(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield pa.RecordBatch.from_pydict({"total": [sum(batch["id"].to_pylist())]})

    return sum(row.total for row in spark.range(3).mapInArrow(totals, "total long").collect())


def test_a_classic_session_runs_an_arrow_kernel(spark: SparkSession) -> None:
    assert sum_on_executors(spark) == 3


def test_a_connect_session_runs_the_same_kernel(connect_url: str) -> None:
    command = [sys.executable, __file__, connect_url]
    client = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert client.returncode == 0, client.stderr
    assert client.stdout.split() == ["pyspark.sql.connect.session", "3"]


if __name__ == "__main__":
    from pyspark.sql import SparkSession

    session = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
    print(type(session).__module__, sum_on_executors(session))
    session.stop()
