"""How one block of keys is read: unknown keys, other spellings, and what its keys demand of each other."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError

from signals.catalogue import near_names

__all__ = ["SPELLINGS", "Complaint", "Shape", "complain", "did_you_mean", "errors_of", "key", "reject"]

SPELLINGS: defaultdict[str, set[str]] = defaultdict(set)
"""Every other spelling of a key by its canonical one, filled as the shapes are declared."""


class Complaint(NamedTuple):
    """What is wrong at a key, given from the block on down."""

    key: tuple[str | int, ...]
    message: str
    hint: str | None = None


def complain(message: str, hint: str | None = None) -> PydanticCustomError:
    """An error of a single value, for a validator to raise."""
    return PydanticCustomError("driftline", "{message}", {"message": message, "hint": hint})


def reject(title: str, complaints: list[Complaint], errors: list[InitErrorDetails] | None = None) -> ValidationError:
    """One error for several complaints, and for what was found before them."""
    lines = [
        InitErrorDetails(type=complain(found.message, found.hint), loc=found.key, input=None) for found in complaints
    ]
    return ValidationError.from_exception_data(title, [*(errors or []), *lines])


def errors_of(error: ValidationError) -> list[InitErrorDetails]:
    """The single errors inside one, to be raised again from further out."""
    return [
        InitErrorDetails(
            type=complain(**found.get("ctx", {})) if found["type"] == "driftline" else found["type"],
            loc=found["loc"],
            input=found["input"],
            ctx=found.get("ctx", {}),
        )
        for found in error.errors(include_url=False)
    ]


def did_you_mean(name: str, among: list[str], most: int = 1) -> str | None:
    """A hint towards the nearest of these names, or so many; where none is near and they are few, all of them."""
    near = near_names(name, among, most)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"one of: {', '.join(among)}" if 0 < len(among) <= 12 else None


def key(*names: str, default: Any = ..., description: str, **constraints: Any) -> Any:
    """A key with its canonical name first and its other spellings after it."""
    if len(names) > 1:
        SPELLINGS[names[0]].update(names[1:])
        constraints["validation_alias"] = AliasChoices(*names)
    elif names:
        constraints["alias"] = names[0]
    if "default_factory" not in constraints:
        constraints["default"] = default
    return Field(description=description, **constraints)


class Shape(BaseModel):
    """A frozen block of keys that knows each of its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    refused: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """Keys that Azure has here and that cannot mean anything to us, each with why, and with what to write instead."""

    def complaints(self) -> Iterator[Complaint]:
        """What the keys of this block, each of them right, demand of each other."""
        return iter(())

    @model_validator(mode="wrap")
    @classmethod
    def _whole(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            read = handler(value)
        except ValidationError as error:
            raise cls._with_hints(error) from None
        complaints = list(read.complaints())
        if complaints:
            raise reject(cls.__name__, complaints)
        return read

    @classmethod
    def _with_hints(cls, error: ValidationError) -> ValidationError:
        kept: list[InitErrorDetails] = []
        unknown: list[Complaint] = []
        for found in errors_of(error):
            place = found.get("loc", ())
            if found["type"] == "extra_forbidden" and len(place) == 1:
                unknown.append(cls._unknown(place[0]))
            else:
                kept.append(found)
        return reject(cls.__name__, unknown, kept)

    @classmethod
    def _unknown(cls, name: str | int) -> Complaint:
        if name in cls.refused:
            return Complaint((name,), *cls.refused[str(name)])
        for spellings in cls.spellings().values():
            if name in spellings:
                return Complaint((name,), f"says the same as {' or '.join(spellings - {name})}", "keep one of them")
        return Complaint((name,), "unknown key", did_you_mean(str(name), sorted(cls.keys())))

    @classmethod
    def spellings(cls) -> dict[str, frozenset[str]]:
        """Every spelling of each key that has more than one, by the field's name."""
        return {
            name: frozenset(map(str, found.validation_alias.choices))
            for name, found in cls.model_fields.items()
            if isinstance(found.validation_alias, AliasChoices)
        }

    @classmethod
    def keys(cls) -> set[str]:
        """Every key that may be written, in all spellings."""
        plain = {found.alias or name for name, found in cls.model_fields.items()}
        return plain.union(*cls.spellings().values())

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Pydantic's, with a property for every spelling."""
        reference = handler(schema)
        written = handler.resolve_ref_schema(reference)
        for name, spellings in cls.spellings().items():
            first = str(cls.model_fields[name].validation_alias.choices[0])  # type: ignore[union-attr]
            for other in sorted(spellings - {first}):
                written["properties"][other] = written["properties"][first] | {"description": f"The same as `{first}`."}
            if first in written.get("required", []):
                written["required"].remove(first)
                written.setdefault("allOf", []).append({"anyOf": [{"required": [one]} for one in sorted(spellings)]})
        return reference
