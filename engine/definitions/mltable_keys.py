"""How an `MLTable` file is written: Azure's schema, as far as it says where rows are and what becomes of columns."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, StringConstraints

from engine.definitions.shape import Complaint, Shape, complain, key
from engine.definitions.words import Name, OneOf, Text, as_text, many
from engine.mltable import Drop, Keep, Step
from signals.bins import ValueType
from signals.conversions import Conversion

__all__ = ["MLTableFile", "PathKeys", "ReadDelimited", "Reading"]

ENCODINGS = {
    "utf8": "UTF-8", "utf8bom": "UTF-8", "latin1": "ISO-8859-1", "iso88591": "ISO-8859-1", "ascii": "US-ASCII",
    "utf16": "UTF-16", "utf32": "UTF-32",
}  # fmt: skip
WIDE = {"utf16", "utf32"}
"""Encodings in which Spark does not see line breaks by itself."""
TYPES = {
    "int": ValueType.INTEGER,
    "float": ValueType.DOUBLE,
    "string": ValueType.STRING,
    "boolean": ValueType.BOOLEAN,
    "datetime": ValueType.TIMESTAMP,
}
BEFORE = "do it in a pre_processing_component, or where the files are written"
NOT_SERVED = {
    "extract_columns_from_partition_format": "name folders date=2024-05-01 and say partitions: {date: day} instead, "
    "or " + BEFORE,
    "filter": "filter in the signal (filters, data_segment), or " + BEFORE,
    "read_delta_lake": "give the Delta table's folder itself as the path; driftline finds out that it is one",
    "skip": BEFORE,
    "take": BEFORE,
    "take_random_sample": BEFORE,
}
"""Transformations that Azure knows and driftline does not, with what to do instead."""


def _encoding(value: Any) -> Any:
    if value == "windows1252":
        raise complain("not supported: windows1252, which Spark does not read", "write the files as utf8")
    return value


Encoding = Annotated[str, OneOf(tuple(ENCODINGS)), BeforeValidator(_encoding)]
OneOrMoreNames = Annotated[tuple[Name, ...], BeforeValidator(many, json_schema_input_type=Name | tuple[Name, ...])]
Texts = Annotated[tuple[Text, ...], BeforeValidator(many, json_schema_input_type=Text | tuple[Text, ...])]
Delimiter = Annotated[str, StringConstraints(min_length=1)]


def _with_options(value: Any) -> Any:
    """A name with nothing after its colon has no options."""
    if isinstance(value, dict) and len(value) == 1:
        return {name: {} if options is None else options for name, options in value.items()}
    return value


class PathKeys(Shape):
    """Where files of the table are: exactly one of file, folder and pattern."""

    file: Name | None = key(default=None, description="A file.")
    folder: Name | None = key(default=None, description="A folder, with all files below it.")
    pattern: Name | None = key(
        default=None, description="Files by name: `*`, `?` and `[abc]` within a name, `**` over folders."
    )

    def complaints(self) -> Iterator[Complaint]:
        given = self.model_fields_set
        if len(given) != 1:
            yield Complaint((), f"has {len(given) or 'none'} of file, folder and pattern", "one each")

    @property
    def said(self) -> tuple[Literal["file", "folder", "pattern"], str]:
        """The kind, and what is written."""
        if self.file:
            return "file", self.file
        return ("folder", self.folder) if self.folder else ("pattern", self.pattern or "")


# --------------------------------------------------------------------------------------------------------- reading


class Reading(Shape):
    """What the steps that read files have in common; `format` is what the files are."""

    format: ClassVar[str]

    include_path_column: bool = key(default=False, description="A column `Path` tells a row's file.")

    @property
    def options(self) -> dict[str, str]:
        """Spark's reader options that mean the same."""
        return {}


class ReadParquet(Reading):
    """Parquet files."""

    format = "parquet"


