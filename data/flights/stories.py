"""What happened to this model in 2013? Prints the tables of README.md, counted from the committed files.

    python data/flights/stories.py [folder]

A day here is the 24 hours up to 03:15 UTC of the following date (the evening in New York), so that it is the
window of a run at that time. Months are UTC months of the scheduled departure.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd
import pyarrow.dataset as ds

RUN_AT = pd.Timedelta(hours=3, minutes=15)
A_DAY = pd.Timedelta(days=1)
WEATHER = ["temperature", "wind_direction", "wind_gust", "precipitation", "visibility", "pressure"]


def read(folder: Path, dataset: str) -> pd.DataFrame:
    return ds.dataset(folder / dataset, format="parquet").to_table().to_pandas()


def year(folder: Path) -> pd.DataFrame:
    """All flights with features, prediction and, where it is known, outcome; `part` says which files."""
    outputs = read(folder, "outputs").drop(columns="scheduled_departure")
    production = read(folder, "inputs").merge(outputs, on="correlation_id", validate="one_to_one")
    production = production.merge(read(folder, "actuals"), on="correlation_id", how="left", validate="one_to_one")
    flights = pd.concat([read(folder, "baseline").assign(part="baseline"), production.assign(part="production")])
    departure = flights["scheduled_departure"]
    return flights.assign(
        month=departure.dt.strftime("%Y-%m"),
        run=(departure - RUN_AT).dt.floor("D") + RUN_AT + A_DAY,
        hit=(flights["predicted_late"] == flights["late"]).where(flights["late"].notna()),
        error=flights["predicted_minutes_late"] - flights["minutes_late"],
    ).reset_index(drop=True)


def auc(late: pd.Series, score: pd.Series) -> float:
    """Area under the ROC curve, from mid-ranks; NaN when only one class is there."""
    positives, negatives = (late == 1).sum(), (late == 0).sum()
    if not positives or not negatives:
        return float("nan")
    return (score.rank()[late == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives)


def performance(flights: pd.DataFrame) -> dict[str, float]:
    known = flights.dropna(subset="late")
    return {
        "late": known["late"].mean(),
        "mean score": known["score"].mean(),
        "predicted late": known["predicted_late"].mean(),
        "AUC": auc(known["late"], known["score"]),
        "accuracy": known["hit"].mean(),
        "precision": known.loc[known["predicted_late"] == 1, "late"].mean(),
        "recall": known.loc[known["late"] == 1, "predicted_late"].mean(),
    }


def by_month(year: pd.DataFrame) -> pd.DataFrame:
    """The two months the model was fitted on, then its first ten in production."""

    def line(flights: pd.DataFrame) -> dict[str, object]:
        return {
            "flights": f"{len(flights):,}",
            "no outcome": flights["late"].isna().mean(),
            **performance(flights),
            "MAE": f"{flights['error'].abs().mean():.1f}",
            "mean error": f"{flights['error'].mean():+.1f}",
        }

    whole = {f"all of {part}": line(flights) for part, flights in year.groupby("part")}
    months = {month: line(flights) for month, flights in year.groupby("month") if month < "2014"}
    return pd.DataFrame.from_dict(months | whole, orient="index")


def by_run(year: pd.DataFrame) -> pd.DataFrame:
    """One line per day with its figures, indexed by the time of the run whose window it is."""

    def line(flights: pd.DataFrame) -> dict[str, object]:
        known = flights.dropna(subset="late")
        return {
            "flights": len(flights),
            "no outcome": flights["late"].isna().mean(),
            "late": known["late"].mean(),
            "predicted late": known["predicted_late"].mean(),
            "accuracy": known["hit"].mean(),
            "recall": known.loc[known["late"] == 1, "predicted_late"].mean(),
            "mean minutes late": f"{known['minutes_late'].mean():.0f}",
            "visibility (mean)": f"{flights['visibility'].mean():.1f}",
        }

    table = pd.DataFrame.from_dict({run: line(flights) for run, flights in year.groupby("run")}, orient="index")
    return table.set_axis(pd.DatetimeIndex(table.index).strftime("%Y-%m-%dT%H:%MZ"))


def blizzard(year: pd.DataFrame) -> pd.DataFrame:
    return by_run(year).loc["2013-02-08T03:15Z":"2013-02-12T03:15Z"]


def worst_days(year: pd.DataFrame) -> pd.DataFrame:
    days = by_run(year[year["part"] == "production"])
    return days[days["flights"] > 500].nlargest(12, "late").sort_index()


def calmest_days(year: pd.DataFrame) -> pd.DataFrame:
    days = by_run(year[year["part"] == "production"])
    return days[days["flights"] > 500].nsmallest(8, "late").sort_index()


def furlough_week(year: pd.DataFrame) -> pd.DataFrame:
    return by_run(year).loc["2013-04-21T03:15Z":"2013-04-29T03:15Z"]


def weather_nulls(year: pd.DataFrame) -> pd.DataFrame:
    """The share of flights without each reading."""
    return year[year["month"] < "2014"].groupby("month")[WEATHER].agg(lambda column: column.isna().mean())


def null_days(year: pd.DataFrame) -> pd.DataFrame:
    """The days with the largest gaps in the weather as a whole, and in the pressure alone."""
    shares = year.groupby("run")[["temperature", "wind_direction", "pressure"]].agg(lambda c: c.isna().mean())
    shares = shares[year.groupby("run").size() > 500]
    worst = shares.nlargest(5, "temperature").index.union(shares.nlargest(5, "pressure").index)
    return shares.loc[worst].set_axis(worst.strftime("%Y-%m-%dT%H:%MZ"))


def out_of_winter(year: pd.DataFrame) -> pd.DataFrame:
    """How far the features leave the baseline's range: warmth, and destinations that it never saw."""
    baseline = year[year["part"] == "baseline"]

    def line(flights: pd.DataFrame) -> dict[str, object]:
        return {
            "mean temperature (F)": f"{flights['temperature'].mean():.1f}",
            "warmer than the baseline's maximum": (flights["temperature"] > baseline["temperature"].max()).mean(),
            "mean pressure (hPa)": f"{flights['pressure'].mean():.1f}",
            "rain": (flights["precipitation"] > 0).mean(),
            "destination not in the baseline": (~flights["dest"].isin(baseline["dest"])).mean(),
        }

    months = {month: line(flights) for month, flights in year.groupby("month") if month < "2014"}
    return pd.DataFrame.from_dict(months, orient="index")


