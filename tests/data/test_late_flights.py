"""A late batch of actuals: the labels of an old day arrive, and that day's run is another, and no other."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from engine.monitor import Monitor
from engine.results import MetricRow
from engine.run import Due, Evaluation, evaluate_together
from engine.store import Store

ROOT = Path(__file__).parents[2]
LATE_DAY = datetime(2013, 6, 28, tzinfo=UTC)
SCHEDULED = [LATE_DAY + timedelta(days=number, hours=3, minutes=15) for number in range(1, 4)]
AFTER = SCHEDULED[-1] + timedelta(days=1)


@pytest.fixture
def monitor(tmp_path: Path) -> Monitor:
    """The flights, with two thirds of one day's labels not there yet."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    flights = tmp_path / "data" / "flights"
    flights.mkdir(parents=True)
    for name in ("baseline", "inputs", "outputs"):
        (flights / name).symlink_to(ROOT / "data" / "flights" / name)
    (flights / "actuals").mkdir()
    for month in ("2013-06", "2013-07"):
        table = pq.read_table(ROOT / "data" / "flights" / "actuals" / f"{month}.parquet")
        late = pc.is_in(table["correlation_id"], late_ids())
        pq.write_table(table.filter(pc.invert(late)), flights / "actuals" / f"{month}.parquet")
    return Monitor.from_yaml(tmp_path / "conf" / "monitors" / "flights.yaml")


def late_ids() -> pa.Array:
    """The correlation ids of two flights of three of the day."""
    day = pq.ParquetFile(ROOT / "data" / "flights" / "inputs" / f"date={LATE_DAY:%Y-%m-%d}" / "part-0.parquet")
    ids = day.read(["correlation_id"])["correlation_id"].combine_chunks()
    return ids.filter(pa.array([place % 3 > 0 for place in range(len(ids))]))


def deliver_late_batch(folder: Path) -> None:
    tables = [
        pq.read_table(ROOT / "data" / "flights" / "actuals" / f"{month}.parquet") for month in ("2013-06", "2013-07")
    ]
    every = pa.concat_tables(tables)
    pq.write_table(every.filter(pc.is_in(every["correlation_id"], late_ids())), folder / "late.parquet")


def answers(evaluation: Evaluation) -> dict[tuple[str, str, str], tuple[float | None, str, str | None]]:
    def answer(row: MetricRow) -> tuple[float | None, str, str | None]:
        return row.metric_value, row.status.value, row.reason

    return {(row.signal, row.group, row.metric_name): answer(row) for row in evaluation.rows}


def test_a_late_batch_of_actuals_changes_its_day_and_nothing_else(spark, monitor, tmp_path):
    store = Store(tmp_path / "store")
    (before,) = evaluate_together(spark, [Due(monitor, tuple(SCHEDULED))], store=store)
    stored = store.read_metrics(monitor="flights").to_pandas()
    deliver_late_batch(tmp_path / "data" / "flights" / "actuals")
    (found,) = evaluate_together(spark, [Due(monitor, (AFTER,))], store=store, revise=True)
    assert [(each.run.scheduled_for, each.run.attempt) for each in found] == [(SCHEDULED[0], 2), (AFTER, 1)]

    revised, was = found[0], answers(before[0])
    changed = {check for check, answer in answers(revised).items() if answer != was[check]}
    assert {signal for signal, _, _ in changed} == {"performance", "minutes_late"}
    coverage = ("performance", "predicted_late", "ground_truth_coverage")
    labelled, labelled_now = was[coverage][0], answers(revised)[coverage][0]
    assert labelled is not None
    assert labelled_now is not None
    assert labelled < 0.4 < 0.8 < labelled_now
    accuracy = ("performance", "predicted_late", "accuracy")
    assert "min_coverage" in (was[accuracy][2] or "")
    assert answers(revised)[accuracy][2] is None, "it is no longer provisional"
    assert {change.check[:3] for change in revised.revisions or ()} == changed  # all rows, in one segment
    assert any(change.final for change in revised.revisions or ())

    (fresh,) = evaluate_together(spark, [Due(monitor, tuple(SCHEDULED))])
    assert answers(revised) == answers(fresh[0])
    others = store.read_metrics(monitor="flights").to_pandas()
    for time in SCHEDULED[1:]:
        one, other = (rows[rows["scheduled_for"] == time].reset_index(drop=True) for rows in (stored, others))
        pd.testing.assert_frame_equal(one, other)
