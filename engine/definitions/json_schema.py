"""What may be written in a monitor file, for editors that complete keys."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from engine.definitions.monitor_keys import Schedule

__all__ = ["json_schema"]


class _Untitled(GenerateJsonSchema):
    """Leaves out a title that only repeats the key."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a monitor file: every key, every spelling, every metric's name."""
    schema = Schedule.model_json_schema(schema_generator=_Untitled, mode="validation")
    return {"$schema": _Untitled.schema_dialect, **schema, "title": "driftline monitor"}
