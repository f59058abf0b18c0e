"""How a custom signal is written: a component of the user's own, what it is called with, and how its metrics breach."""

import math
import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ValidationError, WrapValidator
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

from engine.definitions.data_keys import CONTEXTS, InputData, ReferenceData
from engine.definitions.shape import Complaint, Shape, complain, errors_of, key, reject
from engine.definitions.threshold_keys import ThresholdKeys
from engine.definitions.words import Name, OneOf, Properties, Text
from engine.monitor import Connection

__all__ = ["ConnectionKeys", "CustomInput", "CustomSignal", "CustomThreshold", "LiteralInput"]

ENVIRONMENT_NAME = re.compile(r"(?:\$\{([A-Za-z_]\w*)\}|(?:env:)?([A-Za-z_]\w*))", re.ASCII)


class CustomInput(ReferenceData):
    """A dataset that a component is called with, by the name that it stands under."""

    input_data: InputData | None = key(
        "input_data", "input_dataset", default=None, description="Where the rows are; the model's data when left out."
    )
    data_context: Annotated[str, CONTEXTS] | None = key(
        "data_context",
        "dataset_context",
        default=None,
        description="What the dataset is to the model. `training`, `validation` and `test` data are used whole unless "
        "they have a `data_window`; other data is cut to the trigger's window where it has a timestamp.",
    )


def _scalar(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise complain(f"{value!r} is not a finite number")
    if not isinstance(value, str | int | float | None):
        raise complain(f"{value!r} is neither text, nor a number, nor true or false")
    return value


class LiteralInput(Shape):
    """A value to hand over as it is, or a path to look up. A bare value is short for `{value: …}`."""

    type: Annotated[str, OneOf(("literal", "uri_file", "uri_folder", "mltable"))] | None = key(
        default=None, description="`literal`, or Azure's kind of asset for a path."
    )
    value: Annotated[Any, BeforeValidator(_scalar, json_schema_input_type=str | bool | float)] = key(
        default=None, description="A text, a number, `true` or `false`."
    )
    path: Name | None = key(
        default=None, description="A path, relative to the YAML file, or `azureml:name:version`; handed over as text."
    )
    mode: Text | None = key(default=None, description="Accepted for Azure's sake; data is read where it is.")

    def complaints(self) -> Iterator[Complaint]:
        if self.value is None and self.path is None:
            yield Complaint(("value",), "is missing", "give a value or a path")
        if self.value is not None and self.path is not None:
            yield Complaint(("path",), "cannot go with value", "keep one of them")


Literally = Annotated[
    LiteralInput,
    BeforeValidator(
        lambda value: value if isinstance(value, dict | LiteralInput) else {"value": value},
        json_schema_input_type=str | bool | float | LiteralInput,
    ),
]


class ConnectionKeys(Shape):
    """Environment variables that are set while the component runs, and only then."""

    environment_variables: Properties = key(default_factory=dict, description="Variables with their values.")
    secret_config: Properties = key(
        default_factory=dict,
        description="Variables with the name of the one, in driftline's own environment, that holds the secret: "
        "`OPENAI_API_KEY: MY_KEY` or `${MY_KEY}`. The secret itself is written down nowhere.",
    )

    def complaints(self) -> Iterator[Complaint]:
        for name, reference in self.secret_config.items():
            if not ENVIRONMENT_NAME.fullmatch(reference):  # it may be the secret, and is not said
                hint = "keep the secret in driftline's environment, and give the name of its variable"
                yield Complaint(("secret_config", name), "is not the name of an environment variable", hint)
            if name in self.environment_variables:
                yield Complaint(("secret_config", name), "is in environment_variables too", "keep one of them")

    @property
    def connection(self) -> Connection:
        """The variables that are meant."""
        matches = {name: ENVIRONMENT_NAME.fullmatch(text) for name, text in self.secret_config.items()}
        secrets = {name: match[1] or match[2] for name, match in matches.items() if match}
        return Connection(dict(self.environment_variables), secrets)


class CustomThreshold(ThresholdKeys):
    """A metric of the component, and when it breaches: by default when it is above its threshold."""

    metric_name: Name = key(description="What the component calls it.")

    def complaints(self) -> Iterator[Complaint]:
        # Without a threshold of its own a metric is judged by the one that the component returns.
        yield from (each for each in super().complaints() if each.key != ("threshold",) or self.relative_to)
        if self.relative_to:
            yield Complaint(("relative_to",), "a component's metric has no value of the baseline to be added to")
        if self.label:
            hint = "the component returns a group, or a group_dimension, for each class"
            yield Complaint(("label",), f"{self.metric_name} is not a metric of one class", hint)


def _by_name(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Thresholds by the metric's name as a list of them; errors stand at the name."""
    if not isinstance(value, dict):
        return handler(value)
    found: list[CustomThreshold] = []
    wrong: list[Any] = []
    for name, written in value.items():
        keys = written if isinstance(written, dict) else {"threshold": written}
        try:
            found.append(CustomThreshold.model_validate({**keys, "metric_name": name}))
        except ValidationError as error:
            wrong += [{**each, "loc": (name, *each.get("loc", ()))} for each in errors_of(error)]
    if wrong:
        raise reject("metrics", [], wrong)
    return tuple(found)


CustomThresholds = Annotated[
    tuple[CustomThreshold, ...],
    WrapValidator(
        _by_name, json_schema_input_type=tuple[CustomThreshold, ...] | dict[str, float | ThresholdKeys | None]
    ),
]


class CustomSignal(Shape):
    """What does a function of your own say of the data?"""

    type: Literal["custom"] = key(description="`custom`.")
    component_id: Name = key(
        description="The component: `azureml:name:version`, a name in `assets.yaml`, or `module:function` of a file in "
        "`components/`."
    )
    input_data: dict[Name, CustomInput] = key(
        "input_data",
        "input_datasets",
        default_factory=dict,
        description="Datasets by the name of the argument that the component gets each in, as a Spark DataFrame.",
    )
    inputs: dict[Name, Literally] = key(
        default_factory=dict, description="Values by the name of the argument that the component gets each in."
    )
    connection: ConnectionKeys | None = key(
        "connection", "workspace_connection", default=None, description="The component's environment variables."
    )
    metric_thresholds: CustomThresholds = key(
        description="The component's metrics, as a list, or by name. It gets each `threshold` as the argument "
        "`<metric_name>_threshold`."
    )
    alert_enabled: bool | None = key(
        default=None, description="Whether breaches alert; true when the monitor has an `alert_notification`."
    )
    properties: Properties = key(default_factory=dict, description="Anything you want to keep with the signal.")

    def complaints(self) -> Iterator[Complaint]:
        if not self.metric_thresholds:
            yield Complaint(("metric_thresholds",), "is empty", "name each metric that the component returns")
        for name in self.input_data.keys() & self.inputs.keys():
            yield Complaint(("inputs", name), "is the name of a dataset in input_data, too", "rename one of them")
        had: set[str] = set()
        for place, threshold in enumerate(self.metric_thresholds):
            if threshold.metric_name in had:
                said = f"{threshold.metric_name} has a threshold already"
                yield Complaint(("metric_thresholds", place, "metric_name"), said, "keep one of them")
            had.add(threshold.metric_name)
