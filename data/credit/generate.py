"""How does the credit sample come about?

    python data/credit/generate.py [folder]

Writes reference/, collected/ and ground_truth/ beside this file, or into another folder: the same values every time.
"""

from __future__ import annotations

import shutil
import sys
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import default_model
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from customers import BILLS, FEATURES, TARGET, customers, defaults

SEED = 20240501
REFERENCE_ROWS = 3_000
FIRST_DAY, DAYS = date(2024, 5, 1), 28
HOURS = (3, 9, 13, 17, 21)  # the first straddles 03:15, when Azure's examples run
WEEKDAY_ROWS, WEEKEND_ROWS = 180, 110
LARGEST_BATCH = 11

# What happens, by UTC day; the README tells it as a story.
BILLS_IN_CENTS = date(2024, 5, 10)
PAY_0_MISSING, MISSING_SHARE = date(2024, 5, 14), 0.3
LIMIT_UNREADABLE, UNREADABLE = date(2024, 5, 15), "n/a"
NEW_EDUCATION_FROM, NEW_EDUCATION, NEW_EDUCATION_SHARE = date(2024, 5, 17), 7, 0.12
LABELS_HELD_BACK = (date(2024, 5, 20), date(2024, 5, 21))
LABELS_RELEASED = datetime(2024, 5, 26, 8, 0, tzinfo=UTC)
PAY_0_UNREAD = (date(2024, 5, 23), date(2024, 5, 24))
NEVER_LABELLED = 0.03

ENVELOPE = (
    '{{"specversion":"1.0","id":"{id}","source":"/endpoints/credit-default/deployments/main",'
    '"type":"azureml.inference.{collection}","datacontenttype":"application/json","time":"{time}","data":{data},'
    '"correlationid":"{correlation_id}","xrequestid":"{correlation_id}","modelversion":"1",'
    '"collectdatatype":"pandas.core.frame.DataFrame","agent":"azureml-ai-monitoring/1.0.0"}}'
)
"""One line of the data collector's; https://learn.microsoft.com/azure/machine-learning/concept-data-collection"""


@dataclass(frozen=True)
class Request:
    """What one call of the endpoint logged."""

    correlation_id: str
    time: datetime
    inputs: pd.DataFrame
    outputs: pd.DataFrame
    labels: pd.DataFrame

    def line(self, collection: str) -> str:
        rows = self.inputs if collection == "model_inputs" else self.outputs
        return ENVELOPE.format(
            id=uuid.uuid5(uuid.UUID(self.correlation_id), collection),
            collection=collection,
            time=f"{self.time:%Y-%m-%dT%H:%M:%SZ}",
            data=rows.to_json(orient="records"),
            correlation_id=self.correlation_id,
        )


def reference(random: np.random.Generator) -> pd.DataFrame:
    """What the model learned from: the features, and what happened."""
    who = customers(random, REFERENCE_ROWS)
    return who.assign(**{TARGET: defaults(random, who)})


def requests(random: np.random.Generator, model: default_model.DefaultModel, day: date) -> list[Request]:
    """The calls of one UTC day, in the order of time."""
    remaining = WEEKDAY_ROWS if day.weekday() < 5 else WEEKEND_ROWS
    sizes: list[int] = []
    while remaining > 0:
        sizes.append(min(int(random.integers(1, LARGEST_BATCH + 1)), remaining))
        remaining -= sizes[-1]
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    seconds = random.integers(0, 3600, len(sizes)) + 3600 * random.choice(HOURS, len(sizes))
    times = sorted(midnight + timedelta(seconds=int(second)) for second in seconds)
    return [_request(random, model, time, size) for time, size in zip(times, sizes, strict=True)]


