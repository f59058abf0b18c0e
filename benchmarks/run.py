"""All the measurements, as the tables of benchmarks/README.md.

make bench                          everything: some hours on two quiet cores, 17 GB of disk
make bench ARGS="--rows 400000"     a quick look, with fewer rows
python benchmarks/run.py NAME ...   some of them: jobs, memory, profile, others, day, store, once, wide
"""

import argparse
import os
import platform
from collections.abc import Callable, Iterable
from importlib.metadata import version

import beside_others
import driver_memory
import one_day
import profile_cpu
import psutil
import read_once
import results_store
import spark_jobs
import wide

ROWS = 4_000_000
YEAR, MONTH = 365, 30
LARGE = 5
"""How many times more rows the large measurements have."""
DAILY = 20
"""How many times fewer rows a day has, where it is one of sixty."""
NAMES = ("profile", "jobs", "memory", "others", "day", "store", "once", "wide")


def main() -> None:
    options = parsed()
    rows, large = options.rows, LARGE * options.rows
    print(machine())
    measurements: dict[str, Callable[[], Iterable[str]]] = {
        "profile": lambda: [profile_cpu.report(rows)],
        "jobs": lambda: [spark_jobs.report()],
        "memory": lambda: [driver_memory.report((rows // 4, rows, large))],
        "others": lambda: [beside_others.report(rows), beside_others.report(large, rounds=3)],
        "day": lambda: [one_day.report()],
        "store": lambda: [results_store.report(YEAR if rows >= ROWS else MONTH)],
        "once": lambda: read_once.reports(rows // DAILY),
        "wide": lambda: [wide.report(rows // wide.TIMES_LONGER)],
    }
    for name in options.names or measurements:
        for found in measurements[name]():
            print(found, flush=True)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *NAMES])
    parser.add_argument("--rows", type=int, default=ROWS, help="a side (default: %(default)s)")
    return parser.parse_args()


def machine() -> str:
    """What everything ran on."""
    memory = psutil.virtual_memory().total / 2**30
    packages = ("pyspark", "numpy", "pyarrow", "deltalake", "duckdb", "evidently")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    hardware = (
        f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.platform()}, load {os.getloadavg()[0]:.1f} at the start"
    )
    return f"{hardware}; Python {platform.python_version()}, {versions}\n"


if __name__ == "__main__":
    main()
