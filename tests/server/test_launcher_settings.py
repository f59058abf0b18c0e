"""Which words a run's process gets from `launcher`, and which settings cannot go together."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.errors import DefinitionError
from server.launcher import SparkLauncher
from server.queue import Task
from server.settings import read_settings
from tests.server.registered import NOW

TASK = Task(1, NOW, "churn", ("one", "two"), 1)


def command(launcher: SparkLauncher) -> list[str]:
    return launcher.command(TASK, [Path("one.yaml"), Path("two.yaml")])


def test_spark_submit_gets_master_mode_and_conf_and_the_driver_the_servers_python():
    conf = {"spark.executor.memory": "4g", "spark.pyspark.python": "/opt/python"}
    words = command(SparkLauncher("store", Path("logs"), "spark://a:7077", "client", conf=conf))
    assert words[1:5] == ["--name", "driftline churn", "--master", "spark://a:7077"]
    assert words[5:7] == ["--deploy-mode", "client"]
    assert [word for word in words if word.startswith("spark.")] == [
        f"spark.pyspark.driver.python={sys.executable}",
        "spark.executor.memory=4g",
        "spark.pyspark.python=/opt/python",
    ]
    assert words[-10:] == [
        *("--monitor", "one.yaml", "--monitor", "two.yaml"),
        *("--at", NOW.isoformat(), "--store", "store", "--format", "json"),
    ]


def test_a_driver_that_runs_elsewhere_has_a_python_of_its_own():
    words = command(SparkLauncher("store", Path("logs"), "yarn", "cluster"))
    assert not [word for word in words if word.startswith("spark.")]


def test_a_connect_server_needs_no_spark_submit():
    assert command(SparkLauncher("store", Path("logs"), remote="sc://a"))[0] == sys.executable


@pytest.mark.parametrize(
    ("launcher", "said"),
    [
        ("{remote: 'sc://a:15002', deploy_mode: client}", "cannot go with remote"),
        ("{remote: 'sc://a:15002', master: yarn}", "cannot go with remote"),
        ("{remote: 'sc://a:15002', conf: {spark.ui.enabled: 'false'}}", "cannot go with remote"),
        ("{master: 'spark://a:7077', deploy_mode: cluster}", "Spark runs no Python driver there"),
        ("{deploy_mode: cluster}", "cannot be cluster with local"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(tmp_path: Path, launcher: str, said: str):
    (tmp_path / "server.yaml").write_text(f"launcher: {launcher}\n")
    with pytest.raises(DefinitionError, match=said):
        read_settings(tmp_path / "server.yaml", {})