def _request(random: np.random.Generator, model: default_model.DefaultModel, time: datetime, size: int) -> Request:
    correlation_id = str(uuid.UUID(bytes=random.bytes(16), version=4))
    who = customers(random, size)
    defaulted = defaults(random, who)
    logged = _as_sent(random, who, time.date())
    read = logged.assign(LIMIT_BAL=pd.to_numeric(logged["LIMIT_BAL"], errors="coerce"))
    if time.date() in PAY_0_UNREAD:
        read = read.assign(PAY_0=0)
    outputs = pd.DataFrame({TARGET: model.predict(read), "DEFAULT_PROBABILITY": model.probability(read)})
    labels = pd.DataFrame({
        "correlationid": [f"{correlation_id}_{place}" for place in range(size)],
        "ground_truth": defaulted,
        "known_at": [_known(random, time) for _ in range(size)],
    })[random.random(size) >= NEVER_LABELLED]  # fmt: skip
    return Request(correlation_id, time, logged, outputs, labels)


def _as_sent(random: np.random.Generator, who: pd.DataFrame, day: date) -> pd.DataFrame:
    """The customers as the day's upstream systems describe them."""
    chance = random.random(len(who))
    if day == BILLS_IN_CENTS:
        return who.assign(**{bill: who[bill] * 100 for bill in BILLS})
    if day == PAY_0_MISSING:
        return who.assign(PAY_0=who["PAY_0"].where(chance >= MISSING_SHARE))
    if day == LIMIT_UNREADABLE and chance[0] < 0.2:
        return who.assign(LIMIT_BAL=UNREADABLE)
    if day >= NEW_EDUCATION_FROM:
        return who.assign(EDUCATION=who["EDUCATION"].where(chance >= NEW_EDUCATION_SHARE, NEW_EDUCATION))
    return who


def _known(random: np.random.Generator, time: datetime) -> str:
    known = time + timedelta(seconds=int(random.integers(6 * 3600, 60 * 3600)))
    if time.date() in LABELS_HELD_BACK:
        known = LABELS_RELEASED
    return f"{known:%Y-%m-%dT%H:%M:%SZ}"


def write_collected(made: list[Request], folder: Path) -> None:
    """`<collection>/yyyy/MM/dd/HH/`, a file by hour, as the data collector does."""
    for collection in ("model_inputs", "model_outputs"):
        lines: dict[Path, list[str]] = {}
        for request in made:
            hour = folder / collection / f"{request.time:%Y/%m/%d/%H}" / "instance_logs.jsonl"
            lines.setdefault(hour, []).append(request.line(collection))
        for path, written in lines.items():
            path.parent.mkdir(parents=True)
            path.write_text("\n".join(written) + "\n", encoding="utf-8", newline="\n")


def write_labels(made: list[Request], folder: Path) -> None:
    """A CSV file by the week in which the labels became known."""
    labels = pd.concat([request.labels for request in made]).sort_values(["known_at", "correlationid"])
    weeks = pd.to_datetime(labels["known_at"]).dt.strftime("%G-W%V")
    for week, known in labels.groupby(weeks):
        known.to_csv(folder / f"labels-{week}.csv", index=False, lineterminator="\n")


def write_reference(rows: pd.DataFrame, folder: Path) -> None:
    schema = pa.schema([(name, pa.int64()) for name in [*FEATURES, TARGET]])
    table = pa.Table.from_pandas(rows, schema=schema, preserve_index=False).replace_schema_metadata()
    pq.write_table(table, folder / "train.parquet", compression="zstd")


def main(folder: Path) -> None:
    random = np.random.default_rng(SEED)
    learned = reference(random)
    model = default_model.fit(learned, learned[TARGET].to_numpy())
    days = [FIRST_DAY + timedelta(days=day) for day in range(DAYS)]
    made = [request for day in days for request in requests(random, model, day)]

    shutil.rmtree(folder / "collected", ignore_errors=True)
    for name in ("reference", "ground_truth"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    write_reference(learned, folder / "reference")
    write_collected(made, folder / "collected")
    write_labels(made, folder / "ground_truth")
    print(f"{sum(len(request.inputs) for request in made):,} predictions in {len(made):,} requests in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
