from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Driftline = Callable[..., Result]


def test_results_are_a_table_without_being_asked(driftline: Driftline, filled_store: str) -> None:
    result = driftline("results", "--store", filled_store)
    assert result.exit_code == 0
    assert "population_stability_index" in result.stdout
    assert "> 0.1" in result.stdout
    assert "no data: the window is empty" in result.stdout


def test_what_all_rows_share_is_said_once_above_the_table(driftline: Driftline, filled_store: str) -> None:
    result = driftline("results", "--store", filled_store, "--feature", "distance", "--signal", "drift")
    heading, header, *rows = result.stdout.splitlines()
    assert heading == "flights · drift · distance · population_stability_index"
    assert "scheduled (UTC)" in header
    assert "metric" not in header
    assert [row.split()[0] for row in rows] == ["2013-07-02", "2013-07-01", "2013-06-30"]


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ([], 12),
        (["--breached"], 6),
        (["--all"], 12),
        (["--monitor", "flights"], 12),
        (["--monitor", "other"], 0),
        (["--signal", "quality"], 3),
        (["--group", "carrier"], 3),
        (["--metric", "null_value_rate"], 3),
        (["--metric", "NullValueRate"], 3),
        (["--from", "2013-07-02"], 4),
        (["--to", "2013-07-01T03:15Z"], 4),
        (["--from", "2013-07-01T03:15Z", "--to", "2013-07-02T03:15Z"], 4),
        (["--status", "no_data"], 3),
        (["--limit", "5"], 5),
    ],
)
def test_results_are_what_was_asked_for(driftline: Driftline, filled_store: str, words: list[str], count: int) -> None:
    result = driftline("results", "--store", filled_store, "--format", "json", *words)
    assert len(json.loads(result.stdout)) == count


def test_json_has_the_columns_of_the_table_with_details_opened(driftline: Driftline, filled_store: str) -> None:
    words = ("--format", "json", "--feature", "distance", "--metric", "null_value_rate", "--limit", 1)
    (row,) = json.loads(driftline("results", "--store", filled_store, *words).stdout)
    assert row["scheduled_for"] == "2013-07-02T03:15:00Z"
    assert row["details"]["nulls"] == 617
    assert row["breached"] is True


def test_csv_is_one_line_per_row_under_a_header(driftline: Driftline, filled_store: str) -> None:
    text = driftline("results", "--store", filled_store, "--format", "csv", "--feature", "distance").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 6
    assert json.loads(rows[0]["details"])["edges"] == [10, 20]
    assert rows[0]["metric_value"] == "0.4"


def test_a_table_that_is_cut_says_so_beside_the_results(driftline: Driftline, filled_store: str) -> None:
    result = driftline("results", "--store", filled_store, "--limit", 2)
    assert "the newest 2 rows" in result.stderr
    assert "newest" not in result.stdout


def test_the_store_may_come_from_the_environment(
    driftline: Driftline, filled_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTLINE_STORE", filled_store)
    assert len(json.loads(driftline("results", "--format", "json").stdout)) == 12


def test_a_store_without_results_is_exit_4_and_says_what_to_do(driftline: Driftline) -> None:
    result = driftline("results")
    assert result.exit_code == 4
    assert result.stdout == ""
    assert "driftline run" in result.stderr
    assert ".driftline/store" in result.stderr


def test_a_store_that_is_a_file_is_exit_4(driftline: Driftline, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("not a store")
    assert driftline("results", "--store", tmp_path / "store").exit_code == 4
