"""Every row is read once: by runs that follow each other, by a backfill, by all segments, by all monitors."""

import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from engine.definitions import monitor_from
from engine.monitor import Monitor
from engine.rebinning import rebin
from engine.results import MetricRow, RunStatus, Status
from engine.run import Due, Evaluation, evaluate_together
from engine.store import Store
from engine.verifying import verify
from tests.engine.labs import Lab, by_name

START = datetime(2024, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS, PER_DAY = 14, 60
EVIDENCE_OF_THE_RUN = {"run_id", "evaluated_at"}


def at(number: int) -> datetime:
    """The scheduled time at which so many days are over."""
    return START + number * DAY


def day(number: int, rows: int = PER_DAY) -> pd.DataFrame:
    random = np.random.default_rng(number)
    return pd.DataFrame({
        "at": [at(number) + timedelta(minutes=int(minute)) for minute in sorted(random.integers(0, 1_440, rows))],
        "price": random.lognormal(3 + number / 20, 0.7, rows),
        "age": random.integers(18, 80, rows),
        "state": random.choice(["CA", "NY", "TX", "WA"], rows, p=[0.4, 0.3, 0.2, 0.1]),
    })  # fmt: skip


@pytest.fixture
def lab(spark, tmp_path) -> Lab:
    lab = Lab(spark, tmp_path)
    for number in range(DAYS):
        lab.write("inputs", day(number))
    return lab


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


def drift(lab: Lab, window: str = "P1D", baseline: dict[str, str] | None = None, **keys: Any) -> dict[str, Any]:
    """Drift of the three columns against the days before the window."""
    before = baseline or {"lookback_window_size": "P3D", "lookback_window_offset": window}
    own = {"lookback_window_size": window, "lookback_window_offset": "P0D"}
    return {
        "type": "data_drift",
        "production_data": lab.data("inputs", own, timestamp="at"),
        "reference_data": lab.data("inputs", before, timestamp="at"),
        "features": ["price", "age", "state"],
        "metric_thresholds": {
            "numerical": {"normalized_wasserstein_distance": 0.3, "psi": 0.2},
            "categorical": {"psi": 0.2},
        },
        **keys,
    }


def run(
    lab: Lab, monitors: Monitor | list[Monitor], times: list[datetime], store: Store | None = None, **how: Any
) -> list[list[Evaluation]]:
    every = monitors if isinstance(monitors, list) else [monitors]
    return evaluate_together(lab.spark, [Due(each, tuple(times)) for each in every], store=store, **how)


def said(rows: tuple[MetricRow, ...], *ignore: str) -> dict[tuple, dict[str, Any]]:
    """Everything that rows say, but for the run that says so; floats to the last bit."""
    left_out = EVIDENCE_OF_THE_RUN | {*ignore}
    fields = [name for name in MetricRow.__dataclass_fields__ if name not in left_out]
    return {
        (row.signal, row.group, row.metric_name, row.scheduled_for): {name: getattr(row, name) for name in fields}
        for row in rows
    }


# ------------------------------------------------------------------------------------------------ one run, the next


def test_a_run_reads_the_new_day_only(lab, store):
    monitor = lab.monitor(drift=drift(lab, "P5D", {"lookback_window_size": "P5D", "lookback_window_offset": "P5D"}))
    first, second = (run(lab, monitor, [at(number)], store)[0][0] for number in (12, 13))
    assert first.run.rows_read == 10 * PER_DAY + 5 * PER_DAY  # the baseline's days twice: bins are fitted first
    assert second.run.rows_read == PER_DAY
    assert said(second.rows) == said(run(lab, monitor, [at(13)], store)[0][0].rows)
    assert run(lab, monitor, [at(13)], store)[0][0].run.rows_read == 0


def test_what_is_kept_gives_the_same_numbers_as_reading_again(lab, store):
    monitor = lab.monitor(drift=drift(lab, "P3D"))
    for number in range(8, 12):
        run(lab, monitor, [at(number)], store)
    kept = run(lab, monitor, [at(12)], store)[0][0]
    again = run(lab, monitor, [at(12)], store, refresh=True)[0][0]
    assert kept.run.rows_read == PER_DAY
    assert again.run.rows_read == 6 * PER_DAY
    assert said(kept.rows) == said(again.rows)


def test_a_file_that_is_written_again_is_read_again_and_no_other(lab, store):
    monitor = lab.monitor(drift=drift(lab, "P3D"))
    run(lab, monitor, [at(12)], store)
    late = pd.concat([day(10), day(10, 30)])
    pq.write_table(pq.read_table(lab.folder / "inputs" / "part-10.parquet").from_pandas(late, preserve_index=False),
                   lab.folder / "inputs" / "part-10.parquet")  # fmt: skip
    found = run(lab, monitor, [at(12)], store)[0][0]
    assert found.run.rows_read == PER_DAY + 30
    assert by_name(found)["drift", "price", "population_stability_index"].row_count == 3 * PER_DAY + 30


def test_a_new_column_is_counted_without_the_others_being_lost(lab, store):
    narrow = lab.monitor(drift=drift(lab, features=["price"]))
    wide = lab.monitor(drift=drift(lab))
    run(lab, narrow, [at(12)], store)
    found = run(lab, wide, [at(12)], store)[0][0]
    assert said(found.rows, "config_hash") == said(run(lab, wide, [at(12)])[0][0].rows, "config_hash")


def test_days_that_are_gone_from_the_source_count_as_they_were_kept(lab, store):
    monitor = lab.monitor(drift=drift(lab, "P1D"))
    before = run(lab, monitor, [at(12)], store)[0][0]
    (lab.folder / "inputs" / "part-9.parquet").unlink()
    after = run(lab, monitor, [at(12)], store)[0][0]
    ignored = ("reason",)
    assert said(after.rows, *ignored) == said(before.rows, *ignored)
    assert all("no longer in the source" in (row.reason or "") for row in after.rows)
    assert any("no longer in the source" in note for note in after.run.notes)
    for refresh in (True, False):  # once it counts as empty, it does so from then on
        refreshed = run(lab, monitor, [at(12)], store, refresh=refresh)[0][0]
        row = by_name(refreshed)["drift", "price", "population_stability_index"]
        assert (row.baseline_row_count, row.reason) == (2 * PER_DAY, None)


# -------------------------------------------------------------------------------------------------------- backfill


@pytest.mark.parametrize("window", ["P1D", "P4D"])
def test_a_backfill_is_one_scan_and_equals_runs_one_by_one_to_the_last_bit(lab, tmp_path, window):
    monitor, times = lab.monitor(drift=drift(lab, window)), [at(number) for number in range(9, DAYS + 1)]
    together = run(lab, monitor, times, Store(tmp_path / "together"))[0]
    one_by_one = [run(lab, monitor, [time], Store(tmp_path / "apart"))[0][0] for time in times]
    for backfilled, alone in zip(together, one_by_one, strict=True):
        assert said(backfilled.rows) == said(alone.rows)
    days_needed = {number for number in range(DAYS) if at(number) >= times[0] - int(window[1]) * DAY - 3 * DAY}
    assert together[0].run.rows_read == (len(days_needed) + 3) * PER_DAY  # the first baseline twice, for its bins


def test_bins_stay_when_the_baseline_moves_until_they_are_made_anew(lab, store):
    monitor = lab.monitor(drift=drift(lab))
    bins = [
        {row.group: row.details["bins_id"] for row in run(lab, monitor, [at(number)], store)[0][0].rows}
        for number in (9, 13)
    ]
    assert bins[0] == bins[1]
    (made,), errors = rebin(lab.spark, monitor, at(13), store)
    assert errors == []
    after = run(lab, monitor, [at(13)], store)[0][0]
    assert {row.group: row.details["bins_id"] for row in after.rows} == {
        name: each.id for name, each in made.after.items()
    }
    assert made.before["price"].id != made.after["price"].id
    assert store.find_bins([made.before["price"].id]), "what was counted before stays readable"


# -------------------------------------------------------------------------------------------------------- segments


def in_state(lab: Lab, name: str, *filters: dict[str, Any], **keys: Any) -> Monitor:
    return lab.monitor(name, drift=drift(lab, "P2D", filters=list(filters), **keys))


CA = {"feature": "state", "operator": "equals", "value": "CA"}
OLD = {"feature": "age", "operator": "greater_than_or_equal", "value": 50}


def test_monitors_of_many_segments_read_the_data_once(lab, store):
    filters = {"ca": [CA], "old": [OLD], "old-in-ca": [CA, OLD], "all": []}
    monitors = [
        in_state(lab, name, *own) if own else lab.monitor(name, drift=drift(lab, "P2D"))
        for name, own in filters.items()
    ]
    # Bins are those of all rows, so they are frozen first: then both sides compare in the same.
    run(lab, monitors[-1], [at(9)], store)
    found = dict(zip(filters, (own[0] for own in run(lab, monitors, [at(13)], store)), strict=True))
    assert {each.run.rows_read for each in found.values()} == {5 * PER_DAY}
    masks = {
        "ca": lambda rows: rows["state"] == "CA",
        "old": lambda rows: rows["age"] >= 50,
        "old-in-ca": lambda rows: (rows["state"] == "CA") & (rows["age"] >= 50),
        "all": lambda rows: rows["age"] > 0,
    }
    for name, mask in masks.items():
        window = pd.concat([day(11), day(12)])
        row = by_name(found[name])["drift", "price", "population_stability_index"]
        assert row.row_count == mask(window).sum()
    names = {name: {row.group_dimension for row in each.rows} for name, each in found.items()}
    assert names == {
        "ca": {'state = "CA"'}, "old": {"age >= 50"}, "old-in-ca": {'age >= 50 and state = "CA"'}, "all": {"aggregate"},
    }  # fmt: skip


def test_a_segment_s_numbers_are_those_of_its_rows_alone(lab, store, tmp_path):
    """Against a dataset that holds only these rows, compared in the very same bins."""
    keys = {"binning": {"method": "edges", "edges": [10, 20, 40, 80]}, "features": ["price"]}
    monitor = in_state(lab, "ca", CA, **keys)
    alone = Lab(lab.spark, tmp_path / "alone")
    for number in range(DAYS):
        rows = day(number)
        alone.write("inputs", rows[rows["state"] == "CA"])
    psi = ("drift", "price", "population_stability_index")
    mine = by_name(run(lab, monitor, [at(13)], store)[0][0])[psi]
    theirs = by_name(run(alone, alone.monitor(drift=drift(alone, "P2D", **keys)), [at(13)])[0][0])[psi]
    assert mine.metric_value == pytest.approx(theirs.metric_value, abs=1e-12)
    assert mine.metric_value == pytest.approx(psi_of_prices(range(11, 13), range(8, 11)), abs=1e-12)
    assert (mine.row_count, mine.baseline_row_count) == (theirs.row_count, theirs.baseline_row_count)


def psi_of_prices(window: range, baseline: range) -> float:
    """The PSI of the prices of California from raw rows, as metrics.md has it: the bins, and one of nulls."""
    shares = []
    for days in (window, baseline):
        rows = pd.concat([day(number) for number in days])
        prices = rows.loc[rows["state"] == "CA", "price"]
        counts = np.array([*np.histogram(prices, [-np.inf, 10, 20, 40, 80, np.inf])[0], prices.isna().sum()])
        shares.append((counts + 0.5) / (len(prices) + len(counts) / 2))
    now, before = shares
    return float(np.sum((now - before) * np.log(now / before)))


def test_an_empty_segment_has_no_data_and_a_wrong_filter_is_an_error_of_its_monitor_only(lab, store):
    nobody = in_state(lab, "nobody", {"feature": "state", "operator": "equals", "value": "ZZ"})
    misspelt = in_state(lab, "misspelt", {"feature": "stat", "operator": "equals", "value": "CA"})
    wrong = in_state(lab, "wrong", {"feature": "state", "operator": "greater_than", "value": 3})
    fine = in_state(lab, "fine", CA)
    found = [each[0] for each in run(lab, [nobody, misspelt, wrong, fine], [at(13)], store)]
    assert {row.status for row in found[0].rows} == {Status.NO_DATA}
    assert [each.run.status for each in found[1:3]] == [RunStatus.FAILED] * 2
    assert "did you mean 'state'" in (found[1].run.error or "")
    assert "'state'" in (found[2].run.error or "")
    assert {row.status for row in found[1].rows} == {Status.ERROR}
    assert {row.status for row in found[3].rows} <= {Status.OK, Status.BREACHED}


# -------------------------------------------------------------------------------------------------------- monitors


def test_monitors_that_are_due_together_share_one_scan(lab, store):
    monitors = [lab.monitor(f"monitor-{number}", drift=drift(lab)) for number in range(5)]
    alone = run(lab, monitors[0], [at(12)])[0][0]
    found = [each[0] for each in run(lab, monitors, [at(12)], store)]
    assert {each.run.rows_read for each in found} == {alone.run.rows_read}
    assert {each.run.spark_jobs for each in found} == {alone.run.spark_jobs}
    for each in found:
        assert said(each.rows, "monitor", "config_hash") == said(alone.rows, "monitor", "config_hash")
        assert any("with 4 other runs" in note for note in each.run.notes)


def test_a_monitor_whose_data_cannot_be_read_takes_no_other_along(lab, store):
    lost = lab.monitor("lost", drift=drift(lab) | {"production_data": lab.data("nowhere", {
        "lookback_window_size": "P1D", "lookback_window_offset": "P0D"}, timestamp="at")})  # fmt: skip
    fine = lab.monitor("fine", drift=drift(lab))
    (failed,), (found,) = run(lab, [lost, fine], [at(12)], store)
    assert failed.run.status is RunStatus.FAILED
    assert "nowhere" in (failed.run.error or "")
    assert found.errors == ()
    assert {row["monitor"]: row["status"] for row in store.read_runs().to_pylist()} == {
        "lost": "failed", "fine": "completed",
    }  # fmt: skip


def test_monitors_of_different_steps_over_the_same_data_agree_with_themselves(lab, store):
    daily = lab.monitor("daily", drift=drift(lab))
    hourly = monitor_from(
        {
            "name": "hourly",
            "trigger": {"type": "recurrence", "frequency": "hour", "interval": 6},
            "create_monitor": {"monitoring_signals": {"drift": drift(lab, "PT6H")}},
        },
        lab.folder,
    )
    both = [each[0] for each in run(lab, [daily, hourly], [at(12)], store)]
    for monitor, found in zip((daily, hourly), both, strict=True):
        alone = run(lab, monitor, [at(12)], store, refresh=True)[0][0]
        for name, row in by_name(alone).items():
            assert by_name(found)[name].metric_value == pytest.approx(row.metric_value, rel=1e-12)


# ---------------------------------------------------------------------------------------------------- verification


def test_kept_profiles_can_be_verified(lab, store):
    monitor = lab.monitor(drift=drift(lab))
    run(lab, monitor, [at(12)], store)
    (before,), _ = verify(lab.spark, monitor, [at(12)], store)
    assert before.agreed == 4 * 4  # three columns and the timeline, one day and three before
    assert before.different == ()
    path = lab.folder / "inputs" / "part-11.parquet"
    stamp, size = path.stat().st_mtime_ns, path.stat().st_size
    rows = pq.read_table(path)
    swapped = rows.set_column(1, "price", rows["price"].combine_chunks().take(list(reversed(range(PER_DAY)))))
    assert verify(lab.spark, monitor, [at(12)], store)[0][0].different == ()
    shutil.copy(path, path.with_suffix(".bak"))
    pq.write_table(swapped.slice(0, PER_DAY), path)
    path.with_suffix(".bak").unlink()
    (changed,), _ = verify(lab.spark, monitor, [at(12)], store)
    assert (path.stat().st_mtime_ns, path.stat().st_size) != (stamp, size)
    assert changed.unkept == 4, "another state of the source is not what was kept"
