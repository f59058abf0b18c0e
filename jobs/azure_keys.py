"""Every key of Azure's schedule schema: how driftline serves it, and what Azure does differently.

`driftline import azure` says it of the keys of a file, and `docs/azure.md` of all of them. What Azure does is read from
its SDK (azure-ai-ml) and from its open components (azureml-assets, model_monitoring).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["AZURE_KEYS", "METRICS_IN_AZURE", "SCOPES", "AzureKey"]


@dataclass(frozen=True)
class AzureKey:
    """One key.

    Attributes:
        served: what driftline does with it.
        differs: what Azure does differently; empty where nothing is known.
        missing: of a signal's key, what is taken where it is not written.
        missing_in_azure: what Azure takes then, where that is something else.
    """

    served: str
    differs: str = ""
    missing: str = ""
    missing_in_azure: str = ""


AS_IN_AZURE = AzureKey("as in Azure")
NOT_USED = AzureKey("accepted, and left out: it is Azure's own record")
LEFT_OUT = AzureKey("accepted, and left out")
CLUSTER = AzureKey("accepted, and left out", "sizes its Spark pool; here Spark runs where driftline is started")
PASS_RATE = AzureKey("both keys: which score of a row is acceptable, and which share of rows has to have it")

SCOPES: Mapping[str, str] = MappingProxyType({
    "schedule": "The schedule",
    "trigger": "`trigger`",
    "pattern": "`trigger.schedule`",
    "create_monitor": "`create_monitor`",
    "compute": "`create_monitor.compute`",
    "monitoring_target": "`create_monitor.monitoring_target`",
    "alert_notification": "`create_monitor.alert_notification`",
    "signal": "A signal (`create_monitor.monitoring_signals.NAME`)",
    "features": "`features` of a signal",
    "data_segment": "`data_segment` of a signal",
    "connection": "`connection` of a custom signal",
    "data": "A dataset (`production_data`, `reference_data`, `input_data.NAME` of a custom signal)",
    "input_data": "`input_data` of a dataset",
    "data_window": "`data_window` of a dataset",
    "data_column_names": "`data_column_names` of a dataset",
    "metric_thresholds": "`metric_thresholds` of a signal",
})  # fmt: skip
"""The blocks of keys, in the order of a file, by what they are called in prose."""

AZURE_KEYS: Mapping[str, Mapping[str, AzureKey]] = MappingProxyType({
    "schedule": {
        "$schema": AzureKey("accepted; the tidy file names driftline's own schema, so that editors complete keys"),
        "name": AzureKey("as in Azure; unique among the files that are run together"),
        "display_name": AS_IN_AZURE,
        "description": AS_IN_AZURE,
        "tags": AzureKey("as in Azure; they are in `RunTags` of a run's event"),
        "properties": NOT_USED,
        "id": NOT_USED,
        "is_enabled": AzureKey("accepted where it is true", "a disabled schedule stays; here its file is moved away"),
        "creation_context": NOT_USED,
        "provisioning_state": NOT_USED,
        "trigger": AS_IN_AZURE,
        "create_monitor": AS_IN_AZURE,
    },
    "trigger": {
        "type": AS_IN_AZURE,
        "frequency": AS_IN_AZURE,
        "interval": AzureKey(
            "as in Azure",
            "counts from its first run, where no `start_time` is written; here from 1970, the same for everybody",
        ),
        "schedule": AzureKey("as in Azure; `pattern` is the same"),
        "expression": AzureKey("as crontab(5) reads it", "ignores days and months, and reads them as `*`"),
        "start_time": AzureKey(
            "as in Azure", "without it the first run is at once; here nothing runs before it is due"
        ),
        "end_time": AzureKey("nothing is due at it or after it"),
        "time_zone": AzureKey("IANA names, and Windows names as in Azure"),
    },
    "pattern": {
        "hours": AzureKey("0 to 23, one or a list"),
        "minutes": AzureKey("0 to 59, one or a list"),
        "week_days": AzureKey("one or a list, in any case"),
        "month_days": AzureKey("1 to 31; a month without such a day is left out"),
    },
    "create_monitor": {
        "compute": CLUSTER,
        "monitoring_target": AS_IN_AZURE,
        "monitoring_signals": AzureKey(
            "as in Azure; without it a monitored model gets data drift, prediction drift and data quality",
        ),
        "alert_notification": AzureKey("as in Azure, and signals alert that do not say otherwise"),
    },
    "compute": dict.fromkeys(("compute_type", "instance_type", "runtime_version"), LEFT_OUT),
    "monitoring_target": {
        "ml_task": AS_IN_AZURE,
        "endpoint_deployment_id": AzureKey(
            "a name: the file in `models/` that has it says where the data is",
            "finds the deployment's data collector by itself",
        ),
        "model_id": AzureKey("a name: the file in `models/` of that name says where the data is"),
    },
    "alert_notification": {
        "emails": AzureKey(
            "who hears what began and what ended: from `driftline serve`, or `driftline run --notify`",
            "sends an e-mail for each signal that has failed",
        ),
    },
    "signal": {
        "type": AS_IN_AZURE,
        "production_data": AzureKey(
            "as in Azure, one object or a list; a list is joined by correlation id",
            missing="the data of the monitored model",
        ),
        "reference_data": AzureKey(
            "as in Azure; bins are frozen with the first baseline and kept when it moves",
            missing="the model's baseline where it has one, else the past: twice as long, and before the window",
        ),
        "features": AzureKey("a list, `all_features`, or the most important ones", missing="all features"),
        "feature_type_override": AS_IN_AZURE,
        "data_segment": AzureKey("as in Azure; `filters` say more"),
        "metric_thresholds": AzureKey(
            "any number of metrics; a threshold of 0 is one, and null records without judging",
            "the SDK sends one drift metric per kind of feature, and drops a threshold of 0",
            missing="the defaults of its type",
        ),
        "alert_enabled": AzureKey(
            "whether a breach alerts; the run's event tells of it all the same",
            missing="true where the monitor has an `alert_notification`",
            missing_in_azure="false",
        ),
        "properties": AS_IN_AZURE,
        "model_type": AzureKey("not needed: `monitoring_target.ml_task` says it"),
        "component_id": AzureKey(
            "a name in `components:` of `assets.yaml`: a Python function", "runs a registered component as a job"
        ),
        "input_data": AS_IN_AZURE,
        "inputs": AS_IN_AZURE,
        "connection": AS_IN_AZURE,
        "connection_id": AzureKey("accepted; what the scoring component needs is in `connection`"),
        "workspace_connection_id": AzureKey("the same as `connection_id`"),
        "sampling_rate": AzureKey("the share of answers that is scored, the same ones in every run"),
    },
    "features": {
        "top_n_feature_importance": AzureKey(
            "from attribution columns, or from a surrogate on a bounded sample",
            "fits LightGBM on all rows of the reference, in memory",
        ),
    },
    "data_segment": {"feature_name": AS_IN_AZURE, "feature_values": AS_IN_AZURE},
    "connection": {
        "environment_variables": AzureKey("set while the component runs"),
        "secret_config": AzureKey("names of environment variables: no secret is in a file", "reads a key vault"),
    },
    "data": {
        "input_data": AS_IN_AZURE,
        "data_context": AzureKey("as in Azure; `actuals` is `ground_truth`"),
        "pre_processing_component": AzureKey(
            "a name in `components:` of `assets.yaml`: a function that gives a DataFrame",
            "runs a registered component, and passes an MLTable on",
        ),
        "data_window": AzureKey(
            "as in Azure, computed from the scheduled time, with the same defaults by the trigger's interval"
        ),
        "data_window_size": AzureKey("short for `data_window.lookback_window_size`"),
        "data_column_names": AS_IN_AZURE,
        "target_column_name": AzureKey("short for `data_column_names.target_column`"),
    },
    "input_data": {
        "path": AzureKey("a path, a URI, or `azureml:name:version`, a name in `assets.yaml`"),
        "type": AzureKey("kept; what is at the path says how it is read"),
        "mode": AzureKey("accepted, and left out: data is read where it is"),
        "datastore": AzureKey("accepted, and left out: data is read where it is"),
        "path_on_compute": AzureKey("refused: there is no compute instance"),
    },
    "data_window": {
        "lookback_window_size": AzureKey("as in Azure, also `default`; months are those of the calendar"),
        "lookback_window_offset": AzureKey("as in Azure, also `default`"),
        "window_start": AS_IN_AZURE,
        "window_end": AzureKey("the end is not in the window"),
    },
    "data_column_names": {
        "target_column": AzureKey("the prediction in production data, the truth in reference data"),
        "join_column": AzureKey(
            "the correlation id; rows without a partner are counted, not lost",
            "joins the inner way: unlabelled rows vanish, and repeated ids multiply rows",
        ),
        "correlation_id": AzureKey("the same as `join_column`"),
        "prediction": AzureKey("the predicted label or number"),
        "prediction_probability": AzureKey("the same as `score`: of the positive class"),
        "actual": AzureKey("the true label or number"),
    },
    "metric_thresholds": {
        "numerical": AS_IN_AZURE,
        "categorical": AS_IN_AZURE,
        "classification": AzureKey("as in Azure; `tabular_classification` is the same"),
        "regression": AzureKey("as in Azure; `tabular_regression` is the same"),
        "threshold": AzureKey("of a custom signal's metric; beside `numerical` it is refused, as Azure would drop it"),
        "data_type": AzureKey("refused, as Azure would drop it: `numerical` and `categorical` say it"),
        "metric_name": AzureKey("of a custom signal's metric: any name"),
        "groundedness": PASS_RATE,
        "relevance": PASS_RATE,
        "coherence": PASS_RATE,
        "fluency": PASS_RATE,
        "similarity": PASS_RATE,
        "totaltoken": AzureKey("`total_token_count` and `total_token_count_per_group`"),
    },
})  # fmt: skip
"""By block, then by key."""

QUALITY = "adds the baseline's own rate to the threshold (`relative_to: baseline` does that here)"
BINS = "equal-width bins laid over both datasets; a row with any null counts for no feature"
JOINED = "counts only rows that an inner join with the labels leaves"

TOKENS = "adds up the spans of its traces; here the counts that each request logged"
METRICS_IN_AZURE: Mapping[str, str] = MappingProxyType({
    "jensen_shannon_distance": f"{BINS}; here the baseline's deciles, and nulls are a bin",
    "population_stability_index": f"{BINS}, and 1 is added to every count but not to the total; here ½ to both",
    "normalized_wasserstein_distance": "the same number, but a row with any null counts for no feature",
    "two_sample_kolmogorov_smirnov_test": "the same p-value, but refuses 10,000 rows or more",
    "pearsons_chi_squared_test": "takes the baseline's shares for exact, so its p-values are smaller; a value that is "
    "new in production makes it 0",
    "null_value_rate": QUALITY,
    "data_type_error_rate": f"{QUALITY}; nulls are first replaced by the median or the most frequent value",
    "out_of_bounds_rate": f"{QUALITY}; of categories only texts are looked at",
    "normalized_discounted_cumulative_gain": "explains a LightGBM surrogate of each side; here attribution columns "
    "win, and the surrogate is Spark's on a bounded sample",
    "accuracy": JOINED,
    "precision": JOINED,
    "recall": JOINED,
    "mean_absolute_error": JOINED,
    "mean_squared_error": JOINED,
    "root_mean_squared_error": JOINED,
    "total_token_count": TOKENS,
    "total_token_count_per_group": TOKENS,
})  # fmt: skip
"""What is another number in Azure, by the metric's canonical name."""
