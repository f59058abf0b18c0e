"""What `docs/yaml.md` says: every key of a monitor, a model and the assets, from the models that read them."""

from collections.abc import Iterator
from typing import Any

from engine.definitions.json_schema import schema_of
from engine.definitions.mltable_keys import MLTableFile
from engine.definitions.model_keys import Assets, Model
from engine.definitions.monitor_keys import Schedule
from engine.definitions.shape import Shape

__all__ = ["page", "sections"]

INTRODUCTION = """\
# Monitors in YAML

A monitor is a YAML file in the schedule schema of Azure Machine Learning's model monitoring (`az ml schedule create
-f …`). What Azure cannot say is an optional key of ours. `driftline validate conf/` names every problem of every file
at once; the first line of the samples lets an editor complete keys and metrics as you type:

```yaml
# yaml-language-server: $schema=../schema.json
```

| file | what |
|---|---|
| `monitors/*.yaml` | one [monitor](#schedule) each |
| `models/*.yaml` | one [model](#model) each: where its data is, so that monitors need not repeat it |
| `assets.yaml` | [names](#assets) for paths and for functions of your own: what `azureml:name:version` stands for |
| `MLTable`, beside the data | [which files](#mltables) a table is made of, and what becomes of their columns |
| `components/*.py` | functions of your own; one is named there, or where it is used as `module:function` |

Relative paths are relative to the file they stand in. `models/` and `assets.yaml` are looked for in the nearest folder
above the monitor that has either.

## What is filled in

* **Data.** A signal without `production_data` watches the monitored model's inputs (data drift, data quality) or its
  outputs (prediction drift, performance). Without `reference_data` it is compared with the model's baseline, or, where
  the model has none, with the recent past: the window twice as long that ends where the production window starts.
  Performance is measured against the model's ground truth. A data block that leaves out `input_data` changes only what
  it says: a window, a column's role. Prediction drift compares `prediction` and `score` with the same roles of the
  reference; a reference without `prediction` is compared by its target.
* **Windows.** A window ends `lookback_window_offset` before the scheduled time and is `lookback_window_size` long; days
  are UTC days, months and years those of the calendar. A reference dataset without a window is used whole. What is left
  out, or written as `default`, comes from the trigger, of interval i:

  | trigger | production | reference |
  |---|---|---|
  | minute, hour | `P1D`, offset `P0D` | `P2D`, offset `P1D` |
  | day | `P{i}D`, offset `P0D` | `P{2i}D`, offset `P{i}D` |
  | week | `P{7i}D`, offset `P0D` | `P{14i}D`, offset `P{7i}D` |
  | month | `P{30i}D`, offset `P0D` | `P{60i}D`, offset `P{30i}D` |
  | cron | `P7D`, offset `P0D` | `P14D`, offset `P7D` |

* **Triggers.** Intervals count from `start_time`, or from 1970-01-01 (weeks from Monday, 1969-12-29) in the trigger's
  time zone. A local time that a clock change skips is shifted forward, one that it repeats counts once.
* **Downtimes.** What falls due from a downtime's start on, and before its hours are over, is not evaluated, nor made up
  for later, after a restart neither; only one that is taken out of the file while it goes on leaves times that were
  missed. Alerts stay as they stand. A `start` without an offset is on the wall clock of the trigger's time zone. With
  `every_days` it begins again at that time of the wall clock, in summer as in winter, and a time that a clock change
  skips or repeats is read as a trigger's; its hours are real ones, so that in a night with a clock change it ends an
  hour earlier or later on the wall clock. Whatever is asked for by hand (`driftline run`, `backfill`, `runs retry`) is
  evaluated. `driftline next` says which times fall into a downtime.
* **Thresholds.** A number is a bound in the metric's bad direction ([metrics](metrics.md)); the tests of drift are
  p-values and breach when lower. Null records a metric without judging it. Without any metric a signal has
  its defaults.
* **Filters.** `data_segment` and `filters` restrict a signal to some of the rows, of production and of the reference
  alike; a row has to pass all of them. Without an operator a filter asks for equality. Numbers are compared as numbers
  where the column holds numbers (`"30"` is 30.0), times as times, texts as they are written, upper and lower case told
  apart. A null, a NaN and a value that is not of the column's type pass `not_equals` and nothing else, so that `equals`
  and `not_equals` together are all rows. What a column cannot answer (`greater_than` of a text) is an error, not an
  empty segment.
* **Alerts.** `alert_enabled` is true when the monitor has an `alert_notification`.

"""

