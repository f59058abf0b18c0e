"""What does a user want monitored? YAML in Azure ML's schedule schema, read into `engine.monitor.Monitor`."""

from engine.definitions.json_schema import json_schema
from engine.definitions.loading import load_all, load_monitor, monitor_from

__all__ = ["json_schema", "load_all", "load_monitor", "monitor_from"]
