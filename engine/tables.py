"""Which tables a store holds, and what each column means: the contract with every reader.

Descriptions travel with the tables (as the columns' ``comment``, which Spark and DuckDB show) and make
``docs/tables.md``.
"""

from dataclasses import dataclass

import pyarrow as pa

__all__ = ["BINS", "IMPORTANCES", "OUTCOMES", "PROFILES", "RUNS", "SIGNAL_METRICS", "TABLES", "TableDefinition"]

TIME = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class TableDefinition:
    """One Delta table of a store.

    Attributes:
        name: its folder under the store.
        summary: what one row is.
        key: a write replaces the rows that are equal in these columns.
        schema: its columns, each with a ``comment`` in its metadata.
        partition_by: the columns that are folders.
        statistics: the columns that readers skip files by; kept few, so that the log stays small.
    """

    name: str
    summary: str
    key: tuple[str, ...]
    schema: pa.Schema
    partition_by: tuple[str, ...] = ()
    statistics: tuple[str, ...] = ()


def required(name: str, kind: pa.DataType, description: str) -> pa.Field:
    return column(name, kind, description).with_nullable(False)


def column(name: str, kind: pa.DataType, description: str) -> pa.Field:
    return pa.field(name, kind, metadata={"comment": description})


SIGNAL_METRICS = TableDefinition(
    name="signal_metrics",
    summary="One row per check and run: a metric's value for one group, and whether it crossed its threshold.",
    key=("monitor", "scheduled_for"),
    partition_by=("monitor",),
    statistics=("scheduled_for", "signal", "group", "metric_name"),
    schema=pa.schema(
        [
            required("monitor", pa.string(), "The monitor's name."),
            required("signal", pa.string(), "The signal's name in the monitor."),
            required("signal_type", pa.string(), "The kind of signal: data_drift, model_performance, custom, ..."),
            required("run_id", pa.string(), "The run that wrote this row; see `runs`."),
            required("scheduled_for", TIME, "The time that the run was due, from which its windows are computed."),
            required("window_start", TIME, "Start of the window of production data, inclusive."),
            required("window_end", TIME, "End of the window of production data, exclusive."),
            column("baseline_start", TIME, "Start of the baseline's window, inclusive; NULL: it is used whole."),
            column("baseline_end", TIME, "End of the baseline's window, exclusive; NULL: it is used whole."),
            required("group", pa.string(), "What was measured: a feature, a prediction column, a class, a dataset."),
            column("group_dimension", pa.string(), "The segment of rows; `aggregate` for all rows."),
            required("metric_name", pa.string(), "The metric's canonical name; see the page on metrics."),
            column("metric_value", pa.float64(), "Its value, always finite; NULL: there is none, see `reason`."),
            column(
                "threshold_value",
                pa.float64(),
                "The bound that the value was judged by; of a range the one that is crossed or nearer.",
            ),
            column("threshold_kind", pa.string(), "Where the bound comes from: fixed, range, relative or dynamic."),
            column("operator", pa.string(), "The value is a breach when `metric_value operator threshold_value`."),
            column("breached", pa.bool_(), "Whether the threshold was crossed; NULL: nothing was judged."),
            required("status", pa.string(), "ok, breached, no_data, insufficient_data, undefined or error."),
            column("reason", pa.string(), "Why there is no value, or what to know about it, for a person to read."),
            column("row_count", pa.int64(), "How many production rows the value stands on."),
            column("baseline_row_count", pa.int64(), "How many baseline rows it stands on."),
            column("p_value", pa.float64(), "The chance of a value at least this bad when nothing changed."),
            column("q_value", pa.float64(), "The p-value after Benjamini-Hochberg over the signal's groups."),
            column("expected_p95", pa.float64(), "The value's 95th percentile when nothing changed."),
            column(
                "feature_importance",
                pa.float64(),
                "The feature's share of all features' importance to the baseline's target, in [0, 1]; NULL: not asked "
                "for, or not known.",
            ),
            column("interval_low", pa.float64(), "Lower end of the value's 95 % interval (performance)."),
            column("interval_high", pa.float64(), "Upper end of the value's 95 % interval (performance)."),
            required("details", pa.string(), "Further evidence as a JSON object, such as the bins' contributions."),
            required("config_hash", pa.string(), "A digest of the definition that was evaluated."),
            required("engine_version", pa.string(), "The driftline that wrote this row."),
            required("evaluated_at", TIME, "When the value was computed, by the clock."),
        ]
    ),
)

