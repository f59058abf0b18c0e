"""The command line as people and orchestrators start it: in processes of its own, with a Spark of its own.

Each start takes its seconds, so one start is asked about everything that it can show.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyspark
import pytest

ROOT = Path(__file__).parent.parent.parent
DRIFTLINE = [sys.executable, "-m", "jobs.cli"]
SUBMIT = Path(pyspark.__file__).parent / "bin" / "spark-submit"
AT = "2024-03-02T03:15Z"

pytestmark = pytest.mark.spark


def started(
    words: list[str | Path], folder: Path, python_path: str | None = str(ROOT), **environment: str
) -> subprocess.Popen[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYSPARK_", "PYTHONPATH"))}
    own |= {"PYTHONPATH": python_path} if python_path else {}
    return subprocess.Popen(
        [str(word) for word in words],
        cwd=folder,
        env=own | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def done(
    words: list[str | Path], folder: Path, python_path: str | None = str(ROOT), **environment: str
) -> subprocess.CompletedProcess[str]:
    process = started(words, folder, python_path, **environment)
    out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def test_run_says_json_and_nothing_else_and_spark_is_not_heard(tiny: Path, tmp_path: Path) -> None:
    result = done([*DRIFTLINE, "run", tiny, "--at", AT, "--format", "json", "--fail-on-breach"], tmp_path)
    (found,) = json.loads(result.stdout)["evaluations"]
    assert found["run"]["rows_read"] > 0
    assert result.returncode == 10
    assert (tmp_path / ".driftline" / "store" / "signal_metrics").is_dir()
    steps = ["starting Spark", "reading production and baselines", "measuring", "writing results"]
    assert result.stderr.splitlines() == steps


def test_spark_that_does_not_start_is_one_clear_message(tiny: Path, tmp_path: Path) -> None:
    result = done([*DRIFTLINE, "run", tiny, "--at", AT], tmp_path, JAVA_HOME=str(tmp_path / "no-java"))
    assert result.returncode == 1
    assert "Spark did not start" in result.stderr
    assert "JAVA_HOME" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_interrupted_run_is_exit_130(tiny: Path, tmp_path: Path) -> None:
    process = started([*DRIFTLINE, "run", tiny, "--at", AT], tmp_path)
    assert process.stderr is not None
    assert process.stderr.readline() == "starting Spark\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in err


def test_a_run_may_use_a_spark_connect_server(connect_url: str, tiny: Path, tmp_path: Path) -> None:
    result = done([*DRIFTLINE, "run", tiny, "--at", AT, "--remote", connect_url], tmp_path)
    assert result.returncode == 0, result.stderr
    assert "1 of 2 checks breached" in result.stdout


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a cluster is sent: the zip and the two files to submit; nothing else of the checkout."""
    folder = tmp_path_factory.mktemp("shipped")
    make = ["make", "zip", f"DIST={folder}", f"PYTHON={sys.executable}"]
    subprocess.run(make, cwd=ROOT, check=True, capture_output=True)
    for name in ("run_monitor.py", "backfill.py"):
        shutil.copy(ROOT / "jobs" / name, folder)
    # Packages that are installed, but not driftline itself, whose editable install is a .pth file: -S reads none.
    packages = Path(pyspark.__file__).parent.parent
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="$PYTHONPATH:{packages}" exec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    return folder


def submit(shipped: Path, script: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    python = str(shipped / "python")
    spark = ["--master", "local[2]", "--conf", "spark.ui.enabled=false", "--py-files", shipped / "driftline.zip"]
    command = [SUBMIT, *spark, shipped / script, *words]
    return done(command, shipped, python_path=None, PYSPARK_PYTHON=python, PYSPARK_DRIVER_PYTHON=python)


def test_the_checkout_is_out_of_reach_of_what_is_submitted(shipped: Path) -> None:
    probe = [str(shipped / "python"), "-c", "import pyspark, jobs"]
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    result = subprocess.run(probe, cwd=shipped, env=own, capture_output=True, text=True, check=False)
    assert "No module named 'jobs'" in result.stderr


def test_spark_submit_evaluates_with_nothing_but_the_zip(shipped: Path, tiny: Path) -> None:
    result = submit(shipped, "run_monitor.py", "--monitor", tiny, "--at", AT, "--format", "json", "--fail-on-breach")
    assert result.returncode == 10, result.stderr
    (found,) = json.loads(result.stdout)["evaluations"]
    assert {row["group"]: row["status"] for row in found["rows"]} == {"amount": "breached", "colour": "ok"}


def test_spark_submit_backfills_with_nothing_but_the_zip(shipped: Path, tiny: Path) -> None:
    words = ["--from", "2024-03-02", "--to", "2024-03-04", "--store", shipped / "history"]
    result = submit(shipped, "backfill.py", "--monitor", tiny, *words)
    assert result.returncode == 0, result.stderr
    assert "2 windows" in result.stdout
