"""What is written is what is read: once, whole, and by the right name."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import StoreError
from engine.results import CheckKey, MetricRow, RunStatus, Status
from engine.store import Store
from engine.tables import RUNS, SIGNAL_METRICS
from tests.engine.store_samples import START, a_row, a_run, breach, day, no_data


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def versions(store: Store) -> dict[str, int]:
    return {name: DeltaTable(f"{store.uri}/{name}").version() for name in ("signal_metrics", "runs")}


def groups(store: Store, **filters: Any) -> list[str]:
    return store.read_metrics(columns=["group"], **filters)["group"].to_pylist()


# ------------------------------------------------------------------------------------------------ round trips


def test_a_row_is_read_as_it_was_written(store: Store) -> None:
    run = a_run()
    row = breach(
        run,
        baseline_start=day(-60),
        baseline_end=day(-30),
        reason="provisional: 40 % labelled",
        baseline_row_count=50_000,
        p_value=0.001,
        q_value=0.01,
        expected_p95=0.03,
        interval_low=0.1,
        interval_high=0.3,
        details={"contributions": [["[0, 1)", np.float64(0.5)]], "cells": np.int64(7), "ü": np.arange(2)},
    )
    store.write([run], [row])
    table = store.read_metrics()
    (read,) = table.to_pylist()
    details = json.loads(read.pop("details"))
    assert details == {"contributions": [["[0, 1)", 0.5]], "cells": 7, "ü": [0, 1]}
    assert read == {name: getattr(row, name) for name in SIGNAL_METRICS.schema.names if name != "details"}
    assert table.schema.equals(SIGNAL_METRICS.schema, check_metadata=True)


def test_a_run_is_read_as_it_was_written(store: Store) -> None:
    run = a_run(
        window_start=day(-1),
        window_end=day(0),
        rows_read=900,
        spark_jobs=6,
        cpu_seconds=1.5,
        wall_seconds=0.9,
        fingerprints={"inputs": "abc"},
        notes=("left out nested column x", "timestamp ts read as epoch milliseconds"),
    )
    store.write([run], [])
    (read,) = store.read_runs().to_pylist()
    assert json.loads(read.pop("fingerprints")) == {"inputs": "abc"}
    assert json.loads(read.pop("notes")) == list(run.notes)
    assert read == {name: getattr(run, name) for name in RUNS.schema.names if name not in {"fingerprints", "notes"}}


def test_a_time_in_another_zone_is_the_same_moment(store: Store) -> None:
    tokyo = timezone(timedelta(hours=9))
    run = a_run(at=START.astimezone(tokyo))
    store.write([run], [a_row(run)])
    store.write([a_run()], [a_row(a_run(), "again")])
    assert groups(store, start=START.astimezone(tokyo), end=day(1)) == ["again"]


@pytest.mark.parametrize("microsecond", [1, 123, 123_456, 999_999])
def test_two_runs_a_microsecond_apart_are_two_runs(store: Store, microsecond: int) -> None:
    times = [START.replace(microsecond=microsecond), START.replace(microsecond=microsecond - 1)]
    for _ in range(2):
        for at in times:
            run = a_run(at=at)
            store.write([run], [a_row(run, str(at.microsecond))])
    assert groups(store) == [str(microsecond), str(microsecond - 1)]


ODD = [
    "it's", 'a "b"', "a/b\\c", "漢字 ü", "a=b%20c", "..", "new\nline", "{x}*?:<>|", " ", "NULL", "%",
    "__HIVE_DEFAULT_PARTITION__", "x' OR 'a'='a", "-- x", "emoji 🛫", "A", "a",
]  # fmt: skip


def test_a_name_is_never_anything_but_a_name(store: Store) -> None:
    for _ in range(2):  # the second time replaces
        for name in ODD:
            run = a_run(name)
            store.write([run], [a_row(run, name, signal=name, metric_name=name)])
    assert sorted(groups(store)) == sorted(ODD)
    for name in ODD:
        assert groups(store, monitor=name) == [name]
        assert groups(store, signal=name, group=name, metric=name) == [name]
        assert store.read_runs(monitor=name).num_rows == 1


@pytest.mark.parametrize("name", ["", "x" * 248, "漢" * 40])
def test_a_monitor_that_no_folder_can_be_named_after_is_refused(store: Store, name: str) -> None:
    with pytest.raises(StoreError, match="cannot name a folder"):
        store.write([a_run(name)], [])


def test_a_monitor_may_have_as_long_a_name_as_azure_allows(store: Store) -> None:
    store.write([a_run("x" * 240)], [])
    assert store.read_runs(monitor="x" * 240).num_rows == 1


# ------------------------------------------------------------------------------------------------ replacement


def test_a_run_that_is_written_again_takes_the_place_of_its_rows_and_of_no_others(store: Store) -> None:
    first, second, other = a_run(), a_run(at=day(1)), a_run("other")
    store.write([first, second, other], [a_row(run, "old") for run in (first, second, other) for _ in range(3)])
    again = a_run(run_id="again", attempt=2)
    store.write([again], [a_row(again, "new")])
    assert sorted(groups(store)) == ["new"] + ["old"] * 6
    assert store.read_runs(start=START, end=day(1), monitor="flights")["run_id"].to_pylist() == ["again"]
    assert store.read_runs().num_rows == 3


def test_a_run_without_rows_leaves_none(store: Store) -> None:
    run = a_run()
    store.write([run], [a_row(run)])
    store.write([a_run(status=RunStatus.FAILED, error="the disk is gone")], [])
    assert groups(store) == []
    assert store.read_runs()["error"].to_pylist() == ["the disk is gone"]


def test_a_backfill_of_many_runs_is_one_commit_per_table(store: Store) -> None:
    store.write([a_run(at=day(-1))], [])
    before = versions(store)
    runs = [a_run(monitor, day(number)) for monitor in ("one", "two") for number in range(365)]
    store.write(runs, [a_row(run, group) for run in runs for group in ("x", "y")])
    assert versions(store) == {name: version + 1 for name, version in before.items()}
    assert store.read_metrics(monitor="one").num_rows == store.read_metrics(monitor="two").num_rows == 730
    store.write(runs[::2], [a_row(run, "z") for run in runs[::2]])
    assert versions(store) == {name: version + 2 for name, version in before.items()}
    assert store.read_metrics(group="z").num_rows == 365
    assert store.read_metrics(group="x").num_rows == 365


def test_nothing_to_write_is_no_commit(store: Store) -> None:
    store.write([a_run()], [])
    before = versions(store)
    store.write([], [])
    assert versions(store) == before


def test_many_commits_are_read_through_checkpoints(store: Store) -> None:
    for number in range(45):
        run = a_run(at=day(number))
        store.write([run], [a_row(run)])
    assert store.read_metrics().num_rows == 45
    assert (Path(store.uri) / "signal_metrics" / "_delta_log" / "_last_checkpoint").exists()


def test_no_file_s_statistics_hold_more_than_readers_skip_by(store: Store) -> None:
    run = a_run()
    store.write([run], [a_row(run, details={"x": "y" * 10_000})])
    log = sorted((Path(store.uri) / "signal_metrics" / "_delta_log").glob("*.json"))[-1].read_text()
    assert len(log) < 4000
    assert "minValues" in log


# --------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), np.float64("nan"), np.float32("inf")])
@pytest.mark.parametrize("name", ["metric_value", "threshold_value", "p_value", "interval_high"])
def test_a_number_that_is_not_finite_never_reaches_the_table(name: str, number: float) -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        a_row(a_run(), **cast("Any", {name: number}))


def test_evidence_that_is_not_finite_never_reaches_the_table(store: Store) -> None:
    run = a_run()
    for details in ({"x": float("nan")}, {"x": [np.float64("inf")]}, {"x": np.array([np.nan])}):
        with pytest.raises(ValueError, match="not JSON compliant"):
            store.write([run], [a_row(run, details=details)])
    assert not Path(store.uri).exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"breached": True},
        {"status": Status.BREACHED},
        {"status": Status.BREACHED, "breached": None},
        {"status": Status.ERROR},
        {"metric_value": None},
        {"metric_value": None, "breached": None, "status": Status.UNDEFINED},
        {"metric_value": None, "reason": "none"},
    ],
)
def test_a_row_that_contradicts_itself_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"breached|reason"):
        a_row(a_run(), **fields)


@pytest.mark.parametrize("fields", [{"error": "x"}, {"status": RunStatus.FAILED}])
def test_a_run_failed_where_it_has_an_error(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="error"):
        a_run(**fields)


def test_a_metric_without_threshold_is_recorded_and_not_judged() -> None:
    row = a_row(a_run(), threshold_value=None, operator=None, breached=None)
    assert (row.status, row.breached) == (Status.OK, None)


def test_rows_of_another_run_are_a_bug(store: Store) -> None:
    run = a_run()
    for stranger in (a_run("other"), a_run(at=day(1)), a_run(run_id="other")):
        with pytest.raises(ValueError, match="no run that is written"):
            store.write([run], [a_row(stranger)])
    with pytest.raises(ValueError, match="two runs have the same"):
        store.write([run, a_run(run_id="other")], [])


def test_a_time_without_a_zone_is_a_bug(store: Store) -> None:
    run = a_run(at=datetime(2013, 7, 2))  # noqa: DTZ001 - that is the bug
    with pytest.raises(ValueError, match="no time zone"):
        store.write([run], [])
    store.write([a_run()], [])
    with pytest.raises(ValueError, match="no time zone"):
        store.read_runs(start=datetime(2013, 7, 2))  # noqa: DTZ001


# ---------------------------------------------------------------------------------------------------- reading


@pytest.fixture
def full(store: Store) -> Store:
    runs = [a_run(monitor, day(number)) for monitor in ("one", "two") for number in range(3)]
    rows = [a_row(run, "a", signal="quality", metric_name="null_value_rate") for run in runs]
    rows += [breach(run, "b") for run in runs] + [no_data(run, "c") for run in runs]
    store.write(runs, rows)
    return store


@pytest.mark.parametrize(
    ("filters", "rows"),
    [
        ({}, 18),
        ({"monitor": "one"}, 9),
        ({"signal": "quality"}, 6),
        ({"metric": "null_value_rate"}, 6),
        ({"group": "c"}, 6),
        ({"breached": True}, 6),
        ({"breached": False}, 6),
        ({"status": "no_data"}, 6),
        ({"status": Status.NO_DATA}, 6),
        ({"start": day(1)}, 12),
        ({"end": day(1)}, 6),
        ({"start": day(1), "end": day(2)}, 6),
        ({"monitor": "two", "breached": True, "start": day(2)}, 1),
        ({"monitor": "three"}, 0),
        ({"limit": 5}, 5),
        ({"limit": 0}, 0),
        ({"limit": 100}, 18),
    ],
)
def test_filters_hold_together(full: Store, filters: dict[str, Any], rows: int) -> None:
    assert len(groups(full, **filters)) == rows


def test_the_newest_come_first_and_the_rest_is_in_order(full: Store) -> None:
    read = full.read_metrics(columns=["scheduled_for", "monitor", "signal", "group"]).to_pylist()
    keys = [(-row["scheduled_for"].timestamp(), row["monitor"], row["signal"], row["group"]) for row in read]
    assert keys == sorted(keys)
    newest = full.read_metrics(limit=6, columns=["scheduled_for"])["scheduled_for"].to_pylist()
    assert set(newest) == {day(2)}


def test_columns_come_in_the_order_asked_for(full: Store) -> None:
    columns = ["metric_value", "group", "breached"]
    table = full.read_metrics(columns=columns)
    assert table.schema == pa.schema([SIGNAL_METRICS.schema.field(name) for name in columns])


def test_runs_are_filtered_too(full: Store) -> None:
    assert full.read_runs(monitor="one", start=day(1)).num_rows == 2
    assert full.read_runs(status="completed", limit=4)["scheduled_for"].to_pylist() == [day(2)] * 2 + [day(1)] * 2
    assert full.read_runs(status=RunStatus.FAILED).num_rows == 0


# -------------------------------------------------------------------------------------------------- since when


def write_chain(store: Store, verdicts: str) -> None:
    """B: breached, o: ok, -: no data, and a space: not evaluated; one a day."""
    make = {"B": breach, "o": a_row, "-": no_data}
    runs = [(a_run(at=day(number)), verdict) for number, verdict in enumerate(verdicts) if verdict != " "]
    store.write([run for run, _ in runs], [make[verdict](run) for run, verdict in runs])


@pytest.mark.parametrize(
    ("verdicts", "since"),
    [("BBB", 0), ("oBB", 1), ("BoB", 2), ("BBo", None), ("oB-B", 1), ("oB--", 1), ("o B B", 2), ("---", None)],
)
def test_a_breach_is_as_old_as_its_unbroken_chain(store: Store, verdicts: str, since: int | None) -> None:
    write_chain(store, verdicts)
    found = store.breached_since("flights", day(len(verdicts)))
    assert list(found.values()) == ([] if since is None else [day(since)])


def test_a_chain_is_of_the_time_before(store: Store) -> None:
    write_chain(store, "oBBoB")
    key = CheckKey("drift", "distance", "jensen_shannon_distance")
    assert store.breached_since("flights", day(3)) == {key: day(1)}
    assert store.breached_since("flights", day(1)) == {}
    assert store.breached_since("another", day(3)) == {}


def test_nothing_has_breached_in_a_store_that_is_not_there(store: Store) -> None:
    assert store.breached_since("flights", START) == {}


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("chains") / "store")


HISTORY = st.lists(st.lists(st.sampled_from("Bo-"), min_size=3, max_size=3), min_size=1, max_size=8)


@given(history=HISTORY)
def test_chains_are_what_walking_through_them_finds(chains: Store, history: list[list[str]]) -> None:
    make = {"B": breach, "o": a_row, "-": no_data}
    clean = [a_run(at=day(number)) for number in range(8)]
    rows: list[MetricRow] = []
    walked: dict[str, datetime] = {}
    for run, verdicts in zip(clean, history, strict=False):
        for group, verdict in zip("abc", verdicts, strict=True):
            rows.append(make[verdict](run, group))
            if verdict == "B":
                walked.setdefault(group, run.scheduled_for)
            elif verdict == "o":
                walked.pop(group, None)
    chains.write(clean, rows)
    found = chains.breached_since("flights", day(8))
    assert {key.group: since for key, since in found.items()} == walked
