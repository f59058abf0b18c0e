"""Does the published JSON Schema allow what the reader allows, and refuse what it refuses?"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.generate import PAGES
from engine.definitions import json_schema
from signals.metrics import METRICS
from tests.engine import definition_samples as samples

ROOT = Path(__file__).parents[2]
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
    "null": type(None),
}  # fmt: skip


def valid(value: Any, schema: Any, root: dict[str, Any]) -> bool:
    """Whether a value fits a schema, as far as ours go (https://json-schema.org/draft/2020-12)."""
    if isinstance(schema, bool):
        return schema
    return all(rule(value, schema[name], schema, root) for name, rule in RULES.items() if name in schema)


def of_type(value: Any, wanted: Any, *_: Any) -> bool:
    kinds = [wanted] if isinstance(wanted, str) else wanted
    return any(isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool)) for kind in kinds)


def fitting_keys(value: Any, properties: Any, schema: Any, root: Any) -> bool:
    rest = schema.get("additionalProperties", True)
    return not isinstance(value, dict) or all(
        valid(item, properties.get(key, rest), root) for key, item in value.items()
    )


RULES: dict[str, Any] = {
    "$ref": lambda value, name, _schema, root: valid(value, root["$defs"][name.removeprefix("#/$defs/")], root),
    "anyOf": lambda value, options, _schema, root: any(valid(value, option, root) for option in options),
    "allOf": lambda value, options, _schema, root: all(valid(value, option, root) for option in options),
    "oneOf": lambda value, options, _schema, root: sum(valid(value, option, root) for option in options) == 1,
    "enum": lambda value, words, *_: value in words,
    "const": lambda value, word, *_: value == word,
    "type": of_type,
    "pattern": lambda value, pattern, *_: not isinstance(value, str) or re.search(pattern, value) is not None,
    "minimum": lambda value, least, *_: isinstance(value, str) or value >= least,
    "maximum": lambda value, most, *_: isinstance(value, str) or value <= most,
    "minLength": lambda value, least, *_: not isinstance(value, str) or len(value) >= least,
    "required": lambda value, keys, *_: not isinstance(value, dict) or set(keys) <= value.keys(),
    "properties": fitting_keys,
    "propertyNames": lambda value, name, _schema, root: (
        not isinstance(value, dict) or all(valid(key, name, root) for key in value)
    ),
    "additionalProperties": lambda value, _rest, schema, root: fitting_keys(
        value, schema.get("properties", {}), schema, root
    ),
    "items": lambda value, item, _schema, root: not isinstance(value, list) or all(valid(x, item, root) for x in value),
}
KNOWN = {*RULES, "$defs", "$schema", "title", "description", "default", "discriminator"}


def fits(text: str) -> bool:
    schema = json_schema()
    return valid(yaml.safe_load(text), schema, schema)


def signal(keys: str) -> str:
    return f"name: m\n{samples.DAILY}create_monitor: {{monitoring_signals: {{s: {keys}}}}}\n"


def test_the_check_knows_every_word_of_the_schema() -> None:
    used: set[str] = set()

    def collect(schema: Any) -> None:
        for name, content in schema.items():
            used.add(name)
            if name in {"properties", "$defs"}:
                for part in content.values():
                    collect(part)
            elif name in {"anyOf", "oneOf", "allOf"}:
                for part in content:
                    collect(part)
            elif name in {"items", "additionalProperties"} and isinstance(content, dict):
                collect(content)

    collect(json_schema())
    assert used <= KNOWN


@pytest.mark.parametrize("path", PAGES)
def test_a_generated_file_is_current(path: str) -> None:
    """If this fails, run `make docs`."""
    assert (ROOT / path).read_text(encoding="utf-8") == PAGES[path]()


def test_the_flights_monitor_fits_and_names_the_schema() -> None:
    text = (ROOT / "conf" / "monitors" / "flights.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=../schema.json\n")
    assert fits(text)


@pytest.mark.parametrize("text", [samples.OUT_OF_BOX, samples.PERFORMANCE], ids=["out of box", "performance"])
def test_the_monitors_of_azures_documents_fit(text: str) -> None:
    assert fits(text)


@pytest.mark.parametrize("keys", [one for pair in samples.SPELLINGS for one in pair])
def test_every_spelling_of_a_signal_fits(keys: str) -> None:
    if "window_start" not in keys:  # YAML's dates are no JSON
        assert fits(signal(keys))


@pytest.mark.parametrize(
    "trigger",
    [
        "{type: recurrence, frequency: day, timezone: UTC, pattern: {hours: '3', minutes: [15], weekdays: monday}}",
        "{type: recurrence, frequency: month, interval: '2', time_zone: UTC, schedule: {month_days: [1]}}",
        "{type: cron, expression: 15 3 * * *}",
    ],
)
def test_every_spelling_of_a_trigger_fits(trigger: str) -> None:
    assert fits(f"name: m\ntrigger: {trigger}\ncreate_monitor: {{}}\n")


@pytest.mark.parametrize(
    "keys",
    [
        "{type: data_drift, metric_thresholds: {numerical: {jensen_shanon_distance: 0.1}}}",
        "{type: data_drift, metric_thresholds: {numerical: {accuracy: 0.1}}}",
        "{type: data_drift, metric_thresholds: {numerical: {psi: high}}}",
        "{type: data_drift, featurs: [a]}",
        "{type: data_drift, nulls: dorp}",
        "{type: data_drift, alert_enabled: maybe}",
        "{type: custom}",
        "{}",
    ],
)
def test_what_the_reader_refuses_does_not_fit(keys: str) -> None:
    assert not fits(signal(keys))


def test_an_editor_can_complete_every_metric_by_every_name() -> None:
    definitions = json_schema()["$defs"]
    written = [
        *(
            content
            for block in ("DriftThresholds", "QualityThresholds", "PerformanceThresholds", "TokenThresholds")
            for key, content in definitions[block]["properties"].items()
            if key != "features"
        ),
        definitions["FeatureAttributionDriftSignal"]["properties"]["metric_thresholds"],
    ]
    tables = [option["properties"] for content in written for option in content["anyOf"] if "properties" in option]
    completed = {name for table in tables for name in table}
    completed |= {name for name in definitions["AnswerThreshold"]["properties"] if name in METRICS}
    assert completed == {spelled for entry in METRICS.values() for spelled in (entry.name, *entry.aliases)}
