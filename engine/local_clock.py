"""Which instant does a wall clock mean, on every day of the year?

Two days a year need a rule. A local time that does not exist (clocks go forward over it) is shifted forward by the
length of the gap: 02:30 becomes 03:30. A local time that occurs twice (clocks go back) means its first occurrence.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from tzlocal.windows_tz import win_tz

__all__ = ["canonical_zone", "instant", "instants_of", "zone_names"]

RETIRED = {"Kamchatka Standard Time": "Asia/Kamchatka", "Mid-Atlantic Standard Time": "Etc/GMT+2"}
"""Names that Windows no longer lists and Azure still accepts."""


def instant(local: datetime, zone: ZoneInfo, *, second: bool = False) -> datetime:
    """The UTC instant of a naive local time; of the two that it may mean, the first unless `second`."""
    return local.replace(tzinfo=zone, fold=int(second)).astimezone(UTC)


def instants_of(day: date, times: Iterable[time], zone: ZoneInfo, *, both_occurrences: bool = False) -> list[datetime]:
    """The UTC instants of these wall clock times on a local day, in order, each once."""
    folds = (False, True) if both_occurrences else (False,)
    locals_ = [datetime.combine(day, at) for at in times]
    return sorted({instant(local, zone, second=fold) for local in locals_ for fold in folds})


def canonical_zone(name: str) -> str | None:
    """The IANA name of a time zone, given by its IANA or its Windows name in any case; None if unknown."""
    return _zones().get(name.strip().casefold())


def zone_names() -> list[str]:
    """Every name that `canonical_zone` knows, IANA names first."""
    return [*sorted(available_timezones()), *sorted(RETIRED | win_tz)]


@cache
def _zones() -> dict[str, str]:
    windows = {name.casefold(): zone for name, zone in (RETIRED | win_tz).items() if _exists(zone)}
    return windows | {name.casefold(): name for name in available_timezones()}


def _exists(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except ZoneInfoNotFoundError:
        return False
    return True
