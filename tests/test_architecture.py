"""What the packages promise each other, where import-linter cannot see it: clock, purity, packaging, size.

The direction of imports itself is in pyproject.toml, `[tool.importlinter]`.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = [name for name in ("signals", "engine", "server", "jobs") if (ROOT / name).is_dir()]

# Whatever reads one of these gives another result tomorrow. time.perf_counter and time.process_time measure
# how long something took, which decides nothing: they are fine everywhere.
CLOCKS = {
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "pandas.Timestamp.now",
    "pandas.Timestamp.today",
    "pandas.Timestamp.utcnow",
    "pyspark.sql.functions.curdate",
    "pyspark.sql.functions.current_date",
    "pyspark.sql.functions.current_timestamp",
    "pyspark.sql.functions.localtimestamp",
    "pyspark.sql.functions.now",
    "time.ctime",
    "time.gmtime",
    "time.localtime",
    "time.time",
    "time.time_ns",
}


def modules(*packages: str) -> list[Path]:
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(source: str) -> dict[str, str]:
    """What each imported name stands for: `import pandas as pd` gives {"pd": "pandas"}."""
    names: dict[str, str] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def imported_packages(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports(path.read_text()).values()}


def clocks(source: str) -> list[str]:
    """Every use of a clock, called or handed on (`default_factory=datetime.now`)."""
    names = imports(source)
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute | ast.Name):
            first, dot, rest = ast.unparse(node).partition(".")
            clock = names.get(first, "") + dot + rest
            if clock in CLOCKS:
                found.append(f"line {node.lineno}: {clock}")
    return found


@pytest.mark.parametrize("path", modules("signals", "engine"), ids=named)
def test_only_jobs_read_the_clock(path: Path) -> None:
    assert clocks(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\ndatetime.now()",
        "import datetime as dt\ndt.datetime.now(dt.UTC)",
        "import datetime\ndatetime.date.today()",
        "from time import time as clock\nclock()",
        "import pandas as pd\npd.Timestamp.now()",
        "from pyspark.sql import functions as F\nF.current_timestamp()",
        "from datetime import datetime\nfrom dataclasses import field\nfield(default_factory=datetime.now)",
    ],
)
def test_a_clock_is_recognized_however_it_is_imported(source: str) -> None:
    assert len(clocks(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.perf_counter() + time.process_time()",
        "from datetime import datetime\ndatetime.fromisoformat('2013-07-02')",
        "window.now()",
    ],
)
def test_durations_and_given_times_are_no_clock(source: str) -> None:
    assert clocks(source) == []


@pytest.mark.parametrize("path", modules("signals"), ids=named)
def test_signals_stand_on_numpy_scipy_and_arrow_alone(path: Path) -> None:
    assert imported_packages(path) - sys.stdlib_module_names <= {"signals", "numpy", "scipy", "pyarrow"}


def test_signals_load_neither_spark_nor_pandas() -> None:
    """A worker that imports the kernel pays for nothing else; proved in a fresh interpreter."""
    probe = """
import importlib, pkgutil, signals, sys
for module in pkgutil.walk_packages(signals.__path__, "signals."):
    importlib.import_module(module.name)
print(*{"pyspark", "py4j", "pandas"} & set(sys.modules))
"""
    loaded = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_no_job_is_named_like_something_we_import() -> None:
    """`spark-submit jobs/x.py` puts jobs/ first on sys.path: a jobs/rich.py would be everyone's rich."""
    taken = set(sys.stdlib_module_names).union(*(imported_packages(path) for path in modules(*PACKAGES)))
    assert taken.isdisjoint(path.stem for path in modules("jobs"))


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_tells_its_types_and_obeys_the_import_rules(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()
    assert package in PROJECT["tool"]["importlinter"]["root_packages"]


@pytest.mark.parametrize("path", modules(*PACKAGES), ids=named)
def test_a_module_is_small_enough_to_hold_in_the_head(path: Path) -> None:
    """Most are 60 to 150 lines. At 400 the file has outgrown its name: the second word is the next file."""
    assert len(path.read_text().splitlines()) <= 400


def pins(lock: str) -> dict[str, str]:
    """What a lock installs on this Python and platform: version by distribution."""
    lines = (ROOT / "requirements" / f"{lock}.txt").read_text().splitlines()
    pinned = [Requirement(line) for line in lines if not line.lstrip().startswith("#")]
    return {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin in pinned
        if pin.marker is None or pin.marker.evaluate()
    }


@pytest.mark.parametrize(("lock", "extra"), [("runtime", None), ("dev", "dev"), ("dev", "server"), ("bench", "bench")])
def test_a_lock_pins_everything_that_is_asked_for(lock: str, extra: str | None) -> None:
    """If this fails, run `make lock`."""
    project = PROJECT["project"]
    asked = project["dependencies"] + (project["optional-dependencies"][extra] if extra else [])
    for requirement in map(Requirement, asked):
        assert pins(lock)[canonicalize_name(requirement.name)] in requirement.specifier


@pytest.mark.parametrize(("lock", "other"), [("runtime", "dev"), ("runtime", "bench"), ("dev", "bench")])
def test_locks_agree_so_that_they_can_share_an_environment(lock: str, other: str) -> None:
    one, two = pins(lock), pins(other)
    assert {name: (one[name], two[name]) for name in one.keys() & two.keys() if one[name] != two[name]} == {}


def test_the_zip_for_executors_holds_every_module_and_nothing_stale(tmp_path: Path) -> None:
    make = ["make", "zip", f"DIST={tmp_path}", f"PYTHON={sys.executable}"]
    subprocess.run(make, cwd=ROOT, check=True, capture_output=True)
    names = zipfile.ZipFile(tmp_path / "driftline.zip").namelist()
    assert {named(path) for path in modules(*PACKAGES)} <= set(names)
    assert not [name for name in names if name.endswith(".pyc")]
