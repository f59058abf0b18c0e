"""Kinds of columns that SQLite and PostgreSQL keep alike."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from engine.instants import instant_of, time_of

__all__ = ["Document", "Instant", "InstantNumber"]

Document = JSON().with_variant(JSONB(), "postgresql")
"""A JSON value."""


class Instant(TypeDecorator[datetime]):
    """An aware time, kept in UTC to the microsecond; SQLite itself knows no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """UTC; a time without a zone is a bug."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class InstantNumber(TypeDecorator[datetime]):
    """An aware time as whole microseconds since 1970 UTC: eight bytes, for tables of many rows and what is compared to
    their times.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """The number."""
        return None if value is None else instant_of(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Aware, in UTC."""
        return None if value is None else time_of(value)
