"""How numbers, times and verdicts are written where people read them."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

__all__ = [
    "SYMBOLS",
    "bound",
    "listed",
    "moment",
    "number",
    "percent",
    "plural",
    "printable",
    "ratio",
    "short_moment",
    "span",
]

SYMBOLS = {
    "greater_than": ">",
    "greater_than_or_equal": "≥",
    "less_than": "<",
    "less_than_or_equal": "≤",
    "equals": "=",
    "not_equals": "≠",
}
"""A value breaches when ``value SYMBOL threshold``."""


def number(value: float | None) -> str:
    """Four significant digits, with separators between thousands; an en dash where there is no number."""
    if value is None:
        return "–"
    if value == 0 or not math.isfinite(value):
        return f"{value:g}".replace("-0", "0")
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{value:,.0f}"
    whole_digits = math.floor(math.log10(abs(value))) + 1
    if whole_digits < -3 or whole_digits > 15:
        return f"{value:.4g}"
    text = f"{value:,.{max(0, 4 - whole_digits)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def bound(operator: str | None, value: float | None, kind: str | None) -> str:
    """A threshold beside a value: ``> 0.1``, or ``> 0.0312 dynamic`` where the check's own history set it."""
    said = f"{SYMBOLS.get(operator or '', '?')} {number(value)}"
    return f"{said} dynamic" if kind == "dynamic" else said


def percent(share: float) -> str:
    """A share in [0, 1] as a percentage; a tiny one is told from none."""
    if 0 < share < 0.001:
        return "<0.1 %"
    return f"{100 * share:.0f} %" if share in (0, 1) else f"{100 * share:.1f} %"


def ratio(value: float | None, threshold: float | None) -> float | None:
    """How many times its threshold a value is; None where that says nothing (a threshold of 0, opposite signs)."""
    if value is None or not threshold or value / threshold <= 0:
        return None
    return value / threshold


def plural(count: int, noun: str) -> str:
    """``1 window``, ``1,200 windows``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(names: Sequence[str], most: int = 4) -> str:
    """The first names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def printable(text: str) -> str:
    """A value from the data as a terminal can be shown it: line breaks, escapes and the like are written out."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def moment(time: datetime, zone: tzinfo = UTC) -> str:
    """``2 Jul 2013 03:15 UTC``."""
    local = time.astimezone(zone)
    return f"{local.day} {local:%b %Y %H:%M %Z}"


def short_moment(time: datetime, beside: datetime) -> str:
    """A time as one says it beside another one: without a year or a time of day that they share."""
    utc, other = time.astimezone(UTC), beside.astimezone(UTC)
    year = "" if utc.year == other.year else f" {utc.year}"
    clock = "" if utc.time() == other.time() else f" {utc:%H:%M}"
    return f"{utc.day} {utc:%b}{year}{clock}"


def span(start: datetime, end: datetime, zone: tzinfo = UTC) -> str:
    """A half-open window: whole days by their dates, anything else to the minute."""
    first, last = start.astimezone(zone), end.astimezone(zone)
    if (first.hour, first.minute, last.hour, last.minute) != (0, 0, 0, 0):
        # The clocks may have changed in between.
        begins = f"{first:%H:%M}" if f"{first:%Z}" == f"{last:%Z}" else f"{first:%H:%M %Z}"
        return f"{first.day} {first:%b %Y} {begins} to {last.day} {last:%b %Y %H:%M %Z}"
    if (last.date() - first.date()).days == 1:
        return f"{first.day} {first:%b %Y} ({first:%Z})"
    return f"{first.day} {first:%b %Y} to {last.day} {last:%b %Y} ({last:%Z}, end excluded)"
