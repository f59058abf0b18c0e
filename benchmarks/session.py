"""The Spark that is measured: two cores of this machine, as Spark comes, or as `driftline run` starts it."""

import os
import sys

from measure import ROOT
from pyspark.sql import SparkSession

__all__ = ["session"]

sys.path.insert(0, str(ROOT))  # the checkout's packages, installed or not

AS_IT_COMES = {
    "spark.master": "local[2]",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.session.timeZone": "UTC",
}


def session(*, as_driftline_runs: bool = False) -> SparkSession:
    """A running session."""
    from jobs.session import SparkOptions

    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    settings = SparkOptions(master="local[2]").settings if as_driftline_runs else AS_IT_COMES
    spark = SparkSession.builder.config(map=dict(settings)).getOrCreate()
    spark.range(1).count()  # so that what comes next pays for its own work alone
    return spark
