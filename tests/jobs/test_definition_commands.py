from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Driftline = Callable[..., Result]
ROOT = Path(__file__).parent.parent.parent


def test_good_definitions_are_exit_0_and_say_what_was_found(driftline: Driftline) -> None:
    result = driftline("validate", ROOT / "conf")
    assert result.exit_code == 0
    assert "every day at 03:15 UTC" in result.stdout
    assert "3 monitors, no problem" in result.stdout


def test_all_problems_of_all_files_are_told_at_once(driftline: Driftline, tiny: Path, tmp_path: Path) -> None:
    good = tiny.read_text()
    (tmp_path / "one.yaml").write_text(good.replace("population_stability_index", "population_stability_indx"))
    wrong = good.replace("name: tiny", "name: two").replace("frequency: day", "frequency: fortnight")
    (tmp_path / "two.yaml").write_text(wrong.replace("jensen_shannon_distance", "jensen_shanon_distance"))
    result = driftline("validate", tmp_path)
    assert result.exit_code == 2
    assert "3 problems in 2 files" in result.stdout
    assert "population_stability_index" in result.stdout  # did you mean
    assert "one.yaml:17: create_monitor.monitoring_signals.drift.metric_thresholds.numerical" in result.stdout
    assert "two.yaml:3: trigger.frequency" in result.stdout


def test_a_folder_without_monitors_is_exit_2(driftline: Driftline, tmp_path: Path) -> None:
    result = driftline("validate", tmp_path)
    assert result.exit_code == 2
    assert "no monitor here" in result.stdout


def test_a_file_that_is_not_there_is_exit_2(driftline: Driftline) -> None:
    result = driftline("validate", "nowhere.yaml")
    assert result.exit_code == 2
    assert "nowhere.yaml" in result.stdout


def test_the_schema_is_json_and_nothing_else(driftline: Driftline) -> None:
    result = driftline("schema")
    assert json.loads(result.stdout)["type"] == "object"
    assert result.stderr == ""


@pytest.mark.parametrize("words", [["run"], ["backfill", "--from", "2024-03-02", "--to", "2024-03-04"]])
def test_a_wrong_definition_is_exit_2_before_spark_is_started(
    driftline: Driftline, tiny: Path, tmp_path: Path, words: list[str]
) -> None:
    (tmp_path / "wrong.yaml").write_text(tiny.read_text().replace("frequency: day", "frequency: fortnight"))
    result = driftline(*words, tmp_path / "wrong.yaml", tiny)
    assert result.exit_code == 2
    assert "wrong.yaml:3: trigger.frequency" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["run", "TINY", "--at", "yesterday"], "ISO-8601"),
        (["run", "TINY", "--conf", "spark.driver.memory"], "KEY=VALUE"),
        (["run", "TINY", "--format", "xml"], "xml"),
        (["backfill", "TINY", "--from", "2024-03-02"], "--to"),
        (["evaluate"], "evaluate"),
    ],
)
def test_a_command_line_that_is_wrong_is_exit_2(driftline: Driftline, tiny: Path, words: list[str], hint: str) -> None:
    result = driftline(*(tiny if word == "TINY" else word for word in words))
    assert result.exit_code == 2
    assert hint in result.stderr


@pytest.mark.parametrize("command", ["validate", "schema", "run", "backfill", "results", "explain"])
def test_the_help_of_a_command_has_an_example(driftline: Driftline, command: str) -> None:
    assert f"Example: driftline {command}" in driftline(command, "--help").stdout