PARTS = {"Monitors": Schedule, "Models": Model, "Assets": Assets, "MLTables": MLTableFile}
SAME = "The same as `"


def page() -> str:
    """The page, in Markdown."""
    text, told = INTRODUCTION, set[str]()
    for title, shape in PARTS.items():
        text += f"## {title}\n\n" + sections(shape, told)
    return text.rstrip() + "\n"


def sections(shape: type[Shape], told: set[str]) -> str:
    """A table of keys for the block and each that it leads to, but for those that were told before."""
    text, schema = "", schema_of(shape)
    for block, content in _blocks(shape.__name__, schema, schema.get("$defs", {})):
        if block not in told and "properties" in content:
            told.add(block)
            text += _section(block, content)
    return text


def _blocks(name: str, schema: dict[str, Any], defs: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The block and all that it leads to, in the order in which a reader meets them."""
    queue, seen = [(name, schema)], {name}
    while queue:
        block, content = queue.pop(0)
        yield block, content
        names = [found for found in _references(content.get("properties", content)) if found not in seen]
        queue[:0] = [(found, defs[found]) for found in dict.fromkeys(names)]
        seen.update(names)


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].removeprefix("#/$defs/")
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _section(name: str, schema: dict[str, Any]) -> str:
    properties = schema["properties"]
    others: dict[str, list[str]] = {}
    for key, content in properties.items():
        if content["description"].startswith(SAME):
            others.setdefault(content["description"].removeprefix(SAME).rstrip("`."), []).append(key)
    required = set(schema.get("required", [])) | {
        option["required"][0] for clause in schema.get("allOf", []) for option in clause["anyOf"]
    }
    rows = [
        f"| {_key(key, others.get(key, []))} | {_type(content)} | {_default(content, key in required)} "
        f"| {_cell(content['description'])} |"
        for key, content in sorted(properties.items(), key=lambda item: item[0] != "type")
        if not content["description"].startswith(SAME)
    ]
    table = "\n".join(["| key | type | default | meaning |", "|---|---|---|---|", *rows])
    return f"### {name}\n\n{' '.join(schema.get('description', '').split())}\n\n{table}\n\n"


def _key(key: str, others: list[str]) -> str:
    return f"`{key}`" + (f" (or {', '.join(f'`{other}`' for other in others)})" if others else "")


def _default(schema: dict[str, Any], required: bool) -> str:
    default = schema.get("default")
    if required:
        return "**required**"
    return f"`{default}`" if isinstance(default, str | int | float) else ""


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return f"[{name}](#{name.lower()})" if name != "Thresholds" else "number, [ThresholdKeys](#thresholdkeys)"
    for several in ("anyOf", "oneOf"):
        if several in schema:
            kinds = [_type(option) for option in schema[several] if option.get("type") != "null"]
            # Text that is read whether or not it is in quotes.
            return "text" if {"text", "boolean", "number"} <= set(kinds) else ", ".join(dict.fromkeys(kinds))
    if "enum" in schema:
        return _cell(", ".join(f"`{word}`" for word in schema["enum"]))
    if "const" in schema:
        return f"`{schema['const']}`"
    return _container(schema)


def _container(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    if kind == "array":
        return f"list of {_type(schema['items'])}"
    if kind == "object" and schema.get("properties"):
        return "metrics by name: number, [ThresholdKeys](#thresholdkeys)"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"by name: {_type(values)}" if isinstance(values, dict) else "mapping"
    if isinstance(kind, list):
        return str(kind[0])
    return "duration" if schema.get("pattern") == "^[pP]" else {"string": "text"}.get(str(kind), str(kind))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
