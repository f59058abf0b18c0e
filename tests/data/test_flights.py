"""Are the flights in data/flights what their README says they are?"""

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pandas as pd
import pyarrow.parquet as pq
import pytest

FLIGHTS = Path(__file__).parents[2] / "data" / "flights"
DATASETS = ("baseline", "inputs", "outputs", "actuals")


@pytest.fixture(scope="module")
def scripts() -> Iterator[dict[str, ModuleType]]:
    """The scripts of data/flights, which import each other as siblings do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FLIGHTS))
        yield {name: importlib.import_module(name) for name in ("sources", "late_model", "make", "stories")}


@pytest.fixture(scope="module")
def year(scripts: dict[str, ModuleType]) -> pd.DataFrame:
    """All flights from the four folders; the joins fail if an id has no partner or more than one."""
    return scripts["stories"].year(FLIGHTS)


def production(year: pd.DataFrame) -> pd.DataFrame:
    return year[year["part"] == "production"]


def days(dataset: str) -> list[str]:
    return sorted(folder.name.removeprefix("date=") for folder in (FLIGHTS / dataset).iterdir())


def test_all_files_together_stay_under_the_cap():
    assert sum(file.stat().st_size for file in FLIGHTS.rglob("*.parquet")) < 12_000_000


def test_every_file_has_the_types_that_its_dataset_promises(scripts: dict[str, ModuleType]):
    for dataset in DATASETS:
        schemas = {pq.read_schema(file) for file in (FLIGHTS / dataset).rglob("*.parquet")}
        assert schemas == {scripts["make"].SCHEMAS[dataset]}


def test_every_flight_of_the_year_is_there_once(year: pd.DataFrame):
    assert len(year) == 336_776
    assert year["correlation_id"].is_unique


def test_inputs_and_outputs_are_the_same_flights_day_by_day():
    assert days("inputs") == days("outputs")
    for day in days("inputs"):
        keys = [
            pq.ParquetFile(FLIGHTS / dataset / f"date={day}" / "part-0.parquet").read(
                ["correlation_id", "scheduled_departure"]
            )
            for dataset in ("inputs", "outputs")
        ]
        assert keys[0].equals(keys[1])


def test_a_partition_holds_its_own_day_in_utc_and_its_statistics_say_so():
    for day in days("inputs"):
        footer = pq.read_metadata(FLIGHTS / "inputs" / f"date={day}" / "part-0.parquet")
        assert footer.num_row_groups == 1
        departure = footer.row_group(0).column(1)
        assert departure.path_in_schema == "scheduled_departure"
        assert f"{departure.statistics.min:%Y-%m-%d}" == f"{departure.statistics.max:%Y-%m-%d}" == day


def test_the_baseline_ends_where_production_begins(year: pd.DataFrame):
    split = pd.Timestamp("2013-03-01", tz="UTC")
    assert (year["scheduled_departure"].lt(split) == year["part"].eq("baseline")).all()


def test_actuals_are_flights_of_production_and_only_those_that_arrived(
    scripts: dict[str, ModuleType], year: pd.DataFrame
):
    flights = scripts["sources"].package_table("flights.csv.zip")
    arrived = set(scripts["sources"].correlation_ids(flights)[flights["arr_delay"].notna()])
    actuals = scripts["stories"].read(FLIGHTS, "actuals")
    assert actuals["correlation_id"].is_unique
    assert set(actuals["correlation_id"]) == arrived & set(production(year)["correlation_id"])
    assert actuals.notna().all(axis=None)


def test_late_means_more_than_fifteen_minutes(year: pd.DataFrame):
    known = year.dropna(subset="late")
    assert (known["late"].eq(1) == known["minutes_late"].gt(15)).all()


def test_labels_become_known_after_a_plausible_flight(scripts: dict[str, ModuleType], year: pd.DataFrame):
    known = production(year).dropna(subset="late")
    arrival = known["known_at"] - scripts["sources"].REPORTING_LAG
    scheduled_arrival = arrival - pd.to_timedelta(known["minutes_late"], unit="min")
    block_time = scheduled_arrival - known["scheduled_departure"]
    assert block_time.between(pd.Timedelta(minutes=50), pd.Timedelta(minutes=700)).all()


@pytest.mark.parametrize(
    ("day", "first_six_o_clock_departure"),
    [("20130309", 11), ("20130310", 10), ("20131102", 10), ("20131103", 11)],
)
def test_six_in_new_york_is_another_hour_in_utc_when_the_clocks_change(
    year: pd.DataFrame, day: str, first_six_o_clock_departure: int
):
    at_six = year[year["correlation_id"].str.startswith(day) & year["hour"].eq(6)]
    assert set(at_six["scheduled_departure"].dt.hour) == {first_six_o_clock_departure}


def test_the_model_ranks_better_than_chance_in_every_month_that_it_never_saw(
    scripts: dict[str, ModuleType], year: pd.DataFrame
):
    known = production(year).dropna(subset="late")
    auc = scripts["stories"].auc
    assert auc(known["late"], known["score"]) > 0.67
    for _, month in known[known["month"] < "2014"].groupby("month"):
        assert auc(month["late"], month["score"]) > 0.64


def test_labels_follow_from_scores_and_match_the_baseline_rate(year: pd.DataFrame):
    assert (year["predicted_late"].eq(1) == year["score"].ge(0.3052)).all()
    learned = year[year["part"].eq("baseline")].dropna(subset="late")
    assert learned["predicted_late"].mean() == pytest.approx(learned["late"].mean(), abs=0.001)
    assert learned["score"].mean() == pytest.approx(learned["late"].mean(), abs=0.001)


def test_making_the_first_quarter_again_gives_the_same_rows(scripts: dict[str, ModuleType]):
    make = scripts["make"]
    departures, outcomes = make.flights_of_the_year()
    quarter = departures["scheduled_departure"] < pd.Timestamp("2013-04-01", tz="UTC")
    predictions = make.fit_on_baseline(departures, outcomes).predict(departures[quarter])
    made = {
        f"{dataset}/{path}": make.table(dataset, rows)
        for dataset, path, rows in make.datasets(departures[quarter], outcomes[quarter], predictions)
    }
    made.pop("actuals/2013-04.parquet")  # the last evening's labels, the beginning of another file
    assert len(made) == 2 + 31 + 31 + 1
    for path, table in made.items():
        assert table.equals(pq.ParquetFile(FLIGHTS / path).read()), path


def test_the_readme_shows_the_figures_of_these_files(scripts: dict[str, ModuleType], year: pd.DataFrame):
    readme = (FLIGHTS / "README.md").read_text(encoding="utf-8")
    for _, story in scripts["stories"].STORIES:
        assert scripts["stories"].markdown(story(year)) in readme
