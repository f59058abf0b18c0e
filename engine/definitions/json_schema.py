"""What may be written in a monitor file, for editors that complete keys."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from engine.definitions.monitor_keys import Schedule
from engine.definitions.shape import Shape

__all__ = ["json_schema", "schema_of"]


class _AsWritten(GenerateJsonSchema):
    """Allows numbers and booleans in quotes, as the reader does, and leaves out titles that only repeat the key."""

    def bool_schema(self, schema: core_schema.BoolSchema) -> JsonSchemaValue:
        del schema
        return {"type": ["boolean", "string"], "pattern": "^([Tt]rue|[Ff]alse|TRUE|FALSE)$"}

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        return super().int_schema(schema) | {"type": ["integer", "string"], "pattern": r"^-?\d+$"}

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        return super().float_schema(schema) | {"type": ["number", "string"], "pattern": r"^-?\d+(\.\d+)?([eE]-?\d+)?$"}

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a monitor file: every key, every spelling, every metric's name."""
    return {"$schema": _AsWritten.schema_dialect, **schema_of(Schedule), "title": "driftline monitor"}


def schema_of(shape: type[Shape]) -> dict[str, Any]:
    """The JSON Schema of one kind of file."""
    return shape.model_json_schema(schema_generator=_AsWritten, mode="validation")
