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
