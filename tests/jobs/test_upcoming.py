"""`driftline next`: against the calendar, and against windows worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from typer.testing import Result

Driftline = Callable[..., Result]

MONITOR = """
name: watched
trigger: {trigger}
create_monitor:
  monitoring_signals:
    drift:
      type: data_drift
      production_data: {{input_data: {{path: in.parquet}}{window}}}
      reference_data: {{input_data: {{path: baseline.parquet}}, data_context: training}}
    past:
      type: data_quality
      production_data: {{input_data: {{path: in.parquet}}{window}}}
"""


def written(folder: Path, trigger: str, window: str = "") -> Path:
    path = folder / "watched.yaml"
    path.write_text(MONITOR.format(trigger=trigger, window=f", data_window: {window}" if window else ""))
    return path


def upcoming(driftline: Driftline, *words: object) -> list[dict[str, object]]:
    result = driftline("next", *words, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["monitors"][0]["next"]


def test_the_next_times_are_those_of_the_calendar(driftline: Driftline, tmp_path: Path) -> None:
    path = written(tmp_path, "{type: recurrence, frequency: day, schedule: {hours: [3, 15], minutes: 15}}")
    found = upcoming(driftline, path, "-n", 10, "--from", "2024-02-27")
    days = pd.date_range("2024-02-27", periods=5, tz="UTC")
    wanted = [day + pd.Timedelta(hours=hour, minutes=15) for day in days for hour in (3, 15)]
    assert [each["scheduled_for"] for each in found] == [f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in wanted]


def test_windows_are_computed_from_the_scheduled_time(driftline: Driftline, tmp_path: Path) -> None:
    window = "{lookback_window_size: P7D, lookback_window_offset: PT6H}"
    trigger = "{type: recurrence, frequency: week, schedule: {hours: 6, minutes: 0, week_days: Monday}}"
    found = upcoming(driftline, written(tmp_path, trigger, window), "-n", 1, "--from", "2024-06-01")
    assert found[0]["scheduled_for"] == "2024-06-03T06:00:00Z"
    drift, past = found[0]["signals"]  # type: ignore[misc]
    assert drift["window"] == {"start": "2024-05-27T00:00:00Z", "end": "2024-06-03T00:00:00Z"}
    assert drift["baseline"] == "all of it"
    assert past["baseline"] == {"start": "2024-05-13T00:00:00Z", "end": "2024-05-27T00:00:00Z"}


def test_a_day_on_which_the_clocks_change_keeps_its_place_on_the_clock(driftline: Driftline, tmp_path: Path) -> None:
    zone = '"Pacific Standard Time"'
    trigger = f"{{type: recurrence, frequency: day, schedule: {{hours: 3, minutes: 15}}, time_zone: {zone}}}"
    found = upcoming(driftline, written(tmp_path, trigger), "-n", 3, "--from", "2025-11-01T12:00Z")
    local = [datetime(2025, 11, day, 3, 15, tzinfo=ZoneInfo("America/Los_Angeles")) for day in (2, 3, 4)]
    assert [each["local_time"] for each in found] == [at.isoformat() for at in local]
    assert [each["scheduled_for"] for each in found] == [f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for at in local]


def test_the_table_has_both_clocks(driftline: Driftline, tmp_path: Path) -> None:
    trigger = "{type: cron, expression: '30 2 * * *', time_zone: Europe/Berlin}"
    said = driftline("next", written(tmp_path, trigger), "-n", 1, "--from", "2025-03-30").stdout
    assert "watched · cron 30 2 * * * Europe/Berlin · 1 time from 30 Mar 2025 00:00 UTC" in said
    assert "30 Mar 2025 01:30 UTC" in said
    assert "30 Mar 2025 03:30 CEST" in said, "02:30 does not exist on that day"
    assert "23 Mar 2025 01:30 to 30 Mar 2025 01:30 UTC" in said
    assert "23 Mar 2025 02:30 CET to 30 Mar 2025 03:30 CEST" in said


def test_in_utc_nothing_is_said_twice(driftline: Driftline, tmp_path: Path) -> None:
    path = written(tmp_path, "{type: recurrence, frequency: month, schedule: {hours: 0, minutes: 0, month_days: 31}}")
    said = driftline("next", path, "-n", 2, "--from", "2025-01-01").stdout
    assert said.count("31 Jan 2025 00:00 UTC") == 2, "once for each signal: their baselines differ"
    assert "31 Mar 2025 00:00 UTC" in said
    assert "28 Feb 2025 00:00" not in said, "a month without its day 31 is left out"


def test_an_ended_schedule_says_so(driftline: Driftline, tmp_path: Path) -> None:
    trigger = "{type: recurrence, frequency: day, end_time: 2024-01-03}"
    path = written(tmp_path, trigger)
    ended = driftline("next", path, "--from", "2024-02-01")
    assert ended.exit_code == 0
    assert "it has ended: nothing is due at or after its end_time, 3 Jan 2024 00:00 UTC" in ended.stdout
    ending = driftline("next", path, "--from", "2024-01-01", "-n", 10).stdout
    assert "2 times from 1 Jan 2024" in ending
    assert "it ends then: nothing more is due at or after its end_time" in ending
    assert upcoming(driftline, path, "--from", "2024-02-01") == []


def test_without_a_time_it_is_from_now_on(driftline: Driftline, tmp_path: Path) -> None:
    before = datetime.now(UTC)
    found = upcoming(driftline, written(tmp_path, "{type: recurrence, frequency: hour}"), "-n", 2)
    first = datetime.fromisoformat(str(found[0]["scheduled_for"]))
    assert before <= first <= before + timedelta(hours=1, seconds=60)


def test_a_leap_day_is_found_however_far_it_is(driftline: Driftline, tmp_path: Path) -> None:
    path = written(tmp_path, "{type: cron, expression: '0 0 29 2 */7'}")  # Sundays only
    found = upcoming(driftline, path, "-n", 2, "--from", "2025-01-01")
    assert [each["scheduled_for"] for each in found] == ["2032-02-29T00:00:00Z", "2060-02-29T00:00:00Z"]


def test_a_monitor_is_found_by_its_name(driftline: Driftline, tmp_path: Path) -> None:
    (tmp_path / "conf" / "monitors").mkdir(parents=True)
    written(tmp_path / "conf" / "monitors", "{type: recurrence, frequency: day}")
    assert len(upcoming(driftline, "watched")) == 5
    unknown = driftline("next", "unwatched")
    assert unknown.exit_code == 2
    assert "conf/ has watched" in unknown.stderr


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("hours: 99", "99 must be 23 or less"),
        ("minutes: 60", "60 must be 59 or less"),
        ("month_days: 32", "32 must be 31 or less"),
        ("month_days: -1", "-1 must be 1 or more"),
        ("week_days: [moonday]", "'moonday' is not one of monday"),
    ],
)
def test_what_no_clock_and_no_calendar_has_is_an_error(
    pattern: str, sentence: str, driftline: Driftline, tmp_path: Path
) -> None:
    result = driftline("next", written(tmp_path, f"{{type: recurrence, frequency: month, schedule: {{{pattern}}}}}"))
    assert result.exit_code == 2
    assert sentence in result.stderr


CUSTOM = """
name: watched
trigger: {type: recurrence, frequency: day}
create_monitor:
  monitoring_signals:
    own:
      type: custom
      component_id: own:run
      input_data:
        week:
          input_data: {path: in.parquet}
          data_window: {lookback_window_size: P7D}
        hours: {input_data: {path: in.parquet}, data_window: {lookback_window_size: PT6H}}
        train: {input_data: {path: in.parquet}, data_context: training}
      metric_thresholds: [{metric_name: deviation, threshold: 2}]
