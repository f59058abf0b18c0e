"""How values become part of a statement: quoted, so that a name is never anything but a name."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

__all__ = ["between", "every", "identifier", "literal", "one_of", "some"]


def identifier(name: str) -> str:
    """A column's name, whatever it holds (`group` is a word of SQL's own)."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | bool | datetime | None) -> str:
    """A value as the engine's dialect writes it.

    A time is cast to the very type of the column: a plain TIMESTAMP literal counts nanoseconds, which delta-rs
    refuses to compare with the microseconds of a table's statistics.
    """
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case datetime():
            if value.tzinfo is None:
                raise ValueError(f"{value} has no time zone")
            text = value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
            return f"""arrow_cast('{text}Z', 'Timestamp(Microsecond, Some("UTC"))')"""
        case str():
            return "'" + value.replace("'", "''") + "'"


def one_of(name: str, values: Collection[str | datetime | None]) -> str:
    """The column equals one of the values; NULL equals NULL."""
    known = sorted({literal(value) for value in values if value is not None})
    tests = [f"{identifier(name)} IN ({', '.join(known)})"] if known else []
    if any(value is None for value in values):
        tests.append(f"{identifier(name)} IS NULL")
    return some(tests)


def between(name: str, first: datetime, last: datetime) -> str:
    """The column is in [first, last]; files are skipped by it, which a long list of times does not do."""
    return every([f"{identifier(name)} >= {literal(first)}", f"{identifier(name)} <= {literal(last)}"])


def every(conditions: Iterable[str]) -> str:
    """All of the conditions; true where there is none."""
    return " AND ".join(conditions) or "true"


def some(conditions: Iterable[str]) -> str:
    """At least one of the conditions; false where there is none."""
    return "(" + (" OR ".join(conditions) or "false") + ")"