RUNS = TableDefinition(
    name="runs",
    summary="One row per run: a monitor evaluated for one scheduled time. A run that is here is complete.",
    key=("monitor", "scheduled_for"),
    statistics=("monitor", "scheduled_for", "status"),
    schema=pa.schema(
        [
            required("run_id", pa.string(), "The run's own id, new for each attempt."),
            required("monitor", pa.string(), "The monitor's name."),
            required("scheduled_for", TIME, "The time that the run was due, from which its windows are computed."),
            required("status", pa.string(), "completed, or failed: then `error` says why."),
            required("attempt", pa.int64(), "1 for the first time that this run was evaluated."),
            required("started_at", TIME, "When the run started, by the clock."),
            required("finished_at", TIME, "When its results were ready, by the clock."),
            column("window_start", TIME, "The earliest start of its signals' windows."),
            column("window_end", TIME, "The latest end of its signals' windows."),
            column("rows_read", pa.int64(), "How many rows were read from the sources."),
            column("spark_jobs", pa.int64(), "How many Spark jobs it took."),
            column("cpu_seconds", pa.float64(), "CPU time of the driver and its Spark tasks."),
            column("wall_seconds", pa.float64(), "Elapsed time, without Spark's start."),
            required("config_hash", pa.string(), "A digest of the definition that was evaluated."),
            required("engine_version", pa.string(), "The driftline that ran."),
            required("fingerprints", pa.string(), "What was read, as a JSON object: a fingerprint by dataset."),
            required("notes", pa.string(), "What a reader should know, as a JSON list of sentences."),
            column("error", pa.string(), "Why the run failed."),
            column(
                "event",
                pa.string(),
                "What others are told of the run, as a JSON object: a CloudEvent in the words of Azure's "
                "`RunStatusChanged`. Where a check is breached, its `data.RunStatus` is Failed, and a tag says which.",
            ),
        ]
    ),
)

PROFILES = TableDefinition(
    name="profiles",
    summary="One row per column, bucket of time and segment: the counts that every metric is computed from.",
    key=("dataset", "bins_id", "column", "bucket_start", "bucket_end", "segment"),
    partition_by=("dataset",),
    statistics=("bucket_start", "bucket_end", "segment", "column"),
    schema=pa.schema(
        [
            required("dataset", pa.string(), "The dataset's key."),
            column("source", pa.string(), "The dataset's title, for a person to read."),
            required("bins_id", pa.string(), "The bins that the counts refer to; see `bins`."),
            required("column", pa.string(), "The column's name; empty: rows and latest time, whatever the column."),
            column("bucket_start", TIME, "Start of the bucket of time, inclusive; NULL: the whole dataset."),
            column("bucket_end", TIME, "End of the bucket of time, exclusive; NULL: the whole dataset."),
            required("segment", pa.string(), "The segment of rows; `aggregate` for all rows."),
            required("fingerprint", pa.string(), "The state of the source that was read."),
            required("kind", pa.string(), "numerical, categorical, embedding or list."),
            required("rows", pa.int64(), "All rows."),
            required("nulls", pa.int64(), "Nulls in the data itself."),
            required("nans", pa.int64(), "NaN values."),
            required("unreadable", pa.int64(), "Values that cannot be read as the baseline's type."),
            required("counts", pa.list_(pa.int64()), "Rows per cell of the bins."),
            column(
                "sums",
                pa.list_(pa.float64()),
                "Sum of (value - center) per cell; of vectors their sum, and the sketch of their covariance.",
            ),
            column("squares", pa.float64(), "Sum of (value - center)²; of vectors the sum of their squared lengths."),
            column("low", pa.float64(), "The least finite value; NULL: there is none."),
            column("high", pa.float64(), "The greatest finite value; NULL: there is none."),
            column("infinite", pa.int64(), "How many values are infinite; numbers only."),
            column(
                "unseen",
                pa.list_(pa.struct([("value", pa.string()), ("n", pa.int64())])),
                "The most frequent values outside the vocabulary; categories only.",
            ),
            column("distinct_values", pa.list_(pa.string()), "The distinct values, while they are few."),
            column("distinct_registers", pa.binary(), "HyperLogLog registers, once they are many."),
            required("engine_version", pa.string(), "The driftline that wrote this row."),
            required("format_version", pa.int32(), "How this row is to be read; a newer one is refused."),
        ]
    ),
)

BINS = TableDefinition(
    name="bins",
    summary="One row per column of a dataset and generation: the frozen cells that its profiles count in.",
    key=("dataset", "column", "generation"),
    statistics=("dataset", "column"),
    schema=pa.schema(
        [
            required("dataset", pa.string(), "The dataset's key."),
            required("column", pa.string(), "The column's name."),
            column("generation", pa.int64(), "How often bins were made for this column; the newest is in force."),
            required("bins_id", pa.string(), "A digest that is equal exactly where the bins are equal."),
            required("kind", pa.string(), "numerical, categorical, embedding or list."),
            required("value_type", pa.string(), "What the baseline's values are: integer, double, string, ..."),
            column("edges", pa.list_(pa.float64()), "Inner edges of the cells [e0, e1), ...; the outermost are open."),
            column("low", pa.float64(), "The baseline's least finite value; NULL: there is none."),
            column("high", pa.float64(), "The baseline's greatest finite value; NULL: there is none."),
            column("center", pa.float64(), "What sums are taken relative to."),
            column("categories", pa.list_(pa.string()), "The vocabulary, most frequent first."),
            column("complete", pa.bool_(), "Whether the vocabulary holds every value of the baseline."),
            column("dimensions", pa.int64(), "How long vectors are; 0: those of the baseline differ. Embeddings only."),
            required("engine_version", pa.string(), "The driftline that wrote this row."),
            required("format_version", pa.int32(), "How this row is to be read; a newer one is refused."),
        ]
    ),
)