"""


def test_datasets_with_windows_of_their_own_are_told_each(driftline: Driftline, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("def run(**given): ...\n")
    path = tmp_path / "watched.yaml"
    path.write_text(CUSTOM)
    (found,) = upcoming(driftline, path, "-n", 1, "--from", "2024-06-08")
    assert found["signals"][0]["datasets"] == {  # type: ignore[index]
        "week": {"start": "2024-06-01T00:00:00Z", "end": "2024-06-08T00:00:00Z"},
        "hours": {"start": "2024-06-07T18:00:00Z", "end": "2024-06-08T00:00:00Z"},
        "train": None,
    }
    said = driftline("next", path, "-n", 1, "--from", "2024-06-08").stdout
    assert "week: 1 Jun 2024 to 8 Jun 2024" in said
    assert "hours: 7 Jun 2024 18:00 to 8 Jun 2024 00:00 UTC" in said
    assert "train: whole" in said


def test_times_that_fall_into_a_downtime_are_told_with_its_end(driftline: Driftline, tmp_path: Path) -> None:
    trigger = "{type: recurrence, frequency: hour, interval: 3, time_zone: Europe/Berlin}"
    path = written(tmp_path, trigger)
    pause = "create_monitor:\n  downtime: {start: 2026-12-01T04:00, hours: 4, every_days: 7}"
    path.write_text(path.read_text().replace("create_monitor:", pause))
    found = upcoming(driftline, path, "-n", 3, "--from", "2026-12-08T01:00")
    assert [(str(each["local_time"])[11:16], each["downtime_until"]) for each in found] == [
        ("03:00", None),
        ("06:00", "2026-12-08T07:00:00Z"),
        ("09:00", None),
    ]
    said = driftline("next", path, "-n", 3, "--from", "2026-12-08T01:00").stdout
    assert "downtime of 4 hours every 7 days from 1 Dec 2026 04:00 CET on" in said
    assert said.count("in downtime until 8 Dec 2026 08:00 CET") == 2, "once for each signal: their baselines differ"
