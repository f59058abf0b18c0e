"""Secrets are where they are needed, and nowhere else."""

from __future__ import annotations

import time
from pathlib import Path

from server.launcher import OWN_SECRETS
from server.queue import Task
from tests.server.conftest import NOW
from tests.server.second_scheduler import ScriptLauncher


def test_a_run_inherits_no_secret_of_the_servers(tmp_path, monkeypatch):
    for name in (*OWN_SECRETS, "AWS_SECRET_ACCESS_KEY", "COMPONENT_TOKEN"):
        monkeypatch.setenv(name, "CANARY")
    script = "import os; print('\\n'.join(sorted(name for name, it in os.environ.items() if it == 'CANARY')))"
    launched = ScriptLauncher("", tmp_path, script=script).start(Task(1, NOW, None, ("m",), 1), [])
    while launched.poll() is None:
        time.sleep(0.01)
    # What reads the data and writes the results it does need.
    assert Path(launched.log).read_text().split() == ["AWS_SECRET_ACCESS_KEY", "COMPONENT_TOKEN"]