class ReadJsonLines(Reading):
    """Files with an object of JSON on each line."""

    format = "json"

    invalid_lines: Annotated[str, OneOf(("error", "drop"))] = key(
        default="error", description="What is done with a line that is no JSON."
    )
    encoding: Encoding = key(default="utf8", description="How text is encoded.")
    partition_size: int | None = key(default=None, description="Not used.")
    path_column: Text | None = key(default=None, description="Not used.")

    @property
    def options(self) -> dict[str, str]:
        mode = {"error": "FAILFAST", "drop": "DROPMALFORMED"}[self.invalid_lines]
        encoding = ENCODINGS[self.encoding]
        # Spark asks for it in any other encoding.
        lines = {} if encoding == "UTF-8" else {"lineSep": "\n"}
        return {"mode": mode, "encoding": encoding, **lines}


class ReadDelimited(Reading):
    """Files of values between delimiters, such as CSV."""

    format = "csv"

    delimiter: Delimiter = key(default=",", description="What stands between two values.")
    header: Annotated[
        str, OneOf(("all_files_same_headers", "from_first_file", "all_files_different_headers", "no_header"))
    ] = key(default="all_files_same_headers", description="Where the names of columns are.")
    encoding: Encoding = key(default="utf8", description="How text is encoded.")
    empty_as_string: bool = key(default=False, description="An empty field of a text column is a text, not a null.")
    infer_column_types: bool = key(default=True, description="Columns have the type that all their values have.")
    support_multi_line: bool = key(default=False, description="A value in quotes may hold line breaks.")
    partition_size: int | None = key(default=None, description="Not used.")
    path_column: Text | None = key(default=None, description="Not used.")

    @property
    def options(self) -> dict[str, str]:
        several = self.support_multi_line or self.encoding in WIDE
        return {
            "sep": self.delimiter,
            "encoding": ENCODINGS[self.encoding],
            "multiLine": str(several).lower(),
            "escape": '"',  # a quote inside quotes is doubled (RFC 4180)
        }


# ------------------------------------------------------------------------------------------------------ converting


class BooleanType(Shape):
    """Which texts are true, and which are false."""

    true_values: Texts = key(default=(), description="What is true.")
    false_values: Texts = key(default=(), description="What is false.")
    mismatch_as: Annotated[str, OneOf(("error", "true", "false")), BeforeValidator(as_text)] = key(
        default="error", description="What anything else is; `error`: a value of another type, which is counted."
    )

    def complaints(self) -> Iterator[Complaint]:
        for name, other in (("true_values", "false_values"), ("false_values", "true_values")):
            if getattr(self, other) and not getattr(self, name):
                yield Complaint((name,), f"is missing, and there are {other}", "give both or none")


class DatetimeType(Shape):
    """How times are written."""

    formats: Texts = key(
        default=(), description="As in `%d/%m/%Y %H:%M:%S`; the first that fits counts. ISO 8601 when left out."
    )


class PlainType(Shape):
    """A type that needs no more than its name."""


class ColumnType(Shape):
    """A type, with how its values are written."""

    int: PlainType | None = key(default=None, description="A whole number.")
    float: PlainType | None = key(default=None, description="A number.")
    string: PlainType | None = key(default=None, description="A text.")
    boolean: BooleanType | None = key(default=None, description="Which texts are true, and which are false.")
    datetime: DatetimeType | None = key(default=None, description="How times are written.")

    def complaints(self) -> Iterator[Complaint]:
        if len(self.model_fields_set) != 1:
            yield Complaint((), "is not one type", f"one of: {', '.join(TYPES)}")


def _type(value: Any) -> Any:
    """A type that is only named, as a mapping."""
    if isinstance(value, str) and value in {"stream_info", "stream"}:
        raise complain(f"not supported: {value}, which is about files and not about values", "drop the column")
    return {NAMED_TYPE.read(value): {}} if isinstance(value, str) else _with_options(value)


NAMED_TYPE = OneOf(tuple(TYPES))


