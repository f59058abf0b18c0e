"""A workshop: a folder with data, assets, models and components, in which a schedule of the seed is read and run.

The data are invented and small; what was written is kept as pandas, to check numbers against.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from pyspark.sql import SparkSession

from engine import Monitor, evaluate_all
from engine.run import Evaluation

ROOT = Path(__file__).parents[2]


class Workshop:
    """A project folder: `conf/` beside `data/`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conf, self.data = folder / "conf", folder / "data"
        for name in ("models", "monitors", "components"):
            (self.conf / name).mkdir(parents=True)
        self.data.mkdir(exist_ok=True)
        self._assets: dict[str, list[dict[str, Any]]] = {"assets": [], "components": []}

    def mltable(self, name: str, rows: pd.DataFrame) -> None:
        """An asset of type `mltable`, version 1: Parquet and the file that says so."""
        folder = self.data / name
        folder.mkdir()
        rows.to_parquet(folder / "part-0.parquet", index=False)
        table = {"type": "mltable", "paths": [{"pattern": "./*.parquet"}], "transformations": ["read_parquet"]}
        (folder / "MLTable").write_text(yaml.safe_dump(table), encoding="utf-8")
        self._asset(name, "mltable")

    def parquet(self, name: str, rows: pd.DataFrame) -> None:
        """An asset of type `uri_folder`, version 1: a folder with one Parquet file."""
        folder = self.data / name
        folder.mkdir()
        rows.to_parquet(folder / "part-0.parquet", index=False)
        self._asset(name, "uri_folder")

    def csv(self, name: str, rows: pd.DataFrame, by: pd.Series) -> None:
        """An asset of type `uri_folder`, version 1: a CSV file for each value of `by`."""
        folder = self.data / name
        folder.mkdir()
        for value, part in rows.groupby(by):
            part.to_csv(folder / f"{value}.csv", index=False)
        self._asset(name, "uri_folder")

    def collected(self, name: str, rows: pd.DataFrame, times: str) -> None:
        """An asset of type `uri_folder`, version 1: what the data collector logs, one row to an event."""
        for hour, part in rows.groupby(rows[times].dt.strftime("%Y/%m/%d/%H")):
            folder = self.data / name / str(hour)
            folder.mkdir(parents=True)
            events = [
                {
                    "specversion": "1.0",
                    "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name}/{place}")),
                    "source": name,
                    "type": "azureml.inference",
                    "time": row.pop(times).isoformat(),
                    "data": [row],
                    "correlationid": str(uuid.uuid5(uuid.NAMESPACE_OID, str(place))),
                }
                for place, row in zip(part.index, part.to_dict("records"), strict=True)
            ]
            (folder / "log.jsonl").write_text("\n".join(map(json.dumps, events)) + "\n", encoding="utf-8")
        self._asset(name, "uri_folder")

    def component(self, name: str, versions: Sequence[str], code: Path, function: str) -> None:
        """A component asset: a function of a Python file."""
        shutil.copy(code, self.conf / "components")
        for version in versions:
            self._declare("components", {"name": name, "version": version, "entry": f"{code.stem}:{function}"})

    def model(self, name: str, **keys: Any) -> None:
        """A file in `models/`."""
        text = yaml.safe_dump({"name": name, **keys}, sort_keys=False)
        (self.conf / "models" / f"{name}.yaml").write_text(text, encoding="utf-8")

    def monitor(self, text: str) -> Monitor:
        """The monitor of a schedule's YAML, written down as it stands."""
        file = self.conf / "monitors" / f"{uuid.uuid5(uuid.NAMESPACE_OID, text)}.yaml"
        file.write_text(text, encoding="utf-8")
        return Monitor.from_yaml(file)

    def run(self, spark: SparkSession, text: str, times: Sequence[datetime]) -> list[Evaluation]:
        """Read a schedule and evaluate it at these times."""
        return evaluate_all(spark, self.monitor(text), times)

    def _asset(self, name: str, kind: str) -> None:
        self._declare("assets", {"name": name, "version": 1, "type": kind, "path": f"../data/{name}"})

    def _declare(self, key: str, entry: dict[str, Any]) -> None:
        self._assets[key].append(entry)
        written = {key: entries for key, entries in self._assets.items() if entries}
        (self.conf / "assets.yaml").write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")


def credit_workshop(folder: Path) -> Workshop:
    """The repository's own assets and models over its credit sample."""
    (folder / "data").symlink_to(ROOT / "data", target_is_directory=True)
    workshop = Workshop(folder)
    shutil.copytree(ROOT / "conf", workshop.conf, ignore=shutil.ignore_patterns("monitors"), dirs_exist_ok=True)
    return workshop


def transactions(random: np.random.Generator, count: int, start: str, end: str) -> pd.DataFrame:
    """Card payments at random times: what was asked of the fraud model, what it said, and what was true."""
    first, last = (pd.Timestamp(moment, tz="UTC").value // 10**9 for moment in (start, end))
    at = pd.to_datetime(np.sort(random.integers(first, last, count)), unit="s", utc=True)
    amount = random.lognormal(4, 1, count).round(2)
    kind = random.choice(["online", "shop", "machine"], count, p=[0.5, 0.4, 0.1])
    tries = random.integers(1, 5, count)
    fraud = random.random(count) < 1 / (1 + np.exp(-(np.log(amount) - 5.5 + 1.0 * (kind == "machine"))))
    return pd.DataFrame({
        "at": at,
        "payment": [f"p{place}" for place in range(count)],
        "amount": amount,
        "kind": kind,
        "tries": tries,
        "said": ((np.log(amount) > 5) ^ (random.random(count) < 0.05)).astype(int),
        "fraud": fraud.astype(int),
    })  # fmt: skip
