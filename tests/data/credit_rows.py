"""The rows of data/credit as pandas reads them, without any of driftline's own readers."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

CREDIT = Path(__file__).parents[2] / "data" / "credit"


def events(collection: str, folder: Path = CREDIT / "collected") -> Iterator[dict[str, Any]]:
    """The events of a collection, in the order of their files."""
    for file in sorted((folder / collection).rglob("*.jsonl")):
        yield from map(json.loads, file.read_text(encoding="utf-8").splitlines())


def collected(collection: str, folder: Path = CREDIT / "collected") -> pd.DataFrame:
    """Its rows, each with `correlationid` (`<id>_<row>`) and `time`."""
    return pd.DataFrame([
        {**row, "correlationid": f"{event['correlationid']}_{place}", "time": pd.Timestamp(event["time"])}
        for event in events(collection, folder)
        for place, row in enumerate(event["data"])
    ])  # fmt: skip


def within(rows: pd.DataFrame, start: datetime, end: datetime) -> pd.DataFrame:
    """The rows of a window."""
    return rows[rows["time"].ge(start) & rows["time"].lt(end)]


def reference() -> pd.DataFrame:
    """What the model learned from."""
    return pd.read_parquet(CREDIT / "reference" / "train.parquet")


def labels() -> pd.DataFrame:
    """The ground truth."""
    files = sorted((CREDIT / "ground_truth").glob("labels-*.csv"))
    return pd.concat([pd.read_csv(file, parse_dates=["known_at"]) for file in files], ignore_index=True)
