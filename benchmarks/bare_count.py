"""A bare PySpark program: start a session, count the rows of the same files as `driftline run` reads for one day."""

import json
import sys
from pathlib import Path

from pyspark.sql import SparkSession

FLIGHTS = Path(__file__).resolve().parent.parent / "data" / "flights"


def main(day: str) -> None:
    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    files = [FLIGHTS / "inputs" / f"date={day}", FLIGHTS / "outputs" / f"date={day}", FLIGHTS / "actuals"]
    print(json.dumps({"rows": [spark.read.parquet(str(path)).count() for path in files]}))


if __name__ == "__main__":
    main(sys.argv[1])