class ColumnTypes(Shape):
    """Which columns are read as which type."""

    columns: OneOrMoreNames = key(description="One column, or several.")
    column_type: Annotated[ColumnType, BeforeValidator(_type, json_schema_input_type=ColumnType | str)] = key(
        description="`int`, `float`, `string`, `boolean` or `datetime`; the last two also with how they are written."
    )

    @property
    def conversion(self) -> Conversion:
        """The same in the engine's words."""
        (name,) = self.column_type.model_fields_set
        to, times, booleans = TYPES[name], self.column_type.datetime, self.column_type.boolean
        if times:
            return Conversion(self.columns, to, times.formats)
        if booleans:
            otherwise = {"error": None, "true": True, "false": False}[booleans.mismatch_as]
            return Conversion(
                self.columns, to, true=booleans.true_values, false=booleans.false_values, otherwise=otherwise
            )
        return Conversion(self.columns, to)


# ------------------------------------------------------------------------------------------------- transformations

READINGS = ("read_parquet", "read_delimited", "read_json_lines")


def _step(value: Any) -> Any:
    """A step that is only named, as a mapping."""
    return {value: {}} if isinstance(value, str) else _with_options(value)


class Transformation(Shape):
    """One step: what is read, or what becomes of columns."""

    read_parquet: ReadParquet | None = key(default=None, description="The files are Parquet.")
    read_delimited: ReadDelimited | None = key(default=None, description="The files are delimited, such as CSV.")
    read_json_lines: ReadJsonLines | None = key(default=None, description="The files have an object on each line.")
    keep_columns: OneOrMoreNames | None = key(default=None, description="All other columns go.")
    drop_columns: OneOrMoreNames | None = key(default=None, description="These columns go.")
    convert_column_types: Annotated[tuple[ColumnTypes, ...], BeforeValidator(many)] | None = key(
        default=None, description="Columns are read as another type."
    )

    def complaints(self) -> Iterator[Complaint]:
        given = self.model_fields_set
        if len(given) != 1:
            yield Complaint((), f"has {len(given) or 'no'} transformations", "one in each item of the list")

    @classmethod
    def _unknown(cls, name: str | int) -> Complaint:
        if name in NOT_SERVED:
            return Complaint((name,), f"not supported: the transformation {name}", NOT_SERVED[str(name)])
        return super()._unknown(name)

    @property
    def reading(self) -> Reading | None:
        """The step, where it reads."""
        return next((found for name in READINGS if (found := getattr(self, name)) is not None), None)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The step in the engine's words, where it is about columns."""
        if self.keep_columns:
            return (Keep(self.keep_columns),)
        if self.drop_columns:
            return (Drop(self.drop_columns),)
        return tuple(each.conversion for each in self.convert_column_types or ())


TransformationStep = Annotated[Transformation, BeforeValidator(_step)]


class MLTableFile(Shape):
    """An `MLTable` file."""

    schema_: str | None = key("$schema", default=None, description="Not used.")
    type: Annotated[str, OneOf(("mltable",))] = key(default="mltable", description="What kind of file this is.")
    paths: Annotated[tuple[PathKeys, ...], BeforeValidator(many)] = key(description="Where the files are.")
    transformations: tuple[TransformationStep, ...] = key(default=(), description="How they are read, step by step.")
    traits: Any = key(default=None, description="Not used.")
    metadata: Any = key(default=None, description="Not used.")

    def complaints(self) -> Iterator[Complaint]:
        places = [place for place, step in enumerate(self.transformations) if step.reading is not None]
        if not places:
            hint = f"a table begins with one of {', '.join(READINGS)}"
            yield Complaint(("transformations",), "is missing a step that reads", hint)
        for place in places[1:]:
            yield Complaint(("transformations", place), "reads again", "a table is read once: keep one of them")
        if places[:1] not in ([], [0]):
            yield Complaint(("transformations", 0), "comes before the table is read", "put the reading step first")
