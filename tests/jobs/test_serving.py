"""`driftline serve` as a process: it starts, answers, and stops when it is told; or says why it cannot start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.conftest import free_port

ROOT = Path(__file__).parents[2]


def serve(folder: Path, settings: str, **variables: str) -> subprocess.Popen[str]:
    (folder / "server.yaml").write_text(settings)
    words = [sys.executable, "-m", "jobs.cli", "serve", "--settings", "server.yaml"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.Popen(
        words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_it_answers_until_it_is_told_to_stop(tmp_path, host):
    if host == "::1" and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    port = free_port()
    process = serve(tmp_path, f"http: {{host: '{host}', port: {port}}}\nlog: json\npoll: 0.1\n")
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    try:
        wait_until_ready(url, process)
        assert httpx.get(f"{url}/metrics").status_code == 401
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    lines = [json.loads(line) for line in said.splitlines()]  # nothing but JSON
    assert {line["level"] for line in lines} == {"info"}
    assert lines[0]["message"].startswith("driftline serves")


def test_where_it_cannot_listen_it_does_not_start(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = serve(tmp_path, f"http: {{port: {port}}}\n")
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.splitlines()[-1] == f"error http: 127.0.0.1:{port} cannot be listened at: Address already in use"


@pytest.mark.parametrize(("key", "code"), [("store", 4), ("state", 1), ("database", 5)])
def test_where_it_cannot_write_it_does_not_start(tmp_path, key, code):
    process = serve(tmp_path, f"{key}: /proc/nowhere/{key}\nhttp: null\n")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert said.startswith("error ")
    assert "cannot be made: " in said


def test_that_there_is_no_java_is_said_at_the_start(tmp_path):
    process = serve(tmp_path, "http: null\npoll: 0.1\n", JAVA_HOME=str(tmp_path / "none"))
    assert process.stdout
    first, serves = process.stdout.readline(), process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert "no run can be started: " in first
    assert "install Java 17 or later" in first
    assert "driftline serves" in serves  # all the same
    assert process.returncode == 0


def wait_until_ready(url: str, process: subprocess.Popen[str]) -> None:
    for _ in range(600):
        assert process.poll() is None, process.communicate()[0]
        try:
            if httpx.get(f"{url}/readyz", timeout=1).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError("it was not ready within a minute")
