"""How long does the scheduler take for a month of 1,000 monitors of 20 models, each due every minute? Nothing is run.

python benchmarks/simulated_month.py [DAYS] [URL of an empty registry]      43,200 steps, 43.2 million windows
"""

import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))

from server.database import Database
from tests.server.simulated import simulated_days

MONITORS, MODELS, MINUTES = 1_000, 20, 1_440


def main(days: int, url: str | None) -> None:
    """Print a line for each day, and what all of them took."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(url or f"sqlite:///{folder}/registry.db")
        database.upgrade()
        wall, cpu, windows = time.perf_counter(), time.process_time(), 0
        for number, day in enumerate(simulated_days(database, MONITORS, MODELS, days), 1):
            assert day.windows == MONITORS * MINUTES, day
            assert day.unfinished == 0, day
            windows += day.windows
            took, used = time.perf_counter() - wall, time.process_time() - cpu
            memory = psutil.Process().memory_info().rss / 1e6
            step = 1000 * used / number / MINUTES
            print(f"day {number}: {windows:,} windows, {took:.0f} s, CPU {used:.0f} s ({step:.2f} ms a step), "
                  f"{memory:.0f} MB", flush=True)  # fmt: skip
        database.close()


if __name__ == "__main__":
    days, url = [*sys.argv[1:3], None, None][:2]
    main(int(days or 30), url)
