"""Which columns tell the time and the correlation id, where the definition leaves them to be found."""

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa

from engine.errors import DataError
from engine.monitor import Columns
from signals.catalogue import near_names

__all__ = ["attribution_columns", "find_roles", "merged_roles", "require", "target_of"]

TIME_NAMES = ("timestamp", "event_time", "event_timestamp", "time", "ts", "datetime", "date_time", "date")
ID_NAMES = ("correlation_id", "correlationid")


def find_roles(title: str, declared: Columns, columns: Mapping[str, pa.DataType]) -> tuple[Columns, list[str]]:
    """The declared roles, with a timestamp and a correlation id found where they were not declared.

    A timestamp is the dataset's only column of a timestamp or date type, or else one with a usual name
    (``timestamp``, ``event_time``, ...); a correlation id is a column named ``correlation_id`` or ``correlationid``.

    Returns:
        The roles, and a note for each one that was found.
    """
    notes: list[str] = []
    roles = declared
    if roles.timestamp is None and (found := _timestamp(columns)):
        notes.append(f"{title}: found the timestamp column {found!r} ({columns[found]})")
        roles = replace(roles, timestamp=found)
    if roles.correlation_id is None and (found := _named(ID_NAMES, columns)):
        notes.append(f"{title}: found the correlation id column {found!r}")
        roles = replace(roles, correlation_id=found)
    return roles, notes


def require(title: str, role: str, name: str | None, columns: Mapping[str, pa.DataType]) -> str:
    """The column that plays a role.

    Raises:
        DataError: when none is declared, or the dataset does not have it; it lists near names.
    """
    if name is None:
        raise DataError(f"{title} has no {role} column: name it in data_column_names.{role}")
    if name not in columns:
        near = near_names(name, list(columns), 3)
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else f"; it has {', '.join(columns)}"
        raise DataError(f"{title} has no column {name!r} (its {role}){hint}")
    return name


def merged_roles(one: Columns, other: Columns) -> Columns:
    """The roles of two datasets joined; the first wins."""
    return Columns(
        timestamp=one.timestamp or other.timestamp,
        timestamp_format=one.timestamp_format if one.timestamp else other.timestamp_format,
        correlation_id=one.correlation_id or other.correlation_id,
        prediction=one.prediction or other.prediction,
        score=one.score or other.score,
        actual=one.actual or other.actual,
        group=one.group or other.group,
        rank=one.rank or other.rank,
        attributions=one.attributions + other.attributions,
    )


def target_of(roles: Columns, *, truth: bool = True) -> str | None:
    """The column that the features are to explain: what is true, where that is wanted, or else what the model said."""
    return (roles.actual if truth else None) or roles.score or roles.prediction


def attribution_columns(roles: Columns, columns: Mapping[str, pa.DataType]) -> dict[str, str]:
    """The columns that say how much features added to predictions, by feature.

    Those that a definition names stand for themselves, there or not; a name with a star is looked up.
    """
    found: dict[str, str] = {}
    for feature, column in roles.attributions:
        if feature != "*":
            found[feature] = column
            continue
        before, after = column.split("*")
        long_enough = (name for name in columns if len(name) > len(before) + len(after))
        fitting = (name for name in long_enough if name.startswith(before) and name.endswith(after))
        found |= {name[len(before) : len(name) - len(after)]: name for name in fitting}
    return found


def _timestamp(columns: Mapping[str, pa.DataType]) -> str | None:
    typed = [name for name, kind in columns.items() if pa.types.is_timestamp(kind) or pa.types.is_date(kind)]
    return typed[0] if len(typed) == 1 else _named(TIME_NAMES, columns)


def _named(usual: tuple[str, ...], columns: Mapping[str, pa.DataType]) -> str | None:
    folded = {name.lower(): name for name in reversed(list(columns))}
    return next((folded[name] for name in usual if name in folded), None)
