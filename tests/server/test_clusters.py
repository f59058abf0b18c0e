"""Runs on a standalone cluster and through a Connect server, both real, come to the same as runs on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyspark
import pytest

from engine import Monitor
from engine.run import Due, evaluate_together
from engine.store import Store
from server.launcher import SparkLauncher
from server.queue import State
from tests.conftest import free_port
from tests.server.evaluating import PATIENCE, QUICK_JAVA, QUIET, evaluating
from tests.tiny import AT, write_tiny

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

SPARK = Path(pyspark.__file__).parent
LOOPBACK = ("--host", "127.0.0.1", "--webui-port", "0")
COMPONENT = """
def rows(data_window_start, data_window_end, input_data, spark):
    found = spark.read.parquet(input_data).where(f"event_time between '{data_window_start}' and '{data_window_end}'")
    return found.mapInPandas(lambda parts: parts, found.schema)  # by Python workers
"""


@contextmanager
def going(log: Path, ready: str, *words: str | Path, **environment: str) -> Generator[None]:
    """A process of Spark's, as soon as it has said so, and nothing of this checkout; it ends with its children."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHONPATH", "PYSPARK_"))}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*map(str, words)],
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            env=own
            | environment
            | {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "512m", "SPARK_DAEMON_JAVA_OPTS": QUICK_JAVA},
            start_new_session=True,
        )
    try:
        until = time.monotonic() + PATIENCE
        while ready not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def workers_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the packages, and not driftline, whose editable install is a .pth file: -S reads none."""
    python = tmp_path_factory.mktemp("python") / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="$PYTHONPATH:{SPARK.parent}" exec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    return python


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A monitor whose rows go through Python workers."""
    file = write_tiny(tmp_path)
    (tmp_path / "components").mkdir()
    (tmp_path / "components" / "own.py").write_text(COMPONENT)
    production = "data_context: model_inputs"
    file.write_text(file.read_text().replace(production, f"{production}\n        pre_processing_component: own:rows"))
    return file


def results(store: Store) -> list[dict[str, Any]]:
    """What was measured, but for when."""
    own = {"evaluated_at", "run_id"}
    found = store.read_metrics().to_pylist()
    return [{name: value for name, value in row.items() if name not in own} for row in found]


def assert_same_as_here(spark: SparkSession, folder: Path, file: Path, launcher: SparkLauncher) -> None:
    """One scheduler evaluates the monitor by that launcher; this process does so by its own session."""
    one = evaluating(folder, file, launcher)
    record = one.attempt(1)
    assert record.state == State.DONE, record.error
    assert record.log is not None
    here = Store(str(folder / "here"))
    evaluate_together(spark, [Due(Monitor.from_yaml(file), (AT,))], store=here, now=AT)
    assert results(one.store) == results(here)
    assert len(results(here)) == 2
    one.database.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A standalone cluster: a master, and a worker with one core."""
    folder, port = tmp_path_factory.mktemp("cluster"), free_port()
    url, start = f"spark://127.0.0.1:{port}", (SPARK / "bin" / "spark-class",)
    master = (*start, "org.apache.spark.deploy.master.Master", *LOOPBACK, "--port", str(port))
    worker = (*start, "org.apache.spark.deploy.worker.Worker", *LOOPBACK, "-c", "1", "-m", "1g", "-d", folder, url)
    with (
        going(folder / "master.log", "I have been elected leader", *master),
        going(folder / "worker.log", "Successfully registered with master", *worker),
    ):
        yield url


def test_a_run_on_a_standalone_cluster_comes_to_the_same(spark, tmp_path, file, cluster, workers_python):
    conf = QUIET | {"spark.executor.memory": "512m", "spark.pyspark.python": str(workers_python)}
    launcher = SparkLauncher(str(tmp_path / "store"), tmp_path / "logs", cluster, "client", conf=conf)
    assert_same_as_here(spark, tmp_path, file, launcher)


def test_a_run_through_a_connect_server_comes_to_the_same(spark, tmp_path, file, workers_python):
    port = str(free_port())
    conf = QUIET | {"spark.connect.grpc.binding.address": "127.0.0.1", "spark.connect.grpc.binding.port": port}
    options = [word for name, value in conf.items() for word in ("--conf", f"{name}={value}")]
    server = "org.apache.spark.sql.connect.service.SparkConnectServer"
    words = (SPARK / "bin" / "spark-submit", "--master", "local[1]", *options, "--class", server, "spark-internal")
    with going(tmp_path / "server.log", "Spark Connect server started", *words, PYSPARK_PYTHON=str(workers_python)):
        launcher = SparkLauncher(str(tmp_path / "store"), tmp_path / "logs", remote=f"sc://127.0.0.1:{port}")
        assert_same_as_here(spark, tmp_path, file, launcher)
