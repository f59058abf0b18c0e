"""What `docs/deploy/` shows is right as far as can be told here: who reads each file reads it without complaint."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from server.secrets import VARIABLE
from server.settings import SMTP_PASSWORD, HttpKeys, read_settings

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "docs" / "deploy"
UNIT = (DEPLOY / "driftline.service").read_text(encoding="utf-8")
IMAGE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
CRONJOB: dict[str, Any] = yaml.safe_load((DEPLOY / "cronjob.yaml").read_text(encoding="utf-8"))


def options_of(*command: str) -> set[str]:
    """The options that the command line knows for a command."""
    from jobs.cli import app

    told = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    return set(re.findall(r"--[a-z-]+", told.output))


def options_in(words: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in words if word.startswith("--")}


def test_every_file_is_linked_from_the_page():
    page = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
    assert {path.name for path in DEPLOY.iterdir() if path.is_file()} == set(re.findall(r"\(deploy/([^)]+)\)", page))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_has_nothing_to_say_of_the_unit(tmp_path):
    # With a program that is there, since it looks for it.
    (tmp_path / "driftline.service").write_text(UNIT.replace("/opt/driftline/bin/driftline", "/bin/true"))
    words = ["systemd-analyze", "verify", "--man=no", str(tmp_path / "driftline.service")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ | {"LC_ALL": "C"})
    assert (done.returncode, [line for line in done.stderr.splitlines() if "driftline.service" in line]) == (0, [])


def test_the_unit_says_what_the_command_line_knows():
    (start,) = re.findall(r"^ExecStart=(.*)$", UNIT, re.MULTILINE)
    _, command, *words = shlex.split(start)
    assert options_in(words) <= options_of(command)


def test_the_image_copies_what_is_there_and_every_package():
    copied = {source for line in re.findall(r"^COPY (.*)$", IMAGE, re.MULTILINE) for source in line.split()[:-1]}
    assert all((ROOT / source).exists() for source in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert packages <= copied
    assert f":{HttpKeys().port}/healthz" in IMAGE


def test_compose_mounts_what_is_there_and_names_variables_that_are_read():
    server = COMPOSE["services"]["driftline"]
    assert (DEPLOY / server["build"]["context"] / server["build"]["dockerfile"]).exists()
    mounted = [volume.partition(":")[0] for volume in server["volumes"]]
    assert all((DEPLOY / place).exists() for place in mounted if place.startswith("."))
    assert {place for place in mounted if not place.startswith(".")} <= set(COMPOSE["volumes"])
    known = {VARIABLE, SMTP_PASSWORD, "DRIFTLINE_DATABASE", "DRIFTLINE_STORE", "PGPASSWORD"}
    assert set(server["environment"]) == known
    command, *words = server["command"]
    assert options_in(words) <= options_of(command)


def test_its_settings_are_read():
    keys = read_settings(DEPLOY / "server.yaml", {})
    assert keys.http is not None
    assert keys.http.host == "0.0.0.0"


def test_kubernetes_runs_a_monitor_that_is_there_when_it_is_due():
    job = CRONJOB["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = job["containers"]
    command, file, *words = container["args"]
    assert options_in(words) <= options_of(command)
    monitor = yaml.safe_load((ROOT / file.removeprefix("/etc/driftline/")).read_text(encoding="utf-8"))
    due = monitor["trigger"]["schedule"]
    minute, hour, *rest = CRONJOB["spec"]["schedule"].split()
    assert (int(hour), int(minute), rest) == (due["hours"], due["minutes"], ["*"] * 3)
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in job["volumes"]}


def test_airflow_submits_what_is_there():
    source = (DEPLOY / "airflow_dag.py").read_text(encoding="utf-8")
    texts = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    command = " ".join(text for text in texts if isinstance(text, str))
    assert "jobs/run_monitor.py" in command
    told = subprocess.run(
        [sys.executable, ROOT / "jobs" / "run_monitor.py", "--help"],
        capture_output=True, text=True, check=True, env=os.environ | {"COLUMNS": "200", "TERM": "dumb"},
    )  # fmt: skip
    known = set(re.findall(r"--[a-z-]+", told.stdout)) | {"--master", "--py-files", "--fail-on-breach"}
    assert set(re.findall(r"--[a-z-]+", command)) <= known
    (monitors,) = re.findall(r"^MONITORS = (.*)$", source, re.MULTILINE)
    assert all((ROOT / "conf" / "monitors" / f"{name}.yaml").exists() for name in ast.literal_eval(monitors))
