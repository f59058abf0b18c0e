"""Which names of a schedule stand for nothing yet, and what to add so that they do."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.definitions.library import Library
from engine.definitions.unknown import UnknownNameError
from jobs.tidy_yaml import yaml_text

__all__ = ["COMPONENTS", "Needs", "needs_of", "shortened"]

ASSETS = "assets.yaml"
COMPONENTS = ("component_id", "pre_processing_component", "scoring_component")
"""Keys that name a component."""
VERSIONED = re.compile(r"(?:azureml:)?/.*/(?:data|components|models)/([^/]+)/versions/([^/]+)")
DEPLOYED = re.compile(r"(?:azureml:)?/.*/onlineEndpoints/([^/]+)/deployments/([^/]+)", re.IGNORECASE)
"""Azure's resource ids, in a workspace or a registry."""


@dataclass(frozen=True)
class Needs:
    """What is missing in a library.

    Attributes:
        models: files of models, by their path from the library's root.
        assets: entries of `assets.yaml`, by the name that is missing.
        components: the same.
    """

    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    assets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    components: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])

    def __bool__(self) -> bool:
        return bool(self.models or self.assets or self.components)

    def __or__(self, other: "Needs") -> "Needs":
        return Needs(
            {**self.models, **other.models},
            {**self.assets, **other.assets},
            {**self.components, **other.components},
        )

    def snippets(self) -> dict[str, str]:
        """What to paste: YAML by the file that it belongs in, from the library's root."""
        found = {path: yaml_text(document) for path, document in self.models.items()}
        entries = {"assets": [*self.assets.values()], "components": [*self.components.values()]}
        if any(entries.values()):
            found[ASSETS] = yaml_text({name: each for name, each in entries.items() if each})
        return found


def needs_of(schedule: Mapping[str, Any], library: Library) -> Needs:
    """What a tidy schedule names and the library does not have."""
    models = _model(schedule, library)
    blocks = list(_blocks([schedule, *models.values()]))
    assets = {name: _asset(name, block) for name, block in _data(blocks) if _unknown(library.asset, name)}
    components = {name: _component(name) for name in _components(blocks) if _unknown(library.component, name)}
    return Needs(models, assets, components)


def shortened(value: Any) -> Any:
    """With names where Azure's resource ids stand: that is what it shows of a schedule that it has."""
    if isinstance(value, dict):
        return {name: shortened(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shortened(each) for each in value]
    if not isinstance(value, str):
        return value
    found = VERSIONED.fullmatch(value) or DEPLOYED.fullmatch(value)
    return f"azureml:{found[1]}:{found[2]}" if found else value


def _unknown(find: Callable[[str], Any], name: str) -> bool:
    try:
        find(name)
    except UnknownNameError:
        return True
    return False


def _blocks(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every block of keys, however deep."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _blocks(each)


def _data(blocks: list[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for block in blocks:
        path = block.get("path")
        if isinstance(path, str) and re.match("azureml:(?!/)", path):  # other addresses are no names
            yield path, block


def _components(blocks: list[Mapping[str, Any]]) -> Iterator[str]:
    for block in blocks:
        yield from (block[key] for key in COMPONENTS if key in block)


def _asset(name: str, block: Mapping[str, Any]) -> dict[str, Any]:
    plain, version = _parts(name)
    return {
        "name": plain,
        "version": version,
        "type": block.get("type", "uri_folder"),
        "path": f"../data/{plain}",
    }


def _component(name: str) -> dict[str, Any]:
    plain, version = _parts(name)
    module = re.sub(r"^(?=\d)", "_", re.sub(r"\W", "_", plain, flags=re.ASCII))
    return {"name": plain, "version": version, "entry": f"{module}:run"}


def _parts(name: str) -> tuple[str, str | int]:
    """``azureml:name:version`` or ``azureml:name@label`` as name and version."""
    plain, _, version = name.removeprefix("azureml:").replace("@", ":").partition(":")
    if version in {"", "latest"}:
        return plain, 1
    return plain, int(version) if version.isdecimal() else version


def _model(schedule: Mapping[str, Any], library: Library) -> dict[str, dict[str, Any]]:
    """A file of the model that is monitored, where there is none of it, for what Azure's data collector writes."""
    target: Mapping[str, str] = schedule["create_monitor"].get("monitoring_target", {})
    deployment, model_id = target.get("endpoint_deployment_id"), target.get("model_id")
    asked = [(name, find) for name, find in ((deployment, library.deployed), (model_id, library.model)) if name]
    if not asked or not all(_unknown(find, name) for name, find in asked):
        return {}
    name = _parts(model_id or deployment or "")[0]
    stem = (deployment or name).removeprefix("azureml:").replace(":", "-")
    document = {
        "name": name,
        **({"ml_task": target["ml_task"]} if "ml_task" in target else {}),
        **({"endpoint_deployment_ids": deployment} if deployment else {}),
        "data_column_names": {"correlation_id": "correlationid", "timestamp": "time"},
        "model_inputs": {"input_data": {"path": f"azureml:{stem}-model_inputs:1"}},
        "model_outputs": {
            "input_data": {"path": f"azureml:{stem}-model_outputs:1"},
            "data_column_names": {"prediction": _prediction(schedule)},
        },
    }
    return {f"models/{name}.yaml": document}


def _prediction(schedule: Mapping[str, Any]) -> str:
    """What the prediction is called, or else the target, wherever the schedule says it."""
    blocks = list(_blocks(schedule))
    named = [block[role] for role in ("prediction", "actual") for block in blocks if isinstance(block.get(role), str)]
    return named[0] if named else "prediction"
