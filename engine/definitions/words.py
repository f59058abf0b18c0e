"""How single values are read: words of a closed list, durations, instants, text that YAML took for something else."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import isodate
from isodate.duration import Duration as CalendarDuration
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from engine.definitions.shape import complain, did_you_mean

__all__ = [
    "Duration",
    "FixedLength",
    "Instant",
    "Length",
    "Moment",
    "Name",
    "NearMoment",
    "OneOf",
    "Properties",
    "Text",
    "as_text",
    "aware_in",
    "fixed_length",
    "lower_type",
    "many",
    "utc",
]


@dataclass(frozen=True, eq=False)
class OneOf:
    """A word of a closed list, in any case, with ``-``, ``_`` or nothing between its parts.

    Attributes:
        words: the canonical words.
        spellings: other spellings, each with its word.
        not_yet: words that Azure knows and driftline does not serve yet.
    """

    words: tuple[str, ...]
    spellings: Mapping[str, str] = field(default_factory=dict[str, str])
    not_yet: tuple[str, ...] = ()

    def read(self, value: Any) -> Any:
        """The canonical word."""
        known = {word: word for word in self.words} | dict(self.spellings)
        folded = {_fold(spelling): word for spelling, word in known.items()}
        if not isinstance(value, str):
            raise complain(f"{value!r} is not text", did_you_mean("", list(self.words)))
        if value in self.not_yet:
            raise complain(f"not supported yet: {value}", f"one of: {', '.join(self.words)}")
        if _fold(value) not in folded:
            hint = _near(value, [*self.spellings, *self.words])  # of two spellings that differ in case only, ours
            raise complain(f"{value!r} is not one of {', '.join(self.words)}", hint)
        return folded[_fold(value)]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "enum": [*self.words, *self.spellings]}


def _near(value: str, known: Iterable[str]) -> str | None:
    hint = did_you_mean(value, list(known))
    return hint if hint and hint.startswith("did") else None


def _fold(word: str) -> str:
    return re.sub(r"[-_ ]", "", word).casefold()


def as_text(value: Any) -> Any:
    """YAML's numbers and booleans as text; anything else as it is."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


Text = Annotated[str, BeforeValidator(as_text, json_schema_input_type=str | bool | float), Field(min_length=1)]
"""Text that YAML may take for a number or a boolean: a version, a label, a tag."""

Properties = Annotated[dict[str, Text], BeforeValidator(lambda value: {} if value is None else value)]
"""Texts by name; null, as Azure's SDK may write it, says no more than a missing key."""

Name = Annotated[str, StringConstraints(min_length=1)]
"""A column's name or the like; YAML's numbers and booleans have to be quoted."""


def lower_type(value: Any) -> Any:
    """The block with its `type` in lower case: Azure reads `Recurrence` and `Data_Drift` as well."""
    kind = value.get("type") if isinstance(value, dict) else None
    return value | {"type": kind.lower()} if isinstance(kind, str) else value


def many(value: Any) -> Any:
    """One item as a list of one; a list that is written has something in it."""
    if isinstance(value, list | tuple) and not value:
        raise complain("is empty")
    return value if isinstance(value, list | tuple) else [value]


def _duration(value: Any) -> str:
    try:
        duration = isodate.parse_duration(value)
    except (isodate.ISO8601Error, TypeError, ValueError):
        raise complain(f"{value!r} is not an ISO-8601 duration", "such as P1D, PT12H, P7D or P1M") from None
    years_and_months = [duration.years, duration.months] if isinstance(duration, CalendarDuration) else []
    if any(part != int(part) for part in years_and_months):
        raise complain(f"{value!r} has a fraction of a month or year", "give it in days")
    shifted = _shift(duration)
    if shifted < timedelta(0):
        raise complain(f"{value!r} is negative")
    if shifted > timedelta(36525):
        raise complain(f"{value!r} is longer than a century")
    return value


def _shift(duration: timedelta | CalendarDuration) -> timedelta:
    since = datetime(2000, 1, 1, tzinfo=UTC)
    try:
        return (since + duration) - since
    except OverflowError:
        return timedelta.max


def _length(value: Any) -> str:
    if not _shift(isodate.parse_duration(_duration(value))):
        raise complain(f"{value!r} has no length", "such as P1D")
    return value


DURATION_SCHEMA = {"type": "string", "pattern": "^[pP]"}
Duration = Annotated[str, BeforeValidator(_duration), WithJsonSchema(DURATION_SCHEMA)]
"""An ISO-8601 duration, zero included."""

Length = Annotated[str, BeforeValidator(_length), WithJsonSchema(DURATION_SCHEMA)]
"""An ISO-8601 duration that is longer than zero."""


def _fixed_length(value: Any) -> str:
    if not isinstance(isodate.parse_duration(_duration(value)), timedelta):
        raise complain(f"{value!r} is no fixed length of time", "give months and years in days")
    return value


FixedLength = Annotated[str, BeforeValidator(_fixed_length), WithJsonSchema(DURATION_SCHEMA)]


def fixed_length(duration: str) -> timedelta:
    """The length of a `FixedLength`."""
    return isodate.parse_duration(duration)


def _moment(value: Any) -> datetime:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time())
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise complain(f"{value!r} is not an ISO-8601 date or time", "such as 2013-07-01T00:00:00Z") from None


def utc(moment: datetime) -> datetime:
    """The moment in UTC; one without a zone is UTC already."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _instant(value: Any) -> datetime:
    try:
        return utc(_moment(value))
    except OverflowError:
        raise complain(f"{value!r} is not between the years 1 and 9999") from None


def aware_in(moment: datetime, time_zone: str) -> datetime:
    """The moment in UTC; one without a zone is on the wall clock of that one."""
    return utc(moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(time_zone)))


def _within_reach(moment: datetime) -> datetime:
    if not 1900 <= moment.year <= 9000:
        raise complain("is not between the years 1900 and 9000")
    return moment


Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string"})]
"""An ISO-8601 date or time, with or without a zone."""

NearMoment = Annotated[Moment, AfterValidator(_within_reach)]
"""A moment that can be counted from for centuries, in whatever time zone."""

Instant = Annotated[datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string"})]
"""An ISO-8601 date or time in UTC, or with an offset of its own."""
