"""What the engine asks of Spark: to carry the kernel to the tasks, to merge states, and to say what it did."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
from pyspark import cloudpickle
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

import engine
import signals
from engine.errors import DataError
from signals.state import IDENTITY

__all__ = ["STATE_DDL", "Jobs", "collect", "count_jobs", "is_classic", "merged", "parallelism"]

STATE_DDL = "key int, column int, part tinyint, cell int, value string, n bigint, total double, low double, high double"
UNREADABLE = "driftline cannot read "
"""How a task's error text begins when it is the data's fault; the rest of the line names the file and the cause."""

# Executors get the kernel's code with the work, so that they need numpy and pyarrow and nothing of ours.
for package in (signals, engine):
    cloudpickle.register_pickle_by_value(package)


def is_classic(spark: SparkSession) -> bool:
    """Whether this session has its JVM in reach; a Spark Connect session does not."""
    return not type(spark).__module__.startswith("pyspark.sql.connect")


def parallelism(spark: SparkSession) -> int:
    """How many tasks run at once, as far as the session tells."""
    if is_classic(spark):
        return max(1, spark.sparkContext.defaultParallelism)
    return max(1, int(spark.conf.get("spark.sql.leafNodeDefaultParallelism", None) or 8))


def merged(states: DataFrame) -> pa.Table:
    """State rows of all tasks, merged by Spark; the driver sees one row per cell, however many tasks there were."""
    return collect(
        states.groupBy(*IDENTITY).agg(
            F.sum("n").alias("n"), F.sum("total").alias("total"), F.min("low").alias("low"), F.max("high").alias("high")
        )
    )


def collect(frame: DataFrame) -> pa.Table:
    """The frame's rows on the driver.

    Raises:
        DataError: when a task could not read its data.
    """
    try:
        return frame.toArrow()
    except PySparkException as error:
        found = str(error).partition(UNREADABLE)[2].partition("\n")[0]
        if found:
            raise DataError(f"cannot read {found}") from error
        raise


@dataclass
class Jobs:
    """How many Spark jobs ran; None on Spark Connect, which does not tell."""

    count: int | None = None


@contextmanager
def count_jobs(spark: SparkSession) -> Iterator[Jobs]:
    """Count the Spark jobs that are started inside this block."""
    jobs = Jobs()
    if not is_classic(spark):
        yield jobs
        return
    context = spark.sparkContext
    group = f"driftline-{id(jobs)}"
    before = {key: context.getLocalProperty(key) for key in ("spark.jobGroup.id", "spark.job.description")}
    context.setJobGroup(group, "driftline")
    try:
        yield jobs
    finally:
        jobs.count = len(context.statusTracker().getJobIdsForGroup(group))
        for key, value in before.items():
            context.setLocalProperty(key, value)
