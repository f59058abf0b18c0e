"""How a monitor file is written: Azure ML's schedule schema."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from engine.definitions.alert_keys import Alerting, Recipients
from engine.definitions.downtime_keys import DowntimeKeys
from engine.definitions.shape import Complaint, Shape, complain, key
from engine.definitions.signal_keys import SignalKeys
from engine.definitions.trigger_keys import TriggerKeys
from engine.definitions.words import Name, OneOf, Properties, Text

__all__ = ["Compute", "CreateMonitor", "MonitoringTarget", "Schedule"]

TASKS = OneOf(
    ("classification", "regression", "ranking", "question_answering"),
    {
        "tabular_classification": "classification",
        "tabular_regression": "regression",
        "questionanswering": "question_answering",
    },
)
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$"


def _name(text: str) -> str:
    if not re.match(NAME, text):
        raise complain(f"{text!r} is not a name", "letters, digits, '_', '-' and '.', starting with a letter or digit")
    return text


MonitorName = Annotated[str, AfterValidator(_name), Field(json_schema_extra={"pattern": NAME})]


class Compute(Shape):
    """Accepted for Azure's sake: Spark runs where driftline is started."""

    compute_type: Text | None = key(default=None, description="Not used.")
    instance_type: Text | None = key(default=None, description="Not used.")
    runtime_version: Text | None = key(default=None, description="Not used.")


class MonitoringTarget(Shape):
    """Which model is monitored: a file in `models/` says where its data is."""

    ml_task: Annotated[str, TASKS] | None = key(default=None, description="What the model does.")
    model_id: Name | None = key(default=None, description="The model's name: `name`, or `azureml:name:version`.")
    endpoint_deployment_id: Name | None = key(
        default=None, description="One of the model's `endpoint_deployment_ids`: `azureml:endpoint:deployment`."
    )


class CreateMonitor(Shape):
    """The monitor itself."""

    compute: Compute = key(default=Compute(), description="Accepted for Azure's sake, and not used.")
    monitoring_target: MonitoringTarget = key(default=MonitoringTarget(), description="Which model is monitored.")
    monitoring_signals: dict[Name, SignalKeys] | None = key(
        default=None,
        description="Signals by a name of your choice. Without them a monitored model gets `data_drift`, "
        "`prediction_drift` and `data_quality` over all features with default metrics, and one that answers questions "
        "`token_usage`, its token statistics.",
    )
    alert_notification: Recipients = key(
        default=None, description="Who hears of a breach; `azmonitoring` is accepted and means nobody in particular."
    )
    alerting: Alerting = key(default=Alerting(), description="When breaches become an alert.")
    downtime: DowntimeKeys | None = key(default=None, description="Hours in which a server does not evaluate it.")

    def complaints(self) -> Iterator[Complaint]:
        if self.monitoring_signals is not None and not self.monitoring_signals:
            yield Complaint(
                ("monitoring_signals",), "is empty", "name a signal, or leave the key out for the default three"
            )


class Schedule(Shape):
    """A monitor: what to watch, when, and whom to tell."""

    schema_: str | None = key("$schema", default=None, description="Not used.")
    name: MonitorName = key(description="The monitor's name, unique among all monitors.")
    display_name: Text | None = key(default=None, description="Its name for people.")
    description: Text | None = key(default=None, description="What it is for.")
    tags: Properties = key(default_factory=dict, description="Anything you want to keep with the monitor.")
    properties: Properties = key(default_factory=dict, description="Accepted for Azure's sake; `tags` are kept.")
    id: Text | None = key(default=None, description="Azure's name for a schedule that it has; not used.")
    is_enabled: bool = key(default=True, description="Accepted where it is `true`.")
    creation_context: dict[str, Any] | None = key(default=None, description="Azure's record of it; not used.")
    provisioning_state: Text | None = key(default=None, description="Azure's record of it; not used.")
    trigger: TriggerKeys = key(description="When it runs.")
    create_monitor: CreateMonitor = key(description="What it does then.")

    def complaints(self) -> Iterator[Complaint]:
        if not self.is_enabled:
            hint = "move the file out of the folder, and back when it is to run again"
            yield Complaint(("is_enabled",), "false is not kept: driftline runs the monitors that it is given", hint)
