"""How quick is a whole `driftline run` of one day? Its wall time over that of a bare PySpark program.

    python benchmarks/one_day.py [ROUNDS]

Both start a Spark of two cores and end it. The bare program counts the rows of the same files, driftline evaluates
every signal of conf/monitors/flights.yaml: in a new store, so that it also reads the baseline; and with the baseline
stored by the run of the day before, as on every other day.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from measure import HERE, ROOT, Ended, table, watched

DAY, AT, BEFORE = "2013-07-01", "2013-07-02T03:15Z", "2013-07-01T03:15Z"
BARE = "bare PySpark: start, count the same files"
FIRST, DAILY = "`driftline run`, new store", "`driftline run`, baseline stored"


def measured(rounds: int) -> dict[str, list[Ended]]:
    """The three whole processes, in turns."""
    found: dict[str, list[Ended]] = {BARE: [], FIRST: [], DAILY: []}
    with tempfile.TemporaryDirectory() as folder:
        before, new, stored = (Path(folder) / name for name in ("before", "new", "stored"))
        works: dict[str, Callable[[], Ended]] = {BARE: bare, FIRST: lambda: run(new), DAILY: lambda: run(stored)}
        run(before, BEFORE)
        for _ in range(rounds):
            for store in (new, stored):  # one that has the day would have nothing to read
                shutil.rmtree(store, ignore_errors=True)
            shutil.copytree(before, stored)
            for name, work in works.items():
                found[name].append(work())
                print(f"  {name}: {found[name][-1].wall:.2f} s", file=sys.stderr, flush=True)
    return found


def bare() -> Ended:
    return watched([sys.executable, str(HERE / "bare_count.py"), DAY])


def run(store: Path, at: str = AT) -> Ended:
    program = [sys.executable, "-c", "from jobs.cli import main; main()"]
    command = [*program, "run", str(ROOT / "conf/monitors/flights.yaml")]
    return watched([*command, "--at", at, "--store", str(store), "--master", "local[2]"])


def report(rounds: int = 7) -> str:
    """The measured table, in Markdown."""
    found = measured(rounds)
    lines = [
        [
            name,
            f"{median(each.wall for each in ended):.1f}",
            f"{median(each.cpu for each in ended):.1f}",
            f"**{median(mine.wall / other.wall for mine, other in zip(ended, found[BARE], strict=True)):.2f}**",
        ]
        for name, ended in found.items()
    ]
    header = ["program", "wall s (median)", "CPU s (median)", "wall / bare (median)"]
    return table("One day of flights, Spark's start included", header, lines)


if __name__ == "__main__":
    print(report(*map(int, sys.argv[1:2])))
