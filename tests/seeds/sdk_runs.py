"""Runs Azure's Python SDK in a process of its own and hands over what it wrote."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[2]
SNIPPETS = Path(__file__).parent / "snippets"


@cache
def words() -> dict[str, dict[str, list[str] | None]]:
    """Every key of Azure's schedules by its schema, with the words it allows where they are few."""
    return json.loads(_run("words"))


@cache
def zones() -> list[str]:
    """Every time zone that a trigger of Azure's may have."""
    return json.loads(_run("zones"))


@cache
def dumped(snippet: str) -> str:
    """The YAML that the SDK writes for a snippet of ours, by its name without suffix."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "dumped.yaml")
        _run("dump", SNIPPETS / f"{snippet}.sdk", file)
        return file.read_text(encoding="utf-8")


def _run(*arguments: Any) -> str:
    quiet = {"AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED": "false", "AZURE_CORE_COLLECT_TELEMETRY": "false"}
    command = [sys.executable, "-m", "tests.seeds.azure_sdk", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | quiet, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
