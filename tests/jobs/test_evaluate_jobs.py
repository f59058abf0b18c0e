"""Evaluating through the jobs, with the tests' own session: what is printed, and how each command ends."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engine.errors import DataError, DefinitionError, StoreError
from jobs.evaluate import evaluate_monitors
from jobs.exits import BREACHED
from jobs.history import backfill_monitors
from jobs.monitors import load_monitors

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

AT = datetime(2024, 3, 2, 3, 15, tzinfo=UTC)


@pytest.fixture
def evaluate(spark: SparkSession, tmp_path: Path) -> Any:
    def run(*paths: Path, at: datetime | None = AT, store: str | None = None, **options: bool) -> int:
        return evaluate_monitors(load_monitors(paths), at, store or str(tmp_path / "store"), lambda: spark, **options)

    return run


@pytest.fixture
def damaged(tiny: Path, tmp_path: Path) -> Path:
    """The monitor `damaged`, whose production file is no Parquet."""
    folder = tmp_path / "damaged"
    shutil.copytree(tiny.parent, folder)
    (folder / "production.parquet").write_bytes(b"PAR1 and then nothing PAR1")
    (folder / "tiny.yaml").write_text(tiny.read_text().replace("name: tiny", "name: damaged"))
    return folder / "tiny.yaml"


def test_a_breach_is_a_result_and_not_an_error(evaluate: Any, tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(tiny) == 0
    printed = capsys.readouterr()
    assert "1 of 2 checks breached" in printed.out.splitlines()[0]
    assert "reading production" in printed.err


def test_with_the_flag_a_breach_is_exit_10(evaluate: Any, tiny: Path) -> None:
    assert evaluate(tiny, fail_on_breach=True) == BREACHED == 10


def test_with_the_flag_a_calm_run_is_exit_0(evaluate: Any, tiny: Path) -> None:
    assert evaluate(tiny, at=datetime(2030, 1, 1, tzinfo=UTC), fail_on_breach=True) == 0


def test_json_is_the_run_and_its_rows(evaluate: Any, tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(tiny, as_json=True)
    (found,) = json.loads(capsys.readouterr().out)["evaluations"]
    assert found["run"]["monitor"] == "tiny"
    assert found["run"]["event"]["data"]["RunStatus"] == "Failed", "there is a breach"
    assert found["errors"] == []
    amount = next(row for row in found["rows"] if row["group"] == "amount")
    assert amount["breached_since"] == "2024-03-02T03:15:00Z"
    assert amount["details"]["contributions"]


def test_a_breach_that_goes_on_says_since_when(evaluate: Any, tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(tiny)
    evaluate(tiny, at=datetime(2024, 3, 3, 3, 15, tzinfo=UTC))
    second = capsys.readouterr().out.split("tiny · 3 Mar")[1]
    assert "2 Mar" in next(line for line in second.splitlines() if "✗ amount" in line)


def test_a_file_that_cannot_be_read_is_exit_3_and_is_named(
    evaluate: Any, damaged: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(damaged, fail_on_breach=True) == DataError.exit_code == 3
    assert "production.parquet" in capsys.readouterr().err


def test_one_monitors_broken_data_do_not_keep_the_others_from_being_evaluated(
    evaluate: Any, damaged: Path, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(damaged, tiny) == 3
    printed = capsys.readouterr()
    assert "tiny · 2 Mar 2024 03:15 UTC · 1 of 2 checks breached" in printed.out
    assert "production.parquet" in printed.err


def test_a_store_out_of_reach_is_told_before_any_work(
    evaluate: Any, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError):
        evaluate(tiny, store=str(tmp_path / "file"))
    assert capsys.readouterr().err == ""


def test_without_a_time_the_latest_due_one_is_evaluated(
    evaluate: Any, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = datetime.now(UTC)
    evaluate(tiny, at=None, as_json=True)
    (found,) = json.loads(capsys.readouterr().out)["evaluations"]
    scheduled = datetime.fromisoformat(found["run"]["scheduled_for"])
    assert (scheduled.hour, scheduled.minute) == (3, 15)
    assert 0 < (before - scheduled).total_seconds() <= 86_400


def test_a_time_that_is_not_due_is_evaluated_and_said(
    evaluate: Any, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(tiny, at=datetime(2024, 3, 2, 4, tzinfo=UTC)) == 0
    assert "tiny is not due at 2 Mar 2024 04:00 UTC" in capsys.readouterr().err


# ---------------------------------------------------------------------------------------------------- backfilling


@pytest.fixture
def backfill(spark: SparkSession, tmp_path: Path) -> Any:
    def run(path: Path, start: datetime, end: datetime, **options: bool) -> int:
        return backfill_monitors(load_monitors([path]), start, end, str(tmp_path / "store"), lambda: spark, **options)

    return run


FIRST, LAST = datetime(2024, 3, 2, tzinfo=UTC), datetime(2024, 3, 4, tzinfo=UTC)


def test_a_backfill_evaluates_every_due_window_of_a_half_open_range(
    backfill: Any, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backfill(tiny, FIRST.replace(hour=3, minute=15), LAST.replace(hour=3, minute=15), as_json=True) == 0
    (found,) = json.loads(capsys.readouterr().out)["backfills"]
    times = [evaluation["run"]["scheduled_for"] for evaluation in found["evaluations"]]
    assert times == ["2024-03-02T03:15:00Z", "2024-03-03T03:15:00Z"]
    assert [len(evaluation["breaches"]) for evaluation in found["evaluations"]] == [1, 1]


def test_a_backfill_ends_with_a_summary(backfill: Any, tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert backfill(tiny, FIRST, LAST) == 0
    text = capsys.readouterr().out
    assert "2 windows · 2 of 4 checks breached" in text
    assert "amount drift population_stability_index" in text


def test_a_range_without_a_due_time_is_a_definition_error(backfill: Any, tiny: Path) -> None:
    with pytest.raises(DefinitionError, match="never due"):
        backfill(tiny, FIRST, FIRST.replace(hour=1))
