"""A Spark process without memory, one that hangs, one that is killed: what is said of it, and that the next works."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from engine.errors import StoreError
from server.endings import reason_of
from server.launcher import SparkLauncher
from server.policies import Policy, Retries
from server.queue import State
from tests.figures import figure
from tests.server.evaluating import PATIENCE, QUICK_JAVA, QUIET, evaluating
from tests.tiny import AT, write_tiny

pytestmark = pytest.mark.spark

LAUNCHING = Path(__file__).with_name("launching.py")
NAUGHTY = """
import os
import signal
import time
from pathlib import Path


def rows(data_window_start, data_window_end, input_data, spark):
    how = Path(os.environ["HOW"])
    match how.read_text():
        case "eats":
            spark.range(4).selectExpr("size(sequence(0L, 400000000L + id))").collect()
        case "hangs":
            how.write_text("hanging")
            time.sleep(1000)
        case "is killed":
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(1000)
    return spark.read.parquet(input_data).where(f"event_time between '{data_window_start}' and '{data_window_end}'")
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A monitor with a component that does what the file `how` says."""
    file, production = write_tiny(tmp_path), "data_context: model_inputs"
    (tmp_path / "components").mkdir()
    (tmp_path / "components" / "naughty.py").write_text(NAUGHTY)
    text = file.read_text().replace(production, f"{production}\n        pre_processing_component: naughty:rows")
    file.write_text(text)
    return file


def processes_of(file: Path) -> dict[int, str]:
    """Names of whatever evaluates a monitor's file."""
    everything = psutil.process_iter(["name", "cmdline"])
    return {
        each.pid: each.info["name"].rstrip("0123456789.")
        for each in everything
        if str(file) in (each.info["cmdline"] or ())
    }


@pytest.mark.reliability
def test_a_run_that_eats_hangs_or_is_killed_says_so_leaves_nothing_and_its_next_try_works(
    tmp_path: Path, file: Path
) -> None:
    how = tmp_path / "how"
    launcher = SparkLauncher(
        str(tmp_path / "store"),
        tmp_path / "logs",
        "local[2]",
        # As many who run Spark have it; its exit code is then 3, which is also that of data that cannot be read.
        conf=QUIET
        | {"spark.driver.memory": "512m", "spark.driver.extraJavaOptions": f"{QUICK_JAVA} -XX:+ExitOnOutOfMemoryError"},
        environment={"HOW": str(how)},
    )
    hour = timedelta(hours=1)
    one = evaluating(tmp_path, file, launcher, Policy(time_limit=hour, retries=Retries(9, timedelta(0), timedelta(0))))
    said = list[str]()

    how.write_text("eats")
    record = one.attempt(1)
    assert (record.attempt, record.exit_code) == (2, 3)
    said.append(record.error or "")
    assert said[-1].startswith("Spark ran out of memory (3); give it more: launcher.conf: {spark.driver.memory: 4g}")

    how.write_text("hangs")
    one.until(lambda _each: how.read_text() == "hanging")
    processes = processes_of(file)
    assert {"java", "python"} <= {*processes.values()}
    one.ahead = 60
    record = one.attempt(2)
    assert (record.attempt, record.exit_code) == (3, None)
    said.append(record.error or "")
    assert said[-1] == "ended after its time limit of 1:00:00"
    assert not any(psutil.pid_exists(pid) for pid in processes)

    how.write_text("is killed")
    record = one.attempt(3)
    assert (record.attempt, record.exit_code) == (4, 137)
    said.append(record.error or "")
    assert said[-1].startswith("it was killed (137): most often because the machine had no memory left; give it more")
    with pytest.raises(StoreError, match="no results"):
        one.store.read_metrics()
    assert one.ended == []  # a failure is told after the last try

    how.write_text("works")
    record = one.attempt(4)
    assert (record.state, record.attempt) == (State.DONE, 4)
    assert one.store.read_runs(monitor="tiny").column("scheduled_for").to_pylist() == [AT]
    assert one.store.read_metrics(breached=True).column("group").to_pylist() == ["amount"]
    assert one.ended == [None]
    figure(
        "A Spark process runs out of memory (512 MB), one hangs, one is killed (SIGKILL)",
        "; ".join(each.splitlines()[0].split(";")[0] for each in said) + "; the fourth try works, one set of rows",
    )
    one.database.close()


@pytest.mark.reliability
def test_nothing_of_a_killed_schedulers_runs_is_left_be_they_by_spark_submit_or_through_connect(
    tmp_path: Path, file: Path
) -> None:
    how = tmp_path / "how"
    how.write_text("hangs")
    path = os.pathsep.join(each for each in sys.path if each)
    with socket.create_server(("127.0.0.1", 0)) as silent, (tmp_path / "log").open("wb") as log:
        words = [sys.executable, LAUNCHING, file, tmp_path, f"sc://127.0.0.1:{silent.getsockname()[1]}"]
        scheduler = subprocess.Popen(
            [*map(str, words)], stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": path}, start_new_session=True
        )
        until = time.monotonic() + PATIENCE
        while how.read_text() != "hanging":
            assert scheduler.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < until
            time.sleep(0.1)
        going = sorted(processes_of(file).values())
        scheduler.kill()
        killed = time.monotonic()
        scheduler.wait()
        while processes_of(file):
            assert time.monotonic() < until
            time.sleep(0.1)
        gone = time.monotonic() - killed
    # The scheduler, a guard and a Python of each run, and the JVM of the one by spark-submit.
    assert going == ["java"] + ["python"] * 5
    figure(
        "A scheduler is killed (SIGKILL) while it runs Spark by spark-submit and through a Connect server",
        f"its {len(going) - 1} other processes were gone after {gone:.1f} s",
    )


@pytest.mark.parametrize(
    ("code", "output"),
    [
        (52, "26/11/26 17:07:04 ERROR SparkUncaughtExceptionHandler\njava.lang.OutOfMemoryError: Java heap space"),
        (1, "driftline has met a bug: Py4JJavaError: java.lang.OutOfMemoryError: GC overhead limit exceeded"),
        (143, "Container killed by YARN for exceeding physical memory limits"),
    ],
)
def test_whatever_its_code_a_process_without_memory_says_what_to_do(code: int, output: str) -> None:
    assert reason_of(code, output).startswith(f"Spark ran out of memory ({code}); give it more")
