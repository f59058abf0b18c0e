"""What the engine asks of Spark: to carry the kernel to the tasks, to merge states, and to say what it did."""

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from time import perf_counter, process_time
from typing import Self
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
from py4j.protocol import Py4JJavaError
from pyspark import cloudpickle
from pyspark.errors import PySparkException, PythonException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

import engine
import signals
from engine.errors import DataError
from signals.state import STATE_SCHEMA, merge_rows

__all__ = ["SPARK_ERRORS", "Meter", "collect", "is_classic", "large_batches", "merged", "parallelism", "said_by"]

UNREADABLE = "driftline cannot read "
"""How a task's error text begins when it is the data's fault; the rest of the line names the file and the cause."""
SPARK_ERRORS = (PySparkException, Py4JJavaError)
"""What Spark raises; file systems' own errors come as they were in the JVM."""
CONDITION = re.compile(r"\[(?!INTERNAL_ERROR)[A-Z0-9_]+(\.[A-Z0-9_]+)*\] .*")
"""A named error of Spark: ``[PATH_NOT_FOUND] Path does not exist: …``."""

OTHER_HEADER = re.compile(r"CSV header does not conform to the schema\..*?CSV file: (\S.*?)\n", re.DOTALL)

RAISED = re.compile(r"^(?:\w+\.)*\w+(?:Error|Exception)\b.*$", re.MULTILINE)
"""The last line of a Python worker's traceback."""

MERGED_AT_ONCE = 10_000
"""State rows of some 2 KB."""
MERGED_BYTES = 64 << 20
"""So many bytes of them at the most, where they are longer."""
VALUES_AT_ONCE = 4_000_000
"""In a batch of rows: 32 MB of numbers."""

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


@contextmanager
def large_batches(spark: SparkSession, values: int) -> Generator[None]:
    """While the block runs, rows of so many values reach Python in large batches, unless the session says how large.

    Without a limit in bytes, because Spark weighs the batch again for every row to keep one: a third of its work.
    """
    rows = min(32_768, max(1, VALUES_AT_ONCE // values))
    wanted = {"maxRecordsPerBatch": str(rows), "maxBytesPerBatch": str(2**31 - 1)}
    names = {f"spark.sql.execution.arrow.{name}": value for name, value in wanted.items()}
    ours = {name: value for name, value in names.items() if spark.conf.get(name, None) is None}
    for name, value in ours.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name in ours:
            spark.conf.unset(name)


def merged(states: DataFrame) -> pa.Table:
    """State rows of all tasks, merged in tasks; the driver sees one state, however many tasks there were."""
    by_column = states.repartition(parallelism(states.sparkSession), "key", "column")
    ordered = by_column.sortWithinPartitions("key", "column")
    return collect(ordered.mapInArrow(_merging, from_arrow_schema(STATE_SCHEMA)))


def _merging(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Merge rows in the order of (key, column), some thousands at a time and always all of a (key, column)."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(each.num_rows for each in held) < MERGED_AT_ONCE and sum(each.nbytes for each in held) < MERGED_BYTES:
            continue
        rows = pa.Table.from_batches(held)
        complete = _first_of_last_state(rows)
        yield from merge_rows(rows.slice(0, complete)).to_batches() if complete else ()
        held = rows.slice(complete).to_batches()
    if held:
        yield from merge_rows(pa.Table.from_batches(held)).to_batches()


def _first_of_last_state(rows: pa.Table) -> int:
    """Where the rows of the last (key, column) begin; there may be more of them to come."""
    last = len(rows) - 1
    same = pc.and_(*(pc.equal(rows[name], rows[name][last]) for name in ("key", "column")))
    return pc.index(same, value=True).as_py()


def collect(frame: DataFrame) -> pa.Table:
    """The frame's rows on the driver.

    Raises:
        DataError: when a task could not read its data.
    """
    try:
        return frame.toArrow()
    except SPARK_ERRORS as error:
        found = str(error).partition(UNREADABLE)[2].partition("\n")[0]
        if found:
            raise DataError(f"cannot read {found}") from error
        # Of Spark's named errors only a Python worker's is our own; the others are about a file or a query.
        if isinstance(error, PythonException) or not CONDITION.search(str(error)):
            raise
        raise DataError(said_by(error)) from error


def said_by(error: BaseException) -> str:
    """What Spark's error says, in one line."""
    headed = OTHER_HEADER.search(str(error))
    if headed:
        hint = "header: all_files_different_headers, in an MLTable, reads such files"
        return f"{headed[1]}: its columns are others than those of the other files ({hint})"
    if isinstance(error, PythonException) and (raised := RAISED.findall(str(error))):
        return raised[-1]
    named = CONDITION.search(str(error))
    if named:
        return named[0]
    cause = getattr(error, "java_exception", None)  # py4j's own first line only says which call failed
    return str(error if cause is None else cause).strip().splitlines()[0]


class Meter:
    """What the work inside its ``with`` block cost.

    Attributes:
        spark_jobs: Spark jobs that were started; None on Spark Connect, which does not tell.
        wall_seconds: elapsed time.
        driver_seconds: CPU seconds of this process, without the JVM's and the tasks'.
    """

    spark_jobs: int | None = None
    wall_seconds = 0.0
    driver_seconds = 0.0

    def __init__(self, spark: SparkSession) -> None:
        self._context = spark.sparkContext if is_classic(spark) else None
        self._group = f"driftline-{uuid4()}"  # Spark remembers the jobs of groups long gone
        self._properties: dict[str, str | None] = {}

    def __enter__(self) -> Self:
        self._began, self._cpu = perf_counter(), process_time()
        if self._context:
            # The caller's own job group comes back afterwards.
            names = ("spark.jobGroup.id", "spark.job.description", "spark.job.interruptOnCancel")
            self._properties = {name: self._context.getLocalProperty(name) for name in names}
            self._context.setJobGroup(self._group, "driftline")
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_seconds, self.driver_seconds = perf_counter() - self._began, process_time() - self._cpu
        if self._context:
            self.spark_jobs = len(self._context.statusTracker().getJobIdsForGroup(self._group))
            for name, value in self._properties.items():
                self._context.setLocalProperty(name, value)  # type: ignore[arg-type]
