"""How much do numbers vary, and are there enough of them? The example of docs/custom-signals.md."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

SIGNAL_METRICS = "group string, metric_name string, metric_value double, threshold_value double"


def run(
    production_data: DataFrame,
    columns: str,
    std_deviation_threshold: float,
    flights_threshold: float,
    spark: SparkSession,
) -> DataFrame:
    names = [name.strip() for name in columns.split(",")]
    spread = production_data.agg(*(F.stddev(name).alias(name) for name in names)).collect()[0]
    rows = [(name, "std_deviation", spread[name], std_deviation_threshold) for name in names]
    counts = production_data.groupBy("origin").count().orderBy("origin").collect()
    rows += [(row["origin"], "flights", float(row["count"]), flights_threshold) for row in counts]
    return spark.createDataFrame(rows, SIGNAL_METRICS)
