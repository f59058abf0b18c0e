"""What a file's path says about its rows: hive partition columns, and the time that some of them tell."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote

import isodate
import pyarrow as pa

from engine.batches import Span
from engine.windows import Window

__all__ = ["STEPS", "PartitionTime", "partition_constants", "partition_values"]

STEPS = {"year": "P1Y", "month": "P1M", "day": "P1D", "hour": "PT1H"}
"""The steps of time that a partition column may have, with their lengths; coarse ones first."""

WRITTEN = re.compile(
    r"(\d{4})[-/_.](\d\d?)(?:[-/_.](\d\d?)(?:[T _](\d\d?)(?:[:.]\d+)*)?)?|(\d{4})(\d\d)(\d\d)", re.ASCII
)
"""Times as 2013-07, 2013-07-01, 2013-07-01 05:00 or 20130701; neither weeks nor days of the year."""

INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
"""An int64; "07" is text: as a number it would lose its zero."""

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"


def partition_values(relative_path: str) -> dict[str, str | None]:
    """The ``name=value`` folders of a path, in order."""
    found: dict[str, str | None] = {}
    for folder in relative_path.split("/")[:-1]:
        name, equals, value = folder.partition("=")
        if equals:
            found[unquote(name)] = None if value == HIVE_NULL else unquote(value)
    return found


def partition_constants(
    partitions: Sequence[Mapping[str, str | None]], declared: Mapping[str, pa.DataType]
) -> list[dict[str, pa.Scalar]]:
    """Partition values by file: as declared, else integers where all values of a column are, else text."""
    names = dict.fromkeys(name for values in partitions for name in values)
    whole = {name for name in names if all(_is_integer(values.get(name)) for values in partitions)}
    types = {name: declared.get(name, pa.int64() if name in whole else pa.string()) for name in names}
    return [{name: _scalar(value, types[name]) for name, value in values.items()} for values in partitions]


def _scalar(value: str | None, kind: pa.DataType) -> pa.Scalar:
    try:
        return pa.scalar(value, pa.string()).cast(kind)
    except (pa.ArrowException, ValueError):
        return pa.scalar(value, pa.string())


def _is_integer(value: str | None) -> bool:
    return value is None or INTEGER.fullmatch(value) is not None


@dataclass(frozen=True)
class PartitionTime:
    """Partition columns that tell the time in UTC, each with its step: ``{"date": "day"}``, or year, month and day."""

    steps: Mapping[str, str]

    def overlaps(self, values: Mapping[str, str | None], span: Span) -> bool:
        """Whether a partition may hold rows of this span; one whose time cannot be read may."""
        own = self.window(values)
        if own is None:
            return True
        return (span.end is None or own.start < span.end) and (span.start is None or own.end > span.start)

    def window(self, values: Mapping[str, str | None]) -> Window | None:
        """The stretch of time that a partition holds; None where that cannot be read."""
        start = self._start(values)
        if start is None:
            return None
        finest = max((self.steps[name] for name in self.steps), key=list(STEPS).index)
        try:
            return Window(start, start + isodate.parse_duration(STEPS[finest]))
        except OverflowError:  # the end of the calendar
            return None

    def _start(self, values: Mapping[str, str | None]) -> datetime | None:
        if not self.steps or any(values.get(name) is None for name in self.steps):
            return None
        fields: dict[str, int] = {}
        for name, step in self.steps.items():
            fields |= _fields(values[name] or "", step)
        try:
            return datetime(
                fields["year"], fields.get("month", 1), fields.get("day", 1), fields.get("hour", 0), tzinfo=UTC
            )
        except (KeyError, ValueError):
            return None


def _fields(value: str, step: str) -> dict[str, int]:
    """What a value tells: its own step only (07), or everything down to it (2013-07-01); nothing when in doubt."""
    if re.fullmatch(r"\d{1,4}", value):
        return {step: int(value)}
    written = WRITTEN.fullmatch(value)
    numbers = [int(number) for number in written.groups() if number] if written else []
    return dict(zip(STEPS, numbers, strict=False)) if len(numbers) > list(STEPS).index(step) else {}
