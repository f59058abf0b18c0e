"""Which rows does a payload hold?

The collector writes a DataFrame as an array of objects, one for each row. One object is one row, unless it is pandas'
"split" form (``columns`` and ``data``), which is sent to MLflow's models, wrapped or not. What names no columns, such
as an array of numbers, is no table: a component has to make one of it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from engine.collector.troubles import Trouble, TroubleError

__all__ = ["Row", "Rows", "read_payload", "rows_of"]

Row = dict[str, Any]

SPLIT = {"columns", "data", "index"}
WRAPPED = ("dataframe_split", "dataframe_records", "input_data")


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one payload.

    Attributes:
        rows: those that are objects.
        places: the place of each in the payload, which tells them apart from others of the same event.
        odd: how many others there are.
    """

    rows: Sequence[Row]
    places: Sequence[int]
    odd: int = 0


def rows_of(data: object) -> Rows:
    """The rows of a payload.

    Raises:
        TroubleError: when it has no rows with named columns.
    """
    if isinstance(data, dict):
        return _of_object(cast("Row", data))
    if not isinstance(data, list):
        raise TroubleError(Trouble.FORM, f"it is {_named(data)}; a pre_processing_component can make rows of it")
    items = cast("list[Any]", data)
    places = [place for place, item in enumerate(items) if isinstance(item, dict)]
    if items and not places:
        raise TroubleError(
            Trouble.FORM, f"it is an array of {_named(items[0])}; a pre_processing_component can make rows of it"
        )
    return Rows([items[place] for place in places], places, len(items) - len(places))


def _of_object(data: Row) -> Rows:
    for name in WRAPPED:
        if len(data) == 1 and isinstance(data.get(name), dict | list):
            return rows_of(data[name])
    columns, lines = data.get("columns"), data.get("data")
    split = {"columns", "data"} <= data.keys() <= SPLIT and isinstance(columns, list) and isinstance(lines, list)
    if not split:
        return Rows([data], [0])
    names, values = [str(name) for name in cast("list[Any]", columns)], cast("list[Any]", lines)
    fits = [place for place, each in enumerate(values) if isinstance(each, list) and len(each) == len(names)]
    return Rows([dict(zip(names, values[place], strict=True)) for place in fits], fits, len(values) - len(fits))


def read_payload(content: bytes) -> object:
    """The payload that a file of its own holds: one JSON value, or an object on each line.

    Raises:
        ValueError: when it is neither.
    """
    text = content.removeprefix(b"\xef\xbb\xbf")
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def _named(data: object) -> str:
    known: list[tuple[type | tuple[type, ...], str]] = [
        (str, "text"), (bool, "a boolean"), ((int, float), "numbers"), (list, "arrays"),
    ]  # fmt: skip
    return next((name for kind, name in known if isinstance(data, kind)), "null")
