"""Definitions that several tests read: the monitors of Azure's documents, and a model for them."""

MODEL = """
name: credit
ml_task: classification
endpoint_deployment_ids: azureml:credit-default:main
data_column_names: {timestamp: at, correlation_id: id}
model_inputs: {input_data: {path: ../data/in}}
model_outputs:
  input_data: {path: ../data/out}
  data_column_names: {prediction: default, score: p}
ground_truth:
  input_data: {path: azureml:truth:2}
  data_column_names: {target_column: defaulted, join_column: key, timestamp: known}
baseline:
  input_data: {path: azureml:credit-reference:1, type: mltable}
  data_column_names: {target_column: DEFAULT_NEXT_MONTH}
"""

ASSETS = """
assets:
  - {name: truth, version: 1, path: data/truth-1}
  - {name: truth, version: 2, path: data/truth-2, format: csv, options: {header: true}}
  - {name: credit-reference, version: 1, type: mltable, path: s3://bucket/ref}
"""

DAILY = "trigger: {type: recurrence, frequency: day, interval: 1}\n"


OUT_OF_BOX = """\
$schema:  http://azureml/sdk-2-0/Schedule.json
name: credit_default_model_monitoring
display_name: Credit default model monitoring
description: Credit default model monitoring setup with minimal configurations
trigger:
  type: recurrence
  frequency: day
  interval: 1
  schedule:
    hours: 3
    minutes: 15
create_monitor:
  compute:
    instance_type: standard_e4s_v3
    runtime_version: 3.4
  monitoring_target:
    ml_task: classification
    endpoint_deployment_id: azureml:credit-default:main
  alert_notification:
    emails:
      - abc@example.com
      - def@example.com
"""

PERFORMANCE = """\
$schema:  http://azureml/sdk-2-0/Schedule.json
name: model_performance_monitoring
display_name: Credit card fraud model performance
description: Credit card fraud model performance
trigger:
  type: recurrence
  frequency: day
  interval: 7
  schedule:
    hours: 10
    minutes: 15
create_monitor:
  compute:
    instance_type: standard_e8s_v3
    runtime_version: "3.3"
  monitoring_target:
    ml_task: classification
    endpoint_deployment_id: azureml:credit-default:main
  monitoring_signals:
    fraud_detection_model_performance:
      type: model_performance
      production_data:
        data_column_names:
          prediction: is_fraud
          correlation_id: correlation_id
      reference_data:
        input_data:
          path: azureml:truth:1
          type: mltable
        data_column_names:
          actual: is_fraud
          correlation_id: correlation_id
        data_context: actuals
      alert_enabled: true
      metric_thresholds:
        tabular_classification:
          accuracy: 0.95
          precision: 0.8
  alert_notification:
      emails:
        - abc@example.com
"""

ADVANCED = """
name: fraud_detection_model_monitoring
trigger: {type: recurrence, frequency: day, interval: 1, schedule: {hours: 3, minutes: 15}}
create_monitor:
  compute: {instance_type: standard_e4s_v3, runtime_version: "3.3"}
  monitoring_target:
    ml_task: classification
    endpoint_deployment_id: azureml:credit-default:main
  monitoring_signals:
    advanced_data_drift:
      type: data_drift
      reference_data:
        input_data: {path: azureml:credit-reference:1, type: mltable}
        data_context: training
        data_column_names: {target_column: DEFAULT_NEXT_MONTH}
      features: {top_n_feature_importance: 10}
      metric_thresholds:
        numerical: {jensen_shannon_distance: 0.01}
        categorical: {pearsons_chi_squared_test: 0.02}
    advanced_data_quality:
      type: data_quality
      reference_data:
        input_data: {path: azureml:credit-reference:1, type: mltable}
        data_context: training
      features: [SEX, EDUCATION]
      metric_thresholds:
        numerical: {null_value_rate: 0.05}
        categorical: {out_of_bounds_rate: 0.03}
    feature_attribution_drift_signal:
      type: feature_attribution_drift
      reference_data:
        input_data: {path: azureml:credit-reference:1, type: mltable}
        data_context: training
        target_column_name: DEFAULT_NEXT_MONTH
      metric_thresholds: {normalized_discounted_cumulative_gain: 0.9}
  alert_notification: {emails: [abc@example.com]}
"""

COLLECTED = """
name: fraud_detection_model_monitoring
trigger: {type: recurrence, frequency: day, interval: 1, schedule: {hours: 3, minutes: 15}}
create_monitor:
  monitoring_target:
    ml_task: classification
    endpoint_deployment_id: azureml:credit-default:main
  monitoring_signals:
    advanced_prediction_drift:
      type: prediction_drift
      production_data:
        input_data: {path: azureml:truth:1, type: uri_folder}
        data_context: model_outputs
        pre_processing_component: azureml:production_data_preprocessing:1.0.0
        data_column_names: {target_column: is_fraud}
      reference_data:
        input_data: {path: azureml:credit-reference:1, type: mltable}
        data_context: validation
        data_column_names: {target_column: was_fraud}
      alert_enabled: "true"
      metric_thresholds:
        categorical: {pearsons_chi_squared_test: 0.02}
"""

