"""What is not imported need not be waited for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PROBE = """
import sys
from jobs.cli import app
try:
    app(sys.argv[1:])
except SystemExit as end:
    assert end.code == 0, end.code
print("LOADED", *({"pyspark", "py4j", "scipy"} & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("words", "loaded"),
    [
        (["--help"], set()),
        (["run", "--help"], set()),
        (["validate", "conf"], {"scipy"}),  # the catalogue of metrics is its functions
        (["schema"], {"scipy"}),
        (["next", "conf/monitors/flights.yaml"], {"scipy"}),
        (["import", "azure", "conf/monitors/flights.yaml"], {"scipy"}),
        (["results", "--store", "STORE"], set()),
        (["explain", "flights", "--feature", "distance", "--store", "STORE"], set()),
        (["replay", "flights", "--set", "psi=0.3", "--budget", "1/month", "--store", "STORE"], {"scipy"}),
    ],
)
def test_a_command_without_spark_does_not_import_it(words: list[str], loaded: set[str], filled_store: str) -> None:
    words = [filled_store if word == "STORE" else word for word in words]
    done = subprocess.run([sys.executable, "-c", PROBE, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.splitlines()[-1].removeprefix("LOADED").split()) <= loaded
