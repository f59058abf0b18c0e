"""Evaluates a monitor through Spark Connect in a process of its own: URL, monitor file, scheduled time, output."""

import pickle
import sys
from datetime import datetime
from pathlib import Path

from pyspark.sql import SparkSession

from engine import Monitor, evaluate

if __name__ == "__main__":
    url, path, time, output = sys.argv[1:]
    session = SparkSession.builder.remote(url).getOrCreate()
    evaluation = evaluate(session, Monitor.from_yaml(path), datetime.fromisoformat(time))
    Path(output).write_bytes(pickle.dumps(evaluation))
    session.stop()
