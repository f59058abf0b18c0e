"""The PSI of 25 columns by Evidently's DataDriftPreset, on pandas frames of both sides.

    python benchmarks/evidently_script.py ROWS

The costs are those of reading the Parquet files and of the report's results; no HTML is made.
"""

import json
import sys

import pandas as pd
from dataset import COLUMNS, NUMBERS, STRINGS, dataset
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
from measure import cost_of


def main(rows: int) -> None:
    folder = dataset(rows)
    found: dict[str, float] = {}
    cost = cost_of(lambda: found.update(drift(f"{folder}/baseline", f"{folder}/current")))
    print(json.dumps({"cpu": cost.cpu, "wall": cost.wall, "psi": found}))


def drift(baseline: str, current: str) -> dict[str, float]:
    """The PSI of each column."""
    definition = DataDefinition(numerical_columns=NUMBERS, categorical_columns=STRINGS)
    before, after = (
        Dataset.from_pandas(pd.read_parquet(side, columns=COLUMNS), definition) for side in (baseline, current)
    )
    report = Report([DataDriftPreset(num_method="psi", cat_method="psi")], include_tests=False)
    metrics = report.run(after, before).dict()["metrics"]
    return {each["config"]["column"]: float(each["value"]) for each in metrics if "column" in each["config"]}


if __name__ == "__main__":
    main(int(sys.argv[1]))
