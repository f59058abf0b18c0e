"""What does Azure's own Python SDK make of a snippet, and which keys and words does its YAML have?

    python -m tests.seeds.azure_sdk dump SNIPPET FILE
    python -m tests.seeds.azure_sdk words
    python -m tests.seeds.azure_sdk zones

In a process of its own: the SDK warns, logs and counts as it likes, and here it can reach nobody.
"""

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

# What the snippet about production data of one's own expects to have been set before.
GIVEN = {"subscription_id": "s", "resource_group": "g", "workspace": "w"}


def offline(*_: Any, **__: Any) -> None:
    raise OSError("tests do not go online")


def dump(snippet: Path, file: Path) -> None:
    """Run the snippet as it stands, but for its client: that one dumps the schedule it is given."""
    import azure.ai.ml
    from azure.ai.ml.entities import MonitorSchedule

    def begin_create_or_update(schedule: MonitorSchedule) -> SimpleNamespace:
        schedule.dump(file)
        return SimpleNamespace(result=lambda: schedule)

    def client(*_: Any, **__: Any) -> SimpleNamespace:
        return SimpleNamespace(schedules=SimpleNamespace(begin_create_or_update=begin_create_or_update))

    azure.ai.ml.MLClient = client  # type: ignore[misc]
    exec(compile(snippet.read_text(encoding="utf-8"), snippet.name, "exec"), dict(GIVEN))


def words() -> dict[str, dict[str, list[str] | None]]:
    """Every key of the schedule's YAML by the schema it belongs to, with the words it allows where they are few."""
    from azure.ai.ml._schema.monitoring.schedule import MonitorScheduleSchema

    found: dict[str, dict[str, list[str] | None]] = {}
    waiting = [MonitorScheduleSchema(context={"base_path": "./"})]
    while waiting:
        schema = waiting.pop()
        name = type(schema).__name__
        if name in found:
            continue
        found[name] = {}
        for key, field in {**schema.dump_fields, **schema.load_fields}.items():
            parts = list(parts_of(field))
            allowed = [word for part in parts for word in getattr(part, "allowed_values", None) or ()]
            found[name][key] = sorted(set(allowed)) or None
            waiting += [part.schema for part in parts if hasattr(part, "schema")]
    return found


def zones() -> list[str]:
    """Every time zone that a trigger may have."""
    from azure.ai.ml.constants import TimeZone

    return [zone.value for zone in TimeZone]


def parts_of(field: Any) -> Iterator[Any]:
    """A field and those it is made of: what a union chooses from, what a list or a mapping holds."""
    yield field
    inner = [getattr(field, name, None) for name in ("inner", "key_field", "value_field")]
    for part in [*(getattr(field, "union_fields", None) or getattr(field, "_union_fields", None) or ()), *inner]:
        if part is not None:
            yield from parts_of(part)


if __name__ == "__main__":
    socket.socket.connect = offline  # type: ignore[method-assign]
    if sys.argv[1] == "dump":
        dump(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        print(json.dumps(zones() if sys.argv[1] == "zones" else words()))
