"""What is kept, as people ask for it: profiles that are listed, verified and pruned, bins anew, runs revised."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from deltalake import DeltaTable
from rich.console import Console
from typer.testing import Result

from engine.evaluations import Evaluation
from engine.results import AGGREGATE, CheckKey, Run, Status
from engine.revisions import Revision
from engine.store import Store
from engine.windows import Window
from jobs.evaluate import evaluate_monitors
from jobs.monitors import load_monitors
from jobs.profiles import DIFFERENT, list_profiles, verify_profiles
from jobs.rebin import rebin_monitors
from jobs.revised import MOST, revised_lines

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

AT = datetime(2024, 3, 2, 3, 15, tzinfo=UTC)


@pytest.fixture
def kept(spark: SparkSession, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """A store in which the tiny monitor was evaluated once."""
    uri = str(tmp_path / "store")
    evaluate_monitors(load_monitors([tiny]), AT, uri, lambda: spark)
    capsys.readouterr()
    return uri


def test_profiles_are_listed_by_dataset(kept: str, capsys: pytest.CaptureFixture[str]) -> None:
    list_profiles(kept)
    printed = capsys.readouterr().out
    assert "production.parquet" in printed
    assert "the whole dataset" in printed
    list_profiles(kept, as_json=True)
    found = {Path(row["source"]).name: row for row in json.loads(capsys.readouterr().out)}
    assert found["production.parquet"]["buckets"] == 1
    assert found["production.parquet"]["columns"] == found["baseline.parquet"]["columns"] > 0


def test_what_is_kept_is_verified_against_the_source(
    kept: str, spark: SparkSession, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monitors = load_monitors([tiny])
    assert verify_profiles(monitors, AT, AT + timedelta(seconds=1), kept, lambda: spark) == 0
    assert "agree" in capsys.readouterr().out
    forge(Store(kept))
    assert verify_profiles(monitors, AT, AT + timedelta(seconds=1), kept, lambda: spark) == DIFFERENT == 10
    printed = capsys.readouterr().out
    assert "differ" in printed
    assert "✗ amount" in printed


def forge(store: Store) -> None:
    """Let the store say that there were more amounts than there are."""
    listed = next(row for row in store.list_profiles().to_pylist() if row["buckets"])
    rows = DeltaTable(f"{store.uri}/bins").to_pyarrow_table(columns=["column", "bins_id"]).to_pylist()
    bins = store.find_bins([row["bins_id"] for row in rows])
    bucket = Window(listed["first"].astimezone(UTC), listed["last"].astimezone(UTC))
    wanted = [(row["column"], bins[row["bins_id"]]) for row in rows]
    found = store.load_profiles(listed["dataset"], wanted, [bucket], [AGGREGATE])
    amount = next(each for each in found.values() if each.column == "amount")
    store.save_profiles([replace(amount, profile=replace(amount.profile, rows=amount.profile.rows + 1))])


def test_old_profiles_are_pruned_and_whole_baselines_stay(kept: str, driftline: Callable[..., Result]) -> None:
    before = {row["source"]: row["profiles"] for row in Store(kept).list_profiles().to_pylist()}
    result = driftline("profiles", "prune", "--keep", "P30D", "--store", kept)
    assert result.exit_code == 0, result.output
    after = {row["source"]: row["profiles"] for row in Store(kept).list_profiles().to_pylist()}
    assert {Path(source).name for source in before} == {"production.parquet", "baseline.parquet"}
    assert {Path(source).name for source in after} == {"baseline.parquet"}


def test_a_retention_that_is_no_duration_is_told(driftline: Callable[..., Result], filled_store: str) -> None:
    result = driftline("profiles", "prune", "--keep", "a year", "--store", filled_store)
    assert result.exit_code == 2
    assert "'a year' is not an ISO-8601 duration" in result.output


def test_new_bins_are_told_column_by_column(
    kept: str, spark: SparkSession, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rebin_monitors(load_monitors([tiny]), AT, kept, lambda: spark) == 0
    printed = capsys.readouterr().out
    assert "amount" in printed
    assert "the same" in printed, "the baseline did not change, so its bins did not either"


# --------------------------------------------------------------------------------------------------------- revised


def evaluation(*revisions: Revision) -> Evaluation:
    run = Run(run_id="r", monitor="m", scheduled_for=AT, started_at=AT, finished_at=AT)
    return Evaluation(run, (), (), revisions)


def revision(name: str, before: float, after: float, status: Status = Status.OK, *, final: bool = False) -> Revision:
    return Revision(CheckKey("performance", "said", name), before, after, Status.OK, status, final)


def printed(*evaluations: Evaluation) -> str:
    console = Console(width=120, markup=False, highlight=False, record=True, file=StringIO())
    for line in revised_lines(evaluations, AT + timedelta(days=1)):
        console.print(line)
    return console.export_text()


def test_revised_runs_say_what_changed_and_a_changed_verdict_comes_first() -> None:
    text = printed(
        evaluation(revision("recall", 0.4, 0.5), revision("accuracy", 0.9, 0.6, Status.BREACHED, final=True))
    )
    assert "1 earlier run revised" in text
    first = next(line for line in text.splitlines() if line.strip().startswith("2 Mar"))
    assert "accuracy" in first
    assert "ok → breached · no longer provisional" in first


def test_many_changes_are_counted_and_none_is_said() -> None:
    assert "and 3 more checks" in printed(evaluation(*(revision(f"m{n}", 0, 1) for n in range(MOST + 3))))
    assert "every check as it was" in printed(evaluation())
    assert printed() == ""
