"""A run that could read nothing is remembered as failed, and the next one starts clean."""

import numpy as np
import pyarrow as pa
import pytest

from engine.errors import DataError
from engine.results import RunStatus, Status
from engine.store import Store
from tests.engine.labs import NOW, Lab

DAY = {"lookback_window_size": "P1D", "lookback_window_offset": "P0D"}


def table() -> pa.Table:
    at = np.datetime64("2024-03-09T00:00", "us") + np.arange(100).astype("timedelta64[m]")
    return pa.table({"at": pa.array(at, pa.timestamp("us", "UTC")), "x": np.arange(100.0)})


@pytest.mark.parametrize("broken", ["inputs", "baseline"])
def test_a_run_that_could_read_nothing_leaves_a_failed_record_and_rows_that_say_why(spark, tmp_path, broken):
    lab, store = Lab(spark, tmp_path), Store(tmp_path / "store")
    for name in ("inputs", "baseline"):
        lab.write(name, table())
    data = {"production_data": lab.data("inputs", DAY, timestamp="at"), "reference_data": lab.data("baseline")}
    monitor = lab.monitor(drift={"type": "data_drift", **data, "metric_thresholds": {"numerical": {"psi": 0.1}}})
    file = next((tmp_path / broken).iterdir())
    sound = file.read_bytes()
    file.write_bytes(b"no Parquet")

    with pytest.raises(DataError, match=file.name):
        lab.evaluate(monitor, store=store)
    (run,) = store.read_runs().to_pylist()
    assert run["status"] == RunStatus.FAILED
    assert file.name in run["error"]
    rows = store.read_metrics().to_pylist()
    assert [row["status"] for row in rows] == [Status.ERROR]
    assert file.name in rows[0]["reason"]

    file.write_bytes(sound)
    lab.evaluate(monitor, NOW, store=store)
    (run,) = store.read_runs().to_pylist()
    assert (run["status"], run["attempt"], run["error"]) == (RunStatus.COMPLETED, 2, None)
    assert [row["status"] for row in store.read_metrics().to_pylist()] == [Status.OK]