STATE = pa.list_(
    pa.struct(
        [
            ("part", pa.int32()),
            ("cell", pa.int32()),
            ("value", pa.string()),
            ("n", pa.int64()),
            ("total", pa.float64()),
            ("low", pa.float64()),
            ("high", pa.float64()),
        ]
    )
)
"""Rows of a state, as they travel (`signals.state`)."""

OUTCOMES = TableDefinition(
    name="outcomes",
    summary="One row per bucket of time, segment and stretch of cutoffs: how the predictions made in it came out.",
    key=("dataset", "truth", "pair", "counted", "segment", "bucket_start", "bucket_end", "known_from", "known_to"),
    partition_by=("dataset",),
    statistics=("bucket_start", "bucket_end", "segment"),
    schema=pa.schema(
        [
            required("dataset", pa.string(), "The key of the dataset of predictions."),
            required("truth", pa.string(), "The key of the ground truth, and of how it is joined."),
            required("pair", pa.string(), "The columns that are compared: a JSON list of prediction, score, actual."),
            required("counted", pa.string(), "What was counted: outcomes, errors, rankings, and so on."),
            required("segment", pa.string(), "The segment of rows; `aggregate` for all rows."),
            required("bucket_start", TIME, "Start of the bucket of time, inclusive."),
            required("bucket_end", TIME, "End of the bucket of time, exclusive."),
            column("known_from", TIME, "The row holds where labels count until this time or later; NULL: ever since."),
            column("known_to", TIME, "And until an earlier time than this; NULL: however late they become known."),
            column("production_fingerprint", pa.string(), "The state of the predictions that were read."),
            column("truth_fingerprint", pa.string(), "The state of the ground truth that was read."),
            required("bucket_rows", pa.int64(), "All predictions of the bucket and segment, in whatever row they are."),
            required("rows", pa.int64(), "Predictions that this row is about."),
            required("labelled", pa.int64(), "Those of them with a label that counts."),
            required("late", pa.int64(), "Those whose label became known too late to count."),
            required("truth_rows", pa.int64(), "Labels that count."),
            required("duplicate_truth_rows", pa.int64(), "Those of them beyond the first of their id."),
            required("orphans", pa.int64(), "Labels that became known in the bucket, without a prediction."),
            required("digest", pa.string(), "The sum of the rows' digests: equal where the rows are."),
            required("outcomes", STATE, "Counts of label and prediction, and of scores; see `signals.outcomes`."),
            required("errors", STATE, "Sums of the errors; see `signals.error_sums`."),
            column("rankings", STATE, "Sums of ranked groups' scores; see `signals.rankings`."),
            required("engine_version", pa.string(), "The driftline that wrote this row."),
            required("format_version", pa.int32(), "How this row is to be read; a newer one is refused."),
        ]
    ),
)

IMPORTANCES = TableDefinition(
    name="importances",
    summary="One row per feature of a baseline: how much it matters to the target.",
    key=("dataset", "question", "window_start", "window_end"),
    statistics=("dataset", "question"),
    schema=pa.schema(
        [
            required("dataset", pa.string(), "The dataset's key."),
            column("source", pa.string(), "The dataset's title, for a person to read."),
            required("question", pa.string(), "A digest of the features, the target, the segment, and how it is told."),
            column("window_start", TIME, "Start of the window of the baseline, inclusive; NULL: it is used whole."),
            column("window_end", TIME, "End of the window of the baseline, exclusive; NULL: it is used whole."),
            required("segment", pa.string(), "The segment of rows; `aggregate` for all rows."),
            column("target", pa.string(), "The column that the features explain; NULL: attributions were there."),
            required("feature", pa.string(), "The feature's name."),
            required("importance", pa.float64(), "Its share of all features' importance, in [0, 1]."),
            required("rank", pa.int64(), "1 for the most important feature."),
            required("method", pa.string(), "surrogate (a random forest was asked) or attributions (mean |value|)."),
            required("rows", pa.int64(), "How many rows it stands on; of a surrogate those of the sample."),
            column("explained", pa.float64(), "The share of the target's variance that the surrogate explains."),
            required("fingerprint", pa.string(), "The state of the source that was read."),
            required("engine_version", pa.string(), "The driftline that wrote this row."),
            required("format_version", pa.int32(), "How this row is to be read; a newer one is refused."),
        ]
    ),
)

TABLES = (SIGNAL_METRICS, RUNS, PROFILES, BINS, OUTCOMES, IMPORTANCES)