SPELLINGS = [
    (
        "{type: data_drift, filters: {feature: age, operator: greater_than_or_equal, value: '30'}}",
        "{type: data_drift, filters: [{dimensionType: featureLabel, name: age, operator: greaterThanOrEqual,"
        " values: [30]}]}",
    ),
    (
        "{type: data_drift, filters: [{tag: region, value: eu}, {tag: region, operator: not_equals, values: [a, b]}]}",
        "{type: data_drift, filters: [{dimension: tag, name: region, operator: ==, value: eu},"
        " {dimension_type: tagLabel, name: region, operator: '!=', values: [a, b]}]}",
    ),
    (
        "{type: data_drift, data_segment: {feature_name: state, feature_values: [CA, true, 1.5]}}",
        "{type: data_drift, filters: {feature: state, operator: in, values: [CA, 'true', '1.5']}}",
    ),
    (
        "{type: model_performance, reference_data: {data_context: ground_truth}}",
        "{type: model_performance, reference_data: {data_context: actuals}}",
    ),
    (
        "{type: model_performance, metric_thresholds: {classification: {recall: 0.1}}}",
        "{type: model_performance, metric_thresholds: {tabular_classification: {sensitivity: 0.1}}}",
    ),
    (
        "{type: model_performance, metric_thresholds: {regression: {mae: 1, mse: 2, rmse: 3}}}",
        "{type: model_performance, metric_thresholds: {tabular_regression:"
        " {mean_absolute_error: 1, mean_squared_error: 2, root_mean_squared_error: 3}}}",
    ),
    (
        "{type: data_drift, metric_thresholds: {categorical: {chi_squared_test: 0.02}}}",
        "{type: data_drift, metric_thresholds: {categorical: {PearsonsChiSquaredTest: 0.02}}}",
    ),
    (
        "{type: data_drift, production_data: {data_window: {window_start: 2013-01-01, window_end: 2013-01-02}}}",
        "{type: data_drift, production_data:"
        " [{data_window: {window_start_date: '2013-01-01', window_end_date: '2013-01-02T00:00:00Z'}}]}",
    ),
    (
        "{type: data_drift, production_data: {data_window: {lookback_window_size: P3D}}}",
        "{type: data_drift, production_data: {data_window: {data_window_size: P3D}}}",
    ),
    (
        "{type: prediction_drift, production_data: {data_column_names: {prediction: y, correlation_id: k}}}",
        "{type: prediction_drift, production_data: {data_column_names: {target_column: y, join_column: k}}}",
    ),
    ("{type: data_drift, alert_enabled: false}", "{type: data_drift, alert_enabled: 'False'}"),
    ("{type: data_drift, min_rows: 5}", "{type: data_drift, min_rows: '5'}"),
]
"""Pairs of signals that mean the same."""

COMPONENTS = """
name: components_of_our_own
trigger: {type: recurrence, frequency: day, interval: 7}
create_monitor:
  monitoring_signals:
    mine:
      type: custom
      component_id: azureml:mine:1
      input_data:
        production_data:
          input_data: {type: uri_folder, path: azureml:truth:1}
          data_context: test
          data_window: {lookback_window_size: P30D, lookback_window_offset: P7D}
      inputs: {word: x, number: {type: literal, value: 2}, file: {type: uri_file, path: azureml:truth:2}}
      connection: {environment_variables: {A: x}, secret_config: {B: C}}
      metric_thresholds:
        - {metric_name: std_deviation, threshold: 2}
        - {metric_name: mean, low: 0, high: 1}
    others:
      type: custom
      component_id: mine:run
      input_datasets: {rows: {input_dataset: {path: azureml:truth:1}, dataset_context: test}}
      metric_thresholds: {a: 1, b: {dynamic: true}, c: null}
    tokens:
      type: generation_token_statistics
      production_data: {input_data: {path: azureml:truth:1}, data_column_names: {prompt_tokens: p, group: g}}
      metric_thresholds: {totaltoken: {total_token_count: 0, total_token_count_per_group: 0}}
    answers:
      type: generation_safety_quality
      production_data:
        - {input_data: {path: azureml:truth:1}, data_column_names: {prompt_column: q, correlation_id: id}}
        - {input_data: {path: azureml:truth:2}, data_column_names: {completion_column: a, correlation_id: id}}
      scoring_component: azureml:mine:1
      sampling_rate: 0.5
      metric_thresholds:
        fluency: {aggregated_fluency_pass_rate: 0.5, acceptable_fluency_score_per_instance: 3}
"""
