"""A process that starts two runs with the real launcher, one by spark-submit and one through Connect, and waits.

python launching.py FILE FOLDER CONNECT
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from server.launcher import SparkLauncher
from server.queue import Task
from tests.server.evaluating import QUIET
from tests.tiny import AT


def main(file: str, folder: str, connect: str) -> None:
    logs, how = Path(folder) / "logs", {"HOW": str(Path(folder) / "how")}
    here = SparkLauncher(f"{folder}/store", logs, "local[2]", conf=QUIET, environment=how)
    away = SparkLauncher(f"{folder}/store", logs, remote=connect)
    runs = [each.start(Task(number, AT, None, ("tiny",), 1), [Path(file)]) for number, each in enumerate((here, away))]
    while all(run.poll() is None for run in runs):
        time.sleep(0.1)


if __name__ == "__main__":
    main(*sys.argv[1:])
