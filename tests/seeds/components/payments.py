"""Components over the workshop's CSV files, as a user of Azure's would have written them."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

NAMES = {"amount": "feature_A", "kind": "feature_B", "tries": "feature_C", "said": "is_fraud"}


def features(data_window_start: str, data_window_end: str, input_data: str) -> DataFrame:
    """The payments of a window, in the columns that the model was trained on."""
    rows = in_window(data_window_start, data_window_end, input_data)
    return rows.select(*(F.col(name).alias(NAMES.get(name, name)) for name in rows.columns if name != "payment"))


def transactions(data_window_start: str, data_window_end: str, input_data: str) -> DataFrame:
    """The transactions of a window, numbers only."""
    return in_window(data_window_start, data_window_end, input_data).drop("at")


def in_window(start: str, end: str, folder: str) -> DataFrame:
    spark = SparkSession.builder.getOrCreate()
    rows = spark.read.csv(folder, header=True, inferSchema=True)
    return rows.filter((F.col("at") >= start) & (F.col("at") < end))


def std_deviation(production_data: DataFrame, std_deviation_threshold: str) -> DataFrame:
    """The standard deviation of every column."""
    spread = production_data.agg(*(F.stddev(name).alias(name) for name in production_data.columns))
    return spread.unpivot([], list(production_data.columns), "group", "metric_value").select(
        "group",
        "metric_value",
        F.lit("std_deviation").alias("metric_name"),
        F.lit(std_deviation_threshold).cast("double").alias("threshold_value"),
    )
