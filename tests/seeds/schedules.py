"""Schedules with the keys of those that the seed refers to and does not quote: Azure's shapes, in words of ours."""

OUT_OF_BOX = """\
$schema:  http://azureml/sdk-2-0/Schedule.json
name: credit_smallest_monitor
display_name: The smallest credit monitor
description: Names the deployment and whom to tell

trigger:
  type: recurrence
  frequency: day
  interval: 1
  schedule:
    hours: 3
    minutes: 15

create_monitor:

  compute:
    instance_type: standard_e8s_v3
    runtime_version: "3.3"

  monitoring_target:
    ml_task: classification
    endpoint_deployment_id: azureml:credit-default:main

  alert_notification:
    emails:
      - night.shift@example.com
"""

ADVANCED = """\
$schema:  http://azureml/sdk-2-0/Schedule.json
name: credit_three_signals
display_name: Credit in three signals
description: Drift of the ten that matter, quality of two, and what matters at all

trigger:
  type: recurrence
  frequency: day
  interval: 1
  time_zone: utc
  schedule:
    hours: 3
    minutes: 15

create_monitor:
  compute:
    instance_type: standard_e4s_v3
    runtime_version: "3.4"

  monitoring_target:
    ml_task: classification
    endpoint_deployment_id: azureml:credit-default:main

  monitoring_signals:
    drift_of_ten:
      type: data_drift
      reference_data:
        input_data:
          path: azureml:credit-reference:1
          type: mltable
        data_context: training
        data_column_names:
          target_column: DEFAULT_NEXT_MONTH
      features:
        top_n_feature_importance: 10
      metric_thresholds:
        numerical:
          jensen_shannon_distance: 0.35
        categorical:
          pearsons_chi_squared_test: 0.001
    quality_of_two:
      type: data_quality
      reference_data:
        input_data:
          path: azureml:credit-reference:1
          type: mltable
        data_context: training
      features:
        - SEX
        - EDUCATION
      metric_thresholds:
        numerical:
          null_value_rate: 0.05
        categorical:
          out_of_bounds_rate: 0.03

    what_matters:
      type: feature_attribution_drift
      reference_data:
        input_data:
          path: azureml:credit-reference:1
          type: mltable
        data_context: training
        target_column_name: DEFAULT_NEXT_MONTH
      metric_thresholds:
        normalized_discounted_cumulative_gain: 0.85

  alert_notification:
    emails:
      - night.shift@example.com
"""

COLLECTED_DATA = """\
$schema:  http://azureml/sdk-2-0/Schedule.json
name: fraud_from_anywhere
display_name: Fraud, from anywhere
description: Data that no collector has collected

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
    runtime_version: "3.3"
  monitoring_target:
    ml_task: classification
    endpoint_deployment_id: azureml:fraud-detection-endpoint:fraud-detection-deployment

  monitoring_signals:

    inputs_drift:
      type: data_drift
      production_data:
        input_data:
          path: azureml:my_production_inference_data_model_inputs:1
          type: uri_folder
        data_context: model_inputs
        pre_processing_component: azureml:production_data_preprocessing:1.0.0
      reference_data:
        input_data:
          path: azureml:my_model_training_data:1
          type: mltable
        data_context: training
        data_column_names:
          target_column: is_fraud
      features:
        top_n_feature_importance: 20
      alert_enabled: true
      metric_thresholds:
        numerical:
          jensen_shannon_distance: 0.1
        categorical:
          pearsons_chi_squared_test: 0.001

    outputs_drift:
      type: prediction_drift
      production_data:
        input_data:
          path: azureml:my_production_inference_data_model_outputs:1
          type: uri_folder
        data_context: model_outputs
        pre_processing_component: azureml:production_data_preprocessing:1.0.0
      reference_data:
        input_data:
          path: azureml:my_model_validation_data:1
          type: mltable
        data_context: validation
      alert_enabled: true
      metric_thresholds:
        categorical:
          pearsons_chi_squared_test: 0.001

  alert_notification:
    emails:
      - night.shift@example.com
      - risk@example.com
"""
