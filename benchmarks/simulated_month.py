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
from tests.server.simulated import SimulatedHour, simulated_hours

MONITORS, MODELS = 1_000, 20


def main(days: int, url: str | None) -> None:
    """Print a line for each day, and what all of them took."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(url or f"sqlite:///{folder}/registry.db")
        database.upgrade()
        wall, cpu, windows = time.perf_counter(), time.process_time(), 0
        for number, hour in enumerate(simulated_hours(database, MONITORS, MODELS, 24 * days), 1):
            assert hour == SimulatedHour(windows=60 * MONITORS, claims=60 * MONITORS, unfinished=0), hour
            windows += hour.windows
            if number % 24 == 0:
                took, used = time.perf_counter() - wall, time.process_time() - cpu
                memory = psutil.Process().memory_info().rss / 1e6
                each = f"{1000 * took / number / 60:.2f} ms a step, {1000 * used / number / 60:.2f} of CPU"
                print(f"day {number // 24}: {windows:,} windows, {took:.0f} s ({each}), {memory:.0f} MB", flush=True)
        database.close()


if __name__ == "__main__":
    days, url = [*sys.argv[1:3], None, None][:2]
    main(int(days or 30), url)