def destinations(year: pd.DataFrame) -> pd.DataFrame:
    """Flights to destinations that the baseline never saw, and to those of its own that production lost."""
    flights = pd.crosstab(year["dest"], year["month"]).drop(columns="2014-01", errors="ignore")
    winter, later = flights.iloc[:, :2].sum(axis=1), flights.iloc[:, 2:]
    new = flights[winter == 0]
    gone = flights[(winter >= 10) & (later == 0).any(axis=1)]
    return pd.concat([new.assign(story="new"), gone.assign(story="absent for a while")]).rename_axis(None)


def label_lag(year: pd.DataFrame) -> pd.DataFrame:
    """The share of a day's flights whose label is known some hours after the window ends."""
    production = year[year["part"] == "production"]
    waited = (production["known_at"] - production["run"]) / pd.Timedelta(hours=1)
    columns = {f"{hours} h": waited <= hours for hours in (0, 3, 6, 12, 24)} | {"ever": production["late"].notna()}
    shares = pd.DataFrame(columns).groupby(production["run"]).mean()[production.groupby("run").size() > 500]
    return shares.quantile([0, 0.05, 0.5, 0.95]).set_axis(["worst day", "5th percentile", "median", "95th percentile"])


STORIES: tuple[tuple[str, Callable[[pd.DataFrame], pd.DataFrame]], ...] = (
    ("The model month by month", by_month),
    ("The blizzard in the baseline", blizzard),
    ("The worst days in production", worst_days),
    ("The calmest days in production", calmest_days),
    ("Late without bad weather", furlough_week),
    ("Leaving winter", out_of_winter),
    ("Destinations", destinations),
    ("Gaps in the weather by month", weather_nulls),
    ("Gaps in the weather by day", null_days),
    ("How late the labels come", label_lag),
)


def markdown(table: pd.DataFrame) -> str:
    def row(cells: Iterable[object]) -> str:
        return "| " + " | ".join(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in cells) + " |"

    # `items` keeps each column's own type; a row of mixed columns would turn its integers into floats.
    cells = zip(table.index, *(column for _, column in table.items()), strict=True)
    head = [row(["", *table.columns]), "|" + "---|" * (table.shape[1] + 1)]
    return "\n".join([*head, *(row(line) for line in cells)])


def main(folder: Path) -> None:
    flights = year(folder)
    for title, story in STORIES:
        print(f"### {title}\n\n{markdown(story(flights))}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
