"""What every test may ask for: a Spark session, a Spark Connect server, and the same Hypothesis everywhere.

`pytest -m "not spark"` runs what needs no JVM and answers in seconds.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# The executors run this interpreter, whatever `python3` is on the PATH. Loopback, because a laptop's host
# name often resolves to an address that is gone since the last coffee.
os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"

# No deadline: the first example of a test pays for its imports. In CI the examples are always the same, so
# that a red build is red because of its change; at home they are new each time, and find more.
settings.register_profile("driftline", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "driftline")

SPARK_FIXTURES = {"spark", "connect_url"}


@pytest.hookimpl(tryfirst=True)  # before pytest reads `-m`
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that needs a JVM, directly or through another fixture."""
    for item in items:
        if SPARK_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.spark)


def spark_conf(folder: Path) -> dict[str, str]:
    """The settings of both sessions: small, quiet, strict, and the same on every machine.

    Two shuffle partitions and no adaptive execution, so that merging is always exercised and the number of
    jobs that a test counts does not depend on the data's size.
    """
    return {
        "spark.master": "local[2]",
        "spark.driver.memory": "2g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.python.worker.reuse": "true",
        "spark.local.dir": str(folder / "scratch"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
    }


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The classic session of the whole test run; starts with the first test that asks for it."""
    from pyspark.sql import SparkSession

    conf = spark_conf(tmp_path_factory.mktemp("spark"))
    session = SparkSession.builder.appName("driftline tests").config(map={**conf}).getOrCreate()
    yield session
    session.stop()


# A classic driver that also answers as a Spark Connect server (the plugin is in pyspark's own jars, nothing
# is downloaded). It says when it is ready, and ends with its standard input: however pytest ends, so does it.
CONNECT_SERVER = """
import json, sys
from pyspark.sql import SparkSession
SparkSession.builder.config(map=json.loads(sys.argv[1])).getOrCreate()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="session")
def connect_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Spark Connect server on loopback, for a client in another process.

    Another process, because pyspark decides once per process whether `pyspark.sql.functions` builds classic
    or remote columns, and the `spark` fixture has made it classic. See tests/test_spark_sessions.py.
    """
    folder = tmp_path_factory.mktemp("connect")
    port = free_port()
    conf = spark_conf(folder) | {
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
    }
    log = folder / "server.log"
    with log.open("wb") as stderr:
        server = subprocess.Popen(
            [sys.executable, "-c", CONNECT_SERVER, json.dumps(conf)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd=folder,
            env={name: value for name, value in os.environ.items() if not name.startswith("PYSPARK_GATEWAY")},
        )
    with server:  # leaving closes both pipes, then waits for the end
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n", log.read_text()
        yield f"sc://127.0.0.1:{port}"


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
